"""`monitor status` of the monitor itself: who watches, what is wrong, and when the alert path was last proven."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from monitor.store import heartbeats, outbox, owners
from monitor.store.canaries import FAILED, PROVEN
from monitor.store.schema import open_store
from monitor.store.tables import canaries
from monitor.store.tables import heartbeats as beats
from tests.worlds import CONFIG, world

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path):
    world(tmp_path, 1, None, CONFIG)
    opened = open_store(f"sqlite:///{tmp_path}/monitor.db")
    yield opened
    opened.close()


def beat(store, owner=None, ago=0.0, since=HOUR, **body):
    owner = owner or owners.me()
    with store.write() as connection:
        heartbeats.beat(connection, owner, "1.0", datetime.now(UTC) - since, {"models": 1, **body})
        connection.execute(beats.update().where(beats.c.owner == owner).values(beat=beats.c.beat - ago))


def prove(store, outcome, ago):
    values = {"at": datetime.now(UTC) - ago, "owner": "x", "model": "churn", "outcome": outcome}
    with store.write() as connection:
        connection.execute(canaries.insert().values(**values, seconds=1.0, detail="lost in the outbox"))


def status(run):
    code, out, _ = run("status", "--json")
    assert code == 0
    return json.loads(out)


def test_a_store_without_a_daemon_says_how_to_start_one(run, store):
    assert "no daemon has run on this store; `monitor run` starts one" in run("status")[1]
    told = status(run)
    assert (told["processes"], told["problems"], told["canary"]) == ([], [], None)


def test_processes_that_watch_are_counted(run, store):
    beat(store, ago=4)
    beat(store, owner="elsewhere/1/2:9:5", ago=30)
    assert "watched by 2 processes; last beat 4 s ago" in run("status")[1]
    assert [process["alive"] for process in status(run)["processes"]] == [True, True]


@pytest.mark.parametrize(("body", "why"), [({}, "it did not say why"), ({"stopped": True}, "it was stopped")])
def test_a_daemon_that_is_gone_is_named_with_where_and_when(run, store, body, why):
    beat(store, owner="elsewhere/1/2:9:5", ago=7200, **body)
    assert f"no daemon is running; the last was seen 2 h ago on elsewhere ({why})" in run("status")[1]


def test_what_a_process_says_of_itself_is_told(run, store):
    problem = {"name": "tick_hangs", "words": "the tick began 5 min ago and has not ended"}
    beat(store, owner="elsewhere/1/2:9:5", problems=[problem, {"name": "of another release"}, 7])
    told = status(run)["problems"]
    assert [(item["name"], item["words"]) for item in told] == [
        ("tick_hangs", "elsewhere: the tick began 5 min ago and has not ended")
    ]
    assert "see whether the store answers" in run("status")[1]


def test_what_a_process_that_is_gone_said_of_itself_is_not_told(run, store):
    beat(store, owner="elsewhere/1/2:9:5", ago=100, problems=[{"name": "tick_hangs", "words": "x"}])
    assert status(run)["problems"] == []


def test_a_proof_of_the_alert_path_is_told_with_its_age(run, store):
    beat(store)
    prove(store, PROVEN, 2 * HOUR)
    assert "last beat 0 s ago; alert path proven 2 h ago" in run("status")[1]
    assert status(run)["canary"]["outcome"] == "proven"


def test_a_proof_that_failed_is_a_problem(run, store):
    beat(store)
    prove(store, FAILED, HOUR)
    (problem,) = status(run)["problems"]
    assert (problem["name"], problem["red"]) == ("canary_failed", True)
    assert "lost in the outbox" in problem["words"]


def test_a_message_that_waits_for_long_is_a_problem_even_while_nobody_watches(run, store):
    long_ago = datetime.now(UTC) - 3 * HOUR
    with store.write() as connection:
        outbox.put(
            connection,
            key="k",
            kind="notice",
            model="churn",
            receiver="log",
            incident_id=None,
            payload="{}",
            now=long_ago,
        )
    (problem,) = status(run)["problems"]
    assert problem["words"] == "1 message not delivered, the oldest 3 h old"
    assert "outbox_old" in run("status")[1]
