"""Months of a fleet in accelerated time: does anything grow that should not, and is anything lost?

One daemon is a process whose clock is moved on six hours at a time. Its models read one SQLite log, in which a column
goes null every other week, and it tells a stand-in for Slack that is too busy now and then. After every simulated day
its resident memory, open files and threads are read from ``/proc``, and the size of its store from the file.
"""

import argparse
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.fleet import FIRST, HOUR, Replica, prepare, rows

REFERENCE_DAYS, ROWS = 42, 200  # rows a day
STEP = 6  # hours
NULLS_EVERY = 14  # days
DAYS = 100  # until day 65 the store keeps everything that a verdict may rest on
MONTH = 30  # days, the last ones, that say whether anything grows
PATIENCE = 600  # seconds for one step
MODEL = """\
  m{number:03}:
    logs: {{url: sqlite:///logs.db, table: predictions, time: ts, id: id}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1d, delay: 1h, start: {first:%Y-%m-%dT%H:%M:%SZ}}}
"""
REST = """\
workers: 2
tick: 0.1s
retention: {{samples: 7d, profiles: 60d, incidents: 60d}}
notifiers:
  team: {{slack: {{token: {token}, channel: {channel}, base_url: "{url}"}}}}
"""


@dataclass(frozen=True)
class Day:
    """What a daemon held at the end of a simulated day: memory and store in MB, open files, threads."""

    number: int
    resident: float
    files: int
    threads: int
    store: float


@dataclass(frozen=True)
class Soak:
    """A whole run.

    Parameters
    ----------
    owed, done : windows that the schedule owed, and that have exactly one result.
    written, told : notices written, and messages that the receiver has under their keys.
    doubled : keys that the receiver has more than once.
    """

    models: int
    columns: int
    days: tuple[Day, ...]
    seconds: float
    cpu: float
    owed: int
    done: int
    looks: int
    incidents: int
    written: int
    told: int
    doubled: int

    @classmethod
    def of(cls, document: dict[str, Any]) -> "Soak":
        """Return a run from what it printed as JSON."""
        return cls(**{**document, "days": tuple(Day(**day) for day in document["days"])})

    def growth(self, name: str) -> float:
        """Return how much something grew from the first to the last third of the last month, as a share."""
        month = self.days[-MONTH:]
        third = max(1, len(month) // 3)
        first, last = (sum(getattr(day, name) for day in part) / third for part in (month[:third], month[-third:]))
        return float(last / first - 1)


def measure(models: int, columns: int, days: int) -> Soak:
    """Run a daemon for so many simulated days."""
    from monitor.testing import FakeSlack

    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        with FakeSlack() as slack:
            config = build(folder, models, columns, days, slack)
            prepare(config)
            return _run(folder, config, slack, (models, columns, days))
    finally:
        shutil.rmtree(folder)


def build(folder: Path, models: int, columns: int, days: int, slack: Any) -> Path:
    """Write log, reference and configuration; return the configuration's path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from monitor.testing.slack import CHANNEL, TOKEN

    before = FIRST - timedelta(days=REFERENCE_DAYS)
    reference = rows(before, 24 * REFERENCE_DAYS, 10, columns, 1)
    pq.write_table(pa.table(reference), folder / "reference.parquet")
    log = rows(FIRST, 24 * days, max(1, ROWS // 24), columns, 2)
    day_of = [(moment - FIRST).days for moment in log["ts"]]
    log = {name: values if isinstance(values, list) else values.tolist() for name, values in log.items()}
    log["c000"] = [None if n % NULLS_EVERY == NULLS_EVERY - 1 else v for n, v in zip(day_of, log["c000"], strict=True)]
    log["ts"] = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in log["ts"]]
    with closing(sqlite3.connect(folder / "logs.db")) as connection, connection:
        connection.execute(f"CREATE TABLE predictions ({', '.join(log)})")
        marks = ", ".join("?" * len(log))
        connection.executemany(f"INSERT INTO predictions VALUES ({marks})", zip(*log.values(), strict=True))
        connection.execute("CREATE INDEX by_time ON predictions (ts)")
    path = folder / "config.yaml"
    watched = "".join(MODEL.format(number=number, first=FIRST) for number in range(models))
    rest = REST.format(token=TOKEN, channel=CHANNEL, url=slack.api)
    path.write_text(f"store: sqlite:///monitor.db\nmodels:\n{watched}{rest}", encoding="utf-8")
    return path


def _run(folder: Path, config: Path, slack: Any, size: tuple[int, int, int]) -> Soak:
    from monitor.store.schema import open_store
    from monitor.testing.slack import Fault

    models, columns, days = size
    began, seen = time.perf_counter(), []
    replica = Replica(config)
    try:
        with closing(open_store(f"sqlite:///{folder}/monitor.db")) as store:
            for hour in range(STEP, 24 * days + STEP + 1, STEP):
                if hour % (24 * NULLS_EVERY) == STEP:
                    slack.plan(Fault("chat.postMessage", "limited", seconds=1.0, times=5))
                replica.show(hour)
                _wait(replica, store, hour, models)
                if hour % 24 == STEP and hour > 24:
                    seen.append(_day(hour // 24, replica, folder))
                    print(seen[-1], file=sys.stderr, flush=True)
            counted = _counted(store, slack, models * days)
        return Soak(models, columns, tuple(seen), time.perf_counter() - began, replica.cpu, *counted)
    finally:
        replica.end()


def _wait(replica: Replica, store: Any, hour: int, models: int) -> None:
    """Wait until everything that is owed at an hour is done, looked at and told."""
    from monitor.store.tables import outbox, runs

    moment, owed = FIRST + hour * HOUR, models * ((hour - 1) // 24)
    done = sa.select(sa.func.count()).where(runs.c.state == "done")
    due = sa.select(sa.func.count()).where(runs.c.look_at <= moment)
    waiting = sa.select(sa.func.count()).where(
        sa.or_(outbox.c.state == "sending", sa.and_(outbox.c.state == "pending", outbox.c.next_attempt_at <= moment))
    )
    deadline = time.perf_counter() + PATIENCE
    before = -1
    while True:
        with store.read() as connection:
            now = connection.execute(sa.select(sa.func.max(runs.c.window_end))).scalar()
            left = [connection.execute(query).scalar() for query in (due, waiting)]
            finished = connection.execute(done.where(runs.c.window_end <= moment)).scalar()
        reached = owed == 0 or (now is not None and (now - FIRST).days * models >= owed)
        if reached and not any(left) and finished == before:
            return
        before = finished
        if replica.process.poll() is not None:
            sys.exit("the daemon has ended")
        if time.perf_counter() > deadline:
            sys.exit(f"hour {hour}: {left} looks and letters are still due after {PATIENCE} s")
        time.sleep(0.3)


def _day(number: int, replica: Replica, folder: Path) -> Day:
    process = Path(f"/proc/{replica.process.pid}")
    stores = sum(path.stat().st_size for path in folder.glob("monitor.db*"))
    return Day(
        number, replica.resident, len(list((process / "fd").iterdir())), len(list((process / "task").iterdir())),
        stores / 1e6,
    )  # fmt: skip


def _counted(store: Any, slack: Any, owed: int) -> Iterator[int]:
    """Yield the counts of a run, in the order of :class:`Soak`."""
    from monitor.store.tables import incidents, outbox, runs

    yield owed
    with store.read() as connection:
        ids = connection.execute(sa.select(sa.func.count(), sa.func.max(runs.c.id)).select_from(runs)).one()
        yield int(ids[1])  # every window has one row, also those that were pruned since
        yield int(connection.execute(sa.select(sa.func.sum(runs.c.epoch - 1))).scalar() or 0)
        yield int(connection.execute(sa.select(sa.func.count()).select_from(incidents)).scalar() or 0)
        yield int(connection.execute(sa.select(sa.func.max(outbox.c.id))).scalar() or 0)
    # Every notice has a reply of its own in its incident's thread; the message above it bears the key of the last one.
    replies = [message for message in slack.messages.values() if "thread_ts" in message]
    keys = [key for message in replies if (key := _key(message)) is not None]
    yield len(set(keys))
    yield len(keys) - len(set(keys))


def _key(message: dict[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    key = metadata.get("event_payload", {}).get("key")
    return str(key) if key is not None else None


def table(found: Soak, shown: int = 9) -> Sequence[Day]:
    """Return some days, evenly spread, the last among them."""
    step = max(1, len(found.days) // shown)
    return found.days[::-1][::step][::-1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--days", type=int, default=DAYS)
    options = parser.parse_args()
    found = measure(options.models, options.columns, options.days)
    print(json.dumps(asdict(found), indent=1))


if __name__ == "__main__":
    main()
