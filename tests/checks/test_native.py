"""Changes in the units of the log, in words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.lasting import Estimate
from checks.native import Native, told

numbers = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-6)

# Whatever alarms lies beyond a tolerance of some hundredths; an effect of exactly none is a case of its own.
effects = st.floats(-3, 3).filter(lambda effect: effect == 0 or abs(effect) > 1e-3)


def median(before, after, effect=0.5, low=0.4, high=0.6):
    return told(Native("median", before, after), "distance", Estimate(effect, low, high))


def share(before, after, low, high, what="share of nulls"):
    found = Estimate((low + high) / 2, low, high)
    return told(Native(what, before, after, share=True), "age", found)


def test_a_rise_is_told_in_per_cent_with_its_interval():
    assert median(800.0, 1200.0) == "median of distance rose from 800 to 1,200 (+50%, 90% interval +40% to +60%)"


def test_a_fall_is_told_in_per_cent_with_its_interval():
    words = median(1000.0, 800.0, -0.5, -0.75, -0.25)
    assert words == "median of distance fell from 1,000 to 800 (-20%, 90% interval -30% to -10%)"


@pytest.mark.parametrize(("before", "after"), [(0.0, 5.0), (-5.0, 5.0), (-10.0, -5.0)])
def test_where_per_cents_mean_nothing_the_difference_is_told(before, after):
    words = median(before, after)
    assert "%," not in words
    assert words.endswith(
        f"(+{after - before:.3g}, 90% interval {0.8 * (after - before):.3g} to {1.2 * (after - before):.3g})"
    )


def test_an_interval_that_reaches_zero_does_so_in_native_units_too():
    assert median(1000.0, 1100.0, 0.1, -0.1, 0.3).endswith("(+10%, 90% interval -10% to +30%)")


def test_a_quantile_that_stays_while_its_score_moves_says_so():
    assert median(5.0, 5.0) == "median of distance stayed, its distribution changed (from 5.00 to 5.00)"


def test_without_an_effect_no_interval_is_made_up():
    assert "interval" not in median(5.0, 6.0, 0.0, -0.1, 0.1)


def test_a_share_is_told_in_shares_exactly():
    words = share(0.2, 0.4, 0.3, 0.6)
    assert words.startswith("share of nulls of age rose from 20% to 40% (90% interval ")
    low, high = map(int, re.search(r"interval (\d+)% to (\d+)%", words).groups())
    assert (low, high) == (33, 47)  # sin² of the angle moved by half of Cohen's h


def test_a_share_in_a_column_is_told_as_one():
    words = share(0.2, 0.4, 0.3, 0.6, "share of 'gold' in")
    assert words.startswith("share of 'gold' in age rose from")


def test_a_share_that_falls_fell():
    assert "fell from 40% to 20%" in share(0.4, 0.2, -0.6, -0.3)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-4, 4), st.floats(0, 3))
def test_the_interval_of_a_share_stays_between_nothing_and_everything(before, after, low, wide):
    words = share(before, after, low, low + wide)
    ends = [float(end) for end in re.search(r"interval ([\d.e-]+)% to ([\d.e-]+)%", words).groups()]
    assert 0 <= ends[0] <= ends[1] <= 100


@given(numbers, numbers, effects, st.floats(0, 2))
def test_whatever_moved_is_said_in_one_clause(before, after, effect, reach):
    words = median(before, after, effect, effect - reach, effect + reach)
    assert words.startswith("median of distance ")
    assert words.count("(") == words.count(")") == 1
    assert "nan" not in words
    assert "inf" not in words
