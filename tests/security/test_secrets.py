"""Secrets in every place that one can stand, and where they must not come out: anywhere."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import quote, quote_plus
from urllib.request import Request, urlopen

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError
from structlog.testing import capture_logs

from monitor.config.extensions import discover
from monitor.config.operations import Ping, Web
from monitor.core.errors import LeewayError
from monitor.options import display, hide_passwords, hide_url_passwords, is_secret_name
from monitor.sources._sql.database import Database
from monitor.store.database import connect
from monitor.testing import FakeSlack, FakeWebhook
from monitor.testing.slack import APP_TOKEN, CHANNEL, TOKEN
from tests.worlds import shift, world

URLS = {
    "postgresql://u:CANARY@h/db": "postgresql://u:********@h/db",
    "postgresql://u:it'sCANARY@h/db": "postgresql://u:********@h/db",
    'postgresql://u:"CANARY"@h/db': "postgresql://u:********@h/db",
    "postgresql://u:a CANARY@h/db": "postgresql://u:********@h/db",
    "postgresql://u:a\nCANARY@h/db": "postgresql://u:********@h/db",
    "postgresql://u:p@CANARY@h/db": "postgresql://u:********@h/db",
    "postgresql://u:CANARY/x?y@h/db": "postgresql://u:********@h/db",
    "postgresql://:CANARY@h": "postgresql://:********@h",
    "postgresql://u:x?pwd=a;CANARY@h": "postgresql://u:********",
    "postgresql://h/db?user=u&password=CANARY": "postgresql://h/db?user=u&password=********",
    "postgresql://h/db?password=it's CANARY&x=1": "postgresql://h/db?password=********&x=1",
    "postgresql://h/db?x=1&sslpassword=CANARY": "postgresql://h/db?x=1&sslpassword=********",
    "mssql+pyodbc:///?odbc_connect=UID%3Du%3BPWD%3DCANARY": "mssql+pyodbc:///?odbc_connect=********",
    "snowflake://u:CANARY@a/d?private_key=CANARY&role=r": "snowflake://u:********@a/d?private_key=********&role=r",
    "s3://bucket/x.parquet?s3_secret_access_key=CANARY": "s3://bucket/x.parquet?s3_secret_access_key=********",
    "sqlite:///logs.db": "sqlite:///logs.db",
}  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_a_url_is_shown_without_its_password_whatever_that_is_made_of(url):
    assert hide_url_passwords(url) == URLS[url]
    assert display(SecretStr(url)) == URLS[url]
    assert Database(url, timedelta(seconds=1)).name == URLS[url]


@pytest.mark.parametrize("url", [url for url in URLS if "CANARY" in url and " " not in url and "\n" not in url])
def test_a_url_among_other_words_is_shown_without_its_password(url):
    assert "CANARY" not in hide_passwords(f"cannot reach '{url}', for it is away; see {url}.")


def test_hiding_takes_time_in_proportion_to_the_text():
    began = time.monotonic()
    for piece in ("://a:", "?pwd=", "://", "?a=1;", "://:@", "&token="):
        hide_passwords(piece * 200_000)
    assert time.monotonic() - began < 20


BAD = ["postgresql://u:CANARY@[bad/db", "postgresql://u:CANARY@h:port/db", "postgresql://u@h:CANARY/db", "postgresql+no://u:CANARY@h",
       "nosuch://u:CANARY@h/db", "postgresql+psycopg://u:CANARY@127.0.0.1:1/db", "mysql://u:CANARY@h/db",
       "postgresql+psycopg://u:CANARY@127.0.0.1:1/db?password=CANARY", "postgresql+psycopg://u:it'sCANARY@127.0.0.1:1/db"]  # fmt: skip


@pytest.mark.parametrize("url", BAD)
def test_an_address_that_cannot_be_used_is_refused_without_its_password(url):
    with pytest.raises(LeewayError) as refused, connect(url).read():
        pass
    assert "CANARY" not in str(refused.value)
    with pytest.raises(LeewayError) as refused, Database(url, timedelta(seconds=5)).connect():
        pass
    assert "CANARY" not in str(refused.value)


# --- every extension, those to come too ------------------------------------------------------------------------------


def is_secret_type(annotation: Any) -> bool:
    if get_origin(annotation) in (Annotated, Union, UnionType, tuple, list, dict):
        return any(is_secret_type(part) for part in get_args(annotation))
    return isinstance(annotation, type) and issubclass(annotation, SecretStr)


def test_every_option_that_is_named_like_a_secret_or_an_address_hides_its_value():
    found = discover()
    classes = {
        f"{kind}.{name}": options
        for kind in ("sources", "notifiers", "triggers")
        for name, options in getattr(found, kind).items()
    }
    classes |= {"web": Web, "ping": Ping}
    open_ones = [
        f"{where}.{name}"
        for where, options in classes.items()
        for name, field in options.model_fields.items()
        if (is_secret_name(name) or name in ("url", "webhook_url", "lookup", "env", "headers"))
        and not is_secret_type(field.annotation)
        and not refuses_secrets(field)
    ]
    assert open_ones == []


def refuses_secrets(field: Any) -> bool:
    """Whether an address that is shown to people is refused with a password or a parameter in it."""
    kind = TypeAdapter(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
    for url in ("https://u:CANARY@h/", "https://h/?token=CANARY"):
        with pytest.raises(ValidationError):
            kind.validate_python(url)
    return True


# --- the whole of it -------------------------------------------------------------------------------------------------

CANARIES = {
    "a database's password": "dbp-it's/CANARY@1",
    "a password among parameters": "par-CANARY-2",
    "a signing secret": "whsec_" + base64.b64encode(b"sign-CANARY-3-and-more").decode(),
    "a bot's token": "xoxb-CANARY-4",
    "a hook's path": "hook-CANARY-5",
    "the web token": "web-CANARY-6-0123456789",
    "the ping's path": "ping-CANARY-7",
    "a command's variable": "env-CANARY-8",
    "a secret file": "file-CANARY-9",
    "an environment variable": "osenv-CANARY-10",
    "a trigger's address": "trig-CANARY-11",
}
CONFIG = """\
store: sqlite:///monitor.db
web: {{host: 127.0.0.1, port: {port}, token: "{web}"}}
ping: {{url: "{receiver}/{ping}", every: 10s}}
models:
  churn:
    logs: {{url: sqlite:///logs.db, table: predictions, time: ts, id: id}}
    reference: {{file: reference.parquet, version: "7"}}
    schedule: {{every: 1d, delay: 1h, start: {start}}}
    retrain: {{mode: ask, cooldown: 0s, trigger: {{command: {{argv: ["{python}", -c, "import os; print(os.environ['KEY'])"], env: {{KEY: {env}}}}}}}}}
  away:
    logs: {{url: "postgresql+psycopg://u:{database}@127.0.0.1:1/db?sslpassword={parameter}", table: t, time: ts}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1d, start: {start}}}
    retrain: {{mode: ask, trigger: {{webhook: {{url: "http://127.0.0.1:1/{trigger}", secret: "{signing}"}}}}}}
notifiers:
  slack: {{slack: {{token: {token}, channel: {channel}, app_token: {app}, base_url: "{slack}"}}}}
  refused: {{slack: {{token: {bot}, channel: {channel}, base_url: "{slack}"}}}}
  hook: {{webhook: {{url: "{receiver}/{hook}", secret: "{signing}"}}}}
  gone: {{webhook: {{url: "http://127.0.0.1:1/${{SECRET}}", secret: "{signing}"}}}}
  filed: {{slack: {{webhook_url: "{receiver}/${{file:secret.txt}}"}}}}
  log: stdout
tick: 0.5s
"""


def forms(secret: str) -> set[bytes]:
    """The ways in which a secret may be written."""
    raw = secret.encode()
    return {
        raw, quote(secret, safe="").encode(), quote_plus(secret).encode(), base64.b64encode(raw), base64.urlsafe_b64encode(raw),
        raw.hex().encode(), repr(secret)[1:-1].encode(), json.dumps(secret)[1:-1].encode(), raw.replace(b"'", b"''"),
        raw.replace(b"'", b"&#39;"), raw.replace(b"'", b"\\'"),
    }  # fmt: skip


class Deployment:
    """A daemon with secrets everywhere, some of whose receivers and logs are away, and all that it leaves behind."""

    def __init__(self, folder: Path, slack: FakeSlack, receiver: FakeWebhook) -> None:
        self.folder, self.slack, self.receiver = folder, slack, receiver
        self.seen: dict[str, bytes] = {}
        start = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=6)
        self.port = _free_port()
        named = dict(zip(("database", "parameter", "signing", "bot", "hook", "web", "ping", "env", "file", "os", "trigger"),
                         CANARIES.values(), strict=True))  # fmt: skip
        text = CONFIG.format(
            **{**named, "database": quote(named["database"], safe="")}, start=start.date(), python=sys.executable, slack=slack.api,
            token=TOKEN, app=APP_TOKEN, channel=CHANNEL, receiver=receiver.url, port=self.port,
        )  # fmt: skip
        world(folder, 6, shift("age", 60, -10_000), text, start)
        (folder / "secret.txt").write_text(named["file"] + "\n")
        self.environ = {**os.environ, "SECRET": named["os"]}

    def monitor(self, *arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-c", "from monitor.cli import main; main()", *arguments],
            cwd=self.folder, env=self.environ, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        self.seen[" ".join(arguments)] = done.stdout + done.stderr

    def run(self) -> None:
        """Run the daemon until it has told what it has to tell, and press what can be pressed."""
        out, err = (self.folder / "out.log").open("wb"), (self.folder / "err.log").open("wb")
        command = [sys.executable, "-c", "from monitor.cli import main; main()", "run"]
        with out, err, subprocess.Popen(command, cwd=self.folder, env=self.environ, stdout=out, stderr=err) as daemon:
            try:
                self._until(
                    lambda: daemon.poll() is not None or (self.slack.posts and b"window.failed" in self.log), 60
                )
                assert daemon.poll() is None, self.log.decode()[-3000:]
                self.monitor("retrain", "churn", "--reason", "a test")
                self.monitor("retrain", "away", "--reason", "a test")
                self._until(lambda: list(self.folder.glob(".leeway-retrains/*/result.json")), 20)
                for path in ("/healthz", "/readyz", "/metrics", "/none?token=x"):
                    self._ask(path, {})
                    self._ask(path, {"Authorization": f"Bearer {CANARIES['the web token']}"})
                self._processes(daemon.pid)
                time.sleep(1)
            finally:
                daemon.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    daemon.wait(20)
                daemon.kill()

    @property
    def log(self) -> bytes:
        return (self.folder / "err.log").read_bytes()

    def _until(self, true, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, self.log.decode()[-3000:]
            time.sleep(0.2)

    def _ask(self, path: str, headers: dict[str, str]) -> None:
        key = f"{path} {'with' if headers else 'without'} a token"
        try:
            with urlopen(Request(f"http://127.0.0.1:{self.port}{path}", headers=headers), timeout=10) as answer:
                self.seen[key] = answer.read() + str(answer.headers).encode()
        except OSError as error:
            self.seen[key] = getattr(error, "read", lambda: b"")() + str(error).encode()

    def _processes(self, pid: int) -> None:
        for path in [Path(f"/proc/{pid}/cmdline"), *Path(f"/proc/{pid}/task").glob("*/children")]:
            with suppress(OSError):
                self.seen[str(path)] = path.read_bytes()

    def gathered(self) -> dict[str, bytes]:
        """Every byte that is left: what was said, written and sent."""
        left = {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name not in ("config.yaml", "secret.txt")
        }
        sent = {f"to Slack {place}": json.dumps(call).encode() for place, call in enumerate(self.slack.calls)}
        bodies = {f"to a receiver {place}": request.body for place, request in enumerate(self.receiver.requests)}
        return {**self.seen, **left, **sent, **bodies}


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_no_secret_of_a_configuration_comes_out_anywhere(tmp_path):
    with FakeSlack() as slack, FakeWebhook() as receiver:
        house = Deployment(tmp_path, slack, receiver)
        house.run()
        for arguments in (
            ["config", "show"], ["config", "check", "--connect"], ["config", "check", "--connect", "--json"], ["status"], ["status", "--json"],
            ["incidents", "--json"], ["check", "away"], ["check", "churn", "--json"], ["report", "-o", "report.html"], ["retrains", "--json"],
            ["outbox", "--json"], ["reference", "list", "--json"], ["migrate", "--json"],
        ):  # fmt: skip
            house.monitor(*arguments)
        everything = house.gathered()
    assert b"u:********@127.0.0.1:1" in house.log
    assert any(request.path.endswith(CANARIES["a hook's path"]) for request in receiver.requests), "the hook was told"
    assert any(CANARIES["the ping's path"] in request.path for request in receiver.requests), "the switch was fed"
    assert any(name.startswith(".leeway-retrains") for name in everything), "the command has run"
    leaks = sorted(
        (name, where)
        for name, secret in CANARIES.items()
        for where, content in everything.items()
        if any(form in content for form in forms(secret)) and not _own_output(name, where)
    )
    assert leaks == []


def _own_output(name: str, where: str) -> bool:
    """What a command prints of its own variable stands in its own output, which nobody but the owner may read."""
    return name == "a command's variable" and where.startswith(".leeway-retrains") and where.endswith("output.log")


def test_a_crash_of_the_daemon_shows_neither_variables_nor_passwords():
    import structlog

    secret = SecretStr("CANARY")
    with capture_logs() as lines:
        try:
            raise RuntimeError(f"postgresql://u:CANARY@h {secret}")
        except RuntimeError:
            structlog.get_logger("monitor.test").exception("work.crashed", options=secret)
    assert "CANARY" not in hide_passwords(str(lines))
