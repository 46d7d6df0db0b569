"""The event time and the exact window in SQL, as the cut in Arrow makes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import sqlalchemy as sa

from checks.instants import NANOSECONDS, Form, from_wall
from monitor.core.window import Window
from monitor.sources._bounds import within
from monitor.sources._counting.sql import Micros, ParsedMicros, Thousandth

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER = 15 * 60 * 1_000_000
_MARGIN = 16 * 3600 * 1_000_000  # no zone is further from UTC
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Event:
    """The time of a row: microseconds since 1970 UTC, and the conditions of rows that lie in the window."""

    micros: Any
    inside: tuple[Any, ...]


def event(name: str, form: Form, seen: Sequence[object], window: Window, zone: tzinfo, dialect: str) -> Event | str:
    """Return the time of a row, or why it cannot be told exactly in SQL.

    Parameters
    ----------
    name : the time column.
    form, seen : how it keeps times, and a few of its values.
    zone : of times that name none.
    """
    column: Any = sa.column(name)
    roughly = within(column, form, seen, window, zone)
    low, high = ((moment - _EPOCH) // _MICROSECOND for moment in (window.start, window.end))
    if dialect == "sqlite" and form == "text":
        parsed = ParsedMicros(column, sa.literal_column("'event'"))
        return Event(parsed, (roughly, parsed >= _number(low), parsed < _number(high)))
    if form == "text":
        return "the times are texts"
    if form in NANOSECONDS:
        if not all(isinstance(value, int) for value in seen):
            return "the times are numbers with a fraction"
        micros = _of_count(column, form)
        return Event(micros, (roughly, micros >= _number(low), micros < _number(high)))
    if form == "aware" or zone is UTC:
        return Event(Micros(column), (roughly,))
    return _on_the_wall(column, low, high, zone)


def _of_count(column: Any, form: Form) -> Any:
    nanoseconds = NANOSECONDS[form]
    if nanoseconds >= 1_000:
        return column * _number(nanoseconds // 1_000)
    return Thousandth(column)


def _on_the_wall(column: Any, low: int, high: int, zone: tzinfo) -> Event:
    """Between two changes of the clocks the offset is one number; each such stretch has its own condition."""
    first = (low - _MARGIN) // _QUARTER * _QUARTER
    walls = np.arange(first, high + _MARGIN + _QUARTER, _QUARTER, dtype=np.int64)
    offsets = walls - from_wall(walls, zone)
    starts = np.flatnonzero(np.diff(offsets, prepend=offsets[0] - 1))
    stretches = []
    for begin, end in zip(starts, [*starts[1:], len(walls)], strict=True):
        offset = int(offsets[begin])
        last = int(walls[end]) if end < len(walls) else int(walls[-1]) + _QUARTER
        held = max(int(walls[begin]), low + offset), min(last, high + offset)
        if held[0] < held[1]:
            stretches.append((*held, offset))
    kind = sa.DateTime()
    bounds = [
        sa.and_(column >= sa.literal(_moment(begin), kind), column < sa.literal(_moment(end), kind))
        for begin, end, _ in stretches
    ]
    if len(stretches) == 1:
        return Event(Micros(column) - _number(stretches[0][2]), tuple(bounds))
    shift = sa.case(*[(bound, _number(offset)) for bound, (_, _, offset) in zip(bounds, stretches, strict=True)])
    return Event(Micros(column) - shift, (sa.or_(*bounds),))


def _moment(micros: int) -> datetime:
    return (_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=None)


def _number(value: int) -> Any:
    return sa.literal_column(f"({value})" if value < 0 else str(value), sa.BigInteger())
