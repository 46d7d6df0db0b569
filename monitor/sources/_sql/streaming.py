"""The rows of a SELECT as Arrow batches: by ADBC where it reads them as the cursor does, else by the cursor."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from monitor.sources._arrow import batch_of
from monitor.sources._sql.adbc import CURSOR, RefusedError, chosen, reachable
from monitor.sources._sql.database import Database
from monitor.sources._sql.relation import Relation

if TYPE_CHECKING:
    import sqlalchemy as sa


@dataclass(frozen=True)
class Selection:
    """Some columns of the rows that meet all conditions."""

    relation: Relation
    names: Sequence[str]
    conditions: Sequence[Any] = ()

    def statement(self, columns: Sequence[Any] = ()) -> "sa.Select[*tuple[Any, ...]]":
        """Return the SELECT, with other expressions for the columns where given."""
        import sqlalchemy as sa

        chosen: Sequence[Any] = columns or [self.relation.expression(name) for name in self.names]
        return sa.select(*chosen).select_from(self.relation.source).where(*self.conditions)


def reader_of(database: Database, connection: "sa.Connection", relation: Relation) -> str:
    """Return in words how all columns of a relation are read."""
    reader, words = chosen(database, connection, relation, relation.names)
    if reader is not None and not reachable(reader):
        return f"{CURSOR} ({words} cannot connect)"
    return words


def stream(database: Database, opened: ExitStack, connection: "sa.Connection", selection: Selection, rows: int
) -> Generator[pa.RecordBatch, None, None]:  # fmt: skip
    """Stream the rows of a selection.

    Parameters
    ----------
    opened : closes ``connection``, which ADBC does not need: it would idle until its own timeout.
    rows : of a batch, at most.
    """
    relation, names = selection.relation, selection.names
    reader, _ = chosen(database, connection, relation, names)
    if reader is None:
        yield from by_cursor(connection, selection, rows)
        return
    opened.close()
    statement = selection.statement([column.expression for column in reader.columns])
    with closing(reader.stream(statement, rows, dict(relation.declared))) as batches:
        try:
            first = next(batches, None)
        except RefusedError:
            first = None
        else:
            if first is not None:
                yield first
                yield from batches
            return
    with database.connect() as another:
        yield from by_cursor(another, selection, rows)


def by_cursor(connection: "sa.Connection", selection: Selection, rows: int) -> Generator[pa.RecordBatch, None, None]:
    """Stream the rows of a selection by the cursor of a connection, which stays open."""
    declared = dict(selection.relation.declared)
    deadline = connection.info.get("deadline")
    result = connection.execute(selection.statement(), execution_options={"yield_per": rows})
    names = list(result.keys())
    with closing(result):
        while fetched := result.fetchmany(rows):
            batch = batch_of(names, fetched, declared)
            for field in batch.schema:
                if not pa.types.is_null(field.type):
                    declared.setdefault(field.name, field.type)
            yield batch
            if deadline is not None:
                deadline.restart()
