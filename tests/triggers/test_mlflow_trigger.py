"""MLflow's alias as a trigger of rolling back, where answers are lost; what holds of real servers is in its contract."""

import pytest
from retrain_factory import asked

from monitor.core.retrain import Action, RetrainState
from monitor.testing.mlflow import FakeMlflow
from monitor.testing.webhook import Answer
from monitor.triggers.mlflow import Mlflow
from tests.waiting import patience

BACK = asked(action=Action.ROLLBACK, version="2", target="1")


@pytest.fixture
def server():
    with FakeMlflow() as fake:
        fake.register("churn")
        fake.set_alias("churn", "champion", fake.register("churn"))
        yield fake


def trigger(server, **changes):
    return Mlflow(**{"url": server.url, "name": "churn", "timeout": "20s", **changes})


def serving(server):
    return server.models["churn"].aliases["champion"]


def on_setting(server, answer):
    """Let the two looks before it pass."""
    server.plan([Answer(), Answer(), answer])


@pytest.mark.parametrize("answer", [Answer(dropped=True), Answer(delay=3.0)])
def test_an_answer_that_is_lost_is_looked_up_and_found_done(server, answer):
    on_setting(server, answer)
    fired = trigger(server, **patience(answer)).fire(BACK)
    assert (fired.state, fired.retry_after) == (RetrainState.UNKNOWN, 60.0)
    assert trigger(server).find(BACK).state is RetrainState.SUCCEEDED
    assert serving(server) == "1"


def test_a_server_that_fails_is_looked_up_and_asked_again(server):
    on_setting(server, Answer(500))
    assert trigger(server).fire(BACK).state is RetrainState.UNKNOWN
    assert trigger(server).find(BACK) is None
    assert trigger(server).fire(BACK).state is RetrainState.SUCCEEDED


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_final(server, status):
    on_setting(server, Answer(status, body='{"message": "no"}'))
    fired = trigger(server).fire(BACK)
    assert (fired.state, fired.retry_after) == (RetrainState.REFUSED, None)
    assert serving(server) == "2"


@pytest.mark.parametrize("answer", [Answer(503), Answer(dropped=True), Answer(429)])
def test_what_fails_before_the_alias_is_moved_is_simply_asked_again(server, answer):
    server.plan([answer])
    fired = trigger(server).fire(BACK)
    assert (fired.state, fired.retry_after is None) == (RetrainState.REQUESTED, False)
    assert serving(server) == "2"


@pytest.mark.parametrize(
    "answer", [Answer(503), Answer(dropped=True), Answer(401), Answer(200, body="[]"), Answer(200, body="<html>")]
)
def test_a_lookup_that_brings_nothing_leaves_it_unknown(server, answer):
    server.plan([answer])
    found = trigger(server).find(BACK)
    assert (found.state, found.retry_after) == (RetrainState.UNKNOWN, 60.0)


def test_a_retraining_is_refused_with_the_triggers_that_can(server):
    fired = trigger(server).fire(asked())
    assert fired.state is RetrainState.REFUSED
    assert "MLflow runs no jobs" in fired.note
    assert "airflow" in fired.note
    assert server.requests == []


@pytest.mark.parametrize("changes", [{"version": None}, {"target": None}])
def test_a_request_that_does_not_say_from_where_to_where_is_refused(server, changes):
    fired = trigger(server).fire(asked(**{"action": Action.ROLLBACK, "version": "2", "target": "1", **changes}))
    assert fired.state is RetrainState.REFUSED
    assert serving(server) == "2"


def test_a_dry_run_says_what_it_would_refuse(server):
    fired = trigger(server).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert fired.note.startswith("would refuse: MLflow runs no jobs")


def test_a_dry_run_makes_no_call(server):
    trigger(server).fire(BACK, dry_run=True)
    assert server.requests == []


def test_another_alias_of_the_model_stays(server):
    server.set_alias("churn", "challenger", "2")
    trigger(server).fire(BACK)
    assert server.models["churn"].aliases == {"champion": "1", "challenger": "2"}


def test_the_probe_of_an_alias_that_nobody_has_set_says_so(server):
    assert trigger(server, alias="blue").probe().endswith(", not set at present")
