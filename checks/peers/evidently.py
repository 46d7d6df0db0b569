"""Evidently's choice of test by size and kind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.peering import Floats, Values
from checks.windowed import (
    Rows,
    jensen_shannon,
    ks_distances,
    ks_surprise,
    ranked,
    side_by_side,
    surprise,
    wasserstein_distances,
)

SMALL_REFERENCE = 1000  # non-null rows up to which p-values decide
FEW_VALUES = 5  # distinct values, reference and window together, up to which numbers are treated as categories
LEVEL = 0.05
DISTANCE = 0.1
SMALLEST_DEVIATION = 0.001  # Evidently never divides by less, whatever the column's unit


@dataclass(frozen=True)
class Evidently:
    """Evidently 0.7.x at its defaults: the test depends on the size of the reference.

    Up to 1,000 reference rows p < .05 alarms: of Kolmogorov-Smirnov for numbers, of a chi-square that takes the
    reference's shares as exact for categories, of a z-test where there are only two values. Above, a distance of .1
    alarms: Wasserstein in standard deviations of the reference for numbers, Jensen-Shannon in nats for categories.
    Numbers with at most five values go as categories. Nulls and infinities are dropped before anything is counted.

    A score is in units of the alarm line: log p / log .05, or distance / .1.

    References
    ----------
    ``_get_default_stattest`` and the tests it names in Evidently 0.7.23, ``evidently.legacy.calculations.stattests``.
    """

    title: ClassVar[str] = "Evidently"

    def scores(self, reference: Values, windows: Sequence[Values]) -> Floats:
        """Return the distance of every window from the reference in alarm lines, shape (windows,)."""
        rows = side_by_side(reference, windows)
        if not rows.reference.size:
            return np.zeros(rows.windows)
        small = rows.reference.size <= SMALL_REFERENCE
        by_share = _shares_small if small else _shares_large
        if reference.categorical:
            return rows.settled(by_share(*rows.value_counts()))
        by_value = _numbers_small(rows) if small else _numbers_large(rows)
        if np.unique(rows.reference).size > FEW_VALUES:
            return rows.settled(by_value)
        counts, current = rows.value_counts()
        few = ((counts > 0) | (current > 0)).sum(1) <= FEW_VALUES
        return rows.settled(np.where(few, by_share(counts, current), by_value))

    def threshold(self, columns: int, windows_per_30d: float) -> float:  # noqa: ARG002  it does not correct for many
        """Return 1: scores are in units of the alarm line."""
        return 1.0


def _numbers_small(rows: Rows) -> Floats:
    distances = ks_distances(ranked(rows))
    return ks_surprise(distances, rows.sizes, rows.reference.size) / surprise(LEVEL)


def _numbers_large(rows: Rows) -> Floats:
    deviation = max(float(rows.reference.std()), SMALLEST_DEVIATION)
    return wasserstein_distances(ranked(rows)) / deviation / DISTANCE


def _shares_large(reference: Floats, current: Floats) -> Floats:
    return jensen_shannon(current, reference[None]) / DISTANCE


def _shares_small(reference: Floats, current: Floats) -> Floats:
    """Chi-square of three values or more, z-test of two, per window; a value that the reference lacks is p = 0."""
    from scipy.special import chdtrc, ndtr

    rows, size = current.sum(1), reference.sum()
    present = (reference > 0) | (current > 0)
    values = present.sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = reference * (rows / size)[:, None]
        chi2 = np.where(present, (current - expected) ** 2 / expected, 0.0).sum(1)
        by_chi2 = np.where(np.isinf(chi2), 0.0, chdtrc(np.maximum(values - 1, 1), chi2))
        # Of two values the second; which one is the same to a two-sided test.
        second = present.shape[1] - 1 - np.argmax(present[:, ::-1], axis=1)
        here, there = current[np.arange(len(rows)), second], reference[second]
        pooled = (here + there) / (rows + size)
        z = (there / size - here / rows) / np.sqrt(pooled * (1 - pooled) * (1 / size + 1 / rows))
    by_z = np.where(values == 1, 1.0, 2 * ndtr(-np.abs(z)))
    return surprise(np.where(values > 2, by_chi2, by_z)) / surprise(LEVEL)
