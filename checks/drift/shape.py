"""Whether the distribution is skewed otherwise than it was."""

from dataclasses import dataclass
from typing import ClassVar

from checks.components import SMALLEST_EFFECT, Component
from checks.measurement import Inconclusive, Measurement
from checks.native import Native
from checks.profile import Column, Kind
from checks.scores import QUARTILE, component_of, native, scored


@dataclass(frozen=True)
class Shape:
    """Shape: by how much the skew of the values differs from the reference's.

    Statistic and effect: the mean of the third smooth component of the reference's ranks. It answers to a wandering
    level too, hence its wider tolerance.

    Sees skew, clipping and changes between the quartiles that cancel in location and spread.

    Parameters
    ----------
    tolerance : standard deviations of the score, from 0.

    Configuration
    -------------
    ::

        - shape: {tolerance: 0.2}

    References
    ----------
    Neyman 1937, *"Smooth test" for goodness of fit*, Skandinavisk Aktuarietidskrift 20; Ledwina 1994, JASA 89.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    unit: ClassVar[str] = "sd of the shape score"
    fatal: ClassVar[bool] = False

    tolerance: float = 4 * SMALLEST_EFFECT

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        return scored(reference, current, 3, QUARTILE)

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        return component_of(reference, 3, "shape", self.tolerance)

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        del component  # there is one
        return native(reference, current, QUARTILE)
