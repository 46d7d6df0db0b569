"""A prediction log in memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo

import pyarrow as pa
import pyarrow.compute as pc

from checks.aggregate import Aggregate
from checks.instants import INSTANT, column_to_utc
from checks.profile import Bins
from monitor.core.errors import UnavailableError, UserError
from monitor.core.ports import Reading, TableFacts
from monitor.core.window import Window


@dataclass
class MemorySource:
    """A source over an Arrow table.

    Parameters
    ----------
    table : the log; a test may put another one in its place at any time, or add late rows by :meth:`append`.
    time, id : names of the event time and of the column that names a row.
    zone : zone of times that name none.
    batch_rows : rows a batch.
    unavailable : while set, every call raises UnavailableError with these words.
    """

    table: pa.Table
    time: str
    id: str | None = None
    zone: tzinfo = UTC
    batch_rows: int = 1000
    unavailable: str = ""
    windows: list[Window] = field(default_factory=list)

    def append(self, rows: pa.Table) -> None:
        """Let rows arrive, late ones among them."""
        self.table = pa.concat_tables([self.table, rows], promote_options="default")

    def batches(self, window: Window, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Stream the window's rows; the time column is a timestamp in UTC."""
        times = self._times()
        for name in columns or ():
            if name not in self.table.column_names:
                raise UserError(f"the log has no column {name!r}; it has {', '.join(self.table.column_names)}")
        self.windows.append(window)
        place = self.table.column_names.index(self.time)
        start, end = pa.scalar(window.start, INSTANT), pa.scalar(window.end, INSTANT)
        rows = self.table.set_column(place, self.time, times)
        rows = rows.filter(pc.and_(pc.greater_equal(times, start), pc.less(times, end)))
        if columns is not None:
            rows = rows.select([name for name in rows.column_names if name in columns or name == self.time])
        yield from rows.to_batches(max_chunksize=self.batch_rows)

    def read(self, window: Window, bins: Mapping[str, Bins], sample_rows: int) -> Reading:
        """Profile the window and sample its rows by the hash of their id, in one pass."""
        aggregate = Aggregate.empty(bins, sample_rows, (window.start, window.end), self.time, self.id)
        for batch in self.batches(window):
            aggregate = aggregate.add(batch)
        return Reading(aggregate.profile, aggregate.sample.rows())

    def facts(self) -> TableFacts:
        """Look at the table."""
        times = self._times()
        extremes = pc.min_max(times).as_py()
        return TableFacts(
            columns={column.name: str(column.type) for column in self.table.schema},
            rows=self.table.num_rows,
            first_event=extremes["min"],
            last_event=extremes["max"],
            reader="memory",
        )

    def _times(self) -> pa.Array:
        if self.unavailable:
            raise UnavailableError(self.unavailable)
        if self.time not in self.table.column_names:
            raise UserError(f"the log has no column {self.time!r}; it has {', '.join(self.table.column_names)}")
        return column_to_utc(self.table.column(self.time), self.zone)
