"""The largest gap between two cumulative distributions."""

from dataclasses import dataclass
from math import gcd, pi, sqrt
from typing import ClassVar

import numpy as np

from checks.comparing import refusal
from checks.cumulative import Steps, bridge_crossing, steps_of
from checks.debiasing import Effect, distance_without_noise
from checks.distributions import change_in_words
from checks.measurement import Inconclusive, Measurement
from checks.profile import Column, Kind


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """Kolmogorov-Smirnov: the largest gap between the two cumulative distributions, as a share of rows.

    Statistic: D = max over the bins' edges of abs(F(edge) - G(edge)). The effect is the root of D² less its
    expectation under identical distributions (at most π²/12 (1/n + 1/m), a bridge's supremum). The p-value is that of
    a Brownian bridge seen at the edges only, so that it is right for ties, atoms and few bins; where the counts of a
    small window leave few possible values of D it is conservative.

    Sees any change in the middle of a distribution; is nearly blind to the outermost percent of either side, where
    ``outlier_rate`` and ``out_of_range`` look. Nulls are left out; infinities count in the open tails.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.1: a normal column shifted by a quarter of its deviation, half of what Cohen
        (1988) calls a small to medium effect.

    Configuration
    -------------
    ::

        - ks: {tolerance: 0.1}

    References
    ----------
    Smirnov 1939; Noé 1972, *The calculation of distributions of two-sided Kolmogorov-Smirnov
    type statistics*, Ann. Math. Stat. 43 (a recursion over the edges).
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.1

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        steps = steps_of(reference, current)
        distance, effect = _gap(steps)
        # Half a step of the lattice of possible values: the normal approximation of a discrete distribution.
        lattice = gcd(steps.rows, steps.reference_rows) / (steps.rows * steps.reference_rows)
        barrier = (distance - lattice / 2) / sqrt(steps.noise)
        return Measurement(
            distance,
            *effect,
            rows=steps.rows,
            reference_rows=steps.reference_rows,
            pvalue=bridge_crossing(steps.pooled, barrier) if barrier > 0 else 1.0,
            words=change_in_words(reference, current),
        )

    def effect(self, reference: Column, current: Column) -> Effect | Inconclusive:
        """Return the effect alone: the chance of the distance costs more than all the rest."""
        refused = refusal(reference, current)
        return _gap(steps_of(reference, current))[1] if refused is None else refused


def _gap(steps: Steps) -> tuple[float, Effect]:
    place = int(np.argmax(np.abs(steps.differences)))
    distance = float(abs(steps.differences[place]))
    spans = steps.pooled * (1 - steps.pooled)
    noise = steps.noise * min(pi**2 / 12, float(spans.sum()))
    return distance, distance_without_noise(distance, float(steps.stderrs[place]), noise)
