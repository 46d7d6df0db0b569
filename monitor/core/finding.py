"""Findings: what was concluded about one column, by one check, in one window."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.core.window import Window, iso


class Verdict(StrEnum):
    """Outcome of a check. Only ``pass`` reads as calm."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    BREACH = "breach"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


class Rule(StrEnum):
    """What a verdict rests on."""

    EVIDENCE = "evidence"  # gathered from window to window, within the budget of false alarms
    FACT = "fact"  # this window alone is beyond doubt
    THRESHOLD = "threshold"  # a user's own, outside of the budget
    DESCRIPTION = "description"  # a classical statistic; the evidence of its column decides


class IncidentKind(StrEnum):
    """What kind of trouble an incident is."""

    DRIFT = "drift"
    QUALITY = "quality"
    PERFORMANCE = "performance"
    OPERATIONS = "operations"


class Severity(StrEnum):
    """How soon a person should look."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict with everything needed to explain it. Effects are in ``unit``; None where nothing was measured.

    ``column`` is None for a check of the whole table. ``threshold`` is the tolerance on the effect, or the user's own
    threshold on the statistic. ``minimum_detectable`` is the smallest lasting effect that would be noticed within a
    week of such windows, ``detectable`` the same in native units; for a fact it is what this window would have shown.
    ``evidence`` is what the column's account holds, as a share of what an alarm costs. ``onset`` is when a change
    began, ``fresh`` whether its alarm opened in this window, ``grown`` whether it has just become much larger than what
    people were told.
    """

    model: str
    column: str | None
    check: str
    kind: IncidentKind
    window: Window
    verdict: Verdict
    statistic: float | None = None
    effect: float | None = None
    effect_ci: tuple[float, float] | None = None
    unit: str = ""
    pvalue: float | None = None
    threshold: float | None = None
    minimum_detectable: float | None = None
    rows: int = 0
    reference_rows: int = 0
    reason: str = ""
    diagnosis: str | None = None
    fatal: bool = False
    columns: tuple[str, ...] = ()
    rule: Rule = Rule.FACT
    evidence: float | None = None
    onset: datetime | None = None
    fresh: bool = False
    grown: bool = False
    detectable: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the contract's JSON object."""
        return {
            "model": self.model,
            "column": self.column,
            "check": self.check,
            "kind": str(self.kind),
            "window": {"start": iso(self.window.start), "end": iso(self.window.end)},
            "verdict": str(self.verdict),
            "statistic": self.statistic,
            "effect": self.effect,
            "effect_ci": list(self.effect_ci) if self.effect_ci else None,
            "unit": self.unit,
            "pvalue": self.pvalue,
            "threshold": self.threshold,
            "minimum_detectable": self.minimum_detectable,
            "rows": self.rows,
            "reference_rows": self.reference_rows,
            "reason": self.reason,
            "diagnosis": self.diagnosis,
            "columns": list(self.columns),
            "rule": str(self.rule),
            "evidence": self.evidence,
            "onset": iso(self.onset) if self.onset else None,
            "detectable": self.detectable or None,
        }


def summary_of(findings: "list[Finding]") -> Mapping[str, int]:
    """Return how many findings have each verdict."""
    return {str(verdict): sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
