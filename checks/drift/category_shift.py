"""Whether categories are more or less frequent than they were."""

from dataclasses import dataclass
from math import asin, sqrt
from typing import ClassVar

from checks.comparing import refusal
from checks.components import SMALLEST_EFFECT, Component, share
from checks.measurement import Inconclusive, Measurement
from checks.native import Native, shares
from checks.profile import Column, Kind
from checks.proportions import Proportion, compare
from checks.wording import share_text

MOST = 10  # categories with a component of their own


@dataclass(frozen=True)
class CategoryShift:
    """Category shift: the change of the share of the category that changed most.

    Statistic: that category's share. The effect is its difference from the reference's share; which category it is,
    Cohen's h decides, since one point is more at 1% than at 50%. Evidence is gathered on the ten most frequent
    categories, each by itself, and on all others together.

    Sees shifts of population, remapped and vanished categories. New categories are ``unseen_category``'s.

    Parameters
    ----------
    tolerance : Cohen's h, from 0; 0.05 is the difference of 50% and 52.5%, or of 1% and 1.6%.

    Configuration
    -------------
    ::

        - category_shift: {tolerance: 0.05}

    References
    ----------
    Cohen 1988, *Statistical power analysis for the behavioral sciences*, chapter 6.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"categorical", "boolean"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"categorical", "boolean"})
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = SMALLEST_EFFECT

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        known, seen = reference.profile, current.profile
        found = self._moved(reference, current)
        if found is None:
            return Inconclusive("the reference has one category", None, seen.present, known.present)
        name, before, after = found
        words = f"share of {name} {share_text(before.share)} to {share_text(after.share)}"
        return compare(before, after, words, among=len(_categories(reference)))

    def _moved(self, reference: Column, current: Column) -> tuple[str, Proportion, Proportion] | None:
        """Return the category that changed most, with its share before and after."""
        known, seen = reference.profile, current.profile
        found = [
            (
                name,
                Proportion(int(known.counts[which].sum()), known.present),
                Proportion(int(seen.counts[which].sum()), seen.present),
            )
            for name, which in _categories(reference).items()
        ]
        return max(found, key=lambda item: abs(asin(sqrt(item[2].share)) - asin(sqrt(item[1].share))), default=None)

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        which = _categories(reference).get(component)
        if which is None:
            return None
        return shares(
            f"share of {component} in", reference, current, lambda side: (float(side.counts[which].sum()), side.present)
        )

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        return tuple(
            share(reference.bins, name, which, self.tolerance) for name, which in _categories(reference).items()
        )


def _categories(reference: Column) -> dict[str, list[int]]:
    """Return the bins of each component by name; one of two categories says what the other does."""
    values, counts = reference.bins.values, reference.profile.counts
    ranked = sorted((place for place in range(len(values)) if counts[place]), key=lambda place: -counts[place])
    others = [*ranked[MOST:], len(values)] if len(ranked) > MOST or counts[len(values)] else []
    if len(ranked) == 2 and not others:
        ranked = ranked[1:]
    found = {f"'{values[place]}'": [place] for place in ranked[:MOST]}
    if others:
        found["all other values"] = others
    return found
