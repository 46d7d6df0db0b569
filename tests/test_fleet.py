"""Many models: fair turns, bounded memory, nothing learnt twice."""

import subprocess
import sys
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from monitor import subjects
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.memory import Memory
from monitor.cycle import Cycle, Result, from_log
from monitor.daemon import TURN, Daemon
from monitor.recomputing import again
from monitor.store import claims as claim_rows
from monitor.store import runs as run_rows
from monitor.store.leases import Leases
from monitor.store.schema import open_store
from monitor.subjects import Subjects, weight
from monitor.watch import watches
from tests.waiting import until
from tests.worlds import START, drop, world

DAY = timedelta(days=1)
LIST = """\
store: sqlite:///monitor.db
tick: 1s
workers: {workers}
models:
{models}"""
MODEL = """\
  {name}:
    logs: {{url: sqlite:///logs.db, table: predictions, time: ts, id: id}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1d, delay: 1h, start: 2026-01-05T00:00:00Z}}
"""


class Owed:
    """A cycle whose windows are numbers: who owes how many, and in which order they were done."""

    def __init__(self, **owed):
        self.left, self.done, self.owner, self.leases = owed, [], "test", Leases()
        self.blocked, self.lock = {}, threading.Lock()

    def owing(self, watched):
        return [watch for watch in watched if self.left[watch.name]]

    def forget(self):
        return False

    def catch_up(self, watch, most, _stopping):
        if watch.name in self.blocked:
            self.blocked[watch.name].wait(20)
        with self.lock:
            windows = range(min(most, self.left[watch.name]))
            self.left[watch.name] -= len(windows)
            self.done += [watch.name for _ in windows]
        return [Result(window, "done") for window in windows]


@pytest.fixture
def daemon_of(tmp_path, monkeypatch):
    """A daemon of models that owe some windows, given as name=number, and none of them a second look."""
    monkeypatch.setattr("monitor.daemon.revise", lambda *_: 0)
    begun = []

    def make(workers, **owed):
        text = LIST.format(workers=workers, models="".join(MODEL.format(name=name) for name in owed))
        path = tmp_path / "config.yaml"
        path.write_text(text, "utf-8")
        config = read(path)
        daemon = Daemon(open_store(config.store.get_secret_value()), SetClock(START), lambda: config, config)
        daemon.cycle = Owed(**owed)
        begun.append(daemon)
        return daemon

    yield make
    for daemon in begun:
        daemon.stopping.set()
        daemon._pool.shutdown()
        daemon._outgoing.shutdown()
        daemon.store.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_in_one_round_every_model_has_its_turn_however_much_another_owes(daemon_of, workers):
    others = {f"m{n}": 1 for n in range(20)}
    daemon = daemon_of(workers, backlog=500, **others)
    daemon.tick()
    until(lambda: not sum(daemon.cycle.left.values()))
    last = max(place for place, name in enumerate(daemon.cycle.done) if name != "backlog")
    assert daemon.cycle.done[: last + 1].count("backlog") <= TURN * workers


def test_a_model_that_falls_due_meanwhile_waits_for_one_turn_of_each_other_at_most(daemon_of):
    daemon = daemon_of(1, backlog=400, late=0)
    daemon.tick()
    until(lambda: len(daemon.cycle.done) > TURN)
    daemon.cycle.left["late"] = 1
    reached = len(daemon.cycle.done)
    daemon.tick()
    until(lambda: "late" in daemon.cycle.done)
    assert daemon.cycle.done.index("late") <= reached + 3 * TURN  # of which one may be under way, and one just begun


def test_a_model_whose_log_hangs_holds_one_worker_and_no_more(daemon_of):
    daemon = daemon_of(2, hangs=9, **{f"m{n}": 3 for n in range(10)})
    daemon.cycle.blocked["hangs"] = gate = threading.Event()
    for _ in range(3):
        daemon.tick()
    until(lambda: len(daemon.cycle.done) == 30)
    assert "hangs" not in daemon.cycle.done
    gate.set()
    until(lambda: len(daemon.cycle.done) == 39)


def test_replicas_begin_with_different_models(daemon_of):
    orders = []
    for owner in ("a", "b"):
        daemon = daemon_of(1, **{f"m{n}": 1 for n in range(20)})
        daemon.cycle.owner = owner
        daemon.tick()
        until(lambda daemon=daemon: len(daemon.cycle.done) == 20)
        orders.append(daemon.cycle.done)
    assert sorted(orders[0]) == sorted(orders[1])
    assert sum(one == other for one, other in zip(*orders, strict=True)) < 6


class House:
    """Some equal models on one log, with their store."""

    def __init__(self, folder, models=1):
        text = LIST.format(workers=2, models="".join(MODEL.format(name=f"m{n}") for n in range(models)))
        self.config = read(world(folder, 6, drop("age", 3, 5), text))
        self.store = open_store(self.config.store.get_secret_value())
        self.clock = SetClock(START + DAY + timedelta(hours=1))
        self.watches = list(watches(self.config).values())

    def cycle(self, owner="test"):
        return Cycle(self.store, self.clock, owner=owner)


@pytest.fixture
def house(tmp_path):
    made = []

    def make(**kwargs):
        made.append(House(tmp_path, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.store.close()


@pytest.mark.parametrize("models", [10, 100])
def test_which_models_owe_windows_is_one_statement_however_many_there_are(house, models):
    home, statements = house(models=models), []
    sa.event.listen(home.store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(home.cycle().owing(home.watches)) == models
    assert [words.split()[0] for words in statements] == ["BEGIN", "SELECT"]


def test_a_model_that_owes_nothing_is_not_owing(house):
    home = house(models=2)
    cycle, (one, other) = home.cycle(), home.watches
    cycle.catch_up(one)
    assert cycle.owing(home.watches) == [other]


def test_what_one_process_has_learnt_no_other_learns(house, monkeypatch):
    home = house(models=2)
    home.cycle().subject(home.watches[0])

    def never(*_):
        raise AssertionError("learnt again")

    monkeypatch.setattr(subjects, "learn", never)
    monkeypatch.setattr(subjects, "audited", never)
    for watch in home.watches:  # watched alike on equal rows: one teaches both
        assert home.cycle().subject(watch).signal.timed


def test_a_window_is_judged_the_same_to_the_last_bit_by_whoever_learnt_and_by_whoever_read(house):
    home = house()
    first, (watch,) = home.cycle(), home.watches
    for day in range(1, 6):
        home.clock.set(START + day * DAY + timedelta(hours=1))
        first.catch_up(watch)
    with home.store.read() as connection:
        found = run_rows.listing(connection, watch.name)
    assert len(found) == 5
    assert all(again(home.cycle(), watch, run).same for run in found)


def test_a_signal_that_was_learnt_anew_is_the_one_that_was_read(house):
    home = house()
    cycle, (watch,) = home.cycle(), home.watches
    read_back = cycle.subject(watch).signal
    learnt = subjects.learn(cycle.reference(watch), watch.plan, watch.rhythm, watch.terms, read_back.audit)
    states = []
    for signal in (read_back, learnt):
        moment = signal.rhythm.timeline([watch.schedule.window_containing(START)])
        sums, rows = signal.layout.observe(cycle.reference(watch).profile)
        state, _ = signal.detector.step(
            signal.detector.start(), sums / 40, rows / 40, moment, (True,) * len(signal.detector.scales)
        )
        states.append(Memory(state).encode())
    assert states[0] == states[1]


def test_no_more_subjects_are_held_than_there_is_room_for(house):
    home = house(models=4)
    kept = Subjects(home.store, home.clock, "test", from_log)
    one = kept.subject(home.watches[0])
    kept.most = 2 * weight(one)
    for watch in home.watches:
        kept.subject(watch)
    assert list(kept._held) == ["m2", "m3"]


def test_a_subject_that_is_larger_than_the_room_is_held_while_it_is_the_last(house):
    home = house(models=2)
    kept = Subjects(home.store, home.clock, "test", from_log, most=0)
    for watch in home.watches:
        subject = kept.subject(watch)
        assert kept.subject(watch) is subject
    assert list(kept._held) == ["m1"]


def test_a_process_of_ours_makes_arrays_without_pandas_and_can_have_it_later():
    program = """
import sys
from monitor.footprint import without_pandas
without_pandas()
import pyarrow as pa
table = pa.table({"a": pa.array([1, 2])})
assert "pandas" not in sys.modules
print(len(table.to_pandas()))
"""
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert said.stdout == "2\n"


def test_a_window_that_another_works_on_costs_no_preparation(house, monkeypatch):
    home = house()
    (watch,) = home.watches
    window = watch.schedule.window_containing(START)
    with home.store.write() as connection:
        claim_rows.claim(connection, watch.name, window, "f", "elsewhere/1/2:9:5", home.clock.now())
    cycle = home.cycle()
    monkeypatch.setattr(cycle, "_subjects", SimpleNamespace())
    assert [result.outcome for result in cycle.catch_up(watch)] == ["taken"]
