"""One window, from profiles to findings and the next steps of incidents. The same arguments give the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from checks.diagnosing import Diagnosis, diagnose, group
from checks.profile import Column, Profile, Table, Volume
from monitor.core.calibration import Calibration
from monitor.core.finding import Finding, Verdict
from monitor.core.incident import Incident, Transition
from monitor.core.judge import judge
from monitor.core.lifecycle import Cause, Holding, advance, causes
from monitor.core.measuring import Planned, measure
from monitor.core.reference import Reference
from monitor.core.window import Window

# What a breach of the whole table is called, by check.
TABLE_FAULTS = {
    "row_count": "unusual volume",
    "freshness": "stale log",
    "duplicate_ids": "duplicated rows",
    "new_column": "new columns",
}


@dataclass(frozen=True)
class Subject:
    """What stays the same from window to window of one model."""

    model: str
    reference: Reference
    plan: Sequence[Planned]
    calibration: Calibration
    alpha: float
    holding: Holding


@dataclass(frozen=True)
class Evaluation:
    """What one window showed: its findings, and the breaches gathered by cause."""

    findings: tuple[Finding, ...]
    causes: tuple[Cause, ...]

    def steps(
        self, open_incidents: Sequence[Incident], window: Window, now: datetime, holding: Holding
    ) -> list[Transition]:
        """Return what the window makes of the model's incidents."""
        return advance(open_incidents, self.causes, self.findings, window, now, holding)


def evaluate(subject: Subject, window: Window, profile: Profile, history: tuple[Volume, ...]) -> Evaluation:
    """Judge one window: findings with a diagnosis on those that breach, and their causes."""
    table = Table(profile, window.start.timestamp(), window.end.timestamp(), history)
    reference = subject.reference
    measured = measure(reference.bins, reference.profile, table, subject.plan)
    findings = judge(subject.model, window, measured, subject.calibration, subject.alpha)
    breached = [finding for finding in findings if finding.verdict is Verdict.BREACH]
    names = dict.fromkeys(finding.column for finding in breached if finding.column is not None)
    before = {name: Column(name, reference.bins[name], reference.profile.columns[name]) for name in names}
    now = {name: Column(name, reference.bins[name], profile.columns[name]) for name in names}
    diagnoses = {name: diagnose(before[name], now[name]) for name in names}
    named = [
        replace(finding, diagnosis=_words(finding, diagnoses)) if finding.verdict is Verdict.BREACH else finding
        for finding in findings
    ]
    return Evaluation(tuple(named), tuple(causes(named, group(diagnoses, before, now), TABLE_FAULTS)))


def _words(finding: Finding, diagnoses: Mapping[str, Diagnosis]) -> str:
    if finding.column is None:
        return TABLE_FAULTS.get(finding.check, finding.check.replace("_", " "))
    return diagnoses[finding.column].title
