"""The daemon: what is owed gets done, once, whoever dies, reloads, or is away meanwhile."""

import io
import json
import logging
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.testing import capture_logs

from monitor import logs
from monitor.cli import main
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.notice import Deferred, Delivered
from monitor.daemon import TURN, Daemon
from monitor.store.schema import open_store
from monitor.store.tables import incidents, outbox, runs
from tests.waiting import until
from tests.worlds import START, drop, world

DAY = timedelta(days=1)
NOW = START + 8 * DAY + timedelta(hours=1)
MODEL = """\
  {name}:
    logs: {{url: sqlite:///logs.db, table: {table}, time: ts, id: id}}
    reference: {{file: reference.parquet}}
    schedule: {{every: {every}, delay: {delay}{start}}}
    checks: [{check}]
"""
RUN = [sys.executable, "-c", "from monitor.cli import main; main()", "run"]


def model(name, table="predictions", start=START, every="1d", delay="1h"):
    """One model as YAML; its one check makes a window cheap.

    Where windows are short, replaying the reference takes seconds: there the check has a threshold, which needs none.
    """
    first = f", start: {start:%Y-%m-%dT%H:%M:%SZ}" if start else ""
    check = "null_rate" if every == "1d" else "{null_rate: {threshold: 0.5}}"
    return MODEL.format(name=name, table=table, start=first, every=every, delay=delay, check=check)


def config(*models, store="sqlite:///monitor.db", rest="notifiers: {log: stdout}\ntick: 0.1s\n"):
    return f"store: {store}\nmodels:\n{''.join(models)}{rest}"


def read_rows(store, query):
    with store.read() as connection:
        return connection.execute(query).all()


def done(store):
    """The windows that have a result, as (model, day), in the order in which they got it."""
    query = sa.select(runs).where(runs.c.state == "done").order_by(runs.c.finished_at, runs.c.id)
    return [(row.model, (row.window_start - START).days) for row in read_rows(store, query)]


class Receiver:
    """Keeps what it is sent; may be made to wait, or to put everything off."""

    def __init__(self, answer=None):
        self.answer, self.keys = answer or Delivered({}), []
        self.asked, self.may_go = threading.Event(), threading.Event()
        self.may_go.set()

    def send(self, attempt):
        self.keys.append(attempt.notice.key)
        self.asked.set()
        self.may_go.wait(20)
        return self.answer

    def probe(self):
        return "a test"


class Running:
    """A daemon in a thread of this process, at a moment that stands still."""

    def __init__(self, path, owner="test", receiver=None, clock=None):
        self.path, self.receiver = path, receiver or Receiver()
        first = self.load()
        self.store = open_store(first.store.get_secret_value())
        self.daemon = Daemon(self.store, clock or SetClock(NOW), self.load, first)
        self.daemon.cycle.owner = owner
        self.thread = threading.Thread(target=self.daemon.run)

    def load(self):
        found = read(self.path)
        return found.model_copy(update={"notifiers": dict.fromkeys(found.notifiers, self.receiver)})

    def start(self):
        self.thread.start()
        return self

    def stop(self, seconds=60.0):
        if self.thread.is_alive():
            self.daemon.ask(signal.SIGTERM)
            self.thread.join(seconds)
        assert not self.thread.is_alive(), "the daemon did not stop"
        self.store.close()


@pytest.fixture
def running(tmp_path):
    """Start daemons on worlds; all are stopped at the end."""
    started = []

    def start(text, *, change=None, begin=True, path=None, **kwargs):
        path = path or world(tmp_path, 8, change, text)
        started.append(Running(path, **kwargs))
        return started[-1].start() if begin else started[-1]

    yield start
    for one in started:
        one.stop()


@pytest.fixture
def said():
    """What is logged, as a growing list."""
    with quiet():
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
        with capture_logs() as entries:
            yield entries


def events(entries, name):
    return [entry for entry in list(entries) if entry["event"] == name]


# --- in this process ------------------------------------------------------------------------------------------------


def test_every_owed_window_is_evaluated_in_order_and_then_nothing_happens(running, said):
    one = running(config(model("churn")))
    until(lambda: len(done(one.store)) == 8)
    before = len(said)
    time.sleep(0.5)
    assert done(one.store) == [("churn", day) for day in range(8)]
    assert said[before:] == []


def test_a_model_seen_for_the_first_time_without_a_start_shows_its_newest_window(running):
    one = running(config(model("churn", start=None)))
    until(lambda: done(one.store))
    time.sleep(0.3)
    assert done(one.store) == [("churn", 7)]


def test_a_failing_model_stops_no_other_and_is_named(running, said):
    one = running(config(model("lost", table="nowhere"), model("churn")))
    until(lambda: len(done(one.store)) == 8)
    (failed,) = events(said, "window.failed")
    assert (failed["model"], "nowhere" in failed["reason"]) == ("lost", True)


def test_a_defect_is_told_as_a_failed_window_and_stops_no_other_model(running, said, monkeypatch):
    one = running(config(model("lost"), model("churn")), begin=False)
    source = type(one.daemon.config.models["lost"].logs)
    real = source.read

    def broken(self, *args):
        if self is one.daemon.config.models["lost"].logs:
            raise ZeroDivisionError("a defect")
        return real(self, *args)

    monkeypatch.setattr(source, "read", broken)
    one.start()
    until(lambda: len(done(one.store)) == 8)
    (failed,) = events(said, "window.failed")
    assert failed["reason"] == "a defect of Leeway: ZeroDivisionError: a defect"
    assert [row.state for row in read_rows(one.store, sa.select(runs).where(runs.c.model == "lost"))] == ["failed"]


def test_a_failed_window_rests_but_a_new_configuration_is_tried_at_once(running, said):
    one = running(config(model("churn", table="nowhere")))
    until(lambda: events(said, "window.failed"))
    time.sleep(0.4)
    assert len(events(said, "window.failed")) == 1
    one.path.write_text(config(model("churn")))
    one.daemon.ask(signal.SIGHUP)
    until(lambda: len(done(one.store)) == 8)


def test_a_model_with_much_to_catch_up_leaves_the_others_their_turn(running):
    text = config(model("backlog", every="2h"), model("churn", start=NOW - DAY), rest="tick: 0.1s\nworkers: 1\n")
    one = running(text)
    until(lambda: ("churn", 7) in done(one.store))
    assert done(one.store).index(("churn", 7)) <= TURN


@pytest.mark.parametrize(
    ("store_url", "owners"), [("sqlite", "ab"), ("postgresql", "ab"), ("postgresql", "abc")], indirect=["store_url"]
)
def test_several_daemons_share_the_work_and_nothing_is_done_twice(store_url, running, tmp_path, owners):
    path = world(tmp_path, 8, drop("age", 3, 5), config(*(model(f"m{n}") for n in range(4)), store=store_url))
    receiver = Receiver()
    replicas = [running("", path=path, owner=name, receiver=receiver, begin=False) for name in owners]
    for one in replicas:
        one.start()
    store = replicas[0].store
    until(lambda: len(done(store)) == 32)
    until(lambda: {row.state for row in read_rows(store, sa.select(outbox.c.state))} == {"delivered"})
    rows = read_rows(store, sa.select(runs))
    assert Counter((row.model, row.window_start) for row in rows) == Counter(
        {(f"m{n}", START + day * DAY): 1 for n in range(4) for day in range(8)}
    )
    assert {row.owner for row in rows} == set(owners)
    assert len(read_rows(store, sa.select(incidents))) == 4
    assert len(receiver.keys) == len(set(receiver.keys)) == len(read_rows(store, sa.select(outbox)))


def test_several_may_open_an_empty_store_together(postgres_url):
    gate, problems = threading.Barrier(4), []

    def opening():
        try:
            gate.wait()
            open_store(postgres_url).close()
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            problems.append(error)

    threads = [threading.Thread(target=opening) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_ticks_that_die_are_noticed_and_started_again(running, said, monkeypatch):
    real, calls = BackgroundScheduler._process_jobs, []

    def dying(self):
        calls.append(self)
        if len(calls) == 1:
            raise RuntimeError("the loop ends")
        return real(self)

    monkeypatch.setattr(BackgroundScheduler, "_process_jobs", dying)
    one = running(config(model("churn")))
    until(lambda: len(done(one.store)) == 8)
    assert len(events(said, "ticks.died")) == 1


def test_stopping_during_a_delivery_finishes_it_and_begins_no_other(running):
    receiver = Receiver()
    receiver.may_go.clear()
    one = running(config(model("a"), model("b")), change=drop("age", 3, 5), receiver=receiver)
    until(lambda: len(done(one.store)) == 16)
    one.daemon.ask(signal.SIGTERM)
    until(one.daemon.stopping.is_set)
    assert one.thread.is_alive()
    receiver.may_go.set()
    one.stop()
    states = Counter(row.state for row in read_rows(one.store, sa.select(outbox.c.state)))
    assert states["delivered"] == len(receiver.keys) == 1
    assert states["sending"] == 0
    assert states["pending"] >= 1


def test_stopping_while_much_is_owed_leaves_the_rest_for_later(running):
    one = running(config(model("backlog", every="3h")))
    until(lambda: done(one.store))
    one.stop()
    states = Counter(row.state for row in read_rows(one.store, sa.select(runs.c.state)))
    assert set(states) == {"done"}
    assert states["done"] < 8 * 8


def test_a_receiver_that_is_away_does_not_hold_up_the_others(running):
    rest = "notifiers: {away: stdout, here: stdout}\ntick: 0.1s\n"
    one = running(config(model("a"), model("b"), rest=rest), change=drop("age", 3, 5), begin=False)
    away = Receiver(Deferred("timed out", uncertain=True))
    one.daemon.config = one.daemon.config.model_copy(update={"notifiers": {"away": away, "here": one.receiver}})
    for watch in one.daemon.watches.values():
        one.daemon.cycle.catch_up(watch)
    one.daemon._deliver()
    assert (len(away.keys), len(one.receiver.keys)) == (1, 4)


def test_a_sighup_brings_a_new_model(running, said):
    one = running(config(model("churn")))
    until(lambda: len(done(one.store)) == 8)
    one.path.write_text(
        config(model("churn"), model("fresh"), rest="notifiers: {log: stdout}\ntick: 0.1s\nworkers: 3\n")
    )
    one.daemon.ask(signal.SIGHUP)
    until(lambda: len(done(one.store)) == 16)
    (reloaded,) = events(said, "config.reloaded")
    assert (reloaded["added"], reloaded["removed"]) == (["fresh"], [])


def test_a_sighup_takes_a_model_away(running, said):
    one = running(config(model("churn"), model("old", every="1h")))
    until(lambda: done(one.store))
    one.path.write_text(config(model("churn")))
    one.daemon.ask(signal.SIGHUP)
    until(lambda: events(said, "config.reloaded"))
    time.sleep(0.3)
    before = Counter(name for name, _ in done(one.store))
    time.sleep(0.5)
    assert Counter(name for name, _ in done(one.store))["old"] == before["old"] < 8 * 24


def test_a_sighup_with_a_wrong_configuration_keeps_the_old_one_and_says_why(running, said):
    one = running(config(model("churn")))
    one.path.write_text(config(model("churn")).replace("null_rate", "nul_rate"))
    one.daemon.ask(signal.SIGHUP)
    (kept,) = until(lambda: events(said, "config.kept"))
    assert "nul_rate" in kept["reason"]
    assert kept["reason"].endswith("The configuration that was read before stays in force.")
    until(lambda: len(done(one.store)) == 8)


def test_a_sighup_says_that_another_store_needs_a_restart(running, said, tmp_path):
    one = running(config(model("churn")))
    one.path.write_text(config(model("churn"), model("fresh"), store="sqlite:///other.db"))
    one.daemon.ask(signal.SIGHUP)
    until(lambda: len(done(one.store)) == 16)
    (kept,) = events(said, "store.kept")
    assert "needs a restart" in kept["reason"]
    assert not (tmp_path / "other.db").exists()


def test_a_store_that_goes_away_is_logged_once_and_used_again_when_it_is_back(running, said, monkeypatch, tmp_path):
    monkeypatch.setattr("monitor.store.database.BUSY_SECONDS", 0.05)
    one = running(config(model("churn")), begin=False)
    with closing(sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        one.start()
        (failed,) = until(lambda: events(said, "work.failed"))
        time.sleep(0.5)
        assert len(events(said, "work.failed")) == 1
        assert "locked" in failed["reason"]
        other.execute("ROLLBACK")
    until(lambda: len(done(one.store)) == 8)
    assert events(said, "work.recovered")


def test_a_store_whose_server_ends_its_connections_is_used_again(postgres_url, running, said):
    one = running(config(model("churn", every="1h"), store=postgres_url))
    until(lambda: done(one.store))
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as other:
        for _ in range(2):
            other.execute(ending)
            time.sleep(0.05)
    reached = len(done(one.store))
    until(lambda: len(done(one.store)) > reached + TURN, 60)
    assert not events(said, "window.failed"), "the model had no part in it"
    assert not events(said, "work.crashed")


def test_a_full_disk_is_a_sentence_in_the_log(running, said):
    one = running(config(model("churn")), begin=False)
    pages = read_rows(one.store, sa.text("PRAGMA page_count"))[0][0]
    one.store.engine.dispose()
    sa.event.listen(one.store.engine, "connect", lambda raw, _: raw.execute(f"PRAGMA max_page_count = {pages + 3}"))
    one.start()
    failed = until(lambda: [entry for entry in list(said) if entry["log_level"] == "error"])
    assert failed[0]["reason"].endswith("cannot be used now: database or disk is full")
    assert not events(said, "work.crashed")


def test_a_store_that_cannot_be_written_is_a_sentence_in_the_log(running, said):
    one = running(config(model("churn")), begin=False)
    one.store.engine.dispose()
    sa.event.listen(one.store.engine, "connect", lambda raw, _: raw.execute("PRAGMA query_only = ON"))
    one.start()
    (failed,) = until(lambda: events(said, "work.failed"))
    assert "readonly" in failed["reason"]


def test_a_window_that_another_took_over_is_left_to_it(running, said):
    one = running(config(model("churn")), begin=False)
    watch, cycle = one.daemon.watches["churn"], one.daemon.cycle
    source = type(watch.model.logs)
    real = source.read

    def overtaken(self, *args):
        with one.store.write() as connection:
            connection.execute(runs.update().values(epoch=runs.c.epoch + 1, owner="other"))
        return real(self, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "read", overtaken)
        (result,) = cycle.catch_up(watch)
    assert result.outcome == "taken"
    assert events(said, "window.lost")
    assert read_rows(one.store, sa.select(runs.c.owner, runs.c.state)) == [("other", "claimed")]


@pytest.mark.parametrize("models", [1, 5])
def test_an_idle_tick_asks_the_store_once_for_all_models_and_writes_nothing(running, models):
    one = running(config(*(model(f"m{n}", start=NOW - DAY) for n in range(models))))
    until(lambda: len(done(one.store)) == models)
    one.stop()
    statements = []
    idle = running("", path=one.path, begin=False)
    idle.daemon.tick()  # the first one prunes, and proves that an alert gets through
    for work in list(idle.daemon._busy.values()):
        work.result(10)
    sa.event.listen(idle.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    idle.daemon.tick()
    for work in list(idle.daemon._busy.values()):
        work.result(10)
    assert Counter(words.split()[0] for words in statements) == {"SELECT": 2, "BEGIN": 2}
    assert "BEGIN IMMEDIATE" not in statements


def test_a_store_that_is_away_at_the_start_is_told_in_a_sentence(tmp_path, capsys):
    url = "postgresql+psycopg://leeway:hunter2@127.0.0.1:1/leeway"
    path = world(tmp_path, 1, None, config(model("churn"), store=url))
    with quiet(), pytest.raises(SystemExit) as caught:
        main(["run", "-c", str(path)])
    told = capsys.readouterr().err
    assert caught.value.code == 3
    assert "127.0.0.1:1" in told
    assert "Traceback" not in told
    assert "hunter2" not in told


# --- what is logged -------------------------------------------------------------------------------------------------


@contextmanager
def quiet():
    """Put everything that :func:`monitor.logs.configure` sets back afterwards."""
    before, hook = structlog.get_config(), threading.excepthook
    try:
        yield
    finally:
        structlog.configure(**before)
        threading.excepthook = hook
        logging.captureWarnings(capture=False)
        root = logging.getLogger()
        for handler in [known for known in root.handlers if isinstance(known, logs._Stderr)]:
            root.removeHandler(handler)


@pytest.fixture
def logged(capsys):
    """Logging as a process without a terminal has it; returns the lines so far."""
    with quiet():
        logs.configure()
        yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_log_line_is_one_json_object_with_event_level_and_time(logged):
    structlog.get_logger("monitor.test").info("window.done", model="churn")
    (line,) = logged()
    assert (line["event"], line["level"], line["model"]) == ("window.done", "info", "churn")
    assert datetime.fromisoformat(line["timestamp"]).tzinfo is not None


def test_what_libraries_log_is_json_too(logged):
    logging.getLogger("apscheduler").warning("a job was missed")
    logging.getLogger("apscheduler").info("a job was added")
    assert [(line["event"], line["level"]) for line in logged()] == [("a job was missed", "warning")]


def test_a_traceback_is_part_of_its_line(logged):
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        structlog.get_logger("monitor.test").exception("work.crashed")
    (line,) = logged()
    assert line["level"] == "error"
    assert line["exception"].endswith("ZeroDivisionError")


def test_the_death_of_a_thread_is_a_line_too(logged):
    threading.excepthook(threading.ExceptHookArgs([ValueError, ValueError("lost"), None, None]))
    (line,) = logged()
    assert (line["event"], line["exception"]) == ("thread.died", "ValueError: lost")


def test_passwords_of_addresses_never_reach_the_log(logged):
    structlog.get_logger("monitor.test").error("work.failed", reason="postgresql://u:hunter2@db/x went away")
    logging.getLogger("driver").error("cannot reach postgresql://u:hunter2@db/x")
    assert [line.get("reason", line["event"]) for line in logged()] == [
        "postgresql://u:********@db/x went away",
        "cannot reach postgresql://u:********@db/x",
    ]


def test_a_log_that_cannot_be_written_stops_nothing(logged, monkeypatch):
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    structlog.get_logger("monitor.test").info("window.done")


def test_people_get_readable_lines_without_the_variables_of_a_crash(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with quiet():
        logs.configure()
        token = "xoxb-" + "1234"
        try:
            raise ValueError(len(token))
        except ValueError:
            structlog.get_logger("monitor.test").exception("work.crashed")
    assert "work.crashed" in stream.getvalue()
    assert "xoxb-1234" not in stream.getvalue()


# --- in processes of their own --------------------------------------------------------------------------------------

DAYS = 12
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
FIRST = TODAY - DAYS * DAY
OWED = [(f"{FIRST + day * DAY:%Y-%m-%d} 00:00:00.000000", "done") for day in range(DAYS)]


def recent(*names):
    """Models whose every window until today is due."""
    return config(*(model(name, start=FIRST, delay="0s") for name in names))


def nulls(rows):
    """Make the age null on the sixth and seventh day."""
    rows["age"] = [None if (t - FIRST).days in (5, 6) else v for t, v in zip(rows["ts"], rows["age"], strict=True)]


class Process:
    """`monitor run` as people start it."""

    def __init__(self, path):
        self.path = path
        self.out, self.err = (path.parent / f"run.{name}" for name in ("out", "err"))
        self.out.touch()
        self.err.touch()
        self.start()

    def start(self):
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        with self.out.open("a") as out, self.err.open("a") as err:
            self.running = subprocess.Popen([*RUN, "-c", self.path], stdout=out, stderr=err, env=environment)

    def said(self, event):
        # The last line may be half written.
        entries = [json.loads(line) for line in self.err.read_text().split("\n")[:-1]]
        return [entry for entry in entries if entry["event"] == event]

    def end(self, number, seconds=60):
        self.running.send_signal(number)
        return self.running.wait(seconds)


@pytest.fixture
def process(tmp_path):
    begun = []

    def begin(text):
        begun.append(Process(world(tmp_path, DAYS, nulls, text, FIRST)))
        return begun[-1]

    yield begin
    for one in begun:
        one.running.kill()
        one.running.wait()


def windows(folder):
    """Every run of a window before today, in order."""
    query = "SELECT model, window_start, state FROM runs WHERE window_start < ? ORDER BY model, window_start"
    with closing(sqlite3.connect(folder / "monitor.db")) as store:
        return store.execute(query, [f"{TODAY:%Y-%m-%d}"]).fetchall()


def test_the_command_catches_up_reloads_tells_and_stops(process, tmp_path):
    one = process(recent("churn"))
    until(lambda: len(one.said("window.done")) >= DAYS)
    assert windows(tmp_path) == [("churn", *row) for row in OWED]
    one.path.write_text(recent("churn", "fresh"))
    one.running.send_signal(signal.SIGHUP)
    until(lambda: windows(tmp_path) == [(name, *row) for name in ("churn", "fresh") for row in OWED])
    until(lambda: len(one.said("notice.delivered")) == 4)
    assert one.end(signal.SIGTERM) == 0
    assert one.said("daemon.stopping")[0]["signal"] == "SIGTERM"
    entries = [json.loads(line) for line in one.err.read_text().splitlines()]
    assert all({"event", "level", "timestamp"} <= set(entry) for entry in entries)
    titles = [line for line in one.out.read_text().splitlines() if line and not line.startswith(" ")]
    assert len(titles) == 4, "stdout has the notices and nothing else"


def test_an_interrupt_from_the_keyboard_stops_it_too(process):
    one = process(recent("churn"))
    until(lambda: one.said("window.done"))
    assert one.end(signal.SIGINT) == 0
    assert one.said("daemon.stopped")


@pytest.mark.slow
def test_whenever_it_is_killed_every_window_gets_one_result_and_every_message_one_key(process, tmp_path):
    names = ("m0", "m1", "m2")
    one = process(recent(*names))
    chance = random.Random(7)
    for _ in range(4):
        seen = len(one.said("window.done"))
        until(lambda seen=seen: len(one.said("window.done")) > seen or one.running.poll() is not None)
        time.sleep(chance.uniform(0, 0.1))
        one.end(signal.SIGKILL)
        one.start()
    until(lambda: windows(tmp_path) == [(name, *row) for name in names for row in OWED])
    with closing(sqlite3.connect(tmp_path / "monitor.db")) as store:
        until(lambda: store.execute("SELECT count(*) FROM outbox WHERE state <> 'delivered'").fetchone() == (0,))
        opened = store.execute("SELECT model, count(*) FROM incidents GROUP BY model ORDER BY model").fetchall()
        keys = [key for (key,) in store.execute("SELECT key FROM outbox")]
    assert one.end(signal.SIGTERM) == 0
    assert opened == [(name, 1) for name in names]
    assert len(keys) == len(set(keys))
