"""All findings of a span, put in order: by column, check and window, the worst column first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.core.finding import Finding, Rule, Severity, Verdict
from monitor.core.incident import Incident, State
from monitor.report.model import ReportData

_CEILING = 1e6  # a tolerance of 0 makes any effect infinitely large


@dataclass(frozen=True, slots=True)
class Cell:
    """What all checks of one column say about one window.

    ``ratio`` is the largest effect in tolerances, None where nothing was measured; ``evidence`` what the column's
    account held, as a share of what an alarm costs. ``verdict`` is the one that a person must know: a breach, else a
    failure, else inconclusive where all checks of a kind were, else a pass.
    """

    ratio: float | None
    verdict: Verdict
    evidence: float | None = None


@dataclass(frozen=True)
class ColumnDigest:
    """Everything that was found about one column, or the whole table where ``name`` is None.

    ``cells`` has one entry a window, None where the column was not checked. ``worst`` is the finding to name first: the
    largest breach, else the largest effect; what only describes is named where nothing judges. ``alarm`` is 2 or 1
    while a firing critical or other incident has the column.
    """

    name: str | None
    cells: tuple[Cell | None, ...]
    checks: Mapping[str, tuple[Finding, ...]]
    worst: Finding | None
    breaches: int
    alarm: int = 0

    @property
    def unanswered(self) -> int:
        """Number of windows without an answer."""
        silent = (Verdict.INCONCLUSIVE, Verdict.FAILED)
        return sum(cell is not None and cell.verdict in silent for cell in self.cells)

    @property
    def breaching(self) -> int:
        """Number of windows with a breach."""
        return sum(cell is not None and cell.verdict is Verdict.BREACH for cell in self.cells)

    @property
    def peak(self) -> float:
        """Largest effect in tolerances; 0 where nothing was measured."""
        return ratio(self.worst) or 0.0 if self.worst else 0.0

    @property
    def evidence(self) -> float | None:
        """Most that the account held, as a share of what an alarm costs; None where no evidence is gathered."""
        return max((cell.evidence for cell in self.cells if cell and cell.evidence is not None), default=None)

    @property
    def notable(self) -> bool:
        """Whether anything here deserves a look."""
        return bool(self.breaches or self.unanswered or self.alarm)


def ratio(finding: Finding) -> float | None:
    """Return the size of what is judged in tolerances; a breach is never shown as smaller than 1."""
    value = judged(finding)
    if value is None or not math.isfinite(value):
        return 1.0 if finding.verdict is Verdict.BREACH else None
    size = abs(value)
    if finding.threshold:
        size = min(_CEILING, size / abs(finding.threshold))
    elif size:
        size = _CEILING
    return max(size, 1.0) if finding.verdict is Verdict.BREACH else size


def judged(finding: Finding) -> float | None:
    """Return what the threshold is about: a user's own is on the statistic, any other on the effect."""
    return finding.statistic if finding.rule is Rule.THRESHOLD else finding.effect


def judging(findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return the findings that judge, without those that only describe; all where none judges."""
    return [finding for finding in findings if finding.rule is not Rule.DESCRIPTION] or findings


def digest(data: ReportData) -> list[ColumnDigest]:
    """Return every watched column, worst first: in open incidents, then by breaches, then by evidence."""
    places = {line.window.start: place for place, line in enumerate(data.windows)}
    by_column: dict[str | None, list[Finding]] = {name: [] for name in data.reference.bins}
    for finding in data.findings:
        if finding.window.start in places:
            by_column.setdefault(finding.column, []).append(finding)
    alarms = _alarms(data.incidents)
    digests = [_column(name, found, places, alarms.get(name, 0)) for name, found in by_column.items()]
    return sorted(digests, key=_rank)


def _rank(one: ColumnDigest) -> tuple[int, bool, float, int, str]:
    size = one.peak if one.breaches else one.evidence or 0.0
    return -one.alarm, one.breaches == 0, -size, -one.unanswered, one.name or ""


def _alarms(incidents: Sequence[Incident]) -> dict[str | None, int]:
    alarms: dict[str | None, int] = {}
    for incident in incidents:
        if incident.state is State.FIRING:
            level = 2 if incident.severity is Severity.CRITICAL else 1
            for name in incident.columns or (None,):
                alarms[name] = max(level, alarms.get(name, 0))
    return alarms


def _column(name: str | None, found: Sequence[Finding], places: Mapping[datetime, int], alarm: int) -> ColumnDigest:
    by_place: list[list[tuple[Finding, float | None]]] = [[] for _ in places]
    by_check: dict[str, list[Finding]] = {}
    worst, peak, breaches = None, (False, -1.0), 0
    for finding in found:
        by_check.setdefault(finding.check, []).append(finding)
    for finding in judging(found):
        size = ratio(finding)
        by_place[places[finding.window.start]].append((finding, size))
        breach = finding.verdict is Verdict.BREACH
        breaches += breach
        if size is not None and (breach, size) > peak:
            worst, peak = finding, (breach, size)
    return ColumnDigest(
        name=name,
        cells=tuple(_cell(pairs) if pairs else None for pairs in by_place),
        checks={check: tuple(sorted(own, key=lambda f: f.window.start)) for check, own in by_check.items()},
        worst=worst,
        breaches=breaches,
        alarm=alarm,
    )


def _cell(pairs: Sequence[tuple[Finding, float | None]]) -> Cell:
    sizes = [size for _, size in pairs if size is not None]
    verdicts = {finding.verdict for finding, _ in pairs}
    answered = {finding.kind for finding, _ in pairs if finding.verdict is Verdict.PASS}
    if Verdict.BREACH in verdicts:
        verdict = Verdict.BREACH
    elif Verdict.FAILED in verdicts:
        verdict = Verdict.FAILED
    elif any(finding.kind not in answered for finding, _ in pairs):
        verdict = Verdict.INCONCLUSIVE
    else:
        verdict = Verdict.PASS
    held = max((finding.evidence for finding, _ in pairs if finding.evidence is not None), default=None)
    return Cell(max(sizes, default=None), verdict, held)
