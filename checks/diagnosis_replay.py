"""Faults of a batch that only other windows show: rows that were logged again, and a load that ran twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import gcd, log

import numpy as np

from checks.diagnosing import Group
from checks.profile import Edges, Profile, Starts
from checks.wording import share_text

ALIKE = 0.25  # of the squared differences of two windows' counts that chance would make; a replay has none
CHANCE = 1e-6  # that two windows' counts of some column agree so well, after all that is compared
LEAST_OVERLAP = 0.05  # of the ids
FEWEST_IDS = 5
FEWEST_IN_CELL = 5  # rows of both windows
FEWEST_PAIRS = 3  # earlier windows, or pairs of them, from which a log's own habits are known
HABIT = 0.2  # share of them that do it too, from which it is a habit
_SLACK = 1.0  # seconds


@dataclass(frozen=True)
class Logged:
    """An evaluated window: its start in seconds since 1970 UTC, and its profile."""

    start: float
    profile: Profile

    @property
    def counts(self) -> tuple[Edges, Starts]:
        """Counts of all cells, and where each column's begin."""
        return self.profile.cells


def replayed(current: Logged, earlier: Sequence[Logged]) -> Group | None:
    """Find the earlier window whose rows the current one holds again, under new times.

    With ids, the share of the current rows' ids that the earlier window had tells it. Without, the counts of all
    columns do: between two windows of different rows they differ by chance at least, so that the sum of
    (difference)² / sum follows a chi-square distribution or more; one that is far too small says that the rows are the
    same (Fisher 1936, *Has Mendel's work been rediscovered?*, argues so). Logs that repeat themselves by their nature,
    as timetables do, are told by earlier windows as far apart: what a log does often is no fault.

    Parameters
    ----------
    current : the window that is asked about.
    earlier : windows of the same length before it, counted in the same bins; at least four in a regular rhythm.

    Returns
    -------
    Group | None
        Of no columns, with the fault ``replayed_batch``.
    """
    candidates = [window for window in earlier if window.profile.rows and window.start < current.start]
    if not current.profile.rows or not candidates:
        return None
    found = _same_ids(current, candidates) or _same_counts(current, candidates)
    return None if found is None else Group("replayed_batch", "replayed batch", (), found, pipeline=True)


def _pairs(current: Logged, match: Logged, earlier: Sequence[Logged]) -> list[tuple[Logged, Logged]]:
    """Return the pairs of earlier windows that are as far apart."""
    apart = current.start - match.start
    starts = {round(window.start / _SLACK): window for window in earlier}
    pairs = ((window, starts.get(round((window.start - apart) / _SLACK))) for window in earlier)
    return [(one, other) for one, other in pairs if other is not None]


def _same_ids(current: Logged, earlier: Sequence[Logged]) -> str | None:
    overlaps = [_overlap(current, window) for window in earlier]
    place = int(np.argmax([share for share, _ in overlaps]))
    share, common = overlaps[place]
    pairs = _pairs(current, earlier[place], earlier)
    if share < LEAST_OVERLAP or common < FEWEST_IDS or len(pairs) < FEWEST_PAIRS:
        return None
    usual = max(float(np.median([_overlap(*pair)[0] for pair in pairs])), float(np.median([s for s, _ in overlaps])))
    if share < 3 * usual:
        return None  # an id that names a customer comes again and again
    return f"{share_text(share)} of its ids were logged before, in the window from {_moment(earlier[place])}"


def _overlap(one: Logged, other: Logged) -> tuple[float, int]:
    """Return the share of the first window's ids that the second has, and how many of the sampled ones these are."""
    mine, theirs = one.profile.ids, other.profile.ids
    reach = min((max(side.counts) for side in (mine, theirs) if side.full), default=None)
    seen = [number for number in mine.counts if reach is None or number <= reach]
    common = sum(number in theirs.counts for number in seen)
    return (common / len(seen) if seen else 0.0), common


def _same_counts(current: Logged, earlier: Sequence[Logged]) -> str | None:
    ratios, chances = zip(*(_likeness(current, window) for window in earlier), strict=True)
    place = int(np.argmin(ratios))
    asked = len(earlier) * max(1, len(current.counts[1]))
    if ratios[place] > ALIKE or chances[place] > CHANCE / asked:
        return None
    pairs = _pairs(current, earlier[place], earlier)
    if len(pairs) < FEWEST_PAIRS:
        return None
    alike = [ratio <= ALIKE and chance <= CHANCE / asked for ratio, chance in (_likeness(*pair) for pair in pairs)]
    if sum(alike) > HABIT * len(pairs):
        return None
    columns = len(current.counts[1])
    how = "to the last row" if not ratios[place] else "far closer than different rows do"
    return (
        f"its {current.profile.rows:,} rows are those of the window from {_moment(earlier[place])} again: "
        f"the counts of {columns} columns agree {how}"
    )


def _likeness(one: Logged, other: Logged) -> tuple[float, float]:
    """Return the squared differences in units of what chance makes, and the least chance of a column's agreement."""
    from scipy.special import chdtr

    (mine, starts), (theirs, _) = one.counts, other.counts
    if not mine.size:
        return np.inf, 1.0
    both, apart = mine + theirs, np.abs(mine - theirs)
    # Cells of a few rows differ by less than a chi-square has it, and in whole rows.
    dense = both >= FEWEST_IN_CELL
    freedom = np.add.reduceat(dense.astype(np.float64), starts) - 1
    able = freedom > 0
    if not able.any():
        return np.inf, 1.0
    squares = np.add.reduceat(apart**2 / np.maximum(both, 1), starts)
    whole = np.add.reduceat((apart + dense / 2) ** 2 / np.maximum(both, 1), starts)
    chances = chdtr(freedom[able], whole[able])
    return float(squares[able].sum() / freedom[able].sum()), float(chances.min())


def loaded_twice(current: Logged, earlier: Sequence[Logged]) -> Group | None:
    """Find that every row of a window was logged the same number of times, whatever its ids.

    Then all counts have a common divisor, which the counts of a column with many values have by chance about once in
    divisor to the power of their number.

    Parameters
    ----------
    earlier : other windows of the log; at least three, for logs may hold every row twice by their nature.
    """
    times = _divisor(current)
    cells, starts = current.counts
    occupied = np.add.reduceat((cells > 0).astype(np.float64), starts) if cells.size else np.zeros(1)
    others = [window for window in earlier if window.profile.rows]
    if times < 2 or (occupied.max() - 1) * log(times) < -log(CHANCE) or len(others) < FEWEST_PAIRS:
        return None
    if sum(_divisor(window) % times == 0 for window in others) > HABIT * len(others):
        return None
    often = "twice" if times == 2 else f"{times} times"
    words = f"every row was logged {often}: all counts of {len(starts)} columns are multiples of {times}"
    return Group("loaded_twice", "batch loaded more than once", (), words, pipeline=True)


def _divisor(window: Logged) -> int:
    cells, _ = window.counts
    return gcd(*cells.astype(np.int64).tolist())


def _moment(window: Logged) -> str:
    return f"{datetime.fromtimestamp(window.start, UTC):%Y-%m-%d %H:%M} UTC"
