"""`monitor outbox`: what waits, what is dead, and what a person does about it."""

import json
from datetime import UTC, datetime

import pytest

from monitor.store import letters as letter_rows
from monitor.store import outbox as outbox_rows
from monitor.store.schema import open_store
from monitor.store.tables import outbox as table
from tests.worlds import CONFIG

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    opened = open_store(f"sqlite:///{tmp_path}/monitor.db")
    yield opened
    opened.close()


def put(store, key, **values):
    with store.write() as connection:
        outbox_rows.put(
            connection, key=key, kind="notice", model="churn", receiver="log", incident_id=None, payload="{}", now=NOW
        )
        connection.execute(table.update().where(table.c.key == key).values(**values))


def states(store):
    with store.read() as connection:
        return {letter.key: letter.state for letter in letter_rows.entries(connection, ended=True)}


def test_what_waits_and_what_is_dead_is_listed(store, run):
    put(store, "k1", error="Slack: no answer in time", attempts=3)
    put(store, "k2", state="dead", error="Slack: is_archived")
    put(store, "k3", state="delivered", delivered_at=NOW)
    code, out, _ = run("outbox")
    assert code == 0
    assert "no answer in time" in out
    assert "is_archived" in out
    assert "k3" not in out
    assert "k3" in run("outbox", "--all")[1]


def test_programs_get_every_field(store, run):
    put(store, "k1", error="busy", attempts=3)
    put(store, "k2", state="dead", error="no")
    first, second = json.loads(run("outbox", "--json")[1])["letters"]
    assert first == {
        "key": "k1",
        "kind": "notice",
        "state": "pending",
        "model": "churn",
        "receiver": "log",
        "incident": None,
        "attempts": 3,
        "created_at": "2026-01-02T00:00:00Z",
        "next_attempt_at": "2026-01-02T00:00:00Z",
        "delivered_at": None,
        "error": "busy",
    }
    assert (second["state"], second["next_attempt_at"]) == ("dead", None)


def test_an_empty_outbox_is_said_so(store, run):
    assert run("outbox")[1] == "nothing waits, and nothing is dead\n"
    assert run("outbox", "--all")[1] == "nothing has been written yet\n"


def test_a_message_is_put_back_by_the_beginning_of_its_key(store, run):
    put(store, "k1", state="dead")
    put(store, "other", state="dead")
    code, out, _ = run("outbox", "retry", "k")
    assert (code, out) == (0, "k1 for log: put back; a running daemon delivers it at its next tick\n")
    assert states(store) == {"k1": "pending", "other": "dead"}


def test_all_dead_messages_are_put_back_or_dropped_at_once(store, run):
    for key in ("k1", "k2"):
        put(store, key, state="dead")
    put(store, "waits", state="pending")
    assert run("outbox", "retry", "--dead")[0] == 0
    assert states(store) == {"k1": "pending", "k2": "pending", "waits": "pending"}
    assert run("outbox", "retry", "--dead")[1] == "no message is dead\n"


def test_a_message_is_dropped(store, run):
    put(store, "k1", state="dead")
    assert run("outbox", "drop", "k1")[1] == "k1 for log: dropped\n"
    assert states(store) == {"k1": "dropped"}
    assert run("outbox")[1] == "nothing waits, and nothing is dead\n"


@pytest.mark.parametrize("words", [("retry",), ("drop",), ("retry", "k1", "--dead")])
def test_it_must_be_clear_which_message_is_meant(store, run, words):
    code, _, err = run("outbox", *words)
    assert code == 2
    assert "name one message by KEY, or all dead ones by --dead" in err


def test_a_message_that_is_not_dead_is_left_alone_with_a_reason(store, run):
    put(store, "k1", state="delivered")
    code, _, err = run("outbox", "drop", "k1")
    assert code == 2
    assert "k1 is delivered; only dead letters are put back or dropped" in err


def test_the_configuration_may_be_named_before_the_subcommand(store, run, tmp_path):
    put(store, "k1", state="dead")
    (tmp_path / "config.yaml").rename(tmp_path / "other.yaml")
    assert run("outbox", "-c", "other.yaml", "drop", "k1")[0] == 0
