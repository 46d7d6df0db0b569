"""The log's own clock: the daily rhythm of its volume came at other hours."""

from collections.abc import Iterable, Sequence

import numpy as np

from checks.diagnosing import Group
from checks.profile import Edges, Volume

HOURS = 24
FEWEST_DAYS = 7  # so that a weekend, which sleeps longer, is among the usual days
FEWEST_ROWS = 200
BEYOND = 1.5  # times the largest misfit of a usual day: that of a day with another rhythm
REST = 0.35  # of the misfit that may remain when the clock is turned back
_DAY, _HOUR = 86400.0, 3600.0


def by_hour(volumes: Iterable[Volume]) -> list[Edges]:
    """Return the rows by UTC hour of every day that windows of at most an hour cover, oldest first; shapes (24,)."""
    days: dict[int, Edges] = {}
    covered: dict[int, float] = {}
    for volume in volumes:
        if volume.end - volume.start <= _HOUR:
            day, second = divmod(volume.start, _DAY)
            days.setdefault(int(day), np.zeros(HOURS))[int(second // _HOUR)] += volume.rows
            covered[int(day)] = covered.get(int(day), 0.0) + volume.end - volume.start
    return [days[day] for day in sorted(days) if covered[day] >= _DAY]


def turned_clock(earlier: Sequence[Edges], current: Edges) -> Group | None:
    """Find that a day's rhythm is the usual one, turned by whole hours.

    Misfit is the squared Hellinger distance between the hours' shares and those of the other days. It must be beyond
    what any usual day shows, and mostly vanish when the clock is turned back.

    Parameters
    ----------
    earlier : rows by hour of usual days, at least seven; shapes (24,). See :func:`by_hour`.
    current : rows by hour of the day that is asked about, shape (24,).

    Returns
    -------
    Group | None
        Of no columns, with the fault ``turned_clock``. A turn by one hour may be summer time, which the rows cannot
        tell from a fault.
    """
    days = np.array([day for day in earlier if day.sum() >= FEWEST_ROWS])
    if len(days) < FEWEST_DAYS or current.sum() < FEWEST_ROWS:
        return None
    shares = days / days.sum(axis=1, keepdims=True)
    usual, now = shares.mean(axis=0), current / current.sum()
    others = (shares.sum(axis=0) - shares) / (len(days) - 1)
    worst = max(_misfit(day, rest) for day, rest in zip(shares, others, strict=True))
    turns = np.array([_misfit(now, np.roll(usual, turn)) for turn in range(HOURS)])
    turn = int(turns.argmin())
    if (
        turn == 0
        or turns[0] <= BEYOND * worst
        or turns[turn] > max(REST * turns[0], worst)
        or turns[turn] > turns[0] / 2
    ):
        return None
    hours = turn if turn <= HOURS // 2 else turn - HOURS
    summer = abs(hours) == 1
    words = f"the daily rhythm of the volume came {abs(hours)} h {'later' if hours > 0 else 'earlier'} than usual" + (
        ", as when summer time changes" if summer else ""
    )
    return Group("turned_clock", "shifted clock of the log", (), words, pipeline=None if summer else True)


def _misfit(one: Edges, other: Edges) -> float:
    return float(1 - np.sqrt(one * other).sum())
