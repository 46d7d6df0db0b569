"""What may happen to a column, each change under a name, a kind of column and a size: SIGNAL.md 7.2."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from benchmarks.signal.marginals import SPECS

Act = Literal[
    "location", "ramp", "spread", "share", "new_category", "remap", "nulls", "outliers", "unit", "sentinel", "stuck"
]

RAMP_DAYS = 30
SENTINEL = -999.0


@dataclass(frozen=True)
class Change:
    """One change.

    Parameters
    ----------
    name : as the tables have it.
    families : columns that it may happen to.
    act : what happens.
    size : latent standard deviations, a factor, or a share of rows, as ``act`` needs.
    columns : how many columns change together.
    catastrophic : whether one window should be enough to see it.
    """

    name: str
    families: tuple[str, ...]
    act: Act
    size: float = 0.0
    columns: int = 1
    catastrophic: bool = False


_ANY_NUMBER = ("normal", "lognormal", "heavy", "exponential")
_POSITIVE = ("lognormal", "exponential")

CHANGES: tuple[Change, ...] = (
    Change("location .15 sd", ("normal",), "location", 0.15),
    Change("location .3 sd", ("normal",), "location", 0.3),
    Change("location .6 sd", ("normal",), "location", 0.6),
    Change("location 1 sd", ("normal",), "location", 1.0),
    Change("location .3 sd, lognormal", ("lognormal",), "location", 0.3),
    Change("spread x 1.3", ("normal",), "spread", 1.3),
    Change("spread x 1.6", ("normal",), "spread", 1.6),
    Change("ramp to .6 sd in 30 days", ("normal",), "ramp", 0.6),
    Change("share +5 points of 5", ("five",), "share", 0.05),
    Change("share +12 points of 5", ("five",), "share", 0.12),
    Change("share +5 points of 20", ("twenty",), "share", 0.05),
    Change("new category 3%", ("five",), "new_category", 0.03),
    Change("remap of 5", ("five",), "remap", catastrophic=True),
    Change("null +3 points", _ANY_NUMBER, "nulls", 0.03),
    Change("null +20 points", _ANY_NUMBER, "nulls", 0.2, catastrophic=True),
    Change("2% outliers x 20", ("normal",), "outliers", 0.02),
    Change("unit x 1000", _POSITIVE, "unit", 1000.0, catastrophic=True),
    Change("unit x 1.609", _POSITIVE, "unit", 1.609),
    Change("sentinel 5%", _ANY_NUMBER, "sentinel", 0.05),
    Change("stuck", _ANY_NUMBER, "stuck", catastrophic=True),
    Change("10 columns by .15 sd", ("normal",), "location", 0.15, columns=10),
)


@dataclass(frozen=True)
class Planned:
    """A change, the columns it happens to, and when: ``onset`` counts windows from the log's first."""

    change: Change
    columns: tuple[str, ...]
    onset: int

    def course(self, windows: int, per_day: int) -> np.ndarray:
        """Return how far the change has come in every window, 0 to 1, shape (windows,)."""
        since = np.arange(windows) - self.onset
        if self.change.act == "ramp":
            return np.clip((since + 1) / (RAMP_DAYS * per_day), 0.0, 1.0)
        return (since >= 0).astype(float)


def plan(change: Change, *, onsets: tuple[int, int], seed: int) -> Planned:
    """Draw the columns of a change and its onset from ``onsets``, a half-open range of windows."""
    rng = np.random.default_rng((seed, CHANGES.index(change)))
    pool = [spec.name for spec in SPECS if spec.family in change.families]
    drawn = rng.choice(len(pool), change.columns, replace=False)
    return Planned(change, tuple(pool[place] for place in sorted(drawn)), int(rng.integers(*onsets)))
