"""Evidently's own report, for those who know it: rendered from the two samples in a process of its own.

Evidently takes seconds to import and dies on an all-null column, on numbers as text and on small integers. So the
samples are read here as the reference reads them, what it cannot bear is left out and said, and its process can only
fail alone.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import move
from typing import TYPE_CHECKING, Literal

import numpy as np

from checks import reading
from checks.profile import Kind
from monitor.core.errors import UnavailableError, UserError

if TYPE_CHECKING:
    import pyarrow as pa

Role = Literal["numeric", "categorical", "datetime"]
_ROLES: dict[Kind, Role] = {
    "numeric": "numeric",
    "text": "numeric",
    "boolean": "categorical",
    "categorical": "categorical",
    "datetime": "datetime",
}

# Evidently reads the first, the library below it the second; either keeps a run from being reported to anybody.
QUIET = {"DO_NOT_TRACK": "1", "ITERATIVE_DO_NOT_TRACK": "1", "PYTHONWARNINGS": "ignore", "MPLBACKEND": "Agg"}
# Evidently writes names and values into a script as they are, so a category '</script>…' would run; and a page that may
# not call anybody cannot be made to, whatever else it holds.
HARMLESS = str.maketrans({"<": "\u2039", ">": "\u203a", "&": "\uff06"})
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data: blob:; font-src data:\">"
)
TAIL_LINES = 4  # lines of stderr that an error quotes


@dataclass
class _Cleaned:
    """The columns that Evidently is given, and what a person is told of the others."""

    reference: dict[str, "pa.Array"] = field(default_factory=dict)
    current: dict[str, "pa.Array"] = field(default_factory=dict)
    roles: dict[Role, list[str]] = field(default_factory=lambda: {"numeric": [], "categorical": [], "datetime": []})
    notes: list[str] = field(default_factory=list)


def render_evidently(
    reference: "pa.Table", current: "pa.Table", out: Path, kinds: Mapping[str, Kind], timeout: float = 300.0
) -> list[str]:
    """Write Evidently's data drift and data summary report of two samples to ``out``.

    Parameters
    ----------
    reference, current : the samples; columns that are not in ``kinds`` are left out.
    out : where the page goes; it is replaced only by a complete one.
    kinds : how the reference reads each watched column.
    timeout : seconds after which Evidently's process is ended.

    Returns
    -------
    What was left out or read differently, one sentence each.

    Raises
    ------
    UserError
        When a sample has no rows, no column can be compared, or ``out`` cannot be written.
    UnavailableError
        When Evidently fails or takes too long.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, sample in (("reference", reference), ("current", current)):
        if not sample.num_rows:
            raise UserError(
                f"the {name} sample has no rows, so Evidently has nothing to show; set 'sample' of the model above 0 "
                "and check a window that has rows"
            )
    cleaned = _clean(reference, current, kinds)
    if not cleaned.current:
        raise UserError("no watched column has values in both samples, so Evidently has nothing to compare")
    with tempfile.TemporaryDirectory(prefix="leeway-evidently-") as name:
        folder = Path(name)
        pq.write_table(pa.table(cleaned.reference), folder / "reference.parquet")
        pq.write_table(pa.table(cleaned.current), folder / "current.parquet")
        (folder / "roles.json").write_text(json.dumps(cleaned.roles), encoding="utf-8")
        _run(folder, timeout)
        page = folder / "page.html"
        page.write_text(page.read_text(encoding="utf-8").replace("<head>", f"<head>{POLICY}", 1), encoding="utf-8")
        try:
            move(page, out)
        except OSError as error:
            raise UserError(f"cannot write the report to {out}: {error.strerror or error}") from error
    return cleaned.notes


def _run(folder: Path, timeout: float) -> None:
    command = [sys.executable, "-m", "monitor.report._evidently_worker", str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, our own module, a folder of our own
            command,
            env={**os.environ, **QUIET},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(
            f"Evidently did not finish within {timeout:g} seconds; take a smaller 'sample' or fewer columns"
        ) from error
    if done.returncode or not (folder / "page.html").exists():
        tail = " | ".join(line.strip() for line in done.stderr.strip().splitlines()[-TAIL_LINES:])
        raise UnavailableError(
            f"Evidently could not render these samples (exit code {done.returncode}): {tail or 'it said nothing'}. "
            "The report without --engine evidently does not depend on it"
        )


def _clean(reference: "pa.Table", current: "pa.Table", kinds: Mapping[str, Kind]) -> _Cleaned:
    cleaned = _Cleaned()
    extra = [name for name in current.column_names if name not in kinds]
    if extra:  # Evidently stops at a column that only one side has
        cleaned.notes.append(f"not watched, so left out: {', '.join(extra)}")
    for name, kind in kinds.items():
        absent = [
            side for side, table in (("reference", reference), ("current", current)) if name not in table.column_names
        ]
        if absent:
            cleaned.notes.append(f"{name}: left out, it is not in the {' nor in the '.join(absent)} sample")
            continue
        _add(cleaned, name, kind, reference.column(name), current.column(name))
    return cleaned


def _add(cleaned: _Cleaned, name: str, kind: Kind, reference: "pa.ChunkedArray", current: "pa.ChunkedArray") -> None:
    """Add one column in the form that Evidently bears: floats, plain text, or naive timestamps."""
    arrays = []
    for side, column in (("reference", reference), ("current", current)):
        read = _read(column, kind)
        values = read.values.copy()
        usable = read.ok
        if kind not in ("categorical", "boolean"):
            infinite = usable & ~np.isfinite(np.where(usable, values, 0.0).astype(np.float64))
            usable = usable & ~infinite
            if infinite.any():
                cleaned.notes.append(f"{name}: {int(infinite.sum())} infinite values of the {side} sample left out")
        if read.mistyped.any():
            rows = int(read.mistyped.sum())
            cleaned.notes.append(
                f"{name}: {rows} values of the {side} sample cannot be read as {kind} and are left out"
            )
        if not usable.any():
            cleaned.notes.append(f"{name}: left out, the {side} sample has no value that can be read as {kind}")
            return
        arrays.append(_arrow(values, usable, kind))
    if kind == "text":
        cleaned.notes.append(f"{name}: free text, compared by its length in characters")
    shown = name.translate(HARMLESS)
    while shown in cleaned.current:
        shown += "\u2032"
    cleaned.roles[_ROLES[kind]].append(shown)
    cleaned.reference[shown], cleaned.current[shown] = arrays


def _read(column: "pa.ChunkedArray", kind: Kind) -> reading.Read:
    match kind:
        case "boolean":
            return reading.booleans(column)
        case "categorical":
            return reading.texts(column)
        case "text":
            return reading.lengths(column)
        case "datetime":
            return reading.instants(column)
        case _:
            return reading.numbers(column)


def _arrow(values: np.ndarray, usable: reading.Mask, kind: Kind) -> "pa.Array":
    import pyarrow as pa

    if kind in ("categorical", "boolean"):
        return pa.array(
            [value.translate(HARMLESS) if ok else None for value, ok in zip(values, usable, strict=True)], pa.string()
        )
    if kind == "datetime":
        micros = (np.where(usable, values, 0.0).astype(np.float64) * 1e6).astype(np.int64)
        return pa.array(micros, pa.int64(), mask=~usable).cast(pa.timestamp("us"))
    return pa.array(values.astype(np.float64), pa.float64(), mask=~usable)
