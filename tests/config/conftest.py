"""Extensions and checks of these tests' own, so that they do not depend on which ones are installed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import Field, SecretStr

from checks.catalogue import Entry
from monitor.config.errors import ConfigError
from monitor.config.extensions import Extensions
from monitor.config.models import Config
from monitor.config.reading import read_text
from monitor.options import DatabaseUrl, Duration, FilePath, Options, TimeZone


class Sql(Options):
    """A table in a database."""

    url: DatabaseUrl
    """Where the database is."""
    time: str
    """Column with the time."""
    table: str | None = None
    """The table."""
    id: str | None = None
    """Column that names a row."""
    timezone: TimeZone = "UTC"
    """Zone of times that name none."""


class Parquet(Options):
    """Files."""

    path: FilePath
    """Where the files are."""
    time: str
    """Column with the time."""


class Slack(Options):
    """A channel in Slack."""

    token: SecretStr
    """The bot's token."""
    channel: str
    """Where to."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Further headers."""
    timeout: Duration | None = None
    """How long to wait."""


class Stdout(Options):
    """The terminal."""


class Command(Options):
    """A command."""

    argv: tuple[str, ...]
    """The command and its arguments."""
    timeout: Duration | None = None
    """How long it may run."""


@dataclass(frozen=True)
class Ks:
    """The largest gap.

    Parameters
    ----------
    tolerance : share of rows.
    edges : number of edges.

    Configuration
    -------------
    ::

        - ks: {tolerance: 0.1}

    References
    ----------
    Smirnov.
    """

    kinds: ClassVar[frozenset[str]] = frozenset({"numeric", "text"})
    default_for: ClassVar[frozenset[str]] = frozenset({"numeric"})
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.1
    edges: int = 32

    def __post_init__(self) -> None:
        if self.edges < 2:
            raise ValueError("edges must be at least 2")

    def measure(self, reference: Any, current: Any) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Psi(Ks):
    """The stability index."""

    default_for: ClassVar[frozenset[str]] = frozenset()


@dataclass(frozen=True)
class RowCount:
    """The number of rows."""

    default: ClassVar[bool] = True
    unit: ClassVar[str] = "ratio"
    fatal: ClassVar[bool] = True

    tolerance: float = 0.5

    def measure_table(self, reference: Any, current: Any) -> Any:
        raise NotImplementedError


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
