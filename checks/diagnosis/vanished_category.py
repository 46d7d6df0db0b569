"""Categories that no longer come."""

from dataclasses import dataclass
from math import log
from typing import ClassVar

from checks.category_shares import OTHER, noise, shares, variation
from checks.diagnosing import Explanation
from checks.mapping import effective_rows
from checks.profile import Column, Kind
from checks.wording import share_text

CHANCE = 1e-5  # probability under the reference that a category is absent
EXAMPLES = 3


@dataclass(frozen=True)
class VanishedCategory:
    """A category of the reference has no row left, and the others share its rows: a source or a product is gone."""

    title: ClassVar[str] = "vanished category"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"categorical", "boolean"})
    pipeline: ClassVar[bool | None] = None
    rank: ClassVar[int] = 160

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by an absence that is no chance and most of what moved."""
        before, after = shares(reference), shares(current)
        if before is None or after is None or len(after.every) < 2:
            return None
        rows = current.profile.present
        gone = {
            value: share
            for value, share in before.known.items()
            if value != OTHER and value not in after.known and rows * log(max(1 - share, 1e-300)) < log(CHANCE)
        }
        lost = sum(gone.values())
        moved = variation(before.every, after.every) - noise(before.known, effective_rows(reference, current))
        if not gone or lost < moved / 2:
            return None
        names = ", ".join(f"'{value}'" for value in sorted(gone, key=lambda value: -gone[value])[:EXAMPLES])
        return Explanation(f"{names} gone, {share_text(lost)} of rows in the reference", 0.85)
