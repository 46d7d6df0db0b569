"""The sign of every value is reversed."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, Affine, affine, fit
from checks.profile import Column, Kind
from checks.quantiles import moments, moved

SLACK = 0.08
ALIKE = 0.5  # least ratio of two means of a like size


@dataclass(frozen=True)
class SignFlip:
    """Values are the negatives of what they were: a debit written as a credit, an axis turned round."""

    title: ClassVar[str] = "reversed sign"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 70

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if the mirror image of the reference predicts the current rows and the reference itself does not."""
        mirrored, same = fit(reference, current, Affine(-1.0, 0.0), SLACK), fit(reference, current, IDENTITY, SLACK)
        if mirrored is None or same is None or same.holds:
            return None
        turned = _opposite(reference, current) or _opposite(current, reference)
        shifted = affine(reference, current, SLACK, scale=1.0)
        # A symmetric distribution that moved a little looks mirrored, unless all of it changed sides.
        moved_only = shifted is not None and shifted[1].strain <= mirrored.strain
        if not turned and (not mirrored.holds or moved_only):
            return None
        sure = 0.95 * mirrored.trust if mirrored.holds else 0.7  # a drift may come with it: the side says enough
        return Explanation(f"every value has changed its sign: {moved(reference, current)}", sure)


def _opposite(one: Column, other: Column) -> bool:
    """Whether one side is positive, the other negative, and both of a like size."""
    if one.profile.low is None or one.profile.low < 0 or other.profile.high is None or other.profile.high > 0:
        return False
    before, after = moments(one), moments(other)
    return before is not None and after is not None and ALIKE * before[0] < -after[0] < before[0] / ALIKE
