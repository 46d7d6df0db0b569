"""Categories that the reference does not know."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from checks.category_shares import UNSAMPLED, noise, shares, variation
from checks.diagnosing import Explanation
from checks.mapping import effective_rows
from checks.profile import Column, Kind
from checks.wording import share_text

EVIDENT = 0.02  # share of rows that explains by itself
FEWEST = 3  # rows
EXAMPLES = 3


@dataclass(frozen=True)
class NewCategory:
    """Values appear that the reference never held: a new product, or a defect of encoding."""

    title: ClassVar[str] = "new category"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"categorical"})
    pipeline: ClassVar[bool | None] = None
    rank: ClassVar[int] = 150

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by unseen values that are evident, or a good part of all that moved."""
        before, after = shares(reference), shares(current)
        if before is None or after is None:
            return None
        was, now = before.unseen_share, after.unseen_share
        rows = current.profile.present
        if now * rows < FEWEST or now - was <= 3 * sqrt(was / rows):
            return None
        # Without the unseen the rest must be calm, or the new values are a detail of a larger change.
        moved = variation(before.every, after.every) - noise(before.known, effective_rows(reference, current))
        if now - was <= EVIDENT and now - was < moved / 3:
            return None
        heaviest = sorted(
            (value for value in after.unseen if value != UNSAMPLED), key=lambda value: -after.unseen[value]
        )
        names = ", ".join(f"'{value}'" for value in heaviest[:EXAMPLES])
        more = f" and {current.profile.unseen.distinct - EXAMPLES:,} more" if len(heaviest) > EXAMPLES else ""
        unknown = f"{share_text(was)} unknown in the reference" if was else "never in the reference"
        return Explanation(f"{names}{more} in {share_text(now)} of rows, {unknown}", 0.9)
