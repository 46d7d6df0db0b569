"""A logarithm or exponential is applied where it was not, or left out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, affine, fit
from checks.parts import filled_bins, without_zeros
from checks.profile import Column, Edges, Kind
from checks.quantiles import moved

SLACK = 0.08  # a window's own variation on top of the exact transform
CLOSE = 0.7  # storms and rushes fit some transform loosely; a real one fits closely
FEWEST_BINS = 4  # of the reference; with fewer any map is as good
_TRANSFORMS: tuple[tuple[Callable[[Edges], Edges], str], ...] = (
    (np.log1p, "log(1 + x) is applied"),
    (np.log, "the natural logarithm is applied"),
    (np.log10, "the decimal logarithm is applied"),
    (np.sqrt, "the square root is applied"),
    (np.expm1, "log(1 + x) is left out"),
    (np.exp, "the natural logarithm is left out"),
    (lambda values: np.power(10.0, values), "the decimal logarithm is left out"),
    (np.square, "the square root is left out"),
)


@dataclass(frozen=True)
class TransformChange:
    """The current rows are the reference's after a log, root or exponential, or before one."""

    title: ClassVar[str] = "changed transform"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 100

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by the best transform, if it predicts the current rows better than any stretch."""
        same = fit(reference, current, IDENTITY, SLACK)
        if same is None or same.holds:
            return None
        was, now = without_zeros(reference), without_zeros(current)
        if filled_bins(was) < FEWEST_BINS or not now.profile.present:
            return None
        tried = [(fit(was, now, transform, SLACK), words) for transform, words in _TRANSFORMS]
        fits = [(found, words) for found, words in tried if found is not None and found.holds]
        if not fits:
            return None
        found, words = min(fits, key=lambda item: item[0].strain)
        if found.strain > CLOSE:
            return None
        # A stretch has two free numbers: where only moments speak it always fits, and that it does says nothing.
        rivals = [affine(was, now, SLACK, scale=1.0), affine(was, now, SLACK)]
        if any(rival and rival[1].points and rival[1].strain <= found.strain for rival in rivals):
            return None
        return Explanation(f"{words}: {moved(reference, current)}", 0.9 * found.trust)
