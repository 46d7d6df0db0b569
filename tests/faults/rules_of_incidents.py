"""What must be true of incidents: every timeline is a legal path, and a retraining happens at most once."""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.faults.history import History, Row

# state → event → state; an event that stands nowhere here is a note, which is allowed in every state.
PATH = {
    "new": {"pending": "pending", "fired": "firing"},
    "pending": {"pending": "pending", "fired": "firing", "dropped": "resolved", "resolved": "resolved"},
    "firing": {"columns": "firing", "severity": "firing", "worse": "firing", "resolved": "resolved"},
    "resolved": {},
}
STEPS = frozenset(event for events in PATH.values() for event in events) | {"continues", "calm"}
BY_PEOPLE = frozenset({"acknowledged", "silenced", "expected"})
NOT_ASKED = frozenset({"proposed", "withdrawn"})
UNDER_WAY = frozenset({"requested", "accepted", "running"})


def timelines_are_legal(history: History) -> Iterator[str]:
    """Pending, firing, resolved: no step is left out or repeated, and what is resolved stays so."""
    for incident in history.incidents:
        state = "new"
        for event in _events(history, incident):
            name = event["event"]
            if name in BY_PEOPLE and state not in ("pending", "firing"):
                yield f"{incident['id']}: {name} while {state}"
            if name not in STEPS:
                continue
            if name not in PATH[state]:
                yield f"{incident['id']}: {name} while {state}"
            state = PATH[state].get(name, state)
        if state != incident["state"]:
            yield f"{incident['id']}: its timeline ends {state}, and its row says {incident['state']}"


def times_do_not_decrease(history: History) -> Iterator[str]:
    """A timeline's moments are in order, unless the wall clock itself was set back."""
    if history.injected("clock back"):
        return
    for incident in history.incidents:
        times = [event["at"] for event in _events(history, incident)]
        if times != sorted(times):
            yield f"{incident['id']}: its timeline goes back in time"


def a_retraining_happens_once(history: History) -> Iterator[str]:
    """No key starts two runs, and no run begins that nobody asked for."""
    known = {row["key"]: row for row in history.retrains}
    for key, times in Counter(history.ledger).items():
        if times > 1:
            yield f"retraining {key}: ran {times} times"
        if key not in known or known[key]["state"] in NOT_ASKED:
            yield f"retraining {key}: ran, and nobody had asked for it"


def a_retraining_that_was_asked_for_has_an_end(history: History) -> Iterator[str]:
    """A request has its letter, and in the end an outcome that agrees with what ran."""
    letters = Counter(letter["key"] for letter in history.letters if letter["kind"] == "retrain")
    for row in history.retrains:
        if row["state"] in NOT_ASKED:
            continue
        if (written := letters[f"retrain-{row['key']}"]) != 1:
            yield f"retraining {row['key']}: {written} letters to its trigger"
        if row["state"] in UNDER_WAY:
            yield f"retraining {row['key']}: still {row['state']} in the end"
        if row["state"] == "succeeded" and row["key"] not in history.ledger:
            yield f"retraining {row['key']}: succeeded, and never ran"


RULES = (
    timelines_are_legal,
    times_do_not_decrease,
    a_retraining_happens_once,
    a_retraining_that_was_asked_for_has_an_end,
)


def _events(history: History, incident: Row) -> Sequence[Row]:
    return [event for event in history.events if event["incident_id"] == incident["id"]]
