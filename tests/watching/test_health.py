"""Health: which problems there are, in words with a remedy, and which of them are red."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.health import REMEDIES, Problem, Rows, of_process, of_store, red
from monitor.pulse import FLUSHED, FOLLOWING, LOOKED, WRITTEN, Vitals
from monitor.store.canaries import FAILED, PROVEN, Proof
from monitor.store.overview import Letters

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WELL = Vitals({}, {}, {LOOKED: 1.0, WRITTEN: 1.0, FLUSHED: 1.0}, {}, {}, frozenset(), 100.0)
NOTHING = Rows(Letters(0, None, 0, 0), None)
HOWTO = Path(__file__).parents[2] / "docs/howto/monitoring-leeway.md"


def process(skew=0.0, **changes):
    since = {**WELL.since, **changes.pop("since", {})}
    return of_process(replace(WELL, since=since, **changes), 10.0, {"churn": HOUR}, skew)


def names(problems):
    return [problem.name for problem in problems]


def store(rows=NOTHING, every=6 * HOUR, since=NOW - HOUR, **letters):
    return of_store(replace(rows, letters=replace(rows.letters, **letters)), NOW, every, since)


def proof(outcome=PROVEN, ago=HOUR):
    return replace(NOTHING, proof=Proof(NOW - ago, outcome, "churn", "the outbox did not take it", 1.0))


def test_a_process_that_is_well_has_no_problem():
    assert process() == []


def test_a_store_without_anything_to_tell_has_no_problem():
    assert store() == []


@pytest.mark.parametrize(
    ("changes", "name", "words"),
    [
        ({"late": {"tick": 75.0}}, "ticks_stale", "the tick has not come for 75 s"),
        ({"hanging": {"tick": 300.0}}, "tick_hangs", "the tick began 5 min ago and has not ended"),
        ({"since": {LOOKED: 31.0}}, "models_unseen", "no model was looked at for 31 s"),
        ({"since": {WRITTEN: 61.0}}, "store_away", "nothing could be written to the store for 61 s"),
        ({"since": {FLUSHED: 901.0}}, "deliveries_stale", "the outbox was not gone through for 15 min"),
        ({"troubles": {"outbox": "a defect (KeyError)"}}, "work_fails", "outbox: a defect (KeyError)"),
        ({"windows": {"churn": 7200.0}}, "worker_stuck", "a window of churn has been worked on for 2 h"),
        ({"skew": 3600.0}, "clock_off", "this machine's clock is 60 min ahead of the store's"),
        ({"skew": -90.0}, "clock_off", "this machine's clock is 90 s behind the store's"),
    ],
)
def test_what_is_wrong_with_a_process_is_named_in_words(changes, name, words):
    assert process(**changes) == [Problem(name, words)]


def test_a_store_that_is_away_is_told_once_whatever_it_stops():
    troubles = {"models": "the store is away", "outbox": "the store is away"}
    found = process(troubles=troubles, store=frozenset(troubles), since={LOOKED: 100.0, FLUSHED: 1000.0})
    assert found == [Problem("store_away", "the store is away")]


def test_a_registry_that_is_away_is_told_and_costs_no_alert():
    found = process(troubles={FOLLOWING: "MLflow at http://mlflow: connection refused"})
    assert (names(found), red(found)) == (["registry_away"], False)


def test_a_window_may_take_as_long_as_it_is_and_ten_minutes_in_any_case():
    short = of_process(replace(WELL, windows={"fast": 599.0}), 10.0, {"fast": timedelta(minutes=1)})
    assert short == process(windows={"churn": 3600.0}) == []


def test_a_window_of_a_month_may_not_take_a_month():
    found = of_process(replace(WELL, windows={"slow": 6 * 3600 + 1.0}), 10.0, {"slow": timedelta(days=30)})
    assert names(found) == ["worker_stuck"]


def test_a_letter_that_waits_for_longer_than_a_few_attempts_is_told():
    assert store(waiting=2, oldest=NOW - timedelta(minutes=15)) == []
    (found,) = store(waiting=2, oldest=NOW - 3 * HOUR)
    assert found == Problem("outbox_old", "2 messages not delivered, the oldest 3 h old")


def test_letters_that_were_given_up_are_told_for_a_day():
    assert store(dead=5, dead_lately=0) == []
    assert store(dead=5, dead_lately=1) == [Problem("letters_dead", "1 message given up in the last 24 hours")]


def test_a_canary_that_failed_is_told_with_its_reason():
    (found,) = store(proof(FAILED))
    assert (found.name, "the outbox did not take it" in found.words) == ("canary_failed", True)


def test_a_canary_is_overdue_after_twice_its_time():
    assert store(proof(ago=11 * HOUR), since=NOW - 50 * HOUR) == []
    assert names(store(proof(ago=13 * HOUR), since=NOW - 50 * HOUR)) == ["canary_overdue"]


def test_a_daemon_that_has_just_begun_is_given_time_for_its_canary():
    assert store(proof(ago=100 * HOUR), since=NOW - HOUR) == []
    assert names(store(since=NOW - 13 * HOUR)) == ["canary_overdue"]


def test_without_canaries_none_is_missed():
    assert store(proof(FAILED), every=None) == []


def test_a_spent_budget_is_told_and_is_not_red():
    found = of_store(replace(NOTHING, spent=2.5), NOW, None, None)
    assert (names(found), red(found)) == (["budget_spent"], False)


def test_everything_else_is_red():
    assert {name for name in REMEDIES if not red([Problem(name, "")])} == {"registry_away", "budget_spent"}


def test_every_problem_says_what_to_do_and_stands_in_the_documentation():
    page = HOWTO.read_text("utf-8")
    assert [name for name in REMEDIES if not re.search(rf"`{name}`", page)] == []
    assert all(len(remedy) > 20 for remedy in REMEDIES.values())
