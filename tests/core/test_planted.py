"""How soon planted faults are noticed: on windows made in memory, by the evidence that the daemon gathers."""

import pytest
from watched_model import STRICT, Days, plan, profile, reference, rhythm, shift, signal, window

from checks.planting import FAULTS
from monitor.core.planted import Noticed, ground, noticed
from monitor.core.signal import Terms, learn


def history(days: int, change=None, since: int = 0):
    return [(window(n), profile(n, change=change if n >= since else None)) for n in range(days)]


def found(days: int = 60, learnt=None, **world) -> dict[str, Noticed]:
    soil = ground(learnt or signal(), reference(), plan(), history(days, **world))
    assert soil is not None
    return {one.fault: one for one in noticed(soil)}


@pytest.fixture(scope="module")
def calm() -> dict[str, Noticed]:
    return found()


def test_every_fault_that_a_column_can_have_is_planted(calm):
    assert set(calm) == {fault.name for fault in FAULTS}


@pytest.mark.parametrize("name", ["column missing", "stuck at one value", "text instead of numbers"])
def test_what_breaks_a_whole_column_is_noticed_in_its_first_window(calm, name):
    assert calm[name].noticed == calm[name].tried > 0
    assert calm[name].slow == 1.0


def test_the_larger_a_shift_the_sooner_it_is_noticed(calm):
    delays = [calm[f"location +{size} sd"].median or 99 for size in ("0.15", "0.3", "0.6", "1")]
    assert delays == sorted(delays, reverse=True)
    assert delays[0] > delays[-1] <= 2


def test_the_delay_is_that_of_the_daemon_on_rows_so_broken(calm):
    # A shift by 0.6 sd of all rows, seen window by window, and the one that moves counts.
    days = Days()
    days.days(7)
    seen = days.alarm(shift(6.0))
    (alarm,) = seen.memory.alarms[:1]
    assert alarm.column == "age"
    assert len(days.held) - 7 == pytest.approx(calm["location +0.6 sd"].median, abs=1)


def test_a_column_that_changes_by_itself_is_left_out():
    changed = found(60, change=shift(20.0), since=0)
    assert "location +1 sd" not in changed
    assert changed["new category in 3% of rows"].columns == 1


def test_a_muted_column_is_left_out():
    muted = learn(reference(), plan(), rhythm(), Terms(importance={"age": 0.0}), STRICT)
    assert "location +1 sd" not in found(60, muted)


def test_what_is_not_noticed_in_half_of_the_cases_has_no_median():
    short = found(5)["location +0.15 sd"]
    assert (short.noticed, short.median, short.slow) == (0, None, None)
    assert short.within == 4.0


def test_two_windows_are_too_few():
    assert ground(signal(), reference(), plan(), history(2)) is None


def test_the_same_windows_give_the_same_answer(calm):
    assert found() == calm
