"""A store that somebody has written to: what its rows hold is told as damage, and neither run nor believed."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.store.leases import Leases
from monitor.store.schema import open_store
from monitor.watch import watches
from tests.worlds import START, shift, world

AFTER = START + timedelta(days=3, hours=1)


class House:
    """A world of five days, three of which were judged, and what happens after its store was written to."""

    def __init__(self, folder):
        self.folder = folder
        self.config = read(world(folder, 5, shift("age", 40, 0)))
        self.watch = watches(self.config)["churn"]
        self.judge(AFTER)

    def judge(self, now):
        with closing(open_store(self.config.store.get_secret_value())) as store:
            return Cycle(store, SetClock(now)).catch_up(self.watch)

    def deliver(self):
        with closing(open_store(self.config.store.get_secret_value())) as store:
            delivery = Delivery(store, SetClock(AFTER), "me", self.config.notifiers, {"churn": self.watch}, Leases())
            delivery.flush()

    def write(self, statement, *values):
        with closing(sqlite3.connect(self.folder / "monitor.db")) as connection, connection:
            return connection.execute(statement, values).rowcount

    def rows(self, statement):
        with closing(sqlite3.connect(self.folder / "monitor.db")) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


DAMAGE = b"\x80\x04\x95cos\nsystem\n(S'touch pwned'\ntR."  # which a reader of pickles would run


@pytest.mark.parametrize("statement", ["UPDATE evidence SET body = ?", "UPDATE reference_snapshots SET bins = ?"])
def test_a_window_that_rests_on_damaged_rows_fails_in_words_and_people_are_told(house, statement):
    assert house.write(statement, DAMAGE)
    for hour in range(3):
        (result,) = house.judge(AFTER + timedelta(days=1, hours=hour))
        assert result.outcome == "failed"
    assert "damaged" in result.reason
    assert "restore the store from a backup" in result.reason
    assert ("blind",) in house.rows("SELECT fault FROM incidents WHERE state = 'firing'")
    assert not list(house.folder.glob("**/pwned"))


def test_what_was_learnt_is_learnt_anew_where_its_row_is_damaged(house):
    assert house.write("UPDATE learnt SET body = ?", DAMAGE)
    (result,) = house.judge(AFTER + timedelta(days=1))
    assert result.outcome == "done"


@pytest.mark.parametrize(
    ("statement", "value", "command"),
    [
        ("UPDATE profiles SET profile = ?", DAMAGE, ("report", "-o", "r.html")),
        ("UPDATE findings SET body = ?", '{"model": 7}', ("report", "-o", "r.html")),
        ("UPDATE incidents SET body = ?", "{" * 9000, ("incidents",)),
        ("UPDATE incidents SET body = ?", "[]", ("status",)),
        ("UPDATE reference_snapshots SET profile = ?", DAMAGE, ("reference", "show", "churn")),
    ],
)
def test_a_command_that_meets_a_damaged_row_ends_with_a_sentence(house, run, statement, value, command):
    assert house.write(statement, value)
    if command[:2] == ("reference", "show"):
        command = (*command, house.rows("SELECT substr(id, 1, 12) FROM reference_snapshots")[0][0])
    code, _, err = run(*command)
    assert code == 3, err
    assert "a row that is damaged" in err
    assert "Traceback" not in err


def test_a_damaged_letter_holds_up_no_other(house):
    letters = house.rows("SELECT id FROM outbox ORDER BY id")
    assert letters
    house.judge(AFTER + timedelta(days=2))
    house.write("UPDATE outbox SET payload = '{}', kind = 'retrain' WHERE id = ?", letters[0][0])
    house.deliver()
    states = dict(house.rows("SELECT id, state FROM outbox"))
    assert states.pop(letters[0][0]) == "dead"
    assert set(states.values()) <= {"delivered"}


def test_a_finding_of_the_store_that_holds_markup_is_text_in_the_report(house, run):
    ((run_id, place, body), *_) = house.rows(
        "SELECT run_id, place, body FROM findings WHERE verdict = 'breach' ORDER BY run_id DESC"
    )
    finding = {**json.loads(body), "reason": "<script>alert(1)</script>"}
    house.write("UPDATE findings SET body = ? WHERE run_id = ? AND place = ?", json.dumps(finding), run_id, place)
    assert run("report", "-o", "r.html")[0] == 0
    assert "<script>alert" not in (house.folder / "r.html").read_text("utf-8")
