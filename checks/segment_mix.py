"""How much of a column's change other shares of the segments make, with every segment as it was."""

from dataclasses import dataclass
from math import inf, sqrt

import numpy as np

from checks.profile import Edges
from checks.segment_scores import Score

TIMES = 2.0  # the mix makes more than so many times what changed within, beyond what sampling does to both
SMALL = 0.25  # of what the mix makes: what is seen to have changed within at most


@dataclass(frozen=True)
class _Moments:
    """Rows of one side by segment: how many have a score, its mean and its variance; shape (segments,) each."""

    counts: Edges
    means: Edges
    variances: Edges

    @classmethod
    def of(cls, codes: np.ndarray, scored: Edges, size: int) -> "_Moments":
        seen = ~np.isnan(scored)
        codes, values = codes[seen], scored[seen]
        counts = np.bincount(codes, minlength=size).astype(np.float64)
        rows = np.maximum(counts, 1)
        means = np.bincount(codes, values, size) / rows
        return cls(counts, means, np.maximum(0.0, np.bincount(codes, values**2, size) / rows - means**2))


@dataclass(frozen=True)
class Mixture:
    """A change of the mean score, split.

    Parameters
    ----------
    total : the change; the sum of ``by_mix`` and what changed within segments.
    by_mix : what other shares of the segments make.
    margin : of ``by_mix`` over ``TIMES`` the rest, in standard errors; -inf where the rest is not small.
    worst_within : the largest change within a segment, in its standard errors.
    """

    total: float
    by_mix: float
    margin: float
    worst_within: float


def decomposed(score: Score, reference_codes: np.ndarray, current_codes: np.ndarray, size: int) -> Mixture:
    """Split the change of the mean score as Kitagawa (1955, JASA 50) does.

    Shares are weighed by the means halfway between both sides, changes within by the shares halfway. A segment that
    only one side has counts with that side's mean on both: nothing is known to have changed within.

    Parameters
    ----------
    reference_codes, current_codes : the segment of every row, shape (rows,).
    size : number of segments.
    """
    reference = _Moments.of(reference_codes, score.reference, size)
    current = _Moments.of(current_codes, score.current, size)
    rows, others = float(current.counts.sum()), float(reference.counts.sum())
    if not rows or not others:
        return Mixture(0.0, 0.0, -inf, 0.0)
    was, now = reference.counts / others, current.counts / rows
    both = (current.counts > 0) & (reference.counts > 0)
    fewer = np.maximum(1, np.minimum(current.counts, reference.counts))
    spread = np.maximum(reference.variances, current.variances) + 0.5 / (fewer + 1)
    inverse = 1 / np.maximum(1, current.counts) + 1 / np.maximum(1, reference.counts)
    variance = np.where(both, spread * inverse, 0.0)
    change = np.where(both, current.means - reference.means, 0.0)
    means = np.where(both, (reference.means + current.means) / 2, reference.means + current.means)
    weights = (now + was) / 2
    by_mix, within = float((now - was) @ means), float(weights @ change)
    noise = _variance(now, means) / rows + _variance(was, means) / others
    error = sqrt(noise + TIMES**2 * float(weights**2 @ variance))
    worst = float(np.max(np.abs(change[both]) / np.sqrt(variance[both]), initial=0.0))
    margin = (abs(by_mix) - TIMES * abs(within)) / error if error and abs(within) <= SMALL * abs(by_mix) else -inf
    return Mixture(by_mix + within, by_mix, margin, worst)


def _variance(shares: Edges, means: Edges) -> float:
    return max(0.0, float(shares @ means**2) - float(shares @ means) ** 2)
