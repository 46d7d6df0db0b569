"""Known categories in other proportions."""

from dataclasses import dataclass
from typing import ClassVar

from checks.category_shares import OTHER, UNSAMPLED, noise, shares, variation
from checks.diagnosing import Explanation
from checks.mapping import effective_rows
from checks.profile import Column, Kind
from checks.wording import share_text

_NAMES = {OTHER: "other known values", UNSAMPLED: "unseen values"}


@dataclass(frozen=True)
class ShareShift:
    """The mix of categories changed: other customers, another season."""

    title: ClassVar[str] = "share shift"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"categorical", "boolean"})
    pipeline: ClassVar[bool | None] = False
    rank: ClassVar[int] = 170

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by proportions that changed more than sampling changes them."""
        before, after = shares(reference), shares(current)
        if before is None or after is None:
            return None
        moved = variation(before.every, after.every)
        limit = noise(before.known, effective_rows(reference, current))
        if moved <= limit:
            return None
        was, now = before.every, after.every
        value = max(was.keys() | now.keys(), key=lambda key: (abs(now.get(key, 0.0) - was.get(key, 0.0)), key))
        name = _NAMES.get(value, f"'{value}'")
        words = f"share of {name} {share_text(was.get(value, 0.0))} to {share_text(now.get(value, 0.0))}"
        return Explanation(words, min(0.8, 0.4 + 0.2 * moved / limit))
