"""The same categories, spelled otherwise."""

from dataclasses import dataclass
from typing import ClassVar

from checks.category_shares import UNSAMPLED, folded, noise, normalised, shares, variation
from checks.diagnosing import Explanation
from checks.mapping import effective_rows
from checks.profile import Column, Kind
from checks.wording import share_text

LEAST = 0.005  # share of rows in a new spelling that is worth a name
SLACK = 0.03
REST = 0.4  # share of the change that may remain when spelling is forgotten
MATCHING = 0.9  # share of the sampled unseen rows that speaks for those beyond the sample
EXAMPLES = 2


@dataclass(frozen=True)
class Spelling:
    """Case, blanks, punctuation or leading zeros of categories changed; what they mean did not."""

    title: ClassVar[str] = "category spelling"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"categorical"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 130

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if most of the change vanishes when spelling is forgotten."""
        before, after = shares(reference), shares(current)
        if before is None or after is None:
            return None
        known: dict[str, str] = {}
        for value in (*current.bins.values, *sorted(current.bins.others)):
            known.setdefault(normalised(value), value)
        respelled = {
            value: known[normalised(value)]
            for value in after.unseen
            if value != UNSAMPLED and normalised(value) in known
        }
        share = sum(after.unseen[value] for value in respelled)
        if share < LEAST:
            return None
        moved = variation(before.every, after.every)
        rest = variation(folded(before, reference), folded(after, current))
        limit = SLACK + noise(before.known, effective_rows(reference, current))
        # The unseen values are a sample by hash: where nearly all of them match, so do those that it left out.
        sampled = after.unseen_share - after.unseen.get(UNSAMPLED, 0.0)
        matching = UNSAMPLED in after.unseen and share > MATCHING * sampled
        if not matching and (rest > limit or (rest > REST * moved and share < moved * (1 - REST))):
            return None
        share = after.unseen_share if matching else share
        heaviest = sorted(respelled, key=lambda value: -after.unseen[value])[:EXAMPLES]
        examples = ", ".join(f"'{respelled[value]}' as '{value}'" for value in heaviest)
        return Explanation(f"{share_text(share)} of rows spell known categories otherwise: {examples}", 0.95)
