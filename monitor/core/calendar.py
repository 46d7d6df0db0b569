"""Where a window lies in the week, the day and the year, and what its days count for: what seasons are estimated by."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from monitor.core.schedule import Schedule
from monitor.core.window import Window

HOURS_OF_A_WEEK = 168

_SUNDAY = 6
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_LONGEST_DAY = timedelta(hours=26)  # one whose clocks go back, by two hours in some places


@dataclass(frozen=True)
class Exclusion:
    """A period that is neither judged nor learned from, and why."""

    window: Window
    reason: str


@dataclass(frozen=True)
class Calendar:
    """The rhythm of a log, by the clock on the wall in one zone.

    Parameters
    ----------
    timezone : name of the zone, that of the schedule.
    holidays : local days that count as Sundays. A reference of some months has a handful of holidays, too few to
        estimate a level of their own from, and Sundays are the days that they resemble most.
    exclusions : periods that are neither judged nor learned from.
    weekly : whether windows are compared with the same hours of the week.
    yearly : whether they are compared with the same season of the year, too.
    """

    timezone: str
    holidays: frozenset[date] = frozenset()
    exclusions: tuple[Exclusion, ...] = ()
    weekly: bool = True
    yearly: bool = False

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @cached_property
    def _days(self) -> Schedule:
        """The local days, by the rules that windows are made by."""
        return Schedule(every=_DAY, delay=timedelta(), timezone=self.timezone, catch_up=_DAY)

    def hour_of_week(self, moment: datetime) -> float:
        """Return the local hours since Monday 00:00, from 0 up to and without 168; a holiday is taken for a Sunday.

        Hours are those of the clock on the wall: when it goes back, an hour of the week comes twice.

        Raises
        ------
        ValueError
            For a moment without a zone.
        """
        if moment.tzinfo is None:
            raise ValueError("a calendar needs moments with a zone")
        return _hour_of_week(moment.astimezone(self._zone), self.holidays)

    def of_window(self, window: Window) -> float:
        """Return the hour of the week in the middle of a window.

        The middle is that of elapsed time, so that a day of 23 or 25 hours has it half an hour beside noon. In a window
        of several days a holiday is one day among others and does not make a Sunday of it.
        """
        holidays = self.holidays if window.length <= _LONGEST_DAY else frozenset[date]()
        return _hour_of_week(self._local_middle(window), holidays)

    def of_windows(self, windows: Sequence[Window]) -> npt.NDArray[np.float64]:
        """Return :meth:`of_window` of every window, in their order."""
        return np.array([self.of_window(window) for window in windows], np.float64)

    def day(self, window: Window) -> int:
        """Return the ordinal of the local day in which a window starts (that of :meth:`datetime.date.toordinal`)."""
        return self._ordinal(self._days.window_containing(window.start))

    def part(self, window: Window, hours: float) -> int:
        """Return the ordinal of the part of a local day in which a window lies; the next part has the next number.

        A day has as many equal parts as fit best, so that one of 23 or 25 hours has the same number of them, a little
        shorter or longer: windows of 6 hours stay one in each. Of a window that begins in one part and ends in another
        the middle decides, of one that goes beyond the day in which it starts the middle of what it has of that day.

        Parameters
        ----------
        window : the window.
        hours : length of a part, more than 0.
        """
        if hours <= 0:
            raise ValueError(f"a part of the day is longer than 0 hours, got {hours}")
        parts = max(1, round(24 / hours))
        day = self._days.window_containing(window.start)
        middle = window.start + (min(window.end, day.end) - window.start) / 2
        return self._ordinal(day) * parts + (middle - day.start) * parts // day.length

    def year_fraction(self, window: Window) -> float:
        """Return how much of its local year has gone by in the middle of a window, from 0 up to and without 1."""
        middle = self._local_middle(window).replace(tzinfo=None)
        begin, end = (datetime(year, 1, 1) for year in (middle.year, middle.year + 1))  # noqa: DTZ001  # all on the wall
        return (middle - begin) / (end - begin)

    def excluded(self, window: Window) -> str | None:
        """Return why a window is left out, None where no excluded period overlaps it."""
        overlapping = (
            item.reason for item in self.exclusions if item.window.start < window.end and window.start < item.window.end
        )
        return next(overlapping, None)

    def _local_middle(self, window: Window) -> datetime:
        return (window.start + window.length / 2).astimezone(self._zone)

    def _ordinal(self, day: Window) -> int:
        return day.start.astimezone(self._zone).toordinal()


def _hour_of_week(local: datetime, holidays: frozenset[date]) -> float:
    weekday = _SUNDAY if local.date() in holidays else local.weekday()
    return (local.replace(tzinfo=None) - datetime(local.year, local.month, local.day)) / _HOUR + 24 * weekday  # noqa: DTZ001  # the clock on the wall
