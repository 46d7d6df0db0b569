"""A world in which versions change: the log drifts, a new version is trained on what came since, and serves."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq

from monitor import referencing
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows
from monitor.store.schema import open_store
from monitor.testing import RecordingNotifier
from monitor.watch import watches
from tests.worlds import CONFIG, REFERENCE_DAYS, START, day_of, rows_of, shift, world

DAY = timedelta(days=1)
BY_COLUMN = CONFIG.replace('{file: reference.parquet, version: "7"}', '{file: "reference-{version}.parquet"}').replace(
    "    checks: auto\n", "    version: model_version\n    checks: auto\n"
)


def versioned(*changes):
    """Write into every row which version served it; ``changes`` are (day, version), oldest first."""

    def change(rows):
        rows["model_version"] = [
            max((c for c in changes if c[0] <= day_of(t)), key=lambda c: c[0])[1] for t in rows["ts"]
        ]

    return change


def both(*changes):
    """Make several changes."""

    def change(rows):
        for one in changes:
            one(rows)

    return change


def write_reference_of(folder, version, by=0.0):
    """Write a version's reference, its ages ``by`` higher; return the file."""
    rows = rows_of(START - REFERENCE_DAYS * DAY, REFERENCE_DAYS, 1)
    rows["age"] = [age + by for age in rows["age"]]
    path = folder / f"reference-{version}.parquet"
    pq.write_table(pa.table(rows), path)
    return path


class House:
    """A store, a cycle and a clock over such a world."""

    def __init__(self, folder, config=BY_COLUMN, *, days=24, change=None, versions=((0, "7"), (10, "8")), drift=8.0):
        self.folder = folder
        write_reference_of(folder, "7")
        changes = [shift("age", drift, 5), *([versioned(*versions)] if versions else []), *([change] if change else [])]
        self.config = read(world(folder, days, both(*changes), config))
        self.store = open_store(self.config.store.get_secret_value())
        self.clock = SetClock(START)
        self.cycle = Cycle(self.store, self.clock, owner="test")
        self.watches = watches(self.config)
        self.watch = self.watches["churn"]
        self.receiver = RecordingNotifier()

    def reload(self):
        """Read the configuration again, as the daemon does when it has changed."""
        self.config = read(self.folder / "config.yaml")
        self.watches = watches(self.config)
        self.watch = self.watches["churn"]

    def build(self, model):
        """Build the snapshot that a model's configuration describes."""
        return referencing.snapshot(model, "churn", now=self.clock.now(), who="test")

    def until(self, day):
        """Evaluate all windows that end by a day."""
        self.clock.set(START + day * DAY + timedelta(hours=1))
        return self.cycle.catch_up(self.watch)

    def deliver(self):
        Delivery(
            self.store, self.clock, "test", dict.fromkeys(self.config.notifiers, self.receiver), self.watches
        ).flush()
        return [attempt.notice for attempt in self.receiver.attempts]

    def read(self, look, *args, **options):
        with self.store.read() as connection:
            return look(connection, *args, **options)

    @property
    def runs(self):
        return self.read(run_rows.listing, "churn")

    @property
    def versions(self):
        return self.read(version_rows.listing, "churn")

    @property
    def incidents(self):
        return self.read(incident_rows.listing, "churn", closed=True)

    @property
    def requests(self):
        return self.read(retrain_rows.listing)

    def incident(self, fault):
        return next(i for i in self.incidents if i.fault == fault or fault in i.columns)

    def timeline(self, incident):
        return self.read(incident_rows.timeline, incident.id)

    def close(self):
        self.store.close()
