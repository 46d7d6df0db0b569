"""Leases: renewed while somebody works, taken over when nobody does any more."""

import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from monitor.core.window import Window
from monitor.store import claims, outbox, owners
from monitor.store.leases import LEASE_SECONDS, RENEWAL_SECONDS, Leases
from monitor.store.tables import outbox as outbox_table
from monitor.store.tables import runs as runs_table

NOW = datetime(2026, 1, 2, 1, tzinfo=UTC)
WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
NAME_ME = "from monitor.store import owners; print(owners.me())"

linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to tell who lives")


@pytest.fixture(scope="module")
def dead():
    """The name of a process that has ended."""
    return subprocess.run([sys.executable, "-c", NAME_ME], capture_output=True, text=True, check=True).stdout.strip()


def claim(store, owner, fingerprint="f1"):
    with store.write() as connection:
        return claims.claim(connection, "churn", WINDOW, fingerprint, owner, NOW)


def put(store):
    with store.write() as connection:
        outbox.put(
            connection, key="k", kind="notice", model="churn", receiver="team", incident_id="i", payload="{}", now=NOW
        )


def claim_letter(store, owner, **kwargs):
    with store.write() as connection:
        return outbox.claim(connection, owner, NOW, **kwargs)


def test_this_process_is_not_gone():
    assert not owners.gone(owners.me())


@linux
def test_a_process_that_has_ended_is_gone(dead):
    assert owners.gone(dead)


@linux
def test_a_process_that_began_at_another_time_under_the_same_number_is_gone():
    place, pid, _ = owners.me().split(":")
    assert owners.gone(f"{place}:{pid}:1")


@linux
def test_a_process_that_has_ended_but_was_not_waited_for_is_gone():
    child = subprocess.Popen([sys.executable, "-c", NAME_ME], stdout=subprocess.PIPE, text=True)
    name = child.stdout.read().strip()
    deadline = time.monotonic() + 10
    while not owners.gone(name) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert owners.gone(name)
    child.wait()
    child.stdout.close()


@pytest.mark.parametrize("owner", [None, "", "a", "cli:ada", f"{socket.gethostname()}:1", "elsewhere/1/2:999999:5"])
def test_of_an_unknown_or_distant_owner_nothing_is_certain(owner):
    assert not owners.gone(owner)


@linux
def test_the_window_of_a_dead_process_is_taken_over_at_once(store, dead):
    first = claim(store, dead)
    second = claim(store, owners.me())
    assert (second.run_id, second.epoch) == (first.run_id, 2)


def test_a_process_takes_up_its_own_window_again_when_the_store_took_no_result(store):
    first = claim(store, "a")
    assert claim(store, "a").epoch == first.epoch + 1


def test_the_window_of_another_machine_waits_for_its_lease(store):
    claim(store, "elsewhere/1/2:999999:5")
    assert claim(store, owners.me()) is None


@linux
def test_the_letter_of_a_dead_process_is_taken_over_at_once_as_uncertain(store, dead):
    put(store)
    claim_letter(store, dead)
    again = claim_letter(store, owners.me())
    assert (again.epoch, again.uncertain) == (2, True)


def test_a_receiver_to_be_skipped_gets_nothing(store):
    put(store)
    assert claim_letter(store, "a", skip={"team"}) is None
    assert claim_letter(store, "a").key == "k"


def test_there_is_something_to_claim_while_a_letter_waits_or_is_being_sent(store):
    def anything(now=NOW):
        with store.read() as connection:
            return outbox.anything(connection, now)

    assert not anything()
    put(store)
    assert anything()
    assert not anything(NOW - timedelta(hours=1))
    letter = claim_letter(store, "a")
    assert anything()
    with store.write() as connection:
        outbox.delivered(connection, letter, {}, "", NOW)
    assert not anything()


@pytest.mark.parametrize("table", [runs_table, outbox_table], ids=["runs", "outbox"])
def test_a_lease_is_renewed_while_it_is_held_and_no_longer(store, table):
    held = claim(store, "a").run_id
    put(store)
    claim_letter(store, "a")

    def lapse():
        with store.write() as connection:
            connection.execute(table.update().values(lease_until=1.0))

    def lease():
        with store.read() as connection:
            return connection.execute(sa.select(table.c.lease_until)).scalar()

    leases = Leases()
    with leases.holding(table, held, 1):
        lapse()
        leases.renew(store)
        assert abs(lease() - time.time() - LEASE_SECONDS) < 10
    lapse()
    leases.renew(store)
    assert lease() == 1.0


def test_a_lease_that_was_taken_over_is_not_renewed(store):
    first = claim(store, "a")
    with store.write() as connection:
        connection.execute(runs_table.update().values(lease_until=1.0))
    claim(store, "b")
    leases = Leases()
    with leases.holding(runs_table, first.run_id, first.epoch):
        with store.write() as connection:
            connection.execute(runs_table.update().values(lease_until=1.0))
        leases.renew(store)
    with store.read() as connection:
        assert connection.execute(sa.select(runs_table.c.lease_until)).scalar() == 1.0


def test_a_renewal_may_be_missed():
    assert RENEWAL_SECONDS * 3 < LEASE_SECONDS


def test_under_two_configurations_a_window_is_evaluated_once(store):
    held = claim(store, "a", "f1")
    assert claim(store, "b", "f2") is None
    with store.write() as connection:
        claims.finish(connection, held, state="done", now=NOW)
    assert claim(store, "b", "f2") is None


def test_under_a_new_configuration_a_failed_window_is_tried_at_once(store):
    held = claim(store, "a", "f1")
    with store.write() as connection:
        claims.finish(connection, held, state="failed", now=NOW)
    assert claim(store, "a", "f1") is None
    assert claim(store, "a", "f2").attempts == 1
