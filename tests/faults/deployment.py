"""A deployment of real processes: their world, their store with its journal, their receivers, and what came of it."""

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from monitor.clocks import SystemClock
from monitor.config.reading import read
from monitor.core.errors import UnavailableError
from monitor.core.schedule import Schedule
from monitor.cycle import Cycle
from monitor.store import owners
from monitor.store.database import Store, connect
from monitor.store.schema import open_store
from monitor.store.tables import outbox, retrains, runs
from monitor.testing.slack import CHANNEL, TOKEN
from monitor.testing.webhook import FakeWebhook
from monitor.watch import watches
from tests.faults import journal
from tests.faults.gathering import gather
from tests.faults.history import Fault, History, Owed, Receipt
from tests.faults.house import A_DAY, REFERENCE_DAYS, rows
from tests.faults.nursery import Nursery
from tests.faults.receivers import ToldSlack
from tests.waiting import until

DAY = timedelta(days=1)
DAYS = 6
# In this order: a retraining that is still to be asked for when the data break is refused, and none would run.
NULLS, DRIFT = range(1), range(2, 4)
LATE = 6  # rows of the last day that a world may hold back
CONFIG = """\
store: {store}
canary: off
models:
  churn:
    logs: {{url: "sqlite:///{logs}", table: predictions, time: ts, id: id}}
    reference: {{file: "{world}/reference.parquet"}}
    schedule: {{every: 1d, delay: 0s, start: {start:%Y-%m-%dT%H:%M:%SZ}, allowed_lateness: {lateness}}}
    checks: [{{null_rate: {{threshold: 0.5}}}}, {{ks: {{threshold: 0.6}}}}]
    alerts: {{open_after: 2, resolve_after: 1}}
    retrain: {{mode: auto, cooldown: 1s, trigger: {{command: {{argv: [/bin/sh, -c, "echo $LEEWAY_KEY >> {ledger}"]}}}}}}
    sample: 5
notifiers:
{notifiers}
tick: 0.1s
"""
NOTIFIERS = """\
  slack: {{slack: {{token: {token}, channel: {channel}, base_url: "{slack}", timeout: 20s}}}}
  hook: {{webhook: {{url: "{hook}", timeout: 20s}}}}
"""


@dataclass(frozen=True)
class World:
    """What is the same for all deployments: the log, the reference, and a SQLite store that has learnt from it."""

    folder: Path
    first: datetime

    def config(self, store: str, logs: Path, folder: Path, notifiers: str, lateness: str = "0s") -> Path:
        """Write a configuration."""
        path = folder / "config.yaml"
        path.write_text(
            CONFIG.format(
                store=store, logs=logs, world=self.folder, start=self.first, ledger=folder / "ledger.txt",
                notifiers=notifiers, lateness=lateness,
            )
        )  # fmt: skip
        return path

    def prepare(self, store: Store, config: Path) -> None:
        """Let a store learn what the reference teaches, and begin its journal."""
        found = read(config)
        Cycle(store, SystemClock(), owner="world").subject(watches(found)["churn"])
        journal.install(store.engine)


def world(folder: Path) -> World:
    """Build a world whose log ends today."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    built = World(folder, today - DAYS * DAY)
    reference = rows(built.first - REFERENCE_DAYS * DAY, REFERENCE_DAYS, 1)
    pq.write_table(reference, folder / "reference.parquet")
    table = _log(built.first)
    write_rows(folder / "logs.db", table)
    write_rows(folder / "early.db", table.slice(0, DAYS * A_DAY - LATE))
    url = f"sqlite:///{folder}/monitor.db"
    config = built.config(url, folder / "logs.db", folder, "  log: stdout\n")
    store = open_store(url)
    built.prepare(store, config)
    store.close()
    with closing(sqlite3.connect(folder / "monitor.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return built


def _log(first: datetime) -> pa.Table:
    return rows(first, DAYS, 2, drift=DRIFT, nulls=NULLS)


def write_rows(path: Path, table: pa.Table) -> None:
    """Add rows to a log."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS predictions (id INTEGER, ts TEXT, age REAL, amount REAL)")
        lines = zip(*(table[name].to_pylist() for name in ("id", "ts", "age", "amount")), strict=True)
        connection.executemany(
            "INSERT INTO predictions VALUES (?, ?, ?, ?)",
            [(n, f"{ts:%Y-%m-%d %H:%M:%S}", *rest) for n, ts, *rest in lines],
        )


class Process:
    """One replica."""

    def __init__(self, nursery: Nursery, config: Path, number: int, failpoint: str, settings: dict[str, Any]) -> None:
        self.log = config.parent / f"run.{number}.log"
        self._nursery = nursery
        self.pid = nursery.start(config, self.log, failpoint, settings)
        start = (owners._stat(self.pid) or {}).get("start", "")
        self.owner = f":{self.pid}:{start}"

    @property
    def killed(self) -> bool:
        """Whether SIGKILL has ended it."""
        return self._nursery.poll(self.pid) == -signal.SIGKILL

    @property
    def stopped(self) -> bool:
        """Whether it is frozen."""
        return (owners._stat(self.pid) or {}).get("state") == "T"

    def said(self, event: str) -> list[dict[str, Any]]:
        """Return what it has logged of one kind."""
        text = self.log.read_text() if self.log.exists() else ""
        lines = [line for line in text.split("\n")[:-1] if line.startswith("{")]
        return [entry for entry in map(json.loads, lines) if entry["event"] == event]

    def send(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self._nursery.poll(self.pid) is None:
            os.kill(self.pid, number)

    def end(self) -> None:
        """End it in good order, in whatever state it is."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        until(lambda: self._nursery.poll(self.pid) is not None, what="ending in order")

    def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)
        until(lambda: self._nursery.poll(self.pid) is not None)


@dataclass
class Deployment:
    """Processes on one store; they may reach it by another address (``way``) than the test does."""

    world: World
    nursery: Nursery
    folder: Path
    url: str
    slack: ToldSlack
    hook: FakeWebhook
    late: bool = False
    way: str | None = None
    processes: list[Process] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = connect(self.url)
        self.logs = self.folder / "logs.db"
        shutil.copy(self.world.folder / ("early.db" if self.late else "logs.db"), self.logs)
        notifiers = NOTIFIERS.format(token=TOKEN, channel=CHANNEL, slack=self.slack.api, hook=self.hook.url)
        lateness = "300d" if self.late else "0s"
        self.config = self.world.config(self.way or self.url, self.logs, self.folder, notifiers, lateness)

    def start(self, failpoint: str = "", **settings: Any) -> Process:
        """Start a replica."""
        self.processes.append(Process(self.nursery, self.config, len(self.processes), failpoint, settings))
        return self.processes[-1]

    def mark_dead(self, process: Process, *, stale: bool = False) -> None:
        """Note that a process was killed, frozen or cut off, perhaps while one of its threads was sending something.

        ``stale`` says that it came back and went on with that, when Slack may have had it from another.
        """
        self.faults += [Fault("dead", process.owner), Fault("ambiguous", "hook")]
        if stale:
            self.faults.append(Fault("stale", "slack"))

    def nobody_is_dead(self, victims: list[Any]) -> bool:
        """Start another process where one was killed, as a supervisor does; return whether there was nothing to do."""
        dead = [victim for victim in victims if victim.killed]
        for victim in dead:
            self.mark_dead(victim)
            victims.remove(victim)
            self.start()
        return not dead

    def rows_arrive(self) -> None:
        """Let the rows that were held back be there, and the time come to look for them."""
        table = _log(self.world.first)
        write_rows(self.logs, table.slice(DAYS * A_DAY - LATE))
        last = runs.c.window_end == self.world.first + DAYS * DAY
        with self.store.write() as connection:
            connection.execute(runs.update().where(last).values(look_at=datetime.now(UTC)))

    def owed(self) -> list[Owed]:
        """Return every window that is due by now."""
        schedule = Schedule(DAY, timedelta(), "UTC", catch_up=timedelta(days=36500))
        windows, _ = schedule.due(datetime.now(UTC), None, self.world.first)
        return [Owed("churn", window.start, window.end) for window in windows]

    def done(self) -> int:
        """Return how many windows have their result; 0 while the store cannot be asked."""
        return sum(row.state in ("done", "skipped") for row in self._rows(runs))

    def settled(self) -> bool:
        """Whether nothing is owed, waits or is under way."""
        if self.done() < len(self.owed()):
            return False
        waiting = any(row.state in ("pending", "sending") for row in self._rows(outbox))
        asked = any(row.state in ("requested", "accepted", "running") for row in self._rows(retrains))
        return not waiting and not asked

    def revised(self) -> bool:
        """Whether late rows have been taken in."""
        return any(row.revision for row in self._rows(runs))

    def end(self) -> None:
        """End every process."""
        for process in self.processes:
            process.end()

    def history(self) -> History:
        """Return what came of it."""
        ledger = self.folder / "ledger.txt"
        called = [Receipt("hook", request.headers["webhook-id"], "call") for request in self.hook.requests]
        return gather(
            self.store,
            self.owed(),
            receivers=("slack", "hook"),
            reconciled=("slack",),
            received=[*self.slack.receipts, *called],
            ledger=ledger.read_text().split() if ledger.exists() else (),
            faults=self.faults,
        )

    def words(self) -> str:
        """Return the end of what the processes said, for a test that fails."""
        return "\n".join(f"--- {p.log.name}\n{p.log.read_text()[-3000:]}" for p in self.processes)

    def _rows(self, table: Any) -> Sequence[Any]:
        try:
            with self.store.read() as connection:
                return connection.execute(table.select()).all()
        except UnavailableError:
            return ()
