"""The promise rests on one inequality: while nothing has changed, no bet is expected to win."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, t

from checks.bets import StudentBets, rare_bets
from checks.calibration import Calibration, calibrate
from checks.evidence import FAST_DELTAS, FINE_DELTAS
from checks.season import Moments

FREEDOMS = np.array([4.0, 5.0, 8.0, 20.0, 60.0, 200.0])
GRID = np.sinh(np.linspace(-10, 10, 8001))  # dense in the middle, to ten thousand deviations
ROUNDING = 1e-4  # of the numerical integral


def calibration(gain: float = 1.0) -> Calibration:
    """One component for every number of degrees of freedom."""
    rng = np.random.default_rng(0)
    size, blocks = len(FREEDOMS), 40
    moments = Moments(np.arange(blocks) * 24.0 % 168, np.zeros(blocks))
    rows, kinds = np.full((blocks, size), 100.0), np.zeros(size, int)
    found = calibrate(rng.normal(size=(blocks, size)), rows, moments, "day", np.full(size, 0.05), kinds)
    return replace(found, freedom=FREEDOMS, gain=np.full(size, gain))


def expected(mean: float, scale: float, gain: float = 1.0, slack: float = 0.0) -> np.ndarray:
    """Return the expectations of all factors where an innovation has a mean and a scale; entry and lasting."""
    known = calibration(gain)
    bets = StudentBets.against(known, tuple(sorted({*FINE_DELTAS, *FAST_DELTAS})))
    innovations = np.repeat(scale * GRID[:, None] + mean, len(FREEDOMS), axis=1)
    room = np.full((len(GRID), len(FREEDOMS)), slack)
    density = t.pdf(GRID[:, None], FREEDOMS)[:, :, None, None]
    return np.stack(
        [
            np.trapezoid(np.exp(found) * density, GRID, axis=0)
            for found in bets.log_factors(innovations, known, (room, room))
        ]
    )


@pytest.mark.parametrize("gain", [1.0, 0.3, 0.05])
def test_no_bet_is_expected_to_win_at_the_boundary_of_the_null_hypothesis(gain: float):
    upwards = expected(mean=0.4, scale=1.0, gain=gain, slack=0.4)[:, :, 0]
    assert upwards.max() <= 1 + ROUNDING


@pytest.mark.parametrize("mean", [0.3, 0.0, -0.5, -2.0, -8.0, -30.0])
def test_no_bet_is_expected_to_win_inside_the_null_hypothesis(mean: float):
    upwards = expected(mean, scale=1.0, slack=0.4)[:, :, 0]
    assert upwards.max() <= 1 + ROUNDING


@pytest.mark.parametrize("scale", [0.9, 0.7, 0.5])
def test_no_bet_is_expected_to_win_where_noise_is_smaller_than_believed(scale: float):
    assert expected(0.0, scale).max() <= 1 + ROUNDING


def test_bets_on_a_fall_are_the_mirror_of_bets_on_a_rise():
    rise, fall = expected(0.7, 1.0)[:, :, 0], expected(-0.7, 1.0)[:, :, 1]
    assert np.allclose(rise, fall, rtol=1e-9)


def test_a_bet_wins_where_the_change_it_is_about_has_happened():
    assert expected(2.0, 1.0)[1, :, 0, FINE_DELTAS.index(2.0)].min() > 2


@pytest.mark.parametrize("rows", [50, 1000, 20_000])
@pytest.mark.parametrize("events", [0, 3, 40])
@pytest.mark.parametrize("part", [1.0, 0.5, 0.1])
def test_no_bet_on_rare_counts_is_expected_to_win(rows: int, events: int, part: float):
    blocks = 60
    counts = np.zeros((blocks, 1))
    counts[np.linspace(0, blocks - 1, events).astype(int)] += 1
    bets = rare_bets(counts, np.full((blocks, 1), float(rows)), np.array([0.05]), np.array([True]), np.zeros(1))
    hits = np.arange(min(rows, 4000) + 1.0)
    chances = binom.logpmf(hits, rows, bets.null[0] * part)
    found = bets.log_factors(hits[:, None], np.full((len(hits), 1), float(rows)))[:, 0]
    assert np.exp(chances[:, None] + found).sum(axis=0).max() <= 1 + ROUNDING
