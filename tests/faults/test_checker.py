"""The checker itself: a history by hand that is right, and for every rule one that is wrong and is found out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.history import Fault, History, Owed, Receipt, Write, violations

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
START = datetime(2026, 1, 5, tzinfo=UTC)
OWED = [Owed("churn", START + n * DAY, START + (n + 1) * DAY) for n in range(3)]
TOLD = START + DAY + MINUTE


def run(number, day, state="done", fingerprint="f1", days=1, reason=""):
    start = START + day * DAY
    return {"id": number, "model": "churn", "window_start": start, "window_end": start + days * DAY,
            "fingerprint": fingerprint, "state": state, "reason": reason}  # fmt: skip


def event(name, minutes=0, incident="i1", detail=""):
    return {"incident_id": incident, "at": TOLD + minutes * MINUTE, "event": name, "detail": detail}


def letter(key, reason, minutes=0, receiver="slack", state="delivered", kind="notice", incident="i1"):
    return {"key": key, "kind": kind, "receiver": receiver, "incident_id": incident, "state": state,
            "reason": reason, "created_at": TOLD + minutes * MINUTE, "error": ""}  # fmt: skip


def write(table, row, states, epochs=(1, 1), owners=("a", "a"), writer="a", transaction="1", operation="UPDATE"):
    return Write(writer, transaction, table, row, operation, *states, *epochs, *owners)


def written_with(table, writer="a", transaction="1"):
    return Write(writer, transaction, table, "1", "INSERT")


FIRST, OVER, RETRAINED = "first notification", "resolved", "retraining"
CLAIM = write("runs", "1", (None, "claimed"), (None, 1), (None, "a"), transaction="0", operation="INSERT")
DONE = write("runs", "1", ("claimed", "done"))
RIGHT = History(
    owed=OWED,
    receivers=("slack", "hook"),
    reconciled=("slack",),
    runs=[run(1, 0), run(2, 1), run(3, 2)],
    found={number: [("age", "null_rate"), (None, "row_count")] for number in (1, 2, 3)},
    digests={1: "x", 2: "y", 3: "z"},
    evidence=[1, 2, 3],
    profiles=[1, 2, 3],
    incidents=[{"id": "i1", "model": "churn", "state": "resolved"}],
    events=[event("pending", -9), event("fired"), event("retrain", 1), event("resolved", 2), event("undeliverable", 3)],
    letters=[
        letter("k1", FIRST), letter("h1", FIRST, receiver="hook"),
        letter("k2", RETRAINED, 1), letter("h2", RETRAINED, 1, "hook"),
        letter("k3", OVER, 2), letter("h3", OVER, 2, "hook"),
        letter("retrain-i1-1", "", kind="retrain", receiver="trigger"),
    ],
    retrains=[{"key": "i1-1", "state": "succeeded"}],
    journal=[CLAIM, DONE, written_with("findings"), written_with("incidents"), written_with("outbox")],
    received=[Receipt("slack", "k1"), Receipt("slack", "k1", "reply"), Receipt("slack", "k2", "edit"),
              Receipt("slack", "k3", "edit"), *(Receipt("hook", f"h{n}", "call") for n in (1, 2, 3))],
    ledger=["i1-1"],
)  # fmt: skip
MORE = RIGHT.letters
TAKEN = write("runs", "1", ("claimed", "claimed"), (1, 2), ("a", "b"), writer="b", transaction="7")

WRONG = {
    "lost, it has neither": replace(RIGHT, runs=RIGHT.runs[:2]),
    "2 results, under the fingerprints f1, f2": replace(
        RIGHT, runs=[*RIGHT.runs, run(4, 0, fingerprint="f2")], found={**RIGHT.found, 4: [("age", "ks")]},
        evidence=[1, 2, 3, 4], profiles=[1, 2, 3, 4],
    ),
    "has a result and is recorded as skipped": replace(
        RIGHT, runs=[*RIGHT.runs, run(9, 0, "skipped", days=2, reason="too old")]
    ),
    "was never owed": replace(RIGHT, owed=OWED[1:]),
    "skipped without a reason": replace(RIGHT, runs=[*RIGHT.runs[1:], run(9, 0, "skipped")]),
    "ended after the later": replace(
        RIGHT, journal=[write("runs", "2", ("claimed", "done")), write("runs", "1", ("claimed", "done"))]
    ),
    "0 rows of evidence": replace(RIGHT, evidence=[1, 2]),
    "2 rows of profile": replace(RIGHT, profiles=[1, 1, 2, 3]),
    "has no findings": replace(RIGHT, found={1: [("a", "b")], 2: [("a", "b")]}),
    "has findings twice": replace(RIGHT, found={**RIGHT.found, 1: [("age", "ks"), ("age", "ks")]}),
    "without being done": replace(RIGHT, found={**RIGHT.found, 8: [("age", "ks")]}),
    "than an undisturbed run finds": replace(RIGHT, undisturbed={OWED[0]: "another"}),
    "columns while pending": replace(RIGHT, events=[RIGHT.events[0], event("columns", -1), *RIGHT.events[1:]]),
    "fired while firing": replace(RIGHT, events=[*RIGHT.events[:2], event("fired"), *RIGHT.events[2:]]),
    "worse while resolved": replace(RIGHT, events=[*RIGHT.events, event("worse", 4)]),
    "acknowledged while resolved": replace(RIGHT, events=[*RIGHT.events, event("acknowledged", 4)]),
    "its timeline ends firing": replace(RIGHT, events=RIGHT.events[:3]),
    "goes back in time": replace(RIGHT, events=[event("pending", 5), *RIGHT.events[1:]]),
    "ran 2 times": replace(RIGHT, ledger=["i1-1", "i1-1"]),
    "nobody had asked for it": replace(RIGHT, ledger=["i1-1", "i1-2"]),
    "0 letters to its trigger": replace(RIGHT, letters=MORE[:-1]),
    "still requested in the end": replace(RIGHT, retrains=[{"key": "i1-1", "state": "requested"}]),
    "succeeded, and never ran": replace(RIGHT, ledger=[]),
    "no notice to hook of 'resolved'": replace(RIGHT, letters=[*MORE[:5], MORE[6]], received=RIGHT.received[:-1]),
    "which its timeline does not have": replace(
        RIGHT, letters=[*MORE, letter("k9", FIRST, 7)], received=[*RIGHT.received, Receipt("slack", "k9")]
    ),
    "still sending in the end": replace(RIGHT, letters=[{**MORE[0], "state": "sending"}, *MORE[1:]]),
    "given up": replace(RIGHT, letters=[{**MORE[0], "state": "dead"}, *MORE[1:]]),
    "and never arrived": replace(RIGHT, received=RIGHT.received[:-1]),
    "and was never written": replace(RIGHT, received=[*RIGHT.received, Receipt("slack", "forged")]),
    "2 times at slack (post), 1 allowed": replace(
        RIGHT, received=[*RIGHT.received, Receipt("slack", "k1")], faults=[Fault("ambiguous", "slack")]
    ),
    "2 times at hook (call), 1 allowed": replace(RIGHT, received=[*RIGHT.received, Receipt("hook", "h1", "call")]),
    "heard of it in another order": replace(RIGHT, received=RIGHT.received[::-1]),
    "the epoch fell from 2 to 1": replace(RIGHT, journal=[write("runs", "1", ("claimed", "failed"), (2, 1))]),
    "claimed without a new epoch": replace(RIGHT, journal=[write("runs", "1", ("failed", "claimed"))]),
    "b wrote done into what a holds": replace(
        RIGHT, journal=[write("runs", "1", ("claimed", "done"), owners=("a", "a"), writer="b")]
    ),
    "was done, and a made it failed": replace(RIGHT, journal=[CLAIM, DONE, write("runs", "1", ("done", "failed"))]),
    "which was alive": replace(RIGHT, journal=[CLAIM, TAKEN]),
    "wrote outbox apart from": replace(RIGHT, journal=[CLAIM, DONE, written_with("outbox", transaction="2")]),
}  # fmt: skip


def test_a_history_that_is_right_has_no_violation():
    assert violations(RIGHT) == []


@pytest.mark.parametrize("words", WRONG)
def test_a_history_that_is_wrong_is_found_out(words):
    found = violations(WRONG[words])
    assert any(words in violation for violation in found), found


def test_a_recorded_skip_stands_for_its_windows():
    skipped = [run(9, 0, "skipped", days=2, reason="too old"), run(3, 2)]
    only = {"found": {3: RIGHT.found[3]}, "evidence": [3], "profiles": [3], "journal": []}
    assert violations(replace(RIGHT, runs=skipped, **only)) == []


def test_a_receiver_that_cannot_be_asked_may_have_a_letter_again_for_each_send_in_doubt():
    again = [*RIGHT.received, Receipt("hook", "h1", "call")]
    assert violations(replace(RIGHT, received=again, faults=[Fault("ambiguous", "hook")])) == []


def test_a_claim_may_be_taken_over_from_the_dead():
    assert violations(replace(RIGHT, journal=[CLAIM, TAKEN], faults=[Fault("dead", "a")])) == []


def test_a_timeline_may_go_back_with_the_clock():
    back = replace(RIGHT, events=[event("pending", 5), *RIGHT.events[1:]], faults=[Fault("clock back")])
    assert violations(back) == []


def test_what_the_timeline_says_was_muted_needs_no_notice():
    muted = [RIGHT.events[0], event("muted", detail="hook was not told: silenced"), event("fired")]
    calm = replace(
        RIGHT, events=[*muted, event("resolved", 2)], letters=[MORE[0], MORE[4], MORE[6]],
        received=[Receipt("slack", "k1"), Receipt("slack", "k3", "edit")],
    )  # fmt: skip
    assert violations(calm) == []


def test_a_person_may_write_without_a_claim():
    acted = replace(
        RIGHT, journal=[CLAIM, DONE, written_with("incidents", "anna", "5")], faults=[Fault("person", "anna")]
    )
    assert violations(acted) == []
