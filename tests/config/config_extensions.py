"""Extensions and checks of these tests' own, so that they do not depend on which ones are installed."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, SecretStr

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
