"""The webhook trigger against a receiver that may lose, refuse and repeat."""

import base64
import json

import pytest
from retrain_factory import asked

from monitor.core.retrain import RetrainState
from monitor.testing import FakeWebhook
from monitor.testing.webhook import Answer
from monitor.triggers.webhook import Webhook

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
TOKEN = "token-in-the-address"


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def webhook(receiver, **options):
    return Webhook(url=f"{receiver.url}/retrain?key={TOKEN}", **{"timeout": "20s", **options})


def test_the_request_arrives_as_a_signed_cloud_event_whose_id_is_the_key(receiver):
    webhook(receiver, secret=SECRET).fire(asked())
    [request] = receiver.requests
    assert request.headers["webhook-id"] == request.json["id"] == asked().key
    assert request.json["type"] == "leeway.retrain.requested"
    assert request.json["data"] == asked().as_json()
    assert request.signed_with(SECRET)


@pytest.mark.parametrize(("body", "run", "url"), [
    ({"id": 17, "url": "https://runs.example/17"}, "17", "https://runs.example/17"),
    ({"run": "r-1", "url": "javascript:x"}, "r-1", None),
    ([1], None, None),
    (None, None, None),
])  # fmt: skip
def test_an_accepted_request_names_its_run_where_the_answer_does(receiver, body, run, url):
    receiver.plan([Answer(202, body=json.dumps(body) if body is not None else "thanks")])
    fired = webhook(receiver).fire(asked())
    assert (fired.state, fired.run, fired.url) == (RetrainState.ACCEPTED, run, url)


def test_a_conflict_means_that_it_was_accepted_before(receiver):
    receiver.plan([Answer(409, body='{"id": "r-1"}')])
    fired = webhook(receiver).fire(asked())
    assert (fired.state, fired.run) == (RetrainState.ACCEPTED, "r-1")
    assert "already" in fired.note


def test_the_same_key_is_one_request_for_a_receiver_that_looks_at_the_id(receiver):
    receiver.plan([Answer(dropped=True)])
    trigger = webhook(receiver)
    trigger.fire(asked())
    trigger.fire(asked())
    before, after = receiver.requests
    assert before.body == after.body
    assert list(receiver.accepted) == [asked().key]


@pytest.mark.parametrize("answer", [Answer(500), Answer(503), Answer(dropped=True)])
def test_what_may_have_arrived_is_unknown_and_looked_at_again(receiver, answer):
    receiver.plan([answer])
    fired = webhook(receiver).fire(asked())
    assert fired.state is RetrainState.UNKNOWN
    assert fired.retry_after == 60.0


def test_what_was_put_off_is_asked_again_when_the_receiver_says(receiver):
    receiver.plan([Answer(429, {"Retry-After": "120"})])
    fired = webhook(receiver).fire(asked())
    assert (fired.state, fired.retry_after) == (RetrainState.REQUESTED, 120.0)


def test_a_receiver_that_is_away_is_asked_again():
    fired = Webhook(url="http://127.0.0.1:1/x").fire(asked())
    assert fired.state is RetrainState.REQUESTED
    assert fired.retry_after is not None


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 410, 422])
def test_everything_else_is_refused_with_what_the_receiver_said(receiver, status):
    receiver.plan([Answer(status, body="no such\nmodel")])
    fired = webhook(receiver).fire(asked())
    assert (fired.state, fired.retry_after) == (RetrainState.REFUSED, None)
    assert rf"HTTP {status}: no such\nmodel" in fired.note


def test_a_dry_run_sends_nothing_and_says_what_it_would_send(receiver):
    fired = webhook(receiver, secret=SECRET).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert '"leeway.retrain.requested"' in fired.note
    assert TOKEN not in fired.note
    assert receiver.requests == []


def test_without_a_lookup_nobody_can_be_asked(receiver):
    assert webhook(receiver).find(asked()) is None
    assert receiver.requests == []


@pytest.mark.parametrize(("answer", "state"), [
    (Answer(200, body='{"id": "r", "state": "succeeded"}'), RetrainState.SUCCEEDED),
    (Answer(200, body='{"id": "r", "state": "FAILED"}'), RetrainState.FAILED),
    (Answer(200, body='{"id": "r", "state": "running"}'), RetrainState.RUNNING),
    (Answer(200, body='{"id": "r"}'), RetrainState.ACCEPTED),
    (Answer(500), RetrainState.UNKNOWN),
    (Answer(401), RetrainState.UNKNOWN),
    (Answer(dropped=True), RetrainState.UNKNOWN),
])  # fmt: skip
def test_the_lookup_says_what_became_of_a_key(receiver, answer, state):
    receiver.plan([answer])
    trigger = webhook(receiver, lookup=f"{receiver.url}/runs/{{key}}")
    assert trigger.find(asked("a/b c")).state is state
    assert receiver.requests[0].method == "GET"
    assert receiver.requests[0].path == "/runs/a%2Fb%20c"


def test_a_run_is_followed_to_its_end_where_it_can_be_looked_up(receiver):
    receiver.plan([Answer(202), *(Answer(200, body=f'{{"state": "{state}"}}') for state in ("running", "succeeded"))])
    trigger = webhook(receiver, lookup=f"{receiver.url}/runs/{{key}}")
    told = [trigger.fire(asked()), trigger.find(asked()), trigger.find(asked())]
    assert [fired.retry_after is not None for fired in told] == [True, True, False]


def test_without_a_lookup_what_was_taken_is_all_that_will_be_known(receiver):
    assert webhook(receiver).fire(asked()).retry_after is None


def test_a_key_that_the_lookup_does_not_know_was_never_seen(receiver):
    receiver.plan([Answer(404)])
    assert webhook(receiver, lookup=f"{receiver.url}/runs/{{key}}").find(asked()) is None


def test_thousands_of_columns_are_cut_and_counted(receiver):
    webhook(receiver).fire(asked(columns=tuple(f"column-{number}-" + "x" * 300 for number in range(2000))))
    [request] = receiver.requests
    assert len(request.body) <= 20_000
    data = request.json["data"]
    assert len(data["columns"]) + data["omitted"]["columns"] == 2000


@pytest.mark.parametrize("answer", [Answer(400), Answer(500), Answer(dropped=True)])
def test_no_answer_shows_a_secret(receiver, answer):
    receiver.plan([answer])
    trigger = webhook(receiver, secret=SECRET)
    shown = repr(trigger.fire(asked())) + repr(trigger) + trigger.probe()
    assert TOKEN not in shown
    assert SECRET not in shown


def test_the_probe_sends_nothing(receiver):
    assert webhook(receiver).probe() == "http://127.0.0.1, unsigned (not contacted)"
    assert receiver.requests == []
