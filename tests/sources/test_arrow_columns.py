"""Python values of a driver become Arrow columns; whatever they are, nothing is lost and nothing is raised."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources._arrow import batch_of, column_of, plain

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "declared", "kind", "read"),
    [
        ([1, None], None, pa.int64(), [1, None]),
        ([1, 2.5], None, pa.float64(), [1.0, 2.5]),
        ([2**70, 1], None, pa.string(), [str(2**70), "1"]),
        ([Decimal("1.5")], None, pa.float64(), [1.5]),
        ([True, None], None, pa.bool_(), [True, None]),
        ([True, 2], None, pa.string(), ["true", "2"]),
        ([NOON], None, pa.timestamp("us", "UTC"), [NOON]),
        ([NOON, NOON.replace(tzinfo=None)], None, pa.string(), [str(NOON), str(NOON.replace(tzinfo=None))]),
        ([date(2026, 7, 1)], None, pa.date32(), [date(2026, 7, 1)]),
        ([time(12), None], None, pa.string(), ["12:00:00", None]),
        ([UUID(int=1)], None, pa.string(), [str(UUID(int=1))]),
        ([{"b": 1, "a": "é"}], None, pa.string(), ['{"a": "é", "b": 1}']),
        ([b"hi", b"\xff"], None, pa.string(), ["hi", "ff"]),
        ([None], None, pa.null(), [None]),
        ([None], pa.float64(), pa.float64(), [None]),
        ([0, 1, None], pa.bool_(), pa.bool_(), [False, True, None]),
        ([0, 2], pa.bool_(), pa.int64(), [0, 2]),
        ([1], pa.float32(), pa.float32(), [1.0]),
        (["1"], pa.float64(), pa.string(), ["1"]),
        (["2026-07-01 12:00"], pa.timestamp("us"), pa.timestamp("us"), [NOON.replace(tzinfo=None)]),
        ([NOON.replace(tzinfo=None)], pa.timestamp("us", "UTC"), pa.timestamp("us", "UTC"), [NOON]),
        (["soon"], pa.timestamp("us"), pa.string(), ["soon"]),
        (["2026-07-01"], pa.date32(), pa.date32(), [date(2026, 7, 1)]),
        (["a"], pa.int64(), pa.string(), ["a"]),
    ],
)
def test_values_have_the_type_that_all_of_them_fit(values, declared, kind, read):
    column = column_of(values, declared)
    assert (column.type, column.to_pylist()) == (kind, read)


ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(), st.binary(), st.dates(), st.uuids(),
    st.datetimes(), st.datetimes(timezones=st.just(UTC)), st.lists(st.integers(), max_size=2),
)  # fmt: skip
DECLARED = st.sampled_from([None, pa.bool_(), pa.int64(), pa.float32(), pa.timestamp("us"), pa.date32(), pa.string()])


@given(values=st.lists(ANYTHING, min_size=1, max_size=6), declared=DECLARED)
def test_any_values_become_a_column_with_their_nulls(values, declared):
    column = column_of(values, declared)
    assert len(column) == len(values)
    assert [value is None for value in column.to_pylist()] == [value is None for value in values]


def test_rows_become_a_batch_by_column():
    batch = batch_of(["a", "b"], [(1, "x"), (2, None)], {})
    assert batch.to_pydict() == {"a": [1, 2], "b": ["x", None]}


def test_columns_of_duckdb_have_few_types():
    batch = pa.record_batch(
        {
            "time": pa.array([time(1)]),
            "large": pa.array(["x"], pa.large_string()),
            "view": pa.array(["x"], pa.string_view()),
            "list": pa.array([[1]]),
        }
    )
    assert {str(kind) for kind in plain(batch).schema.types} == {"string"}
