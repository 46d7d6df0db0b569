"""Where rows gathered that were elsewhere before: the run of bins that gained most, and what the others lost."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from checks.mapping import KOLMOGOROV, effective_rows
from checks.profile import Bins, Column
from checks.wording import number_text, share_text


@dataclass(frozen=True)
class Gathering:
    """The run of bins whose share of rows grew most.

    Parameters
    ----------
    words : the run and its shares, for example ``"rows above 40 from 2% to 31%"``.
    before, after : share of the rows in the run.
    alike : whether all other bins lost one and the same share of their rows, as far as can be told.
    """

    words: str
    before: float
    after: float
    alike: bool

    @property
    def share(self) -> float:
        """Share of the current rows that came to the run from a population that had none of them.

        Blanchard, Lee & Scott 2010, *Semi-supervised novelty detection*, JMLR 11: what the other bins lost.
        """
        return 1 - (1 - self.after) / (1 - self.before) if self.before < 1 else 0.0


def gathering(reference: Column, current: Column) -> Gathering | None:
    """Find the run of bins that gained most, the maximal subarray of the differences; None where none gained."""
    edges = reference.bins.edges
    before = reference.profile.counts / reference.profile.present
    after = current.profile.counts / current.profile.present
    total = np.concatenate([[0.0], np.cumsum(after - before)])
    gains = total[1:, None] - np.minimum.accumulate(total)[None, :-1]
    last = int(np.argmax(np.diagonal(gains)))
    first = int(np.argmin(total[: last + 1]))
    if not edges or total[last + 1] - total[first] <= 0:
        return None
    run = slice(first, last + 1)
    was, now = float(before[run].sum()), float(after[run].sum())
    known, seen = np.delete(before, run), np.delete(after, run)
    alike = False
    if known.sum() and seen.sum():
        gap = float(np.abs(np.cumsum(seen / seen.sum() - known / known.sum())).max())
        alike = gap <= KOLMOGOROV / sqrt(effective_rows(reference, current) * float(seen.sum()))
    words = f"rows {_place(reference.bins, first, last)} from {share_text(was)} to {share_text(now)}"
    return Gathering(words, was, now, alike)


def _place(bins: Bins, first: int, last: int) -> str:
    """Name a run of bins; an edge just below an atom belongs to the atom."""
    edges = [value if (value := float(np.nextafter(edge, np.inf))) in bins.atoms else edge for edge in bins.edges]
    if first == 0:
        return f"{'below' if edges[last] != bins.edges[last] else 'up to'} {number_text(edges[last])}"
    if last == len(edges):
        return f"above {number_text(edges[first - 1])}"
    low, high = number_text(edges[first - 1]), number_text(edges[last])
    return f"at {low}" if low == high else f"from {low} to {high}"
