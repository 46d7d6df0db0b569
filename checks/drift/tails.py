"""Whether the outermost values are more or fewer than they were."""

from dataclasses import dataclass
from typing import ClassVar

from checks.comparing import refusal
from checks.components import SMALLEST_EFFECT, Component, share
from checks.measurement import Inconclusive, Measurement
from checks.native import Native, shares
from checks.profile import Column, Kind
from checks.proportions import Proportion, compare
from checks.wording import share_text

LOWEST, HIGHEST = "share of the lowest values", "share of the highest values"
FEWEST_BINS = 5  # two far bins, two tails and a middle


@dataclass(frozen=True)
class Tails:
    """Tails: the change of the share of rows in the reference's lowest and highest half per cent.

    Statistic: the share of rows at or below the reference's quantile .005, or above .995, whichever changed more. The
    effect is its difference from the reference's share.

    Sees outliers that begin or end, within the range of what the reference knew and beyond; ``out_of_range`` counts
    gross errors alone.

    Parameters
    ----------
    tolerance : Cohen's h, from 0; 0.05 is the difference of 0.5% and 0.9%.

    Configuration
    -------------
    ::

        - tails: {tolerance: 0.05}

    References
    ----------
    Cohen 1988, *Statistical power analysis for the behavioral sciences*, chapter 6.
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False

    tolerance: float = SMALLEST_EFFECT

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        known, seen = reference.profile, current.profile
        found = [moved for name in _tails(reference.bins.size) if (moved := self.native(reference, current, name))]
        if not found:
            return Inconclusive("the reference has too few distinct values", None, seen.present, known.present)
        moved = max(found, key=lambda item: abs(item.after - item.before))
        which = _tails(reference.bins.size)[moved.what]
        before = Proportion(int(known.counts[which].sum()), known.present)
        after = Proportion(int(seen.counts[which].sum()), seen.present)
        words = f"{moved.what} {share_text(before.share)} to {share_text(after.share)}"
        return compare(before, after, words, among=len(found))

    def native(self, reference: Column, current: Column, component: str) -> Native | None:
        """Return what a component shows in native units."""
        which = _tails(reference.bins.size).get(component)
        if which is None:
            return None
        return shares(component, reference, current, lambda side: (float(side.counts[which].sum()), side.present))

    def components(self, reference: Column) -> tuple[Component, ...]:
        """Return what evidence is gathered on."""
        bins = reference.bins
        return tuple(share(bins, name, which, self.tolerance, tail=True) for name, which in _tails(bins.size).items())


def _tails(size: int) -> dict[str, list[int]]:
    return {LOWEST: [0, 1], HIGHEST: [size - 2, size - 1]} if size >= FEWEST_BINS else {}
