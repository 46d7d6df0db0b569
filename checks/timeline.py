"""Blocks of time: windows added up to parts of a day and days, on which calibration and evidence work."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from checks.season import Array, Flags, Grain, Moments

Places = npt.NDArray[np.int64]
ScaleName = Literal["window", "part", "day"]

PARTS_FROM = 8.0  # windows a day from which parts of a day are worth a scale of their own
DAY_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Timeline:
    """When windows are, oldest first. Arrays of shape (windows,).

    Parameters
    ----------
    moments : hour of the week and part of the year of each window's middle.
    parts, days : number of the part of a day, and of the day, that each window lies in.
    a_day : windows a day, by the schedule; below 1 where a window is longer.
    """

    moments: Moments
    parts: Places
    days: Places
    a_day: float

    def __len__(self) -> int:
        return len(self.days)

    def __getitem__(self, which: slice | npt.NDArray[np.intp]) -> "Timeline":
        return Timeline(self.moments[which], self.parts[which], self.days[which], self.a_day)

    @property
    def scales(self) -> tuple[ScaleName, ...]:
        """The scales worth looking at, finest first."""
        if self.a_day <= 1 + DAY_TOLERANCE:
            return ("window",)
        return ("window", "part", "day") if self.a_day >= PARTS_FROM else ("window", "day")

    def grain(self, scale: ScaleName) -> Grain:
        """Return how long a block of a scale is."""
        if scale == "day" or abs(self.a_day - 1) <= DAY_TOLERANCE:
            return "day"
        return scale if self.a_day > 1 else "longer"

    def blocks(self, scale: ScaleName) -> Places:
        """Return the number of the block of each window."""
        return {"window": np.arange(len(self)), "part": self.parts, "day": self.days}[scale]

    def starts(self, scale: ScaleName) -> npt.NDArray[np.intp]:
        """Return the place of the first window of each block."""
        blocks = self.blocks(scale)
        return np.flatnonzero(np.concatenate([[True], blocks[1:] != blocks[:-1]])) if len(blocks) else np.zeros(0, int)

    def ends(self, scale: ScaleName) -> Flags:
        """Return which windows are the last of their block, shape (windows,); the last window always is."""
        blocks = self.blocks(scale)
        return np.concatenate([blocks[1:] != blocks[:-1], [True]]) if len(blocks) else np.zeros(0, bool)

    def gathered(self, scale: ScaleName, values: Array) -> Array:
        """Return the sums of ``values``, shape (windows, …), by block."""
        return np.add.reduceat(values, self.starts(scale), axis=0) if len(values) else values

    def middles(self, scale: ScaleName) -> Moments:
        """Return the moments of the blocks: the means of their windows'."""
        sizes = self.gathered(scale, np.ones(len(self)))
        return Moments(
            self.gathered(scale, self.moments.hours) / sizes, self.gathered(scale, self.moments.years) / sizes
        )
