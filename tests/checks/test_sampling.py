"""The same rows are sampled whatever the batches, and as fairly as their hashes are uniform."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.sampling import Sample, concat, hash_rows
from checks.sketch import hash_text


def rows(count=500):
    return pa.table({"id": pa.array(range(count)), "value": pa.array([f"v{place % 17}" for place in range(count)])})


def sampled(table, size=20, row_id="id", cuts=()):
    sample = Sample(size, row_id)
    for first, last in zip((0, *cuts), (*cuts, table.num_rows), strict=True):
        sample = sample.add(table.slice(first, last - first))
    return sample.rows()


def test_the_rows_with_the_smallest_hashes_are_kept_in_their_order():
    expected = sorted(range(500), key=lambda number: hash_text(str(number)))[:20]
    assert sampled(rows())["id"].to_pylist() == expected


@given(cuts=st.lists(st.integers(0, 500), max_size=8).map(sorted), row_id=st.sampled_from(["id", None, "absent"]))
def test_the_batches_do_not_matter(cuts, row_id):
    assert sampled(rows(), row_id=row_id, cuts=cuts) == sampled(rows(), row_id=row_id)


@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter_even_where_ids_repeat(seed):
    table = pa.table({"id": [place // 40 for place in range(500)], "n": range(500)})
    order = np.random.default_rng(seed).permutation(500)
    assert sampled(table.take(pa.array(order))) == sampled(table)


def test_more_rows_than_are_held_at_once_give_the_same_sample():
    table = rows(40_000)
    assert sampled(table, cuts=range(5_000, 40_000, 5_000)) == sampled(table)


def test_few_rows_are_held_however_many_come():
    sample = Sample(20, "id")
    for first in range(0, 60_000, 6_000):
        sample = sample.add(rows(60_000).slice(first, 6_000))
        assert sum(map(len, sample.hashes)) < 20 + 8_192 + 1


def test_a_record_batch_is_added_like_a_table():
    assert Sample(5, "id").add(rows().to_batches()[0]).rows() == sampled(rows(), 5)


def test_fewer_rows_than_the_size_are_all_kept():
    assert sampled(rows(7)).num_rows == 7


def test_no_rows_give_a_table_without_columns():
    assert Sample(5).rows().num_columns == 0


def test_a_size_of_zero_keeps_nothing():
    assert Sample(0, "id").add(rows()).rows().num_rows == 0


def test_rows_without_an_id_are_hashed_by_their_values():
    table = pa.table({"id": pa.array([None] * 500, pa.string()), "n": range(500)})
    assert len(set(sampled(table)["n"].to_pylist())) == 20


def test_a_whole_number_hashes_alike_as_integer_float_and_text():
    ids = [pa.array([3, 14, 15]), pa.array([3.0, 14.0, 15.0]), pa.array(["3", "14", "15"])]
    assert (
        len(
            {
                tuple(Sample(1, "id").add(pa.table({"id": column, "n": range(3)})).rows()["n"].to_pylist())
                for column in ids
            }
        )
        == 1
    )


def test_the_order_of_columns_does_not_change_a_rows_hash():
    assert hash_rows(rows()).tolist() == hash_rows(rows().select(["value", "id"])).tolist()


def test_a_sample_is_spread_evenly_over_the_rows():
    counts, _ = np.histogram(sampled(rows(20_000), 2_000)["id"].to_numpy(), bins=10, range=(0, 20_000))
    assert abs(counts - 200).max() < 4 * np.sqrt(200)


@pytest.mark.parametrize(
    ("one", "other", "kind", "values"),
    [
        (pa.array([1]), pa.array([2.5]), pa.float64(), [1.0, 2.5]),
        (pa.array([1]), pa.array(["a"]), pa.string(), ["1", "a"]),
        (pa.array([2.0]), pa.array([True]), pa.string(), ["2", "true"]),
        (pa.array([None]), pa.array([7]), pa.int64(), [None, 7]),
        (pa.array(["a"]), pa.array([None]), pa.string(), ["a", None]),
    ],
)
def test_columns_of_two_types_are_joined(one, other, kind, values):
    joined = concat([pa.table({"x": one}), pa.table({"x": other})])
    assert (joined["x"].type, joined["x"].to_pylist()) == (kind, values)


def test_a_column_that_a_table_lacks_is_null_there():
    joined = concat([pa.table({"x": [1]}), pa.table({"y": ["a"]})])
    assert joined.to_pydict() == {"x": [1, None], "y": [None, "a"]}


def test_no_rows_have_no_hashes():
    assert hash_rows(rows(0)).tolist() == []
