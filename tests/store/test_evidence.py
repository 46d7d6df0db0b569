"""Evidence in the store: what each run held, who it belongs to, and what the replay of a reference said."""

from datetime import UTC, datetime, timedelta

import pytest

from checks.budget import Audit
from monitor.core.alarms import UNDECIDED, Decided
from monitor.core.window import Window
from monitor.store import claims, evidence
from monitor.store.evidence import Kept
from monitor.store.tables import runs as table

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 1, tzinfo=UTC)
BODY = bytes(range(256)) + b"\x00\xff not text"


def window(number):
    return Window(START + number * DAY, START + (number + 1) * DAY)


def run(store, number, body, key="k", model="churn", state="done", decided=UNDECIDED):
    """Evaluate a window and keep its evidence; gives the run's id."""
    with store.write() as connection:
        held = claims.claim(connection, model, window(number), "f1", "a", NOW)
        claims.finish(connection, held, state=state, now=NOW)
        evidence.keep(connection, held.run_id, Kept(key, decided, body))
    return held.run_id


def before(store, number, key="k", model="churn"):
    with store.read() as connection:
        return evidence.before(connection, model, key, window(number).start)


def test_evidence_comes_back_byte_by_byte(store):
    run(store, 0, BODY)
    found = before(store, 1)
    assert (type(found), found) == (bytes, BODY)


def test_before_the_first_run_there_is_none(store):
    assert before(store, 0) is None


def test_a_window_goes_on_from_the_newest_run_before_it(store):
    for number in (2, 0, 1):
        run(store, number, b"%d" % number)
    assert [before(store, number) for number in (1, 2, 3, 9)] == [b"0", b"1", b"2", b"2"]


def test_a_window_never_goes_on_from_itself_or_a_later_one(store):
    run(store, 5, b"5")
    assert before(store, 5) is None


def test_evidence_of_another_reference_or_of_other_checks_is_none(store):
    run(store, 0, b"old", key="before")
    assert before(store, 1, key="after") is None


def test_after_going_back_to_a_reference_its_evidence_is_taken_up_again(store):
    run(store, 0, b"first", key="one")
    run(store, 1, b"second", key="two")
    assert before(store, 2, key="one") == b"first"


def test_models_keep_their_evidence_apart(store):
    run(store, 0, b"churn")
    run(store, 0, b"fraud", model="fraud")
    assert (before(store, 1), before(store, 1, model="fraud")) == (b"churn", b"fraud")
    assert before(store, 1, model="other") is None


def test_a_run_that_failed_leaves_nothing_to_go_on_from(store):
    run(store, 0, b"good")
    run(store, 1, b"bad", state="failed")
    assert before(store, 2) == b"good"


def test_a_window_that_is_evaluated_again_has_its_evidence_replaced(store):
    held = run(store, 0, b"once")
    with store.write() as connection:
        evidence.keep(connection, held, Kept("k", UNDECIDED, b"twice"))
    assert before(store, 1) == b"twice"


def test_what_people_had_decided_is_kept_with_a_run(store):
    decided = Decided(accepted=frozenset({("age", "location")}), closed=frozenset({("plan", "unseen_category")}))
    held = run(store, 0, BODY, decided=decided)
    with store.read() as connection:
        assert evidence.after(connection, held) == Kept("k", decided, BODY)


def test_a_run_without_evidence_has_none(store):
    with store.read() as connection:
        assert evidence.after(connection, 99) is None


def test_evidence_goes_with_its_run(store):
    held = run(store, 0, BODY)
    with store.write() as connection:
        connection.execute(table.delete().where(table.c.id == held))
    with store.read() as connection:
        assert evidence.after(connection, held) is None


def test_a_transaction_that_fails_keeps_no_evidence(store):
    held = run(store, 0, b"first")
    with pytest.raises(RuntimeError), store.write() as connection:
        evidence.keep(connection, held, Kept("k", UNDECIDED, b"second"))
        raise RuntimeError
    assert before(store, 1) == b"first"


# The replay of a reference


def audit(store, key="k"):
    with store.read() as connection:
        return evidence.audit_of(connection, key)


def keep_audit(store, found, key="k"):
    with store.write() as connection:
        evidence.keep_audit(connection, key, "churn", found, NOW)


@pytest.mark.parametrize(
    "found",
    [Audit(0.1 + 0.2, 1 / 3, 720), Audit(30.0, None, 0), Audit(1e-3, 0.0, 720, ("age", "größe, “cm”"))],
    ids=["replayed", "nothing to replay", "unfit"],
)
def test_what_a_replay_said_comes_back_as_it_was(store, found):
    keep_audit(store, found)
    assert audit(store) == found


def test_a_replay_that_was_not_made_is_none(store):
    keep_audit(store, Audit(1.0, None, 0))
    assert audit(store, "other") is None


def test_a_replay_made_again_takes_the_place_of_the_first(store):
    keep_audit(store, Audit(1.0, None, 0))
    keep_audit(store, Audit(2.0, 0.5, 720))
    assert audit(store) == Audit(2.0, 0.5, 720)
