"""Values beyond a limit are all set to the limit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.mapping import fit
from checks.profile import Column, Edges, Kind
from checks.quantiles import grid
from checks.wording import number_text, share_text

LEAST = 0.02  # share of the reference beyond the limit
FEWEST = 20  # rows expected beyond the limit; that none came is then no chance
CLEARER = 0.8  # how much better than a mere loss of the far rows it must fit


@dataclass(frozen=True)
class Clipping:
    """Mass piles up at a new maximum or minimum inside the reference's range, as a cap or a cut of texts leaves it."""

    title: ClassVar[str] = "clipped values"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "text"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 120

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if the clipped reference predicts the current rows better than one without its far rows."""
        values, profile = grid(reference), current.profile
        if values is None or profile.low is None or profile.high is None or profile.low == profile.high:
            return None
        above, below = float((values > profile.high).mean()), float((values < profile.low).mean())
        high = profile.high if _missing(above, profile.present) else np.inf
        low = profile.low if _missing(below, profile.present) else -np.inf
        if not np.isfinite([low, high]).any():
            return None
        clipped = fit(reference, current, lambda x: np.clip(x, low, high))
        dropped = fit(reference, current, lambda x: _between(x, low, high))
        if clipped is None or not clipped.holds or (dropped is not None and clipped.strain > CLEARER * dropped.strain):
            return None
        unit = " characters" if current.bins.kind == "text" else ""
        caps = [f"at most {number_text(high)}{unit}, where {share_text(above)} of the reference lies above"] * (
            high < np.inf
        )
        caps += [f"at least {number_text(low)}{unit}, where {share_text(below)} of the reference lies below"] * (
            low > -np.inf
        )
        return Explanation("values pile up at a limit: " + " and ".join(caps), 0.8 * clipped.trust)


def _missing(share: float, rows: int) -> bool:
    return share > LEAST and share * rows > FEWEST


def _between(values: Edges, low: float, high: float) -> Edges:
    return values[(values >= low) & (values <= high)]
