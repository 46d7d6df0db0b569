"""Standardised values where raw ones are expected."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import affine
from checks.profile import Column, Kind
from checks.quantiles import moments, moved

SLACK = 0.08
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
        shifted, scaled = abs(before[0]) > max(1.0, before[1]), before[1] > 2 or before[1] < 0.5
        if not shifted and not (scaled and abs(before[0]) > CENTRED):
            return None
        found = affine(reference, current, SLACK)
        if found is None or not found[1].holds:
            return None
        return Explanation(
            f"arrives standardised: {moved(reference, current)}", (0.95 if shifted else 0.7) * found[1].trust
        )
