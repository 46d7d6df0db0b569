"""Rows without a value."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.components import Component, angle, on_bins
from checks.measurement import Inconclusive, Measurement
from checks.native import Native, shares
from checks.profile import KINDS, Column, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.wording import share_text


@dataclass(frozen=True)
class NullRate:
    """Null rate: the change of the share of rows that are null or NaN, in either direction.

    Statistic: the share of null or NaN among the rows that had the column. The effect is its difference from the
    reference's share; standard error with half a row added on both sides, p-value of equal shares by Fisher's test
    (mid-p). A column that stops being null counts as much as one that becomes null: a filled default is as suspicious
    as a gap.

    Sees nulls only. Values that stand for a missing one, such as -999, show in the drift checks and in the diagnosis.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.05: one row in twenty, what imputation in most models survives.

    Configuration
    -------------
    ::

        - null_rate: {tolerance: 0.001}

    References
    ----------
    Breck et al. 2019, *Data validation for machine learning*, SysML.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.001

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        known, seen = reference.profile, current.profile
        if (refused := without_rows(known.rows - known.absent, seen.rows - seen.absent)) is not None:
            return refused
        before = Proportion(known.nulls, known.rows - known.absent)
        after = Proportion(seen.nulls, seen.rows - seen.absent)
        return compare(before, after, f"null {share_text(before.share)} to {share_text(after.share)}")

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        profile, size = reference.profile, reference.bins.size
        had = on_bins(np.ones(size), nulls=1.0, mistyped=1.0)
        tolerance = angle(profile.null_share, self.tolerance)
        return (Component("nulls", on_bins(np.zeros(size), nulls=1.0), had, scored=False, tolerance=tolerance),)

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        del component  # there is one
        return shares("share of nulls", reference, current, lambda side: (side.nulls, side.rows - side.absent))
