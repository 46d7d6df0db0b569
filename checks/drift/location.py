"""Whether values are larger or smaller than they were."""

from dataclasses import dataclass
from typing import ClassVar

from checks.components import SMALLEST_EFFECT, Component
from checks.measurement import Inconclusive, Measurement
from checks.native import Native
from checks.profile import Column, Kind
from checks.scores import MEDIAN, component_of, native, scored


@dataclass(frozen=True)
class Location:
    """Location: by how much the values lie higher or lower among those of the reference.

    Statistic: the probability that a current value exceeds one of the reference, 0.5 where nothing changed
    (Wilcoxon).
    The effect is the mean of the standardised mid-ranks: for a normal distribution about the shift in standard
    deviations, Cohen's d.

    Sees shifts, in the middle as in the tails, and is not led by outliers. Does not see what leaves the middle where
    it is: ``spread`` and ``shape`` do.

    Parameters
    ----------
    tolerance : standard deviations of the score, from 0.

    Configuration
    -------------
    ::

        - location: {tolerance: 0.05}

    References
    ----------
    Neyman 1937, *"Smooth test" for goodness of fit*, Skandinavisk Aktuarietidskrift 20; Ledwina 1994, JASA 89.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    unit: ClassVar[str] = "sd"
    fatal: ClassVar[bool] = False

    tolerance: float = SMALLEST_EFFECT

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        return scored(reference, current, 1, MEDIAN)

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        return component_of(reference, 1, "location", self.tolerance)

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        del component  # there is one
        return native(reference, current, MEDIAN)
