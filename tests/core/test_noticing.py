"""Who is told what, and why, or why not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.finding import IncidentKind, Severity
from monitor.core.incident import Incident, Reason, State, Transition
from monitor.core.noticing import decide

NOW = datetime(2026, 1, 10, tzinfo=UTC)
REPEAT = timedelta(days=7)
FIRING = Incident(
    "churn-1", "churn", IncidentKind.DRIFT, "population_shift", State.FIRING, Severity.WARNING, ("age",),
    "population shift", "age moved", NOW, NOW, NOW,
)  # fmt: skip


def step(event, incident=FIRING, actor="monitor"):
    return Transition(None, incident, event, NOW, actor=actor)


def reason(event, incident=FIRING, told=None, others=()):
    (decision,) = decide(step(event, incident), ["team"], told or {}, others, repeat=REPEAT)
    return decision


@pytest.mark.parametrize(
    ("event", "expected"),
    [("fired", Reason.FIRST), ("columns", Reason.COLUMNS), ("severity", Reason.SEVERITY)],
)
def test_every_notice_has_a_named_reason(event, expected):
    assert reason(event).reason is expected


@pytest.mark.parametrize("event", ["pending", "continues", "calm", "dropped"])
def test_steps_that_nobody_must_know_are_not_told(event):
    decision = reason(event)
    assert decision.reason is None
    assert decision.why_not


def test_the_end_is_told_to_those_who_were_told_of_the_beginning():
    assert reason("resolved", told={"team": NOW}).reason is Reason.RESOLVED
    assert reason("resolved").reason is None


def test_a_firing_incident_is_repeated_when_nobody_looks_at_it():
    assert reason("continues", told={"team": NOW - REPEAT}).reason is Reason.REPEAT
    assert reason("continues", told={"team": NOW - REPEAT / 2}).reason is None


def test_an_acknowledged_incident_is_not_repeated():
    seen = replace(FIRING, acknowledged_by="ada")
    assert reason("continues", seen, told={"team": NOW - REPEAT}).reason is None


def test_silence_holds_notices_back_until_it_ends():
    quiet = replace(FIRING, silenced_until=NOW + timedelta(hours=1))
    over = replace(FIRING, silenced_until=NOW - timedelta(hours=1))
    assert reason("fired", quiet).why_not == "silenced"
    assert reason("fired", over).reason is Reason.FIRST


def test_an_expected_change_alarms_nobody():
    assert "expected" in reason("columns", replace(FIRING, expected=True)).why_not


def test_a_stale_log_mutes_drift_and_says_so():
    stale = replace(FIRING, id="churn-2", fault="freshness", kind=IncidentKind.QUALITY)
    assert "muted by churn-2" in reason("fired", others=[stale, FIRING]).why_not


def test_quality_incidents_are_never_muted_by_others():
    stale = replace(FIRING, id="churn-2", fault="freshness", kind=IncidentKind.QUALITY)
    broken = replace(FIRING, kind=IncidentKind.QUALITY, fault="null_flood")
    assert reason("fired", broken, others=[stale, broken]).reason is Reason.FIRST


def test_every_receiver_gets_its_own_key_and_the_same_step_the_same_key():
    first = decide(step("fired"), ["a", "b"], {}, (), repeat=REPEAT)
    again = decide(step("fired"), ["a", "b"], {}, (), repeat=REPEAT)
    assert len({decision.key for decision in first}) == 2
    assert [d.key for d in first] == [d.key for d in again]


def test_a_person_who_acts_twice_makes_two_steps():
    later = replace(step("silenced", actor="ada"), at=NOW + timedelta(minutes=1))
    one = decide(step("silenced", actor="ada"), ["a"], {"a": NOW}, (), repeat=REPEAT)[0]
    two = decide(later, ["a"], {"a": NOW}, (), repeat=REPEAT)[0]
    assert one.key != two.key
    assert one.reason is Reason.PERSON


@pytest.mark.parametrize("event", ["retrain", "rollback", "proof"])
def test_what_becomes_known_later_in_the_same_state_of_an_incident_is_told_as_well(event):
    first, second = (replace(step(event), detail=detail) for detail in ("churn-1-1 failed", "churn-1-2 succeeded"))
    keys = {decide(each, ["a"], {"a": NOW}, (), repeat=REPEAT)[0].key for each in (first, first, second)}
    assert len(keys) == 2
