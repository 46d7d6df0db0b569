"""Outages: whatever goes away, freezes or is full, it is waited for, and everything is done once it is back."""

import os
import signal
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from shutil import copy

import psycopg
import pytest

from monitor.store.schema import open_store
from monitor.testing.slack import Fault as Failing
from tests.faults.deployment import DAYS
from tests.faults.history import Fault, violations
from tests.faults.outages import Proxy, fill, postgres_of_its_own, small_disk, stop_at_once
from tests.waiting import until

LONG = os.environ.get("LEEWAY_FAULTS") == "all"
STORES = ("sqlite", "postgresql")
FROZEN = ["window.claimed", "window.read", "window.written", "letter.claimed", "letter.sent", "letter.settled",
          "revision.claimed", "revision.written"]  # fmt: skip
FREEZES = [(place, kind) for place in FROZEN for kind in STORES]
if not LONG:
    FREEZES = [("window.written", "postgresql"), ("letter.claimed", "sqlite")]
pytestmark = pytest.mark.faults
long_alone = pytest.mark.skipif(not LONG, reason="part of `make faults`")


def check(town):
    """End the processes and look at what came of it."""
    town.end()
    history = town.history()
    assert violations(history) == [], town.words()
    assert (len(history.incidents), len(history.ledger)) == (2, 1), town.words()  # the story took place
    return history


@pytest.mark.parametrize(("place", "kind"), FREEZES)
def test_who_is_frozen_for_longer_than_its_lease_changes_nothing_afterwards(deploy, place, kind):
    late = place.startswith("revision.")
    town = deploy(kind, late=late)
    # On machines of their own, neither can see whether the other's process still runs.
    frozen = town.start(f"{place}:1:stop", lease=1.5, renewal=0.4, busy=1, host="one")
    if late:
        until(lambda: town.done() == DAYS)
        town.rows_arrive()
    until(lambda: frozen.stopped)
    # At a letter's place the only thread that sends stands still there; elsewhere it may be in the middle of a send.
    town.mark_dead(frozen, stale=not place.startswith("letter."))
    # On a busy machine so short a lease may run out in the hands of the living, too.
    town.mark_dead(town.start(lease=1.5, renewal=0.4, busy=1, host="two"))
    if kind == "postgresql":
        until(lambda: (not late or town.revised()) and town.settled(), what="being taken over")
    else:
        time.sleep(4)  # another of its threads may hold SQLite's lock, and then nobody can write
    frozen.send(signal.SIGCONT)
    until(lambda: (not late or town.revised()) and town.settled())
    time.sleep(1.5)  # the stale owner goes on meanwhile
    check(town)


def test_a_server_that_crashes_and_comes_back_loses_nothing(deploy, built_world, tmp_path):
    with tempfile.TemporaryDirectory(prefix="pg-") as folder, postgres_of_its_own(Path(folder) / "data") as server:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE watch")
        url = server.get_uri(database="watch", driver="psycopg")
        store = open_store(url)
        config = built_world.config(url, built_world.folder / "logs.db", tmp_path, "  log: stdout\n")
        built_world.prepare(store, config)
        store.close()
        town = deploy("postgresql", url)
        for host in ("one", "two"):
            town.mark_dead(town.start(host=host, lease=2, renewal=0.5))
        for progress in (1, 3):
            until(lambda progress=progress: town.done() >= progress)
            stop_at_once(server)
            time.sleep(1)
            server.ensure_postgres_running()
        until(town.settled)
        check(town)


@pytest.mark.parametrize("cut", ["after", "before"] if LONG else ["after"])
def test_connections_that_are_cut_at_a_commit_leave_nothing_undone_and_nothing_twice(deploy, store_url, cut):
    url = store_url("postgresql")
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        target = f"{connection.info.host}/.s.PGSQL.{connection.info.port}"
        name = connection.info.dbname
    with Proxy(target) as proxy:
        # Every seventh commit, so that all kinds of transactions are hit.
        proxy.cuts = ([""] * 6 + [cut]) * 20
        town = deploy("postgresql", url, way=f"postgresql+psycopg://postgres@127.0.0.1:{proxy.port}/{name}")
        for host in ("one", "two"):
            process = town.start(host=host, lease=1.5, renewal=0.4)
            town.mark_dead(process)
        town.faults += [Fault("ambiguous", "hook")] * 20
        until(town.settled)
        assert proxy.done >= 5
        check(town)


SLACK = {
    "a storm of 429": [Failing("chat.postMessage", "limited", 1, times=6), Failing("chat.update", "limited", 1, times=2)],
    "connections dropped after storing": [
        Failing("chat.postMessage", "drop_after", times=6), Failing("chat.update", "drop_after", times=3),
    ],
    "nothing but errors for a long time": [
        Failing("chat.postMessage", "html", times=12), Failing("chat.update", "drop_before", times=12),
    ],
}  # fmt: skip


@pytest.mark.parametrize("trouble", SLACK if LONG else ["connections dropped after storing"])
def test_slack_in_trouble_gets_every_notice_once_when_it_is_well(deploy, trouble):
    town = deploy("sqlite")
    town.slack.plan(*SLACK[trouble])
    town.start()
    town.start()
    until(town.settled)
    history = check(town)
    notices = [letter for letter in history.letters if letter["receiver"] == "slack"]
    assert max(letter["attempts"] for letter in notices) > 1


@pytest.mark.parametrize(
    "place", ["window.claimed", "window.judged", "window.written", "letter.sent", "letter.settled"]
)
@long_alone
def test_an_error_of_the_disk_at_any_place_is_got_over(deploy, place):
    town = deploy("sqlite")
    process = town.start(f"{place}:1:raise", lease=1.5, renewal=0.4)
    town.mark_dead(process)
    until(town.settled)
    check(town)


@long_alone
def test_a_store_on_a_full_disk_goes_on_when_there_is_room_again(deploy, built_world, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, 3) as allowed:
        if not allowed:
            pytest.skip("no disk can be mounted here")
        copy(built_world.folder / "monitor.db", disk / "monitor.db")
        town = deploy("sqlite", f"sqlite:///{disk}/monitor.db")
        with closing(sqlite3.connect(disk / "monitor.db")) as other:
            other.execute("SELECT count(*) FROM runs").fetchone()  # the files beside the store are there from now on
            fill(disk / "ballast")
            process = town.start()
            until(lambda: any("full" in entry.get("reason", "") for entry in process.said("work.failed")))
            (disk / "ballast").unlink()
        until(town.settled)
        check(town)


@long_alone
def test_a_store_that_another_program_has_locked_is_waited_for(deploy, tmp_path):
    town = deploy("sqlite")
    with closing(sqlite3.connect(tmp_path / "monitor.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        process = town.start(busy=0.3)
        until(lambda: any("locked" in entry.get("reason", "") for entry in process.said("work.failed")))
        other.execute("ROLLBACK")
    until(town.settled)
    check(town)


@long_alone
def test_a_store_that_may_not_be_written_is_waited_for(deploy, tmp_path):
    town, flag = deploy("sqlite"), tmp_path / "read-only"
    flag.touch()
    process = town.start(read_only_while=str(flag))
    until(lambda: any("readonly" in entry.get("reason", "") for entry in process.said("work.failed")))
    flag.unlink()
    until(town.settled)
    check(town)
