"""A value that stands for "none", or a default, floods the column."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.mapping import departure
from checks.profile import SENTINELS, Column, Kind
from checks.quantiles import moments
from checks.wording import number_text, share_text

LEAST = 0.02  # smallest rise of the value's share that is worth a name
NATURAL = 0.02  # share in the reference from which on the value is part of normal life
REST = 0.15  # how far the other values may have moved
FEWEST_OTHERS = 4  # bins that the other values must fill before they can be said not to have moved
REACH = 0.05  # how closely the far values must agree with a single one, as a share of their distance


@dataclass(frozen=True)
class Sentinel:
    """A share of the rows holds one value such as -999, 0 or 9999, and the others are as before."""

    title: ClassVar[str] = "sentinel or default value"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 60

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain by a counted sentinel that rose, or by a single value beyond the far edges."""
        if not reference.profile.finite or not current.profile.finite:
            return None
        return _listed(reference, current) or _far(reference, current)


def _listed(reference: Column, current: Column) -> Explanation | None:
    before = reference.profile.sentinels / reference.profile.present
    after = current.profile.sentinels / current.profile.present
    place = int(np.argmax(after - before))
    value, was, now = SENTINELS[place], float(before[place]), float(after[place])
    noise = sqrt(was * (1 - was) / current.profile.present)
    tails = reference.bins.tails
    natural = was > NATURAL and tails is not None and tails[0] <= value <= tails[1]
    least = max(LEAST, 3 * noise, was if natural else 0.0)
    bin_of = int(np.searchsorted(reference.bins.edge_array, value, side="left"))
    others = _without(reference, bin_of, int(reference.profile.sentinels[place]))
    if now - was <= least or np.count_nonzero(others.profile.counts) < FEWEST_OTHERS:
        return None
    if departure(others, _without(current, bin_of, int(current.profile.sentinels[place]))) > REST:
        return None
    return Explanation(_words(number_text(value), now, was), 0.6 if natural else 0.9)


def _far(reference: Column, current: Column) -> Explanation | None:
    """See a value outside the list by the moments: all far values are one if their mean is their extreme."""
    profile, before = current.profile, moments(reference)
    if profile.low is None or profile.high is None or before is None or not current.bins.edges or profile.infinite:
        return None
    for place, value in ((0, profile.low), (current.bins.size - 1, profile.high)):
        was = float(reference.profile.counts[place]) / reference.profile.present
        count = int(profile.counts[place])
        share = count / profile.present
        if not max(LEAST, 3 * sqrt(was / profile.present)) < share - was < 1 - LEAST:
            continue
        after = moments(current)
        rest_rows = profile.present - count
        if after is None or departure(_without(reference, place, 0), _without(current, place, count)) > REST:
            continue
        mean = (after[0] - (1 - share) * before[0]) / share
        error = 3 * before[1] * sqrt(1 / rest_rows) * (1 - share) / share
        if abs(mean - value) <= REACH * abs(value - before[0]) + error and error < abs(value - before[0]) / 4:
            unit = {"datetime": " h of age", "text": " characters"}.get(current.bins.kind, "")
            return Explanation(_words(number_text(value) + unit, share, was), 0.8)
    return None


def _words(value: str, now: float, was: float) -> str:
    return f"{value} in {share_text(now)} of rows, {share_text(was)} in the reference"


def _without(column: Column, place: int, count: int) -> Column:
    counts = column.profile.counts.copy()
    counts[place] -= count
    return replace(
        column, profile=replace(column.profile, rows=int(counts.sum()), counts=counts, absent=0, nulls=0, mistyped=0)
    )
