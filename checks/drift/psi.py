"""The population stability index."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.comparing import refusal
from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Column, Kind
from checks.shares import Divergence, Shares, measure, shares_of


@dataclass(frozen=True)
class PopulationStability:
    """Population stability index: the symmetric divergence that credit scoring reports, less its bias.

    Statistic: PSI = sum of (q - p) ln(q / p), half a row added to every cell instead of a patched zero; cells that
    expect fewer than five rows are pooled. The effect is PSI - (cells - 1)(1/n + 1/m), not below 0: the second term
    is what two samples of one distribution show. The p-value is that of PSI n m / (n + m) as a chi-square with (cells
    - 1) degrees of freedom.

    Sees changes of shares, rare ones most: a share that doubles from 1% counts ten times one that goes from 10% to
    11%. Does not know an order, nor where inside a bin the rows lie.

    Parameters
    ----------
    tolerance : PSI, from 0. 0.1: Siddiqi's limit of "no significant change"; above 0.25 he calls it a major one. Ours
        is debiased, so that the limits hold for small windows too.

    Configuration
    -------------
    ::

        - psi: {tolerance: 0.1}

    References
    ----------
    Siddiqi 2006, *Credit Risk Scorecards*; Yurdakul 2018, *Statistical properties of the population stability index*
    (dissertation 3208, Western Michigan University).
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "PSI"
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
    ratio = np.log(q / p)
    return Divergence(
        value=float((q - p) @ ratio),
        by_reference=1 - ratio - q / p,
        by_current=1 + ratio - p / q,
        curvature=1.0,
        rooted=False,
    )
