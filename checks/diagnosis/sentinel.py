"""A value that stands for "none", or a default, floods the column."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.mapping import departure
from checks.parts import filled_bins, without, without_sentinel
from checks.profile import SENTINELS, Column, Kind
from checks.quantiles import moments
from checks.wording import number_text, share_text

LEAST = 0.02  # smallest rise of the value's share that is worth a name
NATURAL = 0.02  # share in the reference from which on the value is part of normal life
REST = 0.15  # how far the other values may have moved
DRIFTED = 0.7  # likewise, where the value lies beyond the far edges and cannot be a measurement
FEWEST_OTHERS = 4  # bins that the other values must fill before they can be said not to have moved
IMPOSSIBLE = 10.0  # widths of the reference's central 99% between it and a value that no measurement reaches
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
    natural = was > NATURAL
    least = max(LEAST, 3 * sqrt(was * (1 - was) / current.profile.present), was if natural else 0.0)
    others = without_sentinel(reference, place)
    if now - was <= least or filled_bins(others) < FEWEST_OTHERS:
        return None
    edges = reference.bins.edges
    impossible = bool(edges) and not was and not edges[0] < value <= edges[-1]
    if departure(others, without_sentinel(current, place)) > (DRIFTED if impossible else REST):
        return None
    return Explanation(_words(number_text(value), now, was), 0.6 if natural else 0.9)


def _far(reference: Column, current: Column) -> Explanation | None:
    """See a value outside the list by the moments: all far values are one if their mean is their extreme."""
    profile = current.profile
    if profile.low is None or profile.high is None or not current.bins.edges or profile.infinite:
        return None
    for place, value in ((0, profile.low), (current.bins.size - 1, profile.high)):
        was = float(reference.profile.counts[place]) / reference.profile.present
        share = float(profile.counts[place]) / profile.present
        if not max(LEAST, 3 * sqrt(was / profile.present)) < share - was < 1 - LEAST:
            continue
        if _made_up(value, reference) and _single(reference, current, place, value, share):
            unit = {"datetime": " h of age", "text": " characters"}.get(current.bins.kind, "")
            return Explanation(_words(number_text(value) + unit, share, was), 0.8)
    return None


def _made_up(value: float, reference: Column) -> bool:
    """Whether no measurement of this column would be the value; a new fare just above the usual ones is none."""
    if set(f"{abs(value):g}") == {"9"}:
        return True
    low, high = reference.profile.low, reference.profile.high
    if reference.bins.tails is None or low is None or high is None:
        return False
    if value < 0 <= low:
        return True
    bottom, top = reference.bins.tails
    return max(bottom - value, value - top) > IMPOSSIBLE * max(top - bottom, 1e-12)


def _single(reference: Column, current: Column, place: int, value: float, share: float) -> bool:
    """Whether the rows of a far bin all hold ``value``, their extreme, and the other rows did not move."""
    before, after = moments(reference), moments(current)
    count = int(current.profile.counts[place])
    if before is None or after is None:
        return False
    if departure(without(reference, place, 0), without(current, place, count)) > REST:
        return False
    away = abs(value - before[0])
    mean = (after[0] - (1 - share) * before[0]) / share
    error = 3 * before[1] / sqrt(current.profile.present - count) * (1 - share) / share
    return abs(mean - value) <= REACH * away + error and error < away / 4


def _words(value: str, now: float, was: float) -> str:
    return f"{value} in {share_text(now)} of rows, {share_text(was)} in the reference"
