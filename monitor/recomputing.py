"""The same verdict again: a window judged anew from what the store has of it, and compared bit for bit."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from checks.profile import Profile
from monitor.core.alarms import DAYS_BACK, UNDECIDED, Decided
from monitor.core.errors import UserError
from monitor.core.evaluation import Evaluation, Subject
from monitor.core.finding import Finding
from monitor.core.memory import Memory, decode
from monitor.core.table_faults import LOOKED_BACK
from monitor.cycle import Cycle, judged
from monitor.store import bodies, retention
from monitor.store import evidence as evidence_rows
from monitor.store import runs as run_rows
from monitor.store.evidence import Kept
from monitor.store.runs import Run
from monitor.watch import Watch


@dataclass(frozen=True)
class Difference:
    """Something that is not as it was stored; ``what`` of which column and check, None where of the whole window."""

    column: str | None
    check: str | None
    what: str
    stored: str
    again: str


@dataclass(frozen=True, eq=False)
class Again:
    """A window judged again.

    Parameters
    ----------
    run, profile, stored : what the store has: the run, what was counted, the findings.
    subject : the reference and the checks, those of today's configuration.
    before, after : evidence before and after the window; None where the window could not be judged again.
    decided : what people had decided before it.
    findings : those of the second judgement.
    differences : between both.
    obstacle : why it could not be judged again, or why something differs; empty where nothing does.
    """

    run: Run
    profile: Profile
    stored: tuple[Finding, ...]
    subject: Subject
    before: Memory | None = None
    after: Memory | None = None
    decided: Decided = UNDECIDED
    findings: tuple[Finding, ...] = ()
    differences: tuple[Difference, ...] = ()
    obstacle: str = ""

    @property
    def same(self) -> bool:
        """Whether everything is the same, to the last bit."""
        return self.after is not None and not self.differences

    def finding(self, column: str | None, check: str) -> Finding | None:
        """Return the stored finding of a check; None where there is none."""
        return next((f for f in self.stored if (f.column, f.check) == (column, check)), None)


def again(cycle: Cycle, watch: Watch, run: Run) -> Again:
    """Judge a window again.

    Raises
    ------
    UserError
        Where the run has nothing to be judged from.
    """
    if run.reference_id is None:
        raise UserError(f"window {run.window} of {watch.name} was not judged: {run.reason or run.state}")
    pinned = watch.model.reference.model_copy(update={"pin": run.reference_id})
    watch = replace(watch, model=watch.model.model_copy(update={"reference": pinned}))
    subject = cycle.subject(watch, run.window.start)  # a reference without time had then learnt no more
    with cycle.store.read() as connection:
        profile = run_rows.profile_of(connection, run.id)
        stored = tuple(run_rows.findings_of(connection, [run.id]))
        if profile is None or not stored:
            raise UserError(
                f"window {run.window} of {watch.name} is older than `retention.profiles` keeps findings: that it was "
                "done is all that is known of it; `monitor backtest` judges it again from the log"
            )
        known = Again(run, profile, stored, subject)
        kept = evidence_rows.after(connection, run.id)
        obstacle = _obstacle(watch, run, kept)
        if kept is None or obstacle:
            return replace(known, obstacle=obstacle)
        body = evidence_rows.before(connection, watch.name, kept.key, run.window.start)
        before = (decode(body, subject.signal.detector) if body else None) or subject.start()
        found = judged(connection, watch, subject, run.window, profile, before, kept.decided)
        since = run.window.start - max(DAYS_BACK, LOOKED_BACK * run.window.length)
        pruned = retention.gaps(connection, watch.name, since, run.window.start)
    differences = (*_between(stored, tuple(found.findings)), *_evidence(kept, found, subject))
    if differences and run.fingerprint != watch.fingerprint(run.reference_id):
        obstacle = "the configuration has changed since: another budget, other columns or alerts"
    elif differences and pruned:
        obstacle = "windows before it, which it rests on, are older than `retention.profiles` keeps"
    elif differences:
        obstacle = "another release of Leeway or of NumPy judged it, or another kind of processor"
    return replace(
        known,
        before=before,
        after=found.memory,
        decided=kept.decided,
        findings=tuple(found.findings),
        differences=differences,
        obstacle=obstacle,
    )


def _obstacle(watch: Watch, run: Run, kept: Kept | None) -> str:
    if kept is None:
        return "the run kept no evidence"
    if kept.key != watch.evidence_key(run.reference_id or ""):
        return (
            "the checks, columns, schedule or calendar are other ones since, so that its evidence means nothing today"
        )
    return ""


def _between(stored: tuple[Finding, ...], found: tuple[Finding, ...]) -> list[Difference]:
    """Return in which fields findings differ; both as the store writes them."""
    before, after = ({(f.column, f.check): _fields(f) for f in findings} for findings in (stored, found))
    differences = []
    for column, check in dict.fromkeys([*before, *after]):
        old, new = before.get((column, check), {}), after.get((column, check), {})
        differences += [
            Difference(column, check, name, str(old.get(name, "nothing")), str(new.get(name, "nothing")))
            for name in dict.fromkeys([*old, *new])
            if old.get(name) != new.get(name)
        ]
    return differences


def _fields(finding: Finding) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(bodies.dump(finding))
    return found


def _evidence(kept: Kept, found: Evaluation, subject: Subject) -> list[Difference]:
    """Compare the evidence after the window: every array and every alarm, as bytes."""
    stored = decode(kept.body, subject.signal.detector)
    if stored is not None and stored.encode() == found.memory.encode():
        return []
    if stored is None:
        return [Difference(None, None, "evidence", "of another shape", "")]
    old, new = ({alarm.key: asdict(alarm) for alarm in memory.alarms} for memory in (stored, found.memory))
    return [
        Difference(*key, f"alarm's {name}", str(old.get(key, {}).get(name)), str(new.get(key, {}).get(name)))
        for key in dict.fromkeys([*old, *new])
        for name in dict.fromkeys([*old.get(key, {}), *new.get(key, {})])
        if old.get(key, {}).get(name) != new.get(key, {}).get(name)
    ] or [Difference(None, None, "evidence", "one number", "another")]
