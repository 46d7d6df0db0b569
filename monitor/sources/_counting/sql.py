"""What SQL dialects spell differently, as elements that SQLAlchemy compiles; loaded when a window is counted."""

import math
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

LARGEST = 1.7976931348623157e308  # of the finite doubles
_BELOW_ZERO = -5e-324  # the double before zero


class Exact(sa.ColumnElement[float]):
    """A finite double, to the last bit."""

    inherit_cache = False
    type = sa.Double()

    def __init__(self, value: float) -> None:
        self.value = float(value)


class Exacts(sa.ColumnElement[Any]):
    """Ascending doubles as an array of PostgreSQL's; the last may be infinite."""

    inherit_cache = False
    type = sa.types.NullType()

    def __init__(self, values: list[float]) -> None:
        self.values = values


class AsDouble(FunctionElement[float]):
    """A number as a double."""

    inherit_cache = True
    type = sa.Double()


class IsNaN(FunctionElement[bool]):
    """Whether a double is not a number."""

    inherit_cache = True
    type = sa.Boolean()


class Micros(FunctionElement[int]):
    """A timestamp as microseconds since 1970 of its own clock."""

    inherit_cache = True
    type = sa.BigInteger()


class AsText(FunctionElement[str]):
    """A whole number or a text as text."""

    inherit_cache = True
    type = sa.String()


class Word(FunctionElement[str]):
    """A text that equals another only where every byte does."""

    inherit_cache = True
    type = sa.String()


class Length(FunctionElement[int]):
    """The characters of a text."""

    inherit_cache = True
    type = sa.BigInteger()


class Digest(FunctionElement[str]):
    """The MD5 of a text in 32 hexadecimal digits."""

    inherit_cache = True
    type = sa.String()


class Whole(FunctionElement[int]):
    """The greatest whole number that is not above a double."""

    inherit_cache = True
    type = sa.BigInteger()


class Thousandth(FunctionElement[int]):
    """The thousandth part of a positive whole number, the rest dropped."""

    inherit_cache = True
    type = sa.BigInteger()


class Histogram(FunctionElement[Any]):
    """The rows of each bin, as a list: a double, then its right-closed edges, ascending, beyond which no value lies."""

    inherit_cache = False
    type = sa.types.NullType()


class ParsedMicros(FunctionElement[int]):
    """A time that SQLite keeps as text, as the stream reads it; a function of our own."""

    inherit_cache = True
    type = sa.BigInteger()


class OddTime(FunctionElement[bool]):
    """Whether SQLite keeps something else than a date, or a timestamp, as ISO text; a function of our own."""

    inherit_cache = True
    type = sa.Boolean()


def spoken(dialect: str) -> str:
    """Return the name under which a dialect is known here."""
    return {"mariadb": "mysql", "clickhousedb": "clickhouse"}.get(dialect, dialect)


def below(value: Any, edge: float) -> Any:
    """Return the condition that a value lies at or below an edge."""
    if edge == _BELOW_ZERO:  # some engines read it as zero
        return value < Exact(0.0)
    return value <= Exact(edge)


def tree(value: Any, edges: list[float], first: int = 0) -> Any:
    """Return how many edges lie below a value, by nested CASE: some six comparisons for sixty edges."""
    if not edges:
        return sa.literal_column(str(first))
    middle = len(edges) // 2
    return sa.case(
        (below(value, edges[middle]), tree(value, edges[:middle], first)),
        else_=tree(value, edges[middle + 1 :], first + middle + 1),
    )


_DOUBLES = {"sqlite": "REAL", "mysql": "DOUBLE", "bigquery": "FLOAT64", "trino": "DOUBLE", "databricks": "DOUBLE"}


def _only(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return str(compiler.process(next(iter(element.clauses)), **kw))


def _dialect(compiler: Any) -> str:
    return spoken(compiler.dialect.name)


@compiles(Exact)
def _exact(element: Exact, compiler: Any, **kw: Any) -> str:
    name = _dialect(compiler)
    if name == "sqlite":  # its own reading of decimals is off by a bit now and then
        return str(compiler.process(sa.bindparam(None, element.value, sa.Double(), unique=True), **kw))
    mantissa, _, exponent = repr(element.value).partition("e")
    spelled = f"{mantissa}e{int(exponent or 0)}"
    if name in ("mysql", "clickhouse"):
        return spelled if element.value >= 0 and not math.copysign(1, element.value) < 0 else f"({spelled})"
    if name == "duckdb":
        return f"CAST({spelled} AS DOUBLE)"
    return f"CAST('{spelled}' AS {_DOUBLES.get(name, 'DOUBLE PRECISION')})"


@compiles(Exacts)
def _exacts(element: Exacts, _compiler: Any, **_kw: Any) -> str:
    listed = ",".join("Infinity" if math.isinf(value) else repr(value) for value in element.values)
    return f"CAST('{{{listed}}}' AS DOUBLE PRECISION[])"


@compiles(AsDouble)
def _as_double(element: AsDouble, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    return (
        f"toFloat64({inner})" if name == "clickhouse" else f"CAST({inner} AS {_DOUBLES.get(name, 'DOUBLE PRECISION')})"
    )


@compiles(IsNaN)
def _is_nan(element: IsNaN, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    if name in ("sqlite", "mysql"):  # they keep none
        return "(1 = 0)"
    function = {
        "clickhouse": "isNaN",
        "bigquery": "IS_NAN",
        "trino": "is_nan",
        "databricks": "isnan",
        "duckdb": "isnan",
    }
    if name in function:
        return f"{function[name]}({inner})"
    return f"({inner} = CAST('NaN' AS DOUBLE PRECISION))"


@compiles(Micros)
def _micros(element: Micros, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    spelled = {
        "mysql": "TIMESTAMPDIFF(MICROSECOND, '1970-01-01 00:00:00', {0})",
        "duckdb": "epoch_us({0})",
        "clickhouse": "toUnixTimestamp64Micro(toDateTime64({0}, 6, 'UTC'))",
        "bigquery": "UNIX_MICROS(CAST({0} AS TIMESTAMP))",
        "snowflake": "DATE_PART(EPOCH_MICROSECOND, {0})",
        "trino": "CAST(to_unixtime(CAST({0} AS TIMESTAMP(6))) * 1000000 AS BIGINT)",
        "databricks": "unix_micros(CAST({0} AS TIMESTAMP))",
        "redshift": "(CAST(EXTRACT(EPOCH FROM {0}) AS BIGINT) * 1000000 + EXTRACT(MICROSECOND FROM {0}))",
    }.get(name, "CAST(EXTRACT(EPOCH FROM {0}) * 1000000 AS BIGINT)")
    return spelled.format(inner)


@compiles(AsText)
def _as_text(element: AsText, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    if name == "mysql":
        return f"CONVERT({inner} USING utf8mb4)"
    if name == "clickhouse":
        return f"toString({inner})"
    kind = {"bigquery": "STRING", "databricks": "STRING"}.get(
        name, "VARCHAR" if name in ("duckdb", "trino") else "TEXT"
    )
    return f"CAST({inner} AS {kind})"


@compiles(Word)
def _word(element: Word, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    if name == "mysql":
        return f"CAST(CONVERT({inner} USING utf8mb4) AS BINARY)"
    if name == "sqlite":
        return f"({inner} COLLATE BINARY)"
    return f'(CAST({inner} AS TEXT) COLLATE "C")' if name == "postgresql" else inner


@compiles(Length)
def _length(element: Length, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    spelled = {
        "sqlite": "leeway_length(CAST({0} AS BLOB))",
        "clickhouse": "lengthUTF8({0})",
        "duckdb": "length({0})",
        "trino": "length({0})",
        "snowflake": "LENGTH({0})",
    }.get(name, "CHAR_LENGTH({0})")
    return spelled.format(inner)


@compiles(Digest)
def _digest(element: Digest, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    spelled = {
        "sqlite": "leeway_md5(CAST({0} AS BLOB))",
        "clickhouse": "lower(hex(MD5({0})))",
        "bigquery": "TO_HEX(MD5({0}))",
        "trino": "lower(to_hex(md5(to_utf8({0}))))",
        "postgresql": '(md5({0}) COLLATE "C")',
    }.get(name, "md5({0})")
    return spelled.format(inner)


@compiles(Whole)
def _whole(element: Whole, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    if name == "sqlite":
        return f"leeway_floor({inner})"
    if name == "clickhouse":
        return f"toInt64(floor({inner}))"
    kind = {"mysql": "SIGNED", "bigquery": "INT64"}.get(name, "BIGINT")
    return f"CAST(floor({inner}) AS {kind})"


@compiles(ParsedMicros)
def _parsed_micros(element: ParsedMicros, compiler: Any, **kw: Any) -> str:
    return f"leeway_micros({compiler.process(element.clauses, **kw)})"


@compiles(OddTime)
def _odd_time(element: OddTime, compiler: Any, **kw: Any) -> str:
    return f"(leeway_odd_time({compiler.process(element.clauses, **kw)}) = 1)"


@compiles(Thousandth)
def _thousandth(element: Thousandth, compiler: Any, **kw: Any) -> str:
    name, inner = _dialect(compiler), _only(element, compiler, **kw)
    spelled = {
        "mysql": "({0} DIV 1000)",
        "duckdb": "({0} // 1000)",
        "clickhouse": "intDiv({0}, 1000)",
        "bigquery": "DIV({0}, 1000)",
        "snowflake": "FLOOR({0} / 1000)",
        "databricks": "({0} DIV 1000)",
    }.get(name, "({0} / 1000)")
    return spelled.format(inner)


@compiles(Histogram)
def _histogram(element: Histogram, compiler: Any, **kw: Any) -> str:
    value, *edges = [str(compiler.process(clause, **kw)) for clause in element.clauses]
    below_each = ", ".join(f"countIf({value} <= {edge})" for edge in edges)
    return f"arraySlice(arrayDifference([toUInt64(0), {below_each}]), 2)"
