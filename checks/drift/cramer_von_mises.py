"""The mean gap between two cumulative distributions."""

from dataclasses import dataclass
from typing import ClassVar

from checks.comparing import refusal
from checks.cumulative import steps_of, weighted_square
from checks.distributions import change_in_words
from checks.measurement import Inconclusive, Measurement
from checks.profile import Column, Kind


@dataclass(frozen=True)
class CramerVonMises:
    """Cramér-von Mises: the root mean square gap between the two cumulative distributions, as a share of rows.

    Statistic: T = n m / (n + m) times the sum of (F - G)² over the bins' edges, weighted by the rows of both sets
    below each edge. The effect is the root of that weighted mean square less its expectation under identical
    distributions. The p-value is that of the weighted sum of chi-squares which the binned bridge has, by three
    moments; ties and atoms are part of it.

    Sees a change that is spread over the distribution better than ``ks``, a sharp local one less well. Nearly blind
    to the tails.

    Parameters
    ----------
    tolerance : share of rows, 0 to 0.6. 0.075: the value at which ``ks`` reaches its own 0.1 when a normal column
        shifts.

    Configuration
    -------------
    ::

        - cramer_von_mises: {tolerance: 0.075}

    References
    ----------
    Anderson 1962, *On the distribution of the two-sample Cramér-von Mises criterion*, Ann. Math. Stat. 33.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.075

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        steps = steps_of(reference, current)
        statistic, effect, pvalue = weighted_square(steps, steps.weights)
        return Measurement(
            statistic,
            *effect,
            rows=steps.rows,
            reference_rows=steps.reference_rows,
            pvalue=pvalue,
            words=change_in_words(reference, current),
        )
