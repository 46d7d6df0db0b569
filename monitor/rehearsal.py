"""An alert from end to end in a store of its own: a fault in a copy of sampled rows must reach a test receiver.

It takes the way of every window through the same code: profile, judge, incident, notice, outbox, delivery.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from checks.aggregate import Aggregate
from checks.profile import Bins
from monitor.broken_rows import RECEIVER, Broken, Sampled
from monitor.core.errors import LeewayError, defect
from monitor.core.evaluation import Subject
from monitor.core.finding import Finding, Verdict
from monitor.core.incident import Incident, State
from monitor.core.notice import Attempt, Delivered, Notice, Outcome
from monitor.core.ports import Clock, Reading
from monitor.core.versions import Served
from monitor.core.window import Window
from monitor.cycle import Cycle, Ready
from monitor.delivery import Delivery
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import references as reference_rows
from monitor.store.database import Store
from monitor.store.schema import scratch_store
from monitor.watch import Watch


class BrokenWayError(Exception):
    """An alert did not get through; the words name the part that failed, and why."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")


@dataclass
class _Receiver:
    """Keeps what it is told."""

    told: list[Notice] = field(default_factory=list)

    def send(self, attempt: Attempt) -> Outcome:
        self.told.append(attempt.notice)
        return Delivered()

    def probe(self) -> str:
        return "a list in memory"


@dataclass
class _Rehearsal(Cycle):
    """A cycle that judges a window against what it is given."""

    given: Subject | None = None

    def ready(self, watch: Watch, window: Window) -> Ready:  # noqa: ARG002 - as a cycle's
        assert self.given is not None
        return Ready(self.given, Served(), own=True, lacking=None)


def rehearse(store: Store, clock: Clock, owner: str, given: Sampled, broken: Broken, subject: Subject) -> None:
    """Let a fault travel to the test receiver. The store is only read.

    Raises
    ------
    BrokenWayError
        When it does not arrive.
    """
    watch, window = given.watch, given.run.window
    try:
        reading = _read(watch, window, subject.reference.bins, broken)
    except Exception as error:
        raise BrokenWayError("profile", defect(error)) from error
    scratch = scratch_store()
    try:
        with store.read() as source, scratch.write() as target:
            reference_rows.copy(source, target, watch.name, subject.reference.id, windows=False)
        try:
            _travel(_Rehearsal(scratch, clock, owner, reader=lambda *_: reading, given=subject), watch, window, broken)
        except LeewayError as error:  # of the scratch store: the daemon's own is all right
            raise BrokenWayError("store", str(error)) from error
    finally:
        scratch.close()


def _travel(cycle: Cycle, watch: Watch, window: Window, broken: Broken) -> None:
    result = cycle.run(watch, window)
    if result.outcome != "done":
        raise BrokenWayError("judge", result.reason or result.outcome)
    _seen(result.findings, broken)
    incident = _opened(cycle.store, watch, broken)
    receiver = _Receiver()
    Delivery(cycle.store, cycle.clock, cycle.owner, {RECEIVER: receiver}, {watch.name: watch}).flush()
    _arrived(cycle.store, incident, receiver.told)


def _read(watch: Watch, window: Window, bins: Mapping[str, Bins], broken: Broken) -> Reading:
    time, row_id = (getattr(watch.model.logs, name, None) for name in ("time", "id"))
    rows = broken.rows
    aggregate = Aggregate.empty(bins, rows.num_rows, (window.start, window.end), str(time), row_id)
    for batch in rows.to_batches():
        aggregate = aggregate.add(batch)
    return Reading(aggregate.profile, aggregate.sample.rows())


def _seen(findings: Sequence[Finding], broken: Broken) -> None:
    about = f"{broken.check} of {broken.column}, broken in every row"
    own = next((f for f in findings if (f.column, f.check) == (broken.column, broken.check)), None)
    if own is None:
        raise BrokenWayError("checks", f"no finding of {about}")
    if own.verdict is Verdict.FAILED:
        raise BrokenWayError("checks", f"{about}: {own.reason}")
    if own.verdict is not Verdict.BREACH:
        raise BrokenWayError("judge", f"{about}: {own.verdict} ({own.reason})")


def _opened(scratch: Store, watch: Watch, broken: Broken) -> Incident:
    with scratch.read() as connection:
        incidents = incident_rows.listing(connection, watch.name)
    # Columns that are broken in the rows as they came may share the fault's incident, under a name of their own.
    about = [i for i in incidents if broken.column in i.columns and (i.fault == broken.fault or len(i.columns) > 1)]
    if not about:
        named = ", ".join(f"{i.fault} of {', '.join(i.columns)}" for i in incidents) or "nothing"
        raise BrokenWayError("incidents", f"{broken.fault} of {broken.column} opened none; what did: {named}")
    if about[0].state is not State.FIRING:
        raise BrokenWayError("incidents", f"{about[0].diagnosis} of {broken.column} is {about[0].state}")
    return about[0]


def _arrived(scratch: Store, incident: Incident, told: Sequence[Notice]) -> None:
    if any(notice.incident == incident for notice in told):
        return
    with scratch.read() as connection:
        letters = [row for row in outbox_rows.listing(connection, kind="notice") if row["incident_id"] == incident.id]
    if not letters:
        raise BrokenWayError("outbox", f"no message was written about {incident.diagnosis}")
    raise BrokenWayError(
        "delivery", f"the message is {letters[0]['state']}: {letters[0]['error'] or 'it was not sent'}"
    )
