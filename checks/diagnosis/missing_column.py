"""The column is not delivered at all."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.profile import KINDS, Column, Kind
from checks.wording import share_text


@dataclass(frozen=True)
class MissingColumn:
    """Rows arrive without the column: it was dropped or renamed upstream."""

    title: ClassVar[str] = "missing column"
    kinds: ClassVar[frozenset[Kind]] = frozenset(KINDS)
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 10

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by any rise of absent rows; a batch either has a column or not."""
        profile = current.profile
        if profile.absent * reference.profile.rows <= reference.profile.absent * profile.rows:
            return None
        if profile.absent == profile.rows:
            return Explanation("absent from all rows", 1.0)
        return Explanation(f"absent from {share_text(profile.absent / profile.rows)} of rows", 0.95)
