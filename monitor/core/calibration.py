"""How much each effect varies between the reference's own windows, where nothing is wrong.

Rows of a day are not independent, days are: without this, everything is significant at large n.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, variance

from checks.measurement import Measurement
from monitor.core.measuring import Planned, measure_columns
from monitor.core.reference import Reference

FEWEST_BLOCKS = 8  # fewer say too little about their own variation
PRIOR_SHARE = 1.5  # without blocks: variation assumed, in tolerances (SIGNAL.md 2.9: 0.15 sd beside a tolerance of 0.1)


@dataclass(frozen=True)
class Variation:
    """Mean and between-window standard deviation of an effect over the reference's blocks.

    ``blocks`` is 0 where they are assumed rather than measured.
    """

    bias: float
    deviation: float
    blocks: int


Calibration = Mapping[tuple[str, str], Variation]


def calibrate(reference: Reference, plan: Sequence[Planned]) -> dict[tuple[str, str], Variation]:
    """Measure every column check on every block of the reference; keys are (column, check).

    The between-window variance is the method of moments of DerSimonian and Laird (1986): the variance of the effects
    less their mean sampling variance.
    """
    effects: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for _, block in reference.blocks:
        for measured in measure_columns(reference.bins, reference.profile, block, plan):
            if isinstance(measured.result, Measurement) and measured.column is not None:
                key = (measured.column, measured.planned.name)
                effects[key].append((abs(measured.result.effect), measured.result.stderr))
    return {key: _variation(pairs) for key, pairs in effects.items() if len(pairs) >= FEWEST_BLOCKS}


def _variation(pairs: Sequence[tuple[float, float]]) -> Variation:
    sampling = fmean(stderr**2 for _, stderr in pairs)
    effects = [effect for effect, _ in pairs]
    return Variation(max(0.0, fmean(effects)), sqrt(max(0.0, variance(effects) - sampling)), len(pairs))


def assumed(tolerance: float) -> Variation:
    """Return the variation assumed of a reference without time or with too few windows."""
    return Variation(0.0, PRIOR_SHARE * tolerance, 0)
