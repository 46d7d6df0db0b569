"""The textbook's way to one false alarm per 30 days, if rows were independent."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import ClassVar

import numpy as np

from checks.peering import Floats, Values
from checks.windowed import ks_distances, ks_surprise, ranked, side_by_side, surprise


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """Two-sample Kolmogorov-Smirnov, chi-square for categories, at 1 / (columns x windows per 30 days).

    No tool's default but what a careful statistician would set up: Bonferroni over columns and windows for one false
    alarm per 30 days, exact where rows are independent. The score is -log10 of the p-value.

    References
    ----------
    Rabanser, Günnemann, Lipton 2019, *Failing Loudly*, with the correction extended over time.
    """

    title: ClassVar[str] = "KS, budgeted"

    def scores(self, reference: Values, windows: Sequence[Values]) -> Floats:
        """Return -log10 of every window's p-value, shape (windows,)."""
        rows = side_by_side(reference, windows)
        if not rows.reference.size:
            return np.zeros(rows.windows)
        if reference.categorical:
            return rows.settled(_homogeneity(*rows.value_counts()))
        return rows.settled(ks_surprise(ks_distances(ranked(rows)), rows.sizes, rows.reference.size))

    def threshold(self, columns: int, windows_per_30d: float) -> float:
        """Return -log10 of Bonferroni's level for one false alarm per 30 days."""
        return log10(columns * windows_per_30d)


def _homogeneity(reference: Floats, current: Floats) -> Floats:
    """Pearson's chi-square of two samples, each window with the reference; -log10 of its p-value."""
    from scipy.special import chdtrc

    m, n = reference.sum(), current.sum(1, keepdims=True)
    total = reference + current
    with np.errstate(divide="ignore", invalid="ignore"):
        share = total / (m + n)
        parts = (reference - m * share) ** 2 / (m * share) + (current - n * share) ** 2 / (n * share)
    statistic = np.where(total > 0, parts, 0.0).sum(1)
    return surprise(chdtrc(np.maximum((total > 0).sum(1) - 1, 1), statistic))
