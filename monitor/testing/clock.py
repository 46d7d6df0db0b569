"""A clock that a test moves."""

import threading
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still until it is moved; sleeping moves it at once. Safe to share between threads."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = now.astimezone(UTC)
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> datetime:
        """Return the moment that the clock shows."""
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        """Move on by ``seconds`` without waiting."""
        with self._lock:
            self.slept.append(seconds)
            self._now += timedelta(seconds=seconds)

    def advance(self, span: timedelta) -> datetime:
        """Move on, or back where ``span`` is negative as clocks of machines sometimes do; return the new moment."""
        with self._lock:
            self._now += span
            return self._now
