"""Earlier windows of the same log, those that a window may fairly be compared with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi, sqrt
from statistics import median

from checks.profile import Table, Volume

FEWEST_WINDOWS = 3
_RECENT = 24  # windows that stand for "lately" where no rhythm can be seen
_DAY, _WEEK = 86400.0, 7 * 86400.0
_CLOCK_CHANGE = 3600.0  # seconds by which summer time moves a window against UTC
_NORMAL_MAD = 1.482602218505602  # standard deviations of a normal distribution in median absolute deviations


@dataclass(frozen=True)
class Peers:
    """The windows to compare with, and how to name them."""

    windows: tuple[Volume, ...]
    name: str


def peers(reference: Table, current: Table) -> Peers:
    """Return the windows to compare the rows of the current one with.

    The earlier windows of the same length at the same hour of the week. In the first weeks those of the reference,
    scaled to what the log has lately had of them, for a reference may be a sample. Where it has no time, those at the
    same hour of the day, and only for windows of a day or more the latest ones.
    """
    earlier = _alike(current.history, current)
    same = _apart(earlier, current.start, _WEEK)
    if len(same) >= FEWEST_WINDOWS:
        return Peers(tuple(same[-_RECENT:]), "at this hour of the week")
    known = _alike(reference.history, current)
    scaled = _scaled(_apart(known, current.start, _WEEK), known, earlier)
    if len(scaled) >= FEWEST_WINDOWS:
        return Peers(tuple(scaled[-_RECENT:]), "at this hour of the week, by the reference's rhythm,")
    if current.end - current.start < _DAY - _CLOCK_CHANGE:
        return Peers(tuple(_apart(earlier, current.start, _DAY)[-_RECENT:]), "at this hour of the day")
    return Peers(tuple(earlier[-_RECENT:]), "lately")


def rows_missed(reference: Table, current: Table, since: float) -> float:
    """Return how many rows the log would usually have had from a moment to the end of the current window."""
    silent = [volume for volume in current.history if volume.start >= since and volume.end <= current.start]
    missed = 0.0
    for volume in (*silent, Volume(current.start, current.end, 0)):
        then = replace(current, start=volume.start, end=volume.end)
        like = peers(reference, replace(then, history=tuple(v for v in current.history if v.end <= volume.start)))
        if len(like.windows) >= FEWEST_WINDOWS:
            share = (volume.end - max(volume.start, since)) / (volume.end - volume.start)
            missed += share * median(peer.rows for peer in like.windows)
    return missed


def _alike(history: Sequence[Volume], current: Table) -> list[Volume]:
    """Return the windows of about the same length that do not overlap the current one."""
    length = current.end - current.start
    slack = min(_CLOCK_CHANGE, length / 2)
    return [v for v in history if v.end <= current.start and abs(v.end - v.start - length) <= slack]


def _apart(windows: Sequence[Volume], start: float, period: float) -> list[Volume]:
    """Return the windows that begin whole periods away, give or take the change of the clock."""
    return [v for v in windows if abs((gap := start - v.start) - round(gap / period) * period) <= _CLOCK_CHANGE]


def _scaled(same: Sequence[Volume], known: Sequence[Volume], earlier: Sequence[Volume]) -> list[Volume]:
    """Return the reference's windows, scaled to what the log has lately had at the same hours."""
    ratios = []
    for volume in earlier[-_RECENT:]:
        like = _apart(known, volume.start, _WEEK)
        usual = median(v.rows for v in like) if like else 0
        if usual:
            ratios.append(volume.rows / usual)
    if len(ratios) < FEWEST_WINDOWS:
        return []
    scale = median(ratios)
    return [replace(volume, rows=round(volume.rows * scale)) for volume in same]


def gaps_at_this_hour(current: Table) -> tuple[list[float], str]:
    """Return hours without rows at the end of earlier windows like the current one, and how to name them."""
    earlier = _alike(current.history, current)
    same, name = _apart(earlier, current.start, _WEEK), "at this hour of the week"
    if len(same) < FEWEST_WINDOWS and current.end - current.start < _DAY - _CLOCK_CHANGE:
        same, name = _apart(earlier, current.start, _DAY), "at this hour of the day"
    elif len(same) < FEWEST_WINDOWS:
        same, name = earlier, "lately"
    found = [_gap(volume, current.history) for volume in same[-_RECENT:]]
    return [gap for gap in found if gap is not None], name


def _gap(volume: Volume, history: Sequence[Volume]) -> float | None:
    """Return hours from the last event to the end of an earlier window; nights may be longer than a window."""
    last = volume.last_event
    if last is None:
        last = max((v.last_event for v in history if v.last_event is not None and v.end <= volume.end), default=None)
    return None if last is None else max(0.0, volume.end - last) / 3600


def centre_and_spread(values: list[float]) -> tuple[float, float]:
    """Return the median and the standard deviation that the median absolute deviation stands for."""
    centre = median(values)
    return centre, _NORMAL_MAD * median([abs(value - centre) for value in values])


def forecast_error(spread: float, windows: int) -> float:
    """Return the standard error of one more window around the median of ``windows``."""
    return spread * sqrt(1 + pi / (2 * windows))
