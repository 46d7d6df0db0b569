"""Rows that lie far from the others."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.measurement import Inconclusive, Measurement
from checks.outskirts import above, below, rows_beyond, rows_up_to
from checks.profile import Column, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.quantiles import quantiles
from checks.wording import number_text, share_text

_NORMAL_QUARTILES = 1.3489795003921634  # interquartile range of a normal distribution in its standard deviations

_NOTHING = 1e-12  # of the width of all bins: rounding, not spread


@dataclass(frozen=True)
class OutlierRate:
    """Outlier rate: the change of the share of rows far from the centre of the reference, in either direction.

    Statistic: the share of rows beyond the reference's central 99%; or, with ``robust_z``, the share whose distance
    from the reference's median is more than that many (interquartile range / 1.349), a standard deviation that
    outliers do not move. That limit is put on the next edge of the bins further out, so that counts stay exact. The
    effect is the difference from the reference's own share; standard error with half a row added on both sides,
    p-value of equal shares (mid-p).

    Sees gross errors and heavier or lighter tails. Does not see changes in the middle.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.02: three times the share of 0.01 that the reference has by construction.
    robust_z : robust standard deviations, above 0; none (default) for the central 99%. 3.5 is the usual choice
        (Iglewicz & Hoaglin); without meaning where more than half of the rows are one value, and then inconclusive.

    Configuration
    -------------
    ::

        - outlier_rate: {tolerance: 0.02, robust_z: 3.5}

    References
    ----------
    Iglewicz & Hoaglin 1993, *How to Detect and Handle Outliers*.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.02
    robust_z: float | None = None

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := without_rows(reference.profile.finite, current.profile.present)) is not None:
            return refused
        counts = [below(column) + above(column) for column in (reference, current)]
        limits = reference.bins.tails
        if self.robust_z is not None:
            limits = _fences(reference, self.robust_z)
            if limits is None:
                return Inconclusive("half of the reference is one value: it has no robust deviation to measure in")
            counts = [rows_up_to(column, limits[0]) + rows_beyond(column, limits[1]) for column in (reference, current)]
        if limits is None:
            return Inconclusive("the reference had no value when its bins were fixed")
        before = Proportion(counts[0], reference.profile.present)
        after = Proportion(counts[1], current.profile.present)
        outside = f"outside of {number_text(limits[0])} to {number_text(limits[1])}"
        return compare(before, after, f"share {outside} {share_text(before.share)} to {share_text(after.share)}")


def _fences(reference: Column, robust_z: float) -> tuple[float, float] | None:
    """Return the outermost edges at or beyond the robust limits; the far edges where the limits lie beyond them."""
    bins = reference.bins
    quartiles = quantiles(reference, np.array([0.25, 0.5, 0.75]))
    if not bins.edges or quartiles is None:
        return None
    first, middle, third = quartiles.tolist()
    reach = robust_z * (third - first) / _NORMAL_QUARTILES
    if reach <= _NOTHING * (bins.edges[-1] - bins.edges[0]):
        return None
    low = max((edge for edge in bins.edges if edge <= middle - reach), default=bins.edges[0])
    high = min((edge for edge in bins.edges if edge >= middle + reach), default=bins.edges[-1])
    return low, high
