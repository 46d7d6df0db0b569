"""A change that lasts: when it began, how large it is, and when it is over (SIGNAL.md 2.8)."""

from dataclasses import dataclass
from math import asin, sqrt

import numpy as np

from checks.measurement import Z_CONFIDENCE
from checks.season import Array

EQUIVALENT = 1.5  # tolerances within which a component is back
GROWN = 1.5  # times the effect that people were told; beyond it they are told again
HALF_GONE = 0.5  # of the effect; an interval that keeps below it and reaches zero says that the change is over
LOOKED_BACK = (3, 7, 14, 28)  # blocks over which the end of a change is looked for


@dataclass(frozen=True)
class Estimate:
    """An effect with its 90% interval, in Cohen's d or h."""

    effect: float
    low: float
    high: float

    @property
    def size(self) -> float:
        """Distance of the interval from zero; 0 where it reaches it."""
        return max(0.0, self.low, -self.high)


def estimate(departures: Array, errors: Array, long_run: float, freedom: float, blocks: float) -> Estimate:
    """Return the mean departure over some blocks, with an interval that knows of persistence and of the reference.

    Parameters
    ----------
    departures, errors : of the blocks, shape (blocks,).
    long_run : see :attr:`checks.calibration.Calibration.long_run`.
    freedom : degrees of freedom of the variation.
    blocks : of the reference.
    """
    from scipy.special import stdtrit

    weights = 1 / errors**2
    mean = float((departures * weights).sum() / weights.sum())
    spread = sqrt(float((errors**2).mean()))
    reach = float(stdtrit(freedom, 0.95)) * spread * long_run * sqrt(1 / len(departures) + 1 / blocks)
    return Estimate(mean, mean - reach, mean + reach)


def rare_estimate(events: float, rows: float, seen: float, dispersion: float) -> Estimate:
    """Return by how much a rare share has changed, in Cohen's h, with an interval that knows of clustering.

    Parameters
    ----------
    events, rows : since the onset.
    seen : share of the reference.
    dispersion : see :func:`checks.bets.dispersion`.
    """
    effect = 2 * (asin(sqrt(min(1.0, events / rows))) - asin(sqrt(seen)))
    reach = Z_CONFIDENCE * sqrt(dispersion / rows)
    return Estimate(effect, effect - reach, effect + reach)


def onset(standard: Array, direction: float) -> int:
    """Return the place of the block in which a change began that lasts to the end.

    The maximum likelihood estimate of a change-point: the beginning for which a shift of the mean explains most.

    Parameters
    ----------
    standard : departures in their own standard deviations, oldest first, shape (blocks,).
    direction : 1 for a rise, -1 for a fall.
    """
    lengths = np.arange(len(standard), 0, -1)
    totals = np.cumsum(standard[::-1])[::-1] * direction
    explained = np.where(totals > 0, totals**2 / lengths, 0.0)
    return int(np.argmax(explained))


def over(departures: Array, errors: Array, told: float, tolerance: float, long_run: float, blocks: float) -> bool:
    """Return whether a change is over.

    Either the interval over the latest blocks lies within the tolerance and half of it again (equivalence), or, where
    normal variation is too large for that ever to happen, it reaches zero and keeps below half of what was told.

    Parameters
    ----------
    departures, errors : since the alarm, oldest first, shape (blocks,).
    told : the effect that people were told.
    """
    limit = EQUIVALENT * tolerance
    for length in LOOKED_BACK:
        if length > len(departures):
            return False
        found = estimate(departures[-length:], errors[-length:], long_run, 1e6, blocks)
        if -limit < found.low and found.high < limit:
            return True
        far = found.high if told > 0 else -found.low
        near = found.low if told > 0 else -found.high
        if near <= limit and far < HALF_GONE * abs(told):
            return True
    return False
