"""Retraining: rather never than twice, and never on broken data."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.finding import IncidentKind, Severity
from monitor.core.incident import Incident, State
from monitor.core.labels import Fresh
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


def test_what_nobody_follows_is_under_way_for_the_cooldown_alone():
    taken = replace(past(RetrainState.ACCEPTED, 5), followed=False)
    assert refusal(POLICY, [taken], [], NOW) is None
    assert "cooldown" in refusal(POLICY, [replace(taken, requested_at=NOW)], [], NOW).reason
    assert "under way" in refusal(POLICY, [replace(taken, state=RetrainState.UNKNOWN)], [], NOW).reason


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


LABELLED = replace(POLICY, least_labelled=1000)
SINCE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("kind", [IncidentKind.QUALITY, IncidentKind.OPERATIONS])
@pytest.mark.parametrize("fault", ["freshness", "row_count", "blind", "type_change"])
def test_missing_and_late_data_count_as_broken(kind, fault):
    late = replace(DRIFT, id="churn-3", kind=kind, fault=fault, pipeline=None)
    assert "churn-3" in refusal(POLICY, [], [DRIFT, late], NOW).reason


def test_broken_data_that_are_still_pending_do_not_refuse():
    assert refusal(POLICY, [], [replace(BROKEN, state=State.PENDING)], NOW) is None


def test_too_few_labels_refuse_with_both_numbers():
    why = refusal(LABELLED, [], [DRIFT], NOW, Fresh(SINCE, 412))
    assert why.reason == "412 of the predictions since 2026-03-01 have a label, 1,000 are needed"


def test_enough_labels_do_not_refuse():
    assert refusal(LABELLED, [], [DRIFT], NOW, Fresh(SINCE, 1000)) is None


def test_without_a_minimum_labels_are_nobody_s_business():
    assert refusal(POLICY, [], [DRIFT], NOW, Fresh(SINCE, 0)) is None


@pytest.mark.parametrize("labelled", [None, Fresh(SINCE, None, "the database is away")])
def test_labels_that_could_not_be_counted_stop_mode_auto(labelled):
    why = refusal(replace(LABELLED, mode=Mode.AUTO), [], [DRIFT], NOW, labelled)
    assert "could not be counted" in why.reason


def test_labels_that_could_not_be_counted_stop_an_approval():
    why = refusal(LABELLED, [], [DRIFT], NOW, Fresh(SINCE, None, "the database is away"), by_hand=True)
    assert why.reason == "the labels could not be counted (the database is away); 1,000 are needed"


def test_labels_that_could_not_be_counted_leave_a_proposal_to_a_person():
    assert refusal(LABELLED, [], [DRIFT], NOW, Fresh(SINCE, None, "away")) is None


def test_broken_data_are_said_before_labels_are():
    assert "broken data" in refusal(LABELLED, [], [BROKEN], NOW, Fresh(SINCE, 0)).reason


def test_what_the_request_says_of_labels_action_and_target():
    request = RetrainRequest("k", "churn", "drift", NOW, "anna", labelled_rows=412, target="6")
    told = request.as_json()
    assert (told["labelled_rows"], told["action"], told["target"]) == (412, "retrain", "6")
