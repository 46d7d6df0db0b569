"""Values that the reference has never had."""

from dataclasses import dataclass, replace
from typing import ClassVar

from checks.components import Component, angle, share
from checks.measurement import Inconclusive, Measurement
from checks.native import Native, shares
from checks.profile import Column, Kind
from checks.proportions import Proportion, compare, without_rows
from checks.wording import share_text


@dataclass(frozen=True)
class UnseenCategory:
    """Unseen category: the share of rows with a value that the reference does not know.

    Statistic: the share of present rows with an unseen value. The effect is that share less the one to be expected
    from a column with rare values, by Good and Turing: (values that the reference has once) / (its rows). Rare values
    beyond the listed ones are not counted one by one; as many of them as a geometric distribution would have are
    taken to occur once.

    Sees new categories, changed spelling, re-encoding. Does not see categories that vanish: ``total_variation`` does.

    Parameters
    ----------
    tolerance : share of rows, 0 to 1. 0.01: one row in a hundred falls back on whatever the model does with the
        unknown.

    Configuration
    -------------
    ::

        - unseen_category: {tolerance: 0.001}

    References
    ----------
    Good 1953, *The population frequencies of species and the estimation of population parameters*, Biometrika 40.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"categorical", "boolean"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"categorical", "boolean"})
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.001

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        known, seen = reference.profile, current.profile
        if (refused := without_rows(known.present, seen.present)) is not None:
            return refused
        after = Proportion(int(seen.counts[-1]), seen.present)
        expected = Proportion(min(_once(reference) + int(known.counts[-1]), known.present), known.present)
        top = ", ".join(f"'{value}'" for value, _ in seen.unseen.top(3))
        words = f"unseen values {share_text(after.share)}" + (f": {top}" if top else "")
        return compare(expected, after, words, upwards=True)

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        hidden = float(_once(reference))
        known = hidden / max(1, reference.profile.present)
        unseen = share(reference.bins, "unseen values", [reference.bins.size - 1], angle(known, self.tolerance))
        return (replace(unseen, rises=True, hidden=hidden),)

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        del component  # there is one
        return shares("share of unseen values", reference, current, lambda side: (float(side.counts[-1]), side.present))


def _once(reference: Column) -> int:
    """Return how many values the reference has probably had exactly once."""
    counts, others = reference.profile.counts, len(reference.bins.others)
    listed = int((counts[:-2] == 1).sum())
    rows = int(counts[-2])
    return listed + (round(others * min(1.0, others / rows)) if rows else 0)
