"""Prediction logs in a database, read in a read-only transaction: by ADBC where there is a driver, else a cursor."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Annotated, Any, Self

import pyarrow as pa
from pydantic import Field, model_validator

from monitor.core.errors import LeewayError, UserError
from monitor.core.labels import Truth
from monitor.core.ports import TableFacts
from monitor.core.window import Window
from monitor.options import DatabaseUrl, Duration
from monitor.sources._bounds import within
from monitor.sources._countable import Countable, Decision
from monitor.sources._log import PEEKED, Wanted
from monitor.sources._sql.database import Database
from monitor.sources._sql.inspecting import estimated_rows, extremes, scanned, warnings_about
from monitor.sources._sql.relation import Relation, is_select, literal, of_query, of_table
from monitor.sources._sql.streaming import Selection, reader_of, stream

if TYPE_CHECKING:
    import sqlalchemy as sa

    from monitor.sources._counting import View
    from monitor.sources._labelling import Place


class Sql(Countable):
    """A table, view or query in any database that SQLAlchemy reaches."""

    url: DatabaseUrl
    """The SQLAlchemy URL, such as ``postgresql+psycopg://reader:…@host/name``; best with a user who can only read."""
    table: str | None = None
    """The table or view, with its schema where that is not the default: ``analytics.predictions``."""
    query: str | None = None
    """A SELECT in place of a table."""
    timeout: Annotated[Duration, Field(gt=timedelta())] = timedelta(minutes=5)
    """How long a statement may run (SQLite, PostgreSQL, MySQL and MariaDB); by ADBC, a window is one statement."""

    @model_validator(mode="after")
    def _table_or_query(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise ValueError("name a table or give a query, one of the two")
        if self.query is not None and not is_select(self.query):
            raise ValueError("the query must be a SELECT")
        return self

    def batches(self, window: Window, columns: Wanted = None) -> Iterator[pa.RecordBatch]:
        """Stream the window's rows; the time column is a timestamp in UTC."""
        import sqlalchemy as sa

        with ExitStack() as opened:
            connection = opened.enter_context(self._database.connect())
            relation = self._relation(connection)
            fetched = self.needed(relation.names, columns, relation.place)
            seen = self._peek(connection, relation, self.time)
            form = self.time_form(seen, relation.place)
            if form is None:
                return
            inside = within(sa.column(self.time), form, seen, window, self._zone(relation))
            selection = Selection(relation, fetched, (inside, *self._condition()))
            rows = self.rows_at_a_time(len(fetched))
            with closing(stream(self._database, opened, connection, selection, rows)) as raw:
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
        with ExitStack() as opened:
            connection = opened.enter_context(self._database.connect())
            relation = of_query(connection, query)
            selection, rows = Selection(relation, relation.names), self.rows_at_a_time(len(relation.names))
            with closing(stream(self._database, opened, connection, selection, rows)) as raw:
                yield from raw

    @contextmanager
    def opened(self, window: Window) -> "Iterator[View | str]":
        """Open the table for counting in one transaction."""
        from monitor.sources._counting import view_of
        from monitor.sources._counting.views import dialect_of, hold_still, of_database, told_otherwise

        with self._database.connect() as connection:
            hold_still(connection, self.zone)
            relation = self._relation(connection)
            self.needed(relation.names, None, relation.place)
            seen = self._peek(connection, relation, self.time)
            form = self.time_form(seen, relation.place)
            if (reason := told_otherwise(connection, relation, self.time)) is not None:
                yield reason
                return
            ways = of_database(connection, relation)
            times = (self.time, form, seen, window, self._zone(relation))
            yield view_of(dialect_of(connection), relation, times, self.id, self._condition(), ways)

    @contextmanager
    def beside(self, truth: Truth) -> "Iterator[Place]":
        """Open the log and the labels in one transaction."""
        from monitor.sources._counting.views import dialect_of, hold_still, of_database
        from monitor.sources._labelling import Place

        with ExitStack() as opened:
            connection = opened.enter_context(self._database.connect())
            hold_still(connection, self.zone)
            log = self._relation(connection)
            labels = of_table(connection, truth.table, "labels.table")
            answers, _, _ = of_database(connection, log)

            def batches(selection: Selection) -> Iterator[pa.RecordBatch]:
                rows = self.rows_at_a_time(len(selection.names))
                return stream(self._database, opened, connection, selection, rows)

            yield Place(log, labels, dialect_of(connection), self._condition(), answers, batches)

    def decided(self, window: Window) -> Decision:
        """Decide by the database, and by how many rows it expects."""
        from monitor.sources._counting.deciding import decided

        with self._database.connect() as connection:
            _, statement = self._rows_of(connection, window)
            if statement is None:
                return Decision(False, "there are no rows")
            return decided(connection, statement, self.max_rows)

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
            reader = reader_of(self._database, connection, relation)
        first = last = None
        try:
            if form is not None:
                with self._database.connect() as connection:
                    first, last = extremes(connection, relation, self.time, self._zone(relation), form, seen)
        except LeewayError as error:
            warnings.append(f"the first and last event stay unknown: {error}")
        warnings += self._planned(rows, first, last)
        return TableFacts(columns, rows, first, last, tuple(warnings), self._way(reader, last))

    def _planned(self, rows: int | None, first: datetime | None, last: datetime | None) -> list[str]:
        """Return what the plan for a hundredth of the table warns of."""
        if first is None or last is None or first >= last:
            return []
        with self._database.connect() as connection:
            relation, statement = self._rows_of(connection, Window(first, first + (last - first) / 100))
            if statement is None:
                return []
            return scanned(connection, relation, self.time, rows, statement)

    def _rows_of(
        self, connection: "sa.Connection", window: Window
    ) -> "tuple[Relation, sa.Select[*tuple[Any, ...]] | None]":
        """Return the SELECT of a window's times; None for a table without rows."""
        import sqlalchemy as sa

        relation = self._relation(connection)
        self.needed(relation.names, None, relation.place)
        seen = self._peek(connection, relation, self.time)
        form = self.time_form(seen, relation.place)
        if form is None:
            return relation, None
        inside = within(sa.column(self.time), form, seen, window, self._zone(relation))
        return relation, Selection(relation, [self.time], (inside, *self._condition())).statement()

    @property
    def _database(self) -> Database:
        return Database(self.url.get_secret_value(), self.timeout)

    def _relation(self, connection: "sa.Connection") -> Relation:
        if self.query is not None:
            return of_query(connection, self.query)
        return of_table(connection, str(self.table))

    def _zone(self, relation: Relation) -> tzinfo:
        return UTC if relation.in_utc(self.time) else self.zone

    def _condition(self) -> list[Any]:
        import sqlalchemy as sa

        return [] if self.where is None else [sa.text(f"({literal(self.where)}\n)")]

    def _peek(self, connection: "sa.Connection", relation: Relation, name: str) -> list[object]:
        """Return a few values of a column."""
        known = relation.expression(name).is_not(None)
        statement = Selection(relation, [name], (known, *self._condition())).statement()
        return list(connection.execute(statement.limit(PEEKED)).scalars())
