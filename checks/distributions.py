"""Counts in intervals as a distribution on a line: mass is uniform inside a bin, and an atom's bin is a point."""

import sys
from collections.abc import Sequence
from math import sqrt

import numpy as np

from checks.profile import Bins, Column, Counts, Edges, Kind
from checks.wording import number_text

_LARGEST = sys.float_info.max
_RANKS = {"median": 0.5, "10th percentile": 0.1, "90th percentile": 0.9}
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


def quantile(line: Sequence[float], counts: Sequence[int], rank: float) -> float:
    """Return a quantile by linear interpolation inside its bin.

    Parameters
    ----------
    line : shape (bins + 1,).
    counts : shape (bins,), with a sum above 0.
    rank : in (0, 1).
    """
    wanted, below = rank * sum(counts), 0.0
    for place, count in enumerate(counts):
        if count and below + count >= wanted:
            part = (wanted - below) / count
            return line[place] * (1 - part) + line[place + 1] * part
        below += count
    return line[-1]  # rounding left a sliver of the last row


def change_in_words(reference: Column, current: Column) -> str:
    """Return the quantile that moved most, in the column's own units: ``"median 733 to 1,180"``."""
    before, after = _quantiles(reference.bins, reference), _quantiles(reference.bins, current)
    # The median unless another quantile moved clearly further; halves, for a difference may overflow.
    moved = [abs(new / 2 - old / 2) * weight for old, new, weight in zip(before, after, (1.5, 1, 1), strict=True)]
    place = moved.index(max(moved))
    noun, unit = _NOUNS.get(reference.bins.kind, ("", ""))
    return f"{list(_RANKS)[place]}{noun} {number_text(before[place])} to {number_text(after[place])}{unit}"


def _quantiles(bins: Bins, column: Column) -> list[float]:
    line, counts = bounds(bins, column).tolist(), column.profile.counts.tolist()
    return [quantile(line, counts, rank) for rank in _RANKS.values()]
