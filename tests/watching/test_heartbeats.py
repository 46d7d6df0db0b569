"""Heartbeats: who watches, by the store's clock."""

from datetime import UTC, datetime

import sqlalchemy as sa

from monitor.store import heartbeats, owners
from monitor.store.tables import heartbeats as table

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY = {"models": 3, "web": None, "stopped": False}


def beat(store, owner="elsewhere/1/2:9:5", **body):
    with store.write() as connection:
        return heartbeats.beat(connection, owner, "1.0", NOW, {**BODY, **body})


def processes(store):
    with store.read() as connection:
        return heartbeats.processes(connection)


def age(store, seconds, owner="elsewhere/1/2:9:5"):
    with store.write() as connection:
        connection.execute(table.update().where(table.c.owner == owner).values(beat=table.c.beat - seconds))


def test_a_process_has_one_row_however_often_it_beats(store):
    for _ in range(3):
        beat(store)
    (one,) = processes(store)
    assert (one.alive, one.host, one.version, one.started_at, one.body) == (True, "elsewhere", "1.0", NOW, BODY)
    assert one.since_beat < 5


def test_a_beat_tells_the_stores_time(store):
    assert abs(beat(store) - datetime.now(UTC).timestamp()) < 5


def test_who_has_not_beaten_for_as_long_as_a_lease_lasts_is_not_alive(store):
    beat(store)
    age(store, 61)
    assert not processes(store)[0].alive


def test_who_has_stopped_is_not_alive(store):
    beat(store, stopped=True)
    assert not processes(store)[0].alive


def test_a_process_of_this_machine_that_is_gone_is_not_alive(store):
    place, number, _ = owners.me().rsplit(":", 2)
    beat(store, owner=f"{place}:{number}:1")  # the same number, begun at another time
    beat(store, owner=owners.me())
    assert [one.owner for one in heartbeats.alive(processes(store))] == [owners.me()]


def test_rows_of_processes_long_gone_are_removed_by_the_next_beat(store):
    beat(store)
    age(store, 90_000)
    assert len(processes(store)) == 1, "the last one seen stays"
    beat(store, owner="other/1/2:9:5")
    assert [one.host for one in processes(store)] == ["other"]


def test_a_body_that_another_release_wrote_is_read_as_far_as_it_can_be(store):
    beat(store)
    with store.write() as connection:
        connection.execute(sa.update(table).values(body="no JSON"))
    assert processes(store)[0].as_json()["models"] is None
