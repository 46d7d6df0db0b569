"""Some rows are of another kind."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, fit
from checks.profile import Bins, Column, Kind
from checks.quantiles import moved
from checks.wording import number_text, share_text


@dataclass(frozen=True)
class ShapeChange:
    """No single map makes the reference into the current rows: a sub-population came, went or grew."""

    title: ClassVar[str] = "sub-population or mixture"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    pipeline: ClassVar[bool | None] = False
    rank: ClassVar[int] = 200

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by any change beyond sampling; this is the last fault to be asked."""
        same = fit(reference, current, IDENTITY)
        if same is None or same.holds:
            return None
        where = _gain(reference, current)
        return Explanation(f"{where}; {moved(reference, current)}" if where else moved(reference, current), 0.6)


def _gain(reference: Column, current: Column) -> str:
    """Say in which run of bins the share of rows grew most (the maximal subarray of the differences)."""
    edges = reference.bins.edges
    before = reference.profile.counts / reference.profile.present
    after = current.profile.counts / current.profile.present
    total = np.concatenate([[0.0], np.cumsum(after - before)])
    gains = total[1:, None] - np.minimum.accumulate(total)[None, :-1]
    last = int(np.argmax(np.diagonal(gains)))
    first = int(np.argmin(total[: last + 1]))
    if not edges or total[last + 1] - total[first] <= 0:
        return ""
    was, now = share_text(float(before[first : last + 1].sum())), share_text(float(after[first : last + 1].sum()))
    return f"rows {_place(reference.bins, first, last)} from {was} to {now}"


def _place(bins: Bins, first: int, last: int) -> str:
    """Name a run of bins; an edge just below an atom belongs to the atom."""
    edges = [value if (value := float(np.nextafter(edge, np.inf))) in bins.atoms else edge for edge in bins.edges]
    if first == 0:
        return f"{'below' if edges[last] != bins.edges[last] else 'up to'} {number_text(edges[last])}"
    if last == len(edges):
        return f"above {number_text(edges[first - 1])}"
    low, high = number_text(edges[first - 1]), number_text(edges[last])
    return f"at {low}" if low == high else f"from {low} to {high}"
