"""What is read from Spark: a table, files or a SELECT as a frame, its columns quoted, its window as a condition."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import reduce
from operator import and_, or_
from typing import Any

import pyarrow as pa

from checks.instants import Form
from monitor.core.errors import UserError
from monitor.core.window import Window
from monitor.sources._arrow import plain
from monitor.sources._bounds import ranges
from monitor.sources._log import missing
from monitor.sources._spark.session import Connection

_NO_ARROW = ("interval", "variant", "geometry", "geography")  # types that Arrow has no like of, or none to read


@dataclass(frozen=True)
class Relation:
    """A frame with what is known of it.

    Parameters
    ----------
    connection : whose session it belongs to.
    frame : Spark's.
    place : for people.
    types : column to type, in Spark's words.
    """

    connection: Connection
    frame: Any
    place: str
    types: dict[str, str]

    @property
    def names(self) -> list[str]:
        """The columns, in their order."""
        return list(self.types)

    def column(self, name: str) -> Any:
        """Return a column by its name, whatever it holds."""
        return self.connection.functions.col(quoted(name))

    def selected(self, names: Sequence[str], condition: Any = None) -> Any:
        """Return a frame of these columns, named by their place, of the rows that meet a condition."""
        frame = self.frame if condition is None else self.frame.where(condition)
        return frame.select(*[self._readable(name).alias(f"c{place}") for place, name in enumerate(names)])

    def within(self, name: str, form: Form, seen: Sequence[object], window: Window, zone: tzinfo) -> Any:
        """Return the condition for a time column, never too narrow, of a kind that Spark pushes down to the files."""
        literal = self._literal(form, seen)
        column = self.column(name)
        pairs = [
            and_(column >= literal(low), column < literal(_ceiling(high) if form == "date" else high))
            for low, high in ranges(form, seen, window, zone)
        ]
        return reduce(or_, pairs)

    def peek(self, name: str, most: int) -> list[object]:
        """Return a few values of a column that are not null."""
        found = self.connection.collect(self.selected([name], self.column(name).isNotNull()).limit(most))
        return [value for batch in found.to_batches() for value in plain(batch).column(0).to_pylist()]

    def counted(self, name: str, inside: Any) -> tuple[int, int, pa.Array]:
        """Count rows and those with a time, and find the first and the last time inside a condition, None for none.

        One pass over that column alone.
        """
        functions, time = self.connection.functions, self.column(name)
        believed = functions.when(inside, time) if inside is not None else functions.lit(None).cast("timestamp")
        found = self.connection.collect(
            self.frame.agg(
                functions.count(functions.lit(1)).alias("rows"),
                functions.count(time).alias("timed"),
                functions.min(believed).alias("first"),
                functions.max(believed).alias("last"),
            )
        )
        rows, timed, first, last = plain(found.combine_chunks().to_batches()[0]).columns
        return rows[0].as_py(), timed[0].as_py(), pa.concat_arrays([first, last])

    def _literal(self, form: Form, seen: Sequence[object]) -> Callable[[Any], Any]:
        """Return what makes a bound a literal of the column's own type; of another type, nothing would be pushed."""
        lit = self.connection.functions.lit
        if form == "naive":
            return lambda moment: lit(f"{moment:%Y-%m-%d %H:%M:%S.%f}").cast("timestamp_ntz")
        if form == "date":
            return lambda moment: lit(moment.date())
        if any(isinstance(value, float) for value in seen):
            return lambda count: lit(float(count))
        return lit  # type: ignore[no-any-return]

    def _readable(self, name: str) -> Any:
        column = self.column(name)
        return column.cast("string") if self.types[name].startswith(_NO_ARROW) else column


def _ceiling(moment: datetime) -> datetime:
    midnight = datetime.combine(moment.date(), datetime.min.time())
    return midnight if moment == midnight else midnight + timedelta(days=1)


def quoted(name: str) -> str:
    """Return a column's name as Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"


def of_table(connection: Connection, name: str, where: str | None) -> Relation:
    """Look up a table of Spark's catalogs.

    Raises
    ------
    UserError
        When it is not there, with the nearest names.
    """
    from pyspark.errors import AnalysisException

    session = connection.session
    try:
        return _relation(connection, session.table(name), f"table {name!r}", where)
    except AnalysisException as error:
        if "TABLE_OR_VIEW_NOT_FOUND" not in (error.getCondition() or ""):
            raise
        prefix = name.rpartition(".")[0]
        listed = session.catalog.listTables(prefix or None)
        known = [f"{prefix}.{found.name}" if prefix else found.name for found in listed]
        raise UserError(f"logs.table: {missing('table or view', name, known, 'Spark')}") from error


def of_query(connection: Connection, select: str, where: str | None) -> Relation:
    """Take a SELECT for a table; it stands inside another one, where Spark's grammar admits nothing that writes."""
    text = select.strip().rstrip(";")
    frame = connection.session.sql(f"SELECT * FROM (\n{text}\n) AS log")  # noqa: S608 - the user's own SELECT
    return _relation(connection, frame, "the query", where)


def of_files(connection: Connection, path: str, kind: str, where: str | None) -> Relation:
    """Take files for a table."""
    return _relation(connection, connection.session.read.format(kind).load(path), path, where)


def _relation(connection: Connection, frame: Any, place: str, where: str | None) -> Relation:
    """Ask Spark what columns a frame has.

    Raises
    ------
    UserError
        When two of them share a name, for Spark cannot tell them apart.
    """
    fields = list(frame.schema.fields)
    names = [field.name.lower() for field in fields]
    twice = next((field.name for field in fields if names.count(field.name.lower()) > 1), None)
    if twice is not None:
        raise UserError(f"{place} has several columns named {twice!r}; give each its own name by a query with AS")
    if where is not None:
        frame = frame.where(f"({where}\n)")
    return Relation(connection, frame, place, {field.name: field.dataType.simpleString() for field in fields})
