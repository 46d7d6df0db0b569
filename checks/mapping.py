"""Which map turns the reference's distribution into the current one: the question behind most diagnoses of numbers.

A hypothesis is a function of values. It is tried where the current profile is exact, that is at the edges of its bins,
at its extremes and in its two moments; the reference is interpolated between its fine quantile bins. So one test serves
rows that stayed within the bins and rows that were thrown far out of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, sqrt

import numpy as np

from checks.profile import Column, Edges
from checks.quantiles import moments, quantiles

KOLMOGOROV = 1.8  # 99.7% quantile of the Kolmogorov distribution: gaps beyond it are not sampling noise
ZED = 3.3  # standard errors of a moment that are not sampling noise
INNER = (0.02, 0.98)  # ranks between which a quantile of the current rows is worth fitting to
FEWEST_POINTS = 4
LARGEST = 1e75  # fourth powers of larger values overflow

Forward = Callable[[Edges], Edges]


@dataclass(frozen=True, slots=True)
class Affine:
    """The map ``scale * value + shift``; its moments are known exactly."""

    scale: float
    shift: float

    def __call__(self, values: Edges) -> Edges:
        """Map values, any shape."""
        return self.scale * values + self.shift


IDENTITY = Affine(1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a hypothesis predicts the current profile.

    Parameters
    ----------
    strain : the largest misfit in units of what is tolerated; above 1 the hypothesis is refuted.
    distance : largest gap between predicted and counted cumulative shares.
    points : edges of bins that lie among the current rows. With few, only moments and extremes have spoken.
    """

    strain: float
    distance: float
    points: int

    @property
    def holds(self) -> bool:
        """Whether the hypothesis is not refuted."""
        return self.strain < 1

    @property
    def trust(self) -> float:
        """Factor in (0, 1] on a confidence: lower where only moments have spoken, or the fit is strained."""
        return (1.0 if self.points >= FEWEST_POINTS else 0.75) * (1 - 0.4 * min(1.0, self.strain))


def effective_rows(reference: Column, current: Column) -> float:
    """Return the rows that carry a comparison of two samples: ``1 / (1/n + 1/m)``; 0 when either is empty."""
    rows, others = current.profile.present, reference.profile.present
    return 1 / (1 / rows + 1 / others) if rows and others else 0.0


def departure(reference: Column, current: Column) -> float:
    """Return how much of the readable mass moved between bins, less what sampling moves, in [0, 1].

    The largest gap of cumulative shares for numbers, the total variation for categories.
    """
    rows = effective_rows(reference, current)
    if not rows:
        return 0.0
    gaps = current.profile.counts / current.profile.present - reference.profile.counts / reference.profile.present
    if reference.bins.categorical:
        shares = reference.profile.counts / reference.profile.present
        return max(0.0, float(np.abs(gaps).sum() / 2) - float(np.sqrt(shares * (1 - shares) / rows).sum()) / 2)
    return max(0.0, float(np.abs(np.cumsum(gaps)).max()) - 1.2 / sqrt(rows))


def fit(reference: Column, current: Column, forward: Forward, slack: float = 0.0) -> Fit | None:
    """Try the hypothesis that the current rows are the reference's rows mapped by ``forward``.

    Parameters
    ----------
    slack : share of rows by which a window may differ anyway, and twice the share of the spread by which values may.
        With 0 only sampling noise is tolerated.

    Returns
    -------
    Fit | None
        None where either side has no values or the map does not apply to the reference's.
    """
    values, rows = reference.grid, effective_rows(reference, current)
    if values is None or current.profile.low is None or current.profile.high is None:
        return None
    with np.errstate(all="ignore"):
        mapped = np.sort(forward(values))
    if not np.isfinite(mapped).all() or max(-mapped[0], mapped[-1]) > LARGEST:
        return None
    shares = np.cumsum(current.profile.counts)[:-1] / current.profile.present
    points = int(((shares > INNER[0]) & (shares < INNER[1])).sum())
    # Below the lowest value lie no rows, at the highest all: two more points of the distribution function.
    places = np.append(current.bins.edge_array, [np.nextafter(current.profile.low, -inf), current.profile.high])
    distance = _distance(places, np.append(shares, [0.0, 1.0]), mapped, slack / 2)
    strain = distance / (slack + KOLMOGOROV / sqrt(rows))
    if points >= FEWEST_POINTS:
        # One gross value spoils moments, so ranks speak wherever the bins see the rows.
        return Fit(max(strain, _rank_strain(current, mapped, rows, slack)), distance, points)
    return Fit(max(strain, _moment_strain(reference, current, forward, mapped, slack)), distance, points)


def _distance(places: Edges, shares: Edges, mapped: Edges, tolerated: float) -> float:
    """Return the largest gap of cumulative shares left when places may be off by ``tolerated`` spreads (Lévy)."""
    quarter, three = mapped[mapped.size // 4], mapped[3 * mapped.size // 4]
    reach = tolerated * float((three - quarter) / 1.35 or mapped.std())
    above = np.searchsorted(mapped, places + reach, side="right") / mapped.size
    below = np.searchsorted(mapped, places - reach, side="right") / mapped.size
    return float(np.maximum(shares - above, below - shares).max(initial=0.0))


def _rank_strain(current: Column, mapped: Edges, rows: float, slack: float) -> float:
    """Compare mean and spread of the current rows' ranks among the predicted ones, as Wilcoxon and Mood do."""
    below = np.searchsorted(mapped, current.bins.edge_array, side="right") / mapped.size
    predicted = np.diff(below, prepend=0.0, append=1.0)
    counted = current.profile.counts / current.profile.present
    ranks = np.append(below, 1.0) - predicted / 2 - 0.5
    strains = []
    # A gap in cumulative shares moves the mean rank by about 0.7 of itself, the mean squared rank by 0.35.
    for score, part in ((ranks, 0.7), (ranks**2, 0.35)):
        deviation = sqrt(max(0.0, float(predicted @ score**2) - float(predicted @ score) ** 2))
        strains.append(
            abs(float((counted - predicted) @ score)) / (part * slack + ZED * deviation / sqrt(rows) + 1e-12)
        )
    return max(strains)


def _moment_strain(reference: Column, current: Column, forward: Forward, mapped: Edges, slack: float) -> float:
    """Compare mean and standard deviation: all there is when the rows lie beyond the bins.

    Of the mean ``slack`` of its size is tolerated, at least 0.6 and at most 3 ``slack`` standard deviations; of the
    logarithm of the spread 2 ``slack``.
    """
    exact, after = moments(reference), moments(current)
    if after is None or exact is None:
        return 0.0
    mean, spread = float(mapped.mean()), float(mapped.std())
    kurtosis = float(((mapped - mean) ** 4).mean()) / spread**4 if spread > 1e-70 else 3.0
    if isinstance(forward, Affine):
        mean, spread = forward.scale * exact[0] + forward.shift, abs(forward.scale) * exact[1]
    if not spread or not after[1]:
        return 0.0 if spread == after[1] and abs(after[0] - mean) <= 1e-9 * abs(mean) else inf
    rows = effective_rows(reference, current)
    tolerated = min(3 * slack * spread, slack * max(abs(mean), 0.6 * spread))
    by_mean = abs(after[0] - mean) / (tolerated + ZED * max(spread, after[1]) / sqrt(rows))
    by_spread = abs(log(after[1] / spread)) / (2 * slack + ZED * sqrt(max(kurtosis - 1, 0.8) / (4 * rows)))
    return max(by_mean, by_spread)


def affine(
    reference: Column, current: Column, slack: float, *, scale: float | None = None
) -> tuple[Affine, Fit] | None:
    """Return the affine map that fits best, estimated from moments and from quantiles.

    Parameters
    ----------
    scale : fixes the slope, so that only the shift is estimated.

    Returns
    -------
    tuple[Affine, Fit] | None
        None where no map can be estimated, as from a constant reference.
    """
    maps = [*_by_moments(reference, current, scale), *_by_points(reference, current, scale)]
    if scale == 1 and reference.bins.integral:
        maps += [Affine(1.0, float(whole)) for candidate in maps if (whole := round(candidate.shift))]
    fits = [(candidate, fit(reference, current, candidate, slack)) for candidate in maps]
    return min(
        ((candidate, found) for candidate, found in fits if found is not None),
        key=lambda pair: pair[1].strain,
        default=None,
    )


def _by_moments(reference: Column, current: Column, scale: float | None) -> list[Affine]:
    before, after = moments(reference), moments(current)
    if before is None or after is None or not before[1]:
        return []
    slope = after[1] / before[1] if scale is None else scale
    return [Affine(slope, after[0] - slope * before[0])]


def _by_points(reference: Column, current: Column, scale: float | None) -> list[Affine]:
    """Fit where the current quantiles are exact: at the edges among the current rows."""
    if not current.profile.present:
        return []
    shares = np.cumsum(current.profile.counts)[:-1] / current.profile.present
    inner = (shares > INNER[0]) & (shares < INNER[1])
    before = quantiles(reference, shares[inner])
    if before is None or int(inner.sum()) < FEWEST_POINTS or not 0 < np.ptp(before) < LARGEST:
        return []
    after = current.bins.edge_array[inner]
    if scale is not None:
        return [Affine(scale, float(np.median(after - scale * before)))]
    weights = np.sqrt(shares[inner] * (1 - shares[inner]))
    middle, centre = np.average(before, weights=weights), np.average(after, weights=weights)
    slope = float((weights * (before - middle) * (after - centre)).sum() / (weights * (before - middle) ** 2).sum())
    return [Affine(slope, float(centre - slope * middle))]
