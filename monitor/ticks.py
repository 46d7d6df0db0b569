"""Ticks: functions called at intervals, by APScheduler's loop in a thread of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler


@dataclass
class Ticks:
    """Calls each function at once and then every so many seconds, never twice at a time.

    Parameters
    ----------
    every : functions with their intervals in seconds.
    """

    every: Mapping[Callable[[], None], float]
    _scheduler: "BackgroundScheduler" = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin, or begin anew."""
        from apscheduler.schedulers.background import BackgroundScheduler

        self._scheduler = BackgroundScheduler(timezone="UTC")
        options: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        options["next_run_time"] = datetime.now(UTC)  # by the scheduler's own clock, whatever ours shows
        for function, seconds in self.every.items():
            self._scheduler.add_job(function, "interval", seconds=seconds, **options)
        self._scheduler.start()

    @property
    def alive(self) -> bool:
        """Whether the loop still runs: APScheduler goes on saying so after an error has ended its thread."""
        thread = getattr(self._scheduler, "_thread", None)
        return thread is not None and thread.is_alive()

    def end(self) -> None:
        """Call nothing any more; what is being called goes on to its end."""
        self._scheduler.shutdown(wait=False)
