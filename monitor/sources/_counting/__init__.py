"""A window counted by its own database: few statements, whose answers are the profile that a stream would give."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from checks.instants import Form
from checks.profile import IDS_KEPT, Bins, ColumnProfile, Profile
from checks.sampling import cuts
from checks.sketch import ValueSketch
from monitor.core.window import Window
from monitor.sources._counting import here as here
from monitor.sources._counting import numbers as numbers
from monitor.sources._counting import rows as drawing
from monitor.sources._counting import wide as columnar
from monitor.sources._counting import words as words
from monitor.sources._counting.columns import Stored, micros, refusal, seconds, stored, value
from monitor.sources._counting.event import Event, event
from monitor.sources._counting.lateral import lateral
from monitor.sources._counting.sql import AsText, Digest
from monitor.sources._sql.relation import Relation

_AT_ONCE = 25  # columns of a statement: bounds the results of PostgreSQL
Rows = Callable[[Any], Iterable[tuple[Any, ...]]]


@dataclass(frozen=True)
class View:
    """A log as it is during one read, in its database.

    Parameters
    ----------
    dialect : of SQL; ``mysql`` for MariaDB, too.
    time, row_id : names of the columns.
    conditions : that rows must meet beside the window.
    answers : runs a statement.
    arrays : runs a statement of one column and a count, and gives the column as the stream would.
    batches : streams columns of rows that meet further conditions.
    """

    dialect: str
    relation: Relation
    event: Event
    time: str
    row_id: str | None
    conditions: tuple[Any, ...]
    answers: Rows
    arrays: Callable[[Any], Iterable[tuple[pa.Array, Sequence[int]]]]
    batches: Callable[[Sequence[str], Sequence[Any]], Iterator[pa.RecordBatch]]

    @property
    def id_column(self) -> Any:
        """The id, None where rows have none."""
        return None if self.row_id is None else sa.column(self.row_id)

    @property
    def rows(self) -> sa.Select[Any]:
        """The rows of the window."""
        return (
            sa.select(sa.literal_column("1"))
            .select_from(self.relation.source)
            .where(*self.event.inside, *self.conditions)
        )


@dataclass(frozen=True)
class Plan:
    """Which columns are counted, and which must be streamed, each with the reason."""

    counted: Mapping[str, Stored]
    streamed: Mapping[str, str]
    absent: frozenset[str] = frozenset()

    def streaming(self, names: Iterable[str], reason: str) -> "Plan":
        """Return this plan with some columns streamed."""
        moved = dict.fromkeys(names, reason)
        kept = {name: column for name, column in self.counted.items() if name not in moved}
        return replace(self, counted=kept, streamed={**self.streamed, **moved})


def plan(relation: Relation, bins: Mapping[str, Bins], dialect: str) -> Plan:
    """Return what can be said of columns before any row is looked at."""
    counted: dict[str, Stored] = {}
    streamed: dict[str, str] = {}
    for name in bins.keys() & set(relation.names):
        column = stored(relation, name, dialect)
        reason = column if isinstance(column, str) else refusal(column, bins[name])
        if reason is None and any(abs(edge) > numbers.HUGE for edge in bins[name].edges):
            reason = "its values are too large for sums"
        if isinstance(column, str) or reason is not None:
            streamed[name] = str(reason)
        else:
            counted[name] = column
    return Plan(counted, streamed, frozenset(bins.keys() - set(relation.names)))


@dataclass(frozen=True)
class Frame:
    """What concerns whole rows: their number, the extremes of their time, the rows of each slice of the window."""

    rows: int
    first: int | None
    last: int | None
    seen: Sequence[int] = ()
    nameless: int = 0
    doubtful: Sequence[str] = field(default_factory=tuple)


def frame(view: View, window: Window, columns: Iterable[Stored]) -> Frame:
    """Count rows, and those that tell that a column must be streamed."""
    doubted = [column for column in columns if column.doubt is not None]
    event = view.event.micros
    bounds: list[Any] = [sa.literal_column(str(_micros(moment))) for moment in cuts(window.start, window.end)]
    nameless = sa.literal_column("0") if view.row_id is None else _count(sa.column(view.row_id).is_(None))
    shown = [
        sa.func.count(), sa.func.min(event), sa.func.max(event), nameless, *[_count(event >= cut) for cut in bounds],
        *[_count(column.doubt) for column in doubted],
    ]  # fmt: skip
    labelled = [expression.label(f"f{place}") for place, expression in enumerate(shown)]
    [found] = view.answers(view.rows.with_only_columns(*labelled, maintain_column_froms=True))
    rows, first, last, unnamed, *rest = found
    later = [int(count or 0) for count in rest[: len(bounds)]]
    seen = [one - other for one, other in zip([int(rows), *later], [*later, 0], strict=True)]
    doubtful = [column.name for column, count in zip(doubted, rest[len(bounds) :], strict=True) if count]
    first, last = (None if end is None else int(end) for end in (first, last))
    return Frame(int(rows), first, last, seen, int(unnamed or 0), doubtful)


def _count(condition: Any) -> Any:
    return sa.func.sum(sa.case((condition, sa.literal_column("1")), else_=sa.literal_column("0")))


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)) // timedelta(microseconds=1)


def profiles(
    view: View, bins: Mapping[str, Bins], counted: Mapping[str, Stored], rows: int
) -> dict[str, ColumnProfile]:
    """Count columns in their database."""
    found: dict[str, ColumnProfile] = {}
    categories = [column for name, column in counted.items() if bins[name].categorical]
    if view.dialect in here.DIALECTS:  # columns side by side in the file are read together
        near = [name for name in view.relation.names if name in counted and bins[name].kind in ("numeric", "text")]
        found |= here.profiles(near, bins, lambda names: view.batches(names, ()))
    measured = [
        _measured(view, column, bins[name])
        for name, column in counted.items()
        if not bins[name].categorical and name not in found
    ]
    for chunk in _chunks(measured):
        placed = [replace(column, place=place) for place, column in enumerate(chunk)]
        found |= numbers.profiles(placed, _numbers(view, placed), rows)
    for chunk in _chunks([column for column in categories if column.family == "text"]):
        found |= words.of_texts(chunk, bins, view.answers(words.texts(chunk, view.rows)))
    for column in categories:
        if column.family != "text":
            profile = ColumnProfile.empty(bins[column.name])
            for array, counts in view.arrays(words.values(column, view.rows)):
                profile += words.of_values(array, counts, bins[column.name])
            found[column.name] = profile
    return found


def _numbers(view: View, columns: Sequence[numbers.Measured]) -> Iterator[Any]:
    """Yield the answers about some columns, by the statement that suits the engine."""
    left = list(columns)
    if view.dialect in columnar.DIALECTS:
        plain = [column for column in columns if column.hours is None]
        placed = [replace(column, place=place) for place, column in enumerate(plain)]
        if placed:
            [row] = view.answers(columnar.wide(placed, view.rows))
            for column, (_, answers) in zip(plain, columnar.unfolded(placed, row), strict=True):
                if answers is not None:
                    left.remove(column)
                    yield from ((column.place, *answer[1:]) for answer in answers)
    if left:
        statement = lateral if view.dialect == "postgresql" else numbers.stacked
        yield from view.answers(statement(left, view.rows))


def _measured(view: View, column: Stored, bins: Bins) -> numbers.Measured:
    binned = value(column, bins, view.event.micros, view.dialect)
    hours = numbers.hour_of(seconds(micros(column, view.dialect))) if bins.kind == "datetime" else None
    return numbers.Measured(0, column.name, bins, binned, column.family, hours)


def _chunks(columns: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(columns), _AT_ONCE):
        yield columns[start : start + _AT_ONCE]


def id_digest(relation: Relation, row_id: str, dialect: str) -> Any | None:
    """Return the hash of an id in SQL; None where it cannot be made there as the stream makes it."""
    if dialect == "postgresql" and relation.types[row_id].upper() == "UUID":
        return Digest(AsText(sa.column(row_id)))
    column = stored(relation, row_id, dialect)
    return (
        None
        if isinstance(column, str) or (column.doubt is not None and dialect != "sqlite")
        else drawing.digest_of_id(column)
    )


def sketch(view: View, digest: Any, rows: int) -> ValueSketch:
    """Return the sample of ids; asks again for more where many rows share an id."""
    share = 4 * IDS_KEPT / max(rows, 1)
    while True:
        found = drawing.sketch(view.answers(drawing.ids(view.rows, digest, share)))
        if share >= 1 or len(found.counts) >= IDS_KEPT:
            return found
        share *= max(4.0, 2 * IDS_KEPT / max(1, len(found.counts)))


def assembled(frame_: Frame, columns: Mapping[str, ColumnProfile], bins: Mapping[str, Bins], extra: Iterable[str],
              ids: ValueSketch) -> Profile:  # fmt: skip
    """Return the profile of the window; columns that are missing are absent from the log."""
    rows = frame_.rows
    if not rows:
        return Profile.empty(bins)
    absent = {name: replace(ColumnProfile.empty(column), rows=rows, absent=rows) for name, column in bins.items()}
    return Profile(
        rows=rows,
        columns={name: columns.get(name, absent[name]) for name in bins},
        extra=dict.fromkeys(sorted(extra), rows),
        ids=ids,
        first_event=None if frame_.first is None else frame_.first / 1e6,
        last_event=None if frame_.last is None else frame_.last / 1e6,
    )


Times = tuple[str, Form | None, Sequence[object], Window, tzinfo]
Ways = tuple[Rows, Callable[[Any], Iterable[tuple[pa.Array, Sequence[int]]]], Callable[..., Iterator[pa.RecordBatch]]]


def view_of(dialect: str, relation: Relation, times: Times, row_id: str | None, conditions: Sequence[Any],
            ways: Ways) -> View | str:  # fmt: skip
    """Return an open log for counting, or why it cannot be counted.

    Parameters
    ----------
    times : name of the time column, how it keeps times, a few of its values, the window, the zone of naive times.
    ways : how statements are run, see :class:`View`.
    """
    time, form, seen, window, zone = times
    if form is None:
        return "there are no rows"
    found = event(time, form, seen, window, zone, dialect)
    if isinstance(found, str):
        return found
    answers, arrays, batches = ways

    def inside(names: Sequence[str], further: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        return batches(names, (*found.inside, *conditions, *further))

    return View(dialect, relation, found, time, row_id, tuple(conditions), answers, arrays, inside)
