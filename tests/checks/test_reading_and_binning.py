"""What a database or a file may deliver is read, counted as null, or counted as mistyped; and bins hold what they say."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks import reading
from checks.binning import KNOWN_VALUES, TOP_VALUES, fit, fit_table, infer_kind, profile_batch, profile_column

UTC = dt.UTC
READERS = [reading.numbers, reading.instants, reading.texts, reading.booleans, reading.lengths]
ARRAYS = [
    pa.array([1.5, None, np.nan, np.inf]),
    pa.array([1, 2, None], pa.int8()),
    pa.array([2**63, 1], pa.uint64()),
    pa.array([Decimal("1.50"), None]),
    pa.array([True, None]),
    pa.array(["1", "x", None, "", " 2e3 ", "+1.", "nan", "-Infinity"]),
    pa.array(["1", None], pa.large_string()),
    pa.array(["1", "a long text that is not inlined", None], pa.string_view()),
    pa.array(["a", None, "a"]).dictionary_encode(),
    pa.array([b"raw", None]),
    pa.array([[1], None]),
    pa.array([{"a": 1}, None]),
    pa.array([None, None]),
    pa.array([], pa.float64()),
    pa.array([], pa.string()),
    pa.array([dt.date(2024, 1, 1), None]),
    pa.array([dt.datetime(2024, 1, 1, 5, tzinfo=UTC), None], pa.timestamp("ns", "Europe/Berlin")),
    pa.array([10**15, 0], pa.timestamp("s")),
    pa.array([dt.time(1, 2), None]),
    pa.chunked_array([[1.0], [2.0, None]]),
    pa.chunked_array([], pa.float64()),
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: str(array.type))
def test_every_row_is_null_or_mistyped_or_readable_whatever_the_type(read, array):
    found = read(array)
    assert len(found.values) == len(found.nulls) == len(found.mistyped) == len(array)
    assert not (found.nulls & found.mistyped).any()
    assert found.ok.sum() + found.nulls.sum() + found.mistyped.sum() == len(array)


@given(
    st.lists(
        st.one_of(st.none(), st.text(max_size=6), st.from_regex(r"[+-]?[0-9.]{1,5}(e[0-9]{1,3})?", fullmatch=True))
    )
)
def test_any_text_is_read_as_a_number_or_counted_as_mistyped(texts):
    for read in READERS:
        found = read(pa.array(texts, pa.string()))
        assert (found.nulls | found.mistyped | found.ok).all()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("+1.5", 1.5),
        (".5", 0.5),
        ("1.", 1),
        (" 3 ", 3),
        ("1e3", 1000),
        ("007", 7),
        ("-inf", -np.inf),
        ("1e999", np.inf),
    ],
)
def test_numbers_as_text_are_parsed(text, value):
    assert reading.numbers(pa.array([text])).values.tolist() == [value]


@pytest.mark.parametrize("text", ["", "x", "1,5", "1_0", "0x10", "1 2", "٣"])
def test_text_that_is_no_number_is_mistyped(text):
    found = reading.numbers(pa.array([text]))
    assert found.mistyped.tolist() == [True]


def test_nan_is_null_also_as_text():
    assert reading.numbers(pa.array([np.nan, 1.0])).nulls.tolist() == [True, False]
    assert reading.numbers(pa.array(["nan", "1"])).nulls.tolist() == [True, False]


def test_times_are_seconds_in_utc_however_they_are_written():
    noon = dt.datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp()
    texts = pa.array(["2024-01-01T12:00:00Z", "2024-01-01 13:00:00+01:00", "2024-01-01 12:00:00", "noon", None])
    found = reading.instants(texts)
    assert found.values[:3].tolist() == [noon] * 3
    assert (found.mistyped.tolist(), found.nulls.tolist()) == ([False] * 3 + [True, False], [False] * 4 + [True])
    assert reading.instants(pa.array([dt.date(1970, 1, 2)])).values.tolist() == [86400]
    assert reading.instants(pa.array([5])).mistyped.all()


def test_whole_numbers_are_one_category_with_and_without_a_decimal_point():
    assert reading.texts(pa.array([3.0, 2.5, 1e300, np.inf])).values.tolist() == ["3", "2.5", "1e+300", "inf"]
    assert reading.texts(pa.array([3])).values.tolist() == ["3"]
    assert reading.texts(pa.array([True])).values.tolist() == ["true"]


def test_booleans_are_understood_in_the_usual_words():
    found = reading.booleans(pa.array(["True", "no", "1", "0", "maybe", None]))
    assert found.values[:4].tolist() == ["true", "false", "true", "false"]
    assert found.mistyped.tolist() == [False] * 4 + [True, False]


def test_lengths_count_characters():
    assert reading.lengths(pa.array(["été", ""])).values.tolist() == [3, 0]


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        (pa.array([1, 2]), "numeric"),
        (pa.array([None, None]), "numeric"),
        (pa.array([True]), "boolean"),
        (pa.array([dt.date(2024, 1, 1)]), "datetime"),
        (pa.array(["a", "b"] * 200), "categorical"),
        (pa.array([f"id{i}" for i in range(300)]), "text"),
        (pa.array([str(i % (KNOWN_VALUES + 1)) for i in range(3 * KNOWN_VALUES)]), "text"),
        (pa.array([[1]]), "categorical"),
        (pa.array(["a", "b"]).dictionary_encode(), "categorical"),
    ],
)
def test_kinds_are_inferred_from_the_reference(array, kind):
    assert infer_kind(array) == kind


NUMBERS = st.lists(st.one_of(st.none(), st.floats(), st.sampled_from([0.0, 1.0])), max_size=80)


@given(NUMBERS, NUMBERS)
def test_edges_ascend_are_finite_and_take_any_value(reference, values):
    bins = fit(pa.array(reference, pa.float64()), "numeric")
    edges = np.array(bins.edges)
    assert np.isfinite(edges).all()
    assert (edges[1:] > edges[:-1]).all()  # a difference may be too large for a double
    profile = profile_column(pa.array(values, pa.float64()), bins)
    assert profile.counts.sum() == profile.present


@given(st.lists(st.integers(0, 3), min_size=40, max_size=80))
def test_a_frequent_value_has_a_bin_of_its_own(values):
    bins = fit(pa.array(values))
    for atom in bins.atoms:
        place = np.searchsorted(bins.edges, atom)
        assert bins.edges[place] == atom
        assert bins.edges[place - 1] == np.nextafter(atom, -np.inf)
    assert set(bins.atoms) == {value for value in values if values.count(value) > len(values) / 64}


def test_the_quantile_bins_hold_equal_shares_of_their_own_reference():
    values = np.random.default_rng(3).normal(size=6400)
    counts = profile_column(pa.array(values), fit(pa.array(values))).counts
    assert counts[3:-3] == pytest.approx(200, abs=2)
    assert counts[0] == counts[-1] == 0


def test_categories_are_the_most_frequent_values_then_others_then_unseen():
    values = [f"v{i:03}" for i in range(TOP_VALUES + 5) for _ in range(100 - i)]
    bins = fit(pa.array(values), "categorical")
    assert (bins.values[0], len(bins.values), len(bins.others)) == ("v000", TOP_VALUES, 5)
    profile = profile_column(pa.array(["v000", "v054", "new", "new", None]), bins)
    assert (profile.counts[0], profile.counts[-2], profile.counts[-1], profile.nulls) == (1, 1, 2, 1)
    assert profile.unseen.top() == [("new", 2)]


def test_the_age_of_a_date_is_measured_from_the_event_and_unknown_without_one():
    event = dt.datetime(2024, 1, 2, tzinfo=UTC)
    table = pa.table({"time": [event, event, None], "born": [event - dt.timedelta(hours=5), None, event]})
    bins = fit_table(table, time="time")
    profile = profile_batch(table, bins, time="time").columns["born"]
    assert (profile.low, profile.high, profile.nulls, profile.present) == (5.0, 5.0, 2, 1)
    assert profile.hours[19] == 1


def test_a_date_that_cannot_be_read_is_mistyped_even_where_the_event_has_no_time():
    table = pa.table({"time": pa.array([None], pa.timestamp("us")), "born": ["never"]})
    bins = {"born": fit(pa.array([dt.datetime(2024, 1, 1, tzinfo=UTC)]))}
    assert profile_batch(table, bins, time="time").columns["born"].mistyped == 1


def test_a_batch_without_a_column_counts_its_rows_as_absent_and_names_the_extra_ones():
    bins = fit_table(pa.table({"a": [1.0, 2.0]}))
    profile = profile_batch(pa.table({"b": [1, 2], "id": ["x", "x"]}), bins, row_id="id")
    assert profile.columns["a"].absent == 2
    assert profile.extra == {"b": 2}
    assert profile.ids.repeated_share == 0.5
    assert (profile.first_event, profile.last_event) == (None, None)
    assert profile_batch(pa.table({"b": pa.array([], pa.int64())}), bins, row_id="id").extra == {}


def test_sentinels_and_infinities_are_counted():
    bins = fit(pa.array([1.0, 2.0]))
    profile = profile_column(pa.array([-999.0, -999.0, 0.0, np.inf, -np.inf]), bins)
    assert profile.infinite == 2
    assert profile.sentinels.sum() == 3
    assert (profile.low, profile.high) == (-999.0, 0.0)


def test_columns_named_in_skip_have_no_bins():
    assert list(fit_table(pa.table({"a": [1], "b": [2]}), skip=["b"])) == ["a"]
