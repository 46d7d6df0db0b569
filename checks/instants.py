"""Event times as instants in UTC, whatever a log keeps: aware or naive times, dates, ISO text, counts since 1970."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Form = Literal["aware", "naive", "date", "text", "s", "ms", "us", "ns"]
"""How a log keeps its times; the last four are numbers in that unit since 1970 UTC."""

INSTANT = pa.timestamp("us", "UTC")
NANOSECONDS = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}

_QUARTER = 15 * 60 * 1_000_000  # zones change their offset at full quarters of an hour
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")  # of ISO 8601 the form whose texts sort as their times do
_OFFSET = re.compile(r"(Z|[+-]\d{2}(:?\d{2})?)$", re.IGNORECASE)
# A count below 1973 is no time that a model was asked; each unit's largest is near the year 5000 (1 s) or 2286.
_UNIT_FROM: tuple[tuple[float, Form], ...] = ((1e17, "ns"), (1e14, "us"), (1e11, "ms"), (1e8, "s"))


def form_of(values: Sequence[object]) -> Form | None:
    """Return how these times are kept, judged by a few of them that are not null; None where they are no times."""
    found = {_form(value) for value in values}
    return found.pop() if len(found) == 1 else None


def _form(value: object) -> Form | None:
    if isinstance(value, datetime):
        return "naive" if value.tzinfo is None else "aware"
    if isinstance(value, date):
        return "date"
    if isinstance(value, str):
        return "text" if _DATED.match(value) and _parsed(value) is not None else None
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return next((form for least, form in _UNIT_FROM if abs(float(value)) >= least), None)
    return None


def offset_of(text: str) -> str:
    """Return the zone that an ISO time ends with: empty for none, ``Z`` for UTC however it is written."""
    match = _OFFSET.search(text[10:])
    if match is None:
        return ""
    return "Z" if match[1].strip("+-0:") in ("", "Z", "z") else match[1]


def _parsed(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def to_utc(values: Sequence[object], zone: tzinfo) -> pa.Array:
    """Return times as instants, null where a value is none.

    Parameters
    ----------
    values : of any one form, or of several; shape (rows,).
    zone : of those that name none. A time that occurs twice is the first of the two.
    """
    moments = [_moment(value) for value in values]
    naive = np.array([moment is not None and moment.tzinfo is None for moment in moments], bool)
    stamps = pa.array([_aware(moment) for moment in moments], INSTANT)
    if not naive.any():
        return stamps
    micros = stamps.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).copy()
    micros[naive] = from_wall(micros[naive], zone)
    return pa.array(micros, mask=np.asarray(stamps.is_null())).cast(INSTANT)


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, str):
        return _parsed(value)
    form = _form(value)
    if form is None or not isinstance(value, int | float | Decimal):
        return None
    count = value * NANOSECONDS[form]
    try:
        return _EPOCH + timedelta(microseconds=count // 1_000 if isinstance(count, int) else round(count / 1_000))
    except (OverflowError, ValueError):
        return None


def from_wall(micros: npt.NDArray[np.int64], zone: tzinfo) -> npt.NDArray[np.int64]:
    """Return readings of a wall clock as instants, both in microseconds since 1970; shapes (rows,)."""
    quarters, places = np.unique(micros // _QUARTER, return_inverse=True)
    offsets = [_offset(int(quarter) * _QUARTER, zone) for quarter in quarters]
    return micros - np.array(offsets, np.int64)[places]


def _offset(micros: int, zone: tzinfo) -> int:
    wall = (_EPOCH + timedelta(microseconds=micros)).replace(tzinfo=zone)
    return round((wall.utcoffset() or timedelta()) / timedelta(microseconds=1))


def column_to_utc(column: pa.Array | pa.ChunkedArray, zone: tzinfo) -> pa.Array:
    """Return an Arrow column as instants; naive timestamps and dates are read in ``zone``."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_timestamp(array.type) and array.type.tz is not None:
        return array.cast(INSTANT, safe=False)
    if not (pa.types.is_timestamp(array.type) or pa.types.is_date(array.type)):
        return to_utc(array.to_pylist(), zone)
    stamps = array.cast(pa.timestamp("us"), safe=False)
    micros = stamps.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    return pa.array(from_wall(micros, zone), mask=np.asarray(stamps.is_null())).cast(INSTANT)
