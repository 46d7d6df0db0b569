"""Values beyond a limit are all set to the limit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.mapping import affine
from checks.profile import Column, Kind
from checks.wording import number_text, share_text

LEAST, MOST = 0.03, 0.5  # share of the reference beyond the limit
FEWEST = 20  # rows expected beyond the limit; that none came is then no chance
PILED = 0.75  # part of those rows that must lie in the bin of the limit
SLACK = 0.03
DENSER = 2.0  # how much fuller than in the reference that bin must be


@dataclass(frozen=True)
class Clipping:
    """Mass piles up at a new maximum or minimum inside the reference's range, as a cap or a cut of texts leaves it."""

    title: ClassVar[str] = "clipped values"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "text"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 120

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by a limit whose bin holds the rows that the reference has beyond it; a mere loss leaves no pile."""
        values, profile = reference.grid, current.profile
        if values is None or profile.low is None or profile.high is None or profile.low == profile.high:
            return None
        shifted = affine(reference, current, SLACK, scale=1.0)
        if shifted is not None and shifted[1].holds and _has_heavy_end(reference):
            return None  # the pile is the reference's own, moved
        above, below = float((values > profile.high).mean()), float((values < profile.low).mean())
        unit = " characters" if current.bins.kind == "text" else ""
        caps = []
        if _piled(reference, current, profile.high, above):
            caps.append(f"at {number_text(profile.high)}{unit}, {share_text(above)} of the reference lies above")
        if _piled(reference, current, profile.low, below):
            caps.append(f"at {number_text(profile.low)}{unit}, {share_text(below)} of the reference lies below")
        return Explanation("values pile up " + " and ".join(caps), 0.75) if caps else None


def _has_heavy_end(reference: Column) -> bool:
    filled = np.flatnonzero(reference.profile.counts)
    return bool(max(reference.profile.counts[filled[[0, -1]]]) > LEAST * reference.profile.present)


def _piled(reference: Column, current: Column, limit: float, beyond: float) -> bool:
    rows = current.profile.present
    if not LEAST < beyond < MOST or beyond * rows <= FEWEST:
        return False
    place = int(np.searchsorted(current.bins.edge_array, limit, side="left"))
    was = float(reference.profile.counts[place]) / reference.profile.present
    now = float(current.profile.counts[place]) / rows
    return now - was > PILED * beyond and now > DENSER * was
