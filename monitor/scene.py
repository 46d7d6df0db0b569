"""Where a step of an incident happens: its model, its window, and what that was judged against."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from monitor.core.labels import Fresh
from monitor.core.reference import Reference
from monitor.core.window import Window
from monitor.store import references as reference_rows
from monitor.store import runs as run_rows
from monitor.watch import Watch


@dataclass(frozen=True)
class Scene:
    """Where a step happened; ``reference`` and ``window`` are None where there is none.

    ``labelled`` are the predictions with a label that no model has learnt from; None where nobody has counted them.
    ``version`` is the one that served.
    """

    watch: Watch
    reference: Reference | None
    window: Window | None
    rows: int
    now: datetime
    labelled: Fresh | None = None
    version: str | None = None

    @property
    def served(self) -> str | None:
        """The version that people are told: that which served, or else that which the reference is of."""
        return self.version or (self.reference.version if self.reference is not None else None)


def scene_now(connection: sa.Connection, watch: Watch, now: datetime) -> Scene:
    """Return the scene of something that happens between windows: the model's newest window and its reference."""
    run = run_rows.newest(connection, watch.name)
    if run is None or run.reference_id is None:
        return Scene(watch, None, None, 0, now)
    reference = reference_rows.find(connection, watch.name, run.reference_id)
    return Scene(watch, reference, run.window, run.rows or 0, now, version=run.served.version)
