"""Infinities."""

from dataclasses import dataclass
from typing import ClassVar

from checks.measurement import Inconclusive, Measurement
from checks.profile import Bins, Column, ColumnProfile, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.wording import share_text


@dataclass(frozen=True)
class NonFinite:
    """Non-finite: the rise of the share of values that are plus or minus infinity.

    Statistic: the share of infinities among the present rows. The effect is its rise over the reference's share;
    standard error with half a row added on both sides, p-value of equal shares (mid-p).

    Sees divisions by zero, logarithms of zero, overflows. NaN counts as null and is ``null_rate``'s.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.005: a single infinity already breaks a sum, but a day of a hundred rows
        can show no smaller share.

    Configuration
    -------------
    ::

        - non_finite: {tolerance: 0.005}

    References
    ----------
    IEEE 754-2019, sections 6.1 and 7.3.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.005

    def unmoved(self, bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> bool:
        """Return whether no value is infinite."""
        del bins
        return current.infinite == 0 and current.present > 0 and reference.present > 0

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        known, seen = reference.profile, current.profile
        if (refused := without_rows(known.present, seen.present)) is not None:
            return refused
        before, after = Proportion(known.infinite, known.present), Proportion(seen.infinite, seen.present)
        return compare(before, after, f"infinite {share_text(before.share)} to {share_text(after.share)}", upwards=True)
