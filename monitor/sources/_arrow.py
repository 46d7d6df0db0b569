"""What drivers and DuckDB deliver, as Arrow columns of the few types that profiles read."""

import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa

WALL = pa.timestamp("us")
_INSTANT = pa.timestamp("us", "UTC")
# In this order, since a bool is an int and a datetime a date.
_TYPES: tuple[tuple[type, pa.DataType], ...] = (
    (bool, pa.bool_()),
    (int, pa.int64()),
    (float, pa.float64()),
    (Decimal, pa.float64()),
    (datetime, WALL),
    (date, pa.date32()),
    (str, pa.string()),
)


def batch_of(
    names: Sequence[str], rows: Sequence[Sequence[object]], declared: Mapping[str, pa.DataType]
) -> pa.RecordBatch:
    """Return rows of Python values as a batch.

    Parameters
    ----------
    names : of the columns.
    rows : at least one, each of ``len(names)`` values.
    declared : what a column holds as far as the database says; values that do not fit it keep the type they have.
    """
    columns = [
        column_of(values, declared.get(name)) for name, values in zip(names, zip(*rows, strict=True), strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(names))


def column_of(values: Sequence[Any], declared: pa.DataType | None = None) -> pa.Array:
    """Return Python values as an Arrow column; values of several types that have none in common become text."""
    kinds = set(map(type, values))
    kind = _common({_type_of(kind) for kind in kinds - {type(None)}}, declared)
    if kind == WALL:
        kind = _zoned(values)
    for wanted in filter(None, (_fitting(kind, declared, values), kind)):
        try:
            return _build(values, wanted, kinds)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            continue
    return pa.array([text_of(value) for value in values], pa.string())


def _type_of(kind: type) -> pa.DataType | None:
    return next((arrow for base, arrow in _TYPES if issubclass(kind, base)), None)


def _common(kinds: set[pa.DataType | None], declared: pa.DataType | None) -> pa.DataType | None:
    """Return the one type of all values, or None where only text will do."""
    if not kinds:
        return declared or pa.null()
    if kinds == {pa.int64(), pa.float64()}:
        return pa.float64()
    return kinds.pop() if len(kinds) == 1 else None


def _zoned(values: Iterable[Any]) -> pa.DataType | None:
    aware = {value.tzinfo is not None for value in values if value is not None}
    return None if len(aware) > 1 else _INSTANT if aware == {True} else WALL


def _fitting(kind: pa.DataType | None, declared: pa.DataType | None, values: Sequence[Any]) -> pa.DataType | None:
    """Return the declared type if values that arrive as another one can be meant by it."""
    if kind is None or declared is None or kind == declared:
        return None
    if pa.types.is_boolean(declared):  # SQLite and MySQL keep booleans as 0 and 1
        return declared if kind == pa.int64() and set(values) <= {0, 1, None} else None
    if pa.types.is_floating(declared):
        return declared if kind in (pa.int64(), pa.float64()) else None
    if pa.types.is_timestamp(declared) or pa.types.is_date(declared):  # SQLite keeps times as text
        return declared if kind == pa.string() or (kind == WALL and declared == _INSTANT) else None
    return None


def _build(values: Sequence[Any], kind: pa.DataType, kinds: AbstractSet[type]) -> pa.Array:
    """Return values as a column of a type that fits them; ``kinds`` are their own."""
    if pa.types.is_floating(kind) and not kinds <= {float, type(None)}:
        values = [value if value is None else float(value) for value in values]
    if pa.types.is_boolean(kind) and not kinds <= {bool, type(None)}:
        values = [value if value is None else bool(value) for value in values]
    if (pa.types.is_timestamp(kind) or pa.types.is_date(kind)) and any(issubclass(found, str) for found in kinds):
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(values, kind)


def text_of(value: Any) -> str | None:
    """Return any value as text: JSON for what is nested, hexadecimal for bytes that are no text."""
    if value is None:
        return None
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            return bytes(value).hex()
    if isinstance(value, dict | list | tuple):
        return encodable(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str))
    return str(value)


def encodable(text: str) -> str:
    r"""Return text that UTF-8 can hold: half of a surrogate pair, as broken JSON has it, is written as ``\udXXX``."""
    return text.encode("utf-8", "backslashreplace").decode()


def plain(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch of DuckDB's with decimals as floats, and what profiles cannot read as text."""
    columns = [_plain_column(column) for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, names=batch.schema.names)


def _plain_column(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _plain_column(column.dictionary_decode())
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind):
        return column
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_string(kind):
        return column
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    return pa.array([text_of(value) for value in column.to_pylist()], pa.string())
