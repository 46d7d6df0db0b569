"""The ports: what the middle needs from the outside, in two or three methods each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from checks.profile import Bins, Profile
from monitor.core.notice import Attempt, Outcome
from monitor.core.retrain import Fired, RetrainRequest
from monitor.core.window import Window

if TYPE_CHECKING:
    import pyarrow as pa


class Clock(Protocol):
    """The only place that reads the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


@dataclass(frozen=True)
class Reading:
    """One pass over the rows of a window: their profile, and the sample for what needs rows."""

    profile: Profile
    sample: "pa.Table"


@dataclass(frozen=True)
class TableFacts:
    """What a source found out about its table: column name to type as the source says it, and warnings for people."""

    columns: Mapping[str, str]
    rows: int | None = None
    first_event: datetime | None = None
    last_event: datetime | None = None
    warnings: Sequence[str] = field(default_factory=tuple)
    reader: str = ""


class Source(Protocol):
    """Prediction logs, read only.

    Every method raises :class:`monitor.core.errors.UnavailableError` when the source cannot be reached for now, and
    :class:`monitor.core.errors.UserError` when its configuration does not fit what is there.
    """

    def batches(self, window: Window, columns: Sequence[str] | None = None) -> Iterator["pa.RecordBatch"]:
        """Stream the window's rows; the time column is a timestamp in UTC. Memory stays constant."""
        ...

    def read(self, window: Window, bins: Mapping[str, Bins], sample_rows: int) -> Reading:
        """Profile the window and sample ``sample_rows`` of its rows by a hash of their id, in one pass."""
        ...

    def facts(self) -> TableFacts:
        """Look at the table without reading it all: columns, types, extremes of the time, index, permissions."""
        ...


class Notifier(Protocol):
    """A channel to people. Never raises for what the receiver or the network does: it answers with an outcome."""

    def send(self, attempt: Attempt) -> Outcome:
        """Deliver one notice."""
        ...

    def probe(self) -> str:
        """Return in words whom a notice would reach; raise LeewayError with a remedy when it would reach nobody."""
        ...


class Trigger(Protocol):
    """The user's own way to retrain. The same key never starts a second run."""

    def fire(self, request: RetrainRequest, *, dry_run: bool = False) -> Fired:
        """Ask for a retraining; with ``dry_run`` only say what would be asked."""
        ...

    def find(self, request: RetrainRequest) -> Fired | None:
        """Look up what became of a request whose outcome is unknown; None when the receiver never saw it."""
        ...

    def probe(self) -> str:
        """Return in words what would run; raise LeewayError with a remedy when nothing would."""
        ...
