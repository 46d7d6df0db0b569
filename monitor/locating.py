"""Where a change is: the segment that carries it, found in the samples of the windows since it began."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import sqlalchemy as sa

from checks.profile import Bins
from checks.segments import carrier
from monitor.core.evaluation import Evaluation, Subject
from monitor.core.lifecycle import Cause
from monitor.core.window import Window
from monitor.store import references as reference_rows
from monitor.store import runs as run_rows
from monitor.watch import Watch

LOCATED = 3  # columns of a cause whose segment is looked for
ALL_ROWS = "no segment stands out"


def located(
    connection: sa.Connection, watch: Watch, subject: Subject, window: Window, sample: pa.Table, found: Evaluation
) -> Evaluation:
    """Return an evaluation whose new causes say which rows they are in; as it is where nothing new began."""
    if not any(_asked(cause) for cause in found.causes):
        return found
    reference = reference_rows.sample_of(connection, watch.name, subject.reference.id)
    causes = []
    for cause in found.causes:
        if not _asked(cause):
            causes.append(cause)
            continue
        assert cause.onset is not None
        samples = [*run_rows.samples_between(connection, watch.name, cause.onset, window.start), sample]
        words = _words(watch, reference, samples, subject.reference.bins, cause)
        causes.append(replace(cause, group=replace(cause.group, words=f"{cause.group.words}; {words}")))
    return replace(found, causes=tuple(causes))


def _asked(cause: Cause) -> bool:
    return cause.fresh and cause.onset is not None and bool(cause.group.columns)


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
