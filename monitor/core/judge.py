"""Judges all measurements of a window together, because false alarms are a property of the whole deployment.

A breach needs the lower confidence bound of the effect to lie beyond the tolerance. The bound counts the sampling of
rows and the variation between the reference's own windows, and its level is shared by everything judged in the window
(Bonferroni), so that a window in which nothing changed raises any breach at all with probability ``alpha`` at most.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import ceil, sqrt
from statistics import NormalDist

from checks.measurement import Inconclusive, Measurement
from monitor.core.calibration import Calibration, Variation, assumed
from monitor.core.finding import Finding, IncidentKind, Verdict
from monitor.core.measuring import Failure, Measured
from monitor.core.window import Window

POWER_QUANTILE = NormalDist().inv_cdf(0.9)  # a minimum detectable effect is seen nine times in ten
BLIND_FACTOR = 10.0  # a window that would miss ten times the tolerance says nothing


@dataclass(frozen=True)
class Case:
    """Everything a verdict rests on: what was measured, and how much it varies when nothing is wrong."""

    measured: Measured
    result: Measurement
    variation: Variation
    critical: float

    @property
    def tolerance(self) -> float:
        """Largest effect that is not worth an alert."""
        return self.measured.planned.check.tolerance

    @property
    def error(self) -> float:
        """Standard error of the effect, of rows and between windows."""
        return sqrt(self.result.stderr**2 + self.variation.deviation**2)

    @property
    def lower(self) -> float:
        """Lower confidence bound of the size of the effect."""
        return abs(self.result.effect) - self.variation.bias - self.critical * self.error

    @property
    def minimum_detectable(self) -> float:
        """Smallest effect that this window would have shown, nine times in ten."""
        return self.tolerance + self.variation.bias + (self.critical + POWER_QUANTILE) * self.error

    @property
    def rows_needed(self) -> int | None:
        """Rows with which the window would say something; None where no number of rows would do."""
        room = (BLIND_FACTOR - 1) * self.tolerance - self.variation.bias
        allowed = (room / (self.critical + POWER_QUANTILE)) ** 2 - self.variation.deviation**2
        if room <= 0 or allowed <= 0:
            return None
        return ceil(max(1, self.result.rows) * self.result.stderr**2 / allowed)


def judge(
    model: str, window: Window, measured: Sequence[Measured], calibration: Calibration, alpha: float
) -> list[Finding]:
    """Return a finding for everything measured, in the same order.

    Parameters
    ----------
    alpha : chance that a window in which nothing changed raises any breach, in (0, 0.5).
    """
    judged = sum(isinstance(item.result, Measurement) for item in measured)
    return [_finding(model, window, item, calibration, alpha / max(1, judged)) for item in measured]


@cache
def _critical(alpha: float, blocks: float) -> float:
    """One-sided quantile: Student's where the variation was estimated from blocks, else normal."""
    if not blocks:
        return NormalDist().inv_cdf(1 - alpha)
    from scipy.special import stdtrit

    return float(stdtrit(blocks - 1, 1 - alpha))


def _finding(model: str, window: Window, item: Measured, calibration: Calibration, alpha: float) -> Finding:
    planned, result = item.planned, item.result
    found = partial(
        Finding,
        model=model,
        column=item.column,
        check=planned.name,
        kind=IncidentKind.DRIFT if planned.family == "drift" else IncidentKind.QUALITY,
        window=window,
        unit=planned.check.unit,
        fatal=planned.check.fatal,
    )
    if isinstance(result, Failure):
        return found(verdict=Verdict.FAILED, reason=f"the check failed: {result.reason}")
    found = partial(found, rows=result.rows, reference_rows=result.reference_rows, columns=result.columns)
    if isinstance(result, Inconclusive):
        needed = f"; about {result.rows_needed:,} rows would answer it" if result.rows_needed else ""
        return found(verdict=Verdict.INCONCLUSIVE, reason=result.reason + needed)
    variation = _variation(item, calibration)
    return _concluded(found, Case(item, result, variation, _critical(alpha, variation.blocks)))


def _variation(item: Measured, calibration: Calibration) -> Variation:
    """Return how much the effect varies when nothing is wrong; breaks that are facts are not assumed to vary."""
    if item.column is None:
        return Variation(0.0, 0.0, 0)
    known = calibration.get((item.column, item.planned.name))
    if known is not None:
        return known
    check = item.planned.check
    return Variation(0.0, 0.0, 0) if check.fatal else assumed(check.tolerance)


def _concluded(found: Callable[..., Finding], case: Case) -> Finding:
    result, check, threshold = case.result, case.measured.planned.check, case.measured.planned.threshold
    breach = case.lower > case.tolerance if threshold is None else result.statistic > threshold
    verdict, reason = (Verdict.BREACH if breach else Verdict.PASS), result.words
    if not breach and threshold is None and case.minimum_detectable > BLIND_FACTOR * case.tolerance:
        verdict = Verdict.INCONCLUSIVE
        needed = case.rows_needed
        remedy = f"about {needed:,} rows would do" if needed else "the reference itself varies too much for any number"
        reason = f"this window would only have shown {case.minimum_detectable:.3g} {check.unit}; {remedy}"
    return found(
        verdict=verdict,
        statistic=result.statistic,
        effect=result.effect,
        effect_ci=result.interval,
        pvalue=result.pvalue,
        threshold=case.tolerance if threshold is None else threshold,
        minimum_detectable=case.minimum_detectable,
        reason=reason,
        # Far beyond doubt and tolerance: no second window is needed.
        fatal=breach and (check.fatal or case.lower > BLIND_FACTOR * case.tolerance),
    )
