"""Whether a new version helped, all the way: from the log to the incident's timeline, its thread, and the way back."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor import actions
from monitor.clocks import SetClock
from monitor.core.errors import UnavailableError, UserError
from monitor.core.incident import Reason, State
from monitor.core.proof import Outcome
from monitor.core.retrain import Action, RetrainState
from monitor.cycle import Cycle
from tests.versions.housed import BY_COLUMN, REFERENCE_DAYS, rows_of, write_reference_of
from tests.worlds import START, day_of

DAY = timedelta(days=1)
BACK = "    rollback: {ROLLBACK}\n    checks: auto\n"
COMMAND = "trigger: {command: {argv: [python3, -c, pass]}}"
LABELLED = BY_COLUMN.replace(
    "    checks: auto\n",
    "    prediction: predicted\n    labels: {table: outcomes, id: id, label: churned, time: known_at}\n    checks: auto\n",
)


def with_back(config, options=COMMAND):
    return config.replace("    checks: auto\n", BACK.replace("ROLLBACK", options))


def proof_of(house, version="8"):
    return [entry.proof for entry in house.versions if entry.version == version][-1]


def events(house, incident, event):
    return [found.detail for found in house.timeline(incident) if found.event == event]


# --- drift --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def helped(tmp_path_factory):
    """A house whose version 8 was trained on what had come since the log drifted."""
    from tests.versions.housed import House

    folder = tmp_path_factory.mktemp("helped")
    write_reference_of(folder, "8", 8.0)
    one = House(folder, days=15)
    one.until(15)
    yield one
    one.close()


def test_a_version_that_helped_ends_the_incident_after_calm_windows_against_its_own_reference(helped):
    incident = helped.incident("age")
    assert incident.state is State.RESOLVED
    assert incident.resolved_reason == "calm again against the new reference"
    (ended,) = events(helped, incident, "resolved")
    assert ended == "3 calm windows in a row, the last one until 2026-01-18T00:00:00Z"


def test_that_it_helped_is_in_the_timeline_with_both_effects_and_their_intervals(helped):
    (words,) = events(helped, helped.incident("age"), "proof")
    assert words.startswith("Version 8 serves since 2026-01-15 00:00 UTC. Against its own reference: age (location) ")
    assert words.count(" sd [") == 2
    assert words.endswith("The drift is over.")
    assert proof_of(helped).drift.outcome is Outcome.BETTER


def test_that_it_helped_is_told_in_the_thread_of_the_incident(helped):
    notices = helped.deliver()
    (notice,) = [n for n in notices if n.reason is Reason.PROOF]
    assert (notice.incident.id, notice.version) == (helped.incident("age").id, "8")
    assert "The drift is over" in notice.detail


def test_without_labels_there_is_no_performance_to_compare(helped):
    proof = proof_of(helped)
    assert (proof.former, proof.performance.outcome, proof.settled) == ("7", Outcome.NONE, True)


def test_the_first_version_has_nothing_to_prove(helped):
    assert proof_of(helped, "7") is None


def test_what_was_proven_is_said_once(helped):
    assert len(events(helped, helped.incident("age"), "proof")) == 1
    assert [i.fault for i in helped.incidents] == ["population_shift"]


def trained_on_the_past(house, seed):
    rows = rows_of(START - REFERENCE_DAYS * DAY, REFERENCE_DAYS, seed)
    pq.write_table(pa.table(rows), house.folder / "reference-8.parquet")


@pytest.mark.parametrize("seed", [1, 9], ids=["the very same rows", "other rows"])
def test_a_version_trained_on_the_past_did_not_help_and_that_is_said(house, seed):
    one = house(days=15)
    trained_on_the_past(one, seed)
    one.until(15)
    incident = one.incident("age")
    assert incident.state is State.FIRING
    (words,) = events(one, incident, "proof")
    assert words.endswith("The drift is still there: it did not help.")
    assert proof_of(one).drift.outcome is Outcome.SAME
    assert len([i for i in one.incidents if "age" in i.columns]) == 1


def test_a_version_without_a_reference_of_its_own_has_proven_nothing_of_drift(house):
    one = house(days=13)
    one.until(13)
    assert proof_of(one).drift.outcome is Outcome.NONE
    assert events(one, one.incident("age"), "proof") == []


def test_once_it_has_one_it_has_to_prove_it(house):
    one = house(days=16)
    one.until(12)
    write_reference_of(one.folder, "8", 8.0)
    one.until(16)
    proof = proof_of(one)
    assert (proof.former, proof.drift.outcome) == ("7", Outcome.BETTER)


def test_a_version_under_which_the_drift_has_grown_is_worse_and_that_is_told_loudly(house):
    one = house(config=with_back(BY_COLUMN), days=13)
    write_reference_of(one.folder, "8", -12.0)
    one.until(13)
    worse = one.incident("worse_version")
    assert (worse.state, str(worse.severity), worse.diagnosis) == (
        State.FIRING, "critical", "version 8 is worse than version 7",
    )  # fmt: skip
    assert "larger than before" in worse.summary
    (told,) = [notice for notice in one.deliver() if notice.incident.id == worse.id]
    assert (told.reason, "rollback" in told.actions) == (Reason.FIRST, True)


def test_what_a_new_reference_alone_shows_is_no_drift_that_the_version_was_to_end(house):
    one = house(days=14)
    rows = rows_of(START - REFERENCE_DAYS * DAY, REFERENCE_DAYS, 1)
    rows["age"] = [age + 8.0 for age in rows["age"]]
    rows["amount"] = [amount + 30.0 for amount in rows["amount"]]
    pq.write_table(pa.table(rows), one.folder / "reference-8.parquet")
    one.until(14)
    proof = proof_of(one)
    assert {sign.column for sign in proof.signs} == {"age"}
    assert proof.drift.outcome is Outcome.BETTER
    assert one.incident("amount").state is State.FIRING


def test_a_version_that_comes_back_finds_its_old_drift_again(house):
    """Nothing is over because another version served for a while."""
    one = house(days=20, versions=((0, "7"), (8, "8"), (14, "7")))
    write_reference_of(one.folder, "8", 8.0)
    one.until(20)
    about = [incident for incident in one.incidents if "age" in incident.columns]
    assert [incident.state for incident in about] == [State.RESOLVED, State.FIRING]


def test_what_cannot_be_told_from_so_few_rows_is_given_up_in_the_end(house):
    config = BY_COLUMN.replace("    checks: auto\n", "    versions: {proof: 3d}\n    checks: auto\n")
    one = house(config=config, days=18)
    write_reference_of(one.folder, "8", 8.0)
    with closing(sqlite3.connect(one.folder / "logs.db")) as connection, connection:
        connection.execute(f"DELETE FROM predictions WHERE ts >= '{START + 10 * DAY:%Y-%m-%d}' AND id % 60 > 0")
    for day in range(10, 19):
        one.until(day)
    proof = proof_of(one)
    assert proof.drift.outcome is Outcome.UNCLEAR
    (words,) = events(one, one.incident("age"), "proof")
    assert "cannot be told from so few rows" in words


# --- performance ----------------------------------------------------------------------------------------------------


def predicting(**right):
    """Predictions that are right as often as each version is; the labels are even and odd ids."""

    def change(rows):
        rng = np.random.default_rng(11)
        known = [right[f"v{version}"] for version in rows["model_version"]]
        rows["predicted"] = [
            i % 2 if rng.random() < share else 1 - i % 2 for i, share in zip(rows["id"], known, strict=True)
        ]

    return change


def label(house, delay="+1 day"):
    with closing(sqlite3.connect(house.folder / "logs.db")) as connection, connection:
        rows = connection.execute(f"SELECT id, datetime(ts, '{delay}') FROM predictions").fetchall()
        connection.execute("CREATE TABLE outcomes (id, churned, known_at)")
        connection.executemany("INSERT INTO outcomes VALUES (?, ?, ?)", [(i, i % 2, at) for i, at in rows])


def served(house, config=LABELLED, *, delay="+1 day", days=18, versions=((0, "7"), (10, "8")), drift=0.0, **right):
    one = house(config=config, days=days, versions=versions, change=predicting(**right), drift=drift)
    write_reference_of(one.folder, "8", 0.05)
    label(one, delay)
    return one


def daily(house, first, last):
    for day in range(first, last + 1):
        house.until(day)


def test_a_version_that_predicts_better_is_told_with_intervals(house):
    one = served(house, v7=0.7, v8=0.9)
    daily(one, 1, 15)
    proof = proof_of(one)
    assert proof.performance.outcome is Outcome.BETTER
    words = proof.performance.words
    assert words.startswith("accuracy 0.")
    assert words.count("[") == 3
    assert "with version 8" in words
    assert "with version 7 before (difference +0." in words
    assert words.endswith("It is better.")
    assert one.incidents == []


def test_no_difference_is_said_once_labels_tell_it(house):
    one = served(house, v7=0.8, v8=0.8)
    daily(one, 1, 18)
    assert proof_of(one).performance.outcome is Outcome.SAME
    assert one.incidents == []


@pytest.fixture
def worse(house):
    """A house whose version 8 predicts worse than version 7, with a way back."""
    one = served(house, with_back(LABELLED), v7=0.9, v8=0.6, days=20, versions=((0, "7"), (10, "8"), (15, "7")))
    daily(one, 1, 14)
    return one


def test_a_version_that_predicts_worse_opens_an_incident_that_says_by_how_much(worse):
    incident = worse.incident("worse_version")
    assert (incident.state, str(incident.kind), str(incident.severity)) == (State.FIRING, "performance", "critical")
    assert incident.summary.startswith("Version 8 serves since 2026-01-15 00:00 UTC. accuracy 0.")
    assert incident.summary.endswith("It is worse.")


def test_the_way_back_is_proposed_and_waits_for_a_person(worse):
    (proposal,) = worse.requests
    request = proposal.request
    assert (proposal.state, request.action, request.target, request.version) == (
        RetrainState.PROPOSED, Action.ROLLBACK, "7", "8",
    )  # fmt: skip
    assert events(worse, worse.incident("worse_version"), "rollback proposed") == [
        "`monitor rollback churn` goes back to version 7"
    ]
    worse.deliver()
    assert worse.requests[0].state is RetrainState.PROPOSED


def test_a_worse_version_is_no_reason_to_retrain(worse):
    assert [request.request.action for request in worse.requests] == [Action.ROLLBACK]


def test_a_person_takes_the_way_back(worse):
    incident = worse.incident("worse_version")
    with worse.store.write() as connection:
        actions.roll_back(connection, worse.watch, "anna", "", worse.clock.now(), incident=incident)
    worse.deliver()
    (taken,) = worse.requests
    assert (taken.state, taken.request.requested_by) == (RetrainState.SUCCEEDED, "anna")
    (requested,) = [event for event in worse.timeline(incident) if event.event == "rollback requested"]
    assert requested.actor == "anna"


def test_once_the_version_has_gone_back_the_incident_ends(worse):
    with worse.store.write() as connection:
        actions.roll_back(connection, worse.watch, "anna", "", worse.clock.now())
    worse.deliver()
    daily(worse, 15, 17)
    incident = worse.incident("worse_version")
    assert (incident.state, incident.resolved_reason) == (State.RESOLVED, "version 7 serves now")
    assert [(entry.version, day_of(entry.since)) for entry in worse.versions] == [("7", 0), ("8", 10), ("7", 15)]


def test_a_proposal_that_nobody_took_goes_with_its_incident(worse):
    daily(worse, 15, 17)
    assert [request.state for request in worse.requests] == [RetrainState.WITHDRAWN]


def test_the_version_that_came_back_is_compared_with_the_worse_one(worse):
    daily(worse, 15, 20)
    proof = worse.versions[-1].proof
    assert (proof.version, proof.former, proof.performance.outcome) == ("7", "8", Outcome.BETTER)


def test_two_ways_back_at_once_are_not_asked_for(worse):
    with worse.store.write() as connection:
        actions.roll_back(connection, worse.watch, "anna", "", worse.clock.now())
    with worse.store.write() as connection, pytest.raises(UserError, match="is under way"):
        actions.roll_back(connection, worse.watch, "ben", "", worse.clock.now())


def test_without_a_trigger_the_timeline_says_that_none_leads_back(house):
    one = served(house, v7=0.9, v8=0.6)
    daily(one, 1, 14)
    (words,) = events(one, one.incident("worse_version"), "no rollback")
    assert words == "version 7 served before; models.churn.rollback has no trigger that leads back"
    assert one.requests == []


def test_in_mode_off_it_is_only_told(house):
    one = served(
        house, with_back(LABELLED, f"mode: off, {COMMAND}").replace("mode: off", "mode: 'off'"), v7=0.9, v8=0.6
    )
    daily(one, 1, 14)
    incident = one.incident("worse_version")
    assert incident.state is State.FIRING
    assert one.requests == []
    assert events(one, incident, "rollback proposed") == []


def test_too_few_labels_are_given_up_when_the_time_of_the_proof_is_over(house):
    config = LABELLED.replace("    prediction", "    versions: {proof: 4d}\n    prediction")
    one = served(house, config, delay="+30 days", v7=0.9, v8=0.6)
    daily(one, 1, 18)
    proof = proof_of(one)
    assert proof.performance.outcome is Outcome.UNCLEAR
    assert "Too few predictions have a label by now" in proof.performance.words
    assert one.incidents == []


def test_labels_that_come_late_still_say_it(house):
    one = served(house, delay="+5 days", v7=0.9, v8=0.6)
    daily(one, 1, 14)
    assert proof_of(one).performance.outcome is Outcome.WAITING
    daily(one, 15, 18)
    assert proof_of(one).performance.outcome is Outcome.WORSE


def test_labels_that_are_away_stop_no_window(house, monkeypatch):
    one = served(house, v7=0.9, v8=0.6)
    monkeypatch.setattr("monitor.labelled.labelled", _away)
    assert {result.outcome for result in one.until(14)} == {"done"}
    assert proof_of(one).performance.outcome is Outcome.WAITING


def _away(*_):
    raise UnavailableError("the database of the labels cannot be reached")


def test_what_is_known_of_one_version_is_not_said_of_the_next(house):
    """Read all at once: when version 9 begins, the labels of version 8 are there already."""
    one = served(house, v7=0.9, v8=0.6, v9=0.9, versions=((0, "7"), (10, "8"), (11, "9")))
    write_reference_of(one.folder, "9", 0.06)
    one.until(18)
    eight, nine = proof_of(one, "8"), proof_of(one, "9")
    assert "with version 8" not in nine.performance.words.partition(" before")[0].partition(",")[0]
    assert "version 9 before" not in eight.performance.words
    assert nine.former == "8"
    assert nine.performance.outcome is Outcome.BETTER


def test_a_version_that_served_one_window_is_compared_by_that_window_alone(house):
    one = served(house, v7=0.9, v8=0.6, v9=0.9, versions=((0, "7"), (10, "8"), (12, "9")))
    write_reference_of(one.folder, "9", 0.06)
    one.until(18)
    words = proof_of(one, "8").performance.words
    assert "with version 8" in words
    assert "(600 rows)" in words  # of days 10 and 11, whatever has come since


# --- two at once ------------------------------------------------------------------------------------------------------


def test_two_replicas_write_each_version_and_each_proof_once(house):
    one = house(days=15)
    write_reference_of(one.folder, "8", 8.0)
    other = Cycle(one.store, SetClock(START), owner="other")
    for day in range(1, 16):
        one.clock.set(START + day * DAY + timedelta(hours=1))
        other.clock.set(START + day * DAY + timedelta(hours=1))
        for cycle in (one.cycle, other) if day % 2 else (other, one.cycle):
            cycle.catch_up(one.watch)
    assert [entry.version for entry in one.versions] == ["7", "8"]
    assert len(events(one, one.incident("age"), "proof")) == 1
    assert len(one.runs) == 15
