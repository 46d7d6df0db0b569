"""Hypotheses about maps: right ones hold, wrong ones are refuted, at the error rates that the bounds promise."""

import numpy as np
import pytest
from diagnosis_columns import current_of, reference_of

from checks.mapping import IDENTITY, Affine, affine, departure, effective_rows, fit
from checks.parts import filled_bins, without_zeros

RNG = np.random.default_rng(9)
GAUSS = reference_of(RNG.normal(20, 5, 20_000))
COUNTS = reference_of(RNG.poisson(4, 20_000))


@pytest.mark.parametrize(
    ("reference", "draw"),
    [(GAUSS, lambda: RNG.normal(20, 5, 400)), (COUNTS, lambda: RNG.poisson(4, 400))],
    ids=["continuous", "whole numbers"],
)
def test_rows_of_the_reference_refute_the_identity_hardly_ever(reference, draw):
    refuted = sum(not fit(reference, current_of(reference, draw()), IDENTITY).holds for _ in range(300))
    assert refuted <= 300 * 0.01 + 3 * (300 * 0.01) ** 0.5


@pytest.mark.parametrize("hypothesis", [Affine(1.6, 0.0), Affine(1.0, 7.0), Affine(-1.0, 0.0), Affine(1000.0, 0.0)])
def test_the_true_map_holds_and_the_identity_does_not(hypothesis):
    current = current_of(GAUSS, hypothesis(RNG.normal(20, 5, 1000)))
    assert fit(GAUSS, current, hypothesis).holds
    assert not fit(GAUSS, current, IDENTITY, 0.08).holds


def test_a_map_that_does_not_apply_to_the_reference_has_no_fit():
    reference = reference_of(RNG.normal(0, 1, 500))
    assert fit(reference, current_of(reference, RNG.normal(0, 1, 100)), np.log) is None


def test_one_gross_value_does_not_refute_while_the_bins_see_the_rows():
    current = current_of(GAUSS, np.append(RNG.normal(20, 5, 999), 1e9))
    assert fit(GAUSS, current, IDENTITY).holds


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 2.5), (1.5, -8.0), (0.1, 300.0), (40.0, 0.0)])
def test_the_affine_map_is_found_again(scale, shift):
    current = current_of(GAUSS, scale * RNG.normal(20, 5, 5000) + shift)
    found, how = affine(GAUSS, current, 0.05)
    assert how.holds
    assert found.scale == pytest.approx(scale, rel=0.06)
    assert found.scale * 20 + found.shift == pytest.approx(scale * 20 + shift, abs=0.4 * scale)


def test_a_constant_reference_maps_to_nothing_else():
    constant = reference_of(np.full(100, 3.0))
    assert affine(constant, current_of(constant, RNG.normal(3, 1, 100)), 0.05) is None


def test_whole_numbers_shift_by_whole_numbers():
    found, how = affine(COUNTS, current_of(COUNTS, RNG.poisson(4, 2000) + 1), 0.03, scale=1.0)
    assert how.holds
    assert found.shift == 1.0


def test_departure_of_the_same_rows_is_0():
    assert departure(GAUSS, GAUSS) == 0.0


def test_departure_counts_the_mass_that_moved():
    values = RNG.normal(20, 5, 5000)
    values[:1500] = 1e4
    assert departure(GAUSS, current_of(GAUSS, values)) == pytest.approx(0.3, abs=0.05)


def test_departure_without_rows_is_0():
    assert departure(GAUSS, current_of(GAUSS, np.array([]))) == 0.0


def test_the_smaller_side_limits_a_comparison():
    assert effective_rows(GAUSS, current_of(GAUSS, RNG.normal(20, 5, 100))) == pytest.approx(99.5, abs=0.1)


def test_what_is_left_without_zeros_has_their_counts_and_sums_taken_off():
    values = np.concatenate([np.zeros(500), RNG.uniform(1, 9, 500)])
    left = without_zeros(reference_of(values))
    assert left.profile.present == 500
    assert left.profile.mean(left.bins) == pytest.approx(values[500:].mean())
    assert left.profile.deviation(left.bins) == pytest.approx(values[500:].std())
    assert 0 <= left.profile.low <= values[500:].min()


def test_a_column_of_zeros_is_empty_without_them():
    left = without_zeros(reference_of(np.zeros(60)))
    assert (left.profile.present, left.profile.low, filled_bins(left)) == (0, None, 0)
