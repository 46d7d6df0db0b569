"""Sampled rows with a fault put into a copy of them, one that a single window shows beyond doubt."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from checks.calibration import FEWEST_ROWS
from monitor.core.alarms import GROSS
from monitor.core.evaluation import Subject
from monitor.core.finding import Rule
from monitor.core.measuring import Question
from monitor.store import runs as run_rows
from monitor.store.runs import Run
from monitor.watch import Watch

RECEIVER = "canary"  # the test receiver, which alone is told
LOOKED_BACK = 10  # windows among which one that will do is sought
MOST_ROWS = 2_000  # drawn by their hash, so that any of them are as good as all
_NEARLY_ALL = 0.95  # of the rows; a check that only more than that would breach cannot be counted on


@dataclass(frozen=True, eq=False)
class Sampled:
    """The sampled rows of one window that was judged as the configuration says today."""

    watch: Watch
    run: Run
    rows: pa.Table


@dataclass(frozen=True, eq=False)
class Broken:
    """Rows with a fault in one column: ``check`` must see it, and an incident must call it ``fault``."""

    column: str
    check: str
    fault: str
    rows: pa.Table


def sampled(connection: sa.Connection, watch: Watch) -> Sampled | None:
    """Return the newest window whose rows will do; None where the model has none yet.

    It must have been judged under today's configuration: what another one rests on may have to be learnt first.
    """
    for run in reversed(run_rows.listing(connection, watch.name, limit=LOOKED_BACK)):
        current = run.state == "done" and run.fingerprint == watch.fingerprint(run.reference_id or "")
        if not current or watch.rhythm.calendar.excluded(run.window) is not None:
            continue
        found = run_rows.samples_of(connection, [run.id])
        if found and found[0].num_rows >= FEWEST_ROWS:
            return Sampled(_harmless(watch, run.reference_id or ""), run, found[0].slice(0, MOST_ROWS))
    return None


def _harmless(watch: Watch, reference_id: str) -> Watch:
    """Return a watch that builds no reference, tells the test receiver alone, and retrains nothing."""
    reference = watch.model.reference.model_copy(update={"pin": reference_id})
    retrain = watch.model.retrain.model_copy(update={"mode": "off", "trigger": None})
    model = watch.model.model_copy(update={"reference": reference, "retrain": retrain})
    return replace(watch, receivers=(RECEIVER,), model=model)


def broken(given: Sampled, subject: Subject) -> Broken | None:
    """Return a copy of the rows with a fault that today's checks see in one window; None where none of them would."""
    logs = given.watch.model.logs
    spared = {getattr(logs, "time", None), getattr(logs, "id", None), *subject.muted}
    asked = {(question.column, question.planned.name): question for question in subject.questions}
    for check, fault, change in _FAULTS:
        able = [
            name
            for name in given.rows.column_names
            if name not in spared and (name, check) in asked and _shows(subject, asked[name, check])
        ]
        if able:
            column = able[crc32(str(given.run.window).encode()) % len(able)]  # another one in another window
            return Broken(column, check, fault, change(given.rows, column))
    return None


def _emptied(rows: pa.Table, column: str) -> pa.Table:
    return rows.set_column(rows.column_names.index(column), column, pa.nulls(rows.num_rows))


def _dropped(rows: pa.Table, column: str) -> pa.Table:
    return rows.drop_columns([column])


_FAULTS: tuple[tuple[str, str, Callable[[pa.Table, str], pa.Table]], ...] = (
    ("null_rate", "null_flood", _emptied),
    ("missing_column", "missing_column", _dropped),
)


def _shows(subject: Subject, question: Question) -> bool:
    """Whether a check breaches at once where every row of a column is broken."""
    key, signal = (question.column, question.planned.name), subject.signal
    if question.rule is Rule.THRESHOLD:
        return (question.planned.threshold or 0.0) < _NEARLY_ALL
    if question.rule is Rule.FACT:
        return question.check.tolerance + signal.usual.get(key, 0.0) < _NEARLY_ALL
    places = list(signal.places.get(key, ()))
    sure = (signal.worst[places] + GROSS < _NEARLY_ALL) & np.isfinite(signal.costs[places])
    return bool(places) and bool(np.all(sure))
