"""Where a change is: the segment that carries it, found in the samples of the windows since it began."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import sqlalchemy as sa

from checks.diagnosing import WORLD_CHANGE
from checks.profile import Bins
from checks.segments import carrier
from monitor.core.evaluation import Evaluation, Subject
from monitor.core.incident import Incident, State
from monitor.core.lifecycle import Cause
from monitor.core.window import Window
from monitor.store import references as reference_rows
from monitor.store.shelf import Shelf
from monitor.watch import Watch

LOCATED = 3  # columns of a cause whose segment is looked for
ALL_ROWS = "no segment stands out"


def located(
    connection: sa.Connection,
    shelf: Shelf,
    watch: Watch,
    subject: Subject,
    window: Window,
    sample: pa.Table,
    found: Evaluation,
    opened: Sequence[Incident],
) -> Evaluation:
    """Return an evaluation whose new causes say which rows they are in; as it is where nothing new began.

    Parameters
    ----------
    opened : the model's open incidents. What one of them has told already is not looked for again.
    """
    asked = [_asked(cause, opened) for cause in found.causes]
    if not any(asked):
        return found
    reference = reference_rows.sample_of(connection, watch.name, subject.reference.id)
    causes = []
    for cause, wanted in zip(found.causes, asked, strict=True):
        if not wanted:
            causes.append(cause)
            continue
        assert cause.onset is not None
        samples = [*shelf.samples(connection, watch.name, cause.onset, window.start), sample]
        words = _words(watch, reference, samples, subject.reference.bins, cause)
        causes.append(replace(cause, group=replace(cause.group, words=f"{cause.group.words}; {words}")))
    return replace(found, causes=tuple(causes))


def _asked(cause: Cause, opened: Sequence[Incident]) -> bool:
    new = cause.fresh and cause.onset is not None and bool(cause.group.columns)
    return new and not any(_told(incident, cause) for incident in opened)


def _told(incident: Incident, cause: Cause) -> bool:
    """Whether an incident goes on as it was with a cause: neither of another fault nor of further columns."""
    if incident.state is not State.FIRING or WORLD_CHANGE in (incident.fault, cause.group.fault):
        return False  # the words of a change of the world are those of all its columns together
    return incident.fault == cause.group.fault and set(cause.group.columns) <= set(incident.columns)


def _words(
    watch: Watch, reference: pa.Table, samples: Sequence[pa.Table], bins: Mapping[str, Bins], cause: Cause
) -> str:
    time = getattr(watch.model.logs, "time", None)
    for item in cause.evidence[:LOCATED]:
        if item.column is None:
            continue
        found = carrier(
            reference,
            samples,
            item.column,
            bins,
            configured=watch.model.columns.segments,
            aspects=("nulls",) if item.check == "null_rate" else ("values",),
            time=time if time in reference.column_names else None,
        )
        if found is not None:
            return found.words if len(cause.group.columns) == 1 else f"{item.column}: {found.words}"
    return ALL_ROWS
