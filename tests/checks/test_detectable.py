"""What would be noticed: more rows, more time and a lower price show more, and the rows named are exactly enough."""

import numpy as np
import pytest

from checks.detectable import BLIND, detectable
from checks.evidence import Detector, Tracks
from checks.season import Moments
from checks.timeline import Timeline

BLOCKS, ROWS, WEEK = 60, 400.0, 7.0


def detector(deviation=0.0, seed=0):
    """Three scores and a rare share over sixty days, which vary between days by so many standard deviations."""
    rng = np.random.default_rng(seed)
    flags = np.array([True, True, True, False])
    tracks = Tracks(
        ("a", "b"), np.array([0, 0, 1, 1]), flags, np.array([0.05, 0.1, 0.2, 0.05]), ~flags, ~flags, np.zeros(4)
    )
    rows = np.full((BLOCKS, 4), ROWS)
    means = rng.normal(size=(BLOCKS, 4)) * np.sqrt(1 / ROWS + deviation**2)
    sums = np.where(flags, means * ROWS, rng.binomial(int(ROWS), 0.002, (BLOCKS, 4)))
    places = np.arange(BLOCKS)
    line = Timeline(Moments(places % 7 * 24.0 + 12, np.zeros(BLOCKS)), places, places, 1.0)
    return Detector.learned(tracks, sums, rows, line)


STEADY = detector()
COSTS = np.full(4, 100.0)


def seen(known=STEADY, rows=ROWS, costs=COSTS, blocks=WEEK):
    return detectable(known, np.full(4, rows), costs, blocks)


@pytest.mark.parametrize(
    ("easy", "hard"),
    [
        (seen(rows=4000), seen(rows=400)),
        (seen(blocks=28), seen(blocks=7)),
        (seen(costs=COSTS / 10), seen(costs=COSTS)),
        (seen(STEADY), seen(detector(0.3))),
    ],
    ids=["more rows", "more time", "a lower price", "a steadier reference"],
)
def test_more_is_noticed_with(easy, hard):
    assert (easy.effect[:3] < hard.effect[:3]).all()


def test_what_is_noticed_is_beyond_the_tolerance():
    assert (seen().effect[:3] > STEADY.scales[-1].calibration.tolerance[:3]).all()


def test_any_number_of_rows_shows_no_less_than_these():
    assert (seen().floor <= seen().effect + 1e-9).all()


@pytest.mark.parametrize("rows", [15, 30])
def test_the_rows_that_are_needed_are_just_enough(rows):
    found, between = seen(rows=rows), STEADY.scales[-1].calibration.between
    blind = np.flatnonzero(found.effect[:3] > BLIND)
    needed = found.rows_needed(np.full(4, float(rows)), between)
    exact = detectable(STEADY, np.maximum(needed, 1.0), COSTS, WEEK)
    fewer = detectable(STEADY, np.maximum(needed - 1, 1.0), COSTS, WEEK)
    assert blind.size
    assert (exact.effect[blind] <= BLIND).all()
    assert (fewer.effect[blind] > BLIND).all()


def test_of_a_reference_that_varies_too_much_no_rows_would_do():
    wild = detector(1.5)
    found = seen(wild)
    assert np.isinf(found.rows_needed(np.full(4, ROWS), wild.scales[-1].calibration.between)[:3]).all()


def test_what_has_an_infinite_price_is_never_noticed_and_nothing_breaks():
    assert (seen(costs=np.full(4, np.inf)).effect[:3] > seen().effect[:3]).all()
