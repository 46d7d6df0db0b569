"""What must be true of notices: every step that people must hear of is written, and arrives, once."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.faults.history import History, Row

TOLD = {
    "fired": "first notification",
    "columns": "new columns in the incident",
    "severity": "severity raised",
    "worse": "the change has grown",
    "resolved": "resolved",
    "acknowledged": "a person acted",
    "expected": "a person acted",
    "silenced": "a person acted",
    "retrain": "retraining",
    "rollback": "rolling back",
    "revised": "late rows revised a window",
}
# What is told even to receivers that have not been told of the incident before.
OPENING = frozenset({"fired", "columns", "severity", "worse"})


def every_step_has_its_notice(history: History) -> Iterator[str]:
    """Each receiver has a notice of every step, unless the timeline says that it was not told, or it knew of nothing."""
    written = Counter(_step_of(letter) for letter in _notices(history))
    owed: Counter[tuple[str, str, str, Any]] = Counter()
    for receiver in history.receivers:
        told: set[str] = set()
        for event in history.events:
            incident, name = event["incident_id"], event["event"]
            if name not in TOLD or _muted(history, event, receiver):
                continue
            if name not in OPENING and incident not in told:
                continue
            told.add(incident)
            owed[receiver, incident, TOLD[name], event["at"]] += 1
    for (receiver, incident, reason, at), count in owed.items():
        if written[receiver, incident, reason, at] < count:
            yield f"{incident}: no notice to {receiver} of {reason!r} at {at}"
    for (receiver, incident, reason, at), count in written.items():
        if reason != "repeat interval elapsed" and count > owed[receiver, incident, reason, at]:
            yield f"{incident}: a notice to {receiver} of {reason!r} at {at}, which its timeline does not have"


def every_letter_ends(history: History) -> Iterator[str]:
    """In the end nothing waits, and nothing is given up unless the receiver refused it."""
    refusing = {fault.whom for fault in history.injected("refused")}
    for letter in history.letters:
        if letter["state"] in ("pending", "sending"):
            yield f"letter {letter['key']} to {letter['receiver']}: still {letter['state']} in the end"
        if letter["state"] == "dead" and letter["receiver"] not in refusing:
            yield f"letter {letter['key']} to {letter['receiver']}: given up: {letter['error']}"


def what_is_delivered_has_arrived(history: History) -> Iterator[str]:
    """A letter that the store calls delivered is at its receiver, and the receiver has nothing that was not written."""
    arrived = {(receipt.receiver, receipt.key) for receipt in history.received}
    written = {(letter["receiver"], letter["key"]) for letter in history.letters}
    for letter in _notices(history):
        if letter["state"] == "delivered" and (letter["receiver"], letter["key"]) not in arrived:
            yield f"letter {letter['key']} to {letter['receiver']}: delivered by the store's word, and never arrived"
    for receiver, key in sorted(arrived - written):
        yield f"letter {key}: arrived at {receiver}, and was never written"


def nothing_arrives_twice(history: History) -> Iterator[str]:
    """A receiver that can be asked has everything once; another may have a letter again for each send left in doubt."""
    doubts = Counter(fault.whom for fault in history.injected("ambiguous"))
    stale = Counter(fault.whom for fault in history.injected("stale"))
    for (receiver, key, how), times in Counter(
        (receipt.receiver, receipt.key, receipt.how) for receipt in history.received if receipt.how != "edit"
    ).items():
        allowed = 1 + (stale if receiver in history.reconciled else doubts)[receiver]
        if times > allowed:
            yield f"letter {key}: {times} times at {receiver} ({how}), {allowed} allowed"


def in_the_order_of_the_incident(history: History) -> Iterator[str]:
    """A receiver hears of an incident in the order in which it went."""
    first: dict[tuple[str, str], int] = {}
    for place, receipt in enumerate(history.received):
        first.setdefault((receipt.receiver, receipt.key), place)
    letters: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for letter in _notices(history):
        if (letter["receiver"], letter["key"]) in first:
            letters[letter["receiver"], letter["incident_id"]].append(letter)
    for (receiver, incident), own in letters.items():
        places = [first[receiver, letter["key"]] for letter in own]
        if places != sorted(places):
            yield f"{incident}: {receiver} heard of it in another order than it went"


RULES = (
    every_step_has_its_notice,
    every_letter_ends,
    what_is_delivered_has_arrived,
    nothing_arrives_twice,
    in_the_order_of_the_incident,
)


def _notices(history: History) -> list[Row]:
    return [
        letter for letter in history.letters if letter["kind"] == "notice" and letter["receiver"] in history.receivers
    ]


def _step_of(letter: Row) -> tuple[str, str, str, Any]:
    return letter["receiver"], letter["incident_id"], letter["reason"], letter["created_at"]


def _muted(history: History, step: Row, receiver: str) -> bool:
    """Whether the timeline says of a step that the receiver was not told."""
    return any(
        event["event"] == "muted"
        and event["incident_id"] == step["incident_id"]
        and event["at"] == step["at"]
        and event["detail"].startswith(f"{receiver} was not told")
        for event in history.events
    )
