"""Season: what hour and weekday explain of a component before anything counts as a change (SIGNAL.md 2.3)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Grain = Literal["window", "part", "day", "longer"]  # a block is a window shorter than a day, a part of one, a day, more

HOURS_A_DAY, HOURS_A_WEEK = 24.0, 168.0
HARMONICS = (1, 2, 3)
YEARLY_HARMONICS = (1, 2)
SLOT_HOURS = {"window": 1.0, "part": 6.0}  # what the clock decides outright has a level for each slot of the week


@dataclass(frozen=True)
class Moments:
    """When blocks are. Arrays of shape (blocks,).

    Parameters
    ----------
    hours : local hours since Monday 0:00 of the block's middle, in [0, 168); a holiday has those of a Sunday.
    years : the part of the year that has passed, in [0, 1).
    """

    hours: Array
    years: Array

    def __getitem__(self, which: npt.NDArray[np.intp] | slice) -> "Moments":
        return Moments(self.hours[which], self.years[which])


def designs(moments: Moments, grain: Grain, *, weekly: bool = True, yearly: bool = False) -> tuple[Array, ...]:
    """Return the candidate designs, simplest first, each of shape (blocks, parameters).

    Parameters
    ----------
    grain : how long a block is; days have weekdays, what is shorter has harmonics of the day and the week, or a level
        of its own for each hour of them, where the reference is long enough and the log follows the clock so closely.
    weekly : whether there is a weekly rhythm to look for.
    yearly : whether there is a yearly one; sensible with 13 months of reference.
    """
    base = [np.ones((len(moments.hours), 1))]
    if weekly and grain == "day":
        weekday = (moments.hours // HOURS_A_DAY).astype(int)
        base.append(np.hstack([base[0], (weekday[:, None] == np.arange(1, 7)).astype(np.float64)]))
    elif weekly and grain in SLOT_HOURS:
        daily = np.hstack([base[0], _waves(moments.hours / HOURS_A_DAY, HARMONICS)])
        base += [daily, np.hstack([daily, _waves(moments.hours / HOURS_A_WEEK, HARMONICS)])]
        width = SLOT_HOURS[grain]
        base += [_slots(moments.hours % HOURS_A_DAY, width, HOURS_A_DAY), _slots(moments.hours, width, HOURS_A_WEEK)]
    if not yearly:
        return tuple(base)
    year = _waves(moments.years, YEARLY_HARMONICS)
    return (*base, *(np.hstack([design, year]) for design in base))


def rhythms(grain: Grain, *, weekly: bool = True, yearly: bool = False) -> tuple[str, ...]:
    """Return the designs of :func:`designs` in words, in their order; empty for the one without a season."""
    base = [""]
    if weekly and grain == "day":
        base.append("day of the week")
    elif weekly and grain in SLOT_HOURS:
        base += ["hour of the day", "hour of the week", "each hour of the day", "each hour of the week"]
    if not yearly:
        return tuple(base)
    return (*base, *(" and ".join(filter(None, (name, "season of the year"))) for name in base))


def _slots(hours: Array, width: float, period: float) -> Array:
    """Return a constant and an indicator for every slot of a period but the first."""
    slot = (hours // width).astype(int)
    return np.hstack([np.ones((len(hours), 1)), (slot[:, None] == np.arange(1, period / width)).astype(np.float64)])


def _waves(phases: Array, harmonics: tuple[int, ...]) -> Array:
    angles = 2 * np.pi * phases[:, None] * np.asarray(harmonics, np.float64)
    return np.hstack([np.sin(angles), np.cos(angles)])
