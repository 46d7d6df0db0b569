"""Values spread wider or narrower."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, affine, fit
from checks.profile import Column, Kind
from checks.quantiles import TIMES, moved
from checks.wording import number_text

SLACK = 0.04


@dataclass(frozen=True)
class ScaleShift:
    """The distribution was stretched, perhaps moved too, by no factor between units, and kept its shape."""

    title: ClassVar[str] = "scale shift"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    pipeline: ClassVar[bool | None] = False
    rank: ClassVar[int] = 190

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if the reference does not predict the current rows but does when stretched and moved."""
        same = fit(reference, current, IDENTITY)
        found = affine(reference, current, SLACK)
        if same is None or same.holds or found is None or not found[1].holds or found[0].scale <= 0:
            return None
        # Two free numbers explain two moments always: only the bins can confirm.
        confidence = 0.7 if found[1].points else 0.4
        return Explanation(
            f"{moved(reference, current)} (spread {TIMES} {number_text(found[0].scale)})", confidence * found[1].trust
        )
