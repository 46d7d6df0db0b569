"""The Airflow trigger against a stand-in that may lose, refuse and repeat; real servers are below tests/orchestrators."""

import base64
import json

import pytest
from orchestrator_outcomes import BEFORE, STARTING, UNCLEAR
from pydantic import ValidationError
from retrain_factory import asked

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from monitor.testing import FakeWebhook
from monitor.testing.webhook import Answer
from monitor.triggers._airflow_server import run_id
from monitor.triggers.airflow import Airflow
from tests.waiting import patience

TOKEN = "a-token-of-a-managed-airflow"
PASSWORD = "a-password-of-a-user"
HEALTHY = Answer(200, body='{"scheduler": {"status": "healthy"}}')


def answer(status=200, **body):
    return Answer(status, body=json.dumps(body))


def dag(**more):
    return answer(dag_id="train", is_paused=False, has_import_errors=False, **more)


def paused():
    return answer(dag_id="train", is_paused=True)


def run(state="queued"):
    return answer(dag_run_id="leeway__churn-1a2b3c4d-1", state=state)


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def airflow(receiver, **options):
    signed = {} if "password" in options else {"token": TOKEN}
    return Airflow(url=receiver.url, **{"dag": "train", "api": "v2", "timeout": "20s", **signed, **options})


def test_the_run_is_named_by_the_key_and_told_the_whole_request(receiver):
    receiver.plan([dag(), run()])
    fired = airflow(receiver).fire(asked(link="https://leeway.example/1"))
    look, start = receiver.requests
    assert (look.method, look.path) == ("GET", "/api/v2/dags/train")
    assert (start.method, start.path) == ("POST", "/api/v2/dags/train/dagRuns")
    assert start.json == {
        "dag_run_id": "leeway__churn-1a2b3c4d-1",
        "logical_date": None,
        "conf": {"leeway": asked(link="https://leeway.example/1").as_json()},
        "note": "Leeway: shifted values in amount (https://leeway.example/1)",
    }
    assert start.headers["authorization"] == f"Bearer {TOKEN}"
    assert (fired.state, fired.run, fired.retry_after) == (RetrainState.ACCEPTED, "leeway__churn-1a2b3c4d-1", 60.0)
    assert fired.url == f"{receiver.url}/dags/train/runs/leeway__churn-1a2b3c4d-1"


def test_airflow_3_exchanges_user_and_password_for_a_token(receiver):
    receiver.plan([answer(201, access_token="jwt-1"), dag(), run()])
    airflow(receiver, username="leeway", password=PASSWORD).fire(asked())
    exchange, *others = receiver.requests
    assert exchange.path == "/auth/token"
    assert exchange.json == {"username": "leeway", "password": PASSWORD}
    assert {request.headers["authorization"] for request in others} == {"Bearer jwt-1"}


def test_airflow_2_gets_user_and_password_with_every_call_and_no_logical_date(receiver):
    receiver.plan([dag(), run()])
    fired = airflow(receiver, api="v1", username="leeway", password=PASSWORD).fire(asked())
    basic = f"Basic {base64.b64encode(f'leeway:{PASSWORD}'.encode()).decode()}"
    assert [request.path for request in receiver.requests] == ["/api/v1/dags/train", "/api/v1/dags/train/dagRuns"]
    assert {request.headers["authorization"] for request in receiver.requests} == {basic}
    assert "logical_date" not in receiver.requests[1].json
    assert fired.url == f"{receiver.url}/dags/train/grid?dag_run_id=leeway__churn-1a2b3c4d-1"


@pytest.mark.parametrize(("version", "path"), [
    (answer(version="3.3.2"), "/api/v2/dags/train"),
    (Answer(404), "/api/v1/dags/train"),
])  # fmt: skip
def test_the_server_is_asked_which_api_it_has(receiver, version, path):
    receiver.plan([version, dag(), run()])
    airflow(receiver, api="auto").fire(asked())
    assert [request.path for request in receiver.requests[:2]] == ["/api/v2/version", path]


@pytest.mark.parametrize(("said", "state", "again"), STARTING)
def test_the_outcome_of_asking_is_known_or_looked_up(receiver, said, state, again):
    receiver.plan([dag(), said])
    fired = airflow(receiver, **patience(said)).fire(asked())
    assert (fired.state, fired.retry_after) == (state, again)


@pytest.mark.parametrize("options", [{}, {"api": "auto"}, {"username": "leeway", "password": PASSWORD}])
@pytest.mark.parametrize(("said", "state", "again"), [case for case in BEFORE if case[0].status != 404])
def test_what_fails_before_a_run_is_asked_for_is_never_unknown(receiver, said, state, again, options):
    receiver.plan([said])
    fired = airflow(receiver, **options).fire(asked())
    assert (fired.state, fired.retry_after) == (state, again)
    assert len(receiver.requests) == 1


def test_a_run_that_is_there_already_is_looked_at_and_not_asked_for_again(receiver):
    receiver.plan([dag(), Answer(409), run("running")])
    fired = airflow(receiver).fire(asked())
    assert (fired.state, fired.run) == (RetrainState.RUNNING, "leeway__churn-1a2b3c4d-1")
    assert receiver.requests[2].method == "GET"
    assert receiver.requests[2].path == "/api/v2/dags/train/dagRuns/leeway__churn-1a2b3c4d-1"


@pytest.mark.parametrize("lost", [Answer(500), Answer(dropped=True)])
def test_a_run_that_is_there_already_and_cannot_be_looked_at_is_unknown(receiver, lost):
    receiver.plan([dag(), Answer(409), lost])
    assert airflow(receiver).fire(asked()).state is RetrainState.UNKNOWN


@pytest.mark.parametrize("said", UNCLEAR)
def test_a_lookup_that_brings_nothing_leaves_it_unknown(receiver, said):
    receiver.plan([said])
    found = airflow(receiver).find(asked())
    assert (found.state, found.retry_after is None) == (RetrainState.UNKNOWN, False)


def test_a_run_that_airflow_does_not_know_was_never_there(receiver):
    receiver.plan([Answer(404)])
    assert airflow(receiver).find(asked()) is None


@pytest.mark.parametrize(("said", "state"), [
    ("running", RetrainState.RUNNING),
    ("success", RetrainState.SUCCEEDED),
    ("new_in_some_release", RetrainState.UNKNOWN),
])  # fmt: skip
def test_the_lookup_says_how_far_the_run_is(receiver, said, state):
    receiver.plan([run(said)])
    found = airflow(receiver).find(asked())
    assert found.state is state
    assert (found.retry_after is None) == (state is RetrainState.SUCCEEDED)


def test_a_failure_names_the_tasks_that_failed(receiver):
    receiver.plan([run("failed"), answer(task_instances=[{"task_id": "load"}, {"task_id": "fit"}])])
    found = airflow(receiver).find(asked())
    assert found.state is RetrainState.FAILED
    assert found.note.endswith(": failed in load, fit")


@pytest.mark.parametrize("said", [Answer(403), Answer(500), answer(task_instances=[])])
def test_a_failure_is_one_where_its_tasks_cannot_be_read(receiver, said):
    receiver.plan([run("failed"), said])
    found = airflow(receiver).find(asked())
    assert (found.state, found.retry_after) == (RetrainState.FAILED, None)


def test_a_run_that_waits_for_a_paused_dag_says_so(receiver):
    receiver.plan([paused(), run(), run(), paused()])
    trigger = airflow(receiver)
    for fired in (trigger.fire(asked()), trigger.find(asked())):
        assert fired.state is RetrainState.ACCEPTED
        assert "but the DAG is paused" in fired.note


@pytest.mark.parametrize(
    ("one", "other"), [("a/b-1", "a b-1"), ("k" * 300, "k" * 301), ("ü-1", "ä-1"), ("\ud800", "\ud801")]
)
def test_keys_that_airflow_would_refuse_are_runs_of_their_own(one, other):
    assert run_id(one) != run_id(other)
    for name in (run_id(one), run_id(other)):
        assert len(name) <= 250
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.~:+-")


def test_thousands_of_columns_are_cut_and_counted(receiver):
    receiver.plan([dag(), run()])
    airflow(receiver).fire(asked(columns=tuple(f"column-{number}-" + "x" * 300 for number in range(2000))))
    sent = receiver.requests[1]
    assert len(sent.body) <= 20_000
    told = sent.json["conf"]["leeway"]
    assert len(told["columns"]) + told["omitted"]["columns"] == 2000


def test_a_long_reason_makes_a_note_that_airflow_takes(receiver):
    receiver.plan([dag(), run()])
    airflow(receiver).fire(asked(reason="x" * 3000))
    assert len(receiver.requests[1].json["note"]) == 1000


def test_a_dry_run_sends_nothing_and_says_what_it_would_send(receiver):
    fired = airflow(receiver).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert asked().key in fired.note
    assert TOKEN not in fired.note
    assert receiver.requests == []


@pytest.mark.parametrize("said", [Answer(401, body=f"what is {PASSWORD}?"), Answer(500), Answer(dropped=True)])
def test_no_answer_shows_a_secret(receiver, said):
    receiver.plan([said])
    trigger = airflow(receiver, username="leeway", password=PASSWORD)
    assert PASSWORD not in repr(trigger.fire(asked())) + repr(trigger)


@pytest.mark.parametrize("options", [
    {"username": "leeway"},
    {"password": PASSWORD},
    {"username": "leeway", "password": PASSWORD, "token": TOKEN},
    {"api": "v3"},
    {"conf": {"x": "{modle}"}},
])  # fmt: skip
def test_options_that_cannot_work_are_a_mistake_in_the_configuration(options):
    with pytest.raises(ValidationError):
        Airflow(url="http://airflow:8080", dag="train", **options)


@pytest.mark.parametrize(("answers", "words"), [
    ([dag(), HEALTHY], "DAG train of Airflow at http://127.0.0.1, API v2"),
    ([paused(), HEALTHY], "but the DAG is paused"),
    ([dag(), answer(scheduler={"status": "unhealthy"})], "but its scheduler does not run"),
])  # fmt: skip
def test_the_probe_says_what_would_run_and_what_would_wait(receiver, answers, words):
    receiver.plan(answers)
    assert words in airflow(receiver).probe()


def test_the_probe_names_a_dag_that_cannot_be_imported(receiver):
    receiver.plan([answer(has_import_errors=True)])
    with pytest.raises(UserError, match="DAG train cannot be imported"):
        airflow(receiver).probe()


@pytest.mark.parametrize(("said", "kind"), [
    (Answer(401), UserError),
    (Answer(404), UserError),
    (Answer(200, body="<html>"), UserError),
    (Answer(200, body="[]"), UserError),
    (Answer(503), UnavailableError),
    (Answer(dropped=True), UnavailableError),
])  # fmt: skip
def test_the_probe_tells_a_mistake_from_a_server_that_is_away(receiver, said, kind):
    receiver.plan([said])
    with pytest.raises(kind, match="Airflow at http"):
        airflow(receiver).probe()
