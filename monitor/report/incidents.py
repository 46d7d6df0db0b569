"""One incident as the report shows it: its name, its columns, its evidence and its timeline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.core.finding import Severity
from monitor.core.incident import Evidence, Incident, State
from monitor.core.wording import moment, plural, printable
from monitor.report.model import ReportData
from monitor.report.words import MARKS, capital, day, effect_text, interval_text, placed

_STATES = {State.FIRING: "open", State.PENDING: "waiting", State.RESOLVED: "resolved"}
_NAMED = 12  # columns that a card names, and its rows of evidence


@dataclass(frozen=True)
class IncidentView:
    """One incident as a card."""

    id: str
    level: str
    mark: str
    state: str
    title: str
    closed: bool
    columns: Sequence[tuple[str, str]]
    more: int
    facts: Sequence[tuple[str, str]]
    period: str
    summary: str
    evidence: Sequence[tuple[str, str, str, str, str]]
    events: Sequence[str]
    placed: bool = True


def urgency(incident: Incident) -> tuple[int, int, float]:
    """Return what sorts incidents: open ones first, then the critical, then the latest."""
    state = (State.FIRING, State.PENDING, State.RESOLVED).index(incident.state)
    return state, -list(Severity).index(incident.severity), -incident.onset.timestamp()


def incident_view(incident: Incident, data: ReportData, anchors: Mapping[str | None, str]) -> IncidentView:
    """Lay out one incident; ``anchors`` leads to the sections of its columns."""
    level = "critical" if incident.severity is Severity.CRITICAL else "warning"
    if incident.state is State.RESOLVED:
        level = "calm"
    return IncidentView(
        id=incident.id,
        level=level,
        mark=MARKS[level],
        state=_STATES[incident.state],
        title=capital(printable(incident.diagnosis)),
        closed=incident.state is State.RESOLVED,
        columns=[
            (
                printable(name),
                "" if incident.state is State.RESOLVED else anchors.get(name, ""),
            )  # none within a summary
            for name in incident.columns[:_NAMED]
        ],
        more=max(0, len(incident.columns) - _NAMED),
        facts=_facts(incident),
        period=f"{day(incident.onset)} to {day(incident.last_window_end)}, {plural(incident.windows, 'window')}",
        summary="" if [item.words for item in incident.evidence] == [incident.summary] else printable(incident.summary),
        evidence=[_evidence(item) for item in incident.evidence[:_NAMED]],
        events=[printable(line) for line in data.events.get(incident.id, ())],
        placed=placed(incident),
    )


def _facts(incident: Incident) -> list[tuple[str, str]]:
    facts = [
        ("severity", str(incident.severity)),
        ("kind", str(incident.kind)),
        ("since", day(incident.onset)),
        ("breaching", plural(incident.windows, "window")),
    ]
    if incident.resolved_at:
        reason = f", {printable(incident.resolved_reason)}" if incident.resolved_reason else ""
        facts.append(("resolved", f"{moment(incident.resolved_at)}{reason}"))
    if incident.pipeline is not None:
        facts.append(("cause lies in", "the pipeline" if incident.pipeline else "the world"))
    if incident.acknowledged_by:
        facts.append(("acknowledged by", printable(incident.acknowledged_by)))
    if incident.silenced_until:
        facts.append(("silenced until", moment(incident.silenced_until)))
    if incident.expected:
        facts.append(("declared", "expected"))
    if incident.retrains:
        facts.append(("retraining", ", ".join(map(printable, incident.retrains))))
    return facts


def _evidence(item: Evidence) -> tuple[str, str, str, str, str]:
    """Return column, words, effect with its interval, tolerance and check."""
    effect = effect_text(item.effect, item.unit)
    if item.effect_ci:
        effect += f" ({interval_text(item.effect_ci, item.unit)})"
    name = printable(item.column) if item.column is not None else "whole table"
    return name, printable(item.words), effect, effect_text(item.threshold, item.unit), f"{item.check}, {item.unit}"
