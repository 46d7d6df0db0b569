"""What counting in the engine costs: a window of Parquet files judged by push-down in DuckDB, a cold process.

The floor is the engine's own `count, min, max, avg` of the same columns, also a cold process.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.processes import PEERS, Cost, cost, least, monitor, python
from benchmarks.tables import BATCH, DAY, START, names

_CONFIG = """\
store: sqlite:///monitor.db
models:
  bench:
    logs: {{source: parquet, path: log.parquet, time: ts, id: id, mode: {mode}, max_rows: 100000000}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1d}}
"""


@dataclass(frozen=True)
class PushDown:
    """What a window cost by push-down and by streaming, and the engine's own aggregates."""

    rows: int
    columns: int
    pushed: Cost
    streamed: Cost
    floor: Cost


def measure(rows: int, columns: int, repeats: int = 1) -> PushDown:
    """Measure one size of window; every column holds numbers."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "log.parquet", rows, columns, START.timestamp(), 1)
        _write(folder / "reference.parquet", 20_000, columns, (START - 7 * DAY).timestamp(), 2, days=7)
        check = [monitor(), "check", "bench", "--json", "--window"]
        minute, day = (f"{START.isoformat()}/{(START + span).isoformat()}" for span in (DAY / 1440, DAY))
        found = {}
        for mode in ("pushdown", "stream"):
            (folder / "config.yaml").write_text(_CONFIG.format(mode=mode), encoding="utf-8")
            cost([*check, minute], allowed=(0, 1, 3), cwd=folder)  # learns the reference, once
            found[mode] = least([*check, day], repeats, allowed=(0, 1), cwd=folder)
        floor = least([python() or "", PEERS / "duckdb_aggregates.py", folder / "log.parquet"], repeats)
    return PushDown(rows, columns, found["pushdown"], found["stream"], floor)


def _write(path: Path, rows: int, columns: int, first: float, seed: int, days: int = 1) -> None:
    rng = np.random.default_rng(seed)
    seconds = days * 86_400
    fields = [("ts", pa.timestamp("us", "UTC")), ("id", pa.int64()), *((name, pa.float64()) for name in names(columns))]
    with pq.ParquetWriter(path, pa.schema(fields)) as writer:
        for start in range(0, rows, BATCH):
            size = min(BATCH, rows - start)
            numbers = np.arange(start, start + size)
            times = ((first + numbers * (seconds / rows)) * 1e6).astype(np.int64)
            table = {"ts": pa.array(times).cast(pa.timestamp("us", "UTC")), "id": pa.array(numbers)}
            table |= {name: pa.array(rng.normal(50, 10, size)) for name in names(columns)}
            writer.write_table(pa.table(table))
