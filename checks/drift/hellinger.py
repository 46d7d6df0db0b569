"""The distance between the roots of two sets of shares."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.comparing import refusal
from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Column, Kind
from checks.shares import Divergence, Shares, measure, shares_of


@dataclass(frozen=True)
class Hellinger:
    """Hellinger distance: the distance between the square roots of the shares.

    Statistic: H = root of 1 - sum of root(p q); 0 for identical, 1 for disjoint shares. Half a row is added to every
    cell, cells that expect fewer than five rows are pooled. The effect is the root of H² less its expectation (cells
    - 1)(1/n + 1/m) / 8 under identical distributions; the p-value the matching chi-square's.

    Sees changes of shares, those of rare categories rather more than ``total_variation`` does. Does not know an order.

    Parameters
    ----------
    tolerance : distance, 0 to 1. 0.1: about the Jensen-Shannon distance of the same change; a share of 50% that goes
        to 64%.

    Configuration
    -------------
    ::

        - hellinger: {tolerance: 0.1}

    References
    ----------
    Le Cam & Yang 2000, *Asymptotics in Statistics*, chapter 3.
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
    roots = np.sqrt(q / p)
    return Divergence(
        value=float(((np.sqrt(q) - np.sqrt(p)) ** 2).sum()) / 2,
        by_reference=-roots / 2,
        by_current=-1 / (2 * roots),
        curvature=1 / 8,
    )
