"""Findings: what was concluded about one column, by one check, in one window."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, overload

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


@dataclass(slots=True, eq=False)
class Draft:
    """A finding that is worked out and put into words when somebody reads it.

    Parameters
    ----------
    verdict : of the finding; None where it takes the writing to tell. It is no breach then.
    write : returns the finding.
    """

    column: str | None
    check: str
    verdict: Verdict | None
    write: Callable[[], Finding]

    @classmethod
    def of(cls, finding: Finding) -> "Draft":
        """Return a finding that needs no more work."""
        return cls(finding.column, finding.check, finding.verdict, lambda: finding)


class Findings(Sequence[Finding]):
    """The findings of one window, in order. Most of them are calm, and a backtest reads none of those."""

    def __init__(self, drafts: Iterable[Draft]) -> None:
        self._drafts = list(drafts)
        self._written: dict[int, Finding] = {}

    def __len__(self) -> int:
        return len(self._drafts)

    @overload
    def __getitem__(self, place: int) -> Finding: ...

    @overload
    def __getitem__(self, place: slice) -> "Findings": ...

    def __getitem__(self, place: int | slice) -> "Finding | Findings":
        """Return a finding, written once, or some of them."""
        if isinstance(place, slice):
            return Findings(self._drafts[place])
        number = range(len(self))[place]
        if number not in self._written:
            self._written[number] = self._drafts[number].write()
        return self._written[number]

    def drafts(self) -> Iterator[Draft]:
        """Yield the findings as they are, in words or not."""
        yield from self._drafts

    def get(self, column: str | None, check: str) -> Finding | None:
        """Return the finding of a check; None where there is none."""
        places = [number for number, draft in enumerate(self._drafts) if (draft.column, draft.check) == (column, check)]
        return self[places[-1]] if places else None

    def breaches(self) -> dict[int, Finding]:
        """Return the findings that breach, by their place."""
        return {number: self[number] for number, draft in enumerate(self._drafts) if draft.verdict is Verdict.BREACH}

    def of_table(self) -> dict[int, Finding]:
        """Return the findings about the whole table, by their place."""
        return {number: self[number] for number, draft in enumerate(self._drafts) if draft.column is None}

    def undecided(self, columns: Collection[str]) -> dict[int, Finding]:
        """Return the findings about some columns whose verdict only now is told, by their place."""
        return {
            number: self[number]
            for number, draft in enumerate(self._drafts)
            if draft.verdict is None and draft.column in columns
        }

    def replaced(self, changed: Mapping[int, Finding]) -> "Findings":
        """Return the findings with other ones in some places."""
        found = Findings(self._drafts)
        found._written = {**self._written, **changed}
        for number, finding in changed.items():
            found._drafts[number] = Draft.of(finding)
        return found

    def counts(self) -> Mapping[str, int]:
        """Return how many findings have each verdict."""
        found = Counter(draft.verdict or self[number].verdict for number, draft in enumerate(self._drafts))
        return {str(verdict): found[verdict] for verdict in Verdict}


def breaches(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that breach."""
    if isinstance(findings, Findings):
        return list(findings.breaches().values())
    return [finding for finding in findings if finding.verdict is Verdict.BREACH]


def summary_of(findings: Sequence[Finding]) -> Mapping[str, int]:
    """Return how many findings have each verdict."""
    if isinstance(findings, Findings):
        return findings.counts()
    return {str(verdict): sum(finding.verdict is verdict for finding in findings) for verdict in Verdict}
