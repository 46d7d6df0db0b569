"""Earlier windows of the same log, those that a window may fairly be compared with."""

from dataclasses import dataclass
from math import pi, sqrt
from statistics import median

from checks.profile import Table, Volume

FEWEST_WINDOWS = 3
_RECENT = 24  # windows that stand for "lately" where no weekly pattern can be seen: a day of hours, three weeks of days
_WEEK = 7 * 86400.0
_CLOCK_CHANGE = 3600.0  # seconds by which summer time moves a window against UTC
_NORMAL_MAD = 1.482602218505602  # standard deviations of a normal distribution in median absolute deviations


@dataclass(frozen=True)
class Peers:
    """The windows to compare with, and how to name them."""

    windows: tuple[Volume, ...]
    name: str


def peers(table: Table) -> Peers:
    """Return the earlier windows of the same length at the same hour of the week, or, with too few, the latest ones."""
    length = table.end - table.start
    slack = min(_CLOCK_CHANGE, length / 2)
    earlier = [
        volume
        for volume in table.history
        if volume.end <= table.start and abs(volume.end - volume.start - length) <= slack
    ]
    same = [volume for volume in earlier if _weeks_apart(table.start - volume.start) <= _CLOCK_CHANGE]
    if len(same) >= FEWEST_WINDOWS:
        return Peers(tuple(same[-_RECENT:]), "at this hour of the week")
    return Peers(tuple(earlier[-_RECENT:]), "lately")


def _weeks_apart(seconds: float) -> float:
    """Return how far a distance in time is from whole weeks, seconds."""
    return abs(seconds - round(seconds / _WEEK) * _WEEK)


def centre_and_spread(values: list[float]) -> tuple[float, float]:
    """Return the median and the standard deviation that the median absolute deviation stands for."""
    centre = median(values)
    return centre, _NORMAL_MAD * median([abs(value - centre) for value in values])


def forecast_error(spread: float, windows: int) -> float:
    """Return the standard error of one more window around the median of ``windows``."""
    return spread * sqrt(1 + pi / (2 * windows))
