"""The canary: proven in a good world, and every broken part is caught and named."""

import json
import shutil
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from checks.quality.missing_column import MissingColumn
from monitor import broken_rows, consequences, cycle, delivery, rehearsal
from monitor.canary import WAITED_FOR, Canary
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core import alarms
from monitor.core.errors import UnavailableError
from monitor.core.evaluation import Evaluation
from monitor.core.notice import Rejected
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.notifiers.stdout import Stdout
from monitor.store import canaries
from monitor.store.database import StoreAwayError
from monitor.store.schema import open_store
from monitor.store.tables import canaries as canary_table
from monitor.store.tables import configurations, incident_events, runs
from monitor.watch import watches
from tests.test_cycle import House
from tests.worlds import CONFIG, START, drop

DAY = timedelta(days=1)
TWO = CONFIG.replace(
    "notifiers:",
    CONFIG[CONFIG.index("  churn:") : CONFIG.index("notifiers:")].replace("churn", "second") + "notifiers:",
)


def raising(*_args, **_kwargs):
    raise ZeroDivisionError("division by zero")


class Kept(House):
    """A world that was judged before, in a folder of its own."""

    def __init__(self, folder):
        self.config = read(folder / "config.yaml")
        self.store = open_store(self.config.store.get_secret_value())
        self.clock = SetClock(START + 2 * DAY + timedelta(hours=1))
        self.cycle = Cycle(self.store, self.clock, owner="test")
        self.watches = watches(self.config)
        self.watch = self.watches["churn"]


def judged(folder, *args, days=2, **kwargs):
    """Build a world and judge its first days."""
    house = House(folder, *args, **kwargs)
    for watch in house.watches.values():
        house.until(days, watch)
    return house


@pytest.fixture(scope="module")
def good_world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    judged(folder).store.close()
    return folder


@pytest.fixture
def house(tmp_path, good_world):
    houses = []

    def build(*args, **kwargs):
        if not args and not kwargs:
            shutil.copytree(good_world, tmp_path, dirs_exist_ok=True)
            houses.append(Kept(tmp_path))
        else:
            houses.append(judged(tmp_path, *args, **kwargs))
        return houses[-1]

    yield build
    for one in houses:
        one.store.close()


def canary_of(house, owner="test"):
    return Canary(Cycle(house.store, house.clock, owner), house.config)


def rows_in(house, *tables):
    with house.store.read() as connection:
        return [connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() for table in tables]


def latest(house):
    with house.store.read() as connection:
        return canaries.latest(connection)


def test_in_a_good_world_it_is_proven_with_the_column_that_was_broken(house):
    good = house()
    proof = canary_of(good).prove()
    assert (proof.outcome, proof.model) == ("proven", "churn")
    assert proof.detail.startswith("null flood of ")
    assert proof.detail.endswith("was told; log can be reached")
    assert latest(good) == proof


def test_nobody_is_told_and_the_store_keeps_nothing_but_the_proof(house):
    good = house()
    tables = (runs, configurations, incident_events)
    before = rows_in(good, *tables)
    canary_of(good).prove()
    assert (good.incidents(), good.letters(), rows_in(good, *tables)) == ([], [], before)


def test_nothing_is_printed_by_a_receiver(house, capsys):
    canary_of(house()).prove()
    assert capsys.readouterr().out == ""


def test_a_retraining_is_never_asked_for(house, tmp_path):
    started = tmp_path / "started"
    trigger = f"    retrain: {{mode: auto, trigger: {{command: {{argv: [touch, {started}]}}}}}}\n"
    good = house(config=CONFIG.replace("    checks: auto\n", f"    checks: auto\n{trigger}"))
    assert canary_of(good).prove().proven
    assert not started.exists()


def test_it_costs_less_than_two_seconds_of_a_processor(house):
    good = house()
    canary = canary_of(good)
    began = time.process_time()
    canary.prove()
    assert time.process_time() - began < 2


def test_rows_that_are_broken_as_they_came_do_not_matter(house):
    broken = house(drop("age", 0, 10))
    assert canary_of(broken).prove().proven


@pytest.mark.parametrize(
    "checks", ["[{null_rate: {threshold: 0.5}}]", "[missing_column]", "[null_rate]", "[auto, {null_rate: off}]"]
)
def test_one_check_that_sees_breaks_at_once_is_enough(house, checks):
    proof = canary_of(house(config=CONFIG.replace("checks: auto", f"checks: {checks}"))).prove()
    assert proof.proven, proof.detail


# --- what is broken is named -------------------------------------------------------------------------------------


def full(*_args, **_kwargs):
    raise StoreAwayError("disk full")


def nothing_found(*args, **kwargs):
    return Evaluation((), (), args[1], "")


BREAKAGES = {
    "profile": (rehearsal, "Aggregate", raising, "profile: "),
    "a judge that raises": (cycle, "evaluate", raising, "judge: a defect of Leeway"),
    "a judge that finds nothing": (cycle, "evaluate", nothing_found, "checks: no finding of null_rate of "),
    "evidence that never alarms": (alarms, "paying", lambda shares, *_: 0 * shares, "judge: null_rate of "),
    "a store that takes nothing": (cycle.incident_rows, "listing", full, "store: disk full"),
    "no incident": (Evaluation, "steps", lambda *_: [], "incidents: null_flood of "),
    "everybody is muted": (consequences, "decide", lambda *_args, **_kw: [], "outbox: no message was written"),
    "a muted delivery": (Delivery, "flush", lambda *_args, **_kw: 0, "delivery: the message is pending"),
    "a receiver that refuses": (rehearsal._Receiver, "send", lambda *_: Rejected("no"), "delivery: the message is dead: no"),
    "a receiver that raises": (rehearsal._Receiver, "send", raising, "delivery: the message is pending: the notifier failed"),
    "outbox that loses": (delivery.outbox_rows, "claim", lambda *_: None, "delivery: the message is pending"),
    "a probe that fails": (Stdout, "probe", raising, "receivers: log would not be reached: ZeroDivisionError"),
    "the choice of rows": (broken_rows, "crc32", raising, "canary: ZeroDivisionError in "),
}  # fmt: skip


@pytest.mark.parametrize("name", BREAKAGES)
def test_a_part_that_is_broken_is_named(house, monkeypatch, name):
    good = house()
    place, attribute, change, words = BREAKAGES[name]
    monkeypatch.setattr(place, attribute, change)
    proof = canary_of(good).prove()
    assert proof.outcome == "failed"
    assert proof.detail.startswith(words), proof.detail


def test_a_check_that_raises_is_named(house, monkeypatch):
    good = house(config=CONFIG.replace("checks: auto", "checks: [missing_column]"))
    monkeypatch.setattr(MissingColumn, "measure", raising)
    monkeypatch.setattr(MissingColumn, "unmoved", lambda *_: False)
    proof = canary_of(good).prove()
    assert proof.detail.startswith("checks: missing_column of ")
    assert "the check failed: ZeroDivisionError" in proof.detail


def test_a_receiver_that_cannot_be_reached_is_named_with_the_reason(house, monkeypatch):
    def away(_self):
        raise UnavailableError("Slack: no answer in time")

    good = house()
    monkeypatch.setattr(Stdout, "probe", away)
    assert canary_of(good).prove().detail == "receivers: log would not be reached: Slack: no answer in time"


def test_only_the_chosen_receivers_are_asked(house, monkeypatch):
    receivers = "notifiers:\n  log: stdout\n  other: {stdout: {format: json}}\ncanary: {notify: [log]}\n"
    good = house(config=CONFIG.replace("notifiers:\n  log: stdout\n", receivers))
    monkeypatch.setattr(Stdout, "probe", lambda self: raising() if self.format == "json" else "here")
    assert canary_of(good).prove().proven


def test_a_failure_shows_no_value_of_the_data(house, monkeypatch):
    def leaking(*_args, **_kwargs):
        raise ValueError("anna@example.org")

    good = house()
    monkeypatch.setattr(rehearsal, "Aggregate", leaking)
    assert "anna" not in canary_of(good).prove().detail


# --- when ---------------------------------------------------------------------------------------------------------


def test_without_a_window_it_waits_and_that_is_no_failure(house):
    fresh = house(days=0)
    canary = canary_of(fresh)
    for _ in range(3):
        assert canary.prove_if_due().outcome == "waits"
        assert canary.prove_if_due() is None
        fresh.clock.set(fresh.clock.now() + timedelta(minutes=1))
    assert latest(fresh).outcome == "waits"
    assert not latest(fresh).failed
    assert rows_in(fresh, canary_table) == [1]


def test_as_soon_as_there_is_a_window_it_is_proven(house):
    fresh = house(days=0)
    canary = canary_of(fresh)
    canary.prove_if_due()
    fresh.until(1)
    assert canary.prove_if_due().proven
    assert rows_in(fresh, canary_table) == [1]


@pytest.mark.parametrize(
    ("old", "new"), [("checks: auto", "checks: [ks]"), ("checks: auto", "checks: auto\n    sample: 0")]
)
def test_models_that_it_cannot_use_are_waited_for(house, old, new):
    assert canary_of(house(config=CONFIG.replace(old, new))).prove().outcome == "waits"


def test_a_window_of_another_configuration_is_not_used(house, tmp_path):
    good = house()
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("checks: auto", "checks: [null_rate]"))
    assert Canary(Cycle(good.store, good.clock), read(path)).prove().outcome == "waits"


def test_of_several_replicas_one_proves_it_in_its_time(house):
    good = house()
    replicas = [canary_of(good, owner) for owner in "abc"]
    assert [replica.prove_if_due() is not None for replica in replicas] == [True, False, False]
    good.clock.set(good.clock.now() + timedelta(hours=5, minutes=59))
    assert [replica.prove_if_due() for replica in replicas] == [None] * 3
    good.clock.set(good.clock.now() + timedelta(minutes=2))
    assert [replica.prove_if_due() is not None for replica in reversed(replicas)] == [True, False, False]
    assert rows_in(good, canary_table) == [2]


def test_models_take_turns(house):
    good = house(config=TWO)
    used = []
    for _ in range(3):
        used.append(canary_of(good).prove_if_due().model)
        good.clock.set(good.clock.now() + timedelta(hours=7))
    assert used == ["churn", "second", "churn"]


def test_a_model_that_failed_is_tried_again_before_others(house, monkeypatch):
    good = house(config=TWO)
    with monkeypatch.context() as patch:
        patch.setattr(cycle, "evaluate", raising)
        assert not canary_of(good).prove_if_due().proven
    good.clock.set(good.clock.now() + canaries.SOON_AGAIN)
    assert canary_of(good).prove_if_due().model == "churn"


def test_a_failure_is_looked_at_again_soon(house, monkeypatch):
    good = house()
    with monkeypatch.context() as patch:
        patch.setattr(Stdout, "probe", raising)
        assert not canary_of(good).prove_if_due().proven
    assert canary_of(good).prove_if_due() is None
    good.clock.set(good.clock.now() + canaries.SOON_AGAIN)
    assert canary_of(good).prove_if_due().proven


def test_a_clock_that_was_set_back_holds_no_proof_up(house):
    good = house()
    with good.store.write() as connection:
        number = canaries.begin(connection, "test", START + 400 * DAY, None)
        canaries.end(connection, number, canaries.Proof(START + 400 * DAY, "proven", "churn", "", 0.1))
    assert canary_of(good).prove_if_due() is not None


def test_a_proof_that_its_process_left_behind_is_made_by_another(house):
    good = house()
    with good.store.write() as connection:
        canaries.begin(connection, "elsewhere:1:2", good.clock.now(), timedelta(hours=6))
    assert canary_of(good).prove_if_due() is None
    good.clock.set(good.clock.now() + timedelta(minutes=11))
    assert canary_of(good).prove_if_due() is not None
    assert rows_in(good, canary_table) == [1]


def test_a_proof_that_is_stopped_is_taken_back(house):
    good = house()
    assert canary_of(good).prove_if_due(stopping=lambda: True) is None
    assert rows_in(good, canary_table) == [0]


def test_switched_off_it_does_nothing(house):
    good = house(config=f"{CONFIG}canary: off\n")
    assert not canary_of(good).due
    assert canary_of(good).prove_if_due() is None


def test_between_proofs_the_store_is_not_asked(house):
    good = house()
    canary = canary_of(good)
    canary.prove_if_due()
    assert not canary.due
    good.clock.set(good.clock.now() + timedelta(hours=6))
    assert canary.due


# --- words and command --------------------------------------------------------------------------------------------


def test_the_words_say_how_long_ago():
    proof = canaries.Proof(START, "proven", "churn", "fine", 0.1)
    assert proof.words(START + timedelta(hours=2, minutes=5)) == "alert path proven 2 h ago"
    waits = canaries.Proof(START, "waits", "", "no window yet", 0.0)
    assert waits.words(START) == "alert path not proven yet: no window yet"
    failed = canaries.Proof(START, "failed", "churn", "receivers: team", 0.1)
    assert failed.words(START + 3 * DAY) == "alert path NOT proven 3 days ago: receivers: team"


def test_the_command_proves_it_now(house, run):
    house()
    code, out, _ = run("canary", "--json")
    assert (code, json.loads(out)["outcome"], json.loads(out)["model"]) == (0, "proven", "churn")
    code, out, _ = run("canary")
    assert code == 0
    assert out.startswith("proven in ")


def test_the_command_says_which_part_is_broken(house, run, monkeypatch):
    house()
    monkeypatch.setattr(Stdout, "probe", raising)
    code, out, _ = run("canary")
    assert code == 3
    assert "receivers: log would not be reached" in out


def test_the_command_says_that_it_waits(house, run):
    house(days=0)
    assert run("canary") == (3, f"waits: {WAITED_FOR}\n", "")
    code, out, _ = run("canary", "--json")
    assert (code, json.loads(out)["outcome"], json.loads(out)["detail"]) == (3, "waits", WAITED_FOR)
