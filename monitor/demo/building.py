"""Builds the demo's folder: the configuration, the references and a database of prediction logs.

The table ``predictions`` is the real log. ``predictions_planted`` is a copy with two faults, planted where it says so
below; the copy's ``distance`` is standardised, as many models want their features, so that forgetting it is one of
the faults.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import as_file, files
from math import isnan
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from monitor.core.errors import UnavailableError, UserError

MADE = ("config.yaml", "logs.db", "monitor.db", "report.html")


@dataclass(frozen=True)
class Planted:
    """One fault that was put into the copy of the log: ``column`` is broken from ``start`` until ``end``."""

    column: str
    words: str
    start: datetime
    end: datetime


PLANTED = (
    Planted(
        "distance",
        "arrives unstandardised, in miles",
        datetime(2013, 5, 14, tzinfo=UTC),
        datetime(2013, 5, 21, tzinfo=UTC),
    ),
    Planted("wind_speed", "arrives null", datetime(2013, 6, 4, tzinfo=UTC), datetime(2013, 6, 6, tzinfo=UTC)),
)


def shipped(name: str) -> bytes:
    """Return a file that travels with the demo."""
    with as_file(files("monitor.demo") / "data" / name) as path:
        return path.read_bytes()


def configuration() -> str:
    """Return the demo's configuration: the file inside the wheel, or at the top of a checkout."""
    inside = Path(__file__).parent / "config.yaml"
    return (inside if inside.is_file() else Path(__file__).parents[2] / "config.yaml").read_text(encoding="utf-8")


def build(folder: Path) -> None:
    """Write everything that the demo needs into a folder.

    Raises
    ------
    UserError
        When an earlier demo, or something else, is there already.
    UnavailableError
        When it cannot be written.
    """
    taken = [name for name in MADE if (folder / name).exists()]
    if taken:
        raise UserError(f"{folder} already has {', '.join(taken)}; choose another place with --dir, or remove it first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(configuration(), encoding="utf-8")
        reference = pq.read_table(pa.BufferReader(shipped("reference.parquet")))
        stream = pq.read_table(pa.BufferReader(shipped("stream.parquet")))
        scale = _scale(reference)
        pq.write_table(reference, folder / "reference.parquet")
        pq.write_table(_standardised(reference, scale), folder / "reference_planted.parquet")
        _write_logs(folder / "logs.db", stream, _plant(stream, scale))
    except OSError as error:
        raise UnavailableError(f"the demo cannot be written to {folder}: {error.strerror}") from error


def _scale(reference: pa.Table) -> tuple[float, float]:
    miles = reference["distance"].to_numpy().astype(float)
    return float(miles.mean()), float(miles.std())


def _standardised(rows: pa.Table, scale: tuple[float, float]) -> pa.Table:
    mean, deviation = scale
    return _replaced(rows, "distance", (rows["distance"].to_numpy().astype(float) - mean) / deviation)


def _replaced(rows: pa.Table, column: str, values: np.ndarray, nulls: np.ndarray | None = None) -> pa.Table:
    return rows.set_column(rows.column_names.index(column), column, pa.array(values, mask=nulls))


def _plant(stream: pa.Table, scale: tuple[float, float]) -> pa.Table:
    """Return the copy with its faults."""
    raw, wind = PLANTED
    copy = _standardised(stream, scale)
    miles = stream["distance"].to_numpy().astype(float)
    copy = _replaced(copy, "distance", np.where(_during(stream, raw), miles, copy["distance"].to_numpy()))
    speeds = stream["wind_speed"].to_numpy().astype(float)
    return _replaced(copy, "wind_speed", speeds, np.isnan(speeds) | _during(stream, wind))


def _during(rows: pa.Table, fault: Planted) -> np.ndarray:
    inside = pc.and_(
        pc.greater_equal(rows["ts"], pa.scalar(fault.start, rows["ts"].type)),
        pc.less(rows["ts"], pa.scalar(fault.end, rows["ts"].type)),
    )
    return np.asarray(inside.to_numpy())


def _write_logs(path: Path, real: pa.Table, planted: pa.Table) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for name, rows in (("predictions", real), ("predictions_planted", planted)):
            columns = ", ".join(f'"{column}"' for column in rows.column_names)
            marks = ", ".join("?" * rows.num_columns)
            connection.execute(f"CREATE TABLE {name} ({columns})")
            values = zip(*(_plain(rows[column]) for column in rows.column_names), strict=True)
            connection.executemany(f"INSERT INTO {name} VALUES ({marks})", values)  # noqa: S608 - our own names
            connection.execute(f"CREATE INDEX {name}_ts ON {name} (ts)")


def _plain(column: pa.ChunkedArray) -> list[object]:
    if pa.types.is_timestamp(column.type):
        return [moment.strftime("%Y-%m-%d %H:%M:%S") for moment in column.to_pylist()]
    values = column.to_pylist()
    return [None if isinstance(value, float) and isnan(value) else value for value in values]
