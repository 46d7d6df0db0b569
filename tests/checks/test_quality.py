"""What each quality check counts, in plain cases that a person can check."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from check_worlds import DAY, HOUR, MONDAY, table

from checks.binning import fit, profile_column
from checks.catalogue import catalogue
from checks.history import peers
from checks.measurement import Inconclusive
from checks.profile import Bins, Column, ColumnProfile, Volume


def check(name, **parameters):
    return catalogue()[name].check(**parameters)


def columns(reference, current, kind=None):
    reference, current = pa.array(reference), pa.array(current)
    bins = fit(reference, kind)
    return [Column("x", bins, profile_column(one, bins)) for one in (reference, current)]


STEADY = np.random.default_rng(50).normal(100, 10, 5000)


def test_a_null_rate_counts_nan_and_goes_both_ways():
    reference, current = columns([1.0] * 90 + [None] * 10, [1.0, None, float("nan"), None])
    assert check("null_rate").measure(reference, current).effect == pytest.approx(0.65)
    assert check("null_rate").measure(current, reference).effect == pytest.approx(-0.65)
    assert check("null_rate").measure(reference, current).words == "null 10% to 75%"


def test_unseen_values_are_named_heaviest_first():
    reference, current = columns(["UA"] * 500 + ["DL"] * 500, ["UA"] * 90 + ["XX"] * 7 + ["YY"] * 3)
    found = check("unseen_category").measure(reference, current)
    assert (found.effect, found.words) == (pytest.approx(0.1), "unseen values 10%: 'XX', 'YY'")


def test_what_good_and_turing_expect_of_rare_values_is_no_effect():
    values = [f"v{i}" for i in range(40)] + ["a"] * 160  # 40 of 200 reference rows hold a value of their own
    reference, current = columns(values, ["a"] * 160 + [f"w{i}" for i in range(40)], "categorical")
    found = check("unseen_category").measure(reference, current)
    assert found.statistic == pytest.approx(0.2)
    assert found.effect == pytest.approx(0)
    assert found.pvalue > 0.4


def test_values_outside_of_the_range_count_beyond_the_references_own_share_there():
    current = np.concatenate([np.random.default_rng(51).normal(100, 10, 900), np.full(100, 5000.0)])
    found = check("out_of_range").measure(*columns(STEADY, current))
    assert found.effect == pytest.approx(0.1, abs=0.01)
    assert "highest 1" in found.words
    assert "to 5,000" in found.words


def test_values_below_the_range_count_as_well():
    current = np.concatenate([np.random.default_rng(52).normal(100, 10, 900), np.full(100, -999.0)])
    found = check("out_of_range").measure(*columns(STEADY, current))
    assert found.effect == pytest.approx(0.1, abs=0.01)
    assert "to -999" in found.words


def test_a_new_season_just_above_the_reference_is_not_out_of_its_range():
    found = check("out_of_range").measure(*columns(STEADY, np.full(500, max(STEADY) + 5.0)))
    assert (found.effect, found.words) == (0.0, "within the range")


def test_a_narrower_range_is_no_range_breach():
    found = check("out_of_range").measure(*columns(STEADY, np.full(500, 100.0)))
    assert (found.effect, found.words) == (0.0, "within the range")


def test_the_lower_end_of_the_centre_belongs_to_it_where_it_is_a_frequent_value():
    many_zeros = [0.0] * 400 + [*np.linspace(1, 100, 600)]
    found = check("outlier_rate").measure(*columns(many_zeros, [0.0] * 1000))
    assert found.statistic == 0.0


def test_outliers_are_rows_beyond_the_central_99_per_cent():
    found = check("outlier_rate").measure(*columns(STEADY, [*STEADY[:900], *[500.0] * 100]))
    assert found.effect == pytest.approx(0.1, abs=0.005)
    assert found.words.startswith("share outside of ")


def test_outliers_by_robust_z_lie_beyond_the_next_edge_outside_of_the_limit():
    near = check("outlier_rate", robust_z=1.0).measure(*columns(STEADY, STEADY))
    far = check("outlier_rate", robust_z=3.5).measure(*columns(STEADY, [*STEADY[:900], *[500.0] * 100]))
    assert near.statistic == pytest.approx(0.3, abs=0.04)
    assert far.effect == pytest.approx(0.1, abs=0.001)


def test_a_robust_deviation_of_nothing_is_inconclusive():
    reference, current = columns([0.0] * 800 + [*np.linspace(1, 2, 200)], [1.0] * 50)
    found = check("outlier_rate", robust_z=3.5).measure(reference, current)
    assert isinstance(found, Inconclusive)
    assert "one value" in found.reason


@pytest.mark.parametrize("parameters", [{}, {"robust_z": 3.0}])
def test_outliers_without_bins_are_inconclusive(parameters):
    column = Column("x", Bins("numeric"), ColumnProfile("numeric", 10, np.array([10]), low=1.0, high=2.0))
    assert isinstance(check("outlier_rate", **parameters).measure(column, column), Inconclusive)
    assert isinstance(check("out_of_range").measure(column, column), Inconclusive)


def test_a_stuck_column_is_told_with_its_value():
    found = check("constant").measure(*columns(STEADY, [97.0] * 200))
    assert found.effect > 0.9
    assert found.pvalue < 1e-6
    assert found.words.startswith("always 97; ")


def test_a_stuck_category_is_told_with_its_name_known_or_not():
    values = ["a", "b"] * 100
    assert check("constant").measure(*columns(values, ["b"] * 50)).words.startswith("always 'b'; 50%")
    assert check("constant").measure(*columns(values, ["new"] * 50)).words.startswith("always 'new'; 100%")


def test_several_rare_values_in_one_bin_are_not_constant():
    bins = Bins("categorical", values=("a",), others=frozenset({"x", "y"}))
    known = Column("x", bins, profile_column(pa.array(["a"] * 50 + ["x", "y"] * 10), bins))
    for values in (["x", "y"] * 20, ["new", "newer"] * 20):
        assert check("constant").measure(known, Column("x", bins, profile_column(pa.array(values), bins))).effect == 0


def test_a_column_that_never_varied_is_not_stuck():
    assert check("constant").measure(*columns([5.0] * 100, [5.0] * 50)).effect == 0
    assert check("constant").measure(*columns([5.0] * 100, [7.0] * 50)).effect == 0


def test_unreadable_values_are_a_change_of_type():
    reference, current = columns([1.0] * 100, ["1"] * 40 + ["many"] * 60)
    found = check("type_change", numbers_as_text=True).measure(reference, current)
    assert (found.effect, found.words) == (pytest.approx(0.6), "unreadable as numeric 0% to 60%")


def test_numbers_as_text_are_a_change_of_type_unless_they_are_allowed():
    reference, current = columns([1.0, 2.0] * 50, ["1", "2"] * 50)
    assert check("type_change").measure(reference, current).effect == 1
    assert check("type_change", numbers_as_text=True).measure(reference, current).effect == 0
    assert check("type_change").measure(current, current).effect == 0


def test_zeros_and_ones_for_booleans_are_no_change_of_type():
    assert check("type_change").measure(*columns([True, False] * 50, [1, 0] * 50)).effect == 0


def test_a_column_that_is_gone_is_missing_in_full():
    reference, _ = columns([1.0] * 100, [1.0])
    gone = replace(reference, profile=ColumnProfile("numeric", 50, np.zeros(reference.bins.size, np.int64), absent=50))
    found = check("missing_column").measure(reference, gone)
    assert (found.effect, found.words) == (1.0, "100% of rows came without the column")
    assert isinstance(check("null_rate").measure(reference, gone), Inconclusive)


def test_infinities_are_counted():
    found = check("non_finite").measure(*columns(STEADY, [*STEADY[:99], np.inf]))
    assert (found.effect, found.words) == (pytest.approx(0.01), "infinite 0% to 1%")


def test_a_share_of_a_reference_without_rows_is_inconclusive():
    column, _ = columns([1.0] * 100, [1.0])
    empty = replace(column, profile=ColumnProfile.empty(column.bins))
    found = check("null_rate").measure(empty, column)
    assert found == Inconclusive("no rows in the reference to take a share of", 1, 100, 0)


# Whole tables


def test_new_columns_are_named():
    found = check("new_column").measure_table(table(extra={"old": 1}), table(extra={"old": 1, "b": 5, "a": 5}))
    assert (found.effect, found.columns, found.words) == (2.0, ("a", "b"), "new: a, b")


def test_repeated_ids_are_a_share_of_the_rows():
    twice = table(1000, ids={f"id{i}": 2 for i in range(500)})
    found = check("duplicate_ids").measure_table(table(), twice)
    assert (found.effect, found.words) == (0.5, "50% of rows repeat an id")
    assert check("duplicate_ids").measure_table(table(ids={}), twice).effect == 0.5


def test_a_log_without_ids_is_inconclusive():
    assert check("duplicate_ids").measure_table(table(), table(ids={})).reason == "the log has no id column"


def _days(rows, last=600.0):
    start = MONDAY - len(rows) * DAY
    return tuple(
        Volume(start + k * DAY, start + (k + 1) * DAY, count, start + (k + 1) * DAY - last if count else None)
        for k, count in enumerate(rows)
    )


def test_volume_is_compared_with_the_same_weekday():
    weeks = [1000, 1000, 1000, 1000, 1000, 200, 200] * 4  # Monday first; MONDAY follows
    monday = check("row_count").measure_table(table(), table(1000, history=_days(weeks)))
    assert monday.effect == pytest.approx(0)
    assert monday.words == "1,000 rows, at this hour of the week usually 1,000"
    sunday = table(200, start=MONDAY - DAY, history=_days(weeks)[:-1])
    assert check("row_count").measure_table(table(), sunday).effect == pytest.approx(0)


def test_volume_is_compared_with_the_latest_windows_while_there_are_few_weeks():
    found = check("row_count").measure_table(table(history=()), table(400, history=_days([1000, 990, 1010])))
    assert found.effect == pytest.approx(-0.6, abs=0.01)
    assert found.interval[0] < found.effect < found.interval[1] < -0.3
    assert "lately" in found.words


def test_an_empty_window_after_full_ones_is_a_fall_by_the_whole():
    found = check("row_count").measure_table(table(), table(0))
    assert found.effect == pytest.approx(-1, abs=0.001)
    assert abs(found.effect) - 4 * found.stderr > 0.9


def test_a_small_volume_falls_to_zero_without_surprise():
    found = check("row_count").measure_table(table(), table(0, history=_days([2, 3, 2, 4, 3])))
    assert abs(found.effect) - 3 * found.stderr < 0.5


def test_a_log_that_was_always_empty_may_stay_so():
    assert check("row_count").measure_table(table(), table(0, history=_days([0, 0, 0]))).effect == 0


@pytest.mark.parametrize("name", ["row_count", "freshness"])
def test_too_short_a_history_is_inconclusive(name):
    found = check(name).measure_table(table(), table(history=_days([1000, 1000])))
    assert isinstance(found, Inconclusive)
    assert "fewer than 3" in found.reason


def test_windows_of_another_length_or_of_the_future_are_no_peers():
    week = Volume(MONDAY - 7 * DAY, MONDAY, 7000)
    later = Volume(MONDAY + DAY, MONDAY + 2 * DAY, 1)
    assert peers(table(history=()), table(history=(week, later, *_days([5])))).windows == _days([5])


def test_summer_time_does_not_hide_a_peer():
    hours = tuple(Volume(MONDAY - k * 7 * DAY + HOUR, MONDAY - k * 7 * DAY + 25 * HOUR, 9) for k in (1, 2, 3))
    assert peers(table(history=()), table(history=hours)).name == "at this hour of the week"


def test_the_reference_lends_its_rhythm_in_the_first_weeks():
    weeks = [1000, 1000, 1000, 1000, 1000, 200, 200] * 4  # Monday first; the log has a tenth of that
    reference = table(
        history=tuple(replace(v, start=v.start - 30 * 7 * DAY, end=v.end - 30 * 7 * DAY) for v in _days(weeks))
    )
    saturday = table(
        20,
        start=MONDAY + 5 * DAY,
        history=tuple(replace(v, start=v.start + 5 * DAY, end=v.end + 5 * DAY) for v in _days([100] * 5)),
    )
    found = check("row_count").measure_table(reference, saturday)
    assert found.effect == pytest.approx(0, abs=0.1)
    assert "by the reference's rhythm" in found.words


def test_hours_that_are_usually_empty_are_not_late():
    nights = [0, 0, 0, 50, 50, 50] * 40  # windows of four hours
    step = DAY / 6
    history = tuple(
        Volume(
            MONDAY - (240 - k) * step, MONDAY - (239 - k) * step, rows, MONDAY - (239 - k) * step - 60 if rows else None
        )
        for k, rows in enumerate(nights)
    )
    quiet = replace(table(0, history=history, last=None), start=MONDAY, end=MONDAY + step)
    assert check("freshness").measure_table(table(history=()), quiet).effect == 0
    silent = replace(
        quiet,
        start=MONDAY + 4 * step,
        end=MONDAY + 5 * step,
        history=(*history, *(Volume(MONDAY + k * step, MONDAY + (k + 1) * step, 0) for k in range(4))),
    )
    assert check("freshness").measure_table(table(history=()), silent).effect > 5


def test_a_log_that_stopped_at_noon_is_twelve_hours_late():
    found = check("freshness").measure_table(table(), table(500, last=MONDAY + 12 * HOUR))
    assert found.effect == pytest.approx(12, abs=0.2)
    assert found.effect - 4 * found.stderr > 3
    assert found.words == "last event 12 h before the end, at this hour of the week usually 0.167 h"


def test_an_empty_window_looks_back_to_the_last_event_before_it():
    found = check("freshness").measure_table(table(), table(0))
    assert found.statistic == pytest.approx(24 + 1 / 6)


def test_a_log_without_any_event_is_inconclusive():
    found = check("freshness").measure_table(table(), table(0, history=_days([0, 0, 0])))
    assert found.reason == "no event in this window or before it"


def test_a_fresher_end_than_usual_is_no_effect():
    assert check("freshness").measure_table(table(), table(last=MONDAY + DAY)).effect == 0
