"""Pearson's two-sample chi-square."""

from dataclasses import dataclass
from typing import ClassVar

from checks.comparing import refusal
from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Column, Kind
from checks.shares import Divergence, Shares, measure, shares_of


@dataclass(frozen=True)
class ChiSquare:
    """Two-sample chi-square: whether the shares differ at all, with Cohen's w as the size of the difference.

    Statistic: X² = sum of (observed - expected)² / expected over the table of cells by {reference, current}; both
    sets are samples, the reference is not taken as exact. Cells that expect fewer than five rows are pooled
    (Cochran). The effect is w = root of the sum of (q - p)² / p, debiased by (cells - 1)(1/n + 1/m): unlike X² it
    does not grow with the rows.

    Sees changes of shares, most where the reference's share is small. Does not know an order.

    Parameters
    ----------
    tolerance : Cohen's w, from 0. 0.1: what Cohen (1988) calls a small effect.

    Configuration
    -------------
    ::

        - chi2: {tolerance: 0.1}

    References
    ----------
    Pearson 1900; Cochran 1954, *Some methods for strengthening the common chi-square tests*, Biometrics 10; Cohen 1988,
    *Statistical Power Analysis*, chapter 7.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "Cohen's w"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.1

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        shares = shares_of(reference, current)
        found, square = _divergence(shares), shares.chi_square
        return measure(reference, current, shares, found, statistic=square, chi_square=square)


def _divergence(shares: Shares) -> Divergence:
    p, q = shares.reference, shares.current
    ratio = (q - p) / p
    return Divergence(
        value=float((q - p) @ ratio),
        by_reference=-2 * ratio - ratio**2,
        by_current=2 * ratio,
        curvature=1.0,
    )
