"""A column that is no longer there."""

from dataclasses import dataclass
from typing import ClassVar

from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Bins, Column, ColumnProfile, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.wording import share_text


@dataclass(frozen=True)
class MissingColumn:
    """Missing column: the share of rows that arrived without the column at all.

    Statistic: the share of rows in batches that did not have the column. The effect is its rise over the reference's
    share; standard error with half a row added on both sides, p-value of equal shares (mid-p).

    Sees dropped and renamed columns; a column that is there but null is ``null_rate``'s.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.01: a column is there or not; this leaves room for one stray file.

    Configuration
    -------------
    ::

        - missing_column: {tolerance: 0.01}

    References
    ----------
    Breck et al. 2019, *Data validation for machine learning*, SysML.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = True

    tolerance: float = 0.01

    def unmoved(self, bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> bool:
        """Return whether every row came with the column."""
        del bins
        return current.absent == 0 < current.rows and reference.rows > 0

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        known, seen = reference.profile, current.profile
        if (refused := without_rows(known.rows, seen.rows)) is not None:
            return refused
        after = Proportion(seen.absent, seen.rows)
        words = f"{share_text(after.share)} of rows came without the column" if seen.absent else "present"
        return compare(Proportion(known.absent, known.rows), after, words, upwards=True)
