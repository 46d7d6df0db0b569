"""Open logs as the counting sees them: a database through SQLAlchemy, files through DuckDB."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from checks.sketch import hash_text
from monitor.sources._arrow import WALL, batch_of
from monitor.sources._counting.sql import spoken
from monitor.sources._files import Files, stream
from monitor.sources._sql.relation import Relation
from monitor.sources._sql.streaming import Selection, by_cursor

_AT_A_TIME = 20_000  # rows of an answer that are held
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_STAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
Answers = Callable[[Any], Iterator[tuple[Any, ...]]]
Arrays = Callable[[Any], Iterator[tuple[pa.Array, Sequence[int]]]]
Batches = Callable[[Sequence[str], Sequence[Any]], Iterator[pa.RecordBatch]]


def dialect_of(connection: sa.Connection) -> str:
    """Return the name by which statements are spelled."""
    return spoken(connection.dialect.name)


STILL = ("postgresql", "sqlite")  # where every statement of a read surely sees the same rows; MySQL's engines differ


def hold_still(connection: sa.Connection, zone: tzinfo) -> None:
    """Let all statements of a read see the same rows, where the database can; lend SQLite what it lacks.

    Parameters
    ----------
    zone : of event times that name none.
    """
    dialect = dialect_of(connection)
    if dialect == "postgresql":
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    elif dialect == "sqlite":
        _lend(connection.connection.driver_connection, zone)
        connection.exec_driver_sql("BEGIN")


def told_otherwise(connection: sa.Connection, relation: Relation, time: str) -> str | None:
    """Return why a driver tells times otherwise than SQL does; None where it does not."""
    if dialect_of(connection) != "clickhouse":
        return None
    zone = connection.execute(sa.text("SELECT timezone()")).scalar()
    if zone not in ("UTC", "Etc/UTC"):
        return f"the clock of the server is in {zone}, not in UTC"
    spelled = relation.types[time].replace("'UTC'", "")
    return "the times are told on a clock of their own" if "'" in spelled else None


def of_database(connection: sa.Connection, relation: Relation) -> tuple[Answers, Arrays, Batches]:
    """Return how statements are run on a connection."""

    def answers(statement: Any) -> Iterator[tuple[Any, ...]]:
        with closing(connection.execute(statement, execution_options={"yield_per": _AT_A_TIME})) as result:
            for row in result:
                yield tuple(row)

    def arrays(statement: Any) -> Iterator[tuple[pa.Array, Sequence[int]]]:
        with closing(connection.execute(statement, execution_options={"yield_per": _AT_A_TIME})) as result:
            names = list(result.keys())
            while rows := result.fetchmany(_AT_A_TIME):
                batch = batch_of(names[:1], [row[:1] for row in rows], relation.declared)
                yield batch.column(0), [int(row[1]) for row in rows]

    def batches(names: Sequence[str], conditions: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        return by_cursor(connection, Selection(relation, names, conditions), _AT_A_TIME)

    return answers, arrays, batches


class Duck(DefaultDialect):
    """DuckDB's spelling, for statements that its own Python module runs."""

    name = "duckdb"
    supports_statement_cache = False


def spelled(statement: Any) -> str:
    """Return a statement as DuckDB reads it."""
    return str(statement.compile(dialect=Duck(), compile_kwargs={"literal_binds": True}))


def of_files(connection: Any, files: Files, rows_at_a_time: int) -> tuple[Answers, Arrays, Batches]:
    """Return how statements are run by DuckDB on the view that :func:`viewed` made."""

    def answers(statement: Any) -> Iterator[tuple[Any, ...]]:
        result = connection.execute(spelled(statement))
        while rows := result.fetchmany(_AT_A_TIME):
            yield from rows

    def arrays(statement: Any) -> Iterator[tuple[pa.Array, Sequence[int]]]:
        for batch in stream(connection.sql(spelled(statement)), _AT_A_TIME):
            yield batch.column(0), batch.column(1).to_pylist()

    def batches(names: Sequence[str], conditions: Sequence[Any]) -> Iterator[pa.RecordBatch]:
        columns: list[Any] = [sa.column(name) for name in names]
        statement = sa.select(*columns).select_from(sa.table("log")).where(*conditions)
        return files.rows(connection, connection.sql(spelled(statement)), rows_at_a_time)

    return answers, arrays, batches


def viewed(connection: Any, files: Files, name: str = "log") -> Relation:
    """Give the files a name in a DuckDB connection, and say what columns they have."""
    reader, paths = files.reader()
    listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
    connection.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM {reader}([{listed}], union_by_name = true)")  # noqa: S608 - paths are quoted
    described = connection.table(name)
    types = dict(zip(described.columns, map(str, described.types), strict=True))
    declared = {column: kind for column, words in types.items() if (kind := _duck_type(words)) is not None}
    return Relation(sa.table(name), files.path, types, declared, nullable=frozenset(types))


_DUCK_TYPES: Mapping[str, pa.DataType] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), pa.int64()),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"), pa.uint64()),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), WALL),
    "BOOLEAN": pa.bool_(), "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(),
    "DATE": pa.date32(), "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", "UTC"),
}  # fmt: skip


def _duck_type(spelled: str) -> pa.DataType | None:
    return pa.float64() if spelled.startswith("DECIMAL") else _DUCK_TYPES.get(spelled)


def _lend(driver: Any, zone: tzinfo) -> None:
    """Give a SQLite connection the functions that other databases have; texts come as bytes, which may be no UTF-8."""

    def event(value: Any) -> int | None:
        moment = _moment(value)
        if moment is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).__sub__(
            _EPOCH
        ) // _MICROSECOND

    def micros(value: Any, use: str) -> int | None:
        if use == "event":
            return event(value)
        moment = _moment(value)
        return None if moment is None else (moment.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND

    driver.create_function("leeway_length", 1, lambda value: None if value is None else len(_decoded(value)),
                           deterministic=True)  # fmt: skip
    driver.create_function("leeway_md5", 1, lambda value: None if value is None else _md5(value), deterministic=True)
    driver.create_function("leeway_floor", 1, lambda value: None if value is None else int(value // 1),
                           deterministic=True)  # fmt: skip
    driver.create_function("leeway_micros", 2, micros, deterministic=True)
    driver.create_function("leeway_odd_time", 2, _odd, deterministic=True)


def _decoded(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _md5(value: bytes) -> str:
    return f"{hash_text(_decoded(value)):015x}".ljust(32, "0")


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


def _odd(value: Any, kind: str) -> int:
    """Tell whether Arrow reads a value otherwise than Python, or not at all."""
    if value is None:
        return 0
    pattern = _DAY if kind == "date" else _STAMP
    return int(not isinstance(value, str) or pattern.fullmatch(value) is None or _moment(value) is None)


def zone_of(relation: Relation, time: str, zone: ZoneInfo) -> tzinfo:
    """Return the zone of event times, UTC where they need none."""
    return UTC if relation.in_utc(time) or zone.key == "UTC" else zone
