"""Whether values scatter more or less than they did."""

from dataclasses import dataclass
from typing import ClassVar

from checks.components import SMALLEST_EFFECT, Component
from checks.measurement import Inconclusive, Measurement
from checks.native import Native
from checks.profile import Column, Kind
from checks.scores import WIDTH, component_of, native, scored


@dataclass(frozen=True)
class Spread:
    """Spread: by how much the values scatter more or less widely than those of the reference.

    Statistic and effect: the mean of the second smooth component of the reference's ranks; 0.1 is about 8% of the
    standard deviation of a normal distribution.

    Sees wider and narrower distributions, and mixtures. A shift of a skewed column shows here as well.

    Parameters
    ----------
    tolerance : standard deviations of the score, from 0.

    Configuration
    -------------
    ::

        - spread: {tolerance: 0.1}

    References
    ----------
    Neyman 1937, *"Smooth test" for goodness of fit*, Skandinavisk Aktuarietidskrift 20; Ledwina 1994, JASA 89.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    unit: ClassVar[str] = "sd of the spread score"
    fatal: ClassVar[bool] = False

    tolerance: float = 2 * SMALLEST_EFFECT

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        return scored(reference, current, 2, WIDTH)

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        return component_of(reference, 2, "spread", self.tolerance)

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        del component  # there is one
        return native(reference, current, WIDTH)
