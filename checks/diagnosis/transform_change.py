"""A logarithm or exponential is applied where it was not, or left out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.mapping import IDENTITY, affine, fit
from checks.profile import Column, Edges, Kind
from checks.quantiles import moved

SLACK = 0.06
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
    rank: ClassVar[int] = 110

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by the best transform, if it predicts the current rows better than any stretch."""
        same = fit(reference, current, IDENTITY, SLACK)
        if same is None or same.holds:
            return None
        tried = [(fit(reference, current, transform, SLACK), words) for transform, words in _TRANSFORMS]
        fits = [(found, words) for found, words in tried if found is not None and found.holds]
        if not fits:
            return None
        found, words = min(fits, key=lambda item: item[0].strain)
        stretched = affine(reference, current, SLACK)
        if stretched is not None and stretched[1].strain <= found.strain:
            return None
        return Explanation(f"{words}: {moved(reference, current)}", 0.9 * found.trust)
