"""Which rows of two samples may be told apart: the values of a column as segments, and the times of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from checks import reading
from checks.profile import Bins, Edges
from checks.segment_scores import Pair

LEAST_SHARE = 0.02  # of the rows of a side that a value must hold to be a segment
MOST_VALUES = 20
FOLLOWS = 0.4  # variation between the times of a segment's rows and of all rows, from which a column follows the time
REST, NULL = "\0rest", "\0null"
_HOUR, _DAY, _WEEK = 3600, 24, 168
_ALIKE_ROWS = 400  # reference rows of the same hours from which they stand for all of it
_BLOCKS = 8  # in which the time since the onset is cut
_PART = 4  # hours of a part of the day


@dataclass(frozen=True)
class Segments:
    """One column's values as codes, shape (rows,) each; ``labels[code]`` is the value, the last one is all others."""

    column: str
    labels: tuple[str, ...]
    reference: np.ndarray
    current: np.ndarray

    @classmethod
    def of(cls, reference: pa.Table, current: pa.Table, name: str, bins: Bins, *, chosen: bool) -> "Segments | None":
        """Return a column's values; None where it has too many, or none that is large enough.

        Parameters
        ----------
        chosen : whether a person chose the column, so that it may have many values.
        """
        countable = bins.categorical or (bins.kind == "numeric" and bins.integral)
        if not countable or any(name not in table.column_names for table in (reference, current)):
            return None
        texts = [_texts(table.column(name), bins) for table in (reference, current)]
        tallies = [dict(zip(*np.unique(side, return_counts=True), strict=True)) for side in texts]
        large = {
            str(value)
            for side, tally in zip(texts, tallies, strict=True)
            for value, count in tally.items()
            if count >= LEAST_SHARE * side.size
        }
        distinct = len({*tallies[0], *tallies[1]})
        # A count with many values is a quantity; a category may have a long tail.
        many = len(large) > MOST_VALUES or (not bins.categorical and distinct > MOST_VALUES)
        if distinct < 2 or not large or (many and not chosen):
            return None
        labels = (*sorted(large), REST)
        places = {label: place for place, label in enumerate(labels)}
        codes = [np.array([places.get(value, len(large)) for value in side.tolist()], np.int64) for side in texts]
        return cls(name, labels, *codes)

    def split(self, pair: Pair, code: int) -> tuple[Pair, Pair]:
        """Return the rows of a segment, and all others."""
        before, after = self.reference == code, self.current == code
        return pair.where(before, after), pair.where(~before, ~after)

    def named(self, code: int) -> str:
        """Return the segment in words, to follow "rows"."""
        label = self.labels[code]
        return f"without `{self.column}`" if label == NULL else f"with {self.column} = '{label}'"

    def value(self, code: int) -> str | None:
        """Return the segment's value; None where it is null."""
        return None if self.labels[code] == NULL else self.labels[code]

    def follow(self, times: Sequence[np.ndarray]) -> bool:
        """Whether the value of a row is told by its time, as weekdays and hours are.

        Such segments are stretches of time, and every quantity that wanders would be laid on one of them.

        Parameters
        ----------
        times : the current rows' times in blocks, each of shape (rows,).
        """
        for blocks in times:
            table = np.zeros((len(self.labels), int(blocks.max(initial=0)) + 1))
            np.add.at(table, (self.current, blocks), 1)
            expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / max(1, blocks.size)
            if np.abs(table - expected).sum() / 2 > FOLLOWS * blocks.size:
                return True
        return False


def _texts(array: pa.ChunkedArray, bins: Bins) -> np.ndarray:
    read = reading.booleans(array) if bins.kind == "boolean" else reading.texts(array)
    return np.array(np.where(read.ok, read.values, NULL), dtype=str)


def blocks(windows: Sequence[pa.Table], rows: pa.Table, time: str | None) -> list[np.ndarray]:
    """Return the blocks of time of the current rows: stretches since the onset and parts of the day, else windows."""
    if time is None or time not in rows.column_names:
        return [np.repeat(np.arange(len(windows)), [window.num_rows for window in windows])]
    moments = _seconds(rows, time)
    cuts = np.quantile(moments, np.arange(1, _BLOCKS) / _BLOCKS)
    return [np.searchsorted(cuts, moments, side="right"), (moments // _HOUR % _DAY // _PART).astype(np.int64)]


def _seconds(table: pa.Table, time: str) -> Edges:
    return np.asarray(np.nan_to_num(reading.instants(table.column(time)).values, nan=0.0), np.float64)


def same_hours(reference: pa.Table, current: pa.Table, time: str | None) -> pa.Table:
    """Return the reference's rows of the same hours of the week, else of the day, as far as there are enough.

    Otherwise the mix of segments would seem to have changed in every window of the night.
    """
    if time is None or any(time not in table.column_names for table in (reference, current)):
        return reference
    hours = [(_seconds(table, time) // _HOUR).astype(np.int64) for table in (reference, current)]
    for cycle in (_WEEK, _DAY):
        alike = np.isin(hours[0] % cycle, np.unique(hours[1] % cycle))
        if alike.sum() >= _ALIKE_ROWS:
            return reference.filter(pa.array(alike))
    return reference
