"""What is read from a database: a table or view, or a SELECT as if it were one."""

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monitor.core.errors import UserError
from monitor.sources._arrow import WALL
from monitor.sources._log import missing

if TYPE_CHECKING:
    import sqlalchemy as sa

_SELECT = re.compile(r"(\s|--[^\n]*\n|/\*.*?\*/|\()*(select|with|values|table|from)\b", re.IGNORECASE | re.DOTALL)
_UTC = pa.timestamp("us", "UTC")
_TIMES = (WALL, _UTC, pa.date32())
_OIDS: Mapping[int, pa.DataType] = {  # PostgreSQL's pg_type, as its drivers describe the columns of a query
    16: pa.bool_(), 20: pa.int64(), 21: pa.int64(), 23: pa.int64(), 700: pa.float32(), 701: pa.float64(),
    1700: pa.float64(), 25: pa.string(), 1042: pa.string(), 1043: pa.string(), 1082: pa.date32(), 1114: WALL,
    1184: _UTC,
}  # fmt: skip


@dataclass(frozen=True)
class Relation:
    """What stands behind FROM, with what is known of its columns.

    Parameters
    ----------
    source : for SQLAlchemy.
    place : for people.
    types : column to type, in the words of the database.
    declared : column to Arrow type, where the database's type says it.
    table, schema : None for a query.
    nullable : columns that may hold nulls.
    wide : whether the database has times that Python has no year for, such as PostgreSQL's infinity.
    """

    source: "sa.FromClause"
    place: str
    types: Mapping[str, str]
    declared: Mapping[str, pa.DataType]
    table: str | None = None
    schema: str | None = None
    nullable: frozenset[str] = frozenset()
    wide: bool = False

    @property
    def names(self) -> list[str]:
        """The columns, in their order."""
        return list(self.types)

    def expression(self, name: str) -> Any:
        """Return a column as it is to be fetched; a time that would make the driver give up on all rows is null."""
        import sqlalchemy as sa

        column: sa.ColumnClause[Any] = sa.column(name)
        if not self.wide or self.declared.get(name) not in _TIMES:
            return column
        known = sa.and_(column >= sa.literal_column("'0002-01-01'"), column < sa.literal_column("'9999-01-01'"))
        return sa.case((known, column)).label(name)

    def in_utc(self, name: str) -> bool:
        """Return whether the database says that a column holds instants, with or without writing the zone."""
        return bool(self.declared.get(name) == _UTC)


def of_table(connection: "sa.Connection", table: str, option: str = "logs.table") -> Relation:
    """Look up a table or view that an option names; ``schema.table`` where it is not in the default schema.

    Raises
    ------
    UserError
        When it is not there, with the nearest names.
    """
    import sqlalchemy as sa

    inspector = sa.inspect(connection)
    schema, _, name = table.rpartition(".")
    if inspector.has_table(table):
        schema, name = "", table
    elif not schema or not inspector.has_table(name, schema):
        known = _tables(inspector, schema)
        raise UserError(f"{option}: {missing('table or view', table, known, 'the database')}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)  # a type that SQLAlchemy does not know is read as it comes
        columns = inspector.get_columns(name, schema or None)
    dialect = connection.dialect.name
    arrow = {column["name"]: _arrow_type(column["type"], dialect) for column in columns}
    return Relation(
        source=sa.table(name, schema=schema or None),
        place=f"table {table!r}",
        types={column["name"]: _spelled(column["type"], connection) for column in columns},
        declared={name: kind for name, kind in arrow.items() if kind is not None},
        table=name,
        schema=schema or None,
        nullable=frozenset(column["name"] for column in columns if column.get("nullable", True)),
        wide=dialect == "postgresql",
    )


def of_query(connection: "sa.Connection", query: str) -> Relation:
    """Ask the database what columns a SELECT has.

    Raises
    ------
    UserError
        When two of its columns share a name.
    """
    import sqlalchemy as sa

    source = sa.text(f"{literal(query.strip().rstrip(';'))}\n").columns().subquery("log")
    result = connection.execute(sa.select(sa.text("*")).select_from(source).where(sa.false()))
    names = [str(name) for name in result.keys()]  # noqa: SIM118 - of a result, not of a mapping
    cursor: Any = result.cursor
    description = cursor.description or ()
    result.close()
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"the query gives several columns named {twice[0]!r}; give each its own name with AS")
    declared = {
        name: _OIDS[entry[1]]
        for name, entry in zip(names, description, strict=False)
        if connection.dialect.name == "postgresql" and entry[1] in _OIDS
    }
    types = {name: str(declared.get(name, "unknown")) for name in names}
    wide = connection.dialect.name == "postgresql"
    return Relation(source, "the query", types, declared, nullable=frozenset(names), wide=wide)


def is_select(query: str) -> bool:
    """Return whether a query begins as one that reads. That it only reads is the transaction's doing."""
    return _SELECT.match(query) is not None


def literal(sql: str) -> str:
    """Return SQL for ``sqlalchemy.text`` in which no colon begins a parameter."""
    return sql.replace(":", "\\:")


def _tables(inspector: Any, schema: str) -> Sequence[str]:
    known = [*inspector.get_table_names(), *inspector.get_view_names()]
    if schema and schema in inspector.get_schema_names():
        known += [
            f"{schema}.{name}" for name in (*inspector.get_table_names(schema), *inspector.get_view_names(schema))
        ]
    return known


def _spelled(kind: Any, connection: "sa.Connection") -> str:
    from sqlalchemy.exc import CompileError

    try:
        return str(kind.compile(dialect=connection.dialect))
    except CompileError:
        return "unknown"


def _arrow_type(kind: Any, dialect: str) -> pa.DataType | None:
    import sqlalchemy as sa

    if isinstance(kind, sa.Boolean) or getattr(kind, "display_width", None) == 1:  # MySQL's BOOLEAN is TINYINT(1)
        return pa.bool_()
    if isinstance(kind, sa.Integer):
        return pa.int64()
    if isinstance(kind, sa.Numeric | sa.Float):
        # Drivers write a 4-byte float with few digits; only as float32 does it equal the same value from Parquet.
        single = {"postgresql": "REAL", "mysql": "FLOAT", "mariadb": "FLOAT"}.get(dialect)
        return pa.float32() if kind.__visit_name__ == single or type(kind).__name__ == "Float32" else pa.float64()
    if isinstance(kind, sa.DateTime):
        # MySQL's TIMESTAMP comes without a zone, but in the session's, which is UTC.
        utc = kind.timezone or (dialect in ("mysql", "mariadb") and kind.__visit_name__ == "TIMESTAMP")
        return _UTC if utc else WALL
    if isinstance(kind, sa.Date):
        return pa.date32()
    # ClickHouse's String is a type of its dialect's own.
    return pa.string() if isinstance(kind, sa.String) or type(kind).__name__ == "String" else None
