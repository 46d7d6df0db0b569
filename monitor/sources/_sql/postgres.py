"""What columns of PostgreSQL are fetched as over ADBC, so that they arrive as the cursor's would."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monitor.sources._arrow import column_of

if TYPE_CHECKING:
    import sqlalchemy as sa

    from monitor.sources._sql.relation import Relation

_OWN = 16384  # object ids from here on are of types that users or extensions made
_SAFE_DIGITS = 300  # a numeric of so many digits fits a double
_LARGEST = "1.797693134862315e308"  # of all doubles
_NUMERIC = 1700
# As they are: booleans, integers, floats, texts, dates and timestamps.
_SAME = frozenset({16, 20, 21, 23, 700, 701, 18, 19, 25, 1042, 1043, 1082, 1114, 1184})

_Restored = Callable[[Any], object]


@dataclass(frozen=True)
class Fetched:
    """One column of a statement.

    Parameters
    ----------
    expression : for SQLAlchemy, labelled with the column's name.
    value : makes of an Arrow value what the cursor would have given; None where the column is right as it comes.
    """

    name: str
    expression: Any
    value: _Restored | None = None

    def column(self, column: pa.Array, declared: pa.DataType | None) -> pa.Array:
        """Return a fetched column as profiles read it."""
        if self.value is None:
            return column.cast(pa.int64()) if pa.types.is_integer(column.type) else column
        encoded = column.dictionary_encode() if pa.types.is_string(column.type) else None
        if encoded is None:
            return column_of([None if value is None else self.value(value) for value in column.to_pylist()], declared)
        words = [self.value(word) for word in encoded.dictionary.to_pylist()]
        places = encoded.indices.to_pylist()
        return column_of([None if place is None else words[place] for place in places], declared)


def fetched(connection: "sa.Connection", relation: "Relation", names: Sequence[str]) -> list[Fetched] | str:
    """Return how columns are fetched, or the name of the first that only the cursor reads exactly.

    Parameters
    ----------
    connection : of psycopg.
    """
    import sqlalchemy as sa

    columns: list[Any] = [relation.expression(name) for name in names]
    result = connection.execute(sa.select(*columns).select_from(relation.source).where(sa.false()))
    cursor: Any = result.cursor
    kinds = [(int(entry[1]), entry[4]) for entry in cursor.description]
    result.close()
    words = _kept_as_words(connection, {oid for oid, _ in kinds if oid >= _OWN})
    found = []
    for name, column, (oid, digits) in zip(names, columns, kinds, strict=True):
        if oid in _SAME:
            found.append(Fetched(name, column))
        elif oid == _NUMERIC:
            found.append(Fetched(name, _number(column, digits).label(name)))
        elif oid in words:
            found.append(Fetched(name, sa.cast(column, sa.Text).label(name)))
        elif oid in _AS_TEXT:
            found.append(Fetched(name, sa.cast(column, sa.Text).label(name), _AS_TEXT[oid]))
        elif oid in _AS_JSON:
            found.append(Fetched(name, sa.cast(sa.func.to_json(column), sa.Text).label(name), _AS_JSON[oid]))
        elif oid in _CONVERTED:
            found.append(Fetched(name, column, _CONVERTED[oid]))
        else:
            return name
    return found


def _kept_as_words(connection: "sa.Connection", oids: set[int]) -> set[int]:
    """Return which types are enumerations, or texts that ignore case."""
    import sqlalchemy as sa

    if not oids:
        return set()
    known = sa.text("SELECT oid FROM pg_type WHERE oid IN :oids AND (typtype = 'e' OR typname = 'citext')")
    return set(connection.execute(known.bindparams(sa.bindparam("oids", sorted(oids), expanding=True))).scalars())


def _number(column: Any, digits: int | None) -> Any:
    """Return a numeric as a double: PostgreSQL casts it several times faster than digits are read here.

    One without a declared precision may be too large or too small for a double, which is an error of the cast.
    """
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION

    if digits is not None and digits <= _SAFE_DIGITS:
        return sa.cast(column, DOUBLE_PRECISION)
    size: Any = sa.func.abs(column)
    smallest: Any = sa.literal_column("2.5e-324")
    largest: Any = sa.literal_column(_LARGEST)
    odd = sa.or_(column == sa.literal_column("0"), column == sa.literal_column("'NaN'"))
    fits = sa.or_(size.between(smallest, largest), odd)
    return sa.case(
        (fits, sa.cast(column, DOUBLE_PRECISION)),
        (column > sa.literal_column("1"), sa.literal_column("float8 'Infinity'")),
        (column < sa.literal_column("-1"), sa.literal_column("float8 '-Infinity'")),
        (column.is_not(None), sa.literal_column("float8 '0'")),
    )


def _address(text: str) -> str:
    shown = str(ip_interface(text))
    return shown if "/" in text and not text.endswith(("/32", "/128")) else shown.partition("/")[0]


def _span(value: Any) -> timedelta:
    """Return months, days and nanoseconds as psycopg does: a year of 365 days, a month of 30."""
    sign = -1 if value.months < 0 else 1
    years, months = divmod(abs(value.months), 12)
    return timedelta(sign * (365 * years + 30 * months) + value.days, microseconds=value.nanoseconds // 1000)


def _same(value: Any) -> object:
    return value


def _floats(value: Any) -> object:
    if isinstance(value, list):
        return [_floats(part) for part in value]
    return float(value) if isinstance(value, int | str) else value


def _decimal(digits: str) -> str:
    return str(Decimal(digits))


_document: _Restored = json.loads
_decimals: _Restored = partial(json.loads, parse_float=_decimal, parse_int=_decimal)


def _list_of_floats(text: str) -> object:
    return _floats(json.loads(text))


_AS_TEXT: Mapping[int, _Restored | None] = {2950: None, 114: _document, 3802: _document, 869: _address, 650: None}
_AS_JSON: Mapping[int, _Restored] = {  # arrays
    1000: _document, 1005: _document, 1007: _document, 1016: _document, 1009: _document, 1015: _document,
    2951: _document, 1021: _list_of_floats, 1022: _list_of_floats, 1231: _decimals,
}  # fmt: skip
_CONVERTED: Mapping[int, _Restored] = {17: _same, 1083: _same, 1186: _span}  # bytes, times of day, spans
