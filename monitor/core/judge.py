"""Judges everything about a window together, because false alarms are a property of the whole deployment.

Drift and shares are judged by the evidence of their column's account. What one window shows beyond doubt (a column that
is gone, a log that fell silent) needs no second one: such facts share one account's part of the budget. Classical
statistics describe; only where a user sets a threshold on one does it judge, outside of the budget.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from statistics import NormalDist

from checks.measurement import Inconclusive, Measurement
from monitor.core.finding import Finding, IncidentKind, Rule, Verdict
from monitor.core.measuring import Failure, Measured, Planned, rule_of
from monitor.core.window import Window

POWER_QUANTILE = NormalDist().inv_cdf(0.9)  # a minimum detectable effect is seen nine times in ten


def kind_of(planned: Planned) -> IncidentKind:
    """Return the kind of trouble that a check finds."""
    return IncidentKind.DRIFT if planned.family == "drift" else IncidentKind.QUALITY


def judge_measured(
    model: str,
    window: Window,
    measured: Sequence[Measured],
    level: float,
    usual: Mapping[tuple[str, str], float],
) -> list[Finding]:
    """Return a finding for everything that was measured in this window alone, in the same order.

    Parameters
    ----------
    level : chance of a false breach that each fact is allowed.
    usual : by (column, check), the largest effect that the reference's own windows have.
    """
    return [judge(model, window, item, level, usual) for item in measured]


def judge(model: str, window: Window, item: Measured, level: float, usual: Mapping[tuple[str, str], float]) -> Finding:
    """Return the finding of one measurement; see :func:`judge_measured`."""
    return _finding(model, window, item, _critical(level), usual.get((item.column or "", item.planned.name), 0.0))


def described(findings: Mapping[int, Finding], breaching: Collection[str]) -> dict[int, Finding]:
    """Return the descriptions that breach because their column's evidence does."""
    return {
        place: replace(f, verdict=Verdict.BREACH)
        for place, f in findings.items()
        if f.rule is Rule.DESCRIPTION and f.verdict is Verdict.PASS and f.column in breaching
    }


@cache
def _critical(level: float) -> float:
    return NormalDist().inv_cdf(1 - level)


def _finding(model: str, window: Window, item: Measured, critical: float, usual: float) -> Finding:
    planned, result = item.planned, item.result
    rule = rule_of(planned)
    found = partial(
        Finding,
        model=model,
        column=item.column,
        check=planned.name,
        kind=kind_of(planned),
        window=window,
        unit=planned.check.unit,
        rule=rule,
    )
    if isinstance(result, Failure):
        return found(verdict=Verdict.FAILED, reason=f"the check failed: {result.reason}")
    found = partial(found, rows=result.rows, reference_rows=result.reference_rows, columns=result.columns)
    if isinstance(result, Inconclusive):
        needed = f"; about {result.rows_needed:,} rows would answer it" if result.rows_needed else ""
        return found(verdict=Verdict.INCONCLUSIVE, reason=result.reason + needed)
    found = partial(
        found,
        statistic=result.statistic,
        effect=result.effect,
        effect_ci=result.interval,
        pvalue=result.pvalue,
        reason=result.words,
    )
    if rule is Rule.THRESHOLD:
        assert planned.threshold is not None
        breach = result.statistic > planned.threshold
        return found(verdict=Verdict.BREACH if breach else Verdict.PASS, threshold=planned.threshold)
    tolerance = planned.check.tolerance
    if rule is Rule.DESCRIPTION:
        return found(verdict=Verdict.PASS, threshold=tolerance)
    # Beyond what the reference's own windows show: in windows of an hour the hour is always stuck.
    return _fact(found, result, tolerance + usual, critical, fatal=planned.check.fatal)


def _fact(found: "partial[Finding]", result: Measurement, tolerance: float, critical: float, *, fatal: bool) -> Finding:
    """Breach where the effect lies beyond the tolerance beyond doubt."""
    lower = abs(result.effect) - critical * result.stderr
    breach = lower > tolerance
    return found(
        verdict=Verdict.BREACH if breach else Verdict.PASS,
        threshold=tolerance,
        minimum_detectable=tolerance + (critical + POWER_QUANTILE) * result.stderr,
        fatal=breach and fatal,
    )
