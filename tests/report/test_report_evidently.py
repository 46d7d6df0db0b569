"""Evidently's own report: rendered apart, robust against what kills it, and harmless whatever the table holds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.errors import UnavailableError, UserError
from monitor.report import evidently
from monitor.report.evidently import QUIET, render_evidently

HOSTILE = "</script><script>alert('x')</script>"
KINDS = {
    "amount": "numeric", "void": "numeric", "flag": "boolean", "small": "categorical", "digits": "numeric", "far": "numeric",
    "words": "text", "when": "datetime", HOSTILE: "categorical", "gone": "numeric",
}  # fmt: skip


def sample(seed: int, rows: int = 120, *, current: bool = False) -> pa.Table:
    random = np.random.default_rng(seed)
    columns = {
        "amount": random.normal(size=rows),
        "void": pa.nulls(rows, pa.float64()),
        "flag": ["yes", "no"] * (rows // 2) if current else [True, False] * (rows // 2),
        "small": pa.array(random.integers(0, 3, rows), pa.int8()),
        "digits": ["1", "2.5", "x", None] * (rows // 4) if current else random.normal(size=rows),
        "far": np.where(np.arange(rows) % 10 == 0, np.inf, random.normal(size=rows)),
        "words": [f"some words {place}" for place in range(rows)],
        "when": pa.array(np.arange(rows) * 10**9, pa.timestamp("us", "UTC")),
        HOSTILE: [HOSTILE, "plain"] * (rows // 2),
        "gone": random.normal(size=rows),
    }
    if current:
        del columns["gone"]
        columns["surprise"] = [1] * rows
    return pa.table(columns)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the process would have been given; it is not started."""
    seen: dict[str, object] = {}

    def run(folder: Path, timeout: float) -> None:
        seen["timeout"] = timeout
        seen["roles"] = json.loads((folder / "roles.json").read_text(encoding="utf-8"))
        seen["reference"], seen["current"] = (
            pq.read_table(folder / f"{side}.parquet") for side in ("reference", "current")
        )
        (folder / "page.html").write_text("<html><head></head></html>", encoding="utf-8")

    monkeypatch.setattr(evidently, "_run", run)
    return seen


def test_what_evidently_cannot_bear_is_left_out_and_said(prepared, tmp_path: Path):
    notes = render_evidently(sample(1), sample(2, current=True), tmp_path / "page.html", KINDS)
    assert notes == [
        "not watched, so left out: surprise",
        "void: left out, the reference sample has no value that can be read as numeric",
        "digits: 30 values of the current sample cannot be read as numeric and are left out",
        "far: 12 infinite values of the reference sample left out",
        "far: 12 infinite values of the current sample left out",
        "words: free text, compared by its length in characters",
        "gone: left out, it is not in the current sample",
    ]


def test_both_samples_get_the_same_columns_of_the_same_types(prepared, tmp_path: Path):
    render_evidently(sample(1), sample(2, current=True), tmp_path / "page.html", KINDS)
    assert prepared["reference"].schema == prepared["current"].schema
    types = {str(kind) for kind in prepared["reference"].schema.types}
    assert types == {"double", "string", "timestamp[us]"}


def test_every_column_has_the_role_of_its_kind(prepared, tmp_path: Path):
    render_evidently(sample(1), sample(2, current=True), tmp_path / "page.html", KINDS)
    roles = prepared["roles"]
    assert roles["numeric"] == ["amount", "digits", "far", "words"]
    assert roles["datetime"] == ["when"]
    assert roles["categorical"][:2] == ["flag", "small"]


def test_no_name_and_no_value_can_leave_a_script(prepared, tmp_path: Path):
    render_evidently(sample(1), sample(2, current=True), tmp_path / "page.html", KINDS)
    table = prepared["current"]
    texts = [*table.column_names, *(str(value) for value in table.column(table.column_names[-1]).to_pylist())]
    assert not any("<" in text or ">" in text for text in texts)


def test_names_that_become_alike_stay_two_columns(prepared, tmp_path: Path):
    kinds = {"a<b": "numeric", "a\u2039b": "numeric"}
    table = pa.table({name: [1.0, 2.0] for name in kinds})
    render_evidently(table, table, tmp_path / "page.html", kinds)
    assert prepared["reference"].num_columns == 2


def test_the_page_may_call_nobody(prepared, tmp_path: Path):
    out = tmp_path / "page.html"
    render_evidently(sample(1), sample(2, current=True), out, KINDS)
    assert "default-src 'none'" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(("reference", "current", "side"), [(0, 8, "reference"), (8, 0, "current")])
def test_a_sample_without_rows_is_a_mistake_with_a_remedy(tmp_path: Path, reference: int, current: int, side: str):
    with pytest.raises(UserError, match=f"the {side} sample has no rows"):
        render_evidently(sample(1, reference), sample(1, current), tmp_path / "page.html", KINDS)


def test_nothing_to_compare_is_a_mistake(tmp_path: Path):
    with pytest.raises(UserError, match="no watched column"):
        render_evidently(sample(1), sample(2), tmp_path / "page.html", {"void": "numeric"})


def test_an_unwritable_place_is_a_mistake(prepared, tmp_path: Path):
    with pytest.raises(UserError, match="cannot write the report"):
        render_evidently(sample(1), sample(2), tmp_path / "no such folder" / "page.html", KINDS)


def test_a_failing_process_is_said_with_the_end_of_its_words(tmp_path: Path):
    with pytest.raises(UnavailableError, match=r"exit code 1.*roles\.json"):
        evidently._run(tmp_path, 60)


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path):
    with pytest.raises(UnavailableError, match=r"did not finish within 0\.01 seconds"):
        evidently._run(tmp_path, 0.01)


@pytest.mark.slow
@pytest.mark.browser
def test_chromium_opens_evidentlys_page_offline_and_nothing_of_the_data_runs(browser, tmp_path: Path):
    out = tmp_path / "page.html"
    render_evidently(sample(1), sample(2, current=True), out, KINDS)
    context = browser.new_context(offline=True)
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    tab.on("request", lambda request: complaints.append(request.url) if request.url.startswith("http") else None)
    tab.goto(out.as_uri())
    tab.get_by_text("Dataset Drift", exact=True).wait_for(timeout=20_000)
    assert tab.get_by_text("amount").first.is_visible()
    assert complaints == []
    context.close()


@pytest.mark.slow
def test_evidently_reports_to_nobody():
    script = "from evidently.telemetry import event_logger; print(event_logger.is_enabled())"
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **QUIET}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
