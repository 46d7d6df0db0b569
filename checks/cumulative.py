"""Cumulative shares at the bins' edges, reference against current, and the Brownian bridge that they follow by chance.

Given the counts of both sets together, the difference of the two cumulative shares at the edges has, when nothing has
changed, exactly the covariance of a bridge at the pooled cumulative shares (the hypergeometric distribution's).
Nothing here assumes continuous data: atoms, gaps and few bins are part of the null distribution.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from checks.debiasing import Effect, root_without_noise
from checks.measurement import Z_CONFIDENCE
from checks.profile import Column, Edges
from checks.shares import HALF, Shares

_POSITIONS, _WEIGHTS = (half[16:] for half in np.polynomial.legendre.leggauss(32))  # good to 1e-4 in probability
_NARROWEST = 0.0055  # variance of a step in squared barriers: narrower, the nodes no longer resolve it
_IMPOSSIBLE = 4.5  # standard deviations
_SURE = 1.9  # beyond, the supremum over all points is a close upper bound


@dataclass(frozen=True)
class Steps(Shares):
    """Two sets of counts in ordered bins, seen at the edges between the bins.

    Edges that no row separates are left out, as they say nothing of their own.
    """

    @cached_property
    def pooled(self) -> Edges:
        """Cumulative shares of both sets together, shape (edges,)."""
        return np.cumsum(self.reference_counts + self.current_counts)[:-1] / (self.reference_rows + self.rows)

    @cached_property
    def differences(self) -> Edges:
        """Current less reference cumulative shares, shape (edges,)."""
        ours = np.cumsum(self.current_counts)[:-1] / self.rows
        return ours - np.cumsum(self.reference_counts)[:-1] / self.reference_rows

    @cached_property
    def weights(self) -> Edges:
        """Pooled share of the bin below each edge, shape (edges,)."""
        return np.diff(self.pooled, prepend=0.0)

    @cached_property
    def covariance(self) -> Edges:
        """Covariance of ``differences`` when nothing has changed, shape (edges, edges)."""
        total = self.reference_rows + self.rows
        t = self.pooled
        return (np.minimum.outer(t, t) - np.outer(t, t)) * self.noise * total / (total - 1)

    @cached_property
    def stderrs(self) -> Edges:
        """Standard error of each difference, with half a row added on both sides of the edge, shape (edges,)."""
        parts = []
        for counts, rows in ((self.reference_counts, self.reference_rows), (self.current_counts, self.rows)):
            below = (np.cumsum(counts)[:-1] + HALF) / (rows + 2 * HALF)
            parts.append(below * (1 - below) / rows)
        return np.asarray(np.sqrt(parts[0] + parts[1]))


def steps_of(reference: Column, current: Column) -> Steps:
    """Return the steps of two columns, bins that are empty in both left out (the first and last bin always stay)."""
    known = reference.profile.counts.astype(np.float64)
    seen = current.profile.counts.astype(np.float64)
    kept = known + seen > 0
    if kept.sum() < 2:
        kept[[0, -1]] = True
    return Steps(known[kept], seen[kept])


def bridge_crossing(pooled: Edges, barrier: float) -> float:
    """Return the chance that a Brownian bridge, seen at some points only, leaves [-barrier, barrier].

    The bridge is a Markov process, so its density between the barriers is carried from point to point by quadrature.

    Parameters
    ----------
    pooled : the points in (0, 1), ascending, shape (points,).
    barrier : above 0.
    """
    from scipy.special import kolmogorov, ndtr

    deviations = np.sqrt(pooled * (1 - pooled))
    apart = 2 * ndtr(-barrier / np.maximum(deviations, 1e-300))
    floor = float(apart.max(initial=0.0))
    near = pooled[deviations * _IMPOSSIBLE > barrier]
    if barrier > _SURE or not near.size:
        return max(floor, min(float(kolmogorov(barrier)), float(apart.sum())))
    points = _thinned(near, _NARROWEST * barrier**2)
    # All is symmetric around 0, so that the positive half of the nodes carries everything.
    y, w = _POSITIONS * barrier, 2 * _WEIGHTS * barrier
    density = _normal(y, points[0] * (1 - points[0]))
    left = 1 - points
    shrink = left[1:] / left[:-1]
    variances = (np.diff(points) * shrink)[:, None, None]
    means = shrink[:, None, None] * y
    kernels = (_normal(y[:, None] - means, variances) + _normal(y[:, None] + means, variances)) * (w / 2)
    for kernel in kernels:
        density = kernel @ density
    inside = float(w @ density)
    return min(1.0, max(floor, 1 - inside))


def _thinned(points: Edges, narrowest: float) -> Edges:
    values: list[float] = list(points)
    kept = values[:1]
    for point in values[1:]:
        if (point - kept[-1]) * (1 - point) / (1 - kept[-1]) >= narrowest:
            kept.append(point)
    return np.array(kept)


def _normal(distance: Edges, variance: Edges | float) -> Edges:
    return np.asarray(np.exp(-(distance**2) / (2 * variance)) / np.sqrt(2 * np.pi * variance))


def quadratic_form_tail(form: Edges, value: float) -> float:
    """Return the chance that a weighted sum of chi-squares exceeds ``value``.

    Three moments are matched: Buckley & Eagleson 1988, *An approximation to the distribution of quadratic forms in
    normal random variables*, Austral. J. Statist. 30A.

    Parameters
    ----------
    form : matrix whose eigenvalues are the weights, shape (edges, edges).
    """
    from scipy.special import chdtrc

    second = form @ form
    c1, c2, c3 = np.trace(form), np.trace(second), np.sum(second * form.T)
    if c2 <= 0:
        return 1.0
    freedom = c2**3 / c3**2
    return float(chdtrc(freedom, max(0.0, freedom + (value - c1) * c2 / c3)))


def absolute_sum(weights: Edges, covariance: Edges) -> tuple[float, float]:
    """Return mean and variance of a weighted sum of absolute values of centred normal variables.

    Cov(|X|, |Y|) = 2/π s t (√(1 - r²) + r asin r - 1), s and t the deviations and r the correlation: Nabeya 1951,
    *Absolute moments in 2-dimensional normal distribution*, Ann. Inst. Statist. Math. 3.

    Parameters
    ----------
    weights : shape (terms,), not negative.
    covariance : shape (terms, terms).
    """
    deviations = np.sqrt(np.diagonal(covariance))
    scale = np.outer(deviations, deviations)
    correlation = np.clip(np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0), -1, 1)
    joint = scale * (np.sqrt(1 - correlation**2) + correlation * np.arcsin(correlation) - 1)
    mean = np.sqrt(2 / np.pi) * float(weights @ deviations)
    return float(mean), max(0.0, float(weights @ joint @ weights) * 2 / np.pi)


def absolute_sum_tail(mean: float, variance: float, value: float) -> float:
    """Return the chance that such a sum reaches ``value``, by a gamma distribution with its mean and variance."""
    from scipy.special import gammaincc

    return float(gammaincc(mean**2 / variance, value * mean / variance)) if variance > 0 else 1.0


def weighted_square(steps: Steps, weights: Edges) -> tuple[float, Effect, float]:
    """Return a weighted sum of squared differences as statistic, effect and p-value.

    Parameters
    ----------
    weights : of the squared differences, shape (edges,).

    Returns
    -------
    The statistic: the sum over (1/n + 1/m). The effect: its root, debiased, with standard error and
    interval. The p-value.
    """
    square = float(weights @ steps.differences**2)
    form = np.sqrt(np.outer(weights, weights)) * steps.covariance
    noise = float(np.trace(form))
    # Every bin moves the cumulative share at all edges from its own on.
    slopes = np.append(np.cumsum((2 * weights * steps.differences)[::-1])[::-1], 0.0)
    stderr = sqrt(steps.variance(slopes, slopes) + 2 * float((form * form).sum()))
    stderr = stderr or float(steps.stderrs.max()) ** 2  # all rows in one bin: half a row may still be elsewhere
    reach = Z_CONFIDENCE * stderr
    effect = root_without_noise(square - reach, square, square + reach, noise)
    return square / steps.noise, effect, quadratic_form_tail(form, square)
