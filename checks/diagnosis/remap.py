"""Categories exchange their names or codes."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import ClassVar

from checks.category_shares import OTHER, UNSAMPLED, CategoryShares, noise, shares, variation
from checks.diagnosing import Explanation
from checks.mapping import effective_rows
from checks.profile import Column, Kind

SLACK = 0.02
REST = 0.25  # share of the change that may remain when names are forgotten
UNNAMED = 0.05  # share of rows without a name of their own above which shares cannot be matched
TWO = 0.2  # two categories may come to each other's shares by chance; so much of the rows must have moved
EXAMPLES = 3


@dataclass(frozen=True)
class Remap:
    """The sorted shares are the reference's but belong to other names: codes were permuted or assigned anew."""

    title: ClassVar[str] = "remapped categories"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"categorical", "boolean"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 140

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if most of the change vanishes when names are forgotten."""
        before, after = shares(reference), shares(current)
        if before is None or after is None or _unnamed(before) > UNNAMED or _unnamed(after) > UNNAMED:
            return None
        moved = variation(before.every, after.every)
        limit = SLACK + noise(before.known, effective_rows(reference, current))
        was, now = _ranked(before), _ranked(after)
        rest = sum(abs(a[1] - b[1]) for a, b in zip_longest(was, now, fillvalue=("", 0.0))) / 2
        few = _changed(before, after, limit) <= 2
        if moved <= (max(TWO, limit) if few else limit) or rest > limit or rest > REST * moved:
            return None
        pairs = [f"'{old}' now '{new}'" for (old, _), (new, _) in zip(was, now, strict=False) if old != new]
        return Explanation("categories carry each other's shares: " + ", ".join(pairs[:EXAMPLES]), 0.6 if few else 0.85)


def _changed(before: CategoryShares, after: CategoryShares, limit: float) -> int:
    """Return how many categories have another share than before, beyond a part of the noise of all."""
    was, now = before.every, after.every
    return sum(abs(was.get(value, 0.0) - now.get(value, 0.0)) > limit / 2 for value in was.keys() | now.keys())


def _unnamed(found: CategoryShares) -> float:
    return found.known.get(OTHER, 0.0) + found.unseen.get(UNSAMPLED, 0.0)


def _ranked(found: CategoryShares) -> list[tuple[str, float]]:
    return sorted(found.every.items(), key=lambda item: -item[1])
