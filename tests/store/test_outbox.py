"""The outbox: written with what made it true, delivered at least once, never lost."""

from datetime import UTC, datetime, timedelta

from monitor.store import letters, outbox, overview
from monitor.store.tables import outbox as table

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def put(store, key, receiver="team", incident="i1", kind="notice"):
    with store.write() as connection:
        return outbox.put(
            connection,
            key=key,
            kind=kind,
            model="churn",
            receiver=receiver,
            incident_id=incident,
            payload="{}",
            now=NOW,
        )


def claim(store, now=NOW, owner="a"):
    with store.write() as connection:
        return outbox.claim(connection, owner, now)


def settle(store, act, letter, *args, **kwargs):
    with store.write() as connection:
        return act(connection, letter, *args, **kwargs)


def test_a_key_is_written_once(store):
    assert put(store, "k1")
    assert not put(store, "k1")


def test_letters_of_one_incident_and_receiver_keep_their_order(store):
    put(store, "k1")
    put(store, "k2")
    first = claim(store)
    assert first.key == "k1"
    assert claim(store) is None
    settle(store, outbox.delivered, first, {}, "", NOW)
    assert claim(store).key == "k2"


def test_other_receivers_do_not_wait(store):
    put(store, "k1")
    put(store, "k2", receiver="other")
    assert {claim(store).key, claim(store).key} == {"k1", "k2"}


def test_a_deferred_letter_waits_for_its_time(store):
    put(store, "k1")
    letter = claim(store)
    settle(store, outbox.deferred, letter, "busy", NOW + timedelta(minutes=1), uncertain=False)
    assert claim(store) is None
    again = claim(store, NOW + timedelta(minutes=2))
    assert (again.attempts, again.uncertain) == (2, False)


def test_a_letter_whose_sender_died_is_uncertain(store):
    put(store, "k1")
    claim(store)
    with store.write() as connection:
        connection.execute(table.update().values(lease_until=0.0))
    again = claim(store, owner="b")
    assert (again.uncertain, again.epoch) == (True, 2)


def test_a_stale_sender_settles_nothing(store):
    put(store, "k1")
    stale = claim(store)
    with store.write() as connection:
        connection.execute(table.update().values(lease_until=0.0))
    fresh = claim(store, owner="b")
    assert not settle(store, outbox.dead, stale, "stale", NOW)
    assert settle(store, outbox.delivered, fresh, {"ts": "1"}, "", NOW)


def test_uncertainty_is_not_forgotten(store):
    put(store, "k1")
    letter = claim(store)
    settle(store, outbox.deferred, letter, "dropped", NOW, uncertain=True)
    again = claim(store)
    settle(store, outbox.deferred, again, "429", NOW, uncertain=False)
    assert claim(store).uncertain


def test_the_latest_answer_of_a_receiver_is_found_again(store):
    put(store, "k1")
    settle(store, outbox.delivered, claim(store), {"ts": "1"}, "", NOW)
    put(store, "k2")
    settle(store, outbox.delivered, claim(store), {"ts": "2"}, "", NOW)
    with store.read() as connection:
        assert outbox.latest_reference(connection, "i1", "team") == {"ts": "2"}
        assert outbox.latest_reference(connection, "i1", "nobody") == {}


def test_dead_letters_do_not_count_as_told(store):
    put(store, "k1")
    settle(store, outbox.dead, claim(store), "no such channel", NOW)
    with store.read() as connection:
        assert outbox.told(connection, "i1") == {}
        assert outbox.counts(connection) == {"dead": 1}
        assert outbox.listing(connection, kind="notice")[0]["error"] == "no such channel"


def test_who_is_told_by_the_fallback_counts_as_told(store):
    put(store, "k1")
    settle(store, outbox.dead, claim(store), "no such channel", NOW)
    put(store, outbox.passed_on("k1"), receiver="spare")
    with store.read() as connection:
        assert outbox.told(connection, "i1") == {"team": NOW, "spare": NOW}
    settle(store, outbox.dead, claim(store), "neither", NOW)
    with store.read() as connection:
        assert outbox.told(connection, "i1") == {}


def test_what_waits_is_tried_again_once_its_receiver_takes_something_but_for_what_it_asked_to_hold(store):
    for key, held in (("k1", False), ("k2", True)):
        put(store, key, incident=key)
        settle(store, outbox.deferred, claim(store), "away", NOW + timedelta(hours=1), uncertain=False, held=held)
    put(store, "k3", receiver="other", incident="k3")
    settle(store, outbox.deferred, claim(store), "away", NOW + timedelta(hours=1), uncertain=False)
    with store.write() as connection:
        outbox.wake(connection, "team", NOW)
    assert claim(store).key == "k1"
    assert claim(store) is None


def test_a_letter_that_is_put_off_holds_back_the_later_ones_of_its_incident(store):
    put(store, "k1")
    settle(store, outbox.deferred, claim(store), "away", NOW + timedelta(hours=1), uncertain=False)
    put(store, "k2")
    assert claim(store) is None
    assert claim(store, NOW + timedelta(hours=1)).key == "k1"


def test_dead_letters_are_found_put_back_and_let_be(store):
    for key in ("k1", "k2"):
        put(store, key, incident=key)
        settle(store, outbox.dead, claim(store), "no such channel", NOW)
    with store.write() as connection:
        assert overview.letters(connection, NOW).dead_lately == 2
        first, second = letters.entries(connection)
        assert letters.revive(connection, first, NOW)
        assert not letters.revive(connection, first, NOW)
        assert letters.drop(connection, second)
        assert not letters.drop(connection, second)
        assert overview.letters(connection, NOW).dead_lately == 0
        assert [entry.state for entry in letters.entries(connection, ended=True)] == ["pending", "dropped"]
    assert claim(store).attempts == 1


def test_a_letter_is_out_of_date_when_a_later_one_has_arrived(store):
    put(store, "k1")
    settle(store, outbox.dead, claim(store), "no such channel", NOW)
    with store.read() as connection:
        assert not letters.superseded(connection, letters.find(connection, "k1"))
    put(store, "k2")
    settle(store, outbox.delivered, claim(store), {}, "", NOW)
    with store.read() as connection:
        assert letters.superseded(connection, letters.find(connection, "k1"))
