"""Several replicas in one process, step by step: each may crash or freeze at a failpoint, and thaw when others went on.

One thread a replica, of which only one runs at a time, so that a history is the same every time it is played.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import monitor.cycle
import monitor.delivery
import monitor.notifiers._slack_bot
import monitor.revising
from monitor.core.errors import LeewayError, UnavailableError
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.store.database import Store, StoreAwayError, connect
from monitor.store.tables import outbox, runs
from tests.faults import journal
from tests.faults.history import Fault
from tests.faults.house import Template

TURN = 4
PATIENCE = 30.0  # seconds until a step that does not end is a defect
_local = threading.local()
_owners: dict[int, str] = {}


class Crashed(BaseException):
    """The process is gone: nothing in the code may catch it."""


@cache
def engine_of(url: str, slot: int) -> sa.Engine:
    """Return the engine of one place among the replicas; kept, for what SQLAlchemy compiles is kept with it."""
    engine = connect(url).engine
    journal.sign(engine, lambda: _owners[slot])
    return engine


class MovingClock:
    """A wall clock, which may be set forward and back."""

    def __init__(self, now: datetime) -> None:
        self.moment = now

    def now(self) -> datetime:
        """Return what the clock shows."""
        return self.moment

    def sleep(self, seconds: float) -> None:
        """Wait for nothing: nobody here sleeps."""


@dataclass(frozen=True)
class FlakyStore(Store):
    """A store whose connection may be cut before or after its next commit."""

    plans: list[str] = field(default_factory=list)

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes, unless the connection is cut: what is known then is less than what is so."""
        plan = self.plans.pop(0) if self.plans else ""
        with super().write() as connection:
            yield connection
            if plan == "before":
                raise StoreAwayError("the connection was cut before the commit")
        if plan == "after":
            raise StoreAwayError("the connection was cut after the commit")


@dataclass
class Plan:
    """What happens when a replica next comes to a place: it crashes, or freezes until it is thawed."""

    place: str
    crash: bool
    number: int = 1
    alive: bool = False  # it is at long work rather than frozen, and renews its claims


@dataclass
class Replica:
    """One process: its own connection, its own name, its own view of the configuration."""

    owner: str
    slot: int
    template: Template
    path: Path
    clock: MovingClock
    notifiers: dict[str, Any]
    trigger: Any
    faults: list[Fault]
    late: set[datetime] = field(default_factory=set)
    configuration: str = "first"
    plan: Plan | None = None
    away: str = ""

    def __post_init__(self) -> None:
        self.store = FlakyStore(engine_of(f"sqlite:///{self.path}", self.slot))
        _owners[self.slot] = self.owner
        self.cycle = Cycle(self.store, self.clock, owner=self.owner, reader=self._read)
        self.reconfigure(self.configuration)
        self.reached = threading.Event()
        self.may_go = threading.Event()
        self.thread: threading.Thread | None = None
        self.crashed = self.lingers = False
        self.error: Exception | None = None

    def reconfigure(self, name: str) -> None:
        """Take another configuration."""
        watch = self.template.watch(name)
        retrain = watch.model.retrain.model_copy(update={"trigger": self.trigger})
        object.__setattr__(watch, "model", watch.model.model_copy(update={"retrain": retrain}))
        self.watches = {"churn": watch}

    def _read(self, watch: Any, window: Any, bins: Any) -> Any:
        if self.away:
            reason, self.away = self.away, ""
            raise UnavailableError(reason)
        return self.template.reader(watch, window, bins, late=window.start in self.late)

    @property
    def frozen(self) -> bool:
        """Whether it stands still in the middle of something."""
        return self.thread is not None

    def work(self) -> None:
        """Evaluate what is owed, as one turn of the daemon does."""
        self._begin(self._turn)

    def deliver(self) -> None:
        """Deliver what is due."""
        delivery = Delivery(self.store, self.clock, self.owner, self.notifiers, self.watches, self.cycle.leases)
        self._begin(delivery.flush)

    def thaw(self) -> None:
        """Go on from where it froze."""
        self.lingers = False
        if self.frozen:
            self.reached.clear()
            self.may_go.set()
            self._wait()

    def end(self) -> None:
        """Let go of the store."""
        self.plan = None
        self.thaw()
        self.store.close()

    def arrive(self, place: str) -> None:
        """Come to a failpoint."""
        plan = self.plan
        if plan is None or plan.place != place:
            return
        plan.number -= 1
        if plan.number:
            return
        self.plan = None
        self.lingers = plan.alive
        if not plan.alive:
            self.faults.append(Fault("dead", self.owner))
        if place == "letter.sent" or place == "letter.settled":
            self.faults.append(Fault("ambiguous", "hook"))
        if plan.crash:
            raise Crashed
        if place.startswith("letter."):
            self.faults.append(Fault("ambiguous", "hook"))  # who takes over does not know whether it was sent
        self.may_go.clear()
        self.reached.set()
        self.may_go.wait(PATIENCE)

    def _turn(self) -> None:
        watches = self.cycle.owing(self.watches.values())
        for watch in watches:
            self.cycle.catch_up(watch, TURN)
            monitor.revising.revise(self.cycle, watch, TURN)

    def _begin(self, work: Callable[[], object]) -> None:
        if self.frozen or self.crashed:
            return
        self.reached.clear()
        self.thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self.thread.start()
        self._wait()

    def _run(self, work: Callable[[], object]) -> None:
        _local.replica = self
        try:
            work()
        except LeewayError:
            pass  # the daemon logs it, and the next tick tries again
        except Crashed:
            self.crashed = True
        except Exception as error:  # noqa: BLE001 - the test shows it
            self.error = error
        finally:
            self.thread = None
            self.reached.set()

    def _wait(self) -> None:
        thread = self.thread
        assert self.reached.wait(PATIENCE), f"{self.owner} hangs"
        if self.thread is None and thread is not None:
            thread.join(PATIENCE)
        if self.error is not None:
            raise self.error


@contextmanager
def failpoints() -> Iterator[None]:
    """Let the code's failpoints ask the replica that runs; and draw no charts, which takes long."""
    modules: Sequence[Any] = (monitor.cycle, monitor.delivery, monitor.revising)
    before = [module.reach for module in modules]
    draw, monitor.notifiers._slack_bot.png = monitor.notifiers._slack_bot.png, lambda _: b"a chart"

    def reach(place: str) -> None:
        replica = getattr(_local, "replica", None)
        if replica is not None:
            replica.arrive(place)

    for module in modules:
        module.reach = reach
    try:
        yield
    finally:
        for module, real in zip(modules, before, strict=True):
            module.reach = real
        monitor.notifiers._slack_bot.png = draw


def lapse(store: Store) -> None:
    """Let all leases run out, as if none had been renewed for a minute."""
    with store.write() as connection:
        for table in (runs, outbox):
            connection.execute(table.update().where(table.c.lease_until.is_not(None)).values(lease_until=0.0))
