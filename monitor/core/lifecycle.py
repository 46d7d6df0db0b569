"""Moves incidents on by one window: inactive → pending → firing → resolved. A pure function of what was found.

A column that keeps breaching continues the incident it belongs to, whatever its diagnosis says today; what is left
over joins the open incident of the same fault, or opens one. Windows without an answer neither feed nor calm an
incident.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from checks.diagnosing import WORLD_CHANGE, Group
from monitor.core.finding import Draft, Finding, Findings, IncidentKind, Rule, Severity, Verdict
from monitor.core.incident import DID_NOT_LAST, Evidence, Incident, State, Transition
from monitor.core.window import Window, iso

# What a breach of the whole table is called, by check.
TABLE_FAULTS = {
    "row_count": "unusual volume",
    "freshness": "stale log",
    "duplicate_ids": "duplicated rows",
    "new_column": "new columns",
}
ONE_CHANGE = timedelta(days=7)  # incidents of one fault whose onsets are further apart are two
HARD_TO_READ = frozenset({"tails", "shape", "spread"})
TABLE = ""  # stands for the whole table among an incident's columns


@dataclass(frozen=True)
class Holding:
    """How many windows it takes.

    ``open_after`` breaching windows in a row before an incident of a fixed threshold fires, ``resolve_after`` calm ones
    before it ends. Evidence needs neither: it has waited already, and says itself when a change is over.
    """

    open_after: int = 2
    resolve_after: int = 2


@dataclass(frozen=True)
class Cause:
    """What one window shows of one cause.

    ``fatal`` says that the effect is large or the data broken, ``proven`` that evidence or a fact shows it; ``onset``
    is when the earliest of its changes began, ``grown`` whether one is now much larger than what people were told,
    ``fresh`` whether there is anything that was not known before: old alarms that wait for their end open no incident.
    """

    kind: IncidentKind
    group: Group
    evidence: tuple[Evidence, ...]
    fatal: bool
    proven: bool = False
    onset: datetime | None = None
    grown: bool = False
    fresh: bool = True

    @property
    def at_once(self) -> bool:
        """Whether no second window is needed."""
        return self.fatal or self.proven or bool(self.group.pipeline)

    @property
    def severity(self) -> Severity:
        """Breaks of the pipeline and effects far beyond tolerance are critical."""
        return Severity.CRITICAL if self.fatal or self.group.pipeline else Severity.WARNING


def causes(findings: Sequence[Finding], groups: Sequence[Group], tables: Mapping[str, Group]) -> list[Cause]:
    """Form the causes of one window's breaches: a group of columns each, and a breach of the whole table each.

    Parameters
    ----------
    groups : the diagnosed columns, each column in one group.
    tables : what was found of checks of the whole table, by check.
    """
    breaches = [f for f in findings if f.verdict is Verdict.BREACH and f.rule is not Rule.DESCRIPTION]
    found = []
    for group in groups:
        own = [finding for finding in breaches if finding.column in group.columns]
        measured = [finding for finding in own if finding.kind is IncidentKind.QUALITY]
        quality = group.pipeline is True or len(measured) == len(own)
        found.append(
            Cause(
                IncidentKind.QUALITY if quality else IncidentKind.DRIFT,
                group,
                _evidence(measured if quality and measured else own),
                any(finding.fatal for finding in own),
                any(finding.rule is not Rule.THRESHOLD for finding in own),
                min((finding.onset for finding in own if finding.onset), default=None),
                any(finding.grown for finding in own),
                any(finding.fresh or finding.rule is not Rule.EVIDENCE for finding in own),
            )
        )
    for finding in _of_the_table(breaches):
        title = table_title(finding.check, tables)
        group = tables.get(finding.check) or Group(finding.check, title, finding.columns, finding.reason, pipeline=True)
        found.append(
            Cause(finding.kind, group, _evidence([finding]), finding.fatal, finding.rule is not Rule.THRESHOLD)
        )
    return found


def table_title(check: str, tables: Mapping[str, Group]) -> str:
    """Return what a breach of the whole table is called."""
    return tables[check].title if check in tables else TABLE_FAULTS.get(check, check.replace("_", " "))


def _of_the_table(breaches: Sequence[Finding]) -> list[Finding]:
    """Return the breaches of the whole table; a log that fell silent is told once, not as missing rows too."""
    found = [finding for finding in breaches if finding.column is None]
    silent = any(finding.check == "freshness" for finding in found)
    return [f for f in found if not (silent and f.check == "row_count" and (f.effect or 0.0) < 0)]


def _evidence(findings: Iterable[Finding]) -> tuple[Evidence, ...]:
    """Return one line a column, for its strongest breach relative to tolerance; worst column first."""
    best: dict[str | None, Finding] = {}
    for finding in findings:
        if finding.column not in best or _telling(finding) > _telling(best[finding.column]):
            best[finding.column] = finding
    ranked = sorted(best.values(), key=_excess, reverse=True)
    return tuple(
        Evidence(f.column, f.check, f.reason, f.effect, f.effect_ci, f.threshold, f.unit, f.diagnosis, f.rule)
        for f in ranked
    )


def _telling(finding: Finding) -> tuple[bool, float]:
    """Rank what people are told of a column: medians and shares before tails and shapes, then by size."""
    return finding.check not in HARD_TO_READ, _excess(finding)


def _excess(finding: Finding) -> float:
    return abs(finding.effect or 0.0) / finding.threshold if finding.threshold else abs(finding.effect or 0.0)


def advance(
    open_incidents: Sequence[Incident],
    found: Sequence[Cause],
    findings: Sequence[Finding],
    window: Window,
    now: datetime,
    holding: Holding,
    reference: str | None = None,
) -> list[Transition]:
    """Return every step that this window makes incidents take, in a fixed order.

    Parameters
    ----------
    open_incidents : the model's pending and firing incidents.
    findings : all findings of the window; they tell a calm column from one without an answer.
    reference : the snapshot that it was judged against. What another one had shown is over when it is seen to be.
    """
    if not findings:
        return []
    claimed, left_over = _match(open_incidents, found, reference)
    steps: list[Transition] = []
    for incident in open_incidents:
        if incident.id in claimed:
            steps += _continue(incident, claimed[incident.id], window, now, holding, reference)
        else:
            steps += _calm(incident, findings, window, now, holding, reference)
    steps += [_open(findings[0].model, cause, columns, window, now, holding, reference) for cause, columns in left_over]
    return steps


def _match(
    open_incidents: Sequence[Incident], found: Sequence[Cause], reference: str | None
) -> tuple[dict[str, list[Cause]], list[tuple[Cause, tuple[str, ...]]]]:
    """Return the causes that continue each incident, and those that none does with their unclaimed columns."""
    claimed: dict[str, list[Cause]] = {}
    left_over = []
    for cause in found:
        columns = set(cause.group.columns) or {TABLE}
        for incident in open_incidents:
            shared = columns & (set(incident.columns) or {TABLE})
            if shared and (not cause.fresh or _same_trouble(incident, cause)):
                claimed.setdefault(incident.id, []).append(_narrowed(cause, shared))
                columns -= shared
        # What another reference had shown, and this one does not, is a trouble of its own.
        alike = [i for i in open_incidents if i.id in claimed or not _another(i, reference)]
        joins = next((i for i in alike if _joins(i, cause)), None)
        if not cause.fresh:
            continue
        if columns and joins is not None:
            claimed.setdefault(joins.id, []).append(_narrowed(cause, columns))
        elif columns:
            left_over.append((cause, tuple(c for c in cause.group.columns if c in columns)))
    return claimed, left_over


def _another(incident: Incident, reference: str | None) -> bool:
    """Whether another reference than this has shown an incident; not where nobody knows."""
    return None not in (incident.reference, reference) and incident.reference != reference


def _joins(incident: Incident, cause: Cause) -> bool:
    """Whether further columns belong to an incident: the same fault, begun at about the same time."""
    if (incident.kind, incident.fault) != (cause.kind, cause.group.fault):
        return False
    return cause.onset is None or abs(cause.onset - incident.onset) <= ONE_CHANGE


def _narrowed(cause: Cause, columns: set[str]) -> Cause:
    """Return the part of a cause that concerns these columns."""
    kept = tuple(column for column in cause.group.columns if column in columns)
    evidence = tuple(item for item in cause.evidence if item.column is None or item.column in columns)
    return replace(cause, group=replace(cause.group, columns=kept), evidence=evidence)


def _same_trouble(incident: Incident, cause: Cause) -> bool:
    """Whether a cause on an incident's columns is more of the same: a null flood in a drifted column is not."""
    if incident.fault == cause.group.fault:
        return True
    if TABLE in (set(incident.columns) or {TABLE}) or not cause.group.columns:
        return False
    checks = {item.check for item in incident.evidence}
    return incident.kind is cause.kind or any(item.check in checks for item in cause.evidence)


def incident_of(
    model: str, cause: Cause, columns: tuple[str, ...], window: Window, now: datetime, reference: str | None = None
) -> Incident:
    """Return a new, pending incident; its id depends on what and when alone, so a replay gives the same."""
    seed = "|".join((model, cause.kind, cause.group.fault, ",".join(columns), iso(window.start)))
    return Incident(
        id=f"{model}-{sha256(seed.encode()).hexdigest()[:8]}",
        model=model,
        kind=cause.kind,
        fault=cause.group.fault,
        state=State.PENDING,
        severity=cause.severity,
        columns=columns,
        diagnosis=cause.group.title,
        summary=cause.group.words,
        opened_at=now,
        onset=min(window.start, cause.onset or window.start),
        last_window_end=window.end,
        evidence=cause.evidence,
        pipeline=cause.group.pipeline,
        reference=reference,
    )


def fire(
    model: str, cause: Cause, columns: tuple[str, ...], window: Window, now: datetime, reference: str | None = None
) -> Transition:
    """Open an incident that fires at once."""
    incident = incident_of(model, cause, columns, window, now, reference)
    return Transition(None, replace(incident, state=State.FIRING), "fired", now, cause.group.words)


def _open(
    model: str,
    cause: Cause,
    columns: tuple[str, ...],
    window: Window,
    now: datetime,
    holding: Holding,
    reference: str | None,
) -> Transition:
    if cause.at_once or holding.open_after <= 1:
        return fire(model, cause, columns, window, now, reference)
    incident = incident_of(model, cause, columns, window, now, reference)
    return Transition(None, incident, "pending", now, f"waits for {holding.open_after} windows in a row")


def _continue(
    incident: Incident,
    own: Sequence[Cause],
    window: Window,
    now: datetime,
    holding: Holding,
    reference: str | None,
) -> list[Transition]:
    columns = tuple(dict.fromkeys([*incident.columns, *(c for cause in own for c in cause.group.columns)]))
    evidence = tuple(item for cause in own for item in cause.evidence)
    seen = replace(
        incident,
        windows=incident.windows + 1,
        calm=0,
        columns=columns,
        last_window_end=max(incident.last_window_end, window.end),
        evidence=evidence,
        reference=reference,
    )
    # Where today's causes differ, the largest names the incident; between equals its name stays.
    lead = max(own, key=lambda cause: (len(cause.group.columns), cause.group.fault == incident.fault))
    # What was known before is not more severe because one more window shows it.
    news = [cause.severity for cause in own if cause.fresh or cause.grown]
    severity = max((incident.severity, *news), key=list(Severity).index)
    if incident.state is State.PENDING:
        seen = replace(
            seen,
            kind=lead.kind,
            fault=lead.group.fault,
            diagnosis=lead.group.title,
            summary=lead.group.words,
            pipeline=lead.group.pipeline,
            severity=severity,
        )
        if seen.windows >= holding.open_after or any(cause.at_once for cause in own):
            return [Transition(incident, replace(seen, state=State.FIRING), "fired", now, seen.summary)]
        return [Transition(incident, seen, "pending", now, f"breached in {seen.windows} windows in a row")]
    steps = []
    new = [column for column in columns if column not in incident.columns]
    if new and incident.fault == WORLD_CHANGE:
        seen = replace(seen, diagnosis=lead.group.title, summary=_told(lead.group))
    if severity is not incident.severity:
        seen = replace(seen, severity=severity)
        steps.append(Transition(incident, seen, "severity", now, f"{incident.severity} to {severity}"))
    if new:
        steps.append(Transition(incident, seen, "columns", now, ", ".join(new)))
    if any(cause.grown for cause in own):
        seen = replace(seen, summary=_told(lead.group) if new else seen.summary)
        steps.append(Transition(incident, seen, "worse", now, "; ".join(item.words for item in evidence[:1])))
    return steps or [Transition(incident, seen, "continues", now, seen.summary)]


def _told(group: Group) -> str:
    """Return a group's words with its column, for an incident of several columns."""
    return f"{group.columns[0]}: {group.words}" if len(group.columns) == 1 else group.words


def _calm(
    incident: Incident,
    findings: Sequence[Finding],
    window: Window,
    now: datetime,
    holding: Holding,
    reference: str | None,
) -> list[Transition]:
    another = _another(incident, reference)
    if not _answered(incident, findings, another=another):
        return []
    seen = replace(incident, calm=incident.calm + 1)
    if incident.state is State.PENDING:
        ended = replace(seen, state=State.RESOLVED, resolved_at=now, resolved_reason=DID_NOT_LAST)
        return [Transition(incident, ended, "dropped", now, "the next window was calm again")]
    waits = another or any(item.rule is not Rule.EVIDENCE for item in incident.evidence)
    if waits and seen.calm < holding.resolve_after:
        return [Transition(incident, seen, "calm", now, f"{seen.calm} of {holding.resolve_after} calm windows")]
    reason = "accepted as the new normal" if incident.expected and not waits else "calm again"
    reason += " against the new reference" if another else ""
    ended = replace(seen, state=State.RESOLVED, resolved_at=now, resolved_reason=reason)
    detail = reason if not waits else f"{seen.calm} calm windows in a row, the last one until {iso(window.end)}"
    return [Transition(incident, ended, "resolved", now, detail)]


def _answered(incident: Incident, findings: Sequence[Finding], *, another: bool) -> bool:
    """Whether every check that showed the incident would show it in this window too, and does not.

    ``another`` says that it is judged against another reference than the one that showed it.
    """
    now = findings if isinstance(findings, Findings) else Findings(map(Draft.of, findings))
    return all(_calmed(item, now.get(item.column, item.check), another=another) for item in incident.evidence)


def _calmed(shown: Evidence, finding: Finding | None, *, another: bool) -> bool:
    if finding is None:
        return another  # the new version has no such column
    if finding.verdict in (Verdict.BREACH, Verdict.FAILED):
        return False
    # An open alarm breaches in every window that is judged, however blind it is: one that does not is over. Against
    # another reference there was no alarm yet: there it takes sight.
    over = shown.rule is Rule.EVIDENCE and finding.evidence is not None and not another
    if finding.verdict is Verdict.PASS or over:
        return True
    # Too blind for small changes, but not for the one that the incident is about.
    seen, limit = shown.effect, finding.minimum_detectable
    return seen is not None and limit is not None and limit <= abs(seen)
