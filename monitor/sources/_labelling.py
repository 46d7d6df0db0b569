"""Predictions joined to their labels where both are kept; loaded when labels are read.

Each side is a SELECT of its own before they are joined, so that the log's ``where`` sees no column of the labels.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from checks.sampling import Sample
from monitor.core.errors import UserError
from monitor.core.labels import Truth
from monitor.core.window import PLAUSIBLE, Window
from monitor.sources._bounds import within
from monitor.sources._counting.event import event
from monitor.sources._counting.sql import AsText
from monitor.sources._counting.views import zone_of
from monitor.sources._cutting import cut
from monitor.sources._log import PEEKED, Log, missing
from monitor.sources._sql.relation import Relation
from monitor.sources._sql.streaming import Selection

ROW, EVENT, LABEL = "leeway_row", "leeway_event", "label"


@dataclass(frozen=True)
class Place:
    """A log and its labels as one engine sees them.

    Parameters
    ----------
    conditions : that every row of the log must meet.
    answers : runs a statement.
    batches : streams the rows of a selection.
    """

    log: Relation
    labels: Relation
    dialect: str
    conditions: Sequence[Any]
    answers: Callable[[Any], Iterator[tuple[Any, ...]]]
    batches: Callable[[Selection], Iterator[pa.RecordBatch]]

    def peek(self, relation: Relation, name: str, conditions: Sequence[Any] = ()) -> list[object]:
        """Return a few values of a column."""
        known = sa.column(name).is_not(None)
        statement = Selection(relation, [name], (known, *conditions)).statement().limit(PEEKED)
        return [row[0] for row in self.answers(statement)]


@dataclass(frozen=True)
class Joined:
    """The predictions of a window with the labels that were known before a moment.

    Parameters
    ----------
    inside : conditions of the window's rows; not ``exact`` where they let through some beyond it.
    known : conditions of the labels.
    """

    place: Place
    log: Log
    truth: Truth
    window: Window
    inside: Sequence[Any]
    exact: bool
    known: Sequence[Any]

    @property
    def row_id(self) -> str:
        """The log's side of the join."""
        return self.log.id or self.truth.id

    def count(self) -> int:
        """Return how many ids have a label."""
        if not self.exact:
            return sum(batch.num_rows for batch in self.rows({}))
        predictions, labels = self._predictions({}), self._labels()
        statement = (
            sa.select(sa.func.count(sa.distinct(predictions.c[ROW])))
            .select_from(predictions)
            .join(labels, self._same(predictions, labels))
        )
        return int(next(iter(self.place.answers(statement)))[0])

    def rows(self, columns: Mapping[str, str]) -> Iterator[pa.RecordBatch]:
        """Yield each id once with its label, its time and columns of the log."""
        relation = self._relation(columns)
        zone = zone_of(self.place.log, self.log.time, self.log.zone)
        for batch in self.place.batches(Selection(relation, relation.names)):
            yield cut(batch, EVENT, self.window, zone)

    def _relation(self, columns: Mapping[str, str]) -> Relation:
        """Return the join as something to select from; of several labels of an id the last one stands."""
        predictions, labels = self._predictions(columns), self._labels()
        latest = [labels.c.known.desc()] if self.truth.time is not None else []
        place: Any = sa.func.row_number().over(
            partition_by=predictions.c[ROW], order_by=[*latest, labels.c[LABEL].desc(), predictions.c[EVENT]]
        )
        both = (
            sa.select(*predictions.c, labels.c[LABEL], place.label("leeway_place"))
            .select_from(predictions)
            .join(labels, self._same(predictions, labels))
            .subquery("joined")
        )
        names = [ROW, EVENT, *columns, LABEL]
        single = sa.select(*(both.c[name] for name in names)).where(both.c.leeway_place == sa.literal_column("1"))
        origin = {ROW: self.row_id, EVENT: self.log.time, **columns}
        sides = {name: (self.place.log, column) for name, column in origin.items()}
        sides[LABEL] = (self.place.labels, self.truth.label)
        return Relation(
            single.subquery("labelled"),
            f"{self.place.log.place} with its labels",
            {name: sides[name][0].types[sides[name][1]] for name in names},
            {name: side.declared[column] for name, (side, column) in sides.items() if column in side.declared},
            nullable=frozenset(names),
            wide=self.place.log.wide,
        )

    def _predictions(self, columns: Mapping[str, str]) -> sa.Subquery:
        relation = self.place.log
        wanted = {ROW: self.row_id, EVENT: self.log.time, **columns}
        chosen: list[Any] = [sa.column(column).label(name) for name, column in wanted.items()]
        conditions = (*self.inside, *self.place.conditions)
        return sa.select(*chosen).select_from(relation.source).where(*conditions).subquery("predictions")

    def _labels(self) -> sa.Subquery:
        truth = self.truth
        chosen: list[Any] = [sa.column(truth.id).label("row"), sa.column(truth.label).label(LABEL)]
        if truth.time is not None:
            chosen.append(sa.column(truth.time).label("known"))
        present = sa.column(truth.label).is_not(None)
        return sa.select(*chosen).select_from(self.place.labels.source).where(present, *self.known).subquery("truth")

    def _same(self, predictions: sa.Subquery, labels: sa.Subquery) -> Any:
        """Return the condition of the join; ids of different types are compared as texts."""
        left, right = predictions.c[ROW], labels.c.row
        if _alike(self.place.log, self.row_id, self.place.labels, self.truth.id):
            return left == right
        return AsText(left) == AsText(right)


def joined(log: Log, place: Place, truth: Truth, window: Window, until: datetime, columns: Mapping[str, str]) -> Joined:
    """Return the join of a window's predictions with their labels.

    Raises
    ------
    UserError
        When a column of the log or of the labels is not there, or a time is none.
    """
    known = place.log.names
    _there(log.time, "logs.time", known, place.log.place)
    _there(log.id or truth.id, "logs.id", known, place.log.place)
    for role, column in columns.items():
        _there(column, role, known, place.log.place)
    for option in ("label", "id", "time"):
        name = getattr(truth, option)
        if name is not None:
            _there(name, f"labels.{option}", place.labels.names, place.labels.place)
    seen = place.peek(place.log, log.time, place.conditions)
    form = log.time_form(seen, place.log.place)
    if form is None:
        return Joined(place, log, truth, window, [sa.false()], exact=True, known=())
    zone = zone_of(place.log, log.time, log.zone)
    found = event(log.time, form, seen, window, zone, place.dialect)
    exact = not isinstance(found, str)
    inside = [within(sa.column(log.time), form, seen, window, zone)] if isinstance(found, str) else found.inside
    return Joined(place, log, truth, window, inside, exact, _known(log, place, truth, until))


def sampled(rows: Iterator[pa.RecordBatch], columns: Sequence[str], most: int) -> pa.Table:
    """Return rows by the smallest hashes of their id, with these columns."""
    sample = Sample(most, ROW)
    for batch in rows:
        sample = sample.add(batch)
    found = sample.rows()
    if not found.num_columns:
        return pa.table({name: pa.nulls(0) for name in columns})
    return found.select(list(columns))


def _known(log: Log, place: Place, truth: Truth, until: datetime) -> Sequence[Any]:
    """Return the condition of the labels that had arrived before a moment.

    Where times are texts that a database cannot read, it lets through those of the days around that moment too.
    """
    if truth.time is None:
        return ()
    seen = place.peek(place.labels, truth.time)
    named = log.model_copy(update={"time": truth.time})
    try:
        form = named.time_form(seen, place.labels.place)
    except UserError as error:
        raise UserError(str(error).replace("logs.time", "labels.time", 1)) from error
    if form is None:
        return ()
    zone, past = zone_of(place.labels, truth.time, log.zone), Window(PLAUSIBLE.start, until)
    if form == "text":
        found = event(truth.time, form, seen, past, zone, place.dialect)
        if not isinstance(found, str):
            return found.inside
    return [within(sa.column(truth.time), form, seen, past, zone)]


def _alike(log: Relation, left: str, labels: Relation, right: str) -> bool:
    """Whether an engine compares two columns by their values."""
    one, other = log.declared.get(left), labels.declared.get(right)
    if one is None or other is None:
        return one is other and log.types[left] == labels.types[right]
    return one == other or (_is_number(one) and _is_number(other))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _there(name: str, option: str, known: Sequence[str], place: str) -> None:
    if name not in known:
        raise UserError(f"{option}: {missing('column', name, known, place)}")
