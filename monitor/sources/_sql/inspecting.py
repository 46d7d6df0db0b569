"""What can be found out about a table without reading it all, for ``config check --connect``."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from checks.instants import Form, to_utc
from monitor.core.window import PLAUSIBLE
from monitor.sources._bounds import within
from monitor.sources._sql.relation import Relation

if TYPE_CHECKING:
    import sqlalchemy as sa

_LARGE = 100_000  # rows of a table that is read in no time, whatever the plan
_ESTIMATES = {
    "postgresql": "SELECT CAST(reltuples AS bigint) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE relname = :name AND nspname = coalesce(CAST(:schema AS text), current_schema()) AND reltuples >= 0",
    "mysql": "SELECT table_rows FROM information_schema.tables"
    " WHERE table_name = :name AND table_schema = coalesce(:schema, database())",
}


def estimated_rows(connection: "sa.Connection", relation: Relation) -> int | None:
    """Return about how many rows the table has, where the database knows without counting; else None."""
    import sqlalchemy as sa

    dialect = connection.dialect.name.replace("mariadb", "mysql")
    if relation.table is None:
        return None
    if dialect == "sqlite":
        if relation.table not in sa.inspect(connection).get_table_names():
            return None
        statement: Any = sa.select(sa.func.max(sa.literal_column("_rowid_"))).select_from(relation.source)
        try:
            found = connection.execute(statement).scalar()
        except sa.exc.OperationalError:  # a table WITHOUT ROWID
            return None
    elif dialect in _ESTIMATES:
        found = connection.execute(
            sa.text(_ESTIMATES[dialect]), {"name": relation.table, "schema": relation.schema}
        ).scalar()
    else:
        return None
    return int(found) if found is not None else None


def warnings_about(connection: "sa.Connection", relation: Relation, time: str, *, empty: bool) -> list[str]:
    """Return in sentences what will make reading by time slow or incomplete."""
    import sqlalchemy as sa

    found = [f"{relation.place} has no rows with a time yet"] if empty else []
    if relation.table is not None and not _indexed(sa.inspect(connection), relation, time):
        found.append(
            f"{relation.place} has no index that begins with {time!r}, so every window reads the whole table;"
            " an index on it makes each window cheap"
        )
    if time in relation.nullable:
        nulls = sa.select(sa.literal(1)).select_from(relation.source).where(sa.column(time).is_(None)).limit(1)
        if connection.execute(nulls).first() is not None:
            found.append(f"some rows have no {time!r}; they are in no window and are never checked")
    return found


def scanned(connection: "sa.Connection", relation: Relation, time: str, rows: int | None, statement: Any) -> list[str]:
    """Return a warning where a window of a large table is found by reading the table, with the remedy.

    Parameters
    ----------
    rows : of the table, about; None where the database does not say.
    statement : selects a short window in the middle of the times.
    """
    import sqlalchemy as sa

    from monitor.sources._counting.deciding import whole_scan

    if relation.table is None or rows is None or rows < _LARGE or not whole_scan(connection, statement):
        return []
    table = sa.table(relation.table, sa.column(time), schema=relation.schema)
    quoted = connection.dialect.identifier_preparer
    index = f"CREATE INDEX ON {quoted.format_table(table)} ({quoted.quote(time)})"
    if connection.dialect.name != "postgresql":
        index = index.replace("INDEX ON", f"INDEX {quoted.quote(f'{relation.table}_{time}')} ON")
    return [f"the plan for one window reads all of {relation.place}, about {rows:,} rows; {index} makes windows cheap"]


def _indexed(inspector: "sa.Inspector", relation: Relation, time: str) -> bool:
    name, schema = str(relation.table), relation.schema
    if name not in inspector.get_table_names(schema):
        return True  # a view: the index is elsewhere, if anywhere
    indexes = [list(index["column_names"]) for index in inspector.get_indexes(name, schema)]
    indexes.append(list(inspector.get_pk_constraint(name, schema)["constrained_columns"]))
    return any(columns[:1] == [time] for columns in indexes)


def extremes(
    connection: "sa.Connection", relation: Relation, time: str, zone: tzinfo, form: Form, seen: Sequence[object]
) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last event whose time can be believed.

    Parameters
    ----------
    time, zone : the time column, and the zone of times that name none.
    form, seen : how it keeps times, and a few of its values.
    """
    import sqlalchemy as sa

    column: sa.ColumnClause[Any] = sa.column(time)
    statement: Any = sa.select(sa.func.min(column), sa.func.max(column)).select_from(relation.source)
    row = connection.execute(statement.where(within(column, form, seen, PLAUSIBLE, zone))).one()
    first, last = to_utc(tuple(row), zone).to_pylist()
    return first, last
