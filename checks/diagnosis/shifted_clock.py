"""Datetimes in another zone."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from checks.diagnosing import Explanation
from checks.profile import Column, Edges, Kind

REST = 0.35  # share of the change that may remain when the clock is turned back
FEWEST_ROWS = 50


@dataclass(frozen=True)
class ShiftedClock:
    """The hours of the day are the reference's, turned by whole hours: a zone was mistaken or a clock is off."""

    title: ClassVar[str] = "shifted clock or time zone"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"datetime"})
    pipeline: ClassVar[bool | None] = True
    rank: ClassVar[int] = 125

    def explain(self, reference: Column, current: Column) -> Explanation | None:
        """Explain if a turn of the clock undoes most of the change in the hours."""
        rows = int(current.profile.hours.sum())
        if rows < FEWEST_ROWS or not reference.profile.hours.any():
            return None
        before, after = reference.profile.hours / reference.profile.hours.sum(), current.profile.hours / rows
        turns = np.array([_distance(np.roll(before, turn), after) for turn in range(24)])
        turn = int(turns.argmin())
        noise = float(np.sqrt(before * (1 - before) / rows).sum()) * 0.4 + 0.6 / sqrt(rows)
        if turn == 0 or turns[0] <= noise or turns[turn] > max(REST * turns[0], noise) or turns[turn] > 0.6 * turns[0]:
            return None
        hours = turn if turn <= 12 else turn - 24
        return Explanation(f"the hours of the day are turned by {hours:+d} h", 0.85)


def _distance(one: Edges, other: Edges) -> float:
    return float(np.abs(one - other).sum()) / 2
