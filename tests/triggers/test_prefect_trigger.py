"""The Prefect trigger against a stand-in that may lose, refuse and repeat; real servers are below tests/orchestrators."""

import json

import pytest
from orchestrator_outcomes import BEFORE, STARTING, UNCLEAR
from pydantic import ValidationError
from retrain_factory import asked

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from monitor.testing import FakeWebhook
from monitor.testing.webhook import Answer
from monitor.triggers.prefect import Prefect
from tests.waiting import patience

KEY = "pnu_a-key-of-prefect-cloud"


def deployment(**more):
    schema = {"properties": {"leeway": {"type": "object"}}, "required": ["leeway"]}
    found = {
        "id": "d-1",
        "parameter_openapi_schema": schema,
        "parameters": {},
        "status": "READY",
        "work_pool_name": None,
    }
    return Answer(200, body=json.dumps({**found, **more}))


def run(kind="SCHEDULED", name="Scheduled", status=201, **more):
    found = {"id": "r-1", "name": "churn-1a2b3c4d-1", "state_type": kind, "state_name": name, **more}
    return Answer(status, body=json.dumps(found))


def runs(*found):
    return Answer(200, body="[" + ", ".join(each.body for each in found) + "]")


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def prefect(receiver, **options):
    usual = {"deployment": "train/nightly", "api_key": KEY, "timeout": "20s"}
    return Prefect(url=f"{receiver.url}/api", **{**usual, **options})


def test_the_run_is_asked_for_by_key_with_the_whole_request(receiver):
    receiver.plan([deployment(), run()])
    fired = prefect(receiver).fire(asked())
    look, start = receiver.requests
    assert (look.method, look.path) == ("GET", "/api/deployments/name/train/nightly")
    assert (start.method, start.path) == ("POST", "/api/deployments/d-1/create_flow_run")
    assert start.json["idempotency_key"] == start.json["name"] == asked().key
    assert start.json["parameters"] == {"leeway": asked().as_json()} == start.json["context"]
    assert start.headers["authorization"] == f"Bearer {KEY}"
    assert (fired.state, fired.run, fired.retry_after) == (RetrainState.ACCEPTED, "r-1", 60.0)
    assert fired.url == f"{receiver.url}/runs/flow-run/r-1"


@pytest.mark.parametrize(("answer", "state", "again"), STARTING)
def test_the_outcome_of_asking_is_known_or_looked_up(receiver, answer, state, again):
    receiver.plan([deployment(), answer])
    fired = prefect(receiver, **patience(answer)).fire(asked())
    assert (fired.state, fired.retry_after) == (state, again)


@pytest.mark.parametrize(("answer", "state", "again"), BEFORE)
def test_what_fails_before_a_run_is_asked_for_is_never_unknown(receiver, answer, state, again):
    receiver.plan([answer])
    fired = prefect(receiver).fire(asked())
    assert (fired.state, fired.retry_after) == (state, again)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("answer", UNCLEAR)
def test_a_lookup_that_brings_nothing_leaves_it_unknown(receiver, answer):
    receiver.plan([answer])
    found = prefect(receiver).find(asked())
    assert (found.state, found.retry_after is None) == (RetrainState.UNKNOWN, False)


def test_a_run_that_is_there_already_is_the_answer(receiver):
    receiver.plan([deployment(), run("COMPLETED", "Completed", status=200)])
    assert prefect(receiver).fire(asked()).state is RetrainState.SUCCEEDED


@pytest.mark.parametrize(("kind", "state"), [
    ("SCHEDULED", RetrainState.ACCEPTED),
    ("PENDING", RetrainState.ACCEPTED),
    ("RUNNING", RetrainState.RUNNING),
    ("PAUSED", RetrainState.RUNNING),
    ("CANCELLING", RetrainState.RUNNING),
    ("COMPLETED", RetrainState.SUCCEEDED),
    ("FAILED", RetrainState.FAILED),
    ("CRASHED", RetrainState.FAILED),
    ("CANCELLED", RetrainState.FAILED),
    ("NEW_IN_SOME_RELEASE", RetrainState.UNKNOWN),
])  # fmt: skip
def test_the_lookup_says_how_far_the_run_is(receiver, kind, state):
    receiver.plan([runs(run(kind))])
    found = prefect(receiver).find(asked())
    assert found.state is state
    assert (found.retry_after is None) == (state in (RetrainState.SUCCEEDED, RetrainState.FAILED))


def test_the_lookup_asks_for_the_key_within_the_flow(receiver):
    receiver.plan([runs()])
    assert prefect(receiver).find(asked()) is None
    [request] = receiver.requests
    assert request.json["flow_runs"] == {"idempotency_key": {"any_": [asked().key]}}
    assert request.json["flows"] == {"name": {"any_": ["train"]}}


def test_a_failure_is_told_in_the_words_of_the_run(receiver):
    receiver.plan([runs(run("FAILED", "Failed", state={"message": f"no\nrows for {KEY}"}))])
    found = prefect(receiver).find(asked())
    assert found.note == "Prefect at http://127.0.0.1 has it as run churn-1a2b3c4d-1: Failed: no rows for ***"


def test_places_are_filled_at_any_depth(receiver):
    receiver.plan([deployment(), run()])
    template = {
        "a": "{columns}",
        "b": [{"c": "until {window_end} of {model}"}],
        "d": 3,
        "e": "{{ model }}",
        "f": "{link}",
    }
    prefect(receiver, parameters=template).fire(asked())
    assert receiver.requests[1].json["parameters"] == {
        "a": ["amount", "age"],
        "b": [{"c": "until 2026-03-02T00:00:00Z of churn"}],
        "d": 3,
        "e": "{{ model }}",
        "f": None,
    }


def test_a_place_that_does_not_exist_is_a_mistake_in_the_configuration():
    with pytest.raises(ValidationError, match=r"there is no \{modle\} to fill in"):
        Prefect(url="http://prefect/api", deployment="a/b", parameters={"x": [{"y": "{modle}"}]})


@pytest.mark.parametrize("options", [
    {"url": "ftp://prefect/api"},
    {"url": "https://me:password@prefect/api"},
    {"url": "https://prefect/api?token=x"},
    {"deployment": "train"},
    {"api_key": "x", "auth_string": "a:b"},
    {"parameters": {"rate": float("nan")}},
])  # fmt: skip
def test_options_that_cannot_work_are_a_mistake_in_the_configuration(options):
    with pytest.raises(ValidationError):
        Prefect(**{"url": "http://prefect/api", "deployment": "a/b", **options})


@pytest.mark.parametrize(("url", "page"), [
    ("http://prefect:4200/api/", "http://prefect:4200/runs/flow-run/r-1"),
    ("https://api.prefect.cloud/api/accounts/a-1/workspaces/w-1", "https://app.prefect.cloud/account/a-1/workspace/w-1/runs/flow-run/r-1"),
])  # fmt: skip
def test_links_lead_to_the_pages_of_the_server_or_of_prefect_cloud(url, page):
    trigger = Prefect(url=url, deployment="a/b")
    assert trigger._told(json.loads(run().body)).url == page


def test_thousands_of_columns_are_cut_and_counted(receiver):
    receiver.plan([deployment(), run()])
    prefect(receiver).fire(asked(columns=tuple(f"column-{number}-" + "x" * 300 for number in range(2000))))
    sent = receiver.requests[1]
    assert len(sent.body) <= 20_000
    told = sent.json["context"]["leeway"]
    assert len(told["columns"]) + told["omitted"]["columns"] == 2000


def test_a_dry_run_sends_nothing_and_says_what_it_would_send(receiver):
    fired = prefect(receiver).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert asked().key in fired.note
    assert KEY not in fired.note
    assert receiver.requests == []


@pytest.mark.parametrize("answer", [Answer(400, body=f"what is {KEY}?"), Answer(500), Answer(dropped=True)])
def test_no_answer_shows_a_secret(receiver, answer):
    receiver.plan([deployment(), answer])
    trigger = prefect(receiver, headers={"X-Proxy": "a-proxy-secret"})
    shown = repr(trigger.fire(asked())) + repr(trigger) + repr(trigger._api)
    assert receiver.requests[0].headers["x-proxy"] == "a-proxy-secret"
    assert KEY not in shown
    assert "a-proxy-secret" not in shown


@pytest.mark.parametrize(("answers", "words"), [
    ([deployment(status="NOT_READY")], "nothing serves it"),
    ([deployment(work_pool_name="gpus"), Answer(200, body='{"is_paused": true, "status": "PAUSED"}')], "gpus is paused"),
    ([deployment(work_pool_name="gpus"), Answer(200, body='{"is_paused": false, "status": "NOT_READY"}')], "no worker"),
    ([deployment(parameter_openapi_schema={})], "takes no parameter, and finds the request in its run's context"),
])  # fmt: skip
def test_the_probe_warns_of_runs_that_would_wait(receiver, answers, words):
    receiver.plan(answers)
    assert words in prefect(receiver).probe()


@pytest.mark.parametrize(("answer", "kind"), [
    (Answer(401), UserError),
    (Answer(404), UserError),
    (Answer(200, body='{"odd": 1}'), UserError),
    (Answer(200, body="<html>"), UserError),
    (Answer(503), UnavailableError),
    (Answer(dropped=True), UnavailableError),
])  # fmt: skip
def test_the_probe_tells_a_mistake_from_a_server_that_is_away(receiver, answer, kind):
    receiver.plan([answer])
    with pytest.raises(kind, match="Prefect at http"):
        prefect(receiver).probe()
