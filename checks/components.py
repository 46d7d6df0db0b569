"""Components: bounded averages over the rows of a window, linear in the counts of its profile (SIGNAL.md 2.2).

Evidence is gathered on these and on nothing else. Bounded, so that a few wild rows cannot speak for a window; linear,
so that the components of a day are the sums of those of its hours.
"""

from dataclasses import dataclass
from math import asin, pi, sin, sqrt

import numpy as np
import numpy.typing as npt

from checks.profile import Bins, ColumnProfile

Weights = npt.NDArray[np.float64]

EXTRAS = ("nulls", "mistyped", "absent", "infinite")  # counted beside the bins
SMALLEST_EFFECT = 0.05  # Cohen's d or h that nobody wants to be woken for; with 0 the budget breaks (SIGNAL.md 5)
MOST_DEGREES = 3
CLIP = 5.0  # of a row's score, in standard deviations


@dataclass(frozen=True, eq=False)
class Component:
    """One average over the rows of a column.

    Parameters
    ----------
    name : unique within its check.
    numerator, denominator : weights over :func:`count_vector`, shape (bins.size + len(EXTRAS),).
    scored : a mean of scores that have mean 0 and variance 1 on the reference; else a share of rows.
    tolerance : largest change that is not worth an alert; Cohen's d of a score, Cohen's h of a share.
    tail : a share that the reference has little of by construction, so that one burst is no news.
    rises : only a rise is of interest.
    hidden : rows of the reference that count as well but that it cannot show: the first of its kind is never unseen.
    """

    name: str
    numerator: Weights
    denominator: Weights
    scored: bool
    tolerance: float
    tail: bool = False
    rises: bool = False
    hidden: float = 0.0


def count_vector(profile: ColumnProfile) -> Weights:
    """Return everything that components are linear in, shape (bins.size + len(EXTRAS),)."""
    extras = (profile.nulls, profile.mistyped, profile.absent, profile.infinite)
    return np.concatenate([profile.counts, extras]).astype(np.float64)


def present(bins: Bins) -> Weights:
    """Return the weights that count the rows with a value."""
    return on_bins(np.ones(bins.size))


def on_bins(weights: npt.ArrayLike, **extras: float) -> Weights:
    """Return weights from those of the bins, shape (bins.size,), and those of ``EXTRAS`` by name."""
    return np.concatenate([np.asarray(weights, np.float64), [extras.get(name, 0.0) for name in EXTRAS]])


def share(bins: Bins, name: str, which: list[int], tolerance: float, *, tail: bool = False) -> Component:
    """Return the share of the rows with a value that lie in some bins.

    Parameters
    ----------
    which : places of the bins.
    """
    weights = np.zeros(bins.size)
    weights[which] = 1.0
    return Component(name, on_bins(weights), present(bins), scored=False, tolerance=tolerance, tail=tail)


def angle(share: float, by: float) -> float:
    """Return a rise of a share as Cohen's h (1988), but no less than ``SMALLEST_EFFECT``."""
    risen = min(1.0, share + by)
    return max(SMALLEST_EFFECT, 2 * (asin(sqrt(risen)) - asin(sqrt(min(1.0, share)))))


def moved(share: float, by: float) -> float:
    """Return the share that lies Cohen's h ``by`` away, up or down: the inverse of :func:`angle`."""
    return sin(min(pi / 2, max(0.0, asin(sqrt(min(1.0, max(0.0, share)))) + by / 2))) ** 2


def scores(bins: Bins, counts: npt.NDArray[np.int64] | Weights) -> npt.NDArray[np.float64]:
    """Return a row's score by bin, shape (degrees, bins.size): orthonormal polynomials of its rank in the reference.

    Neyman's smooth components (1937; Ledwina 1994): the first is Wilcoxon's statistic and shows a shift, the second
    shows a spread, the third a skew. Far values score like their neighbours, for they have a component of their own.

    Parameters
    ----------
    counts : of the reference, shape (bins.size,).
    """
    inner = merged(counts)
    masses = inner / inner.sum() if inner.sum() else inner
    degrees = min(MOST_DEGREES, int((masses > 0).sum()) - 1)
    if degrees < 1:
        return np.zeros((0, bins.size))
    ranks = np.cumsum(masses) - masses / 2
    powers = np.vander(2 * ranks - 1, degrees + 1, increasing=True)
    roots = np.sqrt(masses + 1e-12)
    basis, corner = np.linalg.qr(powers * roots[:, None])
    polynomials = basis / roots[:, None] * np.sign(np.diag(corner))  # the leading coefficient is positive
    found = np.clip(polynomials[:, 1:], -CLIP, CLIP).T
    return np.concatenate([found[:, :1], found, found[:, -1:]], axis=1) if inner.size < bins.size else found


def merged(counts: npt.NDArray[np.int64] | Weights) -> npt.NDArray[np.float64]:
    """Return counts with the far bins joined to their neighbours; unchanged where there are too few bins."""
    values = counts.astype(np.float64)
    if values.size <= 4:
        return values
    inner = values[1:-1].copy()
    inner[0] += values[0]
    inner[-1] += values[-1]
    return inner
