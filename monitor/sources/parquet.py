"""Prediction logs in files: DuckDB reads Parquet or CSV and hands over Arrow batches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from checks.instants import Form, to_utc
from monitor.core.labels import Truth
from monitor.core.ports import TableFacts
from monitor.core.window import PLAUSIBLE, Window
from monitor.options import FilePath
from monitor.sources._bounds import ranges
from monitor.sources._countable import Countable, Decision
from monitor.sources._files import Files, quoted, stream
from monitor.sources._log import PEEKED, Wanted
from monitor.sources._sql.relation import literal

if TYPE_CHECKING:
    from monitor.sources._counting import View
    from monitor.sources._labelling import Place
    from monitor.sources._sql.streaming import Selection

# Of 2,000,000 rows of 100 columns counting took 11 s and 270 MB, reading 17 s and 550 MB (docs/howto/push-down.md).
# Without an id, drawing the sample costs more than that gains.
ROWS_WORTH_COUNTING = 500_000


class Parquet(Countable):
    """A folder, a glob or a file of Parquet or CSV."""

    path: FilePath
    """A ``.parquet`` or ``.csv`` file, a folder of them, or a glob such as ``logs/2026-*.parquet``."""

    def batches(self, window: Window, columns: Wanted = None) -> Iterator[pa.RecordBatch]:
        """Stream the window's rows; the time column is a timestamp in UTC."""
        with self._files.connect() as connection:
            fetched = self.needed(self._files.relation(connection).columns, columns, self.path)
            seen = self._peek(connection, self.time)
            form = self.time_form(seen, self.path)
            if form is None:
                return
            inside, bounds = self._inside(form, seen, window)
            relation = self._files.relation(connection, fetched, self._and(inside), *bounds)
            rows = self._files.rows(connection, relation, self.rows_at_a_time(len(fetched)))
            yield from self.deliver(rows, window, columns, self.path)

    @contextmanager
    def opened(self, window: Window) -> "Iterator[View | str]":
        """Let DuckDB count."""
        import sqlalchemy as sa

        from monitor.sources._counting import view_of
        from monitor.sources._counting.views import of_files, viewed, zone_of

        with self._files.connect() as connection:
            relation = viewed(connection, self._files)
            self.needed(relation.names, None, self.path)
            seen = self._peek(connection, self.time)
            form = self.time_form(seen, self.path)
            conditions = [] if self.where is None else [sa.text(f"({literal(self.where)}\n)")]
            times = (self.time, form, seen, window, zone_of(relation, self.time, self.zone))
            ways = of_files(connection, self._files, self.batch_rows)
            yield view_of("duckdb", relation, times, self.id, conditions, ways)

    @contextmanager
    def beside(self, truth: Truth) -> "Iterator[Place]":
        """Let DuckDB see the log and the labels, which are files too."""
        import sqlalchemy as sa

        from monitor.sources._counting.views import of_files, spelled, viewed
        from monitor.sources._labelling import Place

        with self._files.connect() as connection:
            log = viewed(connection, self._files)
            labels = viewed(connection, Files(truth.table, "labels.table"), "labels")
            conditions = [] if self.where is None else [sa.text(f"({literal(self.where)}\n)")]
            answers, _, _ = of_files(connection, self._files, self.batch_rows)

            def batches(selection: "Selection") -> Iterator[pa.RecordBatch]:
                return stream(connection.sql(spelled(selection.statement())), self.batch_rows)

            yield Place(log, labels, "duckdb", conditions, answers, batches)

    def decided(self, window: Window) -> Decision:
        """Decide by the number of rows: of many, a few columns at a time take less time and memory than all."""
        with self._files.connect() as connection:
            seen = self._peek(connection, self.time)
            form = self.time_form(seen, self.path)
            if form is None:
                return Decision(False, "there are no rows")
            inside, bounds = self._inside(form, seen, window)
            rows = _only_row(
                self._files.relation(connection, [self.time], self._and(inside), *bounds).aggregate("count(*)")
            )[0]
        if rows > self.max_rows:
            return Decision(True, f"more than {self.max_rows:,} rows are not read one by one")
        if self.id is not None and rows > ROWS_WORTH_COUNTING:
            return Decision(True, f"more than {ROWS_WORTH_COUNTING:,} rows take less memory by columns than by rows")
        return Decision(False, "files are local, where reading and counting cost about the same")

    def facts(self) -> TableFacts:
        """Look at columns, types and the extremes of the time."""
        with self._files.connect() as connection:
            relation = self._files.relation(connection)
            columns = dict(zip(relation.columns, map(str, relation.types), strict=True))
            self.needed(list(columns), None, self.path)
            seen = self._peek(connection, self.time)
            form = self.time_form(seen, self.path)
            warnings = self.zone_warnings(form, seen) + self.time_warnings(form, seen)
            if self.features:
                columns |= self.feature_types(self._peek(connection, self.features))
                del columns[self.features]
            time = quoted(self.time)
            rows, timed = _only_row(relation.aggregate(f"count(*), count({time})"))
            if timed < rows:
                warnings.append(f"{rows - timed:,} rows have no {self.time!r}; they are in no window")
            extremes: Sequence[object] = (None, None)
            if form is not None:
                inside, bounds = self._inside(form, seen, PLAUSIBLE)
                believed = self._files.relation(connection, [self.time], inside, *bounds)
                extremes = _only_row(believed.aggregate(f"min({time}), max({time})"))
            first, last = to_utc(extremes, self.zone).to_pylist()
        return TableFacts(columns, rows, first, last, tuple(warnings), self._way("DuckDB Arrow", last))

    @property
    def _files(self) -> Files:
        return Files(self.path)

    def _inside(self, form: Form, seen: Sequence[object], window: Window) -> tuple[str, list[object]]:
        """Return the condition for the rows of a window, and its values."""
        time, pairs = quoted(self.time), ranges(form, seen, window, self.zone)
        condition = " OR ".join([f"({time} >= ? AND {time} < ?)"] * len(pairs))
        return f"({condition})", [bound for pair in pairs for bound in pair]

    def _and(self, condition: str) -> str:
        return condition if self.where is None else f"{condition} AND ({self.where}\n)"

    def _peek(self, connection: Any, name: str) -> list[object]:
        """Return a few values of a column."""
        relation = self._files.relation(connection, [name], self._and(f"{quoted(name)} IS NOT NULL"))
        return [value for batch in stream(relation.limit(PEEKED), PEEKED) for value in batch.column(0).to_pylist()]


def _only_row(relation: Any) -> list[Any]:
    return [column[0].as_py() for batch in stream(relation, 1) for column in batch.columns]
