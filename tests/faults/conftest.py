"""What the fault suite shares: the template of its simulations, built once a worker, in memory where that is possible."""

import itertools
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copy
from typing import Any

import psycopg
import pytest

from monitor.store.schema import open_store
from monitor.testing.webhook import FakeWebhook
from tests.faults.deployment import Deployment, World, world
from tests.faults.gathering import digests_of
from tests.faults.history import violations
from tests.faults.house import Template, template
from tests.faults.nursery import Nursery
from tests.faults.receivers import ToldSlack
from tests.faults.simulation import Simulation

_numbers = itertools.count()
LONG = os.environ.get("LEEWAY_FAULTS") == "all"


@pytest.fixture(scope="session")
def house() -> Iterator[Template]:
    """A template whose windows are given up after three days."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        built = template(Path(folder), catch_up="3d")
        with Simulation(built, 1) as simulation:
            simulation.heal()
            history = simulation.history()
        assert violations(history) == []
        built.undisturbed.update(digests_of(history))
        yield built


@pytest.fixture(scope="session")
def built_world() -> Iterator[World]:
    """The log and the reference of all deployments of real processes."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield world(Path(folder))


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where processes come from."""
    with Nursery() as ready:
        yield ready


@pytest.fixture(scope="session")
def learnt_database(postgres_server: Any, built_world: World, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database in PostgreSQL that has learnt what the reference teaches, to be copied."""
    with psycopg.connect(postgres_server.get_uri(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE learnt")
    url = postgres_server.get_uri(database="learnt", driver="psycopg")
    folder = tmp_path_factory.mktemp("learnt")
    store = open_store(url)
    built_world.prepare(store, built_world.config(url, built_world.folder / "logs.db", folder, "  log: stdout\n"))
    store.close()
    return "learnt"


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Make a store of one kind that has learnt; return its address."""

    def make(kind: str) -> str:
        built = request.getfixturevalue("built_world")
        if kind == "sqlite":
            copy(built.folder / "monitor.db", tmp_path / "monitor.db")
            return f"sqlite:///{tmp_path}/monitor.db"
        server, learnt = request.getfixturevalue("postgres_server"), request.getfixturevalue("learnt_database")
        name = f"faults_{next(_numbers)}"
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{learnt}"')
        return str(server.get_uri(database=name, driver="psycopg"))

    return make


@pytest.fixture
def deploy(
    built_world: World, nursery: Nursery, tmp_path: Path, store_url: Callable[[str], str]
) -> Iterator[Callable[..., Deployment]]:
    """Make deployments, whose processes are ended whatever happens."""
    with ToldSlack() as slack, FakeWebhook() as hook:
        made: list[Deployment] = []

        def make(kind: str, url: str | None = None, **more: Any) -> Deployment:
            made.append(Deployment(built_world, nursery, tmp_path, url or store_url(kind), slack, hook, **more))
            return made[-1]

        yield make
        for one in made:
            for process in one.processes:
                process.kill()
            one.store.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how much was tried; each of these was looked at by the checker."""
    reports = [report for found in terminalreporter.stats.values() for report in found if hasattr(report, "when")]
    counts: Counter[str] = Counter()
    for report in reports:
        if report.when == "call":
            counts.update({name: value for name, value in report.user_properties if isinstance(value, int)})
    for name, count in counts.items():
        terminalreporter.write_line(f"{name}: {count}")
