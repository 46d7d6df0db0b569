"""Quantiles and moments read back from binned profiles, and how a change of them is said in native units."""

from math import floor, log10

import numpy as np

from checks.interpolation import interpolated
from checks.profile import Column, Edges
from checks.wording import number_text

SIGNIFICANT = 3  # digits of the larger of two numbers that are compared
MOST_DECIMALS = 8
TIMES = "\N{MULTIPLICATION SIGN}"
LONG = 1e9  # numbers from here on are written with a power of ten


def quantiles(column: Column, ranks: Edges) -> Edges | None:
    """Return quantiles at ``ranks`` in [0, 1], same shape; None for categories or without a finite value."""
    return None if column.corners is None else interpolated(*column.corners, ranks)


def median(column: Column) -> float | None:
    """Return the interpolated median; None for categories or without a finite value."""
    found = quantiles(column, np.array([0.5]))
    return None if found is None else float(found[0])


def moments(column: Column) -> tuple[float, float] | None:
    """Return the exact mean and standard deviation (ddof 0); None without them, or where their sums overflowed."""
    mean = column.profile.mean(column.bins)
    deviation = column.profile.deviation(column.bins)
    return None if mean is None or deviation is None or not np.isfinite(mean) else (mean, deviation)


def _decimals(size: float, digits: int) -> int:
    if size == 0 or not np.isfinite(size):
        return 0
    return min(MOST_DECIMALS, max(0, digits - 1 - floor(log10(size))))


def change(name: str, before: float, after: float) -> str:
    """Return a change with as many digits as it needs to be seen, for example ``"mean 0.0 to 20.1"``."""
    decimals = max(_decimals(max(abs(before), abs(after)), SIGNIFICANT), _decimals(abs(after - before), 1))
    if max(abs(before), abs(after)) >= LONG:
        return f"{name} {number_text(before)} to {number_text(after)}"
    return f"{name} {before:z,.{decimals}f} to {after:z,.{decimals}f}"


def moved(reference: Column, current: Column) -> str:
    """Return how mean and standard deviation changed, or the median where they overflowed; empty without values."""
    before, after = moments(reference), moments(current)
    if before and after:
        return f"{change('mean', before[0], after[0])}, {change('sd', before[1], after[1])}"
    middle, now = median(reference), median(current)
    return "" if middle is None or now is None else change("median", middle, now)
