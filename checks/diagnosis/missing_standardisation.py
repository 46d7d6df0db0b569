"""Raw values where standardised ones are expected."""

from dataclasses import dataclass
from typing import ClassVar

from checks.diagnosing import Explanation
from checks.mapping import affine
from checks.profile import Column, Kind
from checks.quantiles import moments, moved

SLACK = 0.08
CENTRED = 0.3  # mean and spread of a standardised reference are this close to 0 and 1
FAR = 3.0  # mean or spread that a standardised column cannot have


@dataclass(frozen=True)
class MissingStandardisation:
    """The reference has mean 0 and spread 1, the current rows the same shape in other units: a step was left out."""

    title: ClassVar[str] = "missing standardisation"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 80

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by raw moments, unless the bins show that the shape is another."""
        before, after = moments(reference), moments(current)
        if before is None or after is None or abs(before[0]) > CENTRED or abs(before[1] - 1) > CENTRED:
            return None
        mean, spread = abs(after[0]), after[1]
        narrow = spread < 1 / FAR and mean > FAR * spread  # as fractions and rates are
        if not spread or not (mean > FAR or spread > FAR or narrow):
            return None
        found = affine(reference, current, SLACK)
        if found is None or not found[1].holds:
            return None
        # A mean so far off is no population's; a spread alone might be.
        return Explanation(
            f"arrives unstandardised: {moved(reference, current)}", (0.95 if mean > FAR else 0.8) * found[1].trust
        )
