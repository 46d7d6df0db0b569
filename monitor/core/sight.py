"""What would be noticed: effects of components in the units and words of the log."""

from dataclasses import dataclass

import numpy as np

from checks.components import Component
from checks.detectable import BLIND, Detectable, detectable
from checks.profile import Column
from checks.quantiles import moments
from checks.season import Array
from checks.wording import number_text, share_text
from monitor.core.reference import Reference
from monitor.core.signal import DAYS_TO_NOTICE, Signal, panel_of
from monitor.core.wording import plural


def in_unit(effect: float, expected: float, *, scored: bool) -> float:
    """Return Cohen's d as it is, and Cohen's h as a difference of shares from an expected angle."""
    return effect if scored else float(share_moved(np.asarray(effect), np.asarray(expected)))


def share_moved(effect: Array, expected: Array) -> Array:
    """Return Cohen's h as a difference of shares from an expected angle; of one shape."""
    angle = np.clip(expected, 0.0, np.pi)
    return np.asarray(np.sin(np.clip(angle + effect, 0.0, np.pi) / 2) ** 2 - np.sin(angle / 2) ** 2)


def size_text(component: Component, effect: float, expected: float, before: Column) -> str:
    """Return an effect in words: ``0.35 sd (about 260)``, ``1.2% more of nulls``."""
    if not component.scored:
        return (
            f"{share_text(in_unit(effect, expected, scored=False))} more of {component.name.removeprefix('share of ')}"
        )
    spread = moments(before)
    native = f" (about {number_text(effect * spread[1])})" if component.name == "location" and spread else ""
    return f"{effect:.2g} sd{native}"


def noticed(component: Component, effect: float, expected: float, before: Column, days: float) -> str:
    """Return what would be noticed, and when: ``would notice 0.35 sd (about 260) within 7 days``."""
    return f"would notice {size_text(component, effect, expected, before)} within {plural(round(days), 'day')}"


@dataclass(frozen=True, eq=False)
class Sight:
    """What windows like the reference's would show within some days.

    Parameters
    ----------
    days : in which it would be noticed.
    effects : Cohen's d or h, shape (components,).
    expected : the level that shares are compared with, shape (components,).
    """

    signal: Signal
    reference: Reference
    days: float
    effects: Array
    expected: Array

    def words(self, place: int) -> str:
        """Return what would be noticed of one component."""
        component = self.signal.layout.places[place].component
        return noticed(
            component, float(self.effects[place]), float(self.expected[place]), self._before(place), self.days
        )

    def size(self, place: int) -> str:
        """Return how large a change of one component would have to be."""
        component = self.signal.layout.places[place].component
        return size_text(component, float(self.effects[place]), float(self.expected[place]), self._before(place))

    def _before(self, place: int) -> Column:
        name = self.signal.layout.places[place].column
        return Column(name, self.reference.bins[name], self.reference.profile.columns[name])

    def of_check(self, column: str, check: str) -> int | None:
        """Return the component of a check that shows least; None where the column is not watched by it."""
        places = self.signal.places.get((column, check), ())
        return max(places, key=lambda place: float(self.effects[place]), default=None)

    def blind(self, column: str, check: str) -> bool:
        """Whether a check would miss a large change of a column."""
        place = self.of_check(column, check)
        return place is not None and bool(self.effects[place] > BLIND)


def sight(signal: Signal, reference: Reference, days: float = DAYS_TO_NOTICE) -> Sight:
    """Return what windows with as many rows as the reference's would show within some days.

    Raises
    ------
    ValueError
        Where the reference has no windows.
    """
    if not reference.blocks:
        raise ValueError("a reference without windows does not say how many rows they have")
    _, rows, timeline = panel_of(reference, signal.layout, signal.rhythm)
    coarsest = timeline.scales[-1]
    found: Detectable = detectable(
        signal.detector, np.median(timeline.gathered(coarsest, rows), axis=0), signal.costs, signal.blocks_in(days)
    )
    return Sight(signal, reference, days, found.effect, signal.detector.scales[-1].calibration.levels[0][0])


def wandering(signal: Signal) -> tuple[str, ...]:
    """Return the columns whose level drifts within the reference itself, so that less is noticed of them."""
    wanders = signal.detector.scales[-1].calibration.wanders > 0
    return tuple(dict.fromkeys(p.column for p, moves in zip(signal.layout.places, wanders, strict=True) if moves))
