"""The Kubernetes trigger against a stand-in for the API server: names that are taken, Roles, lost answers, lost Jobs."""

import json
import re
import ssl
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from shutil import which

import pytest
import yaml
from howto import blocks, changed, configured, train
from orchestrator_outcomes import BEFORE, STARTING, UNCLEAR
from pydantic import ValidationError
from retrain_factory import asked

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from monitor.testing import FakeWebhook
from monitor.testing.kubernetes import FakeKubernetes, Fault
from monitor.testing.webhook import Answer
from monitor.triggers.kubernetes import Kubernetes
from tests.waiting import patience

PAGE = "kubernetes.md"
MANIFESTS = blocks(PAGE, "yml")[0]
SECRET = "a-token-of-a-service-account"
WEEK = 7 * 86400


@pytest.fixture
def cluster():
    with FakeKubernetes() as server:
        server.apply(MANIFESTS)
        yield server


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


@pytest.fixture
def account(tmp_path, cluster):
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "namespace").write_text("ml")
    (folder / "token").write_text(cluster.token("ml", "leeway") + "\n")
    return folder


def kubernetes(server, **options):
    usual = {"cronjob": "train", "namespace": "ml", "timeout": "20s"}
    if isinstance(server, FakeKubernetes):
        usual["token"] = None if {"account", "token"} & set(options) else server.token("ml", "leeway")
    else:
        usual["token"] = SECRET
    return Kubernetes(**{"url": server.url, **usual, **options})


def now(**changes):
    return asked(requested_at=datetime.now(UTC), **changes)


def template(server):
    return server.objects["CronJob", "ml", "train"]["spec"]["jobTemplate"]


def answered(name="train", key=None, **more):
    """The CronJob, or a Job of a key, as the API server answers it."""
    [given] = [found for found in yaml.safe_load_all(MANIFESTS) if found["kind"] == "CronJob"]
    about = {"name": name, "uid": "u-1", "annotations": {"leeway/key": key or asked().key}}
    return Answer(200, body=json.dumps({**given, "metadata": about, **more}))


def test_the_job_is_the_cronjob_s_template_with_the_request_as_variables(cluster):
    fired = kubernetes(cluster).fire(request := now())
    [job] = cluster.jobs
    name = job["metadata"]["name"]
    seen = cluster.environment(name)
    assert json.loads(seen.pop("LEEWAY_REQUEST")) == request.as_json()
    assert seen == {
        "LEEWAY_KEY": request.key,
        "LEEWAY_MODEL": "churn",
        "LEEWAY_VERSION": "7",
        "LEEWAY_REASON": "shifted values in amount",
        "LEEWAY_INCIDENT": "churn-1a2b3c4d",
        "LEEWAY_COLUMNS": '["amount", "age"]',
        "LEEWAY_WINDOW_START": "2026-03-01T00:00:00Z",
        "LEEWAY_WINDOW_END": "2026-03-02T00:00:00Z",
        "LEEWAY_REFERENCE": "4f1c2ab09de7",
        "LEEWAY_LINK": "",
        "LEEWAY_ACTION": "retrain",
        "LEEWAY_TARGET": "",
    }
    [container] = job["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["command"]) == ("train:1.0", ["python", "train.py"])
    assert job["spec"]["activeDeadlineSeconds"] == 7200
    assert (fired.state, fired.run, fired.url) == (RetrainState.ACCEPTED, f"ml/{name}", None)


def test_the_job_is_marked_as_made_by_hand_owned_and_found_by_its_key(cluster):
    kubernetes(cluster).fire(request := now())
    about = cluster.jobs[0]["metadata"]
    assert about["annotations"]["cronjob.kubernetes.io/instantiate"] == "manual"
    assert about["annotations"]["leeway/key"] == request.key
    assert about["annotations"]["leeway/incident"] == request.incident
    assert about["labels"] == {"app.kubernetes.io/created-by": "leeway"}
    cronjob = cluster.objects["CronJob", "ml", "train"]["metadata"]
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "train", "uid": cronjob["uid"]}
    assert about["ownerReferences"] == [owner]


def test_the_job_is_valid_by_the_schemas_of_kubernetes(cluster):
    validate = pytest.importorskip("kubernetes_validate")
    kubernetes(cluster).fire(now())
    validate.validate(cluster.jobs[0], validate.latest_version(), strict=True)


def test_every_container_gets_the_request_and_keeps_its_own_variables(cluster):
    pod = template(cluster)["spec"]["template"]["spec"]
    pod["containers"][0]["env"] = [
        {"name": "EPOCHS", "value": "5"},
        {"name": "LEEWAY_KEY", "value": "a default"},
        {"name": "FOLDER", "value": "runs/$(LEEWAY_KEY)"},
    ]
    pod["initContainers"] = [{"name": "load", "image": "load:1.0"}]
    kubernetes(cluster).fire(request := now())
    name = cluster.jobs[0]["metadata"]["name"]
    seen = cluster.environment(name)
    assert (seen["EPOCHS"], seen["LEEWAY_KEY"], seen["FOLDER"]) == ("5", request.key, f"runs/{request.key}")
    [init] = cluster.jobs[0]["spec"]["template"]["spec"]["initContainers"]
    assert "LEEWAY_REQUEST" in {entry["name"] for entry in init["env"]}


def test_what_looks_like_a_variable_arrives_as_it_is(cluster):
    kubernetes(cluster).fire(request := now(reason="$(HOME) costs 5$$ or $5", columns=("$(LEEWAY_KEY)",)))
    seen = cluster.environment(cluster.jobs[0]["metadata"]["name"])
    assert seen["LEEWAY_REASON"] == "$(HOME) costs 5$$ or $5"
    assert json.loads(seen["LEEWAY_REQUEST"]) == request.as_json()


def test_thousands_of_columns_are_cut_and_counted(cluster):
    many = tuple(f"column-{number}-" + "x" * 300 for number in range(2000))
    assert kubernetes(cluster).fire(now(columns=many)).state is RetrainState.ACCEPTED
    told = json.loads(cluster.environment(cluster.jobs[0]["metadata"]["name"])["LEEWAY_REQUEST"])
    assert len(told["columns"]) + told["omitted"]["columns"] == 2000


@pytest.mark.parametrize("model", ["churn", "Köln – Größe 2", "x" * 200, "…", "a" * 37 + "--" + "b"])
def test_whatever_the_model_is_called_the_job_has_a_name_that_kubernetes_takes(cluster, model):
    fired = kubernetes(cluster).fire(now(model=model, key=f"{model}-1a2b-1"))
    name = cluster.jobs[0]["metadata"]["name"]
    assert fired.state is RetrainState.ACCEPTED
    assert re.fullmatch(r"leeway(-[a-z0-9]+)+", name)
    assert len(name) <= 63


def test_keys_of_one_model_have_names_of_their_own(cluster):
    trigger = kubernetes(cluster)
    for attempt in (1, 11, 2):
        trigger.fire(now(key=f"churn-1a2b3c4d-{attempt}"))
    assert len({job["metadata"]["name"] for job in cluster.jobs}) == 3


@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
def test_an_answer_that_was_lost_is_looked_up_and_found(cluster, kind):
    trigger, request = kubernetes(cluster), now()
    cluster.faults.plan(Fault("create jobs", kind))
    fired = trigger.fire(request)
    assert (fired.state, fired.retry_after) == (RetrainState.UNKNOWN, 60.0)
    assert trigger.find(request).state is RetrainState.ACCEPTED
    assert trigger.fire(request).state is RetrainState.ACCEPTED
    assert len(cluster.made) == 1


@pytest.mark.parametrize("kind", ["drop_before", "error_before"])
def test_a_request_that_never_arrived_is_known_not_to_have_and_asked_again(cluster, kind):
    trigger, request = kubernetes(cluster), now()
    cluster.faults.plan(Fault("create jobs", kind))
    assert trigger.fire(request).state is RetrainState.UNKNOWN
    assert trigger.find(request) is None
    assert trigger.fire(request).state is RetrainState.ACCEPTED
    assert len(cluster.made) == 1


def test_the_same_key_fired_again_follows_the_job_that_is_there(cluster):
    token = cluster.token("ml", "leeway")
    kubernetes(cluster, token=token).fire(request := now())
    cluster.start(cluster.jobs[0]["metadata"]["name"])
    again = Kubernetes(url=cluster.url, cronjob="train", namespace="ml", token=token).fire(request)
    assert again.state is RetrainState.RUNNING
    assert len(cluster.made) == 1


def test_the_same_key_fired_by_many_at_once_gives_one_job(cluster):
    token, request = cluster.token("ml", "leeway"), now()
    triggers = [Kubernetes(url=cluster.url, cronjob="train", namespace="ml", token=token) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        fired = list(threads.map(lambda trigger: trigger.fire(request), triggers))
    assert {each.run for each in fired} == {f"ml/{cluster.jobs[0]['metadata']['name']}"}
    assert len(cluster.made) == 1


@pytest.mark.parametrize("note", [{}, {"leeway/key": "another-1"}])
def test_a_job_of_the_name_that_is_not_the_key_s_is_refused(cluster, note):
    trigger, request = kubernetes(cluster), now()
    trigger.fire(request)
    cluster.jobs[0]["metadata"]["annotations"] = note
    fired = trigger.fire(request)
    assert fired.state is RetrainState.REFUSED
    assert "is not Leeway's, or another key's" in fired.note
    assert trigger.find(request).state is RetrainState.UNKNOWN


def test_a_job_stays_for_a_week_after_its_end_whatever_the_template_says(cluster):
    template(cluster)["spec"]["ttlSecondsAfterFinished"] = 0
    trigger, request = kubernetes(cluster), now()
    trigger.fire(request)
    cluster.finish(cluster.jobs[0]["metadata"]["name"])
    cluster.advance(WEEK - 60)
    assert trigger.find(request).state is RetrainState.SUCCEEDED
    cluster.advance(120)
    assert cluster.jobs == []


def test_a_longer_stay_is_left_as_it_is(cluster):
    template(cluster)["spec"]["ttlSecondsAfterFinished"] = 30 * 86400
    kubernetes(cluster).fire(now())
    assert cluster.jobs[0]["spec"]["ttlSecondsAfterFinished"] == 30 * 86400


def test_the_history_limit_of_the_cronjob_does_not_remove_the_job(cluster):
    cluster.objects["CronJob", "ml", "train"]["spec"]["successfulJobsHistoryLimit"] = 0
    trigger, request = kubernetes(cluster), now()
    trigger.fire(request)
    cluster.finish(cluster.jobs[0]["metadata"]["name"])
    cluster.advance(60)
    assert trigger.find(request).state is RetrainState.SUCCEEDED


def test_a_request_from_before_jobs_were_removed_is_never_made(cluster):
    trigger, request = kubernetes(cluster), asked(requested_at=datetime.now(UTC) - timedelta(days=8))
    for told in (trigger.find(request), trigger.fire(request)):
        assert (told.state, told.retry_after) == (RetrainState.UNKNOWN, 60.0)
        assert "nobody knows whether it ran; it is not made again" in told.note
    assert cluster.made == []


def test_an_old_request_whose_job_is_still_there_is_followed(cluster):
    trigger, request = kubernetes(cluster), now()
    trigger.fire(request)
    old = asked(requested_at=request.requested_at - timedelta(days=8))
    assert trigger.fire(old).state is trigger.find(old).state is RetrainState.ACCEPTED


def status(kind, **more):
    return {"conditions": [{"type": kind, "status": "True", **more}]}


@pytest.mark.parametrize(("found", "state", "words"), [
    ({}, RetrainState.ACCEPTED, "no pod yet"),
    ({"active": 1, "ready": 0}, RetrainState.ACCEPTED, "its pod is not ready yet"),
    ({"active": 1, "ready": 1}, RetrainState.RUNNING, "running"),
    ({"active": 1}, RetrainState.RUNNING, "running"),
    (status("Complete"), RetrainState.SUCCEEDED, "complete"),
    (status("Failed", reason="BackoffLimitExceeded", message="too often"), RetrainState.FAILED, "failed: BackoffLimitExceeded, too often"),
    (status("Failed"), RetrainState.FAILED, "it does not say why"),
    ({"active": 1, "ready": 1, **status("FailureTarget")}, RetrainState.RUNNING, "running"),
    ({"conditions": [{"type": "Complete", "status": "False"}]}, RetrainState.ACCEPTED, "no pod yet"),
])  # fmt: skip
def test_the_lookup_says_how_far_the_job_is(cluster, found, state, words):
    trigger, request = kubernetes(cluster), now()
    trigger.fire(request)
    cluster.jobs[0]["status"] = found
    told = trigger.find(request)
    assert told.state is state
    assert words in told.note
    assert (told.retry_after is None) == (state in (RetrainState.SUCCEEDED, RetrainState.FAILED))


def test_a_suspended_job_waits(cluster):
    template(cluster)["spec"]["suspend"] = True
    trigger = kubernetes(cluster)
    fired = trigger.fire(now())
    assert fired.state is RetrainState.ACCEPTED
    assert "suspended" in fired.note
    assert "but its Jobs are made suspended" in trigger.probe()


def test_a_job_that_is_being_deleted_is_unknown(cluster):
    trigger, request = kubernetes(cluster), now()
    trigger.fire(request)
    cluster.jobs[0]["metadata"]["deletionTimestamp"] = "2026-03-01T00:00:00Z"
    assert trigger.find(request).state is RetrainState.UNKNOWN


def test_links_lead_to_the_dashboard_where_there_is_one(cluster):
    fired = kubernetes(cluster, ui="https://dashboard.example.com").fire(now())
    name = cluster.jobs[0]["metadata"]["name"]
    assert fired.url == f"https://dashboard.example.com/#/job/ml/{name}?namespace=ml"


def test_the_service_account_s_token_is_read_anew_at_every_call(cluster, account):
    trigger = kubernetes(cluster, account=str(account), namespace=None)
    assert trigger.fire(request := now()).state is RetrainState.ACCEPTED
    (account / "token").write_text(cluster.token("ml", "leeway"))
    assert trigger.find(request).state is RetrainState.ACCEPTED


def test_a_token_that_is_no_longer_good_is_said(cluster, account):
    trigger = kubernetes(cluster, account=str(account))
    cluster.token("ml", "leeway")
    fired = trigger.fire(now())
    assert fired.state is RetrainState.REFUSED
    assert "it refuses the token" in fired.note


def test_the_address_is_that_of_the_pod_s_environment(cluster, account, monkeypatch):
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    assert Kubernetes(cronjob="train", account=str(account))._api.url == "https://10.0.0.1:6443"
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    assert Kubernetes(cronjob="train", account=str(account))._api.url == "https://[fd00::1]:6443"
    assert Kubernetes(cronjob="train", url=cluster.url, account=str(account))._api.url == cluster.url


def test_outside_of_a_cluster_it_says_what_to_set(tmp_path):
    trigger = Kubernetes(cronjob="train", account=str(tmp_path))
    assert "no service account is mounted here" in trigger.fire(now()).note
    with pytest.raises(UserError, match="set url, namespace, token and ca"):
        trigger.probe()
    assert trigger.fire(now(), dry_run=True).state is RetrainState.PROPOSED


@pytest.mark.parametrize(("rules", "words"), [
    ([], "{apiGroups: [batch], resources: [cronjobs], verbs: [get]}"),
    ([{"apiGroups": ["batch"], "resources": ["cronjobs"], "verbs": ["get"]}], "{apiGroups: [batch], resources: [jobs], verbs: [create]}"),
])  # fmt: skip
def test_a_missing_rule_is_refused_with_the_rule(cluster, rules, words):
    cluster.objects["Role", "ml", "leeway-retrain"]["rules"] = rules
    fired = kubernetes(cluster).fire(now())
    assert fired.state is RetrainState.REFUSED
    assert words in fired.note


def test_a_template_that_kubernetes_refuses_is_refused_with_what_to_correct(cluster):
    template(cluster)["spec"]["template"]["spec"]["restartPolicy"] = "Always"
    fired = kubernetes(cluster).fire(now())
    assert fired.state is RetrainState.REFUSED
    assert "correct the template of CronJob ml/train" in fired.note


@pytest.mark.parametrize(("answer", "state", "again"), STARTING)
def test_the_outcome_of_making_the_job_is_known_or_looked_up(receiver, answer, state, again):
    receiver.plan([answered(), answer])
    fired = kubernetes(receiver, **patience(answer)).fire(now())
    assert (fired.state, fired.retry_after) == (state, again)


@pytest.mark.parametrize(("answer", "state", "again"), BEFORE)
def test_what_fails_before_the_job_is_made_is_never_unknown(receiver, answer, state, again):
    receiver.plan([answer])
    fired = kubernetes(receiver).fire(now())
    assert (fired.state, fired.retry_after) == (state, again)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("answer", UNCLEAR)
def test_a_lookup_that_brings_nothing_leaves_it_unknown(receiver, answer):
    receiver.plan([answer])
    found = kubernetes(receiver).find(now())
    assert (found.state, found.retry_after is None) == (RetrainState.UNKNOWN, False)


def test_a_job_that_exists_and_is_gone_when_looked_at_is_unknown(receiver):
    receiver.plan([answered(), Answer(409), Answer(404)])
    fired = kubernetes(receiver).fire(now())
    assert (fired.state, fired.retry_after) == (RetrainState.UNKNOWN, 60.0)


@pytest.mark.parametrize("answer", [Answer(401, body=f"what is {SECRET}?"), Answer(500), Answer(dropped=True)])
def test_no_answer_shows_a_secret(receiver, answer):
    receiver.plan([answered(), answer])
    trigger = kubernetes(receiver)
    assert SECRET not in repr(trigger.fire(now())) + repr(trigger) + repr(trigger._api)


def test_a_dry_run_sends_nothing_and_says_what_it_would_make(cluster):
    fired = kubernetes(cluster).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert "would create Job leeway-churn-" in fired.note
    assert asked().key in fired.note
    assert cluster.calls == []


@pytest.mark.parametrize("options", [
    {"cronjob": "Train"},
    {"cronjob": ""},
    {"namespace": "m l"},
    {"url": "10.0.0.1"},
])  # fmt: skip
def test_options_that_cannot_work_are_a_mistake_in_the_configuration(options):
    with pytest.raises(ValidationError):
        Kubernetes(**{"cronjob": "train", **options})


def test_the_probe_asks_what_it_may_and_makes_nothing(cluster):
    assert kubernetes(cluster).probe() == "a Job of CronJob ml/train of Kubernetes at http://127.0.0.1"
    assert cluster.calls == ["review", "review", "review", "get cronjobs"]


@pytest.mark.parametrize(("verb", "resource"), [("get", "cronjobs"), ("create", "jobs"), ("get", "jobs")])
def test_the_probe_names_the_rule_that_is_missing(cluster, verb, resource):
    rules = cluster.objects["Role", "ml", "leeway-retrain"]["rules"]
    for rule in rules:
        if resource in rule["resources"]:
            rule["verbs"] = [known for known in rule["verbs"] if known != verb]
    with pytest.raises(
        UserError, match=re.escape(f"lacks {{apiGroups: [batch], resources: [{resource}], verbs: [{verb}]}}")
    ):
        kubernetes(cluster).probe()


def test_the_probe_says_that_there_is_no_such_cronjob(cluster):
    del cluster.objects["CronJob", "ml", "train"]
    with pytest.raises(UserError, match="there is no CronJob ml/train; create it, or correct cronjob or namespace"):
        kubernetes(cluster).probe()


@pytest.mark.parametrize(("answer", "kind"), [
    (Answer(401), UserError),
    (Answer(404), UserError),
    (Answer(200, body="<html>"), UserError),
    (Answer(201, body='{"odd": 1}'), UserError),
    (Answer(503), UnavailableError),
    (Answer(dropped=True), UnavailableError),
])  # fmt: skip
def test_the_probe_tells_a_mistake_from_a_server_that_is_away(receiver, answer, kind):
    receiver.plan([answer])
    with pytest.raises(kind, match="Kubernetes at http"):
        kubernetes(receiver).probe()


class _Silent(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def certified(tmp_path):
    """A server with a certificate that only the file knows."""
    if which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    file, key = tmp_path / "ca.crt", tmp_path / "key.pem"
    words = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
        "-addext",
    ]
    made = ["openssl", *words, "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(file)]
    subprocess.run(made, check=True, capture_output=True)
    server = HTTPServer(("127.0.0.1", 0), _Silent)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", file
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_is_believed_by_the_given_certificates(certified):
    url, file = certified
    trigger = Kubernetes(url=url, ca=str(file), cronjob="train", namespace="ml", token=SECRET)
    assert trigger.find(now()) is None


def test_a_server_is_believed_by_the_service_account_s_certificates(certified, tmp_path):
    url, _ = certified
    trigger = Kubernetes(url=url, account=str(tmp_path), cronjob="train", namespace="ml", token=SECRET)
    assert trigger.find(now()) is None


def test_a_server_whose_certificate_nobody_has_signed_gets_no_token(certified):
    url, _ = certified
    trigger = Kubernetes(url=url, account="/nowhere", cronjob="train", namespace="ml", token=SECRET)
    fired = trigger.fire(now())
    assert fired.state is RetrainState.REQUESTED
    assert "connection failed" in fired.note


def test_a_file_that_holds_no_certificates_is_said(cluster, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    trigger = kubernetes(cluster, url="https://127.0.0.1:1", ca=str(tmp_path / "ca.pem"))
    with pytest.raises(UserError, match="ca is no file of certificates"):
        trigger.probe()


def test_the_how_to_s_example_goes_from_manifests_to_trained_model(cluster, account, tmp_path):
    trigger = changed(configured(PAGE), url=cluster.url, account=str(account))
    assert "but" not in trigger.probe()
    trigger.fire(request := now())
    name = cluster.jobs[0]["metadata"]["name"]
    cluster.start(name)
    assert trigger.find(request).state is RetrainState.RUNNING
    assert json.loads(train(PAGE, tmp_path, cluster.environment(name))) == request.as_json()
    cluster.finish(name)
    assert trigger.find(request).state is RetrainState.SUCCEEDED


def test_the_how_to_s_role_has_exactly_the_verbs_that_are_used(cluster):
    [role] = [found for found in yaml.safe_load_all(MANIFESTS) if found["kind"] == "Role"]
    trigger, request = kubernetes(cluster), now()
    trigger.fire(request)
    trigger.find(request)
    allowed = {f"{verb} {what}" for rule in role["rules"] for verb in rule["verbs"] for what in rule["resources"]}
    assert allowed == set(cluster.calls)


@pytest.mark.parametrize("found", list(yaml.safe_load_all(MANIFESTS)), ids=lambda found: found["kind"])
def test_the_how_to_s_manifests_are_valid_by_the_schemas_of_kubernetes(found):
    validate = pytest.importorskip("kubernetes_validate")
    validate.validate(found, validate.latest_version(), strict=True)


@pytest.mark.parametrize("number", [0, 1])
def test_the_how_to_s_configurations_are_valid(number):
    assert configured(PAGE, number).cronjob == "train"
