"""Far more nulls than in the reference."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import departure
from checks.profile import KINDS, Column, Kind
from checks.wording import share_text

LEAST = 0.005  # smallest rise of the null share that is worth a name
EVIDENT = 0.1  # a rise that needs no comparison with what else moved


@dataclass(frozen=True)
class NullFlood:
    """Values stopped arriving for a share of the rows."""

    title: ClassVar[str] = "null flood"
    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 40

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by a rise beyond sampling noise, unless the values that remain moved more."""
        before, after = reference.profile.null_share, current.profile.null_share
        rise = after - before
        rows = max(current.profile.rows, 1)
        noise = sqrt(before * (1 - before) * (1 / rows + 1 / max(reference.profile.rows, 1)))
        if rise <= max(LEAST, 3 * noise) or current.profile.nulls < 3:
            return None
        if rise < EVIDENT and rise < departure(reference, current) / 2:
            return None
        words = f"null in {share_text(after)} of rows, {share_text(before)} in the reference"
        return Explanation(words, 0.95 if rise >= EVIDENT else 0.85)
