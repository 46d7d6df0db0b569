"""The replay of the reference: how far it may lower the price of an alarm, and what makes it raise it."""

import numpy as np

from checks.budget import LEAST_PAID, RELAXED_SHARE, Audit, Budget, audit
from checks.evidence import Tracks
from checks.season import Moments
from checks.timeline import Timeline

DAYS, ROWS = 60, 500.0
BUDGET = Budget(1.0, 30.0)


def days() -> Timeline:
    places = np.arange(DAYS)
    return Timeline(Moments(places % 7 * 24.0 + 12, np.zeros(DAYS)), places, places, 1.0)


def replayed(sums: np.ndarray, scored: np.ndarray) -> Audit:
    """Replay columns of one component each."""
    size = sums.shape[1]
    names, flags, zeros = tuple(f"c{place}" for place in range(size)), np.zeros(size, bool), np.zeros(size)
    tracks = Tracks(names, np.arange(size), scored, np.full(size, 0.05), flags, flags, zeros)
    return audit(tracks, sums, np.full((DAYS, size), ROWS), days(), BUDGET, np.ones(size))


def calm(columns: int) -> np.ndarray:
    """Sums of scores of independent rows, shape (DAYS, columns)."""
    return np.random.default_rng(3).normal(size=(DAYS, columns)) * np.sqrt(ROWS)


def wandering(columns: int, persistence: float) -> np.ndarray:
    """Sums of scores whose level wanders, shape (DAYS, columns)."""
    rng = np.random.default_rng(4)
    level = np.zeros((DAYS + 300, columns))
    for day in range(1, len(level)):
        level[day] = persistence * level[day - 1] + np.sqrt(1 - persistence**2) * 0.3 * rng.normal(size=columns)
    return level[-DAYS:] * ROWS + calm(columns)


def scores(columns: int) -> np.ndarray:
    return np.ones(columns, bool)


def test_a_calm_reference_lowers_the_price():
    found = replayed(calm(30), scores(30))
    assert found.threshold < BUDGET.strict / 20
    assert found.rate is not None
    assert found.rate <= RELAXED_SHARE


def test_a_persistent_reference_vouches_for_less_than_an_independent_one():
    independent, persistent = replayed(calm(30), scores(30)), replayed(wandering(30, 0.97), scores(30))
    assert persistent.threshold > 2 * independent.threshold


def test_however_few_the_columns_an_account_pays_more_than_calm_ones_hold():
    assert replayed(calm(2), scores(2)).threshold * 2 >= LEAST_PAID


def test_alarms_that_no_price_prevents_do_not_raise_it():
    """A column that was null on one single day: replays that learn from other days meet it as never seen."""
    nulls = np.zeros((DAYS, 4))
    nulls[[10, 25, 40, 55], range(4)] = ROWS / 2
    sums = np.concatenate([calm(20), nulls], axis=1)
    found = replayed(sums, np.arange(24) < 20)
    assert found.rate is not None
    assert found.rate > RELAXED_SHARE  # they do forbid to lower it
    assert found.threshold <= 1.5 * BUDGET.strict
