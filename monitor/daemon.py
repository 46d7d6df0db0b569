"""The daemon: ticks that ask the store what is owed, workers that do it, and a loop that heeds signals."""

import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from zlib import crc32

import structlog

from monitor.buttons import Buttons
from monitor.config.errors import ConfigError
from monitor.config.models import Config
from monitor.core.errors import LeewayError
from monitor.core.ports import Clock
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.footprint import give_back
from monitor.store.database import Store
from monitor.store.leases import RENEWAL_SECONDS
from monitor.ticks import Ticks
from monitor.watch import Watch, watches

log = structlog.get_logger("monitor.daemon")

SUPERVISION_SECONDS = 1.0
TURN = 4  # windows that one model has evaluated before the others have theirs
_OUTBOX = "outbox"
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
    _troubles: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.cycle = Cycle(self.store, self.clock)
        self.watches: dict[str, Watch] = watches(self.config)
        self._opened = self.config.store
        self._pool = ThreadPoolExecutor(self.config.workers, thread_name_prefix="check")
        self._outgoing = ThreadPoolExecutor(1, thread_name_prefix="deliver")
        self._buttons = self._new_buttons()

    def listen(self) -> None:
        """Heed SIGTERM, SIGINT and SIGHUP; for the main thread of a process."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def ask(self, number: signal.Signals) -> None:
        """Do what a signal asks for, as soon as the loop comes to it."""
        self._signals.put(number)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; the step at hand is finished first."""
        log.info("daemon.started", models=list(self.watches), store=self.store.engine.url.render_as_string())
        ticks = self._ticks()
        self._buttons.start()
        while not self.stopping.is_set():
            try:
                number = self._signals.get(timeout=SUPERVISION_SECONDS)
            except queue.Empty:
                number = None
            if number is signal.SIGHUP:
                ticks = self._reload(ticks)
            elif number is not None:
                self._stop(number)
            if not ticks.alive:
                log.error("ticks.died", remedy="started again")
                ticks.end()
                ticks.start()
        self._buttons.stop()
        wait(self._busy.values())  # their leases are still renewed meanwhile
        ticks.end()
        for pool in (self._pool, self._outgoing):
            pool.shutdown(wait=True)
        self.store.close()
        log.info("daemon.stopped")

    def tick(self) -> None:
        """Queue every model that owes windows, unless it is queued or worked on already, and the outbox."""
        self._guarded("models", self._look)
        self._submit(_OUTBOX, self._deliver)

    def _look(self) -> None:
        names = [watch.name for watch in self.cycle.owing(self.watches.values())]
        # Every replica has an order of its own, always the same: so they seldom meet, and each is left its own models.
        for name in sorted(names, key=lambda name: crc32(f"{self.cycle.owner} {name}".encode())):
            self._submit(_work(name), partial(self._turn, name))
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
        finally:
            give_back()
        if len(results) == TURN and results[-1].outcome == "done":
            self._submit(_work(name), partial(self._turn, name), again=True)

    def _deliver(self) -> None:
        delivery = Delivery(
            self.store, self.clock, self.cycle.owner, self.config.notifiers, self.watches, self.cycle.leases
        )
        delivery.flush(stopping=self.stopping.is_set)

    def _new_buttons(self) -> Buttons:
        """Return who listens to the buttons of the present configuration; what they do is told without delay."""
        tell = partial(self._submit, _OUTBOX, self._deliver, again=True)
        return Buttons(self.store, self.clock, self.config.notifiers, self.watches, tell)

    def _renew(self) -> None:
        self._guarded("leases", lambda: self.cycle.leases.renew(self.store))

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Keep one piece of work's trouble from the others; it is logged once, and the next tick tries again."""
        try:
            work()
        except LeewayError as error:
            if self._is_news(name, str(error)):
                log.error("work.failed", work=name, reason=str(error))  # noqa: TRY400 - it needs no traceback
        except Exception as error:
            if self._is_news(name, f"{type(error).__name__}: {error}"):
                log.exception("work.crashed", work=name)
        else:
            if self._troubles.pop(name, None) is not None:
                log.info("work.recovered", work=name)

    def _is_news(self, name: str, trouble: str) -> bool:
        known = self._troubles.get(name)
        self._troubles[name] = trouble
        return known != trouble

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
        return Ticks({self.tick: self.config.tick.total_seconds(), self._renew: RENEWAL_SECONDS})

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
        self._buttons = self._new_buttons()
        self._buttons.start()
        return self._ticks()


def _work(model: str) -> str:
    return f"models.{model}"
