"""What the statistics of a window cost, its rows in memory: profile, evidence and verdicts of all columns.

Beside it the drift presets of other tools over the same rows, each in an environment of its own, and NumPy's cheapest
histogram over the same numbers, which is the floor: any look at a value costs about as much.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.end_to_end import write_reference
from benchmarks.processes import PEERS, cost, python
from benchmarks.tables import DAY, START, batches
from benchmarks.timing import best
from checks.binning import fit_table, profile_batch
from monitor.clocks import SystemClock
from monitor.config.reading import read
from monitor.core.alarms import Decided
from monitor.core.evaluation import evaluate
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.store.schema import open_store
from monitor.watch import watches

_CONFIG = """\
store: sqlite:///monitor.db
models:
  bench:
    logs: {{source: parquet, path: {path}, time: ts, id: id}}
    reference: {{file: {reference}}}
    schedule: {{every: 1d}}
"""
# What is measured, its script, and the environment that it runs in.
CONTESTANTS = (
    ("Evidently, DataDriftPreset", "evidently_drift.py", ""),
    ("NannyML, univariate drift (fitted before)", "nannyml_univariate.py", "nannyml"),
    ("alibi-detect, KSDrift (numbers alone)", "alibi_ks.py", "alibi"),
)


@dataclass(frozen=True)
class Statistics:
    """Seconds for one table: ours, its profile alone, and the others by name; None where a peer is not installed."""

    rows: int
    columns: int
    ours: float
    profile: float
    others: Mapping[str, float | None]


@dataclass(frozen=True)
class Floor:
    """Seconds to profile a table of numbers alone, and to make NumPy's uniform histograms of them."""

    rows: int
    columns: int
    profile: float
    histogram: float


def measure(rows: int, columns: int) -> Statistics:
    """Measure one size of window."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        current, reference = folder / "current.parquet", folder / "reference.parquet"
        pq.write_table(pa.concat_tables(batches(rows, columns, START, 2)), current)
        write_reference(reference, columns)
        ours, profile = _ours(folder, current, reference)
        others = {title: _other(script, environment, reference, current) for title, script, environment in CONTESTANTS}
    return Statistics(rows, columns, ours, profile, others)


def floor(rows: int, columns: int) -> Floor:
    """Measure profiles beside histograms."""
    rng = np.random.default_rng(0)
    arrays = {f"c{i}": rng.normal(size=rows) for i in range(columns)}
    table = pa.table(arrays)
    bins = fit_table(table.slice(0, 20_000))
    return Floor(
        rows,
        columns,
        best(lambda: profile_batch(table, bins)),
        best(lambda: [np.histogram(values, bins=36) for values in arrays.values()]),
    )


def _ours(folder: Path, current: Path, reference: Path) -> tuple[float, float]:
    path = folder / "config.yaml"
    path.write_text(_CONFIG.format(path=current, reference=reference), encoding="utf-8")
    configuration = read(path)
    watch = watches(configuration)["bench"]
    store = open_store(configuration.store.get_secret_value())
    subject = Cycle(store, SystemClock()).subject(watch)
    store.close()
    table = pq.read_table(current).combine_chunks()
    window = Window(START, START + DAY)

    def profiled() -> Any:
        return profile_batch(table, subject.reference.bins, time="ts", row_id="id")

    def judged() -> Any:
        return evaluate(subject, subject.start(), window, profiled(), [], lambda _: [], Decided())

    return best(judged), best(profiled)


def _other(script: str, environment: str, reference: Path, current: Path) -> float | None:
    interpreter = python(environment)
    if interpreter is None:
        return None
    return float(cost([interpreter, PEERS / script, reference, current]).document["seconds"])
