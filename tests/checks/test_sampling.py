"""The same rows are sampled whatever the batches, and as fairly as their hashes are uniform."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.identity import hash_ids, hash_rows
from checks.joining import concat
from checks.sampling import STRATA, Sample, allot, cuts
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
        assert sample.held <= 20 + 2 * 8_192


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


# Slices of the window

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def timed(moments):
    times = pa.array([START + timedelta(seconds=second) for second in moments], pa.timestamp("us", "UTC"))
    return pa.table({"ts": times, "id": range(len(times)), "second": pa.array(moments, pa.int64())})


def sliced(table, size=40, cuts=()):
    sample = Sample(size, "id", "ts", (START, END))
    for first, last in zip((0, *cuts), (*cuts, table.num_rows), strict=True):
        sample = sample.add(table.slice(first, last - first))
    return sample


def test_the_slices_tile_the_window():
    assert [(moment - START) / (END - START) for moment in cuts(START, END)] == [n / STRATA for n in range(1, STRATA)]


def test_every_slice_gives_its_share():
    seconds = np.concatenate([np.arange(0, 10_800, 10), np.arange(10_800, 86_400, 20)])  # twice as many at the start
    found = sliced(timed(seconds.tolist())).rows()["second"].to_numpy()
    assert np.histogram(found, STRATA, (0, 86_400))[0].tolist() == [9, 5, 5, 5, 4, 4, 4, 4]


def test_a_few_rows_at_the_end_are_seen():
    assert max(sliced(timed([*range(2_000), 86_399])).rows()["second"].to_pylist()) == 86_399


def test_a_row_on_a_cut_is_of_the_later_slice():
    edge = round((cuts(START, END)[0] - START).total_seconds())
    table = timed([edge - 1, edge, edge + 1, edge + 2])
    first = sliced(table, 2).rows()["second"].to_pylist()
    assert edge - 1 in first


@given(data=st.data())
def test_batches_and_parts_do_not_matter_to_a_sample_by_slices(data):
    seconds = data.draw(st.lists(st.integers(0, 86_399), min_size=30, max_size=200))
    places = data.draw(st.lists(st.integers(0, len(seconds)), max_size=5).map(sorted))
    table = timed(seconds)
    half = len(seconds) // 2
    parts = sliced(table.slice(0, half), 25) + sliced(table.slice(half), 25)
    assert sliced(table, 25, places).rows() == sliced(table, 25).rows() == parts.rows()


def test_samples_of_other_windows_do_not_add_up():
    with pytest.raises(ValueError, match="do not add up"):
        sliced(timed([1])) + Sample(40, "id")


@given(rows=st.lists(st.integers(0, 1_000), min_size=1, max_size=STRATA), size=st.integers(1, 500))
def test_shares_fill_the_sample_and_never_ask_for_more_than_there_is(rows, size):
    shares = allot(rows, size)
    assert sum(shares) == min(size, sum(rows))
    assert all(0 <= share <= count for share, count in zip(shares, rows, strict=True))
    assert size < len(rows) or all(share for share, count in zip(shares, rows, strict=True) if count)


def test_ids_that_are_hashed_already_are_not_hashed_again():
    ids = hash_ids(pa.array([7] * 500))
    assert sampled(rows()) != Sample(20, "id").add(rows(), ids).rows()


def test_hashes_of_values_are_spread_evenly():
    table = pa.table({"a": np.repeat(np.arange(200), 100), "b": np.tile(np.arange(100) / 4, 200)})
    hashes = hash_rows(table)
    counts, _ = np.histogram(hashes.astype(float), bins=20, range=(0, 2.0**60))
    assert len(set(hashes.tolist())) == 20_000
    assert abs(counts - 1_000).max() < 5 * np.sqrt(1_000)


def test_values_of_neighbouring_columns_are_not_interchangeable():
    assert hash_rows(pa.table({"a": [1], "b": [2]})) != hash_rows(pa.table({"a": [2], "b": [1]}))
