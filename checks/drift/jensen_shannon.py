"""How well one row tells the two distributions apart."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.comparing import refusal
from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Column, Kind
from checks.shares import Divergence, Shares, measure, shares_of


@dataclass(frozen=True)
class JensenShannon:
    """Jensen-Shannon distance: how well a single row tells which of the two distributions it comes from.

    Statistic: JS = root of the mean of KL(p, (p+q)/2) and KL(q, (p+q)/2) in bits; 0 for identical, 1 for disjoint
    shares. Half a row is added to every cell, cells that expect fewer than five rows are pooled. The effect is the
    root of the divergence less its expectation (cells - 1)(1/n + 1/m) / (8 ln 2) under identical distributions; the
    p-value the matching chi-square's.

    Sees changes of shares of any size and stays bounded where a category vanishes. Does not know an order.

    Parameters
    ----------
    tolerance : distance, 0 to 1. 0.1: Evidently's and NannyML's default, there without the correction for bias.

    Configuration
    -------------
    ::

        - jensen_shannon: {tolerance: 0.1}

    References
    ----------
    Lin 1991, *Divergence measures based on the Shannon entropy*, IEEE Trans. Inf. Theory 37;
    Endres & Schindelin 2003, *A new metric for probability distributions*, IEEE Trans. Inf. Theory 49 (its root is a
    metric).
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "distance from 0 to 1"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.1

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        shares = shares_of(reference, current)
        return measure(reference, current, shares, _divergence(shares))


def _divergence(shares: Shares) -> Divergence:
    p, q = shares.reference, shares.current
    middle = (p + q) / 2
    to_p, to_q = np.log2(p / middle) / 2, np.log2(q / middle) / 2
    return Divergence(
        value=float(p @ to_p + q @ to_q),
        by_reference=to_p,
        by_current=to_q,
        curvature=1 / (8 * np.log(2)),
    )
