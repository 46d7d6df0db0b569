"""From the counts in a reference's bins to what a person wants to see: a histogram on an even scale, and quantiles."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from checks.profile import Bins, Column, ColumnProfile
from checks.quantiles import quantiles as interpolated

Floats = npt.NDArray[np.float64]

BARS = 36
MOST_INTEGERS = 48  # integers with at most so many values get a bar each
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Histogram:
    """Shares of the present rows on an even grid over the reference's central 99%, and what lies beyond it.

    ``edges`` has shape (bars + 1,), ``reference`` and ``current`` (bars,); ``below`` and ``above`` are the shares of
    reference and current rows on either side of the grid.
    """

    edges: Floats
    reference: Floats
    current: Floats
    below: tuple[float, float]
    above: tuple[float, float]
    integral: bool


def histogram(bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> Histogram | None:
    """Spread the counts of quantile bins over even bars; None for categories and for columns without values.

    Rows are taken as spread evenly within a bin, so the picture is the density per bin width; a value with a bin of its
    own stays in one place.
    """
    if bins.categorical or bins.tails is None:
        return None
    low, high = bins.tails
    integral = bins.integral and high - low < MOST_INTEGERS
    if integral:
        edges = np.arange(low - 0.5, high + 1.0)
    elif high > low:
        edges = np.linspace(low, high, BARS + 1)
        edges[0] = np.nextafter(low, -np.inf)  # bins are right-closed: a heap of rows at the lowest value is inside
    else:
        edges = np.array([np.nextafter(low, -np.inf), low])
    before, now = (_cumulative(bins, profile, edges, integral=integral) for profile in (reference, current))
    return Histogram(
        edges=edges if integral or high > low else np.array([low - 0.5, low + 0.5]),
        reference=np.diff(before),
        current=np.diff(now),
        below=(float(before[0]), float(now[0])),
        above=(float(1 - before[-1]) if reference.present else 0.0, float(1 - now[-1]) if current.present else 0.0),
        integral=integral,
    )


def _cumulative(bins: Bins, profile: ColumnProfile, at: Floats, *, integral: bool) -> Floats:
    """Share of the present rows at most ``at``; linear within a bin, and zeros without rows."""
    if not profile.present:
        return np.zeros(len(at))
    shares = np.cumsum(profile.counts)[:-1] / profile.present
    edges = bins.edge_array
    if integral:  # (2, 4.999] holds 3 and 4 alike, so its end is 4
        edges, at = np.floor(edges), np.floor(at)
        last = np.append(np.diff(edges) > 0, True)
        edges, shares = edges[last], shares[last]
    return np.interp(at, edges, shares)


def quantiles(bins: Bins, profile: ColumnProfile, ranks: tuple[float, ...] = QUANTILES) -> tuple[float, ...] | None:
    """Return quantiles interpolated within bins, whole where the values seem to be; None without finite values."""
    found = interpolated(Column("", bins, profile), np.array(ranks)) if profile.present else None
    if found is None:
        return None
    whole = bins.integral and all(end is not None and end.is_integer() for end in (profile.low, profile.high))
    return tuple(float(value) for value in (np.ceil(found - 1e-9) if whole else found))


@dataclass(frozen=True)
class Share:
    """One category: its share of the present rows of the reference and of the current window."""

    label: str
    reference: float
    current: float
    special: bool = False


def shares(bins: Bins, reference: ColumnProfile, current: ColumnProfile, most: int = 8) -> list[Share]:
    """Return the categories worth a bar, most frequent first: the frequent and the much changed; then the remainder.

    What is not listed is summed with *other known values*; *unseen values* come last where there are any.
    """
    before = reference.counts / max(1, reference.present)
    now = current.counts / max(1, current.present)
    weight = np.maximum(before, now)[:-2] + 2 * np.abs(now - before)[:-2]
    kept = sorted(np.argsort(-weight, kind="stable")[:most].tolist(), key=lambda place: -before[place])
    listed = [Share(bins.values[place], float(before[place]), float(now[place])) for place in kept]
    rest = [float(side[:-1].sum() - side[kept].sum()) for side in (before, now)]
    if max(rest) > 1e-9:
        hidden = len(bins.values) - len(kept) + len(bins.others)
        listed.append(Share(f"{hidden:,} other known values", max(0.0, rest[0]), max(0.0, rest[1]), special=True))
    if current.counts[-1] or reference.counts[-1]:
        listed.append(Share("unseen values", float(before[-1]), float(now[-1]), special=True))
    return listed
