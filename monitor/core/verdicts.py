"""Findings from evidence: one for every column and check that evidence is gathered on, in words and native units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, isfinite
from typing import Any

import numpy as np

from checks.bets import speaks
from checks.catalogue import EvidenceCheck, gathers_evidence
from checks.comparing import refusal
from checks.detectable import BLIND, Detectable, detectable
from checks.evidence import Block
from checks.lasting import Estimate
from checks.native import told
from checks.profile import Column, Profile
from checks.season import Array
from monitor.core.alarms import Watched, by_key
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.judge import kind_of
from monitor.core.measuring import Planned, planned_for
from monitor.core.memory import Alarm
from monitor.core.reference import Reference
from monitor.core.sight import in_unit, noticed
from monitor.core.signal import DAYS_TO_NOTICE, Signal
from monitor.core.window import Window
from monitor.core.wording import moment

CRITICAL = 1.2  # "very large" (Sawilowsky 2009): a change of which the whole interval lies beyond is critical
UNFIT = (
    "days of its own reference, drawn anew, would raise alarms at any price: longer windows or a longer reference "
    "would make it fit to be judged"
)
NORMAL_QUANTILE = 1.6448536269514722


@dataclass(frozen=True, eq=False)
class _Scene:
    """Everything that findings of one window share; arrays of shape (components,)."""

    model: str
    window: Window
    reference: Reference
    profile: Profile
    signal: Signal
    watched: Watched
    expected: Array
    visible: Detectable
    alarms: Mapping[tuple[str, str], Alarm]


def evidence_findings(
    model: str,
    window: Window,
    reference: Reference,
    profile: Profile,
    plan: Sequence[Planned],
    signal: Signal,
    watched: Watched,
) -> list[Finding]:
    """Return a finding for every column and check that evidence is gathered on."""
    block = watched.block
    a_block = max(1.0, signal.rhythm.a_day)
    scene = _Scene(
        model,
        window,
        reference,
        profile,
        signal,
        watched,
        signal.detector.tracks.values(*signal.layout.observe(profile)) - block.departure,
        detectable(signal.detector, block.rows * a_block, signal.costs, signal.blocks_to_notice),
        by_key((*watched.memory.alarms,)),
    )
    found = []
    for name, bins in reference.bins.items():
        for planned, check in planned_for(name, bins, plan):
            if planned.threshold is None and gathers_evidence(check):
                found.append(_finding(scene, name, planned, check))
    return found


def _finding(scene: _Scene, name: str, planned: Planned, check: EvidenceCheck) -> Finding:
    places = scene.signal.places.get((name, planned.name), ())
    bins = scene.reference.bins[name]
    before = Column(name, bins, scene.reference.profile.columns[name])
    now = Column(name, bins, scene.profile.columns[name])
    common: dict[str, Any] = {
        "model": scene.model,
        "column": name,
        "check": planned.name,
        "kind": kind_of(planned),
        "window": scene.window,
        "unit": check.unit,
        "rule": Rule.EVIDENCE,
        "reference_rows": before.profile.present,
    }
    if not places:
        refused = refusal(before, now)
        reason = refused.reason if refused else "the reference has too few distinct values"
        return Finding(verdict=Verdict.INCONCLUSIVE, rows=now.profile.present, reason=reason, **common)
    alarm = scene.alarms.get((name, planned.name))
    block = scene.watched.block
    lead = alarm.lead if alarm else farthest(block, places)
    numbers = _numbers(scene, lead, places)
    if alarm is not None:
        return Finding(**common, **numbers, **_breach(scene, alarm))
    return Finding(**common, **numbers, **_calm(scene, places, before, now))


def farthest(block: Block, places: Sequence[int]) -> int:
    """Return the component that is farthest off, in its own standard deviations."""
    return max(places, key=lambda place: abs(block.departure[place] / block.error[place]))


def _numbers(scene: _Scene, lead: int, places: Sequence[int]) -> dict[str, Any]:
    """Return the window's effect with its interval, in the check's unit; no effect where there were no rows."""
    block = scene.watched.block
    departure, error = float(block.departure[lead]), float(block.error[lead])
    expected, scored = float(scene.expected[lead]), bool(scene.signal.detector.tracks.scored[lead])
    effect, low, high = (
        in_unit(departure + by * error, expected, scored=scored) for by in (0.0, -NORMAL_QUANTILE, NORMAL_QUANTILE)
    )
    tolerance = float(scene.signal.detector.scales[-1].calibration.tolerance[lead])
    always = {
        "threshold": in_unit(tolerance, expected, scored=scored),
        "rows": int(block.rows[lead]),
        "evidence": float(scene.watched.evidence[lead]),
    }
    if block.rows[lead] < 1:
        return always
    visible = [in_unit(float(scene.visible.effect[p]), float(scene.expected[p]), scored=scored) for p in places]
    return always | {
        "statistic": float(departure / error),
        "effect": effect,
        "effect_ci": (low, high),
        "pvalue": _pvalue(departure / error, float(scene.signal.detector.scales[0].calibration.freedom[lead])),
        "minimum_detectable": max(abs(value) for value in visible),
    }


def _pvalue(standard: float, freedom: float) -> float:
    from scipy.special import stdtr

    return float(2 * stdtr(freedom, -abs(standard)))


def _breach(scene: _Scene, alarm: Alarm) -> dict[str, Any]:
    return {
        "verdict": Verdict.BREACH,
        "onset": alarm.onset,
        "fresh": alarm.opened == scene.window.end,
        "grown": alarm in scene.watched.grown,
        "fatal": Estimate(alarm.effect, alarm.low, alarm.high).size > CRITICAL,
        "reason": alarm.words,
    }


def worded(alarm: Alarm, signal: Signal, check: EvidenceCheck, before: Column, since: Column) -> Alarm:
    """Return an alarm with the words that people are told: the change since its onset, in native units."""
    component = signal.layout.places[alarm.lead].component.name
    native = check.native(before, since, component)
    found = Estimate(alarm.effect, alarm.low, alarm.high)
    words = told(native, since.name, found) if native else f"no value of {since.name} is left to compare"
    when = f"since {moment(alarm.onset)}" if alarm.told_at == alarm.opened else "in the last days"
    return replace(alarm, words=f"{words}, {when}")


def _calm(scene: _Scene, places: Sequence[int], before: Column, now: Column) -> dict[str, Any]:
    rows = scene.watched.block.rows[list(places)]
    visible = scene.visible.effect[list(places)]
    worst = int(np.argmax(visible))
    if not speaks(rows).any():
        refused = refusal(before, now)
        reason = refused.reason if refused else f"{int(rows.max())} rows, fewer than 30"
        later = "; they count with the next window" if rows.max() >= 1 else ""
        return {"verdict": Verdict.INCONCLUSIVE, "reason": f"{reason}{later}"}
    place, days = places[worst], max(DAYS_TO_NOTICE, 1 / scene.signal.rhythm.a_day)
    component = scene.signal.layout.places[place].component
    words = noticed(component, float(visible[worst]), float(scene.expected[place]), before, days)
    if visible[worst] > BLIND:
        between = scene.signal.detector.scales[-1].calibration.between
        windows = max(1.0, scene.signal.rhythm.a_day)  # in a block of the coarsest scale
        needed = scene.visible.rows_needed(scene.watched.block.rows * windows, between)[places[worst]] / windows
        remedy = (
            f"about {ceil(needed):,} rows a window would do"
            if isfinite(needed)
            else "the reference itself varies too much for any number of rows; a longer one would help"
        )
        return {"verdict": Verdict.INCONCLUSIVE, "reason": f"{words}; {remedy}", "detectable": words}
    return {"verdict": Verdict.PASS, "reason": "", "detectable": words}
