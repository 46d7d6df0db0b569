"""What leaves the machine: to whom the configuration names, once, signed, and to nobody whom an answer names."""

import base64
import json
import os
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from monitor.core.notice import Attempt, Delivered
from monitor.notifiers.slack import Slack
from monitor.notifiers.webhook import Webhook
from monitor.options import HIDDEN
from monitor.outbound import exchange
from monitor.testing import FakeSlack, FakeWebhook
from monitor.testing.slack import TOKEN
from monitor.testing.webhook import Answer, Received
from monitor.triggers.webhook import Webhook as Retraining
from tests.notifiers.notice_factory import notice
from tests.triggers.retrain_factory import asked
from tests.worlds import world

SECRET = "whsec_" + base64.b64encode(b"sixteen-bytes-and-more").decode()


# --- redirects -------------------------------------------------------------------------------------------------------


@pytest.fixture
def elsewhere():
    """A server that an answer leads to, and nothing should reach."""
    with FakeWebhook() as server:
        yield server


@pytest.fixture(params=[301, 302, 303, 307, 308])
def leading(request, elsewhere):
    """A server that leads elsewhere."""
    with FakeWebhook(usual=Answer(request.param, {"Location": f"{elsewhere.url}/taken"})) as server:
        yield server


def test_a_bots_token_is_not_taken_to_where_a_redirect_leads(leading, elsewhere):
    slack = Slack(token=SecretStr(TOKEN), channel="C0123456789", base_url=f"{leading.url}/api/", timeout="5s")
    outcome = slack.send(Attempt(notice()))
    assert leading.requests[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert elsewhere.requests == []
    assert not isinstance(outcome, Delivered)
    assert TOKEN not in repr(outcome)


def test_an_app_level_token_is_not_taken_to_where_a_redirect_leads(leading, elsewhere):
    from monitor.core.errors import LeewayError

    slack = Slack(
        token=SecretStr(TOKEN), app_token=SecretStr("xapp-1"), channel="C0123456789", base_url=f"{leading.url}/api/"
    )
    with pytest.raises(LeewayError):
        slack.probe()
    assert elsewhere.requests == []


def test_an_event_and_its_signature_are_not_taken_to_where_a_redirect_leads(leading, elsewhere):
    Webhook(url=SecretStr(leading.url), secret=SecretStr(SECRET)).send(Attempt(notice()))
    Retraining(url=SecretStr(leading.url), secret=SecretStr(SECRET), lookup=SecretStr(f"{leading.url}/{{key}}")).fire(
        asked()
    )
    Slack(webhook_url=SecretStr(leading.url)).send(Attempt(notice()))
    assert leading.requests
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://h/x", "gopher://h", "data:,x", "http://", "http:///x", "https://u:p@h/"]
)
def test_an_address_is_http_and_holds_no_password(url):
    with pytest.raises(ValueError, match=r"an address"):
        Webhook(url=url)


def test_an_answer_without_an_end_is_cut_off():
    with FakeWebhook(usual=Answer(200, body="x" * 5_000_000)) as server:
        assert len(exchange(SecretStr(server.url), b"{}", {}, timeout=5).text) <= 2 * 65_536


# --- signatures ------------------------------------------------------------------------------------------------------


@pytest.fixture
def received():
    with FakeWebhook() as server:
        Webhook(url=SecretStr(server.url), secret=SecretStr(SECRET)).send(Attempt(notice()))
        yield server.requests[0]


@pytest.mark.parametrize("part", ["body", "id", "time", "signature", "none"])
def test_an_event_that_was_changed_on_its_way_does_not_verify(received: Received, part):
    headers, body = dict(received.headers), received.body
    if part == "body":
        body = body.replace(b"firing", b"resolved")
    elif part == "id":
        headers["webhook-id"] += "2"
    elif part == "time":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 60)
    elif part == "signature":
        headers["webhook-signature"] = "v1," + base64.b64encode(bytes(32)).decode()
    else:
        del headers["webhook-signature"]
    assert received.signed_with(SECRET)
    assert not replace(received, headers=headers, body=body).signed_with(SECRET)


def test_an_event_that_is_sent_again_by_somebody_else_is_known_by_its_id_and_time(received: Received):
    assert abs(int(received.headers["webhook-timestamp"]) - time.time()) < 60
    assert received.json["id"] == received.headers["webhook-id"]
    with FakeWebhook() as server:
        for _ in range(3):
            exchange(SecretStr(server.url), received.body, dict(received.headers), timeout=5)
        assert len(server.accepted) == 1


def test_a_header_cannot_be_broken_by_a_key(elsewhere):
    Webhook(url=SecretStr(elsewhere.url), secret=SecretStr(SECRET)).send(Attempt(notice(key="a\r\nX-Evil: 1\n\n{}é")))
    (request,) = elsewhere.requests
    assert "x-evil" not in request.headers


# --- nobody else -----------------------------------------------------------------------------------------------------

WATCHING = textwrap.dedent(
    """
    import json, sys
    reached, allowed = [], set(json.loads(sys.argv[1]))

    def watch(event, arguments):
        if event == "socket.connect":
            address = arguments[1]
            if isinstance(address, tuple) and address[0] not in ("127.0.0.1", "::1"):
                reached.append(f"connect {address}")
            elif isinstance(address, tuple) and address[1] not in allowed:
                reached.append(f"connect {address}")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.gethostbyaddr"):
            host = arguments[0] if event != "socket.sendto" else arguments[1]
            if host not in ("127.0.0.1", "localhost", None, b"127.0.0.1"):
                reached.append(f"{event} {host}")
        elif event == "urllib.Request" and "127.0.0.1" not in str(arguments[0]):
            reached.append(f"{event} {arguments[0]}")

    sys.addaudithook(watch)
    code = 0
    try:
        from monitor.cli import main
        main(sys.argv[2:])
    except SystemExit as ended:
        code = ended.code
    finally:
        with open("reached.json", "a") as out:
            out.write(json.dumps([sys.argv[2:], reached]) + "\\n")
    sys.exit(code)
    """
)


def denied() -> list[str]:
    """The command that takes the network from what follows, where this machine lets us; else nothing."""
    asked_ = ["unshare", "--user", "--map-root-user", "--net"] if os.getuid() else ["unshare", "--net"]
    up = ["sh", "-c", 'ip link set lo up 2>/dev/null || true; exec "$@"', "sh"]
    try:
        works = subprocess.run([*asked_, "true"], capture_output=True, check=False, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        works = False
    return [*asked_, *up] if works else []


class Offline:
    """Runs commands in a folder, without a network where that can be had, and notes whom they tried to reach."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.prefix = folder, denied()

    def __call__(self, *arguments: str, seconds: float = 120, code: tuple[int, ...] = (0, 1)) -> str:
        done = subprocess.run(
            [*self.prefix, sys.executable, "-c", WATCHING, "[]", *arguments],
            cwd=self.folder, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        assert done.returncode in code, done.stderr[-3000:]
        return done.stdout

    @property
    def reached(self) -> list[object]:
        lines = (self.folder / "reached.json").read_text().splitlines()
        assert lines
        return [line for line in map(json.loads, lines) if line[1]]


@pytest.fixture
def offline(tmp_path):
    world(tmp_path, 4)
    return Offline(tmp_path)


def test_a_call_that_is_tried_is_noticed(tmp_path):
    if not denied():
        pytest.skip("the network cannot be taken from a process here")
    program = WATCHING.replace("from monitor.cli import main\n        main(sys.argv[2:])", "import socket\n        socket.getaddrinfo('leeway.invalid', 80)").replace("from monitor.cli import main\n    main(sys.argv[2:])", "import socket\n    socket.getaddrinfo('leeway.invalid', 80)")  # fmt: skip
    subprocess.run(
        [*denied(), sys.executable, "-c", program, "[]"], cwd=tmp_path, capture_output=True, timeout=60, check=False
    )
    assert json.loads((tmp_path / "reached.json").read_text())[1] == ["socket.getaddrinfo leeway.invalid"]


@pytest.mark.slow
def test_no_command_calls_anybody_whom_the_configuration_does_not_name(offline):
    offline("config", "check", "--connect")
    offline("check", "--window", "2026-01-05/2026-01-06")
    offline("backtest", "--from", "2026-01-05", "--to", "2026-01-08", "--no-plant", "-o", "backtest.html")
    offline("status")
    offline("reference", "list")
    assert offline.reached == []


@pytest.mark.slow
def test_the_daemon_calls_nobody_whom_the_configuration_does_not_name(offline):
    """Some rounds with a receiver, a canary and the web port: nothing is tried but this machine."""
    rounds = textwrap.dedent(
        """
        import threading, time, os, signal
        def stop():
            time.sleep(8)
            os.kill(os.getpid(), signal.SIGTERM)
        threading.Thread(target=stop, daemon=True).start()
        """
    )
    text = (offline.folder / "config.yaml").read_text()
    (offline.folder / "config.yaml").write_text(text + "web: {host: 127.0.0.1, port: 0}\n")
    done = subprocess.run(
        [*offline.prefix, sys.executable, "-c", rounds + WATCHING, "[]", "run"],
        cwd=offline.folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "daemon.started" in done.stderr
    assert "daemon.stopped" in done.stderr
    assert offline.reached == []
    offline("report", "-o", "report.html", code=(0, 2))
    assert offline.reached == []


@pytest.mark.slow
def test_the_demo_calls_nobody(offline):
    offline("demo", "--dir", "demo", seconds=280)
    assert offline.reached == []
    assert (offline.folder / "demo" / "report.html").is_file()


def test_evidently_is_told_to_report_to_nobody_before_it_is_imported():
    from monitor.report.evidently import QUIET

    assert QUIET["DO_NOT_TRACK"] == "1"
    assert QUIET["ITERATIVE_DO_NOT_TRACK"] == "1"


@pytest.mark.slow
def test_evidentlys_engine_calls_nobody(tmp_path):
    """Its worker under the same watch, in a process without a network."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name in ("reference", "current"):
        pq.write_table(
            pa.table({"x": [float(place % 9) for place in range(50)], "k": ["a", "b"] * 25}),
            tmp_path / f"{name}.parquet",
        )
    (tmp_path / "roles.json").write_text(json.dumps({"numeric": ["x"], "categorical": ["k"], "datetime": []}))
    program = WATCHING.replace("from monitor.cli import main\n        main(sys.argv[2:])", "from pathlib import Path\n        from monitor.report._evidently_worker import main\n        main(Path('.'))").replace("from monitor.cli import main\n    main(sys.argv[2:])", "from pathlib import Path\n    from monitor.report._evidently_worker import main\n    main(Path('.'))")  # fmt: skip
    from monitor.report.evidently import QUIET

    done = subprocess.run(
        [*denied(), sys.executable, "-c", program, "[]"], cwd=tmp_path, env={**os.environ, **QUIET}, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert (tmp_path / "page.html").is_file()
    assert json.loads((tmp_path / "reached.json").read_text())[1] == []


def test_the_fake_servers_of_tests_listen_on_this_machine_alone():
    with FakeSlack() as slack, FakeWebhook() as hook:
        assert slack.url.startswith("http://127.0.0.1:")
        assert hook.url.startswith("http://127.0.0.1:")
    assert HIDDEN
