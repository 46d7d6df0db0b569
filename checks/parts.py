"""A column without some of its rows: whether the others changed too is what tells a fault from a drift."""

from dataclasses import replace

import numpy as np

from checks.profile import SENTINELS, Column


def without(column: Column, place: int, count: int, value: float | None = None) -> Column:
    """Return the column without ``count`` of the rows in bin ``place``, its readable rows only.

    Parameters
    ----------
    value : what those rows hold, where it is known; else the moments of the result are not to be used.
    """
    profile, bins = column.profile, column.bins
    counts = profile.counts.copy()
    counts[place] -= count
    shifted = 0.0 if value is None else value - bins.centre
    low, high = profile.low, profile.high
    filled = np.flatnonzero(counts)
    if filled.size and low is not None and high is not None:
        # The extremes of what is left are not known if they were taken away; the bins still bound them.
        low = max(low, bins.edges[filled[0] - 1]) if filled[0] else low
        high = min(high, bins.edges[filled[-1]]) if filled[-1] < len(bins.edges) else high
    rest = replace(
        profile,
        rows=int(counts.sum()),
        counts=counts,
        absent=0,
        nulls=0,
        mistyped=0,
        low=low if filled.size else None,
        high=high if filled.size else None,
        total=profile.total - count * shifted,
        squares=profile.squares - (count * shifted * shifted if count else 0.0),
    )
    return replace(column, profile=rest)


def without_sentinel(column: Column, place: int) -> Column:
    """Return the column without the rows that hold ``SENTINELS[place]``, which are counted exactly."""
    value = SENTINELS[place]
    bin_of = int(np.searchsorted(column.bins.edge_array, value, side="left"))
    return without(column, bin_of, int(column.profile.sentinels[place]), value)


def without_zeros(column: Column) -> Column:
    """Return the column without its zeros: no factor, root or power moves them, so they say nothing about one."""
    return without_sentinel(column, SENTINELS.index(0.0))


def filled_bins(column: Column) -> int:
    """Return how many bins hold rows; with few, many maps explain the same change."""
    return int(np.count_nonzero(column.profile.counts))
