"""A log's columns as the product sees them: the reference's bins and the counts of every window."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from benchmarks.signal.logs import LogColumn
from checks.binning import fit
from checks.profile import Bins
from checks.reading import booleans, texts


@dataclass(frozen=True, eq=False)
class Counted:
    """One column counted in the product's own bins.

    Parameters
    ----------
    name : of the column.
    bins : fixed by ``checks.binning.fit`` on the reference's rows.
    counts : rows by window and bin, shape (W, bins.size); reference windows first.
    nulls : rows without a value by window, shape (W,).
    reference : how many of the W windows are the reference.
    """

    name: str
    bins: Bins
    counts: np.ndarray
    nulls: np.ndarray
    reference: int

    @property
    def rows(self) -> np.ndarray:
        """All rows of every window, shape (W,)."""
        return self.counts.sum(1) + self.nulls


def counted(column: LogColumn) -> Counted:
    """Fix a column's bins on its reference and count every window in them, all windows in one pass."""
    frame = column.frame
    values = arrow(column)
    bins = fit(values.slice(0, int(frame.starts[frame.reference])), column.kind)
    places = _categories(values, bins) if bins.categorical else _numbers(column.values, bins)
    known = places >= 0
    flat = np.bincount(frame.window[known] * bins.size + places[known], minlength=frame.windows * bins.size)
    nulls = np.bincount(frame.window[~known], minlength=frame.windows)
    return Counted(column.name, bins, flat.reshape(frame.windows, bins.size), nulls, frame.reference)


def arrow(column: LogColumn) -> pa.Array:
    """Return a column's values as a log would deliver them; the negative codes of categories as nulls."""
    values = column.values
    if values.dtype.kind in "iu" and column.kind == "categorical":
        return pa.array(values, mask=values < 0)
    return pa.array(values, from_pandas=True)


def _numbers(values: np.ndarray, bins: Bins) -> np.ndarray:
    """Place numbers in the bins, shape (rows,); -1 for null."""
    places = np.searchsorted(bins.edge_array, values, side="left")
    return np.where(np.isnan(values), -1, places)


def _categories(values: pa.Array, bins: Bins) -> np.ndarray:
    """Place categories in the bins, shape (rows,): each distinct value is read once; -1 for null."""
    encoded = values.dictionary_encode()
    read = booleans(encoded.dictionary) if bins.kind == "boolean" else texts(encoded.dictionary)
    places = np.array([bins.places.get(value, bins.size - 1) for value in read.values] + [-1])
    codes = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    return places[codes]
