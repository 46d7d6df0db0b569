"""Where a model stands with its budget: what the store knows of the replay, the notifications and the evidence."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from monitor.core.sight import wandering
from monitor.core.signal import learn
from monitor.core.spending import PERIOD, Spending, nearest, spending
from monitor.core.window import Window, iso
from monitor.store import evidence as evidence_rows
from monitor.store import incidents as incident_rows
from monitor.store import references as reference_rows
from monitor.store import runs as run_rows
from monitor.store.runs import Run
from monitor.watch import Watch


@dataclass(frozen=True)
class Standing:
    """A model's budget at a moment.

    Parameters
    ----------
    spending : see :class:`monitor.core.spending.Spending`.
    until : end of the 30 days that ``spending.sent`` counts.
    nearest : the columns closest to an alarm, each with the share of its price that it holds.
    timed : whether the reference says how much windows vary; None without a reference.
    unfit : columns that the reference itself would set off at any price, so that nothing is concluded of them.
    wandering : columns whose level drifts in the reference itself; None where that was not asked.
    """

    spending: Spending
    until: datetime
    nearest: tuple[tuple[str, float], ...]
    timed: bool | None
    unfit: tuple[str, ...] = ()
    wandering: tuple[str, ...] | None = None

    @property
    def note(self) -> str:
        """What is odd about the reference, in words; empty where nothing is."""
        if self.timed is False:
            return "learning normal variation: the reference has no times"
        unfit = f"not judged: {', '.join(self.unfit)}" if self.unfit else ""
        moving = f"the reference wanders in {', '.join(self.wandering)}" if self.wandering else ""
        return "; ".join(filter(None, (unfit, moving)))

    def as_json(self) -> dict[str, Any]:
        """Return the contract's JSON object."""
        return {
            **self.spending.as_json(),
            "until": iso(self.until),
            "nearest": [{"column": column, "evidence": share} for column, share in self.nearest],
            "timed": self.timed,
            "unfit": list(self.unfit),
            "wandering": list(self.wandering) if self.wandering is not None else None,
        }


def standing(
    connection: sa.Connection, watch: Watch, newest: Run | None, now: datetime, *, closely: bool = False
) -> Standing:
    """Return where a model stands.

    Parameters
    ----------
    newest : the run of its newest window; what was told is counted until then, so that a log of the past counts too.
    closely : whether to learn from the reference again which columns wander; that takes a second.
    """
    until = newest.finished_at if newest is not None and newest.finished_at is not None else now
    told = incident_rows.fired(connection, watch.name, Window(until - PERIOD, until))
    reference_id = newest.reference_id if newest is not None else None
    audit = evidence_rows.audit_of(connection, watch.audit_key(reference_id)) if reference_id else None
    findings = run_rows.findings_of(connection, [newest.id]) if newest is not None else []
    timed = reference_rows.has_blocks(connection, watch.name, reference_id) if reference_id else None
    wanders = None
    if closely and reference_id and timed and audit is not None:
        reference = reference_rows.find(connection, watch.name, reference_id)
        wanders = wandering(learn(reference, watch.plan, watch.rhythm, watch.terms, audit))
    return Standing(
        spending(watch.rate, audit, (incident for _, incident in told)),
        until,
        tuple(nearest(findings)),
        timed,
        audit.unfit if audit is not None else (),
        wanders,
    )
