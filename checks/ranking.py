"""How well scores rank rows of two classes: the area under the ROC curve, with DeLong's interval."""

from dataclasses import dataclass
from math import exp, log, sqrt

import numpy as np
import numpy.typing as npt

from checks.agreement import Z, wilson


@dataclass(frozen=True, slots=True)
class Area:
    """An area under the ROC curve, in [0, 1], with its 95% interval."""

    value: float
    low: float
    high: float


def area(positive: npt.NDArray[np.float64], negative: npt.NDArray[np.float64]) -> Area:
    """Return the chance that a positive row has the higher score, half of it where scores are equal.

    The variance is that of DeLong, DeLong & Clarke-Pearson (1988, Biometrics 44), by midranks as in Sun & Xu (2014,
    IEEE Signal Processing Letters 21), in O(n log n). The interval is the normal one of the area's logit, which stays
    within [0, 1] and keeps its level near 1 (Qin & Hotilovac 2008, Statistical Methods in Medical Research 17). Where
    the scores separate the classes wholly that variance is 0; Wilson's interval for as many rows as the rarer class has
    then takes its place.

    Parameters
    ----------
    positive, negative : finite scores of each class, two or more; shapes (m,) and (n,).
    """
    m, n = len(positive), len(negative)
    together = _midranks(np.concatenate([positive, negative]))
    above = (together[:m] - _midranks(positive)) / n  # of each positive row: the share of negative ones below it
    below = 1 - (together[m:] - _midranks(negative)) / m
    value = float(above.mean())
    stderr = sqrt(float(above.var(ddof=1)) / m + float(below.var(ddof=1)) / n)
    if not 0 < value < 1 or stderr == 0:
        low, high = wilson(value * min(m, n), min(m, n))
        return Area(value, low, high)
    centre, reach = log(value / (1 - value)), Z * stderr / (value * (1 - value))
    return Area(value, _share(centre - reach), _share(centre + reach))


def _share(logit: float) -> float:
    return 1 / (1 + exp(-min(max(logit, -700.0), 700.0)))


def _midranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return ranks from 1, the mean of their ranks for equal values; shape of ``values``."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[places], np.float64)
