"""Values of another type than the reference's."""

from dataclasses import dataclass
from typing import ClassVar

from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Bins, Column, ColumnProfile, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.wording import share_text


@dataclass(frozen=True)
class TypeChange:
    """Type change: the share of rows with values that cannot be read as the reference's kind, or numbers as text.

    Statistic: the larger of two shares of the rows that had the column: rows with an unreadable value, and, for a
    numeric column whose reference had no text, rows of batches that brought it as text even though it could be
    parsed. The effect is the rise of that share over the reference's; standard error with half a row added on both
    sides, p-value of equal shares (mid-p).

    Sees numbers that become words, dates in a new format, a changed schema. What logs legitimately deliver in another
    dress is no change: 0 and 1 for a boolean, ISO text for a time, whole numbers that a null has turned into floats.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.01: one unreadable row in a hundred.
    numbers_as_text : whether numbers may arrive as text where they can be parsed. False: most models would not parse
        them.

    Configuration
    -------------
    ::

        - type_change: {tolerance: 0.01, numbers_as_text: true}

    References
    ----------
    Breck et al. 2019, *Data validation for machine learning*, SysML.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    default_for: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = True

    tolerance: float = 0.01
    numbers_as_text: bool = False

    def unmoved(self, bins: Bins, reference: ColumnProfile, current: ColumnProfile) -> bool:
        """Return whether every value could be read as what it was."""
        del bins
        had = min(side.rows - side.absent for side in (reference, current))
        texts = current.kind == "numeric" and current.families.get("text", 0) > 0
        return had > 0 and current.mistyped == 0 and not texts

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        known, seen = reference.profile, current.profile
        had_before, had = known.rows - known.absent, seen.rows - seen.absent
        if (refused := without_rows(had_before, had)) is not None:
            return refused
        before, after = Proportion(known.mistyped, had_before), Proportion(seen.mistyped, had)
        words = f"unreadable as {seen.kind} {share_text(before.share)} to {share_text(after.share)}"
        texts = min(seen.families.get("text", 0), had)
        watched = seen.kind == "numeric" and not self.numbers_as_text and not known.families.get("text", 0)
        if watched and texts > seen.mistyped:
            before, after = Proportion(0, had_before), Proportion(texts, had)
            words = f"{share_text(after.share)} of rows bring numbers as text"
        return compare(before, after, words, upwards=True)
