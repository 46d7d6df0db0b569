"""Proofs in the store: whose turn it is, and that two processes never make one at the same time."""

from datetime import UTC, datetime, timedelta

import pytest

from monitor.store import canaries
from monitor.store.canaries import SOON_AGAIN, Proof

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EVERY = timedelta(hours=6)


def begin(store, owner="elsewhere:1:1", now=NOW, every=EVERY):
    with store.write() as connection:
        return canaries.begin(connection, owner, now, every)


def prove(store, outcome="proven", model="churn", now=NOW, every=None):
    number = begin(store, now=now, every=every)
    with store.write() as connection:
        canaries.end(connection, number, Proof(now, outcome, model, "detail", 0.5))


def latest(store):
    with store.read() as connection:
        return canaries.latest(connection)


def turns(store, *models):
    with store.read() as connection:
        return canaries.turns(connection, models)


def test_while_one_is_at_it_nobody_else_begins(store):
    assert begin(store, "elsewhere:1:1") is not None
    assert begin(store, "elsewhere:2:2") is None
    assert latest(store) is None


def test_what_a_lost_process_began_is_taken_over(store):
    begin(store)
    assert begin(store, now=NOW + timedelta(minutes=11)) is not None


@pytest.mark.parametrize(("outcome", "good_for"), [("proven", EVERY), ("failed", SOON_AGAIN)])
def test_a_proof_is_good_for_its_time(store, outcome, good_for):
    prove(store, outcome)
    assert latest(store) == Proof(NOW, outcome, "churn", "detail", 0.5)
    assert begin(store, now=NOW + good_for - timedelta(seconds=1)) is None
    assert begin(store, now=NOW + good_for) is not None


def test_one_can_be_made_before_its_time(store):
    prove(store)
    assert begin(store, every=None) is not None


def test_one_of_the_future_does_not_count(store):
    prove(store, now=NOW + timedelta(days=30))
    assert begin(store) is not None


def test_whoever_waited_longest_is_next_and_a_failure_keeps_the_turn(store):
    assert turns(store, "a", "b") == ["a", "b"]
    prove(store, model="a")
    assert turns(store, "a", "b") == ["b", "a"]
    prove(store, "failed", model="b")
    assert turns(store, "a", "b") == ["b", "a"]
    prove(store, model="b")
    assert turns(store, "a", "b") == ["a", "b"]


def test_of_those_that_wait_the_newest_is_kept_and_holds_nothing_up(store):
    prove(store, "waits", model="")
    prove(store, "waits", model="", now=NOW + timedelta(minutes=1), every=EVERY)
    assert latest(store).at == NOW + timedelta(minutes=1)
    prove(store, now=NOW + timedelta(minutes=2), every=EVERY)
    assert latest(store).proven
