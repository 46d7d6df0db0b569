"""Which columns a database can count exactly as the stream would, and in what words it cannot."""

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import sqlalchemy as sa

from checks import reading
from checks.profile import Bins
from monitor.sources._counting.sql import AsDouble, Exact, IsNaN, Length, Micros, OddTime, ParsedMicros
from monitor.sources._sql.relation import Relation

_EXACT_DIGITS = 15  # of a decimal: its digits and its power of ten are doubles, so that their quotient is rounded once


@dataclass(frozen=True)
class Stored:
    """A column as its database keeps it.

    Parameters
    ----------
    family : of its type, as :func:`checks.reading.family` has it.
    column : in SQL, as it is fetched.
    doubt : condition of rows for which the declared type does not tell what a stream would read; None for never.
    whole : whether it holds whole numbers alone.
    """

    name: str
    family: str
    column: Any
    doubt: Any = None
    whole: bool = False


def stored(relation: Relation, name: str, dialect: str) -> Stored | str:
    """Return how a column is kept, or why it cannot be counted where it is."""
    kind, spelled = relation.declared.get(name), relation.types[name].upper()
    if kind is None:
        return f"its type {relation.types[name]} is read as the driver gives it"
    reason = _told_by_drivers(spelled, dialect)
    if reason is not None:
        return reason
    fetched = relation.expression(name)
    column = getattr(fetched, "element", fetched)
    return Stored(
        name,
        reading.family(kind),
        column,
        _doubt(sa.column(name), kind, dialect),
        whole=pa.types.is_integer(kind),
    )


def _told_by_drivers(spelled: str, dialect: str) -> str | None:
    """Return why the bytes that a driver delivers are not those that SQL compares."""
    if dialect == "mysql" and "UNSIGNED" in spelled and "BIGINT" in spelled:
        return "some of its numbers are beyond 64 bits with a sign"
    if dialect == "mysql" and spelled.startswith("FLOAT"):
        return "MySQL hands over six digits of a FLOAT"
    if dialect == "postgresql" and re.match(r"(CHAR|BPCHAR)\b", spelled):
        return "PostgreSQL drops the blanks at the end of a CHAR"
    if dialect == "clickhouse" and (reason := _told_by_clickhouse(spelled)):
        return reason
    digits = re.match(r"(?:NULLABLE\()?DECIMAL\((\d+)", spelled)
    if dialect in ("duckdb", "clickhouse") and digits and int(digits[1]) > _EXACT_DIGITS:
        return f"its decimals have more than {_EXACT_DIGITS} digits"
    if dialect == "duckdb" and re.match(r"TIMESTAMP_(NS|MS|S)", spelled):
        return f"its type is {spelled}"
    return None


def _told_by_clickhouse(spelled: str) -> str | None:
    if "DATETIME" in spelled and "'" in spelled.replace("'UTC'", ""):
        return "its times are told on a clock of their own"
    if re.search(r"U?INT(128|256)|UINT64", spelled):
        return "some of its numbers are beyond 64 bits with a sign"
    return "its texts have a fixed length" if "FIXEDSTRING" in spelled else None


def _doubt(column: Any, kind: pa.DataType, dialect: str) -> Any:
    if dialect == "duckdb" and reading.family(kind) == "time":
        return ~sa.func.isfinite(column)
    if dialect == "mysql" and pa.types.is_boolean(kind):
        return column.not_in([sa.literal_column("0"), sa.literal_column("1")])
    if dialect != "sqlite":
        return None
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return OddTime(column, sa.literal_column("'date'" if pa.types.is_date(kind) else "'timestamp'"))
    if pa.types.is_boolean(kind):
        return _typeof(column, "integer") | column.not_in([sa.literal_column("0"), sa.literal_column("1")])
    if pa.types.is_integer(kind):
        return _typeof(column, "integer")
    return _typeof(column, "integer", "real") if pa.types.is_floating(kind) else _typeof(column, "text")


def _typeof(column: Any, *kinds: str) -> Any:
    return sa.func.typeof(column).not_in([sa.literal_column(f"'{kind}'") for kind in (*kinds, "null")])


def refusal(column: Stored, bins: Bins) -> str | None:
    """Return why values of this family cannot be counted as this kind; None where they can."""
    if bins.categorical:
        return None
    counted = {"numeric": ("number", "boolean"), "text": ("text",), "datetime": ("time",)}[bins.kind]
    if column.family in counted:
        return None
    return f"its values are of the kind {column.family} and are read as {bins.kind}"


def value(column: Stored, bins: Bins, event: Any, dialect: str) -> Any:
    """Return the double that is binned, null where it is null or NaN: the value, a length, or an age in hours.

    Parameters
    ----------
    event : microseconds since 1970 of the row's time.
    """
    if bins.kind == "text":
        return AsDouble(Length(column.column))
    if bins.kind == "datetime":
        return (seconds(event) - seconds(micros(column, dialect))) / Exact(3600.0)
    if column.family == "boolean" and dialect not in ("sqlite", "mysql"):
        return AsDouble(sa.case((column.column, sa.literal_column("1")), (~column.column, sa.literal_column("0"))))
    double = AsDouble(column.column)
    if column.whole or column.family == "boolean" or dialect in ("sqlite", "mysql"):
        return double
    return sa.case((~IsNaN(double), double))


def micros(column: Stored, dialect: str) -> Any:
    """Return a time as microseconds since 1970; a naive one is taken as UTC, as the stream does."""
    if dialect == "sqlite":
        return ParsedMicros(column.column, sa.literal_column("'value'"))
    return Micros(column.column)


def seconds(microseconds: Any) -> Any:
    """Return microseconds as a double of seconds, rounded as the stream rounds them."""
    return AsDouble(microseconds) / Exact(1e6)
