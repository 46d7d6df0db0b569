"""What many models cost one machine: windows an hour, their CPU time, and the memory that the daemon holds meanwhile.

Builds a world in a folder of its own (one SQLite log that every model reads, one reference file, a configuration), runs
daemons as processes whose clock is moved on hour by hour, and reads their CPU time and resident memory from ``/proc``.
One model is got ready as a daemon would, and what that takes is printed; the others are given a copy of its snapshot,
for a thousand of them would take hours. Several replicas need a PostgreSQL store: one is started where ``--store``
names none.
"""

import argparse
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import IO, Any

from benchmarks.processes import postgres

FIRST = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
REFERENCE_DAYS, REFERENCE_ROWS, ROWS = 21, 20, 200  # rows an hour
IDLE_SECONDS = 5.0
WORDS = ("red", "green", "blue", "grey", "black")
MODEL = """\
  m{number:04}:
    logs: {{url: sqlite:///logs.db, table: predictions, time: ts, id: id}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1h, delay: 0s, start: {first:%Y-%m-%dT%H:%M:%SZ}}}
"""


def rows(first: datetime, hours: int, an_hour: int, columns: int, seed: int) -> dict[str, Any]:
    """Return a table: of five columns three are numbers, one is a category and one a flag."""
    import numpy as np

    rng, size = np.random.default_rng(seed), hours * an_hour
    found: dict[str, Any] = {
        "id": np.arange(seed * 10**8, seed * 10**8 + size),
        "ts": [first + timedelta(seconds=3600 * i / an_hour) for i in range(size)],
    }
    kinds = (
        lambda: rng.normal(50, 10, size).round(2),
        lambda: rng.lognormal(3, 1, size).round(2),
        lambda: rng.integers(0, 100, size),
        lambda: rng.choice(WORDS, size),
        lambda: rng.random(size) < 0.2,
    )
    return found | {f"c{number:03}": kinds[number % len(kinds)]() for number in range(columns)}


def build(folder: Path, models: int, columns: int, hours: int, store: str, workers: int) -> Path:
    """Write log, reference and configuration; return the configuration's path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    before = FIRST - timedelta(days=REFERENCE_DAYS)
    pq.write_table(
        pa.table(rows(before, REFERENCE_DAYS * 24, REFERENCE_ROWS, columns, 1)), folder / "reference.parquet"
    )
    log = rows(FIRST, hours, ROWS, columns, 2)
    log["ts"] = [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in log["ts"]]
    lists = [values if isinstance(values, list) else values.tolist() for values in log.values()]
    with closing(sqlite3.connect(folder / "logs.db")) as connection, connection:
        connection.execute(f"CREATE TABLE predictions ({', '.join(log)})")
        connection.executemany(
            f"INSERT INTO predictions VALUES ({', '.join('?' * len(log))})", zip(*lists, strict=True)
        )
        connection.execute("CREATE INDEX by_time ON predictions (ts)")
    path = folder / "config.yaml"
    watched = "".join(MODEL.format(number=number, first=FIRST) for number in range(models))
    path.write_text(f"store: {store}\nworkers: {workers}\ntick: 1s\nmodels:\n{watched}", encoding="utf-8")
    return path


def prepare(config_path: Path) -> str:
    """Build, replay and learn the reference of one model, give the others its snapshot; return what it took."""
    from monitor.cli.common import load, open_store
    from monitor.clocks import SetClock
    from monitor.cycle import Cycle
    from monitor.store import references
    from monitor.watch import watches

    began = time.process_time()
    config = load(config_path)
    read = time.process_time() - began
    first, *others = watches(config).values()
    with closing(open_store(config)) as store:
        cycle = Cycle(store, SetClock(FIRST))
        began = time.process_time()
        cycle.subject(first)
        ready = time.process_time() - began
        whole = cycle.reference(first)
        snapshot = replace(whole, blocks=(), sample=whole.sample.slice(0, 100))  # what no window is judged by
        with store.write() as connection:
            for watch in others:
                references.add(connection, replace(snapshot, model=watch.name))
    return f"configuration read in {read:.1f} s, one model got ready in {ready:.1f} s of CPU"


def serve(config_path: Path) -> None:
    """Be a daemon whose clock shows the hour that standard input said last; what it logs goes to standard error."""
    import logging

    from monitor import logs
    from monitor.cli.common import load, open_store
    from monitor.clocks import SetClock
    from monitor.daemon import Daemon
    from monitor.footprint import in_small_pages, without_pandas

    without_pandas()
    in_small_pages()
    logs.configure(logging.WARNING)
    config, clock = load(config_path), SetClock(FIRST)
    daemon = Daemon(open_store(config), clock, lambda: load(config_path), config)
    daemon.listen()

    def move() -> None:
        for line in sys.stdin:
            clock.set(FIRST + int(line) * HOUR)

    threading.Thread(target=move, daemon=True).start()
    daemon.run()


class Replica:
    """One daemon in a process of its own."""

    def __init__(self, config: Path) -> None:
        command = [sys.executable, "-m", "benchmarks.fleet", "--serve", str(config)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])

    def show(self, hour: int) -> None:
        """Set its clock."""
        stdin: IO[str] | None = self.process.stdin
        assert stdin is not None
        stdin.write(f"{hour}\n")
        stdin.flush()

    @property
    def resident(self) -> float:
        """Resident memory in MB."""
        return self._status("VmRSS")

    @property
    def peak(self) -> float:
        """The most that was resident, in MB."""
        return self._status("VmHWM")

    def _status(self, name: str) -> float:
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(float(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))

    @property
    def cpu(self) -> float:
        """CPU time so far, in seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def end(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait()
        assert self.process.stdin is not None
        self.process.stdin.close()


def finished(store: Any) -> Counter[str]:
    """Return how many windows each owner has finished."""
    import sqlalchemy as sa

    from monitor.store.tables import runs

    query = sa.select(runs.c.owner, sa.func.count()).where(runs.c.state == "done").group_by(runs.c.owner)
    with store.read() as connection:
        return Counter({str(owner): int(count) for owner, count in connection.execute(query)})


def measure(
    models: int, columns: int, hours: int, replicas: int = 1, workers: int = 2, store: str | None = None
) -> str:
    """Build a fleet and run it; return what was seen as a list in Markdown, which is printed as it comes."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    own = nullcontext(store or f"sqlite:///{folder}/monitor.db")
    seen = [f"{models:,} models of {columns} columns, {ROWS} rows an hour; {replicas} × {workers} workers"]
    try:
        with postgres() if replicas > 1 and not store else own as given:
            url = given.replace("postgresql://", "postgresql+psycopg://", 1)
            config = build(folder, models, columns, hours, url, workers)
            print(seen[0], flush=True)
            for line in chain([prepare(config)], observed(config, url, models, hours, replicas)):
                print(line, flush=True)
                seen.append(line)
    finally:
        shutil.rmtree(folder)
    return "".join(f"- {line}\n" for line in seen)


def observed(config: Path, url: str, models: int, hours: int, number: int) -> Iterator[str]:
    """Move the clock on hour by hour; yield a line for each."""
    from monitor.store.schema import open_store

    with closing(open_store(url)) as store, running(config, number) as replicas:
        _settle(replicas)
        yield f"started, nothing owed: resident {_each(replicas, 'resident')} MB"
        for hour in range(1, hours + 1):
            before, began, earlier = _cpu(replicas), time.perf_counter(), finished(store)
            for one in replicas:
                one.show(hour)
            while sum((share := finished(store)).values()) < hour * models:
                if any(one.process.poll() is not None for one in replicas):
                    sys.exit("a daemon has ended")
                time.sleep(0.5)
            seconds, done = time.perf_counter() - began, sorted((share - earlier).values())
            yield (
                f"hour {hour}: {sum(done):,} windows in {seconds:.1f} s, "
                f"{1000 * (_cpu(replicas) - before) / sum(done):.0f} ms of CPU each, by replica {done}; "
                f"resident {_each(replicas, 'resident')} MB"
            )
        _settle(replicas)
        idle, began = _cpu(replicas), time.perf_counter()
        time.sleep(IDLE_SECONDS)
        share_idle = (_cpu(replicas) - idle) / (time.perf_counter() - began)
        yield (
            f"idle again: {share_idle:.1%} of a core at a tick a second; resident {_each(replicas, 'resident')} MB, "
            f"at most {_each(replicas, 'peak')} MB"
        )


@contextmanager
def running(config: Path, number: int) -> Iterator[list[Replica]]:
    """Start replicas, and stop them afterwards."""
    replicas = [Replica(config) for _ in range(number)]
    try:
        yield replicas
    finally:
        for one in replicas:
            one.end()


def _settle(replicas: list[Replica]) -> None:
    """Wait until the replicas have started, or ended what they do."""
    busy = True
    while busy:
        before = _cpu(replicas)
        time.sleep(IDLE_SECONDS)
        busy = _cpu(replicas) - before > 0.05 * IDLE_SECONDS * len(replicas)


def _cpu(replicas: list[Replica]) -> float:
    return sum(one.cpu for one in replicas)


def _each(replicas: list[Replica], name: str) -> str:
    return " + ".join(f"{getattr(one, name):.0f}" for one in replicas)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--hours", type=int, default=2)
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--store", help="SQLAlchemy URL; by default SQLite, with several replicas a new PostgreSQL")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    measure(options.models, options.columns, options.hours, options.replicas, options.workers, options.store)
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} processors")


if __name__ == "__main__":
    main()
