"""Components: orthonormal scores of ranks, shares, and what a change of a share is called."""

from math import asin, sqrt

import numpy as np
import pytest
from check_worlds import WORLDS
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import legendre

from checks.components import (
    CLIP,
    EXTRAS,
    MOST_DEGREES,
    SMALLEST_EFFECT,
    angle,
    count_vector,
    merged,
    moved,
    on_bins,
    present,
    scores,
    share,
)
from checks.profile import Bins, ColumnProfile

shares = st.floats(0, 1, allow_nan=False)
tables = st.lists(st.integers(0, 5000), min_size=3, max_size=40).map(lambda counts: np.array(counts, np.int64))


def bins_of(counts):
    return Bins("numeric", edges=tuple(float(place) for place in range(len(counts) - 1)))


def spread_over(cells):
    """A reference with as many rows in every inner bin and none beyond."""
    return np.array([0, *[100] * cells, 0], np.int64)


# Scores


@given(tables)
def test_scores_are_orthonormal_on_the_reference(counts):
    inner = merged(counts)
    if inner.sum() == 0:
        return
    found = scores(bins_of(counts), counts)
    if np.abs(found).max(initial=0.0) >= CLIP:
        return  # clipped, they are bounded instead
    masses = counts / counts.sum()
    assert found @ masses == pytest.approx(np.zeros(len(found)), abs=1e-6)
    assert (found * masses) @ found.T == pytest.approx(np.eye(len(found)), abs=1e-4)


@given(tables)
def test_scores_are_bounded(counts):
    assert np.abs(scores(bins_of(counts), counts)).max(initial=0.0) <= CLIP


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_on_many_even_bins_scores_are_legendre_polynomials(degree):
    counts = spread_over(400)
    found = scores(bins_of(counts), counts)[degree - 1, 1:-1]
    ranks = 2 * (np.arange(400) + 0.5) / 400 - 1
    assert found == pytest.approx(sqrt(2 * degree + 1) * legendre.Legendre.basis(degree)(ranks), abs=0.01)


def test_the_first_score_rises_with_the_value():
    counts = WORLDS["normal"].column(np.random.default_rng(0), 5000).profile.counts
    first = scores(bins_of(counts), counts)[0]
    assert (np.diff(first[1:-1]) > 0).all()


def test_far_values_score_like_their_neighbours():
    counts = spread_over(10)
    found = scores(bins_of(counts), counts)
    assert found[:, 0].tolist() == found[:, 1].tolist()
    assert found[:, -1].tolist() == found[:, -2].tolist()


@pytest.mark.parametrize(("distinct", "degrees"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 3), (9, MOST_DEGREES)])
def test_a_score_needs_one_more_distinct_value_than_its_degree(distinct, degrees):
    counts = np.zeros(14, np.int64)
    counts[2 : 2 + distinct] = 50
    assert scores(bins_of(counts), counts).shape == (degrees, 14)


def test_scores_depend_on_shares_and_not_on_how_many_rows_there_are():
    counts = spread_over(7)
    counts[2] = 900
    assert scores(bins_of(counts), counts) == pytest.approx(scores(bins_of(counts), 1000 * counts))


# Shares


def test_a_share_counts_the_rows_of_its_bins_among_those_with_a_value():
    bins = Bins("categorical", values=("a", "b", "c"))
    part = share(bins, "'b'", [1], 0.05)
    profile = ColumnProfile("categorical", 100, np.array([10, 20, 30, 5, 5]), nulls=20, absent=10)
    assert (part.numerator @ count_vector(profile), part.denominator @ count_vector(profile)) == (20, 70)


def test_every_row_of_a_profile_is_counted_once():
    bins = Bins("numeric", edges=(0.0, 1.0))
    profile = ColumnProfile("numeric", 23, np.array([4, 5, 6]), nulls=5, mistyped=2, absent=1, infinite=3)
    everything = on_bins(np.ones(bins.size), nulls=1.0, mistyped=1.0, absent=1.0)
    assert everything @ count_vector(profile) == profile.rows
    assert present(bins) @ count_vector(profile) == profile.present


@pytest.mark.parametrize("name", EXTRAS)
def test_what_lies_beside_the_bins_is_weighed_by_name(name):
    bins = Bins("numeric", edges=(0.0, 1.0))
    profile = ColumnProfile("numeric", 9, np.array([1, 2, 3]), **{name: 3})
    assert on_bins(np.zeros(bins.size), **{name: 1.0}) @ count_vector(profile) == 3


# Sizes


@given(shares, st.floats(0.001, 0.5))
def test_a_rise_of_a_share_is_never_smaller_than_the_smallest_effect(before, by):
    assert angle(before, by) >= SMALLEST_EFFECT


@given(st.floats(0, 0.9), st.floats(0.05, 0.1))
def test_a_share_lies_where_its_rise_says(before, by):
    assert moved(before, angle(before, by)) == pytest.approx(max(before + by, moved(before, SMALLEST_EFFECT)))


@given(shares, st.floats(-4, 4))
def test_a_share_moved_by_anything_is_a_share(before, by):
    assert 0 <= moved(before, by) <= 1


def test_cohens_own_example():
    """Cohen 1988, chapter 6: from 50% to 65% is h = .30."""
    assert angle(0.5, 0.15) == pytest.approx(2 * asin(sqrt(0.65)) - 2 * asin(sqrt(0.5)))
    assert angle(0.5, 0.15) == pytest.approx(0.30, abs=0.005)
