"""Whatever is in a table, the window that is counted has the profile of the window that is streamed."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from log_places import Places

from checks.binning import fit
from monitor.core.window import Window

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY_ONE = Window(START, START + timedelta(days=1))

doubles = st.one_of(st.none(), st.sampled_from([0.0, -0.0, -1.0, 999.0, 0.1, float("inf"), -float("inf"), 5e-324]),
                    st.floats(allow_nan=False, width=64), st.floats(-10, 10))  # fmt: skip
wholes = st.one_of(st.none(), st.integers(-9, 9), st.integers(-(2**63), 2**63 - 1))
texts = st.one_of(st.none(), st.sampled_from(["", "a", "A", "a ", "é", "'", '"', "%s", ":a", "😀"]),
                  st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9))  # fmt: skip
moments = st.datetimes(datetime(2026, 2, 28, 12), datetime(2026, 3, 2))  # noqa: DTZ001 - a clock of its own
rows = st.lists(
    st.tuples(moments, doubles, wholes, texts, texts, st.none() | st.booleans(), st.none() | moments), max_size=12
)


@pytest.mark.parametrize("kind", ["sqlite", "parquet"])
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=rows, seen=rows, zone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]))
def test_counting_is_streaming(kind, known, seen, zone):
    bins, table = {}, tables(seen)
    reference = tables(known)
    for name, how in [("x", None), ("n", None), ("w", "categorical"), ("t", "text"), ("b", None), ("s", None)]:
        bins[name] = fit(reference[name], how)
    bins["as word"] = fit(reference["n"], "categorical")
    with tempfile.TemporaryDirectory() as folder:
        source = Places(kind, Path(folder), None).source(table, id="id", timezone=zone)
        one = source.model_copy(update={"mode": "stream"}).read(DAY_ONE, bins, 5)
        other = source.model_copy(update={"mode": "pushdown"}).read(DAY_ONE, bins, 5)
    for name in bins:
        assert one.profile.columns[name] == other.profile.columns[name], name
    assert one.profile == other.profile
    assert one.sample["id"].to_pylist() == other.sample["id"].to_pylist() if one.profile.rows else True


def tables(values):
    wall = pa.timestamp("us")
    kinds = {
        "ts": wall,
        "x": pa.float64(),
        "n": pa.int64(),
        "w": pa.string(),
        "t": pa.string(),
        "b": pa.bool_(),
        "s": wall,
    }
    columns = zip(*values, strict=True) if values else [()] * len(kinds)
    arrays = {name: pa.array(column, kind) for (name, kind), column in zip(kinds.items(), columns, strict=True)}
    return pa.table({"id": pa.array(range(len(values)), pa.int64()), **arrays, "as word": arrays["n"]})
