"""The pulse: what was done last, by a clock that only a test sets."""

import pytest

from monitor.pulse import BOUNDS, LOOKED, WRITTEN, Pulse


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pulse(clock):
    return Pulse(clock)


def test_a_round_is_late_when_three_of_its_intervals_have_passed(clock, pulse):
    pulse.expect("tick", 10)
    clock.now += 30
    assert pulse.vitals().late == {}
    clock.now += 1
    assert pulse.vitals().late == {"tick": 31}


def test_a_round_that_does_not_end_hangs_and_is_not_late(clock, pulse):
    pulse.expect("tick", 10)
    assert pulse.begin("tick")
    clock.now += 31
    assert not pulse.begin("tick")
    assert (pulse.vitals().late, pulse.vitals().hanging) == ({}, {"tick": 31})
    pulse.end("tick")
    assert pulse.begin("tick")
    assert pulse.vitals().hanging == {}


def test_a_round_with_a_new_interval_keeps_its_past(clock, pulse):
    pulse.expect("tick", 10)
    clock.now += 25
    pulse.expect("tick", 1)
    assert pulse.vitals().late == {"tick": 25}


def test_what_was_never_achieved_counts_from_the_beginning(clock, pulse):
    pulse.mark(LOOKED)
    clock.now += 7
    assert (pulse.vitals().since[LOOKED], pulse.vitals().since[WRITTEN]) == (7, 7)
    pulse.mark(WRITTEN)
    assert pulse.vitals().since[WRITTEN] == 0


def test_windows_at_hand_and_windows_done_are_counted(clock, pulse):
    with pulse.working("churn") as outcome:
        clock.now += 4
        assert pulse.vitals().windows == {"churn": 4}
        outcome.append("done")
    assert (pulse.vitals().windows, pulse.runs, pulse.seconds) == ({}, {("churn", "done"): 1}, 4)
    assert pulse.durations == {5.0: 1}


def test_a_window_that_takes_longer_than_any_bound_is_counted_as_such(clock, pulse):
    with pulse.working("churn") as outcome:
        clock.now += BOUNDS[-1] + 1
        outcome.append("done")
    assert pulse.durations == {float("inf"): 1}


def test_a_window_that_another_has_does_not_count_for_how_long_windows_take(pulse):
    with pulse.working("churn") as outcome:
        outcome.append("taken")
    assert (pulse.runs["churn", "taken"], pulse.durations) == (1, {})


def test_a_crash_is_counted_too(pulse):
    with pytest.raises(ZeroDivisionError), pulse.working("churn"):
        raise ZeroDivisionError
    assert (pulse.runs, pulse.vitals().windows) == ({("churn", "crashed"): 1}, {})


def test_the_same_trouble_is_news_once_and_its_end_is_news(pulse):
    assert pulse.failed("models.a", "no table")
    assert not pulse.failed("models.a", "no table")
    assert pulse.failed("models.a", "no column")
    assert pulse.well("models.a")
    assert not pulse.well("models.a")


def test_a_store_that_is_away_is_news_once_whatever_it_stops_and_its_return_too(pulse):
    told = [pulse.failed(work, "away", store=True) for work in ("models", "heartbeat", "models.a", "heartbeat")]
    assert told == [True, False, False, False]
    assert [pulse.well(work) for work in ("heartbeat", "models", "models.a")] == [True, False, False]
    assert pulse.failed("models", "away", store=True)


def test_a_store_that_can_be_read_and_not_written_is_not_back(pulse):
    for work in ("outbox", "heartbeat"):
        pulse.failed(work, "locked", store=True)
    assert not pulse.well("outbox", wrote=False)
    assert not pulse.failed("outbox", "locked", store=True)
    assert not pulse.well("outbox", wrote=False)
    assert pulse.well("heartbeat")


def test_what_failed_for_the_stores_sake_is_forgotten_when_it_has_worked_since(clock, pulse):
    pulse.failed("models.a", "away", store=True)
    clock.now += 60
    pulse.mark(WRITTEN)
    assert pulse.vitals().store == {"models.a"}
    clock.now += 61
    assert (pulse.vitals().store, pulse.vitals().troubles) == (set(), {})


def test_troubles_of_work_that_is_nobodys_are_forgotten(pulse):
    for work in ("models.a", "models.b", "outbox"):
        pulse.failed(work, "why")
    pulse.well_but("models.", {"models.a"})
    assert set(pulse.vitals().troubles) == {"models.a", "outbox"}
