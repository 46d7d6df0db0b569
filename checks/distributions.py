"""Counts in intervals as a distribution on a line: mass is uniform inside a bin, and an atom's bin is a point."""

import sys
from math import sqrt

import numpy as np

from checks.profile import Bins, Column, Counts, Edges, Kind
from checks.quantiles import change, quantiles

_LARGEST = sys.float_info.max
_NAMES = ("median", "10th percentile", "90th percentile")
_RANKS = np.array([0.5, 0.1, 0.9])
_WEIGHTS = np.array([1.5, 1.0, 1.0])
_NOUNS: dict[Kind, tuple[str, str]] = {"datetime": (" age", " h"), "text": (" length", " characters")}


def bounds(bins: Bins, *columns: Column) -> Edges:
    """Return the edges with an end to each open tail, shape (bins.size + 1,).

    A tail ends at the lowest or highest finite value of ``columns``, but at most one central range beyond its far edge:
    one gross value must not set the scale for all others (it is what ``out_of_range`` counts).
    """
    edges = bins.edges
    low, high = bins.tails or (edges[0], edges[-1])
    lows = [column.profile.low for column in columns if column.profile.low is not None]
    highs = [column.profile.high for column in columns if column.profile.high is not None]
    reach = high - low
    first = max(min([*lows, edges[0]]), edges[0] - reach, -_LARGEST)
    last = min(max([*highs, edges[-1]]), edges[-1] + reach, _LARGEST)
    return np.array([first, *edges, last])


def is_point(bins: Bins) -> bool:
    """Whether the reference's central 99% is a single value, so that it has no spread to measure in."""
    return bins.tails is not None and bins.tails[0] == bins.tails[1]


def spread(line: Edges, counts: Counts) -> tuple[float, Edges]:
    """Return the standard deviation of counts between bounds, tails cut as :func:`bounds` does.

    Parameters
    ----------
    line : shape (bins + 1,).
    counts : shape (bins,).

    Returns
    -------
    The deviation, and its partial derivatives by share in units of itself, shape (bins,); zeros for no deviation.
    """
    unit = float(max(abs(line[0]), abs(line[-1]))) or 1.0  # so that the square of a huge value does not overflow
    left, right = line[:-1] / unit, line[1:] / unit
    shares = counts / counts.sum()
    middle = (left + right) / 2
    squares = (middle - float(shares @ middle)) ** 2 + (right - left) ** 2 / 12
    variance = float(shares @ squares)
    if variance <= 0:
        return 0.0, np.zeros(counts.size)
    return unit * sqrt(variance), squares / (2 * variance)


def change_in_words(reference: Column, current: Column) -> str:
    """Return the quantile that moved most, in the column's own units: ``"median 733 to 1,180"``."""
    before, after = quantiles(reference, _RANKS), quantiles(current, _RANKS)
    if before is None or after is None:
        return f"no finite value in {'the reference' if before is None else 'this window'}"
    # The median unless another quantile moved clearly further; halves, for a difference may overflow.
    place = int(np.argmax(np.abs(after / 2 - before / 2) * _WEIGHTS))
    noun, unit = _NOUNS.get(reference.bins.kind, ("", ""))
    return change(f"{_NAMES[place]}{noun}", float(before[place]), float(after[place])) + unit
