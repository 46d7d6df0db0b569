"""What a replay remembers of one model, in memory: nothing is encoded and written that nobody reads afterwards."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pyarrow as pa
import sqlalchemy as sa

from checks.evidence import Detector
from checks.profile import Volume
from monitor.core.alarms import Past
from monitor.core.memory import Memory
from monitor.store.shelf import Keep, Shelf, Shown

MOST_PROFILES = 20_000  # of columns; 100 columns over 200 windows take some 100 MB
MOST_SAMPLED = 200 << 20  # bytes of all samples together


@dataclass(eq=False)
class Remembered(Shelf):
    """Windows in the order in which they are replayed; where they are too many to hold, the store has them.

    Parameters
    ----------
    windows : that will be replayed.
    timed : tells whether the reference has time. One without learns from the log's own windows in the store.
    held : what they showed so far.
    """

    windows: int
    timed: Callable[[], bool]
    held: list[Shown] = field(default_factory=list)

    def keeping(self, shown: Shown) -> Keep:
        """Return what keeps a window; of its findings nothing is kept, for the replay hands them on."""
        if self.held or self._room(shown):
            known = replace(shown, findings=())
            return lambda _connection, _run_id: self.held.append(known)
        return super().keeping(shown)

    def _room(self, first: Shown) -> bool:
        profiles, sampled = len(first.reading.profile.columns), first.reading.sample.nbytes
        few = self.windows * profiles <= MOST_PROFILES and self.windows * sampled <= MOST_SAMPLED
        return few and self.timed()

    def memory(
        self, connection: sa.Connection, model: str, key: str, moment: datetime, detector: Detector
    ) -> Memory | None:
        """Return evidence and alarms after the last window."""
        return self.held[-1].memory if self.held else super().memory(connection, model, key, moment, detector)

    def volumes(self, connection: sa.Connection, model: str, before: datetime, limit: int) -> tuple[Volume, ...]:
        """Return how many rows the last windows had, oldest first."""
        if not self.held:
            return super().volumes(connection, model, before, limit)
        return tuple(map(_volume, self.held[-limit:]))

    def past(self, connection: sa.Connection, model: str, reference_id: str, before: datetime) -> Past:
        """Return what gives the windows so far with their profiles."""
        if not self.held:
            return super().past(connection, model, reference_id, before)
        return lambda since: [(s.window, s.reading.profile) for s in self.held if s.window.start >= since]

    def samples(self, connection: sa.Connection, model: str, since: datetime, before: datetime) -> list[pa.Table]:
        """Return the samples of the windows from a moment on, oldest first, without those that have none."""
        if not self.held:
            return super().samples(connection, model, since, before)
        found = (shown.reading.sample for shown in self.held if shown.window.start >= since)
        return [sample for sample in found if sample.num_rows]


def _volume(shown: Shown) -> Volume:
    """Return a window's rows; its last event to the microsecond, as a store has it."""
    last = shown.reading.profile.last_event
    return Volume(
        shown.window.start.timestamp(),
        shown.window.end.timestamp(),
        shown.reading.profile.rows,
        datetime.fromtimestamp(last, UTC).timestamp() if last is not None else None,
    )
