"""Findings from evidence: one for every column and check that evidence is gathered on, in words and native units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import ceil, isfinite
from typing import Any

import numpy as np

from checks.bets import speaks
from checks.catalogue import EvidenceCheck
from checks.comparing import refusal
from checks.detectable import Detectable, blind, detectable
from checks.evidence import Block
from checks.lasting import Estimate
from checks.measurement import Z_CONFIDENCE
from checks.native import told
from checks.profile import Column, Profile
from checks.season import Array
from monitor.core.alarms import Watched, by_key
from monitor.core.finding import Draft, Finding, Findings, Rule, Verdict
from monitor.core.judge import kind_of
from monitor.core.measuring import Question
from monitor.core.memory import Alarm
from monitor.core.reference import Reference
from monitor.core.sight import noticed, share_moved
from monitor.core.signal import DAYS_TO_NOTICE, Signal
from monitor.core.window import Window
from monitor.core.wording import moment

CRITICAL = 1.2  # "very large" (Sawilowsky 2009): a change of which the whole interval lies beyond is critical


@dataclass(frozen=True, eq=False)
class _Scene:
    """Everything that findings of one window share; arrays of shape (components,)."""

    model: str
    window: Window
    reference: Reference
    profile: Profile
    signal: Signal
    watched: Watched
    alarms: Mapping[tuple[str, str], Alarm]

    @property
    def rows(self) -> Array:
        """Rows of a block of the coarsest scale, if all windows were like this one."""
        return self.watched.block.rows * max(1.0, self.signal.rhythm.a_day)

    @cached_property
    def visible(self) -> Detectable:
        """What would have been noticed."""
        return detectable(self.signal.detector, self.rows, self.signal.costs, self.signal.blocks_in())

    @cached_property
    def numbers(self) -> "_Numbers":
        """Departures in the units of the checks."""
        return _numbers(self.signal, self.watched, self.visible)

    @cached_property
    def before(self) -> Mapping[str, Column]:
        """The reference's columns."""
        return {
            name: Column(name, bins, self.reference.profile.columns[name]) for name, bins in self.reference.bins.items()
        }

    def now(self, name: str) -> Column:
        """Return one of the window's columns."""
        return Column(name, self.reference.bins[name], self.profile.columns[name])


@dataclass(frozen=True, slots=True)
class _Numbers:
    """By component: the window's effect with its interval and what would be noticed, in the check's unit, and more."""

    rows: list[float]
    statistic: list[float]
    effect: list[float]
    low: list[float]
    high: list[float]
    pvalue: list[float]
    threshold: list[float]
    visible: list[float]
    evidence: list[float]
    expected: list[float]


def _numbers(signal: Signal, watched: Watched, visible: Detectable) -> _Numbers:
    from scipy.special import stdtr

    block, scored = watched.block, signal.detector.tracks.scored

    def unit(effect: Array) -> list[float]:
        return np.where(scored, effect, share_moved(effect, block.expected)).tolist()  # type: ignore[no-any-return]

    statistic, reach = block.departure / block.error, Z_CONFIDENCE * block.error
    return _Numbers(
        block.rows.tolist(),
        statistic.tolist(),
        unit(block.departure),
        unit(block.departure - reach),
        unit(block.departure + reach),
        (2 * stdtr(signal.detector.scales[0].calibration.freedom, -np.abs(statistic))).tolist(),
        unit(signal.detector.scales[-1].calibration.tolerance),
        np.abs(unit(visible.effect)).tolist(),
        watched.evidence.tolist(),
        block.expected.tolist(),
    )


def evidence_findings(
    model: str,
    window: Window,
    reference: Reference,
    profile: Profile,
    asked: Sequence[Question],
    signal: Signal,
    watched: Watched,
) -> Findings:
    """Return a finding for every question that evidence is gathered on."""
    scene = _Scene(model, window, reference, profile, signal, watched, by_key(watched.memory.alarms))
    wanted = [(question, signal.places.get((question.column, question.planned.name), ())) for question in asked]
    wanted = [item for item in wanted if item[0].rule is Rule.EVIDENCE]
    answers = _answers(scene, [places for _, places in wanted if places])
    return Findings(
        _draft(scene, question, places, next(answers) if places else (True, False)) for question, places in wanted
    )


def _answers(scene: _Scene, asked: Sequence[tuple[int, ...]]) -> Iterator[tuple[bool, bool]]:
    """Yield for each check whether its components have rows to speak of, and whether one is blind.

    Parameters
    ----------
    asked : the components of each check, which stand together.
    """
    if not asked:
        return
    signal = scene.signal
    unseen = blind(signal.detector, scene.rows, signal.costs, signal.blocks_in())
    bounds = np.array([(places[0], places[-1] + 1) for places in asked]).ravel()
    flags = np.stack([speaks(scene.watched.block.rows), unseen], axis=1)
    flags = np.concatenate([flags, np.zeros((1, 2), bool)])  # for bounds that are the end
    yield from np.logical_or.reduceat(flags, bounds)[::2].tolist()


def _draft(scene: _Scene, question: Question, places: tuple[int, ...], answer: tuple[bool, bool]) -> Draft:
    name, check = question.column, question.planned.name
    alarm = scene.alarms.get((name, check)) if places else None
    spoken, lost = answer
    if alarm is not None:
        verdict, write = Verdict.BREACH, partial(_alarmed, scene, question, places, alarm)
    elif not places:
        verdict, write = Verdict.INCONCLUSIVE, partial(_unasked, scene, question)
    elif not spoken:
        verdict, write = Verdict.INCONCLUSIVE, partial(_silent, scene, question, places)
    elif lost:
        verdict, write = Verdict.INCONCLUSIVE, partial(_blind, scene, question, places)
    else:
        verdict, write = Verdict.PASS, partial(_calm, scene, question, places)
    return Draft(name, check, verdict, write)


def _common(scene: _Scene, question: Question) -> dict[str, Any]:
    return {
        "model": scene.model,
        "column": question.column,
        "check": question.planned.name,
        "kind": kind_of(question.planned),
        "window": scene.window,
        "unit": question.check.unit,
        "rule": Rule.EVIDENCE,
        "reference_rows": scene.reference.profile.columns[question.column].present,
    }


def farthest(block: Block, places: Sequence[int]) -> int:
    """Return the component that is farthest off, in its own standard deviations."""
    return max(places, key=lambda place: abs(block.departure[place] / block.error[place]))


def _measured(scene: _Scene, places: Sequence[int], lead: int | None = None) -> dict[str, Any]:
    """Return the window's effect with its interval, in the check's unit; no effect where there were no rows."""
    found = scene.numbers
    lead = max(places, key=lambda place: abs(found.statistic[place])) if lead is None else lead
    always = {"threshold": found.threshold[lead], "rows": int(found.rows[lead]), "evidence": found.evidence[lead]}
    if found.rows[lead] < 1:
        return always
    return always | {
        "statistic": found.statistic[lead],
        "effect": found.effect[lead],
        "effect_ci": (found.low[lead], found.high[lead]),
        "pvalue": found.pvalue[lead],
        "minimum_detectable": max(found.visible[place] for place in places),
    }


def _alarmed(scene: _Scene, question: Question, places: tuple[int, ...], alarm: Alarm) -> Finding:
    return Finding(
        **_common(scene, question),
        **_measured(scene, places, alarm.lead),
        verdict=Verdict.BREACH,
        onset=alarm.onset,
        fresh=alarm.opened == scene.window.end,
        grown=alarm in scene.watched.grown,
        fatal=Estimate(alarm.effect, alarm.low, alarm.high).size > CRITICAL,
        reason=alarm.words,
    )


def _unasked(scene: _Scene, question: Question) -> Finding:
    """Return the finding of a check that has no component: the reference has nothing to compare with."""
    now = scene.now(question.column)
    refused = refusal(scene.before[question.column], now)
    reason = refused.reason if refused else "the reference has too few distinct values"
    common = _common(scene, question)
    return Finding(verdict=Verdict.INCONCLUSIVE, rows=now.profile.present, reason=reason, **common)


def _silent(scene: _Scene, question: Question, places: tuple[int, ...]) -> Finding:
    """Return the finding of too few rows."""
    most = max(scene.numbers.rows[place] for place in places)
    refused = refusal(scene.before[question.column], scene.now(question.column))
    reason = refused.reason if refused else f"{int(most)} rows, fewer than 30"
    later = "; they count with the next window" if most >= 1 else ""
    found = _measured(scene, places)
    return Finding(**_common(scene, question), **found, verdict=Verdict.INCONCLUSIVE, reason=f"{reason}{later}")


def _blind(scene: _Scene, question: Question, places: tuple[int, ...]) -> Finding:
    """Return the finding of a window that would have missed a large change."""
    worst, words = _seen(scene, question, places)
    between = scene.signal.detector.scales[-1].calibration.between
    windows = max(1.0, scene.signal.rhythm.a_day)  # in a block of the coarsest scale
    needed = scene.visible.rows_needed(scene.rows, between)[worst] / windows
    remedy = (
        f"about {ceil(needed):,} rows a window would do"
        if isfinite(needed)
        else "the reference itself varies too much for any number of rows; a longer one would help"
    )
    common, found = _common(scene, question), _measured(scene, places)
    verdict, reason = Verdict.INCONCLUSIVE, f"{words}; {remedy}"
    return Finding(**common, **found, verdict=verdict, reason=reason, detectable=words)


def _calm(scene: _Scene, question: Question, places: tuple[int, ...]) -> Finding:
    _, words = _seen(scene, question, places)
    return Finding(
        **_common(scene, question), **_measured(scene, places), verdict=Verdict.PASS, reason="", detectable=words
    )


def _seen(scene: _Scene, question: Question, places: tuple[int, ...]) -> tuple[int, str]:
    """Return the component that shows least, and what would be noticed of it in words."""
    visible = scene.visible.effect
    worst = max(places, key=lambda place: float(visible[place]))
    days = max(DAYS_TO_NOTICE, 1 / scene.signal.rhythm.a_day)
    component = scene.signal.layout.places[worst].component
    before = scene.before[question.column]
    return worst, noticed(component, float(visible[worst]), scene.numbers.expected[worst], before, days)


def worded(alarm: Alarm, signal: Signal, check: EvidenceCheck, before: Column, since: Column) -> Alarm:
    """Return an alarm with the words that people are told: the change since its onset, in native units."""
    component = signal.layout.places[alarm.lead].component.name
    native = check.native(before, since, component)
    found = Estimate(alarm.effect, alarm.low, alarm.high)
    words = told(native, since.name, found) if native else f"no value of {since.name} is left to compare"
    when = f"since {moment(alarm.onset)}" if alarm.told_at == alarm.opened else "in the last days"
    return replace(alarm, words=f"{words}, {when}")
