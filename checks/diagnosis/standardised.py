"""Standardised values where raw ones are expected."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import affine
from checks.profile import Column, Kind
from checks.quantiles import moments, moved

SLACK = 0.08
RATIO = 0.5  # of mean to spread, above which the reference is not centred
FAR = 3.0  # a mean that no shift of one spread explains
CENTRED = 0.3  # mean and spread of standardised rows are this close to 0 and 1


@dataclass(frozen=True)
class Standardised:
    """The current rows have mean 0 and spread 1, the reference has not: a step too many, or one applied twice."""

    title: ClassVar[str] = "standardised by mistake"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 90

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by standard moments, if the reference's are far from them and the shape is the same."""
        before, after = moments(reference), moments(current)
        if before is None or after is None or abs(after[0]) > CENTRED or abs(after[1] - 1) > CENTRED:
            return None
        # With the ratio of mean and spread lost it is no factor, with another spread no shift.
        centred, scaled = abs(before[0]) > RATIO * before[1], not 0.5 < before[1] < 2
        if not centred or not (scaled or abs(before[0]) > FAR):
            return None
        found = affine(reference, current, SLACK)
        if found is None or not found[1].holds:
            return None
        sure = 0.95 if abs(before[0]) > before[1] else 0.75
        return Explanation(f"arrives standardised: {moved(reference, current)}", sure * found[1].trust)
