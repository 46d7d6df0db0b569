"""Ticks: whatever happens to the loop that calls, or to the wall clock, the calls go on."""

import threading
import time
from datetime import datetime, timedelta

import pytest
from apscheduler.schedulers import base
from apscheduler.schedulers.background import BackgroundScheduler

from monitor import ticks
from monitor.pulse import Pulse, patience
from monitor.ticks import Ticks
from tests.waiting import PATIENCE, until


class Wall(datetime):
    """The wall clock, set forward or back by ``off``."""

    off = timedelta()

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.off


@pytest.fixture
def wall(monkeypatch):
    monkeypatch.setattr(Wall, "off", timedelta())
    monkeypatch.setattr(base, "datetime", Wall)
    monkeypatch.setattr(ticks, "datetime", Wall)
    return Wall


class Fast(Pulse):
    """A pulse whose seconds last a tenth of one."""

    def __init__(self):
        super().__init__(lambda: 10 * time.monotonic())


@pytest.fixture
def begun():
    """Start ticks; all are ended."""
    started = []

    def begin(function, seconds=0.1, pulse=None):
        started.append(Ticks(pulse or Pulse(), {"tick": (function, seconds)}))
        return started[-1]

    yield begin
    for one in started:
        one.end()


def supervise(one, reached, seconds=PATIENCE):
    """Do what the daemon does once a second until something is reached; return how often it began anew."""
    anew, deadline = 0, time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "it did not happen in time"
        if not one.alive or one.stalled:
            anew += 1
            one.end()
            one.start()
        time.sleep(0.02)
    return anew


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(days=-400)])
def test_a_wall_clock_that_is_set_back_stops_the_calls_only_until_that_is_noticed(wall, begun, jump):
    calls = []
    one = begun(lambda: calls.append(1), pulse=Fast())
    until(lambda: calls)
    wall.off = jump
    seen = len(calls) + 1  # one may be on its way
    assert supervise(one, lambda: len(calls) > seen + 3) == 1


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(days=400)])
def test_a_wall_clock_that_is_set_forward_brings_no_more_calls_than_before(wall, begun, jump):
    calls = []
    one = begun(lambda: calls.append(1), pulse=Fast())
    until(lambda: calls)
    wall.off = jump
    began, seen = time.monotonic(), len(calls)
    supervise(one, lambda: len(calls) > seen + 5)
    assert len(calls) - seen <= (time.monotonic() - began) / 0.1 + 3


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_in_the_loop_itself_is_survived(begun, monkeypatch):
    real, rounds, calls = BackgroundScheduler._process_jobs, [], []

    def dying(self):
        rounds.append(self)
        if len(rounds) == 2:
            raise RuntimeError("the loop ends")
        return real(self)

    monkeypatch.setattr(BackgroundScheduler, "_process_jobs", dying)
    one = begun(lambda: calls.append(1))
    assert supervise(one, lambda: len(calls) > 3) == 1


def test_a_call_that_hangs_is_not_joined_by_another_and_is_no_fault_of_the_loop(begun, caplog):
    gate, calls = threading.Event(), []

    def hanging():
        calls.append(1)
        gate.wait(20)

    pulse = Fast()
    one = begun(hanging, pulse=pulse)
    until(lambda: pulse.vitals().hanging)
    assert (len(calls), one.stalled, caplog.text) == (1, False, "")
    gate.set()
    until(lambda: len(calls) > 2)
    assert not pulse.vitals().hanging


def test_ticks_that_begin_anew_do_not_join_a_call_that_hangs(begun):
    gate, calls = threading.Event(), []

    def hanging():
        calls.append(1)
        gate.wait(20)

    one = begun(hanging)
    until(lambda: calls)
    one.end()
    one.start()
    time.sleep(0.5)
    assert len(calls) == 1
    gate.set()


def test_a_call_that_raises_is_called_again(begun, caplog):
    calls = []

    def failing():
        calls.append(1)
        raise ValueError("a defect")

    begun(failing)
    until(lambda: len(calls) > 2)


def test_three_intervals_are_missed_before_anything_is_late_and_short_ones_have_some_seconds():
    assert (patience(10), patience(0.1)) == (30, 5.1)
