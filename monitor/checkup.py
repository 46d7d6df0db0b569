"""The check-up of a running daemon: its pulse and the store's rows, asked for with patience that has an end."""

import threading
import time
from concurrent import futures
from concurrent.futures import Future
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from monitor import health
from monitor.core.errors import LeewayError
from monitor.core.ports import Clock
from monitor.health import Problem, Rows
from monitor.pulse import Pulse
from monitor.store import canaries, overview
from monitor.store.database import Store, StoreAwayError

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from monitor.config.models import Config

T = TypeVar("T")
PATIENCE = 3.0  # seconds that the store has to answer; who scrapes waits ten
FRESH = 3.0  # seconds for which an answer is good: many may ask
LATELY = timedelta(days=1)


class Checkup:
    """Tells whether a daemon and its store are well.

    Parameters
    ----------
    store, clock, pulse : the daemon's own.
    config : returns the configuration in force.
    """

    def __init__(self, store: Store, clock: Clock, pulse: Pulse, config: "Callable[[], Config]") -> None:
        self.store, self.clock, self.pulse, self.config = store, clock, pulse, config
        self.skew = 0.0  # seconds that this machine's clock is ahead of the store's
        self.started_at = clock.now()
        self._glances: dict[str, tuple[float, Future[object]]] = {}  # since when what is asked
        self._lock = threading.Lock()
        self._known: tuple[float, list[Problem]] | None = None

    def of_process(self) -> list[Problem]:
        """Return what is wrong with this process; asks the store nothing."""
        config = self.config()
        windows = {name: model.schedule.every for name, model in config.models.items()}
        return health.of_process(self.pulse.vitals(), config.tick.total_seconds(), windows, self.skew)

    def problems(self) -> list[Problem]:
        """Return what is wrong with this process and as the store has it."""
        with self._lock:
            known = self._known
        if known is not None and time.monotonic() - known[0] < FRESH:
            return known[1]
        found = self.of_process()
        try:
            rows = self.glance("rows", self.rows)
        except LeewayError as error:
            if all(problem.name != "store_away" for problem in found):
                found.append(Problem("store_away", str(error)))
        else:
            canary = self.config().canary
            every = canary.every if canary is not None else None
            found += health.of_store(rows, self.clock.now(), every, self.started_at)
        with self._lock:
            self._known = time.monotonic(), found
        return found

    def glance(self, what: str, read: "Callable[[sa.Connection], T]") -> T:
        """Read the store; one that does not answer soon is away, and is not asked again until it has answered.

        Raises
        ------
        UnavailableError
            When the store cannot be reached, or does not answer in time.
        """
        now = time.monotonic()
        with self._lock:
            since, asked = self._glances.get(what, (now, None))
            if asked is None or asked.done():
                since, asked = self._glances[what] = now, Future()
                threading.Thread(target=self._look, args=(asked, read), name=f"glance-{what}", daemon=True).start()
        try:
            return asked.result(max(0.0, since + PATIENCE - now))  # type: ignore[return-value]  # what was read
        except TimeoutError as error:
            raise StoreAwayError(f"the store did not answer in {PATIENCE:.0f} s") from error

    def end(self) -> None:
        """Wait for what is being read, as long as an answer may take: its connection would outlive the store."""
        with self._lock:
            asked = [future for _, future in self._glances.values()]
        futures.wait(asked, PATIENCE)

    def _look(self, asked: "Future[object]", read: "Callable[[sa.Connection], object]") -> None:
        try:
            with self.store.read() as connection:
                found = read(connection)
        except BaseException as error:  # noqa: BLE001 - it is raised where it was asked for
            asked.set_exception(error)
        else:
            asked.set_result(found)  # who waits for it may close the store: its connection has been given back

    def compare(self, store_time: float) -> None:
        """Compare this machine's clock with the store's, in seconds since 1970."""
        self.skew = time.time() - store_time

    def rows(self, connection: "sa.Connection") -> Rows:
        """Read what the store says of health."""
        return read_rows(connection, self.config(), self.clock.now())


def read_rows(connection: "sa.Connection", config: "Config", now: datetime) -> Rows:
    """Read what the store says of health; three statements."""
    return Rows(
        overview.letters(connection, now - LATELY),
        canaries.latest(connection),
        overview.told(connection, config.models, now) / config.false_alarms.per_30_days,
    )
