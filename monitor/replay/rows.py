"""The raw rows that other tools' rules need, column by column: of the reference and of every window, read once more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from checks import reading
from checks.binning import measured
from checks.peering import Ints, Values
from checks.profile import Bins, Edges
from checks.sampling import Sample
from monitor.core.errors import UserError
from monitor.core.window import Window
from monitor.referencing.rows import reference_rows, windows_of
from monitor.sources._log import Log
from monitor.watch import Watch

MOST_REFERENCE_ROWS = 200_000
MOST_WINDOW_ROWS, FEWEST_WINDOW_ROWS = 10_000, 500
MOST_VALUES = 20_000_000  # of all windows and columns together; 8 bytes each
CHOSEN = "chosen by the hash of their id"


@dataclass(eq=False)
class Collecting:
    """Reads the reference first and then window by window.

    Parameters
    ----------
    most : rows that are taken of a window, chosen by the hash of their id.
    columns : names of the columns to read.
    """

    watch: Watch
    bins: Mapping[str, Bins]
    log: Log
    columns: Sequence[str]
    most: int
    notes: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, int]] = field(default_factory=dict)
    _sampled: int = 0

    @classmethod
    def start(cls, watch: Watch, bins: Mapping[str, Bins], windows: int) -> "Collecting":
        """Look which columns the log has.

        Raises
        ------
        UserError
            When its rows cannot be read one by one.
        """
        log = watch.model.logs
        if not isinstance(log, Log):
            raise UserError("--compare needs rows, and these logs give none; leave it out")
        known = log.facts().columns
        columns = [name for name in bins if name in known]
        share = MOST_VALUES // max(1, windows * len(columns))
        return cls(watch, bins, log, columns, max(FEWEST_WINDOW_ROWS, min(MOST_WINDOW_ROWS, share)))

    def reference(self) -> dict[str, Values]:
        """Return the reference's values by column, with the number of their window where they have a time.

        Raises
        ------
        UserError
            When the configuration names no rows to build a reference from.
        """
        table, time, _ = reference_rows(self.watch.model, self.log)
        if table.num_rows > MOST_REFERENCE_ROWS:
            self.notes.append(f"{MOST_REFERENCE_ROWS:,} of {table.num_rows:,} reference rows, {CHOSEN}")
            table = Sample(MOST_REFERENCE_ROWS, self.log.id).add(table).rows()
            table = table.sort_by(time) if time else table
        blocks = self._blocks(table.column(time)) if time else None
        return {name: self._values(table, name, time, blocks) for name in self.columns}

    def _blocks(self, times: pa.ChunkedArray) -> Ints:
        """Return the number of each row's window, ascending; rows without a time stand last, and with the last."""
        blocks = np.zeros(len(times), np.int64)
        for number, (_, place, _) in enumerate(windows_of(times, self.watch.schedule)):
            blocks[place:] = number
        return blocks

    def window(self, window: Window) -> dict[str, Values]:
        """Return the values of one window by column."""
        wanted = [*self.columns, *([self.log.id] if self.log.id and self.log.id not in self.columns else [])]
        sample, rows = Sample(self.most, self.log.id), 0
        for batch in self.log.batches(window, wanted):
            rows += batch.num_rows
            sample = sample.add(batch)
        self._sampled += rows > self.most
        table = sample.rows()
        return {name: self._values(table, name, self.log.time, None) for name in self.columns}

    def said(self) -> tuple[str, ...]:
        """Return what was left out, in words."""
        if not self._sampled:
            return tuple(self.notes)
        return (*self.notes, f"{self.most:,} rows of each of {self._sampled:,} larger windows, {CHOSEN}")

    def _values(self, table: pa.Table, name: str, time: str | None, blocks: Ints | None) -> Values:
        bins = self.bins[name]
        if name not in table.column_names:
            return Values(np.full(table.num_rows, -1 if bins.categorical else np.nan), bins.kind, blocks)
        column = table.column(name)
        if not bins.categorical:
            read = measured(column, bins.kind, _seconds(table, time))
            return Values(np.where(read.ok, read.values, np.nan).astype(np.float64), bins.kind, blocks)
        read = reading.booleans(column) if bins.kind == "boolean" else reading.texts(column)
        codes, ok = self._codes.setdefault(name, {}), read.ok
        found = np.full(len(read.values), -1, np.int64)
        found[ok] = [codes.setdefault(value, len(codes)) for value in read.values[ok].tolist()]
        return Values(found, bins.kind, blocks)


def _seconds(table: pa.Table, time: str | None) -> Edges | None:
    return reading.instants(table.column(time)).values if time and time in table.column_names else None
