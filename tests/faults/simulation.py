"""One simulated deployment: replicas, clock, receivers; steps that go wrong; healing; and the history it leaves."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Self

from monitor import actions
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from tests.faults.gathering import gather
from tests.faults.history import Fault, History
from tests.faults.house import DAYS, START, Template, owed
from tests.faults.receivers import Ledger, MemoryHook, MemorySlack
from tests.faults.replicas import MovingClock, Plan, Replica, failpoints, lapse

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LAST = START + DAYS * DAY + 2 * HOUR
MOST_ROUNDS = 4 * DAYS  # a day each; what still waits then waits for ever


@dataclass
class Simulation:
    """A deployment of some replicas on a store of its own. Used as a context manager."""

    template: Template
    replicas: int = 2
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.path = self.template.fresh_store()
        self.clock = MovingClock(START + 2 * HOUR)
        self.latest = self.clock.now()
        self.late: set[datetime] = set()
        self.ever_late = False
        self.slack, self.hook, self.trigger = MemorySlack(), MemoryHook(), Ledger()
        self.hook.faults = self.faults
        self.notifiers: dict[str, Any] = {"slack": self.slack, "hook": self.hook}
        self._names = count(1)
        self.house = Replica("person", 0, self.template, self.path, self.clock, {}, None, []).store
        self.all = [self._new(slot) for slot in range(1, self.replicas + 1)]
        self._points = failpoints()

    def __enter__(self) -> Self:
        self._points.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for replica in self.all:
            replica.end()
        self.house.close()
        self._points.__exit__(None, None, None)

    def _new(self, slot: int) -> Replica:
        name = f"replica-{slot}.{next(self._names)}"
        return Replica(
            name, slot, self.template, self.path, self.clock, self.notifiers, self.trigger, self.faults, self.late
        )

    # --- steps ------------------------------------------------------------------------------------------------------

    def work(self, number: int) -> None:
        """Let a replica evaluate what is owed."""
        self.all[number].work()
        self._bury(number)

    def deliver(self, number: int) -> None:
        """Let a replica deliver what is due."""
        self.all[number].deliver()
        self._bury(number)

    def crash(self, number: int, place: str, times: int = 1) -> None:
        """Let a replica go on until it comes to a place, and die there."""
        self._until(number, Plan(place, crash=True, number=times))

    def freeze(self, number: int, place: str, times: int = 1) -> None:
        """Let a replica go on until it comes to a place, and stand still there."""
        self._until(number, Plan(place, crash=False, number=times))

    def linger(self, number: int, place: str) -> None:
        """Let a replica take long at a place, alive and renewing."""
        self._until(number, Plan(place, crash=False, alive=True))

    def thaw(self, number: int) -> None:
        """Let a replica go on."""
        self.all[number].thaw()
        self._bury(number)

    def lapse(self) -> None:
        """Let a minute pass: every lease runs out but those that somebody who is at long work renews."""
        lapse(self.house)
        for replica in self.all:
            if replica.lingers:
                replica.cycle.leases.renew(replica.store)

    def pass_time(self, span: timedelta) -> None:
        """Let time pass, or set the clock back."""
        if span < timedelta():
            self.faults.append(Fault("clock back"))
        self.clock.moment += span
        self.latest = max(self.latest, self.clock.now())

    def cut(self, number: int, plan: str, after: int = 0) -> None:
        """Cut a replica's connection to the store at one of its next commits."""
        self.all[number].store.plans[:] = [""] * after + [plan]
        self.faults.append(Fault("dead", self.all[number].owner))
        self.faults.append(Fault("ambiguous", "hook"))

    def blind(self, number: int) -> None:
        """Let the log be away once."""
        self.all[number].away = "the log is away"

    def delay_rows(self, day: int) -> None:
        """Let the last rows of a day come late."""
        self.late.add(owed(LAST)[day].start)
        self.ever_late = True

    def rows_arrive(self) -> None:
        """Let all rows be there."""
        self.late.clear()

    def reconfigure(self, number: int, name: str) -> None:
        """Give a replica another configuration."""
        self.all[number].reconfigure(name)

    def act(self, name: str) -> None:
        """Let a person act on the oldest open incident."""
        self.faults.append(Fault("person", "person"))
        self.pass_time(timedelta(seconds=1))  # nobody acts twice within one microsecond
        watch = self.all[0].watches["churn"]
        now = self.clock.now()
        with self.house.write() as connection:
            opened = incident_rows.listing(connection, "churn")
            if not opened:
                return
            if name == "resolve":
                actions.resolve(connection, watch, opened[0], "anna", "", now)
            elif name == "expect":
                actions.expect(connection, watch, opened[0], "anna", "", now)
            else:
                actions.acknowledge(connection, watch, opened[0], "anna", now)

    # --- the end ----------------------------------------------------------------------------------------------------

    def heal(self, until: Any = LAST) -> None:
        """Mend everything and let time pass until nothing is owed any more."""
        self.slack.client.faults.clear()
        self.rows_arrive()
        self.hook.doubts = self.trigger.doubts = 0
        self.clock.moment = max(self.clock.moment, self.latest)
        for number, replica in enumerate(self.all):
            replica.plan, replica.away = None, ""
            replica.store.plans.clear()
            self.thaw(number)
        self.lapse()
        for _ in range(MOST_ROUNDS):
            self.clock.moment = self.latest = self.clock.moment + DAY
            for number in range(len(self.all)):
                self.work(number)
                self.deliver(number)
            self.lapse()
            if self.clock.moment >= until and not self.waiting():
                break

    def waiting(self) -> bool:
        """Whether a letter has not come to its end."""
        with self.house.read() as connection:
            counts = outbox_rows.counts(connection)
        return bool(counts.get("pending") or counts.get("sending"))

    def history(self) -> History:
        """Return what came of it."""
        history = gather(
            self.house,
            owed(self.latest),
            receivers=("slack", "hook"),
            reconciled=("slack",),
            received=[*self.slack.workspace.receipts, *self.hook.receipts],
            ledger=self.trigger.runs,
            faults=self.faults,
            undisturbed=self.template.undisturbed or None,
        )
        # What was given up, came late or was declared expected changes what later windows show.
        same = not self.ever_late and not any(row["state"] == "skipped" for row in history.runs)
        return history if same else replace(history, undisturbed=None)

    def _until(self, number: int, plan: Plan) -> None:
        replica = self.all[number]
        if replica.frozen:
            return
        replica.plan = plan
        replica.work()
        replica.deliver()
        replica.plan = None
        self._bury(number)

    def _bury(self, number: int) -> None:
        """Start another process where one has died."""
        replica = self.all[number]
        if replica.crashed:
            replica.store.close()
            self.all[number] = self._new(replica.slot)
