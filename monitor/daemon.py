"""The daemon: ticks that ask the store what is owed, workers that do it, and a loop that heeds signals."""

import queue
import signal
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from zlib import crc32

import structlog

from monitor.buttons import Buttons
from monitor.canary import Canary
from monitor.checkup import PATIENCE, Checkup
from monitor.config.errors import ConfigError
from monitor.config.models import Config
from monitor.core.errors import LeewayError
from monitor.core.ports import Clock
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.following import Following
from monitor.footprint import give_back
from monitor.pulse import FLUSHED, FOLLOWING, LOOKED, RENEWAL, TICK, Pulse
from monitor.retaining import Daily
from monitor.revising import revise
from monitor.signs import Signs
from monitor.store.database import SchemaChangedError, Store, StoreAwayError
from monitor.store.leases import RENEWAL_SECONDS
from monitor.store.schema import still_ours
from monitor.ticks import Ticks
from monitor.watch import Watch, watches

log = structlog.get_logger("monitor.daemon")

SUPERVISION_SECONDS = 1.0
TURN = 4  # windows that one model has evaluated before the others have theirs
_OUTBOX = "outbox"
_READING = ("models", _OUTBOX, "schema", "leases")  # work that mostly reads
_KEPT = "The configuration that was read before stays in force."


@dataclass
class Daemon:
    """One process that watches every configured model.

    Parameters
    ----------
    store : an open store.
    clock : tells the time.
    load : reads the configuration anew, for SIGHUP; raises LeewayError when it is wrong.
    config : the configuration to begin with.
    """

    store: Store
    clock: Clock
    load: Callable[[], Config]
    config: Config
    stopping: threading.Event = field(default_factory=threading.Event)
    _signals: "queue.SimpleQueue[signal.Signals]" = field(default_factory=queue.SimpleQueue)
    _busy: dict[str, "Future[None]"] = field(default_factory=dict)
    pulse: Pulse = field(default_factory=Pulse)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.cycle = Cycle(self.store, self.clock, pulse=self.pulse)
        self.watches: dict[str, Watch] = watches(self.config)
        self._opened = self.config.store
        self._outlived: SchemaChangedError | None = None
        self._daily = Daily(self.clock)
        self._canary = Canary(self.cycle, self.config)
        self._following = Following(self.store, self.clock)
        self._pool = ThreadPoolExecutor(self.config.workers, thread_name_prefix="check")
        self._outgoing = ThreadPoolExecutor(1, thread_name_prefix="deliver")
        self._buttons = self._new_buttons()
        checkup = Checkup(self.store, self.clock, self.pulse, lambda: self.config)
        self.signs = Signs(
            checkup, lambda: self.cycle.owner, lambda: self.watches, self.stopping.is_set, self._following.hasten
        )

    def listen(self) -> None:
        """Heed SIGTERM, SIGINT and SIGHUP; for the main thread of a process."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def ask(self, number: signal.Signals) -> None:
        """Do what a signal asks for, as soon as the loop comes to it."""
        self._signals.put(number)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; the step at hand is finished first.

        Raises
        ------
        UserError
            When the web port cannot be had; nothing was begun.
        SchemaChangedError
            When another release has migrated the store: this one ends in order.
        """
        self.signs.start()
        log.info("daemon.started", models=list(self.watches), store=self.store.name)
        ticks = self._ticks()
        self._buttons.start()
        while not self.stopping.is_set():
            try:
                number = self._signals.get(timeout=min(SUPERVISION_SECONDS, self.signs.systemd.interval / 2))
            except queue.Empty:
                number = None
            if number is signal.SIGHUP:
                self.signs.systemd.reloading()
                ticks = self._reload(ticks)
                self.signs.systemd.ready()
            elif number is not None:
                self._stop(number)
            if not ticks.alive or ticks.stalled:
                log.error("ticks.stalled" if ticks.alive else "ticks.died", remedy="started again")
                ticks.end()
                ticks.start()
            self.signs.attend()
        self.signs.systemd.stopping()
        self._buttons.stop()
        wait(self._busy.values())  # their leases are still renewed meanwhile
        ticks.end()
        ticks.wait(PATIENCE)  # a call that is under way holds one of the store's connections
        for pool in (self._pool, self._outgoing):
            pool.shutdown(wait=True)
        self.signs.stop()
        self.store.close()
        log.info("daemon.stopped")
        if self._outlived is not None:
            raise self._outlived

    def tick(self) -> None:
        """Queue every model that owes windows, unless it is queued or worked on already, and the outbox."""
        self._guarded("models", self._look)
        self._submit(_OUTBOX, self._deliver)
        if self._daily.due:
            self._submit("retention", self._prune)
        if self._canary.due:
            self._submit("canary", self._prove)
        if self._following.owes(self.watches.values()):
            self._submit(FOLLOWING, self._follow)

    def _look(self) -> None:
        names = [watch.name for watch in self.cycle.owing(self.watches.values())]
        self.pulse.mark(LOOKED)
        # Every replica has an order of its own, always the same: so they seldom meet, and each is left its own models.
        for name in sorted(names, key=lambda name: crc32(f"{self.cycle.owner} {name}".encode())):
            self._submit(_work(name), partial(self._turn, name))
        self._forget_troubles(names)
        if not names and self.cycle.forget():
            give_back(everything=True)

    def _submit(self, name: str, work: Callable[[], None], *, again: bool = False) -> None:
        """Queue some work, unless it is queued already or, but for ``again``, under way."""
        with self._lock:
            earlier = self._busy.get(name)
            if self.stopping.is_set() or not (again or earlier is None or earlier.done()):
                return
            pool = self._outgoing if name == _OUTBOX else self._pool
            self._busy[name] = pool.submit(self._guarded, name, work)

    def _turn(self, name: str) -> None:
        """Evaluate some owed windows of a model, and queue up behind the others if there may be more."""
        watch = self.watches.get(name)
        if watch is None:
            return  # it has left the configuration meanwhile
        try:
            results = self.cycle.catch_up(watch, TURN, self.stopping.is_set)
            looked = revise(self.cycle, watch, TURN, self.stopping.is_set)
        finally:
            give_back()
        if looked == TURN or (len(results) == TURN and results[-1].outcome == "done"):
            self._submit(_work(name), partial(self._turn, name), again=True)

    def _deliver(self) -> None:
        delivery = Delivery(
            self.store, self.clock, self.cycle.owner, self.config.notifiers, self.watches, self.cycle.leases,
            self.config.fallback, self.pulse,
        )  # fmt: skip
        delivery.flush(stopping=self.stopping.is_set)
        self.pulse.mark(FLUSHED)

    def _new_buttons(self) -> Buttons:
        """Return who listens to the buttons of the present configuration; what they do is told without delay."""
        tell = partial(self._submit, _OUTBOX, self._deliver, again=True)
        return Buttons(self.store, self.clock, self.config.notifiers, self.watches, tell)

    def _prove(self) -> None:
        self._canary.prove_if_due(self.stopping.is_set)
        give_back(everything=True)

    def _follow(self) -> None:
        self._following.work(self.watches.values())

    def _prune(self) -> None:
        self._daily.work(self.store, self.config, self.cycle.owner, self.stopping.is_set)

    def _renew(self) -> None:
        self._guarded("schema", lambda: still_ours(self.store))
        self._guarded("leases", lambda: self.cycle.leases.renew(self.store))
        self._guarded("heartbeat", self.signs.beat)

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Keep one piece of work's trouble from the others; it is logged once, and the next tick tries again."""
        try:
            work()
        except SchemaChangedError as error:
            if self._outlived is None:
                self._outlived = error
                log.error("schema.changed", reason=str(error))  # noqa: TRY400 - as below
                self.ask(signal.SIGTERM)
        except LeewayError as error:
            if self.pulse.failed(name, str(error), store=isinstance(error, StoreAwayError)):
                log.error("work.failed", work=name, reason=str(error))  # noqa: TRY400 - it needs no traceback
        except Exception as error:
            kind = type(error).__name__  # its own words may hold a secret: they are for the log, which hides it
            if self.pulse.failed(name, f"a defect ({kind})", known=f"{kind}: {error}"):
                log.exception("work.crashed", work=name)
        else:
            if self.pulse.well(name, wrote=name not in _READING):
                log.info("work.recovered", work=name)

    def _forget_troubles(self, owing: Collection[str]) -> None:
        """Forget what failed with models that owe nothing any more, for another has done it or they are gone."""
        with self._lock:
            busy = {name for name, work in self._busy.items() if not work.done()}
        self.pulse.well_but(_work(""), busy.union(map(_work, owing)))

    def _note(self, number: int, _frame: FrameType | None) -> None:
        # A handler may interrupt anything, even the log: it only leaves word.
        self.ask(signal.Signals(number))
        if number != signal.SIGHUP:
            signal.signal(number, signal.SIG_DFL)  # the second time ends the process at once

    def _stop(self, number: signal.Signals) -> None:
        with self._lock:
            self.stopping.set()
            busy = [name for name, work in self._busy.items() if work.running()]
            for work in self._busy.values():
                work.cancel()
        log.info("daemon.stopping", signal=number.name, busy=busy)

    def _ticks(self) -> Ticks:
        tick = self.config.tick.total_seconds()
        return Ticks(self.pulse, {TICK: (self.tick, tick), RENEWAL: (self._renew, RENEWAL_SECONDS)})

    def _reload(self, ticks: Ticks) -> Ticks:
        """Take the new configuration, or keep the old one and say why."""
        try:
            config = self.load()
        except ConfigError as error:
            log.error("config.kept", reason=error.report(consequence=_KEPT))  # noqa: TRY400 - as above
            return ticks
        except LeewayError as error:
            log.error("config.kept", reason=f"{error} {_KEPT}")  # noqa: TRY400 - as above
            return ticks
        except Exception:
            log.exception("config.kept", reason=_KEPT)
            return ticks
        if config.store != self._opened:
            log.warning(
                "store.kept", reason="a change of `store` needs a restart; the store opened at the start is used"
            )
        ticks.end()
        if config.workers != self.config.workers:
            with self._lock:
                self._pool.shutdown(wait=False)  # what it has been given it still does
                self._pool = ThreadPoolExecutor(config.workers, thread_name_prefix="check")
        added, removed = (
            sorted({*config.models} - {*self.config.models}),
            sorted({*self.config.models} - {*config.models}),
        )
        self.config, self.watches = config, watches(config)
        log.info("config.reloaded", models=list(self.watches), added=added, removed=removed)
        self._buttons.stop()
        self._canary = Canary(self.cycle, self.config)
        self._buttons = self._new_buttons()
        self._buttons.start()
        self.signs.reload(config)
        return self._ticks()


def _work(model: str) -> str:
    return f"models.{model}"
