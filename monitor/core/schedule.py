"""Which windows there are and which are owed: the first step of the way of the data."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from monitor.core.window import Window

_DAY = timedelta(days=1)
_MONDAY = date(1970, 1, 5)  # windows of several days are counted from here, so that weeks begin on Mondays


@dataclass(frozen=True)
class Schedule:
    """Windows aligned to the local midnight of a zone.

    Windows of whole days follow the local calendar, so that a day may have 23 or 25 hours; those of 7 days begin on
    Mondays. Shorter windows have their length in elapsed time, counted from each local midnight; if they do not divide
    the day, the last one takes the remainder, if that is less than half a window, or is cut short. Any other length is
    counted in elapsed time from one Monday midnight on.

    Parameters
    ----------
    every : length of a window.
    delay : how long after its end a window is due.
    timezone : name of the zone.
    catch_up : a window that has been due for longer than this is skipped rather than owed.
    """

    every: timedelta
    delay: timedelta
    timezone: str
    catch_up: timedelta

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def window_containing(self, moment: datetime) -> Window:
        """Return the window that holds a moment.

        Raises
        ------
        ValueError
            For a moment without a zone.
        """
        if moment.tzinfo is None:
            raise ValueError("a schedule needs moments with a zone")
        moment = moment.astimezone(UTC)
        if self.every % _DAY == timedelta():
            return self._of_days(moment)
        if self.every > _DAY:
            start = self._midnight(_MONDAY)
            return self._step(start, (moment - start) // self.every)
        return self._within_day(moment)

    def due(
        self,
        now: datetime,
        last_end: datetime | None = None,
        start: datetime | None = None,
        most: int | None = None,
    ) -> tuple[list[Window], list[Window]]:
        """Return the windows that are owed, and those that are given up as too old; oldest first.

        Parameters
        ----------
        now : the present.
        last_end : end of the last window that was dealt with; None where none was.
        start : a moment of the first window ever to check. Without it and ``last_end`` nothing is owed.
        most : owed windows to return, the oldest; None for all of them.
        """
        known = [moment for moment in (last_end, start) if moment is not None]
        owed: list[Window] = []
        skipped: list[Window] = []
        if not known:
            return owed, skipped
        window = self.window_containing(max(known))
        while len(owed) != most and (since := window.end + self.delay) <= now:
            (skipped if since < now - self.catch_up else owed).append(window)
            window = self.window_containing(window.end)
        return owed, skipped

    def newest_due(self, now: datetime) -> Window:
        """Return the newest window that is due."""
        not_due = self.window_containing(now - self.delay)
        return self.window_containing(not_due.start - timedelta(microseconds=1))

    def next_due(self, now: datetime, last_end: datetime | None = None) -> datetime:
        """Return when the next window falls due; in the past where one is owed already."""
        return self.window_containing(last_end or now - self.delay).end + self.delay

    def _midnight(self, day: date) -> datetime:
        """Return the first moment of a local day, in UTC; of the two readings of an ambiguous midnight the first."""
        return datetime.combine(day, time(), self._zone).astimezone(UTC)

    def _day_of(self, moment: datetime) -> date:
        day = moment.astimezone(self._zone).date()
        # Clocks that go back across midnight show the old date again in a day that has already begun.
        return day + _DAY if moment >= self._midnight(day + _DAY) else day

    def _of_days(self, moment: datetime) -> Window:
        days = self.every // _DAY
        day = self._day_of(moment)
        first = day - timedelta(days=(day - _MONDAY).days % days)
        return Window(self._midnight(first), self._midnight(first + self.every))

    def _within_day(self, moment: datetime) -> Window:
        day = self._day_of(moment)
        midnight, end = self._midnight(day), self._midnight(day + _DAY)
        last = max(1, round((end - midnight) / self.every)) - 1
        window = self._step(midnight, min((moment - midnight) // self.every, last))
        return Window(window.start, end) if (window.start - midnight) // self.every == last else window

    def _step(self, origin: datetime, number: int) -> Window:
        start = origin + number * self.every
        return Window(start, start + self.every)
