"""The rows of many windows side by side, so that a distance of each to one reference is a single pass over all."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from checks.peering import Floats, Ints, Values

STRONGEST = 300.0  # scores end here: the smallest p-value that a double can tell from 0 is 1e-308


@dataclass(frozen=True, eq=False)
class Rows:
    """One column's values in the reference and in W windows, nulls left out.

    Parameters
    ----------
    reference : numbers, or codes from 0; shape (m,).
    current : the same of all windows, one after the other; shape (N,).
    window : window of every current row, ascending; shape (N,).
    windows : W.
    """

    reference: Floats
    current: Floats
    window: Ints
    windows: int

    @cached_property
    def sizes(self) -> Floats:
        """Rows of every window, shape (W,)."""
        return np.bincount(self.window, minlength=self.windows).astype(np.float64)

    @cached_property
    def at_least_one(self) -> Floats:
        """``sizes`` to divide by, shape (W,)."""
        return np.maximum(self.sizes, 1.0)

    def counts(self, reference_bins: Ints, current_bins: Ints, size: int) -> tuple[Floats, Floats]:
        """Count rows by bin: of the reference, shape (size,), and of every window, shape (W, size)."""
        flat = np.bincount(self.window * size + current_bins, minlength=self.windows * size)
        return (
            np.bincount(reference_bins, minlength=size).astype(np.float64),
            flat.reshape(self.windows, size).astype(np.float64),
        )

    def value_counts(self) -> tuple[Floats, Floats]:
        """Count every distinct value: shapes (values,) and (W, values), in ascending order of the values."""
        distinct, codes = np.unique(np.concatenate([self.reference, self.current]), return_inverse=True)
        return self.counts(codes[: self.reference.size], codes[self.reference.size :], distinct.size)

    def settled(self, scores: npt.ArrayLike) -> Floats:
        """Return scores as a rule must: finite, and 0 where there is nothing to compare."""
        settled = np.nan_to_num(np.asarray(scores, np.float64), nan=0.0, posinf=STRONGEST)
        return np.where(self.sizes > 0, np.minimum(settled, STRONGEST), 0.0)


def side_by_side(reference: Values, windows: Sequence[Values]) -> Rows:
    """Put the non-null rows of a reference and of windows side by side; categories become codes from 0."""
    kept = [reference.data[reference.known], *(window.data[window.known] for window in windows)]
    joined = np.concatenate(kept)
    if reference.categorical:
        joined = np.unique(joined, return_inverse=True)[1]
    joined = joined.astype(np.float64)
    ends = len(kept[0])
    window = np.repeat(np.arange(len(windows)), [len(part) for part in kept[1:]])
    return Rows(joined[:ends], joined[ends:], window, len(windows))


@dataclass(frozen=True, eq=False)
class Ranked:
    """``Rows`` of numbers sorted within the reference and within every window."""

    rows: Rows
    reference: Floats
    values: Floats
    ranks: Floats
    """Place of every value in its window, from 1; shape (N,)."""

    @property
    def share(self) -> Floats:
        """Share of the window's rows up to and with this one, shape (N,)."""
        return np.asarray(self.ranks / self.rows.sizes[self.rows.window])

    def below(self, side: str) -> Floats:
        """Share of the reference below each value, with (``right``) or without (``left``) equal ones; shape (N,)."""
        places = np.searchsorted(self.reference, self.values, side=side)  # type: ignore[call-overload]
        return np.asarray(places / self.reference.size)


def ranked(rows: Rows) -> Ranked:
    """Sort numbers within the reference and within every window."""
    values = rows.current[np.lexsort((rows.current, rows.window))]
    starts = np.cumsum(rows.sizes) - rows.sizes
    ranks = np.arange(1.0, values.size + 1) - starts[rows.window]
    return Ranked(rows, np.sort(rows.reference), values, ranks)


def ks_distances(order: Ranked) -> Floats:
    """Return the two-sample Kolmogorov-Smirnov distance of every window, shape (W,); exact, with ties.

    Between two of a window's values its distribution function is flat and the reference's only rises, so the largest
    gaps lie at a value or just before one.
    """
    step = 1.0 / order.rows.sizes[order.rows.window]
    gaps = np.maximum(order.share - order.below("right"), order.below("left") - (order.share - step))
    filled = order.rows.sizes > 0
    distances = np.zeros(order.rows.windows)
    if filled.any():
        starts = (np.cumsum(order.rows.sizes) - order.rows.sizes)[filled].astype(np.int64)
        distances[filled] = np.maximum.reduceat(gaps, starts)
    return distances


def wasserstein_distances(order: Ranked) -> Floats:
    """Return the first Wasserstein distance of every window, shape (W,), in the values' unit; exact.

    It is the integral of |Q(u) - x| where the window's quantile function is x and the reference's is Q, summed over
    the window's values: two rectangles less two integrals of Q, on either side of where Q passes x.
    """
    m = order.reference.size
    centre = order.reference.mean()
    reference, values = order.reference - centre, order.values - centre
    integral = np.concatenate([[0.0], np.cumsum(reference) / m])
    grid = np.arange(m + 1) / m
    end = order.share
    start = end - 1.0 / order.rows.sizes[order.rows.window]
    turn = np.clip(order.below("right"), start, end)
    low, middle, high = (np.interp(at, grid, integral) for at in (start, turn, end))
    area = values * (turn - start) - (middle - low) + (high - middle) - values * (end - turn)
    return np.asarray(np.bincount(order.rows.window, area, minlength=order.rows.windows), np.float64)


def jensen_shannon(p: Floats, q: Floats) -> Floats:
    """Return the Jensen-Shannon distance in nats of counts ``p`` and ``q``, shapes (..., K); NaN without rows."""
    from scipy.special import rel_entr

    with np.errstate(invalid="ignore"):
        p = p / p.sum(-1, keepdims=True)
        q = q / q.sum(-1, keepdims=True)
    middle = (p + q) / 2
    divergence = (rel_entr(p, middle).sum(-1) + rel_entr(q, middle).sum(-1)) / 2
    return np.asarray(np.sqrt(np.maximum(divergence, 0.0)))


def ks_surprise(distances: Floats, sizes: Floats, reference_size: int) -> Floats:
    """Return -log10 of the two-sample Kolmogorov-Smirnov p-value, shape (W,).

    Kolmogorov's limit with Stephens' (1970) correction for finite samples: within 10% of the exact p-value between
    1e-4 and 0.5 from 30 rows on, and one call for all windows.
    """
    from scipy.special import kolmogorov

    root = np.sqrt(sizes * reference_size / np.maximum(sizes + reference_size, 1.0))
    return surprise(kolmogorov(distances * (root + 0.12 + 0.11 / np.maximum(root, 1.0))))


def surprise(pvalues: npt.ArrayLike) -> Floats:
    """Return -log10 of p-values, at most ``STRONGEST``; 0 for one that is not a number."""
    p = np.nan_to_num(np.asarray(pvalues, np.float64), nan=1.0)
    return np.asarray(-np.log10(np.maximum(p, 10.0**-STRONGEST)))
