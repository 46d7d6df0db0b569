"""Alarms: they open once, last until the change is over, grow, and follow what people decide."""

from dataclasses import replace

import numpy as np
import pytest
from watched_model import (
    DAY,
    ROWS,
    Days,
    finding,
    keys,
    new_plan,
    plan,
    profile,
    shift,
    signal,
    subject,
    window,
)

from monitor.core.alarms import UNDECIDED, Decided, watch
from monitor.core.finding import Verdict
from monitor.core.signal import Terms

LOCATION = ("age", "location")
UNSEEN = ("plan", "unseen_category")


def evidence_on(days, key):
    places = list(days.subject.signal.places[key])
    return sum(float(scale.held[places].sum()) for scale in days.memory.state.scales)


def shifted(by=6.0, quiet=10):
    """A calm beginning, then a shift until its alarm."""
    days = Days()
    days.days(quiet)
    seen = days.alarm(shift(by))
    return days, seen


def effect(days, key=LOCATION):
    return next(alarm for alarm in days.memory.alarms if alarm.key == key)


# Opening


def test_while_nothing_changes_no_alarm_opens():
    days = Days()
    days.days(60)
    assert keys(days.memory) == set()


@pytest.mark.parametrize(
    ("change", "key", "most"), [(shift(6), LOCATION, 3), (shift(-6), LOCATION, 3), (new_plan(0.05), UNSEEN, 1)]
)
def test_a_change_opens_an_alarm_of_the_check_that_shows_it(change, key, most):
    days = Days()
    days.days(10)
    assert keys(days.alarm(change, most).memory) == {key}


def test_an_alarm_knows_when_its_change_began():
    days = Days()
    days.days(10)
    days.alarm(shift(4))
    assert abs(effect(days).onset - window(10).start) <= 2 * DAY
    assert effect(days).opened == window(len(days.held) - 1).end


def test_an_alarm_knows_how_large_its_change_is():
    days, _ = shifted(6.0)
    found = effect(days)
    assert found.low < found.effect < found.high
    assert found.low <= 0.6 <= found.high


def test_a_fall_is_a_negative_effect():
    days, _ = shifted(-6.0)
    assert effect(days).high < 0


def test_an_alarm_pays_with_the_evidence_of_its_whole_column():
    days, _ = shifted()
    assert all(evidence_on(days, ("age", check)) == 0 for check in ("location", "spread", "tails"))
    assert evidence_on(days, ("plan", "category_shift")) > 0


def test_what_was_held_before_paying_is_a_share_of_what_an_alarm_costs():
    _, seen = shifted()
    assert finding(seen, "age", "location").evidence >= 1
    assert 0 < finding(seen, "plan", "category_shift").evidence < 1


def test_an_alarm_opens_once_while_its_change_lasts():
    days, _ = shifted()
    opened = effect(days).opened
    days.days(20, shift(6))
    assert effect(days).opened == opened


def test_the_evidence_of_an_open_alarm_rests():
    days, _ = shifted()
    days.days(5, shift(6))
    assert evidence_on(days, LOCATION) == 0


def test_another_column_alarms_while_one_alarm_is_open():
    days, _ = shifted()

    def both(rows):
        shift(6)(rows)
        new_plan(0.05)(rows)

    days.day(both)
    assert {LOCATION, UNSEEN} <= keys(days.memory)


def test_the_past_is_not_read_while_nothing_alarms():
    def past(since):
        raise AssertionError("reading the past costs more than judging the window")

    days = Days()
    for number in range(5):
        seen = watch(signal(), days.memory, window(number), profile(number), past)
        assert not seen.opened


def test_the_same_arguments_give_the_same_answer():
    days, _ = shifted()
    one, other = (
        watch(signal(), days.memory, window(50), profile(50, ROWS, shift(6)), days.past, UNDECIDED) for _ in range(2)
    )
    assert one.memory.encode() == other.memory.encode()


def test_a_window_without_rows_says_nothing():
    days = Days()
    days.days(3)
    before = signal().detector.shares(days.memory.state)
    days.days(10, rows=0)
    after = signal().detector.shares(days.memory.state)
    assert keys(days.memory) == set()
    # Each window brings one to every account, as if its bet had neither won nor lost.
    assert np.isfinite(after).all()
    assert (after >= before).all()


def test_a_muted_column_opens_no_alarm():
    muted = replace(signal(), terms=Terms(importance={"age": 0.0}))
    days = Days(subject(learnt=muted))
    days.days(20, shift(10))
    assert keys(days.memory) == set()


# Ending


def test_an_alarm_ends_when_the_change_is_over():
    days, _ = shifted()
    changed = len(days.held)
    seen = days.calm()
    assert 3 <= len(days.held) - changed <= 8
    assert finding(seen, "age", "location").verdict is Verdict.PASS


def test_an_alarm_does_not_end_on_windows_without_rows():
    days, _ = shifted()
    days.days(10, rows=0)
    assert keys(days.memory) == {LOCATION}


def test_an_alarm_does_not_end_while_its_change_lasts():
    days, _ = shifted(4.0)
    for _ in range(40):
        assert LOCATION in keys(days.day(shift(4)).memory)


def test_after_an_alarm_the_evidence_begins_again_at_nothing():
    days, _ = shifted()
    days.calm()
    assert evidence_on(days, LOCATION) == 0
    days.day()
    assert evidence_on(days, LOCATION) > 0


def test_a_change_that_comes_back_alarms_again():
    days, _ = shifted()
    first = effect(days).opened
    days.calm()
    days.days(5)
    days.alarm(shift(6))
    assert effect(days).opened > first
    assert effect(days).onset >= window(20).start - 10 * DAY


# Growing


def test_a_change_that_grows_is_told_again_in_its_new_size():
    days, _ = shifted(4.0)
    told = effect(days).effect
    seen = days.until(lambda seen: finding(seen, "age", "location").grown, shift(14))
    assert effect(days).effect > 1.5 * told
    assert finding(seen, "age", "location").reason.endswith("in the last days")


def test_a_change_that_grows_is_told_once_a_day_at_most():
    days, _ = shifted(4.0)
    grown = [finding(days.day(shift(4 + 2 * step)), "age", "location").grown for step in range(12)]
    assert 1 <= sum(grown) < 6


def test_a_change_that_stays_is_not_told_again():
    days, _ = shifted()
    assert not any(finding(days.day(shift(6)), "age", "location").grown for _ in range(20))


def test_a_change_that_turns_round_has_not_grown():
    days, _ = shifted(4.0)
    assert not any(finding(days.day(shift(-14)), "age", "location").grown for _ in range(5))


# What people decide


def accepted(*found):
    return Decided(accepted=frozenset(found))


def test_an_accepted_change_ends_its_alarm_and_is_the_new_normal():
    days, _ = shifted()
    days.days(3, shift(6))
    assert keys(days.memory) == {LOCATION}
    seen = days.day(shift(6), decided=accepted(LOCATION))
    assert keys(seen.memory) == set()
    for _ in range(40):
        assert keys(days.day(shift(6)).memory) == set()


def test_after_a_change_was_accepted_going_back_is_a_change():
    days, _ = shifted()
    days.days(10, shift(6))
    days.day(shift(6), decided=accepted(LOCATION))
    days.days(3, shift(6))
    days.until(lambda seen: LOCATION in keys(seen.memory), None)
    assert effect(days).effect < 0


def test_accepting_a_change_moves_the_level_of_its_column_and_of_no_other():
    """A shift moves spread and tails as well: they are not to be accepted one by one."""
    days, _ = shifted()
    days.days(10, shift(6))
    days.day(shift(6), decided=accepted(LOCATION))
    level = {
        (p.column, p.check): level for p, level in zip(signal().layout.places, days.memory.state.accepted, strict=True)
    }
    assert level[LOCATION] == pytest.approx(0.65, abs=0.1)
    assert level["age", "spread"] > 0.1
    assert not any(found for (column, _), found in level.items() if column == "plan")


def test_of_two_accepted_alarms_of_a_column_each_level_is_taken_once():
    days, _ = shifted(10)
    assert ("age", "spread") in keys(days.memory) or days.until(lambda seen: len(seen.memory.alarms) > 1, shift(10))
    days.days(10, shift(10))
    found = [alarm.key for alarm in days.memory.alarms]
    assert len(found) > 1
    days.day(shift(10), decided=accepted(*found))
    assert finding(days.day(shift(10)), "age", "location").effect == pytest.approx(0, abs=0.25)
    for _ in range(20):
        assert keys(days.day(shift(10)).memory) == set()


def test_accepting_a_change_forgets_what_was_gathered_about_the_old_level():
    days, _ = shifted()
    days.days(3, shift(6))
    before = evidence_on(days, ("age", "spread"))
    days.day(shift(6), decided=accepted(LOCATION))
    assert evidence_on(days, ("age", "spread")) < before


def test_an_accepted_share_is_the_new_normal():
    days = Days()
    days.days(5)
    days.alarm(new_plan(0.05))
    days.days(5, new_plan(0.05))
    days.day(new_plan(0.05), decided=accepted(UNSEEN))
    for _ in range(20):
        assert UNSEEN not in keys(days.day(new_plan(0.05)).memory)
    days.until(lambda seen: UNSEEN in keys(seen.memory), new_plan(0.5), most=3)


def test_a_closed_alarm_ends_and_the_normal_is_as_it_was():
    days, _ = shifted()
    days.day(None, decided=Decided(closed=frozenset({LOCATION})))
    assert keys(days.memory) == set()
    assert not days.memory.state.accepted.any()


def test_a_change_that_lasts_though_its_alarm_was_closed_alarms_again():
    days, _ = shifted()
    days.day(shift(6), decided=Decided(closed=frozenset({LOCATION})))
    again = days.until(lambda seen: LOCATION in keys(seen.memory), shift(6), most=3)
    assert LOCATION in keys(again.memory)


def test_deciding_on_what_is_not_open_changes_nothing():
    days, same = Days(), Days()
    days.day(decided=accepted(LOCATION))
    same.day()
    assert days.memory.encode() == same.memory.encode()


def test_accepting_what_a_model_of_other_checks_shows_is_no_concern_of_this_one():
    days = Days(subject(checks=plan()))
    days.day(decided=accepted(("income", "location")))
    assert keys(days.memory) == set()
