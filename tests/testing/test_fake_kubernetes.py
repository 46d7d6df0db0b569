"""The stand-in for Kubernetes keeps Kubernetes' rules, and breaks as a test wants."""

import http.client
import json
from urllib.parse import urlsplit

import pytest

from monitor.testing.kubernetes import FakeKubernetes, Fault

MANIFESTS = """\
apiVersion: v1
kind: ServiceAccount
metadata: {name: leeway, namespace: ml}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: retrain, namespace: ml}
rules:
  - {apiGroups: [batch], resources: [jobs], verbs: [create, get]}
  - {apiGroups: [batch], resources: [cronjobs], resourceNames: [train], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: retrain, namespace: ml}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: retrain}
subjects: [{kind: ServiceAccount, name: leeway}]
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: train, namespace: ml}
spec: {schedule: "0 0 * * *", successfulJobsHistoryLimit: 1}
"""
JOBS = "/apis/batch/v1/namespaces/ml/jobs"


@pytest.fixture
def cluster():
    with FakeKubernetes() as server:
        server.apply(MANIFESTS)
        yield server


def call(cluster, path, body=None, token=None):
    """Return an answer's status and content; None where the connection was closed."""
    connection = http.client.HTTPConnection(urlsplit(cluster.url).netloc, timeout=5)
    headers = {"Authorization": f"Bearer {token or cluster.token('ml', 'leeway')}"}
    try:
        connection.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (http.client.HTTPException, OSError):
        return None
    finally:
        connection.close()
    return answer.status, json.loads(text) if text.startswith("{") else text


def job(name="train-1", about=None, pod=None, **spec):
    usual = {"restartPolicy": "Never", "containers": [{"name": "train", "image": "train:1.0"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, **(about or {})},
        "spec": {"template": {"spec": {**usual, **(pod or {})}}, **spec},
    }


def may(cluster, verb, resource, name="", namespace="ml"):
    asked = {"namespace": namespace, "verb": verb, "group": "batch", "resource": resource, "name": name}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    status, told = call(cluster, path, {"spec": {"resourceAttributes": asked}})
    assert status == 201
    return told["status"]["allowed"]


def test_a_job_is_made_once_and_can_be_read(cluster):
    status, made = call(cluster, JOBS, job())
    assert status == 201
    assert call(cluster, f"{JOBS}/train-1") == (200, made)
    status, told = call(cluster, JOBS, job())
    assert (status, told["kind"], told["reason"]) == (409, "Status", "AlreadyExists")
    assert len(cluster.made) == 1


@pytest.mark.parametrize("token", ["another", "Bearer"])
def test_who_is_unknown_is_told_nothing(cluster, token):
    status, told = call(cluster, f"{JOBS}/train-1", token=token)
    assert (status, told["reason"]) == (401, "Unauthorized")


def test_a_new_token_takes_the_place_of_the_earlier_one(cluster):
    old = cluster.token("ml", "leeway")
    new = cluster.token("ml", "leeway")
    assert call(cluster, f"{JOBS}/x", token=old)[0] == 401
    assert call(cluster, f"{JOBS}/x", token=new)[0] == 404


@pytest.mark.parametrize(("path", "words"), [
    ("/apis/batch/v1/namespaces/other/jobs/x", 'cannot get resource "jobs" in API group "batch" in the namespace "other"'),
    ("/apis/batch/v1/namespaces/ml/cronjobs/other", 'cronjobs.batch "other" is forbidden: User "system:serviceaccount:ml:leeway"'),
])  # fmt: skip
def test_what_no_role_allows_is_forbidden(cluster, path, words):
    status, told = call(cluster, path)
    assert (status, told["reason"]) == (403, "Forbidden")
    assert words in told["message"]


@pytest.mark.parametrize("path", [f"{JOBS}/x", "/apis/batch/v1/pods", "/healthz"])
def test_what_is_not_there_is_not_found(cluster, path):
    assert call(cluster, path)[0] == 404


@pytest.mark.parametrize(("asked", "allowed"), [
    (("create", "jobs"), True),
    (("delete", "jobs"), False),
    (("get", "cronjobs", "train"), True),
    (("get", "cronjobs", "other"), False),
    (("create", "jobs", "", "other"), False),
])  # fmt: skip
def test_a_review_says_what_an_account_may(cluster, asked, allowed):
    assert may(cluster, *asked) is allowed


@pytest.mark.parametrize(("given", "words"), [
    (job("Train_1"), "a lowercase RFC 1123 label"),
    (job("x" * 64), "no more than 63 characters"),
    (job(about={"labels": {"leeway/key": "a b"}}), "metadata.labels: Invalid value"),
    (job(about={"labels": {"key": "x" * 64}}), "metadata.labels: Invalid value"),
    (job(about={"annotations": {"a b": "x"}}), "metadata.labels: Invalid value"),
    (job(about={"annotations": {"a": "x" * 262_144}}), "metadata.annotations: Too long"),
    (job(pod={"restartPolicy": "Always"}), "restartPolicy: Required value"),
    (job(pod={"containers": []}), "containers: Required value"),
    (job(pod={"containers": [{"name": "train"}]}), "image: Required value"),
    (job(pod={"containers": [{"name": "train", "image": "x", "env": [{"name": "A", "value": 5}]}]}), "cannot unmarshal"),
    (job(pod={"containers": [{"name": "train", "image": "x", "env": [{"name": "A=B"}]}]}), "env.name: Invalid value"),
])  # fmt: skip
def test_an_invalid_job_is_not_admitted(cluster, given, words):
    status, told = call(cluster, JOBS, given)
    assert (status, told["reason"]) == (422, "Invalid")
    assert words in told["message"]
    assert cluster.jobs == []


def test_what_is_no_job_is_a_bad_request(cluster):
    assert call(cluster, JOBS, {**job(), "kind": "Pod"})[0] == 400


def test_variables_are_expanded_as_a_container_sees_them(cluster):
    env = [("A", "1"), ("B", "$(A)2"), ("C", "$$(A)"), ("D", "$(LATER)"), ("E", "5$ $$"), ("LATER", "x")]
    given = [{"name": name, "value": value} for name, value in env]
    call(cluster, JOBS, job(pod={"containers": [{"name": "train", "image": "x", "env": given}]}))
    seen = cluster.environment("train-1")
    assert seen == {"A": "1", "B": "12", "C": "$(A)", "D": "$(LATER)", "E": "5$ $", "LATER": "x"}


def test_a_job_goes_as_a_test_says(cluster):
    call(cluster, JOBS, job())
    cluster.start("train-1")
    assert call(cluster, f"{JOBS}/train-1")[1]["status"]["active"] == 1
    cluster.finish("train-1", "BackoffLimitExceeded")
    [condition] = call(cluster, f"{JOBS}/train-1")[1]["status"]["conditions"]
    assert (condition["type"], condition["reason"], condition["status"]) == ("Failed", "BackoffLimitExceeded", "True")


@pytest.mark.parametrize(("ended", "seconds", "there"), [(True, 59, True), (True, 61, False), (False, 61, True)])
def test_a_job_goes_when_its_time_after_the_end_is_over(cluster, ended, seconds, there):
    call(cluster, JOBS, job(ttlSecondsAfterFinished=60))
    if ended:
        cluster.finish("train-1")
    cluster.advance(seconds)
    assert (call(cluster, f"{JOBS}/train-1")[0] == 200) is there


@pytest.mark.parametrize(("controller", "left"), [(True, ["train-1"]), (False, ["train-0", "train-1"])])
def test_a_cronjob_keeps_a_history_of_the_jobs_that_it_controls(cluster, controller, left):
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": "train", "uid": "u", "controller": controller}
    for number in range(2):
        call(cluster, JOBS, job(f"train-{number}", {"ownerReferences": [owner]}))
        cluster.finish(f"train-{number}")
    cluster.advance(1)
    assert [found["metadata"]["name"] for found in cluster.jobs] == left


@pytest.mark.parametrize(("kind", "answer", "made"), [
    ("drop_before", None, 0),
    ("drop_after", None, 1),
    ("error_before", (500, "<html>Server Error</html>"), 0),
    ("error_after", (500, "<html>Server Error</html>"), 1),
])  # fmt: skip
def test_a_fault_comes_before_or_after_the_effect(cluster, kind, answer, made):
    cluster.faults.plan(Fault("create jobs", kind))
    assert call(cluster, JOBS, job()) == answer
    assert len(cluster.made) == made
