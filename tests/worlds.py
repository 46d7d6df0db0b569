"""A small world for tests of the whole: forty days of reference, a log with chosen faults, and a configuration."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday; the log begins here
REFERENCE_DAYS = 40
ROWS_A_DAY = 300


def rows_of(first: datetime, days: int, seed: int, rows_a_day: int = ROWS_A_DAY) -> dict[str, list]:
    """Rows spread evenly over days: an age, an amount with zeros, a plan and a flag."""
    rng = np.random.default_rng(seed)
    size = days * rows_a_day
    times = [first + timedelta(seconds=86400 * i / rows_a_day) for i in range(size)]
    return {
        "id": list(range(seed * 1_000_000, seed * 1_000_000 + size)),
        "ts": times,
        "age": rng.normal(40, 10, size).round(2).tolist(),
        "amount": np.where(rng.random(size) < 0.3, 0.0, rng.lognormal(3, 1, size)).round(2).tolist(),
        "plan": rng.choice(["basic", "plus", "pro"], size, p=[0.6, 0.3, 0.1]).tolist(),
        "flag": (rng.random(size) < 0.2).tolist(),
    }


@cache
def _reference(start: datetime) -> pa.Table:
    return pa.table(rows_of(start - timedelta(days=REFERENCE_DAYS), REFERENCE_DAYS, 1))


def write_reference(folder: Path, name: str = "reference.parquet", start: datetime = START) -> None:
    pq.write_table(_reference(start), folder / name)


def write_log(folder: Path, days: int, change=None, name: str = "logs.db", start: datetime = START) -> None:
    """Write the log; ``change(rows)`` may break it."""
    rows = rows_of(start, days, 2)
    if change is not None:
        change(rows)
    text = [None if t is None else t.strftime("%Y-%m-%d %H:%M:%S") for t in rows["ts"]]
    columns = {**rows, "ts": text}
    with closing(sqlite3.connect(folder / name)) as connection, connection:
        names = ", ".join('"{}"'.format(column.replace('"', '""')) for column in columns)
        connection.execute(f"CREATE TABLE predictions ({names})")
        marks = ", ".join("?" * len(columns))
        connection.executemany(f"INSERT INTO predictions VALUES ({marks})", zip(*columns.values(), strict=True))
        connection.execute("CREATE INDEX predictions_ts ON predictions (ts)")


def day_of(moment: datetime) -> int:
    return (moment - START).days


def drop(column: str, first: int, last: int):
    """Make a column null in the days from ``first`` until before ``last``."""

    def change(rows):
        rows[column] = [None if first <= day_of(t) < last else v for t, v in zip(rows["ts"], rows[column], strict=True)]

    return change


def shift(column: str, by: float, first: int, last: int = 10_000):
    """Add to a column in the days from ``first`` until before ``last``."""

    def change(rows):
        rows[column] = [
            v + by if first <= day_of(t) < last else v for t, v in zip(rows["ts"], rows[column], strict=True)
        ]

    return change


CONFIG = """\
store: sqlite:///monitor.db
models:
  churn:
    logs: {url: sqlite:///logs.db, table: predictions, time: ts, id: id}
    reference: {file: reference.parquet, version: "7"}
    schedule: {every: 1d, delay: 1h, start: 2026-01-05T00:00:00Z}
    checks: auto
notifiers:
  log: stdout
tick: 1s
"""


def world(folder: Path, days: int = 10, change=None, config: str = CONFIG, start: datetime = START) -> Path:
    """Write everything into a folder; return the configuration's path."""
    write_reference(folder, start=start)
    write_log(folder, days, change, start=start)
    path = folder / "config.yaml"
    path.write_text(config, encoding="utf-8")
    return path
