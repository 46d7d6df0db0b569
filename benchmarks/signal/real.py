"""Real logs in which nothing changes by construction, and one whose change is known; absent where the data is not."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.signal.logs import Frame, LogColumn
from checks.binning import infer_kind

DATA = Path(__file__).parents[3] / "shared" / "data"
NEW_YORK = timedelta(hours=-5)  # a fixed offset, so that every day has 24 hours
_ASIDE = {"prediction_id", "ts", "label"}
_DAY = 86400
_MONDAY = 4  # days from 1970-01-01, a Thursday, to the first Monday


@dataclass(frozen=True, eq=False)
class RealLog:
    """A real log cut into days; it begins on a Monday."""

    title: str
    frame: Frame
    arrays: Mapping[str, LogColumn]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of its columns."""
        return tuple(self.arrays)

    def column(self, name: str) -> LogColumn:
        """Return one column."""
        return self.arrays[name]


@dataclass(frozen=True)
class KnownChange:
    """A real log and the columns that change in it, ``onset`` windows after its first."""

    log: RealLog
    columns: tuple[str, ...]
    onset: int


def present(name: str) -> bool:
    """Whether a folder of real data is there."""
    return (DATA / name / "stream.parquet").exists()


def flights(shuffled: Literal["days", "weeks"], seed: int, reference_weeks: int = 9) -> RealLog:
    """Return the flights of 2013 with days permuted within their weekday, or whole weeks permuted."""
    table, days = _dated(_read("flights", "reference", "stream"), NEW_YORK)
    rng = np.random.default_rng((seed, shuffled == "weeks"))
    weeks = int(days[-1] + 1) // 7
    sources = np.tile(np.arange(weeks)[:, None], 7)
    sources = rng.permuted(sources, axis=0) if shuffled == "days" else rng.permutation(sources)
    order, window = _reordered(days, (sources * 7 + np.arange(7)).ravel())
    frame = Frame("day", weeks * 7, reference_weeks * 7, window)
    return _log(f"flights, {shuffled} permuted", table.take(order), frame)


def carloan_calm(reference_days: int = 63) -> RealLog:
    """Return the driftless reference of the car loans, its first days as the reference of the rest."""
    table, days = _dated(_read("carloan", "reference"))
    return _log("carloan's reference", table, Frame("day", int(days[-1]) + 1, reference_days, days))


def carloan() -> KnownChange:
    """Return the car loans as they are: reference, 150 calm days, then four columns change for good."""
    reference, stream = _read("carloan", "reference"), _read("carloan", "stream")
    table, days = _dated(pa.concat_tables([reference, stream]))
    event = json.loads((DATA / "carloan" / "truth.json").read_text(encoding="utf-8"))["events"][0]
    monday = _day_numbers(table)[0] - days[0]
    onset = int(datetime.fromisoformat(event["start"]).timestamp() // _DAY - monday)
    first = int(_day_numbers(stream)[0] - monday) + 1  # the stream begins in the evening of the reference's last day
    log = _log("carloan", table, Frame("day", int(days[-1]) + 1, first, days))
    return KnownChange(log, tuple(event["columns"]), onset)


def _read(name: str, *parts: str) -> pa.Table:
    tables = [pq.read_table(DATA / name / f"{part}.parquet") for part in parts]
    shared = [field for field in tables[-1].column_names if field not in _ASIDE]
    return pa.concat_tables([table.select(["ts", *shared]) for table in tables]).sort_by("ts")


def _day_numbers(table: pa.Table, offset: timedelta = timedelta()) -> np.ndarray:
    micros = pc.cast(pc.cast(table["ts"], pa.timestamp("us")), pa.int64()).to_numpy()
    return (micros // 1_000_000 + int(offset.total_seconds())) // _DAY


def _dated(table: pa.Table, offset: timedelta = timedelta()) -> tuple[pa.Table, np.ndarray]:
    """Cut off what lies before the first Monday; return the rows and their days since then."""
    days = _day_numbers(table, offset)
    monday = days[0] + (_MONDAY - days[0]) % 7
    kept = int(np.searchsorted(days, monday))
    return table.slice(kept), days[kept:] - monday


def _reordered(days: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of the days in a new order, and the window of each."""
    starts = np.searchsorted(days, np.arange(order.size + 1))
    parts = [np.arange(starts[day], starts[day + 1]) for day in order]
    return np.concatenate(parts), np.repeat(np.arange(order.size), [len(part) for part in parts])


def _log(title: str, table: pa.Table, frame: Frame) -> RealLog:
    columns = {}
    for name in table.column_names:
        if name == "ts":
            continue
        kind = infer_kind(table[name])
        array = table[name].cast(pa.float64()) if kind == "numeric" else table[name]
        columns[name] = LogColumn(name, kind, array.to_numpy(), frame)
    return RealLog(title, frame, columns)
