"""A column that used to be empty has values."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.profile import KINDS, Column, Kind
from checks.wording import share_text

LEAST = 0.2  # smallest fall of the null share that marks a beginning rather than a change of mix


@dataclass(frozen=True)
class BecameNonNull:
    """The null share fell by much: a field starts to be filled, by a new rule of the world or by a new release."""

    title: ClassVar[str] = "column began to be filled"
    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    pipeline: ClassVar[bool | None] = None
    rank: ClassVar[int] = 50

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by a fall of the null share by ``LEAST`` and by half."""
        before, after = reference.profile.null_share, current.profile.null_share
        if not current.profile.rows or before - after < LEAST or after > before / 2:
            return None
        words = f"null in {share_text(after)} of rows, {share_text(before)} in the reference"
        return Explanation(words, 0.9 if before > 0.9 else 0.75)
