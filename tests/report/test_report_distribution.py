"""Histograms and quantiles from bins agree with those from rows."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.binning import fit, profile_column
from checks.profile import Bins, ColumnProfile
from monitor.report.distribution import QUANTILES, histogram, quantiles, shares


def fitted(reference, current=None) -> tuple[Bins, ColumnProfile, ColumnProfile]:
    array = pa.array(reference)
    bins = fit(array)
    return (
        bins,
        profile_column(array, bins),
        profile_column(pa.array(current if current is not None else reference), bins),
    )


numbers = st.lists(st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3)), min_size=1, max_size=80)


@settings(max_examples=60)
@given(numbers, numbers)
def test_every_row_is_in_a_bar_or_beyond_an_end(reference, current):
    shown = histogram(*fitted(reference, current))
    assert shown is not None
    for side, place in ((shown.reference, 0), (shown.current, 1)):
        assert side.min() >= -1e-12
        assert side.sum() + shown.below[place] + shown.above[place] == pytest.approx(1.0)


def test_small_integers_have_a_bar_each_of_the_exact_height():
    hours = np.random.default_rng(1).integers(0, 24, 5000)
    shown = histogram(*fitted(hours))
    assert shown is not None
    assert shown.reference == pytest.approx(np.bincount(hours, minlength=24) / 5000, abs=0.006)
    assert shown.edges[0] == -0.5


def test_a_heap_at_the_lowest_value_is_in_the_first_bar():
    values = np.concatenate([np.zeros(800), np.random.default_rng(2).exponential(1, 200)])
    shown = histogram(*fitted(values))
    assert shown is not None
    assert shown.reference[0] > 0.8
    assert shown.below[0] == 0


def test_the_histogram_follows_that_of_the_rows():
    values = np.random.default_rng(3).normal(50, 10, 20_000)
    shown = histogram(*fitted(values))
    assert shown is not None
    exact = np.histogram(values, shown.edges)[0] / len(values)
    assert shown.reference == pytest.approx(exact, abs=0.01)


def test_a_column_in_other_units_lies_beyond_the_end():
    values = np.random.default_rng(4).normal(1000, 100, 2000)
    shown = histogram(*fitted(values, (values - 1000) / 100))
    assert shown is not None
    assert shown.below[1] == pytest.approx(1.0)


def test_a_constant_column_has_one_bar():
    shown = histogram(*fitted([5.0] * 50))
    assert shown is not None
    assert shown.reference.tolist() == [1.0]


def test_a_column_without_values_has_no_histogram():
    assert histogram(*fitted(pa.nulls(5, pa.float64()))) is None


def test_categories_have_no_histogram_and_no_quantiles():
    bins, before, now = fitted(["a", "b"])
    assert histogram(bins, before, now) is None
    assert quantiles(bins, before) is None


def test_quantiles_agree_with_those_of_the_rows():
    values = np.random.default_rng(6).gamma(3, 20, 10_000)
    bins, before, _ = fitted(values)
    assert quantiles(bins, before) == pytest.approx(np.quantile(values, QUANTILES), rel=0.03)


def test_quantiles_of_whole_numbers_are_whole():
    bins, before, _ = fitted(np.random.default_rng(7).integers(0, 500, 3000))
    found = quantiles(bins, before)
    assert found is not None
    assert all(value.is_integer() for value in found)


def test_quantiles_of_values_far_outside_stay_between_their_extremes():
    bins, _, now = fitted(np.arange(1000.0), np.linspace(-3, 3, 101))
    found = quantiles(bins, now)
    assert found is not None
    assert -3 <= min(found) <= max(found) <= 3


def test_shares_sum_to_one_whatever_is_hidden():
    values = [f"v{place % 30}" for place in range(3000)]
    bins, before, now = fitted(values, [*values[:900], *["new"] * 100])
    listed = shares(bins, before, now, most=5)
    assert [one.label for one in listed[-2:]] == ["25 other known values", "unseen values"]
    assert sum(one.current for one in listed) == pytest.approx(1.0)
    assert listed[-1].current == pytest.approx(0.1)


def test_a_rare_category_that_became_frequent_is_listed():
    values = [f"v{place % 20}" for place in range(2000)] + ["rare"]
    bins, before, now = fitted(values, ["rare"] * 500 + values[:500])
    assert "rare" in [one.label for one in shares(bins, before, now)]
