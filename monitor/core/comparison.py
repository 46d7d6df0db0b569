"""Tools side by side on the same windows: how often each alarms, and when each sees what we told as an incident. Pure.

All are counted alike: alerts of one column less than seven days apart are one, and what is new in one window is one
notification, whatever the number of columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

import numpy as np

from checks.budget import DAYS_A_PERIOD, SAME_ALARM_DAYS
from checks.season import Flags
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.incident import Incident
from monitor.core.window import Window, iso

OURS = "leeway"
_DAY = timedelta(days=1)
_SAME = timedelta(days=SAME_ALARM_DAYS)


@dataclass(frozen=True, slots=True)
class Sight:
    """When one tool saw one column of one incident.

    Parameters
    ----------
    incident, column : of the incident, its id.
    at : end of the first window from the onset on in which the tool alerts; None where it never does.
    days : from the onset until then.
    before : whether it alerted in the seven days before the onset as well, so that its alert is no news.
    """

    incident: str
    column: str
    at: datetime | None
    days: float | None
    before: bool

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "incident": self.incident,
            "column": self.column,
            "first_alert": iso(self.at) if self.at else None,
            "days": self.days,
            "alerting_before": self.before,
        }


@dataclass(frozen=True)
class Tool:
    """What one tool made of the windows.

    Parameters
    ----------
    name, title : as the command and as people know it.
    alerts : pairs of a column and a window that it alerts on.
    told : the windows in which it would notify.
    per_30_days : notifications.
    elsewhere : notifications with a new column that lies in no incident of ours at that time.
    sights : of the columns of our incidents.
    """

    name: str
    title: str
    alerts: int
    told: tuple[Window, ...]
    per_30_days: float
    elsewhere: int
    sights: tuple[Sight, ...]

    @property
    def seen(self) -> int:
        """How many columns of incidents it alerts on."""
        return sum(sight.at is not None for sight in self.sights)

    @property
    def before(self) -> int:
        """How many columns of incidents it alerted on before anything had happened."""
        return sum(sight.before for sight in self.sights)

    @property
    def median_days(self) -> float | None:
        """Days from an onset to its alert, of the columns that it alerts on; None without any."""
        return median(days) if (days := [sight.days for sight in self.sights if sight.days is not None]) else None

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "tool": self.name,
            "title": self.title,
            "alerts": self.alerts,
            "notifications": len(self.told),
            "per_30_days": self.per_30_days,
            "outside_incidents": self.elsewhere,
            "incident_columns": len(self.sights),
            "incident_columns_seen": self.seen,
            "incident_columns_alerting_before": self.before,
            "median_days": self.median_days,
            "first_alerts": [sight.as_json() for sight in self.sights],
        }


@dataclass(frozen=True)
class Comparison:
    """Tools on the same windows, ours first; ``notes`` say what a reader must know of how it was made."""

    tools: tuple[Tool, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"tools": [tool.as_json() for tool in self.tools], "notes": list(self.notes)}


def our_alerts(findings: Iterable[Finding], windows: Sequence[Window], columns: Sequence[str]) -> Flags:
    """Return which columns breach in which windows by evidence or as a fact, shape (windows, columns)."""
    rows = {window: place for place, window in enumerate(windows)}
    places = {column: place for place, column in enumerate(columns)}
    alerts = np.zeros((len(windows), len(columns)), bool)
    for finding in findings:
        proven = finding.verdict is Verdict.BREACH and finding.rule in (Rule.EVIDENCE, Rule.FACT)
        if proven and finding.column in places and finding.window in rows:
            alerts[rows[finding.window], places[finding.column]] = True
    return alerts


def tool(
    name: str,
    title: str,
    alerts: Flags,
    windows: Sequence[Window],
    columns: Sequence[str],
    incidents: Sequence[Incident],
) -> Tool:
    """Return what a tool made of the windows.

    Parameters
    ----------
    alerts : shape (windows, columns).
    windows : oldest first.
    incidents : that people would have been told of.
    """
    fresh = _fresh(alerts, windows)
    notified = np.flatnonzero(fresh.any(axis=1)).tolist()
    days = sum((window.length for window in windows), timedelta()) / _DAY
    return Tool(
        name,
        title,
        int(alerts.sum()),
        tuple(windows[place] for place in notified),
        len(notified) * DAYS_A_PERIOD / days if days else 0.0,
        int((fresh & ~_covered(windows, columns, incidents)).any(axis=1).sum()),
        tuple(
            _sight(incident, column, alerts[:, columns.index(column)], windows)
            for incident in incidents
            for column in incident.columns
            if column in columns
        ),
    )


def _fresh(alerts: Flags, windows: Sequence[Window]) -> Flags:
    """Return the alerts of columns that have not alerted for seven days."""
    fresh = np.zeros_like(alerts)
    last: dict[int, datetime] = {}
    for place, window in enumerate(windows):
        for column in np.flatnonzero(alerts[place]).tolist():
            fresh[place, column] = column not in last or window.end - last[column] > _SAME
            last[column] = window.end
    return fresh


def _covered(windows: Sequence[Window], columns: Sequence[str], incidents: Sequence[Incident]) -> Flags:
    """Return which columns lie in an incident in which windows."""
    covered = np.zeros((len(windows), len(columns)), bool)
    places: Mapping[str, int] = {column: place for place, column in enumerate(columns)}
    for incident in incidents:
        within = np.array([_during(incident, window) for window in windows], bool)
        for column in incident.columns:
            if column in places:
                covered[:, places[column]] |= within
    return covered


def _during(incident: Incident, window: Window) -> bool:
    over = incident.resolved_at is not None and window.start >= incident.resolved_at
    return window.end > incident.onset and not over


def _sight(incident: Incident, column: str, alerts: Flags, windows: Sequence[Window]) -> Sight:
    alerting = [window for window, alert in zip(windows, alerts, strict=True) if alert]
    first = next((window.end for window in alerting if _during(incident, window)), None)
    before = any(incident.onset - _SAME <= window.start < window.end <= incident.onset for window in alerting)
    return Sight(incident.id, column, first, (first - incident.onset) / _DAY if first else None, before)
