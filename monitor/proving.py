"""Whether a new version helped: begun in the run that first judges it, watched in those after, and said to people.

What a version has to prove is kept with it in the store. Drift is read from the findings of its windows, performance
from labelled rows, which are read before the run's transaction begins.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from checks.diagnosing import Group
from checks.wording import number_text
from monitor.core.errors import LeewayError
from monitor.core.evaluation import Subject
from monitor.core.finding import IncidentKind
from monitor.core.incident import WORSE_VERSION, Incident, State, Transition
from monitor.core.lifecycle import Cause, fire
from monitor.core.own_incidents import ended
from monitor.core.proof import Outcome, Part, Proof, begun, drift_since, given_up, named
from monitor.core.retrain_policy import STARTED
from monitor.core.versions import Served
from monitor.core.window import Window
from monitor.core.wording import plural
from monitor.serving import scheduled, teller
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows
from monitor.store.database import Store
from monitor.store.versions import Version
from monitor.watch import Watch

if TYPE_CHECKING:
    from checks.performance import Performance

log = structlog.get_logger("monitor.proving")

COMPARED = timedelta(days=28)  # of the former version's time, at most, that performance is compared with
_DAY = timedelta(days=1)
_OUTCOMES = {"better": Outcome.BETTER, "worse": Outcome.WORSE, "no difference seen": Outcome.SAME}


@dataclass(frozen=True)
class Judged:
    """A window that has just been judged: what it was judged against, which version served it, and what people see.

    ``opened`` are the incidents that were open before it, after the window's own steps; ``own`` says whether the
    reference is the version's.
    """

    watch: Watch
    window: Window
    served: Served
    subject: Subject
    opened: Mapping[str, Incident]
    now: datetime
    own: bool = True

    @property
    def reference_id(self) -> str:
        """The snapshot that it was judged against."""
        return self.subject.reference.id

    @property
    def told_worse(self) -> bool:
        """Whether an incident says already that the version is worse."""
        return any(incident.fault == WORSE_VERSION for incident in self.opened.values())


def performance(store: Store, watch: Watch, window: Window, served: Served, now: datetime) -> Part | None:
    """Return how a window's version does by its end beside the one before; None where nobody waits for it, or knows.

    To be called outside of transactions: none may wait for somebody's log.
    """
    ends_a_day = window.start.date() != window.end.date()
    if watch.model.labels is None or not ends_a_day:
        return None  # labels come slowly, and every look costs some of what an interval can say
    with store.read() as connection:
        entry = version_rows.at(connection, watch.name, window.end)
        if entry is None or entry.proof is None or entry.proof.performance.settled:
            return None
        if entry.version != served.version:
            return None  # another one begins, or ends, in this window
        earlier = version_rows.at(connection, watch.name, entry.since)
        onsets = [incident.onset for incident in _kept(connection, entry.proof)]
    start = max(entry.since - COMPARED, earlier.since if earlier is not None else entry.since - COMPARED)
    if onsets and start < min(onsets) < entry.since:
        start = min(onsets)  # what the version was asked for to mend
    try:
        return _compared(watch, entry, Window(start, entry.since), Window(entry.since, window.end), now)
    except LeewayError as error:
        log.warning("performance.unknown", model=watch.name, version=entry.version, reason=str(error))
        return None


def _compared(watch: Watch, entry: Version, before: Window, after: Window, now: datetime) -> Part | None:
    from checks.performance_change import compare, shared

    both = shared(measured(watch, before, now), measured(watch, after, now))
    looks = ceil(watch.model.versions.proof / max(_DAY, watch.model.schedule.every))
    change = compare(*both, looks) if both is not None else None
    if both is None or change is None or change.verdict not in _OUTCOMES:
        return None  # more labels may say
    outcome = _OUTCOMES[change.verdict]
    verdict = {Outcome.BETTER: "It is better.", Outcome.WORSE: "It is worse."}.get(outcome, "No difference is seen.")
    assert entry.proof is not None
    return Part(
        outcome,
        f"{both[1].metric} {told(both[1])} with {named(entry.version)}, {told(both[0])} with"
        f" {named(entry.proof.former)} before (difference {change.difference:+.3g} [{change.low:+.3g},"
        f" {change.high:+.3g}], 95% over {plural(looks, 'look')}). {verdict}",
    )


def measured(watch: Watch, window: Window, now: datetime) -> "tuple[Performance, ...]":
    """Return how good the predictions of a window were, as far as their labels are known; nothing of too few.

    Raises
    ------
    LeewayError
        When the log or the labels cannot be read.
    """
    from checks.measurement import Inconclusive
    from checks.performance import measure
    from monitor.labelled import labelled

    rows = labelled(watch.model, window, now)
    columns = {name: rows.column(name) if name in rows.column_names else None for name in ("prediction", "score")}
    found = measure(rows.column("label"), columns["prediction"], columns["score"])
    return () if isinstance(found, Inconclusive) else found


def told(found: "Performance") -> str:
    """Return a measure with its interval and its rows, in words."""
    return f"{number_text(found.value)} [{number_text(found.low)}, {number_text(found.high)}] ({found.rows:,} rows)"


def proven(connection: sa.Connection, judged: Judged, performed: Part | None) -> list[Transition]:
    """Return what a window adds to what is known of its version; to be called when its findings are written.

    Parameters
    ----------
    performed : what :func:`performance` found before the transaction began.
    """
    entry, steps = _entered(connection, judged)
    if entry is None:
        return steps
    proof = _advanced(connection, judged, entry, performed)
    version_rows.keep(connection, entry, judged.reference_id, proof)
    return steps + (_said(connection, judged, entry.proof, proof) if proof is not None else [])


def _entered(connection: sa.Connection, judged: Judged) -> tuple[Version | None, list[Transition]]:
    """Return the version that the window belongs to, written down and with what it has to prove where that is news."""
    name, window, served = judged.watch.name, judged.window, judged.served
    before = run_rows.before(connection, name, window.start)
    entry = version_rows.at(connection, name, window.end)
    moved = before is not None and before.reference_id not in (None, judged.reference_id)
    how = teller(judged.watch.model)
    if served.version is not None and (entry is None or entry.version != served.version):
        followed = how == "mlflow"  # whose versions are written down when the alias moves
        known = version_rows.latest(connection, name, served.version) if followed else None
        entry = known or version_rows.begin(connection, name, served.version, _since(judged), how, judged.now)
    elif how == "reference" and moved:
        entry = version_rows.begin(connection, name, None, window.start, how, judged.now)
    former = run_rows.version_before(connection, name, window.start)
    changed = former is not None and served.version not in (None, former)
    if entry is None or before is None or not (moved or changed):
        return entry, []
    incidents = _concerned(connection, judged) if moved or judged.own else []  # two may have learnt from the same rows
    labels = judged.watch.model.labels is not None and (changed or served.version is None)
    until = max(judged.now, entry.since) + judged.watch.model.versions.proof
    proof = begun(served.version, former, entry.since, until, incidents, labels=labels)
    if entry.proof is not None and not changed:
        proof = replace(proof, former=entry.proof.former, performance=entry.proof.performance)
    words = f"{named(served.version)} serves now"
    over = ended(judged.opened.values(), WORSE_VERSION, words, words, judged.now) if changed else []
    return replace(entry, proof=proof), over


def _since(judged: Judged) -> datetime:
    known = [entry.since for entry in scheduled(judged.watch.model) if entry.version == judged.served.version]
    return max((moment for moment in known if moment < judged.window.end), default=judged.window.start)


def _concerned(connection: sa.Connection, judged: Judged) -> list[Incident]:
    """Return the incidents whose drift the version should have ended: those open, and those that it was trained for.

    As the store has them, for what this window shows is found against the version's own reference already.
    """
    found = {
        incident.id: incident
        for incident in incident_rows.listing(connection, judged.watch.name)
        if incident.state is State.FIRING and incident.kind is IncidentKind.DRIFT and incident.pipeline is not True
    }
    for asked in retrain_rows.listing(connection, judged.watch.name):
        recent = judged.now - asked.request.requested_at <= COMPARED
        if asked.state in STARTED and recent and asked.request.incident is not None:
            incident = incident_rows.get(connection, asked.request.incident)
            found.setdefault(incident.id, incident)
    return list(found.values())


def _advanced(connection: sa.Connection, judged: Judged, entry: Version, performed: Part | None) -> Proof | None:
    proof = entry.proof
    if proof is None or proof.settled:
        return proof
    if not proof.drift.settled:
        name, spots = judged.watch.name, {(sign.column, sign.check) for sign in proof.signs}
        runs = version_rows.windows_of(connection, name, judged.reference_id, proof.since)
        windows = run_rows.findings_about(connection, runs, spots)
        opened, needed = list(judged.opened.values()), judged.subject.holding.resolve_after
        proof = replace(proof, drift=drift_since(proof, windows, opened, judged.now, needed))
    if performed is not None and not proof.performance.settled:
        proof = replace(proof, performance=performed)
    return given_up(proof, judged.now)


def _kept(connection: sa.Connection, proof: Proof) -> list[Incident]:
    """Return the incidents that a proof is about, but for those that have been forgotten since they ended."""
    known = [name for name in proof.incidents if incident_rows.known(connection, name)]
    return [incident_rows.get(connection, name) for name in known]


def _said(connection: sa.Connection, judged: Judged, before: Proof | None, proof: Proof) -> list[Transition]:
    """Say what has become known, in the incidents that it is about; loudly, in one of its own, where it is worse."""
    earlier = (before.drift, before.performance) if before is not None else ()
    news = [part for part in (proof.drift, proof.performance) if part.settled and part.words and part not in earlier]
    if not news:
        return []
    words = " ".join(part.words for part in news)
    steps = []
    for kept in _kept(connection, proof):
        incident = judged.opened.get(kept.id, kept)
        steps.append(Transition(incident, incident, "proof", judged.now, words))
    if any(part.outcome is Outcome.WORSE for part in news) and not judged.told_worse:
        steps.append(_worse(judged, proof, words))
    return steps


def _worse(judged: Judged, proof: Proof, words: str) -> Transition:
    title = f"{named(proof.version)} is worse than {named(proof.former)}"
    said = words if proof.began() in words else f"{proof.began()}. {words}"
    group = Group(WORSE_VERSION, title, (), said, pipeline=None)
    cause = Cause(IncidentKind.PERFORMANCE, group, (), fatal=True)
    return fire(judged.watch.name, cause, (), judged.window, judged.now, judged.reference_id)
