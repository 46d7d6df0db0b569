"""Values of another type than the reference's."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import departure
from checks.profile import KINDS, Column, ColumnProfile, Kind
from checks.wording import share_text

LEAST = 0.005  # share of unreadable rows that is worth a name


@dataclass(frozen=True)
class TypeChange:
    """Values can no longer be read as the reference's kind, or are read but arrive as another type."""

    title: ClassVar[str] = "changed type"
    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 20

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by unreadable values that outweigh what else moved, or by another type if nothing moved."""
        before, after = _mistyped(reference.profile), _mistyped(current.profile)
        rows = max(current.profile.rows, 1)
        moved = departure(reference, current)
        if after - before > max(LEAST, 3 * sqrt(before / rows), moved / 2):
            words = f"{share_text(after)} of rows are not {current.bins.kind}, {share_text(before)} in the reference"
            return Explanation(words, 0.95)
        was, now = _family(reference.profile), _family(current.profile)
        if current.profile.present and was and now and was != now and not moved:
            return Explanation(f"arrives as {now}, was {was}; the values are the same", 0.7)
        return None


def _mistyped(profile: ColumnProfile) -> float:
    had = profile.rows - profile.absent
    return profile.mistyped / had if had else 0.0


def _family(profile: ColumnProfile) -> str | None:
    """Return the type in which most rows arrived; a null type says nothing."""
    typed = {family: rows for family, rows in profile.families.items() if family != "null"}
    return max(typed, key=lambda family: typed[family], default=None)
