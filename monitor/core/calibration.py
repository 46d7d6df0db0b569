"""How much each effect varies between the reference's own windows, where nothing is wrong.

Rows of a day are not independent, days are: without this, everything is significant at large n.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from checks.catalogue import EffectCheck
from checks.debiasing import Effect
from checks.measurement import Inconclusive, Measurement
from checks.profile import Column
from monitor.core.measuring import Planned, planned_for
from monitor.core.reference import Reference

FEWEST_BLOCKS = 8  # fewer say too little about their own variation
FEWEST_EFFECTIVE = 4.0  # however persistent, so many independent blocks are believed (SIGNAL.md 2.3 takes 6)
BOUND = 0.1  # the deviation is taken at its upper bound of confidence 1 - BOUND, for the reference is one draw
PRIOR_SHARE = 1.5  # without blocks: variation assumed, in tolerances (SIGNAL.md 2.9: 0.15 sd beside a tolerance of 0.1)


@dataclass(frozen=True)
class Variation:
    """Mean and between-window standard deviation of an effect over the reference's blocks.

    ``blocks`` is how many independent blocks these rest on; 0 where they are assumed rather than measured.
    """

    bias: float
    deviation: float
    blocks: float


_Measure = Callable[[Column, Column], Measurement | Effect | Inconclusive]
Calibration = Mapping[tuple[str, str], Variation]


def calibrate(reference: Reference, plan: Sequence[Planned]) -> dict[tuple[str, str], Variation]:
    """Measure every column check on every block of the reference; keys are (column, check).

    The between-window variance is the method of moments of DerSimonian and Laird (1986): the variance of the effects
    less their mean sampling variance. It is taken at its upper confidence bound, with as many degrees of freedom as
    there are independent blocks: weather and customers persist from day to day, so forty days are not forty draws.
    """
    found = {}
    for name, bins in reference.bins.items():
        whole = Column(name, bins, reference.profile.columns[name])
        blocks = [Column(name, bins, block.columns[name]) for _, block in reference.blocks]
        for planned, check in planned_for(name, bins, plan):
            measure = check.effect if isinstance(check, EffectCheck) else check.measure
            pairs = [pair for block in blocks if (pair := _effect(measure, whole, block)) is not None]
            if len(pairs) >= FEWEST_BLOCKS:
                found[name, planned.name] = variation(pairs)
    return found


def _effect(measure: _Measure, whole: Column, block: Column) -> tuple[float, float] | None:
    """Return the size of an effect and its standard error; None where a block says nothing."""
    try:
        result = measure(whole, block)
    except Exception:  # noqa: BLE001 - a check that raises on a window fails there, in a finding of its own
        return None
    if isinstance(result, Inconclusive):
        return None
    effect, stderr = (result.effect, result.stderr) if isinstance(result, Measurement) else result[:2]
    return abs(effect), stderr


def variation(pairs: Sequence[tuple[float, float]]) -> Variation:
    """Return the variation of effects, given with their standard errors in the order of time."""
    effects = [effect for effect, _ in pairs]
    sampling = fmean(stderr**2 for _, stderr in pairs)
    between = max(0.0, variance(effects) - sampling)
    blocks = effective_blocks(effects)
    return Variation(max(0.0, fmean(effects)), sqrt(between * _inflation(blocks)), blocks)


def effective_blocks(effects: Sequence[float]) -> float:
    """Return how many independent blocks persistent ones are worth: ``B (1 - r) / (1 + r)``, r the lag-1 correlation.

    That is the effective sample size of a first-order autoregression (Bayley and Hammersley 1946); negative
    correlations are not believed.
    """
    mean = fmean(effects)
    centred = [effect - mean for effect in effects]
    power = sum(value * value for value in centred)
    if power <= 0:
        return float(len(effects))
    lagged = sum(one * other for one, other in zip(centred, centred[1:], strict=False)) / power
    persistence = min(max(lagged, 0.0), 0.99)
    return max(FEWEST_EFFECTIVE, len(effects) * (1 - persistence) / (1 + persistence))


def _inflation(blocks: float) -> float:
    """Return the upper bound of a variance, in variances, from so many independent blocks."""
    from scipy.special import chdtri

    freedom = blocks - 1
    return float(freedom / chdtri(freedom, 1 - BOUND))


def assumed(tolerance: float) -> Variation:
    """Return the variation assumed of a reference without time or with too few windows."""
    return Variation(0.0, PRIOR_SHARE * tolerance, 0.0)
