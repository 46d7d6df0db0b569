"""The checks of one column as the report shows them: which are drawn over time, and a row of what each said."""

from collections.abc import Sequence
from dataclasses import dataclass

from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.lifecycle import HARD_TO_READ
from monitor.core.wording import plural, printable
from monitor.report.charts import effect_svg
from monitor.report.digest import ColumnDigest, ratio
from monitor.report.model import ReportData
from monitor.report.words import NOTHING, effect_text, interval_text

_CHARTS = 2  # checks that get a chart of their effect over time


@dataclass(frozen=True)
class CheckRow:
    """One check of one column: its latest finding and its worst one; ``rule`` says what its verdicts rest on."""

    name: str
    rule: str
    verdict: str
    words: str
    effect: str
    interval: str
    tolerance: str
    unit: str
    breaches: str
    rows: str
    detectable: str


def effects_over_time(data: ReportData, one: ColumnDigest) -> list[tuple[str, str, str]]:
    """Return name, unit and chart of the checks with the largest effects; of one alone where only one breached.

    Checks that only describe are drawn where nothing judges.
    """
    ranked = _by_size(one)
    ranked = [item for item in ranked if item[1][0].rule is not Rule.DESCRIPTION] or ranked
    loud = [item for item in ranked if any(finding.verdict is Verdict.BREACH for finding in item[1])]
    charts = [
        (name, found[0].unit, effect_svg(found, data.span))
        for name, found in (loud or ranked)[: _CHARTS if len(data.windows) <= 60 else 1]
    ]
    return [chart for chart in charts if chart[2]]


def check_rows(one: ColumnDigest) -> list[CheckRow]:
    """Return a row for every check of a column, the one with the largest breach first."""
    return [_row(name, found) for name, found in _by_size(one)]


def _by_size(one: ColumnDigest) -> list[tuple[str, tuple[Finding, ...]]]:
    """Return the column's checks, the one with the largest breach first."""
    return sorted(one.checks.items(), key=lambda item: max(map(_weight, item[1])), reverse=True)


def _weight(finding: Finding) -> tuple[bool, bool, bool, float]:
    """Rank what judges before what describes, and what people read easily before tails and shapes."""
    judges = finding.rule is not Rule.DESCRIPTION
    breach = finding.verdict is Verdict.BREACH
    return judges, breach, finding.check not in HARD_TO_READ, ratio(finding) or 0.0


def _row(name: str, found: Sequence[Finding]) -> CheckRow:
    worst = max(found, key=_weight)
    describes = worst.rule is Rule.DESCRIPTION
    breaches = sum(finding.verdict is Verdict.BREACH for finding in found)
    visible = [finding.detectable for finding in found if finding.detectable]
    return CheckRow(
        name=name,
        rule=str(worst.rule),
        verdict="describes" if describes else str(Verdict.BREACH if breaches else found[-1].verdict),
        words=printable(worst.reason),
        effect=effect_text(worst.effect, worst.unit),
        interval=interval_text(worst.effect_ci, worst.unit),
        tolerance=effect_text(worst.threshold, worst.unit),
        unit=printable(worst.unit),
        breaches=NOTHING if describes else f"{breaches} of {plural(len(found), 'window')}",
        rows=f"{worst.rows:,} against {worst.reference_rows:,}" if worst.rows else NOTHING,
        detectable=visible[-1].removeprefix("would notice ")
        if visible
        else effect_text(worst.minimum_detectable, worst.unit),
    )
