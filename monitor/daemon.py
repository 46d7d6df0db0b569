"""The daemon: ticks that ask the store what is owed, workers that do it, and a loop that watches the ticks."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any

import structlog

from monitor.config.models import Config
from monitor.core.errors import LeewayError
from monitor.core.ports import Clock
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.store.database import Store
from monitor.watch import Watch, watches

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler

log = structlog.get_logger("monitor.daemon")

SUPERVISION_SECONDS = 1.0


@dataclass
class Daemon:
    """One process that watches every configured model.

    Parameters
    ----------
    store : an open store.
    clock : tells the time.
    load : reads the configuration anew, for SIGHUP; raises LeewayError when it is wrong.
    """

    store: Store
    clock: Clock
    load: Callable[[], Config]
    config: Config
    stopping: threading.Event = field(default_factory=threading.Event)
    _reload: threading.Event = field(default_factory=threading.Event)
    _busy: dict[str, "Future[None]"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cycle = Cycle(self.store, self.clock)
        self.watches: dict[str, Watch] = watches(self.config)
        self._pool = ThreadPoolExecutor(self.config.workers, thread_name_prefix="check")
        self._outgoing = ThreadPoolExecutor(1, thread_name_prefix="deliver")

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; the step at hand is finished first."""
        self._listen()
        scheduler = self._start_ticks()
        log.info("daemon.started", models=list(self.watches), store=self.store.engine.url.render_as_string())
        while not self.stopping.wait(SUPERVISION_SECONDS):
            if self._reload.is_set():
                self._reload.clear()
                scheduler = self._apply_reload(scheduler)
            if not _alive(scheduler):
                log.error("ticks.died", remedy="started again")
                scheduler = self._start_ticks()
        log.info("daemon.stopping", busy=[name for name, work in self._busy.items() if not work.done()])
        _end(scheduler)
        self._pool.shutdown(wait=True)
        self._outgoing.shutdown(wait=True)
        self.store.close()
        log.info("daemon.stopped")

    def tick(self) -> None:
        """Give every model that is not being worked on to a worker, and the outbox to the deliverer."""
        for name, watch in self.watches.items():
            if self.stopping.is_set():
                return
            self._submit(self._pool, name, partial(self._work, watch))
        self._submit(self._outgoing, "outbox", self._deliver)

    def _submit(self, pool: ThreadPoolExecutor, name: str, work: Callable[[], None]) -> None:
        earlier = self._busy.get(name)
        if earlier is None or earlier.done():
            self._busy[name] = pool.submit(_guarded, name, work)

    def _work(self, watch: Watch) -> None:
        self.cycle.catch_up(watch, self._stops())

    def _stops(self) -> Iterator[bool]:
        while True:
            yield self.stopping.is_set()

    def _deliver(self) -> None:
        Delivery(self.store, self.clock, self.cycle.owner, self.config.notifiers, self.watches).flush()

    def _listen(self) -> None:
        def stop(number: int, _frame: FrameType | None) -> None:
            log.info("signal", name=signal.Signals(number).name)
            self.stopping.set()

        def reload(_number: int, _frame: FrameType | None) -> None:
            self._reload.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reload)

    def _start_ticks(self) -> "BackgroundScheduler":
        from apscheduler.schedulers.background import BackgroundScheduler

        scheduler = BackgroundScheduler(timezone="UTC")
        options: dict[str, Any] = {"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        seconds = self.config.tick.total_seconds()
        scheduler.add_job(self.tick, "interval", seconds=seconds, next_run_time=self.clock.now(), **options)
        scheduler.start()
        return scheduler

    def _apply_reload(self, scheduler: "BackgroundScheduler") -> "BackgroundScheduler":
        """Take the new configuration, or keep the old one and say why."""
        try:
            config = self.load()
        except LeewayError as error:
            log.error("config.kept", reason=str(error))  # noqa: TRY400 - a user's mistake needs no traceback
            return scheduler
        _end(scheduler)
        self.config, self.watches = config, watches(config)
        log.info("config.reloaded", models=list(self.watches))
        return self._start_ticks()


def _guarded(name: str, work: Callable[[], None]) -> None:
    """Keep one model's trouble from the others: whatever happens is logged, and the next tick tries again."""
    try:
        work()
    except LeewayError as error:
        log.error("work.failed", work=name, reason=str(error))  # noqa: TRY400 - as above
    except Exception:
        log.exception("work.crashed", work=name)


def _alive(scheduler: "BackgroundScheduler") -> bool:
    # APScheduler's `state` goes on saying "running" after an error has ended its thread.
    thread: threading.Thread | None = getattr(scheduler, "_thread", None)
    return thread is not None and thread.is_alive()


def _end(scheduler: "BackgroundScheduler") -> None:
    if scheduler.running and _alive(scheduler):
        scheduler.shutdown(wait=False)
