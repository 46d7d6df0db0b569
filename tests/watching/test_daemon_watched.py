"""The daemon watched: its heartbeat, its clock that jumps, its ticks that hang, and what it costs."""

import threading
import time
from datetime import timedelta

import sqlalchemy as sa

from monitor.core.notice import Deferred, Delivered
from monitor.store import heartbeats
from monitor.store.tables import runs
from monitor.testing import FakeClock, FakeWebhook
from tests.test_daemon import DAY, NOW, Receiver, config, done, drop, events, model, read_rows
from tests.waiting import until

HOUR = timedelta(hours=1)
REST = "notifiers: {log: stdout}\ntick: 0.1s\ncanary: off\n"


def processes(store):
    with store.read() as connection:
        return heartbeats.processes(connection)


def problems(one):
    return [problem.name for problem in one.daemon.signs.checkup.problems()]


def test_a_daemon_has_a_heartbeat_from_its_start_and_leaves_word_when_it_stops(running):
    one = running(config(model("churn")))
    (found,) = until(lambda: processes(one.store))
    assert (found.owner, found.alive, found.body["models"]) == ("test", True, 1)
    one.stop()
    assert [(process.alive, process.body["stopped"]) for process in processes(one.store)] == [(False, True)]


def test_a_heartbeat_is_one_write_in_fifteen_seconds(running):
    one = running(config(model("churn", start=NOW - DAY), rest=REST))
    until(lambda: done(one.store) and processes(one.store))
    written = []
    sa.event.listen(one.store.engine, "before_cursor_execute", lambda *args: written.append(args[2].split()[0]))
    time.sleep(2)
    assert written.count("UPDATE") + written.count("INSERT") <= 1


def test_a_tick_that_hangs_turns_health_red_and_is_not_started_again(running, monkeypatch):
    one, gate, calls = running(config(model("churn"), rest=REST), begin=False), threading.Event(), []
    real = one.daemon._look

    def hanging():
        calls.append(1)
        gate.wait(30)
        real()

    monkeypatch.setattr(one.daemon, "_look", hanging)
    one.start()
    assert problems(one) == []
    until(lambda: "tick_hangs" in problems(one))
    assert len(calls) == 1
    gate.set()
    until(lambda: problems(one) == [])


def test_a_window_that_takes_too_long_turns_health_red(running):
    one = running(config(model("churn")), begin=False)
    with one.daemon.pulse.working("churn"):
        one.daemon.pulse._windows["churn"] -= 25 * 3600  # begun a day ago
        assert [problem.name for problem in one.daemon.signs.checkup.of_process()] == ["worker_stuck"]


def test_a_store_that_is_away_is_named_once_in_health(running, monkeypatch, tmp_path):
    one = running(config(model("churn"), rest=REST))
    until(lambda: len(done(one.store)) == 8)
    (tmp_path / "monitor.db").rename(tmp_path / "elsewhere")
    (tmp_path / "monitor.db").mkdir()
    one.store.engine.dispose()
    until(lambda: problems(one) == ["store_away"])
    (tmp_path / "monitor.db").rmdir()
    (tmp_path / "elsewhere").rename(tmp_path / "monitor.db")
    until(lambda: problems(one) == [], 40)


def test_a_defect_in_the_daemon_is_named_in_health_without_its_own_words(running, monkeypatch):
    one = running(config(model("churn"), rest=REST), begin=False)

    def broken(_):
        raise KeyError("postgresql://u:hunter2@db")

    monkeypatch.setattr(one.daemon.cycle, "owing", broken)
    one.start()
    found = until(one.daemon.signs.checkup.of_process)
    assert (found[0].name, found[0].words) == ("work_fails", "models: a defect (KeyError)")


def test_a_switch_in_the_configuration_is_fed_and_told_what_is_red(running):
    with FakeWebhook() as receiver:
        ping = f"{REST}ping: {{url: '{receiver.url}/secret', every: 10s}}\n"
        one = running(config(model("churn"), rest=ping))
        until(lambda: receiver.requests)
        assert receiver.requests[0].path.startswith("/secret/start?rid=")
        one.daemon.pulse.failed("models", "broken")
        one.daemon.signs._switch.once()
        assert receiver.requests[-1].path.startswith("/secret")


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_a_clock_that_is_set_back_and_comes_again_does_nothing_twice_and_loses_nothing(running):
    clock = FakeClock(NOW - 4 * DAY)
    one = running(config(model("churn"), rest=REST), clock=clock)
    until(lambda: len(done(one.store)) == 4)
    clock.advance(-3 * DAY)
    time.sleep(0.5)
    assert len(done(one.store)) == 4
    clock.advance(7 * DAY)
    until(lambda: len(done(one.store)) == 8)
    assert done(one.store) == [("churn", day) for day in range(8)]


def test_a_clock_that_is_set_forward_brings_every_window_between_in_order(running):
    clock = FakeClock(NOW - 7 * DAY)
    one = running(config(model("churn"), rest=REST), clock=clock)
    until(lambda: len(done(one.store)) == 1)
    clock.advance(7 * DAY)
    until(lambda: len(done(one.store)) == 8)
    assert done(one.store) == [("churn", day) for day in range(8)]


def test_a_window_that_failed_before_the_clock_was_set_back_does_not_rest_until_then(running, said):
    clock = FakeClock(NOW)
    running(config(model("churn", table="nowhere", start=NOW - 8 * DAY), rest=REST), clock=clock)
    until(lambda: events(said, "window.failed"))
    clock.advance(-2 * DAY)
    until(lambda: len(events(said, "window.failed")) >= 2)


def test_a_message_that_was_put_off_before_the_clock_was_set_back_is_not_put_off_until_then(running, said):
    clock, receiver = FakeClock(NOW), Receiver(Deferred("busy"))
    one = running(config(model("churn"), rest=REST), change=drop("age", 3, 5), receiver=receiver, clock=clock)
    until(lambda: events(said, "notice.deferred"))
    receiver.answer = Delivered({})
    clock.advance(-2 * DAY)
    seen = len(receiver.keys)
    until(lambda: len(receiver.keys) > seen)
    assert one.thread.is_alive()


def test_a_window_that_still_runs_when_the_next_is_due_is_waited_for(running, monkeypatch):
    clock, gate, at_once = FakeClock(NOW - 7 * DAY), threading.Event(), []
    one = running(config(model("churn"), rest=REST + "workers: 2\n"), clock=clock, begin=False)
    source = type(one.daemon.config.models["churn"].logs)
    real = source.read

    def slow(self, window, *args):
        at_once.append(window)
        gate.wait(20)
        return real(self, window, *args)

    monkeypatch.setattr(source, "read", slow)
    one.start()
    until(lambda: at_once)
    clock.advance(2 * DAY)
    time.sleep(0.6)
    assert len(at_once) == 1
    gate.set()
    until(lambda: len(done(one.store)) == 3)
    assert done(one.store) == [("churn", day) for day in range(3)]


def test_days_of_23_and_25_hours_are_each_evaluated_once(running):
    zone = model("churn").replace("every: 1d,", "every: 1d, timezone: Australia/Lord_Howe,")
    clock = FakeClock(NOW - 8 * DAY)
    one = running(config(zone, rest=REST), clock=clock)
    for _ in range(8):
        clock.advance(DAY)
        time.sleep(0.05)
    rows = until(
        lambda: len(done(one.store)) >= 8 and read_rows(one.store, sa.select(runs).order_by(runs.c.window_start))
    )
    assert all(before.window_end == after.window_start for before, after in zip(rows, rows[1:], strict=False))
