"""From the results of many logs to figures: every rule at its default, and tuned by an oracle to the same budget."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.signal.alarms import (
    BUDGET,
    Alert,
    Detection,
    Figures,
    NullFigures,
    alerts_of,
    detection,
    figures,
    null_figures,
    oracle_threshold,
    per_30_days,
)
from benchmarks.signal.changes import CHANGES
from benchmarks.signal.runs import contestants
from benchmarks.signal.suite import LADDER, OURS, STRICT, Outcome, Result

TUNED = "Leeway, tuned"
OWN = (OURS, STRICT, TUNED)
CATASTROPHIC = frozenset(change.name for change in CHANGES if change.catastrophic)


@dataclass(frozen=True, eq=False)
class Standing:
    """One world's figures.

    Parameters
    ----------
    nulls : by rule at its default, ours in both modes and without its parts.
    tuned : by change and rule; peers tuned by an oracle, ours as it is set up, strict and tuned.
    default : by change; peers at their defaults, ours as it is set up.
    threshold : what the audits made of the strict threshold, the median of the repetitions.
    """

    nulls: Mapping[str, NullFigures]
    tuned: Mapping[str, Mapping[str, Figures]]
    default: Mapping[str, Mapping[str, Figures]]
    threshold: float


def by_title(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Return results by world."""
    found: dict[str, list[Result]] = {}
    for result in results:
        found.setdefault(result.title, []).append(result)
    return found


def standing(results: Sequence[Result]) -> Standing:
    """Summarise the repetitions of one world."""
    thresholds = _oracle(results)
    tuned, default = {}, {}
    for change in dict.fromkeys(outcome.change for result in results for outcome in result.outcomes):
        pairs = [(r, o) for r in results for o in r.outcomes if o.change == change]
        own = {rule: _figures(pairs, rule, None) for rule in (OURS, STRICT)}
        rung = _rung(results)
        own[TUNED] = figures([_detected(r, o, o.ladder[rung]) for r, o in pairs])
        titles = {name: contestant.title for name, contestant in contestants().items()}
        tuned[change] = own | {titles[name]: _figures(pairs, name, limit) for name, limit in thresholds.items()}
        default[change] = own | {titles[name]: _figures(pairs, name, _default(name, results[0])) for name in thresholds}
    relaxed = float(np.median([result.relaxed for result in results]))
    return Standing(_nulls(results), tuned, default, relaxed)


def _nulls(results: Sequence[Result]) -> dict[str, NullFigures]:
    found = {}
    for rule in dict.fromkeys(rule for result in results for rule in result.ours):
        found[rule] = null_figures([_rate(r, r.ours[rule]) for r in results if rule in r.ours])
    for name, contestant in contestants().items():
        mine = [result for result in results if name in result.scores]
        if mine:
            limit = _default(name, mine[0])
            rates = [_rate(result, alerts_of(result.scores[name], limit, result.columns)) for result in mine]
            found[contestant.title] = null_figures(rates)
    return found


def _rate(result: Result, alerts: Iterable[Alert]) -> float:
    return per_30_days(alerts, result.windows, result.per_day)


def _default(name: str, result: Result) -> float:
    return contestants()[name].rule.threshold(len(result.columns), 30.0 * result.per_day)


def _oracle(results: Sequence[Result]) -> dict[str, float]:
    """Return every peer's threshold that keeps to the budget on these very logs."""
    mine = [result for result in results if result.scores]
    return {
        name: oracle_threshold([result.scores[name] for result in mine], mine[0].per_day)
        for name in (mine[0].scores if mine else ())
    }


def _rung(results: Sequence[Result]) -> int:
    """Return the place of our lowest threshold that, like all above it, keeps to the budget on these very logs."""
    rates = np.array([[_rate(result, alerts) for alerts in result.ladder] for result in results]).mean(axis=0)
    over = np.flatnonzero(rates > BUDGET)
    return min(int(over[-1]) + 1, len(LADDER) - 1) if over.size else 0


def _figures(pairs: Sequence[tuple[Result, Outcome]], rule: str, limit: float | None) -> Figures:
    """Summarise one rule's detections; ours where there is no threshold to set."""
    if limit is None:
        return figures([_detected(result, outcome, outcome.ours[rule]) for result, outcome in pairs])
    found = []
    for result, outcome in pairs:
        scores = result.scores[rule].copy()
        scores[:, [result.columns.index(name) for name in outcome.columns]] = outcome.scores[rule]
        found.append(_detected(result, outcome, alerts_of(scores, limit, result.columns)))
    return figures(found)


def _detected(result: Result, outcome: Outcome, alerts: Iterable[Alert]) -> Detection:
    return detection(alerts, outcome.columns, outcome.onset, result.per_day)


def _found(results: Iterable[Result], rule: str) -> list[tuple[Result, Outcome, Detection]]:
    return [
        (result, outcome, _detected(result, outcome, outcome.ours[rule]))
        for result in results
        for outcome in result.outcomes
    ]


def in_one_window(results: Iterable[Result]) -> dict[str, tuple[int, int]]:
    """Return of each catastrophic change how often its first window showed it, and in how many runs."""
    found: dict[str, tuple[int, int]] = {}
    for result, outcome, detected in _found(results, OURS):
        if outcome.change in CATASTROPHIC:
            hits, runs = found.get(outcome.change, (0, 0))
            found[outcome.change] = hits + (detected.delay * result.per_day <= 1), runs + 1
    return found


def precision(results: Iterable[Result]) -> float:
    """Return the share of the columns named after a change that had changed."""
    detected = [found for _, _, found in _found(results, OURS)]
    named = sum(found.named for found in detected)
    return sum(found.right for found in detected) / named if named else 1.0
