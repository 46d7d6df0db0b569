"""Incidents: one cause that concerns one model, from its first window to its last. A pure state machine."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.core.finding import IncidentKind, Rule, Severity
from monitor.core.window import iso

DID_NOT_LAST = "did not last"
UNREFERENCED = "unreferenced"  # the fault of an incident that says that a version has no reference of its own
WORSE_VERSION = "worse_version"  # the fault of an incident that says that a new version is worse than the former one


class State(StrEnum):
    """pending (held for some windows) → firing → resolved."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one column shows in an incident's latest breaching window, in words for people."""

    column: str | None
    check: str
    words: str
    effect: float | None
    effect_ci: tuple[float, float] | None
    threshold: float | None
    unit: str
    diagnosis: str | None = None
    rule: Rule = Rule.FACT


@dataclass(frozen=True, slots=True)
class Incident:
    """A snapshot of an incident; every change makes a new one.

    ``fault`` is the diagnosis's key, which with model and kind tells incidents apart; ``diagnosis`` says it in words.
    ``onset`` is the start of the first window of the unbroken run of breaches, ``opened_at`` when it was first seen.
    ``windows`` counts breaching windows, ``calm`` the windows since the last of them. ``expected_until`` is set while a
    person has declared the change expected, ``silenced_until`` while notices are held back. ``reference`` is the
    id of the snapshot that its evidence was found against.
    """

    id: str
    model: str
    kind: IncidentKind
    fault: str
    state: State
    severity: Severity
    columns: tuple[str, ...]
    diagnosis: str
    summary: str
    opened_at: datetime
    onset: datetime
    last_window_end: datetime
    windows: int = 1
    calm: int = 0
    resolved_at: datetime | None = None
    resolved_reason: str | None = None
    acknowledged_by: str | None = None
    silenced_until: datetime | None = None
    expected: bool = False
    evidence: tuple[Evidence, ...] = ()
    pipeline: bool | None = None
    retrains: tuple[str, ...] = ()
    reference: str | None = None

    @property
    def told(self) -> bool:
        """Whether people are told of it: what ends while it still waits for a second window is not."""
        return self.resolved_reason != DID_NOT_LAST

    def as_json(self) -> dict[str, Any]:
        """Return the contract's JSON object."""
        return {
            "id": self.id,
            "model": self.model,
            "state": str(self.state),
            "severity": str(self.severity),
            "kind": str(self.kind),
            "fault": self.fault,
            "columns": list(self.columns),
            "diagnosis": self.diagnosis,
            "summary": self.summary,
            "opened_at": iso(self.opened_at),
            "onset": iso(self.onset),
            "resolved_at": iso(self.resolved_at) if self.resolved_at else None,
            "resolved_reason": self.resolved_reason,
            "windows": self.windows,
            "acknowledged_by": self.acknowledged_by,
            "silenced_until": iso(self.silenced_until) if self.silenced_until else None,
            "expected": self.expected,
            "pipeline": self.pipeline,
            "evidence": [
                {
                    "column": item.column,
                    "check": item.check,
                    "words": item.words,
                    "effect": item.effect,
                    "effect_ci": list(item.effect_ci) if item.effect_ci else None,
                    "threshold": item.threshold,
                    "unit": item.unit,
                    "diagnosis": item.diagnosis,
                    "rule": str(item.rule),
                }
                for item in self.evidence
            ],
            "retrains": list(self.retrains),
            "reference": self.reference,
        }


class Reason(StrEnum):
    """Why a notice is sent (after Alertmanager's dedup stage): every notice has exactly one."""

    FIRST = "first notification"
    COLUMNS = "new columns in the incident"
    SEVERITY = "severity raised"
    WORSE = "the change has grown"
    RESOLVED = "resolved"
    REPEAT = "repeat interval elapsed"
    PERSON = "a person acted"
    RETRAIN = "retraining"
    ROLLBACK = "rolling back"
    REVISED = "late rows revised a window"
    PROOF = "whether the new version helped"


@dataclass(frozen=True, slots=True)
class Transition:
    """One step of an incident: what it was (None when new), what it is, and which event it was."""

    before: Incident | None
    after: Incident
    event: str
    at: datetime
    detail: str = ""
    actor: str = "monitor"
