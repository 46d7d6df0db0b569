"""Quantiles and moments read back from profiles, against the rows they were made from."""

import numpy as np
import pyarrow as pa
import pytest
from diagnosis_columns import current_of, reference_of

from checks.interpolation import GRID
from checks.quantiles import change, median, moments, moved, quantiles

RNG = np.random.default_rng(5)


@pytest.mark.parametrize("values", [RNG.normal(20, 5, 5000), np.exp(RNG.normal(3, 1, 5000)), RNG.uniform(0, 1, 5000)])
def test_quantiles_of_the_reference_lie_within_its_fine_bins(values):
    ranks = np.array([0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99])
    found = quantiles(reference_of(values), ranks)
    below, above = (np.quantile(values, np.clip(ranks + step, 0, 1)) for step in (-1 / 64, 1 / 64))
    assert ((found >= below) & (found <= above)).all()


def test_the_extremes_are_exact():
    values = RNG.normal(20, 5, 500)
    assert quantiles(reference_of(values), np.array([0.0, 1.0])).tolist() == [values.min(), values.max()]


def test_an_atom_is_met_exactly():
    values = np.concatenate([np.zeros(600), RNG.uniform(1, 2, 400)])
    assert (quantiles(reference_of(values), np.linspace(0.01, 0.59, 30)) == 0.0).all()


def test_whole_numbers_with_bins_of_their_own_keep_their_shares():
    values = RNG.poisson(3, 4000)
    found = reference_of(values).grid
    for value in range(6):
        assert (found == value).mean() == pytest.approx((values == value).mean(), abs=2 / GRID)


def test_shares_at_the_corners_ascend_from_0_to_1():
    values, shares = reference_of(RNG.normal(0, 1, 300)).corners
    assert (np.diff(values) >= 0).all()
    assert (np.diff(shares) >= 0).all()
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_the_median_of_rows_far_outside_the_bins_lies_between_their_extremes():
    reference = reference_of(RNG.normal(0, 1, 500))
    assert 900 <= median(current_of(reference, np.array([900.0, 1000.0, 1100.0]))) <= 1100


@pytest.mark.parametrize(
    "column", [reference_of(["a", "b"]), reference_of(pa.nulls(5)), reference_of(np.full(4, np.inf))]
)
def test_without_finite_numbers_there_are_no_quantiles(column):
    assert quantiles(column, np.array([0.5])) is None
    assert median(column) is None
    assert column.grid is None
    assert moments(column) is None


def test_moments_are_those_of_the_rows():
    values = RNG.normal(20, 5, 500)
    assert moments(reference_of(values)) == pytest.approx((values.mean(), values.std()))


def test_moments_that_overflow_are_none():
    assert moments(current_of(reference_of(np.arange(50.0)), np.array([1e200, -1e200]))) is None


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        (0.02, 20.1, "mean 0.0 to 20.1"),
        (733.0, 1180.0, "mean 733 to 1,180"),
        (1013.2, 1013.9, "mean 1,013.2 to 1,013.9"),
        (-0.0001, 45.0, "mean 0.0 to 45.0"),
        (0.0012, 0.0034, "mean 0.00120 to 0.00340"),
        (5.0, 5.0, "mean 5.00 to 5.00"),
        (1.0, 3e12, "mean 1 to 3e+12"),
        (0.0, 0.0, "mean 0 to 0"),
    ],
)
def test_a_change_is_written_with_as_many_digits_as_show_it(before, after, words):
    assert change("mean", before, after) == words


def test_a_move_is_told_by_the_median_where_moments_overflow():
    reference = reference_of(np.arange(100.0))
    assert moved(reference, current_of(reference, np.array([1e200, 2.0, 3.0, -1e200]))).startswith("median ")


def test_a_move_of_categories_has_no_words():
    column = reference_of(["a", "b"])
    assert moved(column, column) == ""
