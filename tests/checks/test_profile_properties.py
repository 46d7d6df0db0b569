"""Profiles add up, whatever the rows and the batches, and survive being stored."""

import json
import zlib
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checks.binning import fit, fit_table, profile_batch, profile_column
from checks.codec import LARGEST, FormatError, decode_bins, decode_profile, encode_bins, encode_profile
from checks.profile import Bins, ColumnProfile, Profile
from checks.sketch import ValueSketch, hash_text, hash_texts

FLOATS = st.one_of(
    st.none(), st.floats(-1e6, 1e6), st.sampled_from([0.0, -999.0, np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324])
)
TEXTS = st.one_of(
    st.none(), st.sampled_from(["a", "b", "", "3.0", "true", "<!channel>", "été", "🦊"]), st.text(max_size=4)
)
ROWS = st.lists(st.tuples(FLOATS, TEXTS, st.one_of(st.none(), st.booleans()), st.datetimes()), max_size=40)
SCHEMA = pa.schema([("x", pa.float64()), ("c", pa.string()), ("b", pa.bool_()), ("t", pa.timestamp("us"))])


def as_table(rows):
    columns = list(zip(*rows, strict=True)) or [[]] * 4
    return pa.table([pa.array(list(column), field.type) for column, field in zip(columns, SCHEMA, strict=True)], SCHEMA)


def fitted(rows):
    bins = fit_table(as_table(rows), {"c": "categorical", "x": "numeric"}, time="t")
    return {**bins, "length": Bins("text", edges=(1.0, 2.0)), "age": replace(bins["x"], kind="datetime")}


def profiled(rows, bins):
    table = as_table(rows)
    table = table.append_column("length", table["c"]).append_column("age", table["t"]).append_column("id", table["c"])
    return profile_batch(table, bins, time="t", row_id="id")


@settings(max_examples=60)
@given(ROWS, ROWS, st.integers(0, 40))
def test_the_profile_of_all_rows_is_the_sum_of_the_profiles_of_any_parts(reference, rows, cut):
    bins = fitted(reference)
    assert profiled(rows[:cut], bins) + profiled(rows[cut:], bins) == profiled(rows, bins)


@settings(max_examples=40)
@given(ROWS, ROWS, ROWS, ROWS)
def test_profiles_are_a_commutative_monoid(reference, one, two, three):
    bins = fitted(reference)
    a, b, c = (profiled(rows, bins) for rows in (one, two, three))
    empty = Profile.empty(bins)
    assert empty + a == a == a + empty
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a


@settings(max_examples=60)
@given(ROWS, ROWS)
def test_every_row_of_a_column_is_counted_exactly_once(reference, rows):
    for column in profiled(rows, fitted(reference)).columns.values():
        assert column.counts.sum() == column.present
        assert column.rows == len(rows)
        assert 0 <= column.finite <= column.present
        assert sum(column.families.values()) == len(rows)


@settings(max_examples=60)
@given(ROWS, ROWS)
def test_stored_profiles_and_bins_come_back_the_same(reference, rows):
    bins = fitted(reference)
    profile = profiled(rows, bins)
    assert decode_bins(encode_bins(bins)) == bins
    assert decode_profile(encode_profile(profile)) == profile
    assert encode_profile(decode_profile(encode_profile(profile))) == encode_profile(profile)


def _stored():
    rows = [(1.0, "a", True, np.datetime64("2024-01-01", "us").item()), (2.0, "b", None, None)]
    bins = fitted(rows[:1])
    return encode_profile(profiled(rows, bins)), encode_bins(bins)


PROFILE_BYTES, BINS_BYTES = _stored()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def _body(data):
    return json.loads(zlib.decompress(data))


def _pack(document):
    return zlib.compress(json.dumps(document).encode("utf-8", "surrogatepass"))


def _reads_or_refuses(data):
    for decode in (decode_profile, decode_bins):
        try:
            decode(data)
        except FormatError:
            continue


@given(st.binary(max_size=60))
def test_any_bytes_are_refused_with_a_format_error(data):
    for decode in (decode_profile, decode_bins):
        with pytest.raises(FormatError):
            decode(data)


@given(st.sampled_from([PROFILE_BYTES, BINS_BYTES]), st.integers(0, 10_000), st.integers(0, 255))
def test_a_changed_or_missing_byte_never_raises_anything_but_a_format_error(data, place, byte):
    place %= len(data)
    _reads_or_refuses(data[:place] + bytes([byte]) + data[place + 1 :])
    for decode in (decode_profile, decode_bins):
        with pytest.raises(FormatError):
            decode(data[:place])


def _paths(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from _paths(value[key], (*path, key))


def _replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _replaced(copy[path[0]], path[1:], new)
    return copy


@settings(max_examples=300)
@given(st.data(), st.sampled_from([PROFILE_BYTES, BINS_BYTES]), JSON)
def test_a_wrong_value_anywhere_in_the_document_never_raises_anything_but_a_format_error(data, stored, wrong):
    document = _body(stored)
    path = data.draw(st.sampled_from(list(_paths(document))))
    _reads_or_refuses(_pack(_replaced(document, path, wrong)))


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("rows",), -1),
        (("rows",), True),
        (("rows",), 1.5),
        (("columns", "x", "kind"), "number"),
        (("columns", "x", "counts"), [10**9, []]),
        (("columns", "x", "counts", 1), [[-1, 3]]),
        (("columns", "x", "counts", 1), [[10**6, 3]]),
        (("columns", "x", "counts", 1), [[0, 2**70]]),
        (("columns", "x", "hours", 0), 25),
        (("columns", "x", "total"), "many"),
        (("columns", "x", "total"), False),
        (("columns", "x", "low"), "inf"),
        (("columns", "c", "unseen"), [0, []]),
        (("columns", "c", "unseen"), [1, [[1, 1, "a"], [2, 1, "b"]]]),
        (("columns", "c", "unseen"), [64, [[1, 1, 7]]]),
        (("columns", "c", "surprise"), 1),
        (("events",), [1.0]),
    ],
)
def test_an_impossible_value_in_a_profile_is_refused(path, wrong):
    document = _body(PROFILE_BYTES)
    holder = document["body"]
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = wrong
    with pytest.raises(FormatError, match="damaged profile"):
        decode_profile(_pack(document))


@pytest.mark.parametrize(
    ("key", "wrong"),
    [("edges", [2.0, 1.0]), ("edges", ["nan"]), ("tails", [1.0]), ("centre", 10**400), ("values", [1]), ("kind", None)],
)
def test_an_impossible_value_in_bins_is_refused(key, wrong):
    document = _body(BINS_BYTES)
    document["body"]["x"][key] = wrong
    with pytest.raises(FormatError, match="damaged bins"):
        decode_bins(_pack(document))


def test_bytes_of_a_newer_release_are_refused_with_what_to_do():
    with pytest.raises(FormatError, match="format version 99, this release reads 1: use a newer release"):
        decode_profile(_pack({"version": 99, "body": {}}))


@pytest.mark.parametrize("document", [{"version": 1, "body": []}, {"version": 1}, [], 3, {"body": {}}])
def test_a_document_that_is_no_stored_profile_is_refused(document):
    with pytest.raises(FormatError, match="not a stored profile"):
        decode_profile(_pack(document))


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused_before_it_fills_the_memory():
    with pytest.raises(FormatError, match="larger than"):
        decode_profile(zlib.compress(b" " * (LARGEST + 1)))


def test_bytes_after_the_end_are_refused():
    with pytest.raises(FormatError, match="longer than it was written"):
        decode_profile(PROFILE_BYTES + b"x")


def test_profiles_of_different_bins_do_not_add_up():
    first, second = Bins("numeric", edges=(1.0,)), Bins("numeric", edges=(1.0, 2.0))
    with pytest.raises(ValueError, match="do not add up"):
        ColumnProfile.empty(first) + ColumnProfile.empty(second)
    with pytest.raises(ValueError, match="do not add up"):
        Profile.empty({"a": first}) + Profile.empty({"b": first})


def test_a_profile_differs_from_one_with_another_count_or_sum_and_from_other_things():
    bins = fit(pa.array([1.0, 2.0, 3.0]))
    profile = profile_column(pa.array([1.0, 2.0]), bins)
    assert profile != replace(profile, nulls=1, rows=3)
    assert profile != replace(profile, total=profile.total + 1)
    assert profile != replace(profile, squares=np.inf)
    assert replace(profile, squares=np.inf) == replace(profile, squares=np.inf, total=np.nan)
    assert profile != "profile"


def test_means_and_deviations_come_back_from_the_sums():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    bins = fit(pa.array(values))
    profile = profile_column(pa.array([*values, None, np.inf]), bins)
    assert profile.mean(bins) == pytest.approx(values.mean())
    assert profile.deviation(bins) == pytest.approx(values.std())
    assert profile.null_share == pytest.approx(1 / 6)
    empty = ColumnProfile.empty(bins)
    assert (empty.mean(bins), empty.deviation(bins), empty.null_share, empty.distinct) == (None, None, 0.0, None)


def test_sums_that_overflow_give_no_mean_rather_than_an_infinite_one():
    bins = fit(pa.array([1.0, 2.0]))
    profile = profile_column(pa.array([1.7e308, 1.7e308]), bins)
    assert profile.mean(bins) is None
    assert profile.deviation(bins) is None


def test_distinct_values_are_counted_while_they_can_be():
    bins = Bins("categorical", values=("a", "b"), others=frozenset({"z"}))
    assert profile_column(pa.array(["a", "a", "new", "newer"]), bins).distinct == 3
    assert profile_column(pa.array(["a", "z"]), bins).distinct is None


def test_rows_with_a_column_that_the_reference_does_not_know_add_up():
    one, two = Profile(2, {}, {"a": 2}), Profile(3, {}, {"a": 3, "b": 3})
    assert (one + two).extra == {"a": 5, "b": 3}


def test_a_profile_may_be_narrowed_to_some_columns():
    bins = {name: Bins("numeric") for name in "ab"}
    assert list(Profile.empty(bins).only(["b"]).columns) == ["b"]


def test_bins_have_one_label_each():
    numbers = Bins("numeric", edges=(1.0, 2.5))
    words = Bins("categorical", values=("a",))
    assert numbers.labels == ("up to 1", "1 to 2.5", "above 2.5")
    assert words.labels == ("a", "other known values", "unseen values")
    assert Bins("numeric").labels == ("all values",)
    for bins in (numbers, words, Bins("numeric")):
        assert len(bins.labels) == bins.size


COUNTS = st.dictionaries(st.text(max_size=3), st.integers(1, 5), max_size=12)


@given(COUNTS, COUNTS, COUNTS, st.integers(1, 6))
def test_sketches_are_a_commutative_monoid_that_counts_exactly(one, two, three, size):
    a, b, c = (ValueSketch(size).add(texts) for texts in (one, two, three))
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + ValueSketch(size) == a
    total = {text: one.get(text, 0) + two.get(text, 0) for text in {*one, *two}}
    assert dict((a + b).top(99)) == {text: total[text] for text in sorted(total, key=hash_text)[:size]}


def test_sketches_of_different_sizes_do_not_add_up():
    with pytest.raises(ValueError, match="do not add up"):
        ValueSketch(2) + ValueSketch(3)


def test_a_full_sketch_estimates_how_many_distinct_values_there_are():
    sketch = ValueSketch(512).add_hashes(hash_texts([f"id{i}".encode() for i in range(20_000)]))
    assert sketch.full
    assert sketch.distinct == pytest.approx(20_000, rel=0.15)
    assert sketch.top() == []
    assert ValueSketch().add({"a": 2}).distinct == 1


def test_the_share_of_repeats_is_that_of_the_sampled_rows():
    assert ValueSketch().repeated_share == 0
    assert ValueSketch().add({"a": 2, "b": 1, "c": 1}).repeated_share == 0.25


@example(text="\ud800")
@given(text=st.text())
def test_a_hash_has_sixty_bits_for_any_text(text):
    assert 0 <= hash_text(text) < 1 << 60


@given(st.lists(st.text()))
def test_many_texts_are_hashed_as_each_is(texts):
    encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
    assert hash_texts(encoded).tolist() == list(map(hash_text, texts))
