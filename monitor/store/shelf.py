"""Where a cycle keeps what a window showed, and looks up what those before it showed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import sqlalchemy as sa

from checks.evidence import Detector
from checks.profile import Profile, Volume
from monitor.core.alarms import Decided, Past
from monitor.core.finding import Finding
from monitor.core.memory import Memory, decode
from monitor.core.ports import Reading
from monitor.core.window import Window
from monitor.store import evidence as evidence_rows
from monitor.store import runs as run_rows
from monitor.store.evidence import Kept

Keep = Callable[[sa.Connection, int], None]  # in this transaction, as what that run showed


@dataclass(frozen=True, eq=False)
class Shown:
    """What one window showed.

    Parameters
    ----------
    key : what the evidence belongs to.
    decided : by people, before the window.
    memory : evidence and alarms after it.
    """

    window: Window
    reading: Reading
    findings: Sequence[Finding]
    key: str
    decided: Decided
    memory: Memory


class Shelf:
    """In the store: it lasts, and every process sees it."""

    def keeping(self, shown: Shown) -> Keep:
        """Return what keeps a window in a transaction; all that can be done before it begins is done now."""
        found = run_rows.Found.packed(shown.reading.profile, shown.reading.sample, shown.findings)
        kept = Kept(shown.key, shown.decided, shown.memory.encode())

        def keep(connection: sa.Connection, run_id: int) -> None:
            run_rows.keep(connection, run_id, found)
            evidence_rows.keep(connection, run_id, kept)

        return keep

    def memory(
        self, connection: sa.Connection, model: str, key: str, moment: datetime, detector: Detector
    ) -> Memory | None:
        """Return evidence and alarms after the newest window that ended by a moment; None where there are none."""
        body = evidence_rows.before(connection, model, key, moment)
        return decode(body, detector) if body else None

    def volumes(self, connection: sa.Connection, model: str, before: datetime, limit: int) -> tuple[Volume, ...]:
        """Return how many rows the windows before a moment had, oldest first."""
        return run_rows.volumes(connection, model, before, limit)

    def past(self, connection: sa.Connection, model: str, reference_id: str, before: datetime) -> Past:
        """Return what gives the windows before a moment with their profiles; what was read once is not read again."""
        read: dict[datetime, list[tuple[Window, Profile]]] = {}

        def past(since: datetime) -> Sequence[tuple[Window, Profile]]:
            widest = min(read, default=None)
            if widest is None or since < widest:
                read[since] = run_rows.profiles_between(connection, model, reference_id, since, before)
                return read[since]
            return [(window, profile) for window, profile in read[widest] if window.start >= since]

        return past

    def samples(self, connection: sa.Connection, model: str, since: datetime, before: datetime) -> list[pa.Table]:
        """Return the samples of the windows in ``[since, before)``, oldest first, without those that kept none."""
        return run_rows.samples_between(connection, model, since, before)
