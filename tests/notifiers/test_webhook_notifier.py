"""The webhook notifier: CloudEvents, signed as Standard Webhooks."""

import base64
import json

import jsonschema
import pytest
from notice_factory import first, hostile, monster, notice
from pydantic import ValidationError

from monitor.core.errors import UserError
from monitor.core.notice import Attempt, Deferred, Delivered, Rejected
from monitor.notifiers.webhook import Webhook
from monitor.testing import FakeWebhook
from monitor.testing.webhook import Answer

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
TOKEN = "token-in-the-address"


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def webhook(receiver, **options):
    return Webhook(url=f"{receiver.url}/hooks?key={TOKEN}", **{"timeout": "20s", **options})


def test_a_notice_arrives_as_one_cloud_event(receiver):
    assert webhook(receiver).send(first()) == Delivered()
    [request] = receiver.requests
    event = request.json
    jsonschema.validate(event, {"required": ["specversion", "id", "source", "type", "time", "data"]})
    assert (event["specversion"], event["id"], event["type"]) == ("1.0", notice().key, "leeway.incident.firing")
    assert request.headers["content-type"].startswith("application/cloudevents+json")


def test_the_incident_is_in_the_event_as_the_contract_has_it(receiver):
    webhook(receiver).send(first())
    assert receiver.requests[0].json["data"]["incident"] == notice().incident.as_json()


def test_the_signature_is_that_of_standard_webhooks(receiver):
    webhook(receiver, secret=SECRET).send(first())
    assert receiver.requests[0].signed_with(SECRET)


def test_another_secret_does_not_verify(receiver):
    webhook(receiver, secret=SECRET).send(first())
    assert not receiver.requests[0].signed_with("whsec_" + base64.b64encode(b"x" * 24).decode())


def test_without_a_secret_nothing_is_signed(receiver):
    webhook(receiver).send(first())
    assert "webhook-signature" not in receiver.requests[0].headers


def test_every_attempt_has_the_same_id_and_body(receiver):
    receiver.plan([Answer(503)])
    sender = webhook(receiver, secret=SECRET)
    sender.send(first())
    sender.send(Attempt(notice(), number=2, uncertain=True))
    before, after = receiver.requests
    assert before.headers["webhook-id"] == after.headers["webhook-id"] == notice().key
    assert before.body == after.body
    assert len(receiver.accepted) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_delivered(receiver, status):
    receiver.plan([Answer(status)])
    assert webhook(receiver).send(first()) == Delivered()


@pytest.mark.parametrize(("status", "uncertain"), [(408, False), (429, False), (500, True), (503, True)])
def test_what_may_pass_is_deferred(receiver, status, uncertain):
    receiver.plan([Answer(status, {"Retry-After": "30"})])
    outcome = webhook(receiver).send(first())
    assert outcome == Deferred(f"http://127.0.0.1: HTTP {status}", 30.0, uncertain=uncertain)


def test_retry_after_may_be_a_date(receiver):
    dates = {"Date": "Wed, 21 Oct 2026 07:28:00 GMT", "Retry-After": "Wed, 21 Oct 2026 07:29:30 GMT"}
    receiver.plan([Answer(429, dates)])
    assert webhook(receiver).send(first()).retry_after == 90.0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
def test_every_other_4xx_is_rejected_with_a_remedy(receiver, status):
    receiver.plan([Answer(status)])
    outcome = webhook(receiver).send(first())
    assert isinstance(outcome, Rejected)
    assert f"HTTP {status}: " in outcome.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(receiver, status):
    with FakeWebhook() as elsewhere:
        receiver.plan([Answer(status, {"Location": elsewhere.url})])
        outcome = webhook(receiver).send(first())
        assert elsewhere.requests == []
    assert "redirects" in outcome.reason


def test_no_answer_in_time_is_deferred_in_doubt(receiver):
    receiver.plan([Answer(delay=1.0)])
    outcome = webhook(receiver, timeout="0.3s").send(first())
    assert outcome == Deferred("http://127.0.0.1: no answer in time", None, uncertain=True)


def test_a_dropped_connection_is_deferred_in_doubt(receiver):
    receiver.plan([Answer(dropped=True)])
    assert webhook(receiver).send(first()).uncertain


def test_a_receiver_that_is_away_is_deferred_without_doubt():
    outcome = Webhook(url="http://127.0.0.1:1/x").send(first())
    assert isinstance(outcome, Deferred)
    assert not outcome.uncertain


@pytest.mark.parametrize("answer", [Answer(400), Answer(500), Answer(302, {"Location": "/"}), Answer(dropped=True)])
def test_no_outcome_shows_a_secret(receiver, answer):
    receiver.plan([answer])
    sender = webhook(receiver, secret=SECRET)
    shown = repr(sender.send(first())) + repr(sender) + sender.probe()
    assert TOKEN not in shown
    assert SECRET not in shown


def test_a_monster_stays_below_twenty_kilobytes_and_says_what_is_left_out(receiver):
    webhook(receiver).send(Attempt(monster()))
    [request] = receiver.requests
    assert len(request.body) <= 20_000
    assert request.json["data"]["omitted"]["columns"] >= 190


def test_the_newest_lines_of_a_long_timeline_are_kept(receiver):
    lines = tuple(f"{number} " + "x" * 200 for number in range(300))
    webhook(receiver).send(first(timeline=lines))
    assert receiver.requests[0].json["data"]["timeline"][-1] == lines[-1]


def test_a_hostile_notice_is_plain_json(receiver):
    webhook(receiver).send(Attempt(hostile()))
    assert receiver.requests[0].json["data"]["incident"]["columns"] == list(hostile().incident.columns)


def test_a_key_beyond_ascii_makes_a_header_all_the_same(receiver):
    assert webhook(receiver, secret=SECRET).send(first(key="Kündigung\r\n🙂")) == Delivered()
    assert receiver.requests[0].signed_with(SECRET)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"url": "ftp://x.example"}, "https://"), ({"url": "x.example/hook"}, "https://"), ({"url": "https://u:p@x.example"}, "user:password"),
     ({"url": "https://x.example", "secret": "short"}, "whsec_"), ({"url": "https://x.example", "secret": "whsec_AAAA"}, "16 random bytes")],
)  # fmt: skip
def test_wrong_options_are_explained_without_the_value(options, words):
    with pytest.raises(ValidationError, match=words) as caught:
        Webhook(**options)
    assert "u:p" not in str(caught.value)


def test_the_probe_contacts_nobody(receiver):
    assert "signed" in webhook(receiver, secret=SECRET).probe()
    assert receiver.requests == []


def test_the_probe_warns_of_unsigned_events_in_clear():
    with pytest.raises(UserError, match="in clear"):
        Webhook(url="http://hooks.example.org/x").probe()


def test_the_body_is_json_that_any_parser_reads(receiver):
    webhook(receiver).send(first())
    json.loads(receiver.requests[0].body, parse_constant=pytest.fail)
