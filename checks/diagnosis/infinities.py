"""Infinite values, as a division by zero leaves them."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import departure
from checks.profile import Column, ColumnProfile, Kind
from checks.wording import share_text

LEAST = 0.001  # share of rows


@dataclass(frozen=True)
class Infinities:
    """Infinities appeared: a ratio lost its denominator upstream."""

    title: ClassVar[str] = "infinite values"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 55

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by infinities that are a good part of all that moved."""
        before, after = _share(reference.profile), _share(current.profile)
        if after - before < max(LEAST, departure(reference, current) / 2):
            return None
        return Explanation(f"infinite in {share_text(after)} of rows, {share_text(before)} in the reference", 0.9)


def _share(profile: ColumnProfile) -> float:
    return profile.infinite / profile.rows if profile.rows else 0.0
