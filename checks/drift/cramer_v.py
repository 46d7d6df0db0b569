"""The association between a row's value and the set that it comes from."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from checks.comparing import refusal
from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Column, Kind
from checks.shares import Divergence, Shares, measure, shares_of


@dataclass(frozen=True)
class CramerV:
    """Cramér's V: the association between a row's value and the set it comes from, bias-corrected.

    Statistic: Bergsma's V = root of max(0, X²/N - (cells - 1)/(N - 1)) over the corrected smaller dimension, of the
    table of cells by {reference, current}. It depends on the ratio of the two numbers of rows, so the effect is V as
    it would be with as many current rows as reference rows: root of half the sum of (q - p)² / (p + q), debiased by
    (cells - 1)(1/n + 1/m) / 4. Cells that expect fewer than five rows are pooled, half a row is added to each for the
    effect.

    Sees changes of shares, bounded by 1 for disjoint ones. Does not know an order.

    Parameters
    ----------
    tolerance : V, 0 to 1. 0.1: what Cohen (1988) calls a small effect; Deepchecks warns at 0.15.

    Configuration
    -------------
    ::

        - cramer_v: {tolerance: 0.1}

    References
    ----------
    Bergsma 2013, *A bias-correction for Cramér's V and Tschuprow's T*, J. Korean Stat. Soc. 42.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "association from 0 to 1"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.1

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        shares = shares_of(reference, current)
        found, square = _divergence(shares), shares.chi_square
        return measure(reference, current, shares, found, statistic=_bergsma(shares), chi_square=square)


def _bergsma(shares: Shares) -> float:
    total = shares.rows + shares.reference_rows
    square = max(0.0, shares.chi_square / total - shares.freedom / (total - 1))
    return sqrt(square / (1 - 1 / (total - 1)))  # the smaller dimension, two sets, less its own correction


def _divergence(shares: Shares) -> Divergence:
    p, q = shares.reference, shares.current
    both = p + q
    part = (q - p) / both
    return Divergence(
        value=float((q - p) @ part) / 2,
        by_reference=(-2 * part - part**2) / 2,
        by_current=(2 * part - part**2) / 2,
        curvature=1 / 4,
    )
