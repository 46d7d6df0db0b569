"""One window, from profiles to findings and the next steps of incidents. Pure: the same arguments give the same answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from checks.diagnosing import Diagnosis, diagnose, group

from checks.profile import Column, Profile, Table, Volume
from monitor.core.calibration import Calibration
from monitor.core.finding import Finding, Verdict
from monitor.core.incident import Incident, Transition
from monitor.core.judge import judge
from monitor.core.lifecycle import Holding, advance, causes
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
    """What one window showed, and what it makes of the incidents."""

    findings: tuple[Finding, ...]
    steps: tuple[Transition, ...]


def find(subject: Subject, window: Window, profile: Profile, history: tuple[Volume, ...]) -> list[Finding]:
    """Return every finding of a window, with a diagnosis on those that breach."""
    table = Table(profile, window.start.timestamp(), window.end.timestamp(), history)
    measured = measure(subject.reference.bins, subject.reference.profile, table, subject.plan)
    findings = judge(subject.model, window, measured, subject.calibration, subject.alpha)
    diagnoses = diagnosed(subject.reference, profile, findings)
    return [
        replace(finding, diagnosis=_words(finding, diagnoses)) if finding.verdict is Verdict.BREACH else finding
        for finding in findings
    ]


def diagnosed(reference: Reference, profile: Profile, findings: Sequence[Finding]) -> dict[str, Diagnosis]:
    """Return the diagnosis of every column with a breach."""
    names = dict.fromkeys(
        finding.column for finding in findings if finding.verdict is Verdict.BREACH and finding.column is not None
    )
    return {
        name: diagnose(
            Column(name, reference.bins[name], reference.profile.columns[name]),
            Column(name, reference.bins[name], profile.columns[name]),
        )
        for name in names
    }


def _words(finding: Finding, diagnoses: Mapping[str, Diagnosis]) -> str:
    if finding.column is None:
        return TABLE_FAULTS.get(finding.check, finding.check.replace("_", " "))
    return diagnoses[finding.column].title


def evaluate(
    subject: Subject,
    window: Window,
    profile: Profile,
    history: tuple[Volume, ...],
    open_incidents: Sequence[Incident],
    now: datetime,
) -> Evaluation:
    """Judge one window and move the model's incidents on."""
    findings = find(subject, window, profile, history)
    groups = group(diagnosed(subject.reference, profile, findings))
    found = causes(findings, groups, TABLE_FAULTS)
    steps = advance(open_incidents, found, findings, window, now, subject.holding)
    return Evaluation(tuple(findings), tuple(steps))
