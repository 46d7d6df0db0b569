"""The sign of every value is reversed."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, Affine, fit
from checks.profile import Column, Kind
from checks.quantiles import moved

SLACK = 0.08


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
        if mirrored is None or same is None or not mirrored.holds or same.holds:
            return None
        return Explanation(f"every value has changed its sign: {moved(reference, current)}", 0.95 * mirrored.trust)
