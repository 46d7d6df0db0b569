"""Shares and means with their 95% intervals."""

from math import sqrt

import numpy as np
import numpy.typing as npt

Z = 1.959963984540054  # two-sided normal quantile of 95%


def wilson(hits: float, rows: int) -> tuple[float, float]:
    """Return the interval of a share (Wilson 1927, JASA 22), which never is without width; ``rows`` above 0."""
    share, square = hits / rows, Z * Z
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    reach = Z * sqrt(share * (1 - share) / rows + square / (4 * rows * rows)) / (1 + square / rows)
    return max(0.0, min(share, centre - reach)), min(1.0, max(share, centre + reach))


def mean(values: npt.NDArray[np.float64], least: float = 0.0) -> tuple[float, float, float]:
    """Return the mean of values that are 0 or more, and the ends of its normal interval.

    Parameters
    ----------
    values : finite, two or more; shape (rows,).
    least : the smallest standard error that is believed, in the values' own unit.
    """
    # Scaled before they are squared, for the largest numbers have no square.
    unit = float(np.abs(values).max()) or 1.0
    scaled = values / unit
    found = float(scaled.mean()) * unit
    reach = Z * max(float(scaled.std(ddof=1)) / sqrt(len(values)) * unit, least)
    return found, max(0.0, found - reach), found + reach
