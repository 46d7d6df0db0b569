"""Tests against real orchestrators: ``python -m tests.orchestrators.install prefect``, then ``pytest tests/orchestrators -n0``."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.orchestrators.install import environment
from tests.orchestrators.processes import Processes

_seen: list[str] = []


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., tuple[Processes, Path, Path]]]:
    """Make room for a server; it is ended with the module. Gives its processes, its folder and its programs."""
    made: list[tuple[str, Processes]] = []

    def make(name: str, **environ: str) -> tuple[Processes, Path, Path]:
        if "PYTEST_XDIST_WORKER" in os.environ:
            pytest.skip("servers are started once, by one process: pytest tests/orchestrators -n0")
        programs = environment(name)
        if programs is None:
            pytest.skip(f"{name} is not installed: python -m tests.orchestrators.install {name}")
        folder = tmp_path_factory.mktemp(name)
        path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
        processes = Processes(folder, {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **environ})
        made.append((name, processes))
        return processes, folder, programs

    yield make
    for name, processes in made:
        processes.__exit__()
        _seen.append(f"{name}: up in {processes.up_after:.0f} s, {processes.most_memory / 1e6:,.0f} MB at the end")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what the servers took."""
    for line in _seen:
        terminalreporter.write_line(line)
