"""The share of rows that changed place."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from checks.comparing import refusal
from checks.cumulative import absolute_sum, absolute_sum_tail
from checks.debiasing import distance_without_noise
from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Column, Kind
from checks.shares import HALF, in_words, shares_of


@dataclass(frozen=True)
class TotalVariation:
    """Total variation: the share of rows that would have to change category to restore the reference.

    Statistic: TV = half the sum of abs(p - q) over categories or bins; cells that expect less than one row are
    pooled. The effect is the root of TV² - E[TV²], the expectation being that of identical distributions; the p-value
    a gamma distribution's with the exact mean and variance of the binned null.

    Sees every change of shares, large ones best, and values beyond the reference's most frequent ones as one
    category. Does not know an order: use ``wasserstein`` or ``ks`` for numbers.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.1: one row in ten; Databricks' and Evidently's default for the same distance.

    Configuration
    -------------
    ::

        - total_variation: {tolerance: 0.1}

    References
    ----------
    Gibbs & Su 2002, *On choosing and bounding probability metrics*, Int. Stat. Rev. 70.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.1

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        shares = shares_of(reference, current, expected=1.0)
        p = shares.reference_counts / shares.reference_rows
        q = shares.current_counts / shares.rows
        distance = float(np.abs(q - p).sum()) / 2
        signs = np.sign(q - p) / 2
        total = shares.reference_rows + shares.rows
        pooled = (shares.reference_counts + shares.current_counts) / total
        covariance = (np.diag(pooled) - np.outer(pooled, pooled)) * shares.noise
        mean, variance = absolute_sum(np.full(pooled.size, 0.5), covariance)
        # Where p and q agree the signs say nothing, but noise still does.
        stderr = sqrt(max(shares.variance(signs, signs), variance)) or HALF / shares.rows
        return Measurement(
            distance,
            *distance_without_noise(distance, stderr, mean**2 + variance),
            rows=shares.rows,
            reference_rows=shares.reference_rows,
            pvalue=absolute_sum_tail(mean, variance, distance),
            words=in_words(reference, current),
        )
