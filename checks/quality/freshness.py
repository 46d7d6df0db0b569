"""Whether rows still arrive at the end of the window."""

from dataclasses import dataclass
from typing import ClassVar

from checks.history import FEWEST_WINDOWS, centre_and_spread, forecast_error, gaps_at_this_hour, rows_missed
from checks.measurement import Inconclusive, Measurement, symmetric
from checks.profile import Table
from checks.wording import number_text

FEWEST_MISSED = 30.0  # rows; that none of them comes by chance is out of the question, even where they come in clusters
_HOUR = 3600.0
_SHORTEST = 1 / 60  # hours; clocks and batches agree no better


@dataclass(frozen=True)
class Freshness:
    """Freshness: hours without rows at the end of the window, beyond what is usual.

    Compared are the earlier windows of the same length at the same hour of the week, where there are three of them,
    else at the same hour of the day, or lately where windows are days. An empty window looks back to the last event
    before it. A silence counts only where the log would usually have had ``FEWEST_MISSED`` rows meanwhile: the hours
    before dawn may well be empty.

    Statistic: hours from the last event to the end of the window. The effect is what this gap has above the median of
    the earlier gaps, not below 0. Its standard error is that of one more gap: median absolute deviation, at least the
    median itself (waiting times of independent rows scatter as much as they last) and a minute.

    Sees a log that has stopped in the middle of a window. Does not see fewer rows: ``row_count`` does.

    Parameters
    ----------
    tolerance : hours, from 0. 3: shorter silences are late deliveries more often than failures.

    Configuration
    -------------
    ::

        - freshness: {tolerance: 3}

    References
    ----------
    Cox & Lewis 1966, *The Statistical Analysis of Series of Events* (waiting times).
    """

    default: ClassVar[bool] = True
    unit: ClassVar[str] = "hours"
    fatal: ClassVar[bool] = True

    tolerance: float = 3.0

    def measure_table(self, reference: Table, current: Table) -> Measurement | Inconclusive:
        """Compare the end of the window with the ends of earlier windows."""
        rows, known = current.profile.rows, reference.profile.rows
        events = [volume.last_event for volume in current.history if volume.last_event is not None]
        last = current.profile.last_event
        if last is None and not events:
            return Inconclusive("no event in this window or before it", 1, rows, known)
        gap = max(0.0, current.end - (max(events) if last is None else last)) / _HOUR
        gaps, name = gaps_at_this_hour(current)
        if len(gaps) < FEWEST_WINDOWS:
            reason = f"{len(gaps)} earlier windows with rows, fewer than {FEWEST_WINDOWS}"
            return Inconclusive(reason, None, rows, known)
        usual, spread = centre_and_spread(gaps)
        late = max(0.0, gap - usual)
        if late and rows_missed(reference, current, current.end - late * _HOUR) < FEWEST_MISSED:
            late = 0.0
        stderr = forecast_error(max(spread, usual, _SHORTEST), len(gaps))
        words = f"last event {number_text(gap)} h before the end, {name} usually {number_text(usual)} h"
        return Measurement(gap, late, stderr, symmetric(late, stderr), rows, known, words=words)
