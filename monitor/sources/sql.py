"""Prediction logs in a database: a streaming cursor over a read-only transaction."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Self

import pyarrow as pa
from pydantic import Field, model_validator

from monitor.core.errors import LeewayError, UserError
from monitor.core.ports import TableFacts
from monitor.core.window import Window
from monitor.options import DatabaseUrl, Duration
from monitor.sources._arrow import batch_of
from monitor.sources._bounds import within
from monitor.sources._database import Database
from monitor.sources._inspecting import estimated_rows, extremes, warnings_about
from monitor.sources._log import PEEKED, Log
from monitor.sources._relation import Relation, is_select, literal, of_query, of_table

if TYPE_CHECKING:
    import sqlalchemy as sa


class Sql(Log):
    """A table, view or query in any database that SQLAlchemy reaches."""

    url: DatabaseUrl
    """The SQLAlchemy URL, such as ``postgresql+psycopg://reader:…@host/name``; best with a user who can only read."""
    table: str | None = None
    """The table or view, with its schema where that is not the default: ``analytics.predictions``."""
    query: str | None = None
    """A SELECT in place of a table."""
    timeout: Annotated[Duration, Field(gt=timedelta())] = timedelta(minutes=5)
    """How long a statement may run (SQLite, PostgreSQL, MySQL and MariaDB)."""

    @model_validator(mode="after")
    def _table_or_query(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("name a table or give a query, one of the two")
        if self.query is not None and not is_select(self.query):
            raise ValueError("the query must be a SELECT")
        return self

    def batches(self, window: Window, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Stream the window's rows; the time column is a timestamp in UTC."""
        import sqlalchemy as sa

        with self._database.connect() as connection:
            relation = self._relation(connection)
            fetched = self.needed(relation.names, columns, relation.place)
            seen = self._peek(connection, relation, self.time)
            form = self.time_form(seen, relation.place)
            if form is None:
                return
            statement = self._from(relation, fetched)
            statement = statement.where(within(sa.column(self.time), form, seen, window, self._zone(relation)))
            with closing(self._stream(connection, statement, relation)) as raw:
                yield from self.deliver(raw, window, columns, relation.place)

    def select(self, query: str) -> Iterator[pa.RecordBatch]:
        """Stream all rows of another SELECT in the same database, for a reference.

        Raises
        ------
        UserError
            When it is no SELECT.
        """
        if not is_select(query):
            raise UserError("reference.query must be a SELECT")
        with self._database.connect() as connection:
            relation = of_query(connection, query)
            with closing(self._stream(connection, _selection(relation, relation.names), relation)) as raw:
                yield from raw

    def facts(self) -> TableFacts:
        """Look at columns, indexes, permissions and the extremes of the time."""
        with self._database.connect() as connection:
            relation = self._relation(connection)
            self.needed(relation.names, None, relation.place)
            seen = self._peek(connection, relation, self.time)
            form = self.time_form(seen, relation.place)
            warnings = [] if relation.in_utc(self.time) else self.zone_warnings(form, seen)
            warnings += self.time_warnings(form, seen)
            warnings += warnings_about(connection, relation, self.time, empty=not seen)
            columns = dict(relation.types)
            if self.features:
                columns |= self.feature_types(self._peek(connection, relation, self.features))
                del columns[self.features]
            rows = estimated_rows(connection, relation)
        first = last = None
        try:
            if form is not None:
                with self._database.connect() as connection:
                    first, last = extremes(connection, relation, self.time, self._zone(relation), form, seen)
        except LeewayError as error:
            warnings.append(f"the first and last event stay unknown: {error}")
        return TableFacts(columns, rows, first, last, tuple(warnings), "streaming SQLAlchemy cursor")

    @property
    def _database(self) -> Database:
        return Database(self.url.get_secret_value(), self.timeout)

    def _relation(self, connection: "sa.Connection") -> Relation:
        if self.query is not None:
            return of_query(connection, self.query)
        return of_table(connection, str(self.table))

    def _zone(self, relation: Relation) -> tzinfo:
        return UTC if relation.in_utc(self.time) else self.zone

    def _from(self, relation: Relation, names: Sequence[str]) -> "sa.Select[*tuple[Any, ...]]":
        import sqlalchemy as sa

        statement = _selection(relation, names)
        return statement if self.where is None else statement.where(sa.text(f"({literal(self.where)}\n)"))

    def _peek(self, connection: "sa.Connection", relation: Relation, name: str) -> list[object]:
        """Return a few values of a column."""
        statement = self._from(relation, [name]).where(relation.expression(name).is_not(None)).limit(PEEKED)
        return list(connection.execute(statement).scalars())

    def _stream(
        self, connection: "sa.Connection", statement: "sa.Select[*tuple[Any, ...]]", relation: Relation
    ) -> Generator[pa.RecordBatch, None, None]:
        declared = dict(relation.declared)
        deadline = connection.info.get("deadline")
        result = connection.execute(statement, execution_options={"yield_per": self.batch_rows})
        names = list(result.keys())
        with closing(result):
            while rows := result.fetchmany(self.batch_rows):
                batch = batch_of(names, rows, declared)
                for field in batch.schema:
                    if not pa.types.is_null(field.type):
                        declared.setdefault(field.name, field.type)
                yield batch
                if deadline is not None:
                    deadline.restart()


def _selection(relation: Relation, names: Sequence[str]) -> "sa.Select[*tuple[Any, ...]]":
    import sqlalchemy as sa

    columns: list[Any] = [relation.expression(name) for name in names]
    return sa.select(*columns).select_from(relation.source)
