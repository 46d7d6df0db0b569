"""What the reference's own windows say about how much an effect varies when nothing is wrong."""

import numpy as np
import pytest

from monitor.core.calibration import FEWEST_EFFECTIVE, assumed, effective_blocks, variation


def persistent(blocks, phi, seed):
    rng = np.random.default_rng(seed)
    values = [rng.normal()]
    for _ in range(blocks - 1):
        values.append(phi * values[-1] + np.sqrt(1 - phi**2) * rng.normal())
    return values


def test_independent_blocks_count_in_full():
    rng = np.random.default_rng(1)
    counted = [effective_blocks(rng.normal(size=60).tolist()) for _ in range(200)]
    assert np.mean(counted) > 45


def test_persistent_blocks_count_as_their_effective_number():
    # phi 0.7: a first-order autoregression is worth (1 - 0.7) / (1 + 0.7) of its blocks
    counted = [effective_blocks(persistent(400, 0.7, seed)) for seed in range(50)]
    assert np.mean(counted) == pytest.approx(400 * 0.3 / 1.7, rel=0.2)


def test_however_persistent_some_blocks_are_believed():
    assert effective_blocks(list(range(30))) == FEWEST_EFFECTIVE


def test_effects_that_never_vary_are_independent_of_each_other():
    assert effective_blocks([0.2] * 10) == 10


def test_alternating_effects_are_not_worth_more_than_their_number():
    assert effective_blocks([0.0, 1.0] * 10) == 20


def test_sampling_is_taken_off_the_variance_between_blocks():
    rng = np.random.default_rng(2)
    sampled = [(0.3 + float(e), 0.05) for e in rng.normal(0, 0.05, 400)]
    wandering = [(0.3 + float(e), 0.05) for e in rng.normal(0, np.hypot(0.05, 0.1), 400)]
    assert variation(sampled).deviation < 0.03
    assert variation(wandering).deviation == pytest.approx(0.1, rel=0.25)


def test_the_deviation_is_an_upper_bound_nine_times_in_ten():
    rng = np.random.default_rng(3)
    bounds = [variation([(1 + float(e), 0.0) for e in rng.normal(0, 0.1, 40)]).deviation for _ in range(400)]
    covered = np.mean(np.array(bounds) >= 0.1)
    assert 0.84 <= covered <= 0.97


def test_without_blocks_a_variation_in_proportion_to_the_tolerance_is_assumed():
    assert (assumed(0.2).deviation, assumed(0.2).blocks) == (pytest.approx(0.3), 0)
