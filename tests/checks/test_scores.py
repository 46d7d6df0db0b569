"""Scores of numeric columns in one window: their errors, their p-values and their words."""

import numpy as np
import pytest
from check_worlds import WORLDS, faults, profile_of
from scipy import stats

from checks.drift.location import Location
from checks.drift.spread import Spread
from checks.measurement import Inconclusive
from checks.profile import Bins, Column
from checks.scores import MEDIAN, QUARTILE, WIDTH, component_of, native, scored

NORMAL = WORLDS["normal"]


def column(seed, rows, draw=None):
    return NORMAL.column(np.random.default_rng(seed), rows, draw)


def test_the_statistic_of_location_is_the_probability_of_superiority():
    rng = np.random.default_rng(1)
    before, after = rng.normal(0, 1, 4000), rng.normal(0.5, 1, 4000)
    found = Location().measure(*(Column("x", NORMAL.bins, profile_of(NORMAL.bins, v)) for v in (before, after)))
    superior = stats.mannwhitneyu(after, before).statistic / 4000**2
    assert found.statistic == pytest.approx(superior, abs=0.01)


@pytest.mark.parametrize("shift", [-0.5, 0.1, 0.5])
def test_the_effect_of_location_is_about_cohens_d(shift):
    found = Location().measure(column(2, 20_000), column(3, 20_000, lambda rng, n: rng.normal(shift, 1, n)))
    assert found.effect == pytest.approx(shift, abs=0.04)


def test_a_tenth_of_spread_is_about_eight_per_cent_of_the_deviation():
    found = Spread().measure(column(2, 50_000), column(3, 50_000, lambda rng, n: rng.normal(0, 1.08, n)))
    assert found.effect == pytest.approx(0.1, abs=0.03)


def test_the_pvalue_is_wilcoxons_for_a_shift():
    rng = np.random.default_rng(4)
    before, after = rng.normal(0, 1, 600), rng.normal(0.1, 1, 400)
    found = Location().measure(*(Column("x", NORMAL.bins, profile_of(NORMAL.bins, v)) for v in (before, after)))
    assert found.pvalue == pytest.approx(stats.mannwhitneyu(after, before).pvalue, abs=0.05)


def test_the_error_is_never_below_that_of_identical_distributions():
    stuck = column(3, 500, lambda rng, n: np.zeros(n))
    found = Location().measure(column(2, 2000), stuck)
    assert found.stderr >= np.sqrt(1 / 2000 + 1 / 500)


def test_of_two_groups_far_apart_the_error_is_larger():
    ends = column(3, 500, lambda rng, n: np.where(rng.random(n) < 0.5, -3, 3))
    assert Location().measure(column(2, 2000), ends).stderr > 1.2 * np.sqrt(1 / 2000 + 1 / 500)


@pytest.mark.parametrize(("summary", "truth"), [(MEDIAN, 0.0), (QUARTILE, 0.674), (WIDTH, 2.563)])
def test_a_summary_is_read_from_the_bins(summary, truth):
    known = column(5, 50_000)
    found = native(known, known, summary)
    assert (found.what, found.share) == (summary.name, False)
    assert found.before == found.after == pytest.approx(truth, abs=0.05)


def test_a_summary_of_no_values_is_none():
    known = column(5, 500)
    assert native(known, faults(known)["nulls"], MEDIAN) is None


def test_a_width_that_is_no_number_is_none():
    known = column(5, 500)
    assert native(known, faults(known)["huge"], WIDTH) is None


def test_what_cannot_be_said_in_native_units_is_still_measured():
    known = column(5, 500)
    found = scored(known, faults(known)["infinite"], 1, MEDIAN)
    assert found.effect > 1
    assert found.words == "no median to compare"


def test_a_reference_of_one_value_has_no_score():
    one = Bins("numeric", edges=(0.0, 1.0, 2.0, 3.0))
    known = Column("x", one, profile_of(one, np.full(500, 0.5)))
    found = scored(known, known, 1, MEDIAN)
    assert isinstance(found, Inconclusive)
    assert found.reason == "the reference has too few distinct values"
    assert component_of(known, 1, "location", 0.05) == ()
