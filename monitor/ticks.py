"""Ticks: functions called at intervals, by APScheduler's loop in a thread of its own, which is watched."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from monitor.pulse import Pulse, patience

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler


@dataclass
class Ticks:
    """Calls each function at once and then every so many seconds, never twice at a time.

    APScheduler counts by the wall clock: where that is set back by an hour, it calls nothing for an hour. So the pulse,
    which counts by a clock that nobody sets, tells whether it still calls.

    Parameters
    ----------
    pulse : notes when each function was called.
    every : functions by name, with their intervals in seconds.
    """

    pulse: Pulse
    every: Mapping[str, tuple[Callable[[], None], float]]
    _scheduler: "BackgroundScheduler" = field(init=False)
    _started: float = field(init=False)
    _calls: int = 0
    _idle: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        for name, (_, seconds) in self.every.items():
            self.pulse.expect(name, seconds)
        self.start()

    def start(self) -> None:
        """Begin, or begin anew."""
        from apscheduler.schedulers.background import BackgroundScheduler

        self._started = self.pulse.clock()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        # Two instances: of a call that hangs the next one is told, and returns at once without a word in the log.
        options: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 2}
        options["next_run_time"] = datetime.now(UTC)  # by the scheduler's own clock, whatever ours shows
        for name, (_, seconds) in self.every.items():
            self._scheduler.add_job(partial(self._call, name), _every(seconds), name=name, **options)
        self._scheduler.start()

    def _call(self, name: str) -> None:
        if not self.pulse.begin(name):
            return
        with self._idle:
            self._calls += 1
        try:
            self.every[name][0]()
        finally:
            self.pulse.end(name)
            with self._idle:
                self._calls -= 1
                self._idle.notify_all()

    @property
    def alive(self) -> bool:
        """Whether the loop still runs: APScheduler goes on saying so after an error has ended its thread."""
        thread = getattr(self._scheduler, "_thread", None)
        return thread is not None and thread.is_alive()

    @property
    def stalled(self) -> bool:
        """Whether the loop runs and calls nothing; of a function that hangs the loop is innocent."""
        now = self.pulse.clock()
        return any(
            (begun := self.pulse.begun(name)) is not None and now - max(begun, self._started) > patience(seconds)
            for name, (_, seconds) in self.every.items()
        )

    def end(self) -> None:
        """Call nothing any more; what is being called goes on to its end."""
        self._scheduler.shutdown(wait=False)

    def wait(self, seconds: float) -> None:
        """Wait for what is being called, for so long at most."""
        with self._idle:
            self._idle.wait_for(lambda: not self._calls, seconds)


def _every(seconds: float) -> Any:
    """Return a trigger that counts from the moment at which it is asked.

    APScheduler's own counts every interval that has passed since the last time: some three million, and half a minute,
    where the clock is set forward by a year.
    """
    from apscheduler.triggers.base import BaseTrigger

    class Every(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
        def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:  # noqa: ARG002 - the interface
            return now + timedelta(seconds=seconds)

    return Every()
