"""Incidents that no finding moves: that a model cannot be watched, has no reference, or has become worse."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from checks.diagnosing import Group
from monitor.core.finding import IncidentKind
from monitor.core.incident import UNREFERENCED, WORSE_VERSION, Incident, State, Transition
from monitor.core.lifecycle import Cause, fire
from monitor.core.window import Window

BLIND = "blind"

_TITLES = {BLIND: "cannot be watched", UNREFERENCED: "a version has no reference"}
_OWN = {BLIND, UNREFERENCED, WORSE_VERSION}


def watched(opened: Iterable[Incident]) -> list[Incident]:
    """Return the incidents that findings move on: all but those about the monitor itself, or about a version."""
    return [incident for incident in opened if incident.fault not in _OWN]


def told_once(
    model: str, fault: str, opened: Sequence[Incident], window: Window, reason: str, now: datetime
) -> list[Transition]:
    """Open an incident about the monitor itself; none when one is open."""
    if any(incident.fault == fault for incident in opened):
        return []
    group = Group(fault, _TITLES[fault], (), reason, pipeline=True if fault == BLIND else None)
    return [fire(model, Cause(IncidentKind.OPERATIONS, group, (), fatal=True), (), window, now)]


def ended(opened: Iterable[Incident], fault: str, reason: str, detail: str, now: datetime) -> list[Transition]:
    """Resolve the incidents of a fault, for a reason that is not in a window's findings."""
    return [
        Transition(
            incident,
            replace(incident, state=State.RESOLVED, resolved_at=now, resolved_reason=reason),
            "resolved",
            now,
            detail,
        )
        for incident in opened
        if incident.fault == fault
    ]
