"""One run, top to bottom: claim a window, read it, judge it, and write everything that follows in one transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from checks.profile import Bins, Profile
from monitor import proving
from monitor.consequences import follow
from monitor.core.alarms import Decided
from monitor.core.errors import LeewayError, UserError
from monitor.core.evaluation import Evaluation, Subject, evaluate
from monitor.core.finding import Finding, summary_of
from monitor.core.incident import UNREFERENCED, Incident, Transition
from monitor.core.lateness import next_look
from monitor.core.memory import Memory
from monitor.core.own_incidents import BLIND, ended, told_once, watched
from monitor.core.ports import Clock, Reading
from monitor.core.reference import Reference
from monitor.core.versions import Served
from monitor.core.window import Window
from monitor.failpoints import reach
from monitor.labelled import fresh_since
from monitor.locating import located
from monitor.pulse import Pulse
from monitor.scene import Scene
from monitor.serving import Reader, served
from monitor.store import claims as claim_rows
from monitor.store import incidents as incident_rows
from monitor.store import owners
from monitor.store import runs as run_rows
from monitor.store.bodies import DamagedRowError
from monitor.store.database import Store, StoreAwayError
from monitor.store.leases import Leases
from monitor.store.shelf import Shelf, Shown
from monitor.store.tables import runs as run_table
from monitor.subjects import Subjects
from monitor.watch import Watch

log = structlog.get_logger("monitor.cycle")

HISTORY = timedelta(days=56)  # eight weeks: enough for a weekly rhythm
STORED = Shelf()
FAILURES_TOLERATED = 3  # attempts at reading a window before people are told


@dataclass(frozen=True)
class Result:
    """What became of one window: done, failed, skipped, or taken (somebody else has it)."""

    window: Window
    outcome: str
    findings: Sequence[Finding] = ()
    steps: tuple[Transition, ...] = ()
    rows: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Ready:
    """What a window is judged against: ``lacking`` says why that is not the version's ``own``, though it should be."""

    subject: Subject
    served: Served
    own: bool
    lacking: str | None


def from_log(watch: Watch, window: Window, bins: Mapping[str, Bins]) -> Reading:
    """Read a window where its rows are."""
    return watch.model.logs.read(window, bins, watch.model.sample)


@dataclass
class Cycle:
    """Evaluates windows against one store."""

    store: Store
    clock: Clock
    owner: str = field(default_factory=owners.me)
    who: str = "monitor"
    leases: Leases = field(default_factory=Leases)
    reader: Reader = from_log
    shelf: Shelf = field(default_factory=Shelf)
    pulse: Pulse = field(default_factory=Pulse)
    _rests: dict[str, tuple[Watch, datetime, datetime]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._subjects = Subjects(self.store, self.clock, self.who, self.reader)

    def subject(self, watch: Watch, moment: datetime | None = None, reference_id: str | None = None) -> Subject:
        """Return a reference of the model and what it teaches; see :meth:`monitor.subjects.Subjects.subject`."""
        return self._subjects.subject(watch, moment, reference_id)

    def reference(self, watch: Watch) -> Reference:
        """Return the whole snapshot that the model is judged against now."""
        return self._subjects.reference(watch)

    def forget(self) -> bool:
        """Let go of what was got ready, which the store has when it is needed again; return whether it was anything."""
        return self._subjects.forget()

    def owing(self, watched: Iterable[Watch]) -> list[Watch]:
        """Return the models that have a window to evaluate or to look at again now; one statement, however many."""
        now = self.clock.now()
        ready = [watch for watch in watched if not self._rests_now(watch)]
        with self.store.read() as connection:
            come = run_rows.progress(connection, [watch.name for watch in ready])
        return [watch for watch in ready if _owes(watch, come.get(watch.name, NO_PROGRESS), now)]

    def owed(self, watch: Watch, most: int | None = None) -> list[Window]:
        """Return the windows to evaluate now, oldest first, recording those that are too old as skipped.

        With ``most`` no more than that many are looked for.
        """
        now = self.clock.now()
        with self.store.read() as connection:
            last = run_rows.last_end(connection, watch.name)
        start = watch.model.schedule.start
        if last is None and start is None:
            start = watch.schedule.newest_due(now).start  # a model seen for the first time shows something at once
        due, skipped = watch.schedule.due(now, last, start, most)
        if skipped:
            span = Window(skipped[0].start, skipped[-1].end)
            reason = f"{len(skipped)} windows older than catch_up ({watch.model.schedule.catch_up}) were not evaluated"
            with self.store.write() as connection:
                moved = run_rows.last_end(connection, watch.name) != last
                fingerprint = watch.fingerprint("")
                if moved or not claim_rows.skip(connection, watch.name, span, fingerprint, reason, now, self.owner):
                    return []  # another replica is at it; the next tick sees what is left
            log.warning("windows.skipped", model=watch.name, windows=len(skipped), reason=reason)
        return due

    def catch_up(
        self, watch: Watch, most: int | None = None, stopping: Callable[[], bool] = lambda: False
    ) -> list[Result]:
        """Evaluate owed windows in order, until one fails: incidents need their windows in order.

        Parameters
        ----------
        watch : the model. The very watch that failed is left alone for a while; a new configuration is tried at once.
        most : windows to evaluate; by default all of them.
        stopping : asked before every window.
        """
        if self._rests_now(watch):
            return []
        results: list[Result] = []
        for window in self.owed(watch, most):
            if stopping():
                break
            results.append(self.run(watch, window))
            if results[-1].outcome in ("failed", "taken"):
                break
        return results

    def _rests_now(self, watch: Watch) -> bool:
        if watch.name not in self._rests:
            return False
        failed, since, until = self._rests[watch.name]
        return failed is watch and since <= self.clock.now() < until  # before it began, the clock was set back

    def run(self, watch: Watch, window: Window) -> Result:
        """Evaluate one window and write what follows from it; only a store that fails raises.

        Raises
        ------
        UnavailableError
            When the store cannot be used. The window stays owed.
        """
        with self.pulse.working(watch.name) as outcome:
            try:
                result = self._run(watch, window)
            except claim_rows.StaleClaimError as error:
                log.warning("window.lost", model=watch.name, window=str(window), reason=str(error))
                result = Result(window, "taken")
            outcome.append(result.outcome)
        return result

    def _run(self, watch: Watch, window: Window) -> Result:
        with self.store.read() as connection:
            if claim_rows.taken(connection, watch.name, window, self.owner):
                return Result(window, "taken")
        try:
            ready = self.ready(watch, window)
        except StoreAwayError:
            raise  # no fault of the model's
        except Exception as error:  # noqa: BLE001 - a defect anywhere must be told, and must not stop other models
            return self._failed(watch, window, "", error)
        subject = ready.subject
        fingerprint = watch.fingerprint(subject.reference.id)
        now = self.clock.now()
        reach("window.owed")
        with self.store.write() as connection:
            claim_rows.remember_configuration(connection, watch.name, fingerprint, watch.settings, now)
            claim = claim_rows.claim(connection, watch.name, window, fingerprint, self.owner, now)
        if claim is None:
            return Result(window, "taken")
        reach("window.claimed")
        with self.leases.holding(run_table, claim.run_id, claim.epoch):
            try:
                reading = self.reader(watch, window, subject.reference.bins)
            except Exception as error:  # noqa: BLE001 - as above
                return self._failed(watch, window, fingerprint, error, claim)
            try:
                return self._conclude(watch, ready, window, claim, reading)
            except DamagedRowError as error:  # which no waiting mends
                return self._failed(watch, window, fingerprint, error, claim)
            except (LeewayError, claim_rows.StaleClaimError):
                raise  # the store's trouble, or another's window: there is nothing to write
            except Exception as error:  # noqa: BLE001 - as above
                return self._failed(watch, window, fingerprint, error, claim)

    def ready(self, watch: Watch, window: Window) -> Ready:
        """Look which version served a window, and get ready what it is judged against."""
        version = served(self.store, watch, window, self.reader, self.clock.now())
        chosen = self._subjects.chosen(watch, version.version, window)
        return Ready(self.subject(watch, window.start, chosen.reference_id), version, chosen.own, chosen.lacking)

    def _conclude(
        self, watch: Watch, ready: Ready, window: Window, claim: claim_rows.Claim, reading: Reading
    ) -> Result:
        reach("window.read")
        subject = ready.subject
        # Judged and packed before the transaction that writes: it would keep other writers waiting.
        with self.store.read() as connection:
            before = held_before(connection, watch, subject, window, self.shelf)
            opened = incident_rows.listing(connection, watch.name)
            decided = decided_by_people(before, opened)
            outcome = judged(connection, watch, subject, window, reading.profile, before, decided, self.shelf)
            outcome = located(connection, self.shelf, watch, subject, window, reading.sample, outcome, opened)
        key = watch.evidence_key(subject.reference.id)
        # So is what others' databases are asked: how many labels there are, and how the version that serves now does.
        labelled = fresh_since(self.store, watch, self.clock.now()) if outcome.causes else None
        performed = proving.performance(self.store, watch, window, ready.served, self.clock.now())
        keep = self.shelf.keeping(Shown(window, reading, outcome.findings, key, decided, outcome.memory))
        reach("window.judged")
        with self.store.write() as connection:
            now = self.clock.now()  # asked when it is our turn to write, so that timelines are in order
            opened = incident_rows.listing(connection, watch.name)
            steps = [
                *outcome.steps(watched(opened), window, now, subject.holding),
                *ended(opened, BLIND, "the log can be read again", f"window {window} was read", now),
                *_referenced(watch, ready, opened, window, now),
            ]
            claim_rows.finish(
                connection,
                claim,
                state="done",
                now=now,
                rows=reading.profile.rows,
                last_event=reading.profile.last_event,
                reference_id=subject.reference.id,
                look_at=looked_at(watch, window, now),
                served=ready.served,
            )
            keep(connection, claim.run_id)
            moved = [step.after for step in steps if step.before is not None]
            now_open = {incident.id: incident for incident in (*opened, *moved)}
            seen = proving.Judged(watch, window, ready.served, subject, now_open, now, ready.own)
            steps += proving.proven(connection, seen, performed)
            rows = reading.profile.rows
            scene = Scene(watch, subject.reference, window, rows, now, labelled, ready.served.version)
            steps = follow(connection, scene, steps)
            reach("window.written")
        reach("window.committed")
        log.info(
            "window.done",
            model=watch.name,
            window=str(window),
            rows=reading.profile.rows,
            **summary_of(outcome.findings),
            incidents=[step.after.id for step in steps if step.event == "fired"],
        )
        return Result(window, "done", outcome.findings, tuple(steps), reading.profile.rows)

    def _failed(
        self, watch: Watch, window: Window, fingerprint: str, error: Exception, claim: claim_rows.Claim | None = None
    ) -> Result:
        """Record a window that could not be evaluated; tell people when it is their mistake, or when it lasts."""
        defect = None if isinstance(error, LeewayError) else error
        reason = str(error) if defect is None else f"a defect of Leeway: {type(error).__name__}: {error}"
        steps: list[Transition] = []
        with self.store.write() as connection:
            now = self.clock.now()
            if claim is None:
                claim = claim_rows.claim(connection, watch.name, window, fingerprint, self.owner, now)
                if claim is None:
                    return Result(window, "taken")
            claim_rows.finish(connection, claim, state="failed", now=now, reason=reason)
            if isinstance(error, UserError) or claim.attempts >= FAILURES_TOLERATED:
                opened = incident_rows.listing(connection, watch.name)
                steps = told_once(watch.name, BLIND, opened, window, reason, now)
                steps = follow(connection, Scene(watch, None, window, 0, now), steps)
        self._rests[watch.name] = (watch, now, now + claim_rows.pause(claim.attempts))
        log.error("window.failed", model=watch.name, window=str(window), reason=reason, exc_info=defect)
        return Result(window, "failed", steps=tuple(steps), reason=reason)


NO_PROGRESS = run_rows.Progress(None, None)


def _referenced(
    watch: Watch, ready: Ready, opened: Sequence[Incident], window: Window, now: datetime
) -> list[Transition]:
    """Say once that the version has no reference of its own, and when it has one again."""
    if ready.lacking is not None:
        words = f"{ready.lacking}. Until it has one it is judged by the reference of the version before."
        return told_once(watch.name, UNREFERENCED, opened, window, words, now)
    return ended(opened, UNREFERENCED, "it has a reference", f"judged by {ready.subject.reference.short}", now)


def _owes(watch: Watch, come: run_rows.Progress, now: datetime) -> bool:
    start = watch.model.schedule.start
    if come.last_end is None and start is None:
        return True  # a model seen for the first time shows something at once
    looks = come.look_at is not None and come.look_at <= now
    return looks or any(watch.schedule.due(now, come.last_end, start, 1))


def looked_at(watch: Watch, window: Window, now: datetime) -> datetime | None:
    """Return when late rows of a window are looked for next; None where its time for that is over."""
    options = watch.model.schedule
    return next_look(window.end + options.delay, options.allowed_lateness, now)


def held_before(
    connection: sa.Connection, watch: Watch, subject: Subject, window: Window, shelf: Shelf = STORED
) -> Memory:
    """Return the evidence and the open alarms before a window."""
    key = watch.evidence_key(subject.reference.id)
    return shelf.memory(connection, watch.name, key, window.start, subject.signal.detector) or subject.start()


def decided_by_people(before: Memory, opened: Iterable[Incident]) -> Decided:
    """Return what people have decided of the open alarms: declared expected, or closed their incident."""
    held = list(opened)
    expected = {column for incident in held if incident.expected for column in incident.columns}
    known = {column for incident in held for column in incident.columns}
    return Decided(
        frozenset(alarm.key for alarm in before.alarms if alarm.column in expected),
        frozenset(alarm.key for alarm in before.alarms if alarm.column not in known),
    )


def judged(
    connection: sa.Connection,
    watch: Watch,
    subject: Subject,
    window: Window,
    profile: Profile,
    before: Memory,
    decided: Decided,
    shelf: Shelf = STORED,
) -> Evaluation:
    """Judge a window from what is known of the windows before it; writes nothing."""
    past = shelf.past(connection, watch.name, subject.reference.id, window.start)
    history = shelf.volumes(connection, watch.name, window.start, most_history(window))
    return evaluate(subject, before, window, profile, history, past, decided)


def most_history(window: Window) -> int:
    """Return how many earlier windows tell the usual volume."""
    return max(1, int(HISTORY / window.length))
