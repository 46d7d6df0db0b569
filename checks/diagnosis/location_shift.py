"""All values larger or smaller by about the same amount."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, affine, fit
from checks.profile import Column, Kind
from checks.quantiles import moments, moved
from checks.wording import number_text

SLACK = 0.03
NOTHING = 0.01  # spreads; a map that hardly moves does not explain why the reference was refuted


@dataclass(frozen=True)
class LocationShift:
    """The distribution moved and kept its shape: the population is another, or the season."""

    title: ClassVar[str] = "location shift"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    pipeline: ClassVar[bool | None] = False
    rank: ClassVar[int] = 180

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if the reference does not predict the current rows but does when moved."""
        same = fit(reference, current, IDENTITY)
        found = affine(reference, current, SLACK, scale=1.0)
        if same is None or same.holds or found is None or not found[1].holds:
            return None
        before = moments(reference)
        if before and abs(found[0].shift) < NOTHING * before[1]:
            return None
        size = (
            f" ({found[0].shift / before[1]:+.2f} sd)" if before and before[1] else f" ({number_text(found[0].shift)})"
        )
        return Explanation(moved(reference, current) + size, 0.8 * found[1].trust)
