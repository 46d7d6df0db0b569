"""Reading configurations with the extensions of these tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from config_extensions import Command, Ks, Parquet, Psi, RowCount, Slack, Sql, Stdout

from checks.catalogue import Entry
from monitor.config.errors import ConfigError
from monitor.config.extensions import Extensions
from monitor.config.models import Config
from monitor.config.reading import read_text


@pytest.fixture
def extensions() -> Extensions:
    checks = {"ks": Ks, "psi": Psi, "row_count": RowCount}
    return Extensions(
        sources={"parquet": Parquet, "sql": Sql},
        notifiers={"slack": Slack, "stdout": Stdout},
        triggers={"command": Command},
        checks={name: Entry(name, "drift", check) for name, check in checks.items()},
    )


@pytest.fixture
def read(extensions: Extensions, tmp_path: Path) -> Callable[..., Config]:
    """Reads a configuration; keyword arguments are environment variables."""
    return lambda text, **environ: read_text(text, folder=tmp_path, environ=environ, extensions=extensions)


@pytest.fixture
def report(read: Callable[..., Config]) -> Callable[..., str]:
    """The report on a wrong configuration."""

    def reported(text: str, **environ: str) -> str:
        with pytest.raises(ConfigError) as caught:
            read(text, **environ)
        return str(caught.value)

    return reported


@pytest.fixture
def model(report: Callable[..., str]) -> Callable[..., str]:
    """The report on a configuration whose model has one more line, or another log."""

    def reported(line: str, *, logs: str = "{url: 'sqlite:///logs.db', table: t, time: ts}", **environ: str) -> str:
        return report(f"models:\n  churn:\n    logs: {logs}\n    reference: r.csv\n    {line}\n", **environ)

    return reported
