"""A small model that fires, asks for a retraining and resolves within ten windows, and whose windows cost nothing."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from shutil import copy

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checks.profile import Bins
from monitor.clocks import SetClock
from monitor.config.models import Config
from monitor.config.reading import read
from monitor.core.ports import Reading
from monitor.core.schedule import Schedule
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.store.schema import scratch_store
from monitor.testing.source import MemorySource
from monitor.watch import Watch, watches
from tests.faults import journal
from tests.faults.history import Owed

DAY = timedelta(days=1)
ZONE = "Europe/Berlin"
START = datetime(2026, 3, 24, 23, tzinfo=UTC)  # midnight in Berlin; summer time begins on the fifth day
DAYS = 6
A_DAY = 60  # rows
REFERENCE_DAYS = 20
DRIFT, NULLS = range(1, 3), range(4, 5)  # days on which the amount has moved, and on which the age is null
CONFIG = """\
store: sqlite:///monitor.db
canary: off
models:
  churn:
    logs: {{url: sqlite:///logs.db, table: predictions, time: ts, id: id}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1d, delay: 1h, start: 2026-03-24T23:00:00Z, timezone: Europe/Berlin, catch_up: {catch_up}}}
    checks: [{{location: {{columns: [age]}}}}, {{null_rate: {{threshold: 0.5}}}}, {{ks: {{threshold: 0.6}}}}]
    alerts: {{open_after: 2, resolve_after: {resolve_after}}}
    retrain: {{mode: auto, cooldown: 1h, trigger: {{command: {{argv: ["true"]}}}}}}
    sample: 5
notifiers: {{slack: stdout, hook: stdout}}
"""


def rows(first: datetime, days: int, seed: int, *, drift: range = range(0), nulls: range = range(0)) -> pa.Table:
    """Return rows with an id, a time, an age that is null on some days, and an amount that has moved on others."""
    rng = np.random.default_rng(seed)
    size = days * A_DAY
    times = [first + timedelta(seconds=86400 * (i + 0.5) / A_DAY) for i in range(size)]
    age = rng.normal(40, 10, size).round(2).tolist()
    amount = rng.normal(100, 20, size).round(2)
    for i, time in enumerate(times):
        day = (time - first) // DAY
        if day in drift:
            amount[i] += 200
        if day in nulls:
            age[i] = None
    return pa.table({"id": [seed * 10**6 + i for i in range(size)], "ts": times, "age": age, "amount": amount})


@dataclass(frozen=True, repr=False)
class Template:
    """Everything that is the same for all simulations: configurations, a store that has learnt, readings.

    ``undisturbed`` is what every window finds when nothing goes wrong.
    """

    folder: Path
    configs: dict[str, Config]
    store: Path
    bins: Mapping[str, Bins]
    readings: dict[tuple[datetime, bool], Reading] = field(default_factory=dict)
    undisturbed: dict[Owed, str] = field(default_factory=dict)

    def watch(self, name: str = "first") -> Watch:
        """Return the model as one of the configurations has it."""
        return watches(self.configs[name])["churn"]

    def fresh_store(self) -> Path:
        """Return a store as new, in the place of the last one, which nobody has open any more."""
        target = self.folder / "monitor.db"
        for suffix in ("-wal", "-shm"):
            target.with_name(f"monitor.db{suffix}").unlink(missing_ok=True)
        copy(self.store, target)
        return target

    def reader(self, watch: Watch, window: Window, bins: object, *, late: bool = False) -> Reading:
        """Read a window from memory, once for all simulations; where rows are ``late``, without the last of them."""
        key = (window.start, late)
        if key not in self.readings:
            table = _log()
            if late:
                table = table.filter(pc.less(table["ts"], pa.scalar(window.end - timedelta(hours=5), table["ts"].type)))
            read = MemorySource(table, "ts", "id").read
            self.readings[key] = read(window, bins or self.bins, watch.model.sample)  # type: ignore[arg-type]
        return self.readings[key]


@cache
def _log() -> pa.Table:
    return rows(START, DAYS, 2, drift=DRIFT, nulls=NULLS)


def template(folder: Path, catch_up: str = "30d") -> Template:
    """Build what simulations begin with: the reference is in the store, and what it teaches is learnt."""
    pq.write_table(rows(START - REFERENCE_DAYS * DAY, REFERENCE_DAYS, 1), folder / "reference.parquet")
    with sqlite3.connect(folder / "logs.db") as connection:  # which is looked at once, for its columns
        connection.execute("CREATE TABLE predictions (id INTEGER, ts TEXT, age REAL, amount REAL)")
    configs = {}
    for name, resolve_after in (("first", 1), ("second", 2)):
        path = folder / f"{name}.yaml"
        path.write_text(CONFIG.format(catch_up=catch_up, resolve_after=resolve_after))
        configs[name] = read(path)
    store = scratch_store(folder)
    cycle = Cycle(store, SetClock(START), owner="template")
    subjects = [cycle.subject(watches(config)["churn"]) for config in configs.values()]
    built = Template(folder, configs, folder / "scratch.db", subjects[0].reference.bins)
    journal.install(store.engine)
    store.close()
    with sqlite3.connect(built.store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return built


def owed(now: datetime, model: str = "churn") -> list[Owed]:
    """Return every window that the schedule has owed until a moment."""
    schedule = Schedule(DAY, timedelta(hours=1), ZONE, catch_up=timedelta(days=36500))
    windows, _ = schedule.due(now, None, START)
    return [Owed(model, window.start, window.end) for window in windows]
