"""Values of another order of magnitude, by no factor with a name."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.profile import Column, ColumnProfile, Kind
from checks.quantiles import moments, moved

MOST = 0.5  # share of rows that must lie beyond the far edges
FEW = 0.01  # share of the reference that may lie there
NARROWER = 50.0  # ratio of spreads that no population has


@dataclass(frozen=True)
class OtherMagnitude:
    """Most rows lie farther out than any reference value comes near, or all within a speck of its range."""

    title: ClassVar[str] = "values of another magnitude"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "text"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 175

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by values that the reference's population cannot have, where no specific fault explained them."""
        before, after = moments(reference), moments(current)
        if before is None or after is None or not before[1]:
            return None
        far = _far_share(current.profile) > MOST and _far_share(reference.profile) < FEW
        if not far and after[1] * NARROWER > before[1]:
            return None
        return Explanation(f"no common factor or transform: {moved(reference, current)}", 0.6 if far else 0.5)


def _far_share(profile: ColumnProfile) -> float:
    return int(profile.counts[0] + profile.counts[-1]) / profile.present if len(profile.counts) > 1 else 0.0
