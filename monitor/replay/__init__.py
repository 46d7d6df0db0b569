"""Replays the past through the daemon's own cycle: every owed window, at the moment it would have been due."""

from collections.abc import Iterator
from datetime import datetime

from monitor.clocks import SetClock
from monitor.core.window import Window
from monitor.cycle import Cycle, Result
from monitor.watch import Watch


def windows_between(watch: Watch, start: datetime, end: datetime) -> list[Window]:
    """Return the schedule's whole windows that lie in ``[start, end)``, oldest first."""
    first = watch.schedule.window_containing(start)
    found = []
    window = first if first.start >= start else watch.schedule.window_containing(first.end)
    while window.end <= end:
        found.append(window)
        window = watch.schedule.window_containing(window.end)
    return found


def replay(cycle: Cycle, clock: SetClock, watch: Watch, windows: list[Window]) -> Iterator[Result]:
    """Evaluate windows in order, each at the moment it falls due. ``cycle`` must use ``clock``."""
    for window in windows:
        clock.set(window.end + watch.model.schedule.delay)
        yield cycle.run(watch, window)
