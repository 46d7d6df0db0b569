"""Quantiles between the corners of a piecewise linear distribution function."""

import numpy as np
import numpy.typing as npt

_Values = npt.NDArray[np.float64]

LARGEST = 1e150  # what is interpolated, so that no slope between two values overflows
GRID = 2000  # points of a distribution's quantile grid; 1/GRID of the mass is far below any sampling noise here
GRID_RANKS: _Values = (np.arange(GRID) + 0.5) / GRID


def interpolated(values: _Values, shares: _Values, ranks: _Values) -> _Values:
    """Return the quantiles at ``ranks`` in [0, 1], same shape.

    Parameters
    ----------
    values, shares : the corners, ascending; ``shares[i]`` of the rows are at or below ``values[i]``.
    """
    upper = np.clip(np.searchsorted(shares, ranks, side="left"), 1, len(shares) - 1)
    # Between an atom and the edge just below it lies no number, so rounding must not choose the edge.
    atom = np.nextafter(values[upper - 1], np.inf) >= values[upper]
    unit = max(1.0, float(np.abs(values).max()) / LARGEST)
    return np.where(atom, values[upper], np.interp(ranks, shares, values / unit) * unit)
