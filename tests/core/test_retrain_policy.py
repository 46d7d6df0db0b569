"""Retraining: rather never than twice, and never on broken data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.finding import IncidentKind, Severity
from monitor.core.incident import Incident, State
from monitor.core.retrain import RetrainRequest, RetrainState
from monitor.core.retrain_policy import Mode, Past, Policy, refusal, retrain_key, wanted
from monitor.core.window import Window

NOW = datetime(2026, 1, 10, tzinfo=UTC)
POLICY = Policy(Mode.ASK, timedelta(days=1), 3)
DRIFT = Incident(
    "churn-1", "churn", IncidentKind.DRIFT, "population_shift", State.FIRING, Severity.WARNING, ("age",),
    "population shift", "age moved", NOW, NOW, NOW, pipeline=False,
)  # fmt: skip
BROKEN = replace(DRIFT, id="churn-2", kind=IncidentKind.QUALITY, fault="null_flood", diagnosis="null flood")


def past(state, days_ago):
    return Past(f"k{days_ago}", state, NOW - timedelta(days=days_ago))


def test_nothing_in_the_way_means_no_refusal():
    assert refusal(POLICY, [], [DRIFT], NOW) is None


def test_never_while_the_data_are_broken():
    assert "must not learn from broken data" in refusal(POLICY, [], [DRIFT, BROKEN], NOW).reason


def test_a_pipeline_fault_counts_as_broken_data_whatever_its_kind():
    assert "broken data" in refusal(POLICY, [], [replace(DRIFT, pipeline=True)], NOW).reason


def test_broken_data_that_a_person_expects_do_not_refuse():
    assert refusal(POLICY, [], [replace(BROKEN, expected=True)], NOW) is None


@pytest.mark.parametrize("state", ["requested", "accepted", "running", "unknown"])
def test_one_at_a_time(state):
    assert "under way" in refusal(POLICY, [past(RetrainState(state), 5)], [], NOW).reason


def test_the_cooldown_counts_from_the_last_one():
    assert "cooldown" in refusal(POLICY, [past(RetrainState.SUCCEEDED, 0.5)], [], NOW).reason
    assert refusal(POLICY, [past(RetrainState.SUCCEEDED, 2)], [], NOW) is None


def test_a_week_has_a_cap():
    three = [past(RetrainState.FAILED, days) for days in (2, 3, 4)]
    assert "3 retrainings in seven days" in refusal(POLICY, three, [], NOW).reason
    assert refusal(POLICY, [*three[:2], past(RetrainState.FAILED, 8)], [], NOW) is None


def test_proposals_and_refusals_do_not_count():
    earlier = [past(RetrainState.PROPOSED, 0.1), past(RetrainState.REFUSED, 0.1)]
    assert refusal(POLICY, earlier, [], NOW) is None


def test_off_refuses_the_monitor_and_not_a_person():
    off = replace(POLICY, mode=Mode.OFF)
    assert "off" in refusal(off, [], [], NOW).reason
    assert refusal(off, [], [], NOW, by_hand=True) is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"state": State.PENDING}, False),
        ({"kind": IncidentKind.QUALITY}, False),
        ({"pipeline": True}, False),
        ({"pipeline": None}, True),
        ({"expected": True}, False),
        ({"kind": IncidentKind.PERFORMANCE}, True),
    ],
)
def test_only_a_firing_change_of_the_world_is_a_reason(change, expected):
    assert wanted(replace(DRIFT, **change)) is expected


def test_keys_tell_incident_and_attempt():
    assert retrain_key("churn-1", "churn", 2) == "churn-1-2"
    assert retrain_key(None, "churn", 1) == "churn-by-hand-1"


def test_a_request_says_everything_that_a_pipeline_needs():
    window = Window(NOW - timedelta(days=1), NOW)
    request = RetrainRequest("k", "churn", "age moved", NOW, "ada", "7", "churn-1", ("age",), window, "abc", None, True)
    document = request.as_json()
    assert document["window"]["end"] == "2026-01-10T00:00:00Z"
    assert document["columns"] == ["age"]
    assert document["labels_available"] is True
