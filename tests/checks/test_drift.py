"""Where drift checks meet columns that are not distributions in the textbook's sense, and how they say what they saw."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from check_worlds import WORLDS, profile_of

from checks import distributions
from checks.binning import fit, profile_column
from checks.catalogue import Entry, catalogue, measures_columns, module_class, modules_of
from checks.comparing import refusal
from checks.cumulative import Steps, absolute_sum, absolute_sum_tail, bridge_crossing, quadratic_form_tail
from checks.measurement import Inconclusive, Measurement, symmetric
from checks.profile import Bins, Column, ColumnProfile
from checks.shares import Shares, shares_of
from checks.wording import number_text, share_text


def measure(name, reference, current):
    return catalogue()[name].check().measure(reference, current)


def columns(reference, current, kind=None):
    reference, current = pa.array(reference), pa.array(current)
    bins = fit(reference, kind)
    return [Column("x", bins, profile_column(one, bins)) for one in (reference, current)]


def test_a_reference_without_spread_is_measured_by_the_share_that_left_it():
    found = measure("wasserstein", *columns([5.0] * 100, [5.0] * 75 + [9.0] * 25))
    assert found.effect == pytest.approx(0.25)
    assert found.words == "share other than 5 0% to 25%"


def test_a_reference_that_is_nearly_always_zero_is_measured_the_same_way():
    found = measure("wasserstein", *columns([0.0] * 1999 + [100.0], [0.0] * 900 + [7.0] * 100))
    assert found.effect == pytest.approx(0.1, abs=0.001)


def test_a_single_gross_value_does_not_set_the_distance():
    values = np.random.default_rng(60).normal(0, 1, 2000)
    found = measure("wasserstein", *columns(values, [*values[:999], 1e12]))
    assert found.effect < 0.1


def test_a_column_in_other_units_is_far_away():
    values = np.random.default_rng(61).normal(50, 10, 2000)
    assert measure("wasserstein", *columns(values, values * 1000)).effect > 10


def test_words_name_the_median_or_the_quantile_that_moved_most():
    values = np.random.default_rng(62).normal(1000, 100, 5000)
    moved = measure("ks", *columns(values, values + 500)).words
    wider = measure("ks", *columns(values, (values - 1000) * 3 + 1000)).words
    assert re.match(r"median (99|100|101)\d? to 1[45]\d\d|median .* to 1,[45]", moved)
    assert "percentile" in wider


def test_words_of_ages_and_lengths_carry_their_unit():
    for world, unit in ((WORLDS["ages"], " h"), (WORLDS["lengths"], " characters")):
        rng = np.random.default_rng(63)
        found = measure("ks", world.column(rng, 500), world.column(rng, 500, world.changed))
        assert found.words.endswith(unit)


def test_words_name_the_category_whose_share_moved_most():
    values = ["UA"] * 180 + ["DL"] * 820
    assert measure("psi", *columns(values, ["UA"] * 31 + ["DL"] * 69)).words == "share of 'UA' 18% to 31%"
    assert measure("psi", *columns(values, ["XX"] * 100)).words == "share of other values 0% to 100%"
    assert (
        measure("psi", *columns(values, ["UA"] * 10 + ["DL"] * 30 + ["new"] * 60)).words
        == "share of other values 0% to 60%"
    )


def test_numbers_are_said_with_three_digits():
    said = [number_text(value) for value in (0.0, -0.0, 1180, 0.01234, 12.34, -999, 1e12, 1e-9, -0.3)]
    assert said == ["0", "0", "1,180", "0.0123", "12.3", "-999", "1e+12", "1e-09", "-0.3"]


def test_shares_are_said_in_per_cent():
    assert [share_text(share) for share in (0, 0.184, 0.0042, 0.9973, 1, 0.00001)] == [
        "0%",
        "18%",
        "0.42%",
        "99.73%",
        "100%",
        "0.001%",
    ]


@pytest.mark.parametrize(
    ("current", "reason"),
    [
        ({"rows": 0}, "no rows in this window"),
        ({"rows": 9, "absent": 9}, "the column is absent from this window"),
        ({"rows": 9, "nulls": 9}, "every value in this window is null"),
        ({"rows": 9, "mistyped": 4, "nulls": 5}, "no value in this window can be read as numeric"),
        ({"rows": 12, "nulls": 5, "present": 7}, "7 rows with a value in this window, fewer than 30"),
    ],
)
def test_columns_that_cannot_be_compared_are_refused_with_the_reason(current, reason):
    bins = Bins("numeric", edges=(0.0,))
    present = current.pop("present", 0)
    seen = ColumnProfile("numeric", counts=np.array([present, 0]), **current)
    known = ColumnProfile("numeric", 100, np.array([50, 50]))
    found = refusal(Column("x", bins, known), Column("x", bins, seen))
    assert found.reason == reason
    assert (found.rows, found.reference_rows) == (present, 100)


def test_a_reference_whose_bins_were_fixed_without_a_value_is_refused():
    column = Column("x", Bins("numeric"), ColumnProfile("numeric", 100, np.array([100])))
    assert refusal(column, column).reason == "the reference had no value when its bins were fixed"


def test_rare_neighbours_are_pooled_until_they_hold_enough():
    bins = Bins("numeric", edges=(1.0, 2.0, 3.0, 4.0))
    both = [
        Column("x", bins, ColumnProfile("numeric", 30, np.array(counts)))
        for counts in ([4, 3, 20, 1, 2], [3, 4, 20, 2, 1])
    ]
    shares = shares_of(*both)
    assert shares.reference_counts.tolist() == [7, 23]


def test_rare_categories_are_pooled_with_each_other():
    bins = Bins("categorical", values=("a", "b", "c", "d", "e"))
    both = [Column("x", bins, ColumnProfile("categorical", 100, np.array([60, 31, 3, 3, 3, 0, 0])))] * 2
    assert shares_of(*both).reference_counts.tolist() == [60, 31, 9]


def test_rare_categories_that_are_too_few_together_join_the_least_of_the_others():
    bins = Bins("categorical", values=("a", "b", "c"))
    both = [Column("x", bins, ColumnProfile("categorical", 100, np.array([60, 37, 2, 1, 0])))] * 2
    assert shares_of(*both).reference_counts.tolist() == [60, 40]


def test_a_single_category_on_both_sides_is_one_cell_and_no_drift():
    both = columns(["a"] * 100, ["a"] * 50)
    for name in ("chi2", "psi", "total_variation", "cramer_v", "hellinger", "jensen_shannon"):
        found = measure(name, *both)
        assert (found.effect, found.pvalue) == (0, 1)
        assert found.stderr > 0


def test_an_effect_is_never_certain_only_because_a_share_is_zero():
    for name in ("ks", "wasserstein", "total_variation", "psi"):
        found = measure(name, *columns([0.0, 1.0] * 50, [0.0] * 50))
        assert found.stderr > 0.01


def test_mean_and_variance_of_a_sum_of_absolute_values_are_those_of_a_simulation():
    rng = np.random.default_rng(64)
    root = rng.normal(size=(4, 4))
    weights = np.array([1.0, 0.5, 2.0, 0.0])
    draws = np.abs(rng.normal(size=(200_000, 4)) @ root.T) @ weights
    mean, variance = absolute_sum(weights, root @ root.T)
    assert mean == pytest.approx(draws.mean(), rel=0.01)
    assert variance == pytest.approx(draws.var(), rel=0.02)


def test_a_sum_that_cannot_vary_is_no_evidence():
    assert absolute_sum_tail(0.0, 0.0, 0.0) == 1
    assert quadratic_form_tail(np.zeros((2, 2)), 0.0) == 1


def test_a_quadratic_form_with_equal_weights_is_a_chi_square():
    from scipy.stats import chi2

    assert quadratic_form_tail(np.eye(5), 11.07) == pytest.approx(chi2.sf(11.07, 5))


def test_a_bridge_far_from_every_barrier_does_not_cross_it():
    assert bridge_crossing(np.array([0.001]), 1.0) < 1e-9
    assert bridge_crossing(np.array([0.0, 1.0]), 0.5) == 0


def test_the_covariance_of_the_steps_is_the_hypergeometric_one():
    steps = Steps(np.array([3.0, 5.0, 2.0]), np.array([4.0, 1.0, 5.0]))
    rng = np.random.default_rng(65)
    rows = np.repeat([0, 1, 2], [7, 6, 7])
    draws = []
    for _ in range(20_000):
        both = rng.permutation(rows)
        draws.append(np.cumsum(np.bincount(both[:10], minlength=3) - np.bincount(both[10:], minlength=3))[:2] / 10)
    assert np.cov(np.array(draws).T) == pytest.approx(steps.covariance, rel=0.05)


def test_bounds_stop_one_central_range_beyond_the_far_edges():
    bins = Bins("numeric", edges=(-20.0, 0.0, 10.0, 30.0), tails=(0.0, 10.0))
    near = Column("x", bins, ColumnProfile("numeric", 2, np.array([1, 0, 0, 0, 1]), low=-25.0, high=33.0))
    far = Column("x", bins, ColumnProfile("numeric", 2, np.array([1, 0, 0, 0, 1]), low=-1e9, high=1e9))
    assert distributions.bounds(bins, near)[[0, -1]].tolist() == [-25, 33]
    assert distributions.bounds(bins, near, far)[[0, -1]].tolist() == [-30, 40]
    assert distributions.bounds(replace(bins, tails=None))[[0, -1]].tolist() == [-20, 30]


def test_the_spread_is_that_of_uniform_bins():
    spread, slopes = distributions.spread(np.array([0.0, 1.0]), np.array([10]))
    assert (spread, slopes.tolist()) == (pytest.approx(12**-0.5), [0.5])
    assert distributions.spread(np.array([0.0, 0.0]), np.array([10]))[0] == 0


def test_shares_add_half_a_row_to_every_cell():
    shares = Shares(np.array([3.0, 0.0]), np.array([1.0, 1.0]))
    assert shares.reference.tolist() == [3.5 / 4, 0.5 / 4]


@pytest.mark.parametrize(
    "wrong", [{"effect": float("nan")}, {"stderr": -1.0}, {"pvalue": float("inf")}, {"interval": (0.0, float("inf"))}]
)
def test_a_measurement_refuses_numbers_that_are_none(wrong):
    sound = {"statistic": 1.0, "effect": 1.0, "stderr": 1.0, "interval": (0.0, 2.0), "rows": 1, "reference_rows": 1}
    with pytest.raises(ValueError, match=r"finite|negative"):
        Measurement(**{**sound, **wrong})


def test_a_symmetric_interval_has_ninety_per_cent():
    assert symmetric(1.0, 1.0) == pytest.approx((-0.645, 2.645), abs=1e-3)


def test_an_absent_column_and_a_present_one_have_reasons_of_their_own():
    column = WORLDS["boolean"].column(np.random.default_rng(66), 100)
    gone = replace(column, profile=replace(ColumnProfile.empty(column.bins), rows=100, absent=100))
    found = measure("total_variation", gone, column)
    assert isinstance(found, Inconclusive)
    assert found.reason == "the column is absent from the reference"


def test_the_catalogue_is_the_folders():
    names = {module.rsplit(".")[-1] if "." in module else module for module in modules_of("checks.drift")}
    assert names <= set(catalogue())
    entry = catalogue()["ks"]
    assert isinstance(entry, Entry)
    assert (entry.family, entry.parameters) == ("drift", ("tolerance",))
    assert entry.summary.startswith("Kolmogorov-Smirnov: ")


def test_a_check_measures_columns_or_tables():
    assert measures_columns(catalogue()["ks"].check())
    assert not measures_columns(catalogue()["row_count"].check())


def test_a_module_with_another_number_of_public_classes_than_one_is_refused():
    with pytest.raises(TypeError, match=r"checks.wording must define exactly one public class, found \[\]"):
        module_class("checks.wording")


def test_profiles_of_places_count_the_unseen():
    bins = Bins("categorical", values=("a",))
    assert profile_of(bins, np.array([0, 2, 2])).unseen.top() == [("new", 2)]


def test_a_constant_column_against_itself_has_no_effect_and_some_error():
    both = columns([5.0] * 100, [5.0] * 50)
    for name in ("ks", "cramer_von_mises", "anderson_darling", "wasserstein", "psi", "total_variation"):
        found = measure(name, *both)
        assert (found.effect, found.pvalue) == (0, 1)
        assert found.stderr > 0


def test_words_say_so_where_nothing_is_finite():
    known, seen = columns([1.0, 2.0] * 50, [np.inf] * 50)
    assert measure("ks", known, seen).words == "no finite value in this window"
    assert measure("ks", seen, known).words == "no finite value in the reference"
