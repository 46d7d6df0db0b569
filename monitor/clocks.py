"""The system's clock: the only place that reads the time."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The wall clock, in UTC."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class SetClock:
    """A clock that shows what it was set to, for replays of the past."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the moment that was set last."""
        return self._now

    def set(self, now: datetime) -> None:
        """Set the clock; it never goes back."""
        self._now = max(self._now, now)

    def sleep(self, seconds: float) -> None:
        """Move the clock on at once."""
        self._now += timedelta(seconds=seconds)
