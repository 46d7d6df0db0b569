"""One window, from profiles to findings and the next steps of incidents. The same arguments give the same answer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property, partial, reduce
from operator import add

from checks.catalogue import gathers_evidence, measures_columns, sees_nothing
from checks.diagnosing import Diagnosis, Group, by_onset, diagnose, group
from checks.profile import Column, ColumnProfile, Profile, Table, Volume
from monitor.core.alarms import UNDECIDED, Decided, Past, Watched, watch
from monitor.core.finding import Draft, Finding, Findings, Rule, Verdict, breaches
from monitor.core.incident import Incident, Transition
from monitor.core.judge import described, judge, judge_measured
from monitor.core.lifecycle import Cause, Holding, advance, causes, table_title
from monitor.core.measuring import (
    Measured,
    Planned,
    Question,
    measure,
    measure_table,
    measured,
    planned_for,
    questions,
    rule_of,
)
from monitor.core.memory import Alarm, Memory
from monitor.core.reference import Reference
from monitor.core.signal import Signal
from monitor.core.table_faults import table_faults
from monitor.core.verdicts import evidence_findings, worded
from monitor.core.window import Window

LATEST = timedelta(days=3)
TOGETHER, TOGETHER_WINDOWS = timedelta(days=3), 3  # what begins further apart has not one cause


@dataclass(frozen=True)
class Subject:
    """What stays the same from window to window of one model."""

    model: str
    reference: Reference
    plan: Sequence[Planned]
    signal: Signal
    holding: Holding

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """What is asked of the columns in every window."""
        return questions(self.reference.bins, self.plan)

    @cached_property
    def facts(self) -> int:
        """How many facts are looked for in every window."""
        of_table = sum(rule_of(planned) is Rule.FACT and not measures_columns(planned.check) for planned in self.plan)
        return of_table + sum(question.rule is Rule.FACT for question in self.questions)

    @cached_property
    def muted(self) -> frozenset[str]:
        """Columns of importance 0: recorded, never told."""
        return frozenset(name for name, weight in (self.signal.terms.importance or {}).items() if weight == 0)

    def start(self) -> Memory:
        """Return what is known before the first window: nothing."""
        return Memory(self.signal.detector.start())


@dataclass(frozen=True)
class Evaluation:
    """What one window showed: its findings, the breaches gathered by cause, and the evidence after it.

    ``reference`` is the id of the snapshot that it was judged against.
    """

    findings: Sequence[Finding]
    causes: tuple[Cause, ...]
    memory: Memory
    reference: str

    def steps(
        self, open_incidents: Sequence[Incident], window: Window, now: datetime, holding: Holding
    ) -> list[Transition]:
        """Return what the window makes of the model's incidents."""
        return advance(open_incidents, self.causes, self.findings, window, now, holding, self.reference)


def evaluate(
    subject: Subject,
    memory: Memory,
    window: Window,
    profile: Profile,
    history: tuple[Volume, ...],
    past: Past,
    decided: Decided = UNDECIDED,
) -> Evaluation:
    """Judge one window: findings with a diagnosis on those that breach, and their causes.

    Parameters
    ----------
    memory : evidence and open alarms before the window.
    past, decided : see :func:`monitor.core.alarms.watch`.
    """
    excluded = subject.signal.rhythm.calendar.excluded(window)
    if excluded is not None:
        return Evaluation(tuple(_left_out(subject, window, profile, excluded)), (), memory, subject.reference.id)
    seen = watch(subject.signal, memory, window, profile, past, decided)
    since = _since(seen, window, profile, past)
    seen = _worded(subject, seen, since)
    drafted = Findings([*_evidence(subject, window, profile, seen), *_measured(subject, window, profile, history)])
    findings, tables = table_faults(drafted, window, profile, history, past, subject.reference.bins)
    before, now = _columns(subject, breaches(findings), since, profile)
    diagnoses = _diagnosed(seen, breaches(findings), before, now)
    seen = _remembered(seen, diagnoses)
    sure = {f.column for f in breaches(findings) if f.rule is Rule.EVIDENCE and f.column is not None}
    breached = findings.breaches() | described(findings.undecided(sure), sure)
    named = {place: replace(f, diagnosis=_words(f, diagnoses, tables)) for place, f in sorted(breached.items())}
    groups = [
        found
        for together in _together(list(named.values()), window)
        for found in group({name: diagnoses[name] for name in together if name in diagnoses}, before, now)
    ]
    told = [f for f in named.values() if f.column is None or f.column not in subject.muted]
    return Evaluation(findings.replaced(named), tuple(causes(told, groups, tables)), seen.memory, subject.reference.id)


def _columns(
    subject: Subject, breached: Sequence[Finding], since: Mapping[tuple[str, str], ColumnProfile], profile: Profile
) -> tuple[dict[str, Column], dict[str, Column]]:
    """Return the breaching columns as they were in the reference, and as they are now."""
    reference = subject.reference
    names = dict.fromkeys(f.column for f in breached if f.column is not None)
    before = {name: Column(name, reference.bins[name], reference.profile.columns[name]) for name in names}
    return before, {name: Column(name, reference.bins[name], _latest(name, since, profile)) for name in names}


def _diagnosed(
    seen: Watched, breached: Sequence[Finding], before: Mapping[str, Column], now: Mapping[str, Column]
) -> dict[str, Diagnosis]:
    """Name the fault of every breaching column. What was named when its alarm opened keeps its name while it lasts."""
    known = {alarm.column: alarm.diagnosis for alarm in seen.memory.alarms if alarm.diagnosis is not None}
    news = {f.column for f in breached if f.fresh or f.grown or f.rule is not Rule.EVIDENCE}
    return {
        name: known[name] if name in known and name not in news else diagnose(before[name], now[name])
        for name in before
    }


def _remembered(seen: Watched, diagnoses: Mapping[str, Diagnosis]) -> Watched:
    """Keep the names of the faults with the alarms that have just opened."""
    opened = {alarm.key for alarm in seen.opened}
    alarms = tuple(
        replace(alarm, diagnosis=diagnoses.get(alarm.column)) if alarm.key in opened else alarm
        for alarm in seen.memory.alarms
    )
    return replace(seen, memory=replace(seen.memory, alarms=alarms))


def _together(findings: Sequence[Finding], window: Window) -> list[tuple[str, ...]]:
    """Return the breaching columns by the time at which their changes began: only those can share a cause."""
    onsets: dict[str, float] = {}
    for f in findings:
        if f.verdict is Verdict.BREACH and f.column is not None:
            began = (f.onset or window.start).timestamp()
            onsets[f.column] = min(began, onsets.get(f.column, began))
    return by_onset(onsets, max(TOGETHER, TOGETHER_WINDOWS * window.length).total_seconds())


def _evidence(subject: Subject, window: Window, profile: Profile, seen: Watched) -> Iterator[Draft]:
    """Yield the findings from evidence."""
    return evidence_findings(
        subject.model, window, subject.reference, profile, subject.questions, subject.signal, seen
    ).drafts()


def _measured(subject: Subject, window: Window, profile: Profile, history: tuple[Volume, ...]) -> Iterator[Draft]:
    """Yield the findings of the checks that look at this window alone."""
    reference, signal = subject.reference, subject.signal
    current = Table(profile, window.start.timestamp(), window.end.timestamp(), history)
    before = Table(reference.profile, current.start, current.end, signal.volumes)
    level = signal.fact_level(subject.facts)

    def answered(item: Measured) -> Finding:
        return judge(subject.model, window, item, level, signal.usual)

    def answer(question: Question) -> Finding:
        name, bins = question.column, reference.bins[question.column]
        sides = (Column(name, bins, whole.columns[name]) for whole in (reference.profile, profile))
        return answered(measured(question.planned, question.check, *sides))

    for question in subject.questions:
        if question.rule is Rule.EVIDENCE:
            continue
        verdict = None if question.rule is Rule.DESCRIPTION else _foreseen(question, reference, profile)
        if verdict is None and question.rule is not Rule.DESCRIPTION:
            yield Draft.of(answer(question))
        else:
            yield Draft(question.column, question.planned.name, verdict, partial(answer, question))
    for item in measure_table(before, current, subject.plan):
        yield Draft.of(answered(item))


def _foreseen(question: Question, reference: Reference, profile: Profile) -> Verdict | None:
    """Return the verdict of a fact that has nothing to say, without measuring it; None where it has to be measured."""
    name = question.column
    if question.rule is not Rule.FACT or not sees_nothing(question.check):
        return None
    try:
        unmoved = question.check.unmoved(reference.bins[name], reference.profile.columns[name], profile.columns[name])
    except Exception:  # noqa: BLE001 - measuring will tell what is wrong, of this column alone
        return None
    return Verdict.PASS if unmoved else None


def _since(seen: Watched, window: Window, profile: Profile, past: Past) -> Mapping[tuple[str, str], ColumnProfile]:
    """Return all rows of a column since its change began, for what people are told in this window."""
    begun = {alarm.key: alarm.onset for alarm in seen.opened}
    begun |= {alarm.key: window.end - LATEST for alarm in seen.grown}  # what it has grown to is seen in its latest days
    if not begun:
        return {}
    earlier = [*past(min(begun.values())), (window, profile)]
    return {
        (column, check): reduce(add, (p.columns[column] for w, p in earlier if w.start >= start or w == window))
        for (column, check), start in begun.items()
    }


def _worded(subject: Subject, seen: Watched, since: Mapping[tuple[str, str], ColumnProfile]) -> Watched:
    """Return the window's alarms with the words that people are told of those that opened or grew."""
    if not since:
        return seen
    reference, found = subject.reference, {}
    for name in dict.fromkeys(column for column, _ in since):
        bins = reference.bins[name]
        before = Column(name, bins, reference.profile.columns[name])
        checks = {planned.name: check for planned, check in planned_for(name, bins, subject.plan)}
        for alarm in (*seen.opened, *seen.grown):
            check = checks.get(alarm.check) if alarm.column == name else None
            if check is not None and gathers_evidence(check):
                now = Column(name, bins, since[alarm.key])
                found[alarm.key] = worded(alarm, subject.signal, check, before, now)

    def told(alarms: Sequence[Alarm]) -> tuple[Alarm, ...]:
        return tuple(found.get(alarm.key, alarm) for alarm in alarms)

    memory = replace(seen.memory, alarms=told(seen.memory.alarms))
    return replace(seen, memory=memory, opened=told(seen.opened), grown=told(seen.grown))


def _latest(name: str, since: Mapping[tuple[str, str], ColumnProfile], profile: Profile) -> ColumnProfile:
    """Return the rows that a column's fault is told from: those since the youngest onset, else the window's."""
    found = [rows for (column, _), rows in since.items() if column == name]
    return min(found, key=lambda rows: rows.rows, default=profile.columns[name])


def _left_out(subject: Subject, window: Window, profile: Profile, reason: str) -> list[Finding]:
    """Return findings that say that nothing is concluded of a window that is not to be judged.

    Nor what it would have shown, lest it end an incident.
    """
    table = Table(profile, window.start.timestamp(), window.end.timestamp())
    reference = subject.reference
    measured = measure(reference.bins, reference.profile, table, subject.plan)
    said = f"not judged: {reason}"
    return [
        replace(finding, verdict=Verdict.INCONCLUSIVE, reason=said, minimum_detectable=None)
        for finding in judge_measured(subject.model, window, measured, 0.01, {})
    ]


def _words(finding: Finding, diagnoses: Mapping[str, Diagnosis], tables: Mapping[str, Group]) -> str:
    if finding.column is None:
        return table_title(finding.check, tables)
    return diagnoses[finding.column].title
