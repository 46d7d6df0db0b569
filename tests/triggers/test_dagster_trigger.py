"""The Dagster trigger against a stand-in that may lose, refuse and repeat; real servers are below tests/orchestrators."""

import json

import pytest
from orchestrator_outcomes import BEFORE, STARTING, UNCLEAR
from pydantic import ValidationError
from retrain_factory import asked

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from monitor.testing import FakeWebhook
from monitor.testing.webhook import Answer
from monitor.triggers.dagster import Dagster
from tests.waiting import patience

TOKEN = "a-token-of-dagster-plus"


def data(**found):
    return Answer(200, body=json.dumps({"data": found}))


def runs(*found):
    results = [{"runId": name, "status": status} for name, status in found]
    return data(found={"__typename": "Runs", "results": results})


def jobs(*places):
    nodes = [
        {"name": repository, "location": {"name": location}, "jobs": [{"name": name}]}
        for location, repository, name in places or [("train.py", "__repository__", "train")]
    ]
    return data(found={"__typename": "RepositoryConnection", "nodes": nodes})


def launched(kind="LaunchRunSuccess", **more):
    found = {"run": {"runId": "r-1", "status": "QUEUED"}} if kind == "LaunchRunSuccess" else more
    return data(found={"__typename": kind, **found})


def daemons(**healthy):
    found = [{"daemonType": name, "required": True, "healthy": value} for name, value in healthy.items()]
    return data(found={"daemonHealth": {"allDaemonStatuses": found}})


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def dagster(receiver, **options):
    return Dagster(url=receiver.url, **{"job": "train", "token": TOKEN, "timeout": "20s", **options})


def test_the_run_is_asked_for_with_the_whole_request_in_its_tags(receiver):
    receiver.plan([runs(), jobs(), launched()])
    fired = dagster(receiver).fire(asked())
    assert {request.path for request in receiver.requests} == {"/graphql"}
    look, _, start = (request.json for request in receiver.requests)
    assert look["variables"] == {"key": asked().key}
    params = start["variables"]["params"]
    assert params["selector"] == {
        "repositoryLocationName": "train.py",
        "repositoryName": "__repository__",
        "jobName": "train",
    }
    tags = {tag["key"]: tag["value"] for tag in params["executionMetadata"]["tags"]}
    assert json.loads(tags.pop("leeway/request")) == asked().as_json()
    assert tags == {
        "leeway/key": "churn-1a2b3c4d-1",
        "leeway/model": "churn",
        "leeway/version": "7",
        "leeway/incident": "churn-1a2b3c4d",
        "leeway/window_start": "2026-03-01T00:00:00Z",
        "leeway/window_end": "2026-03-02T00:00:00Z",
        "leeway/reference": "4f1c2ab09de7",
        "leeway/labels_available": "false",
    }
    assert receiver.requests[2].headers["dagster-cloud-api-token"] == TOKEN
    assert (fired.state, fired.run, fired.url) == (RetrainState.ACCEPTED, "r-1", f"{receiver.url}/runs/r-1")


def test_a_run_of_the_key_is_the_answer_and_nothing_is_launched(receiver):
    receiver.plan([runs(("later", "QUEUED"), ("first", "STARTED"))])
    fired = dagster(receiver).fire(asked())
    assert (fired.state, fired.run) == (RetrainState.RUNNING, "first")
    assert len(receiver.requests) == 1


@pytest.mark.parametrize(("answer", "state", "again"), STARTING)
def test_the_outcome_of_launching_is_known_or_looked_up_when_it_must_have_ended(receiver, answer, state, again):
    receiver.plan([runs(), jobs(), answer])
    fired = dagster(receiver, **patience(answer)).fire(asked())
    assert fired.state is state
    odd = answer.body == "[]"  # an answer of another shape is no cut
    assert fired.retry_after == (300.0 if state is RetrainState.UNKNOWN and not odd else again)


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(("answer", "state", "again"), BEFORE)
def test_what_fails_before_a_run_is_launched_is_never_unknown(receiver, answer, state, again, place):
    receiver.plan([*[runs()][:place], answer])
    fired = dagster(receiver).fire(asked())
    assert (fired.state, fired.retry_after) == (state, again)
    assert len(receiver.requests) == place + 1


@pytest.mark.parametrize("kind", [
    "RunConfigValidationInvalid",
    "PipelineNotFoundError",
    "InvalidSubsetError",
    "UnauthorizedError",
])  # fmt: skip
def test_an_answer_whose_type_is_a_mistake_is_refused(receiver, kind):
    said = {"errors": [{"message": "no such thing"}]} if kind.endswith("Invalid") else {"message": "no such thing"}
    receiver.plan([runs(), jobs(), launched(kind, **said)])
    fired = dagster(receiver).fire(asked())
    assert (fired.state, fired.retry_after) == (RetrainState.REFUSED, None)
    assert f"{kind}: no such thing; " in fired.note


@pytest.mark.parametrize("answer", [
    launched("PythonError", message="the code server is away"),
    launched("RunConflict", message="there is such a run"),
    launched("NewInSomeReleaseError", message="x"),
    Answer(200, body='{"data": {"found": null}, "errors": [{"message": "x"}]}'),
])  # fmt: skip
def test_an_answer_whose_type_may_hide_a_run_is_looked_up(receiver, answer):
    receiver.plan([runs(), jobs(), answer])
    fired = dagster(receiver).fire(asked())
    assert (fired.state, fired.retry_after) == (RetrainState.UNKNOWN, 300.0)


@pytest.mark.parametrize("answer", [
    *UNCLEAR,
    Answer(404),
    data(),
    data(found={"__typename": "PythonError", "message": "the database is away"}),
    Answer(200, body='{"errors": [{"message": "Cannot query field"}]}'),
])  # fmt: skip
def test_a_lookup_that_brings_nothing_leaves_it_unknown(receiver, answer):
    receiver.plan([answer])
    found = dagster(receiver).find(asked())
    assert (found.state, found.retry_after is None) == (RetrainState.UNKNOWN, False)


def test_a_key_without_a_run_was_never_there(receiver):
    receiver.plan([runs()])
    assert dagster(receiver).find(asked()) is None


@pytest.mark.parametrize(("status", "state"), [
    ("QUEUED", RetrainState.ACCEPTED),
    ("NOT_STARTED", RetrainState.ACCEPTED),
    ("STARTING", RetrainState.ACCEPTED),
    ("STARTED", RetrainState.RUNNING),
    ("CANCELING", RetrainState.RUNNING),
    ("SUCCESS", RetrainState.SUCCEEDED),
    ("FAILURE", RetrainState.FAILED),
    ("CANCELED", RetrainState.FAILED),
    ("NEW_IN_SOME_RELEASE", RetrainState.UNKNOWN),
])  # fmt: skip
def test_the_lookup_says_how_far_the_run_is(receiver, status, state):
    receiver.plan([runs(("r-1", status))])
    found = dagster(receiver).find(asked())
    assert found.state is state
    assert (found.retry_after is None) == (state in (RetrainState.SUCCEEDED, RetrainState.FAILED))


def test_a_run_config_is_filled_with_values_and_texts(receiver):
    receiver.plan([runs(), jobs(), launched()])
    template = {"ops": {"fit": {"config": {"features": "{columns}", "rows": ["until {window_end}"], "epochs": 5}}}}
    dagster(receiver, run_config=template).fire(asked())
    sent = receiver.requests[2].json["variables"]["params"]["runConfigData"]
    expected = {"features": ["amount", "age"], "rows": ["until 2026-03-02T00:00:00Z"], "epochs": 5}
    assert sent == {"ops": {"fit": {"config": expected}}}


@pytest.mark.parametrize(("columns", "reason"), [
    (tuple(f"column-{number}-" + "x" * 300 for number in range(2000)), "wide"),
    (("amount",), "long " * 1000),
    (tuple("ü" * 60 for _ in range(100)), "not ASCII"),
])  # fmt: skip
def test_no_tag_is_longer_than_postgresql_can_index(receiver, columns, reason):
    receiver.plan([runs(), jobs(), launched()])
    dagster(receiver).fire(asked(columns=columns, reason=reason, link="https://leeway.example/" + "y" * 1000))
    tags = receiver.requests[2].json["variables"]["params"]["executionMetadata"]["tags"]
    assert max(len(tag["value"].encode()) for tag in tags) <= 2000
    told = json.loads(next(tag["value"] for tag in tags if tag["key"] == "leeway/request"))
    assert len(told["columns"]) + told.get("omitted", {"columns": 0})["columns"] == len(columns)


@pytest.mark.parametrize(("places", "options", "words"), [
    ([("a", "r", "other")], {}, "no code location that is loaded has a job train"),
    ([("a", "r", "train"), ("b", "r", "train")], {}, "several have a job train: r@a, r@b; set location"),
    ([("a", "r", "train")], {"location": "b"}, "no code location that is loaded has a job train"),
])  # fmt: skip
def test_a_job_that_is_not_one_is_refused_with_what_to_do(receiver, places, options, words):
    receiver.plan([runs(), jobs(*places)])
    fired = dagster(receiver, **options).fire(asked())
    assert fired.state is RetrainState.REFUSED
    assert words in fired.note


@pytest.mark.parametrize("options", [{"location": "b"}, {"repository": "s"}])
def test_one_of_several_jobs_is_chosen_by_location_or_repository(receiver, options):
    receiver.plan([runs(), jobs(("a", "r", "train"), ("b", "s", "train")), launched()])
    assert dagster(receiver, **options).fire(asked()).state is RetrainState.ACCEPTED
    selector = receiver.requests[2].json["variables"]["params"]["selector"]
    assert (selector["repositoryLocationName"], selector["repositoryName"]) == ("b", "s")


def test_a_place_that_does_not_exist_is_a_mistake_in_the_configuration():
    with pytest.raises(ValidationError, match="modle"):
        Dagster(url="http://dagster:3000", job="train", run_config={"ops": {"fit": "{modle}"}})


def test_a_dry_run_sends_nothing_and_says_what_it_would_send(receiver):
    fired = dagster(receiver).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert asked().key in fired.note
    assert TOKEN not in fired.note
    assert receiver.requests == []


@pytest.mark.parametrize("answer", [Answer(401, body=f"what is {TOKEN}?"), Answer(500), Answer(dropped=True)])
def test_no_answer_shows_a_secret(receiver, answer):
    receiver.plan([runs(), jobs(), answer])
    trigger = dagster(receiver)
    assert TOKEN not in repr(trigger.fire(asked())) + repr(trigger)


@pytest.mark.parametrize(("answer", "warns"), [
    (daemons(QUEUED_RUN_COORDINATOR=True, SENSOR=False), False),
    (daemons(QUEUED_RUN_COORDINATOR=False), True),
    (daemons(SENSOR=True), False),
])  # fmt: skip
def test_the_probe_warns_where_nothing_takes_runs_from_the_queue(receiver, answer, warns):
    receiver.plan([jobs(), answer])
    assert ("but no Dagster daemon runs" in dagster(receiver).probe()) is warns


@pytest.mark.parametrize(("answer", "kind"), [
    (Answer(401), UserError),
    (Answer(404), UserError),
    (Answer(200, body="<html>"), UserError),
    (Answer(200, body='{"odd": 1}'), UserError),
    (Answer(503), UnavailableError),
    (Answer(dropped=True), UnavailableError),
])  # fmt: skip
def test_the_probe_tells_a_mistake_from_a_server_that_is_away(receiver, answer, kind):
    receiver.plan([answer])
    with pytest.raises(kind, match="Dagster at http"):
        dagster(receiver).probe()
