"""The mean gap between two cumulative distributions, tails included."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.comparing import refusal
from checks.cumulative import steps_of, weighted_square
from checks.distributions import change_in_words
from checks.measurement import Inconclusive, Measurement
from checks.profile import Column, Kind


@dataclass(frozen=True)
class AndersonDarling:
    """Anderson-Darling: the gap between the cumulative distributions in its own deviations, so that tails count.

    Statistic: A² = n m / (n + m) times the sum of (F - G)² / (H (1 - H)) over the bins' edges, H the distribution of
    both sets together, weighted by the rows of both sets below each edge. The effect is the root of that weighted
    mean square less its expectation under identical distributions. The p-value is that of the weighted sum of
    chi-squares which the binned bridge has, by three moments; ties and atoms are part of it.

    Sees shifts as ``cramer_von_mises`` does, and changes of spread and of tails better. Single far values it hardly
    sees.

    Parameters
    ----------
    tolerance : standard deviations of a share (root of H (1 - H)), from 0. 0.17: the value at which ``ks`` reaches
        its own 0.1 when a normal column shifts.

    Configuration
    -------------
    ::

        - anderson_darling: {tolerance: 0.17}

    References
    ----------
    Pettitt 1976, *A two-sample Anderson-Darling rank statistic*, Biometrika 63; Scholz & Stephens 1987, JASA 82 (ties).
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "standard deviations of a share"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.17

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        steps = steps_of(reference, current)
        spans = steps.pooled * (1 - steps.pooled)
        # An edge with all rows on one side has no deviation, and no difference either.
        weights = np.divide(steps.weights, spans, out=np.zeros_like(spans), where=spans > 0)
        statistic, effect, pvalue = weighted_square(steps, weights)
        return Measurement(
            statistic,
            *effect,
            rows=steps.rows,
            reference_rows=steps.reference_rows,
            pvalue=pvalue,
            words=change_in_words(reference, current),
        )
