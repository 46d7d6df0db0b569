"""Whether predictions have become better or worse: one measure before and after, on different rows."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import hypot, isfinite
from statistics import NormalDist
from typing import Literal

from checks.performance import Performance

Verdict = Literal["better", "worse", "no difference seen", "unclear"]

FEWEST_ROWS = 100  # labelled, on either side
WIDEST = 0.1  # of an interval for a difference of areas or shares that still says "no difference"
WIDEST_OF_LOSS = 0.25  # the same for a loss, as a share of the loss before


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a measure: after minus before, with a 95% interval.

    Parameters
    ----------
    difference, low, high : in the metric's own unit; all 0 where nothing could be compared.
    reason : why it is ``unclear``; empty otherwise.
    """

    metric: str
    difference: float
    low: float
    high: float
    verdict: Verdict
    reason: str = ""


def shared(before: Iterable[Performance], after: Iterable[Performance]) -> tuple[Performance, Performance] | None:
    """Return the first measure that both sides have; None where they have none in common."""
    later = {item.metric: item for item in after}
    return next(((item, later[item.metric]) for item in before if item.metric in later), None)


def compare(before: Performance, after: Performance, looks: int = 1) -> Change:
    """Return how a measure has changed between two independent sets of rows.

    Parameters
    ----------
    looks : how often it is compared while labels come in; the interval then holds at every one of them with 95%
        (Bonferroni: each look has its part of the 5%).

    The interval is that of Newcombe (1998, Statistics in Medicine 17, method 10) for two shares, which Zou & Donner
    (2008, Statistics in Medicine 27) extend to any two intervals: for symmetric ones it is the normal interval with
    both variances.
    """
    if before.metric != after.metric:
        return Change(after.metric, 0.0, 0.0, 0.0, "unclear", f"before it was measured by {before.metric}")
    difference, wider = after.value - before.value, _quantile(looks) / _quantile(1)
    low = difference - wider * hypot(after.value - after.low, before.high - before.value)
    high = difference + wider * hypot(after.high - after.value, before.value - before.low)
    if not (isfinite(difference) and isfinite(low) and isfinite(high)):
        return Change(after.metric, 0.0, 0.0, 0.0, "unclear", "the labels or the predictions are too large to compare")
    change = Change(after.metric, difference, low, high, "no difference seen")
    fewest = min(before.rows, after.rows)
    if fewest < FEWEST_ROWS:
        side = "before" if before.rows == fewest else "after"
        return replace(change, verdict="unclear", reason=f"{fewest} labelled rows {side}; {FEWEST_ROWS} are needed")
    if low > 0 or high < 0:
        return replace(change, verdict="better" if (low > 0) == after.higher_is_better else "worse")
    widest = WIDEST if after.higher_is_better else WIDEST_OF_LOSS * before.value
    if high - low > widest:
        reason = f"the difference lies between {low:+.3g} and {high:+.3g}; more labels would say"
        return replace(change, verdict="unclear", reason=reason)
    return change


def _quantile(looks: int) -> float:
    """Return how many standard errors an interval reaches to either side where the 5% are shared by some looks."""
    return NormalDist().inv_cdf(1 - 0.025 / looks)
