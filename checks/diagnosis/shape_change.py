"""Another shape."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.gathering import gathering
from checks.mapping import IDENTITY, fit
from checks.profile import Column, Kind
from checks.quantiles import moved


@dataclass(frozen=True)
class ShapeChange:
    """No single map makes the reference into the current rows: several populations came, went or grew."""

    title: ClassVar[str] = "changed shape"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    pipeline: ClassVar[bool | None] = False
    rank: ClassVar[int] = 200

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by any change beyond sampling; this is the last fault to be asked."""
        same = fit(reference, current, IDENTITY)
        if same is None or same.holds:
            return None
        found = gathering(reference, current)
        words = moved(reference, current)
        return Explanation(f"{found.words}; {words}" if found else words, 0.6)
