"""The Alertmanager notifier: against a receiver that fails as told, and there and back through a real Alertmanager."""

import base64
import json
import shutil
import socket
import subprocess
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from notice_factory import first, hostile, incident, monster, notice
from pydantic import ValidationError

from monitor.core.errors import UnavailableError, UserError
from monitor.core.finding import Severity
from monitor.core.incident import Reason, State
from monitor.core.notice import Attempt, Deferred, Delivered, Rejected
from monitor.notifiers.alertmanager import Alertmanager
from monitor.testing import FakeWebhook
from monitor.testing.webhook import Answer
from tests.waiting import until

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
TOKEN = "token-nobody-sees"


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def alertmanager(receiver, **options):
    return Alertmanager(url=receiver.url, **{"timeout": "20s", **options})


def alerts(receiver):
    return receiver.requests[-1].json


def resolved():
    now = datetime.now(UTC)
    return incident(state=State.RESOLVED, resolved_at=now - timedelta(minutes=1), resolved_reason="calm again")


def moment(text):
    return datetime.fromisoformat(text)


def test_a_firing_incident_is_one_alert_that_lasts(receiver):
    assert alertmanager(receiver, lasts="2d").send(first()) == Delivered({"severity": "warning"})
    [alert] = alerts(receiver)
    assert receiver.requests[0].path == "/api/v2/alerts"
    assert alert["labels"] == {
        "alertname": "LeewayDrift",
        "model": "churn",
        "kind": "drift",
        "severity": "warning",
        "incident": "churn-1a2b3c4d",
    }
    assert moment(alert["startsAt"]) == incident().opened_at
    assert moment(alert["endsAt"]) - datetime.now(UTC) > timedelta(days=1, hours=23)
    assert alert["generatorURL"] == notice().link


def test_a_resolved_incident_ends_its_alert(receiver):
    alertmanager(receiver).send(first(of=resolved(), reason=Reason.RESOLVED))
    [alert] = alerts(receiver)
    assert moment(alert["endsAt"]) <= datetime.now(UTC)
    assert moment(alert["startsAt"]) <= moment(alert["endsAt"])


def test_an_incident_declared_expected_ends_its_alert(receiver):
    alertmanager(receiver).send(first(of=incident(expected=True), reason=Reason.PERSON))
    assert moment(alerts(receiver)[0]["endsAt"]) <= datetime.now(UTC)


def test_the_labels_are_the_same_from_the_first_message_to_the_last(receiver):
    sender = alertmanager(receiver)
    sender.send(first())
    sender.send(first(of=replace(resolved(), columns=("other",), summary="other words"), reason=Reason.RESOLVED))
    before, after = (request.json[0]["labels"] for request in receiver.requests)
    assert before == after


def test_a_severity_that_was_raised_ends_the_alert_of_the_old_one(receiver):
    worse = notice(of=incident(severity=Severity.CRITICAL), reason=Reason.SEVERITY)
    outcome = alertmanager(receiver).send(Attempt(worse, earlier={"severity": "warning"}))
    assert outcome == Delivered({"severity": "critical"})
    new, old = alerts(receiver)
    assert (new["labels"]["severity"], old["labels"]["severity"]) == ("critical", "warning")
    assert moment(new["endsAt"]) > datetime.now(UTC) >= moment(old["endsAt"])


@pytest.mark.parametrize(("status", "uncertain"), [(408, False), (429, False), (500, True), (503, True)])
def test_what_may_pass_is_deferred(receiver, status, uncertain):
    receiver.plan([Answer(status, {"Retry-After": "30"})])
    outcome = alertmanager(receiver).send(first())
    assert outcome == Deferred(f"http://127.0.0.1: HTTP {status}", 30.0, uncertain=uncertain)


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 422])
def test_what_a_person_must_mend_is_rejected_with_a_remedy(receiver, status):
    receiver.plan([Answer(status, {"Location": "/elsewhere"})])
    outcome = alertmanager(receiver).send(first())
    assert isinstance(outcome, Rejected)
    assert f"HTTP {status}: " in outcome.reason


def test_no_answer_in_time_is_deferred_in_doubt(receiver):
    receiver.plan([Answer(delay=1.0)])
    assert alertmanager(receiver, timeout="0.3s").send(first()).uncertain


def test_an_alertmanager_that_is_away_is_deferred_without_doubt():
    outcome = Alertmanager(url="http://127.0.0.1:1").send(first())
    assert isinstance(outcome, Deferred)
    assert not outcome.uncertain


def test_it_signs_in_by_token_or_by_user_and_password(receiver):
    alertmanager(receiver, token=TOKEN).send(first())
    alertmanager(receiver, user="leeway", password=TOKEN).send(first())
    by_token, by_password = (request.headers["authorization"] for request in receiver.requests)
    assert by_token == f"Bearer {TOKEN}"
    assert base64.b64decode(by_password.removeprefix("Basic ")).decode() == f"leeway:{TOKEN}"


@pytest.mark.parametrize("answer", [Answer(400), Answer(401), Answer(500), Answer(dropped=True)])
def test_no_outcome_shows_a_secret(receiver, answer):
    receiver.plan([answer])
    sender = alertmanager(receiver, token=TOKEN)
    assert TOKEN not in repr(sender.send(first())) + repr(sender)


@pytest.mark.parametrize(
    "options", [{"user": "leeway"}, {"password": "x"}, {"token": "x", "user": "u", "password": "p"}]
)
def test_half_a_sign_in_and_two_of_them_are_refused(options):
    with pytest.raises(ValidationError, match="user"):
        Alertmanager(url="http://127.0.0.1:9093", **options)


def test_hostile_words_neither_ping_nor_link(receiver):
    alertmanager(receiver).send(Attempt(hostile()))
    [alert] = alerts(receiver)
    assert all("<" not in text and ">" not in text and "\n" not in text for text in alert["annotations"].values())


def test_everything_in_an_alert_has_a_bounded_length(receiver):
    alertmanager(receiver).send(Attempt(monster()))
    [alert] = alerts(receiver)
    assert max(map(len, alert["labels"].values())) <= 120
    assert max(map(len, alert["annotations"].values())) <= 1000


def test_a_link_that_is_no_address_is_left_out(receiver):
    alertmanager(receiver).send(first(link="report.html#x"))
    assert "generatorURL" not in alerts(receiver)[0]


def test_the_probe_names_the_alertmanager_and_sends_no_alert(receiver):
    receiver.plan([Answer(body=json.dumps({"versionInfo": {"version": "0.25.0"}}))])
    assert alertmanager(receiver).probe() == "Alertmanager 0.25.0 at http://127.0.0.1"
    assert [(request.method, request.path) for request in receiver.requests] == [("GET", "/api/v2/status")]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(401), UserError),
        (Answer(404), UserError),
        (Answer(503), UnavailableError),
        (Answer(body="hello"), UserError),
    ],
)
def test_the_probe_says_why_nobody_would_be_reached(receiver, answer, kind):
    receiver.plan([answer])
    with pytest.raises(kind, match="http://127"):
        alertmanager(receiver).probe()


# --- there and back -------------------------------------------------------------------------------------------------

ROUTES = """
route: {{receiver: back, group_by: [incident], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: back, webhook_configs: [{{url: "{url}/back", send_resolved: true}}]}}]
"""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def real(tmp_path, receiver):
    """A real Alertmanager whose one route leads to the receiver; its address."""
    if PROGRAM is None:
        pytest.skip("no Alertmanager is installed (Debian: prometheus-alertmanager)")
    path, url = tmp_path / "alertmanager.yml", f"http://127.0.0.1:{free_port()}"
    path.write_text(ROUTES.format(url=receiver.url))
    options = [f"--config.file={path}", f"--storage.path={tmp_path}/data", "--cluster.listen-address="]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [PROGRAM, *options, f"--web.listen-address={url.removeprefix('http://')}"], stdout=log, stderr=log
        )
    try:
        until(lambda: up(url))
        yield url
    finally:
        process.terminate()
        process.wait(10)


def up(url):
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


def came_back(receiver, status):
    found = [request.json for request in list(receiver.requests) if request.path == "/back"]
    return next((group for group in found if group["status"] == status), None)


def test_there_and_back_through_a_real_alertmanager(real, receiver):
    sender = Alertmanager(url=real)
    assert sender.probe().startswith("Alertmanager ")
    outcome = sender.send(first(of=incident(opened_at=datetime.now(UTC) - timedelta(minutes=5))))
    assert isinstance(outcome, Delivered)
    firing = until(lambda: came_back(receiver, "firing"))
    assert firing["alerts"][0]["labels"]["incident"] == "churn-1a2b3c4d"
    assert "churn" in firing["alerts"][0]["annotations"]["summary"]
    over = replace(resolved(), opened_at=datetime.now(UTC) - timedelta(minutes=5))
    sender.send(Attempt(notice(of=over, reason=Reason.RESOLVED), earlier=outcome.reference))
    ended = until(lambda: came_back(receiver, "resolved"))
    assert ended["alerts"][0]["fingerprint"] == firing["alerts"][0]["fingerprint"]


def test_a_real_alertmanager_takes_hostile_and_monstrous_incidents(real):
    sender = Alertmanager(url=real)
    assert isinstance(sender.send(Attempt(hostile())), Delivered)
    assert isinstance(sender.send(Attempt(monster())), Delivered)
