"""Logs to measure with: of six columns four are numbers, one is a category and one a flag. Nothing has drifted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
WORDS = np.array([f"kind {number}" for number in range(12)])
BATCH = 100_000
MICROSECOND = 1_000_000


def names(columns: int) -> list[str]:
    """Return the names of the columns."""
    return [f"c{number:03}" for number in range(columns)]


def batches(rows: int, columns: int, day: datetime, seed: int) -> Iterator[pa.Table]:
    """Return the rows of a day, in order of time."""
    rng = np.random.default_rng(seed)
    step = DAY // timedelta(microseconds=1) / rows
    origin = round(day.timestamp() * MICROSECOND)
    for first in range(0, rows, BATCH):
        size = min(BATCH, rows - first)
        numbers = np.arange(first, first + size)
        table = {
            "ts": pa.array((origin + numbers * step).astype(np.int64)).cast(pa.timestamp("us", "UTC")),
            "id": pa.array(numbers + seed * 10**9),
        }
        for place, name in enumerate(names(columns)):
            table[name] = _values(place % 6, size, rng)
        yield pa.table(table)


def _values(kind: int, size: int, rng: np.random.Generator) -> pa.Array:
    if kind == 0:
        return pa.array(rng.normal(50, 10, size))
    if kind == 1:
        return pa.array(rng.lognormal(3, 1, size).round(2))
    if kind == 2:
        return pa.array(rng.integers(0, 1_000, size))
    if kind == 3:
        return pa.array(rng.exponential(1, size), mask=rng.random(size) < 0.03)
    return pa.array(WORDS[rng.integers(0, len(WORDS), size)]) if kind == 4 else pa.array(rng.random(size) < 0.2)
