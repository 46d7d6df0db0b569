"""A log as the benchmark sees it: raw values by column, the window of every row, and where the reference ends.

Synthetic worlds, their changed columns and real logs all come as this, so that rules and detectors know no difference.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from checks.peering import Values
from checks.profile import Kind

Cadence = Literal["day", "hour"]
WINDOWS_A_DAY: dict[Cadence, int] = {"day": 1, "hour": 24}


@dataclass(frozen=True, eq=False)
class Frame:
    """What all columns of a log share.

    Parameters
    ----------
    cadence : how long a window is; the first window begins on a Monday at midnight.
    windows : number of windows, of which the first ``reference`` are the reference.
    window : window of every row, ascending; shape (rows,).
    """

    cadence: Cadence
    windows: int
    reference: int
    window: np.ndarray

    @property
    def per_day(self) -> int:
        """Windows a day."""
        return WINDOWS_A_DAY[self.cadence]

    @property
    def per_30d(self) -> int:
        """Windows in 30 days."""
        return 30 * self.per_day

    @property
    def production(self) -> int:
        """Windows after the reference."""
        return self.windows - self.reference

    @cached_property
    def starts(self) -> np.ndarray:
        """First row of every window, and the number of rows; shape (windows + 1,)."""
        return np.searchsorted(self.window, np.arange(self.windows + 1))


@dataclass(frozen=True, eq=False)
class LogColumn:
    """One column's raw values: numbers with NaN for null, or categories as codes with -1 (or texts with None)."""

    name: str
    kind: Kind
    values: np.ndarray
    frame: Frame

    def reference(self, rows: int | None = None, seed: int = 0) -> Values:
        """Return the reference's values; with ``rows``, a sample of at most so many, its time blocks kept."""
        end = int(self.frame.starts[self.frame.reference])
        data, blocks = self.values[:end], self.frame.window[:end]
        if rows is not None and rows < end:
            kept = np.sort(np.random.default_rng(seed).choice(end, rows, replace=False))
            data, blocks = data[kept], blocks[kept]
        return Values(data, self.kind, blocks)

    def production(self) -> list[Values]:
        """Return the values of every window after the reference, in order."""
        starts = self.frame.starts[self.frame.reference :]
        return [Values(self.values[start:end], self.kind) for start, end in zip(starts, starts[1:], strict=False)]
