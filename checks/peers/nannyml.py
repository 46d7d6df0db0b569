"""NannyML's univariate drift: how unlike the chunks of the reference a chunk is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.peering import Floats, Ints, Values
from checks.windowed import Rows, jensen_shannon, side_by_side

CHUNKS = 10  # of equal size, where the time of the reference's rows is unknown
DEVIATIONS = 3.0


@dataclass(frozen=True)
class NannyML:
    """NannyML 0.13.1 at its defaults: a chunk's Jensen-Shannon distance beyond mean ± 3 deviations of the reference's.

    Distance with base 2 between the chunk and the whole reference, in Doane's bins for numbers and by value for
    categories; what lies outside of the bins is one bin more. Mean and deviation are those of the same distance over
    the reference's own chunks: its time blocks where they are known, else ten of equal size. A distance that is too
    small alarms too. The score is the distance from the mean in deviations.

    References
    ----------
    ``ContinuousJensenShannonDistance``, ``CategoricalJensenShannonDistance`` and ``StandardDeviationThreshold`` in
    NannyML 0.13.1.
    """

    title: ClassVar[str] = "NannyML"

    def scores(self, reference: Values, windows: Sequence[Values]) -> Floats:
        """Return how many of the reference's deviations every window is off, shape (windows,)."""
        rows = side_by_side(reference, windows)
        if not rows.reference.size:
            return np.zeros(rows.windows)
        codes, current, size = _places(rows, numeric=not reference.categorical)
        counts, by_window = rows.counts(codes, current, size)
        chunks = _chunks(reference)
        by_chunk = np.bincount(chunks * size + codes, minlength=(chunks[-1] + 1) * size).reshape(-1, size)
        usual = _distances(by_chunk.astype(np.float64), counts)
        usual = usual[~np.isnan(usual)]
        with np.errstate(divide="ignore", invalid="ignore"):
            return rows.settled(np.abs(_distances(by_window, counts) - usual.mean()) / usual.std())

    def threshold(self, columns: int, windows_per_30d: float) -> float:  # noqa: ARG002  it does not correct for many
        """Return 3."""
        return DEVIATIONS


def _distances(chunks: Floats, reference: Floats) -> Floats:
    return np.asarray(jensen_shannon(chunks, reference[None]) / np.sqrt(np.log(2.0)))


def _chunks(reference: Values) -> Ints:
    """Return the chunk of every non-null reference row, from 0 and ascending."""
    if reference.blocks is None:
        chunk = np.arange(len(reference.data)) * CHUNKS // len(reference.data)
    else:
        chunk = reference.blocks - reference.blocks[0]
    return np.asarray(chunk[reference.known], np.int64)


def _places(rows: Rows, *, numeric: bool) -> tuple[Ints, Ints, int]:
    """Return the bin of every reference row and of every current row, and how many bins there are."""
    if not numeric:
        size = 1 + int(max(rows.reference.max(), rows.current.max(initial=0.0)))
        return rows.reference.astype(np.int64), rows.current.astype(np.int64), size
    edges = np.histogram_bin_edges(rows.reference, bins="doane")
    reference, current = (_bin(values, edges) for values in (rows.reference, rows.current))
    return reference, current, edges.size


def _bin(values: Floats, edges: Floats) -> Ints:
    """Place values in half-open bins, the last one closed; one more bin takes all that lies outside."""
    places = np.minimum(np.searchsorted(edges, values, side="right") - 1, edges.size - 2)
    return np.where((values < edges[0]) | (values > edges[-1]), edges.size - 1, places)
