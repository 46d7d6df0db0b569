"""Some rows are as before, and the others sit elsewhere."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.gathering import gathering
from checks.mapping import IDENTITY, fit
from checks.profile import Column, Kind
from checks.wording import share_text

LEAST_MOVED = 0.04  # share of rows
TIMES = 2.0  # the run where they gathered held less than half as much before


@dataclass(frozen=True)
class SubPopulation:
    """A part of the rows moved to one place and the rest stayed: a new kind of customer, or a segment that changed."""

    title: ClassVar[str] = "sub-population"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    pipeline: ClassVar[bool | None] = False
    rank: ClassVar[int] = 180

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if one run of bins gained, and all other bins lost one share of their rows."""
        same = fit(reference, current, IDENTITY)
        if same is None or same.holds:
            return None
        found = gathering(reference, current)
        if found is None or not found.alike or found.share < LEAST_MOVED or found.after < TIMES * found.before:
            return None
        return Explanation(f"{share_text(found.share)} of rows sit elsewhere, the rest as before: {found.words}", 0.7)
