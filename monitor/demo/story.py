"""The demo's replay: weeks of real windows through the daemon's own cycle and delivery, without a network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor.clocks import SetClock
from monitor.config.models import Config
from monitor.core.incident import Incident
from monitor.core.notice import Attempt, Delivered, Notice, Outcome
from monitor.core.window import Window
from monitor.cycle import Cycle, Result
from monitor.delivery import Delivery
from monitor.replay import windows_between
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store.database import Store
from monitor.store.retrains import Retraining
from monitor.watch import watches

REPLAYED = Window(datetime(2013, 4, 15, tzinfo=UTC), datetime(2013, 7, 1, tzinfo=UTC))


@dataclass
class Collector:
    """Stands for every receiver during the demo: keeps what would have been sent."""

    notices: list[Notice] = field(default_factory=list)

    def send(self, attempt: Attempt) -> Outcome:
        """Keep a notice."""
        self.notices.append(attempt.notice)
        return Delivered({"demo": attempt.notice.key})

    def probe(self) -> str:
        """Say whom a notice would reach."""
        return "kept for the demo"


@dataclass(frozen=True)
class Story:
    """What happened during the replay."""

    incidents: tuple[Incident, ...]
    notices: tuple[Notice, ...]
    retrains: tuple[Retraining, ...]


@dataclass
class Replay:
    """Replays the demo's weeks, window by window, all models side by side."""

    config: Config
    store: Store
    span: Window = REPLAYED

    def __post_init__(self) -> None:
        self.clock = SetClock(self.span.start)
        self.cycle = Cycle(self.store, self.clock)
        self.watches = watches(self.config)
        self.collector = Collector()
        self.owed = sorted(
            (window, name)
            for name, watch in self.watches.items()
            for window in windows_between(watch, self.span.start, self.span.end)
        )

    def run(self) -> Iterator[Result]:
        """Evaluate every window at the moment it falls due, and deliver what follows."""
        receivers = dict.fromkeys(self.config.notifiers, self.collector)
        delivery = Delivery(self.store, self.clock, self.cycle.owner, receivers, self.watches)
        for window, name in self.owed:
            watch = self.watches[name]
            self.clock.set(window.end + watch.model.schedule.delay)
            result = self.cycle.run(watch, window)
            if result.steps:
                delivery.flush()
            yield result

    def story(self) -> Story:
        """Return what happened."""
        with self.store.read() as connection:
            incidents = incident_rows.listing(connection, closed=True)
            retrains = retrain_rows.listing(connection)
        return Story(tuple(incidents), tuple(self.collector.notices), tuple(retrains))
