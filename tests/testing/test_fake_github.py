"""The stand-in for GitHub keeps GitHub's rules, and breaks as a test wants."""

import http.client
import json
from urllib.parse import quote, urlsplit

import pytest

from monitor.testing.github import TOKEN, FakeGithub, Fault

WORKFLOW = """\
name: train
run-name: train ${{ inputs.key }} ${{ github.event.inputs.size }}
on:
  workflow_dispatch:
    inputs:
      key: {required: true}
      size: {type: choice, options: [small, large], default: small}
"""
BASE = "/repos/acme/models"
DISPATCH = f"{BASE}/actions/workflows/train.yml/dispatches"
LIST = f"{BASE}/actions/workflows/train.yml/runs"


@pytest.fixture
def hub():
    with FakeGithub() as server:
        server.add("train.yml", WORKFLOW)
        yield server


def call(hub, path, body=None, token=TOKEN):
    """Return an answer's status and content; None where the connection was closed."""
    connection = http.client.HTTPConnection(urlsplit(hub.url).netloc, timeout=5)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        connection.request("GET" if body is None else "POST", path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    except (http.client.HTTPException, OSError):
        return None
    finally:
        connection.close()
    return answer.status, json.loads(text) if text.startswith("{") else text


def start(hub, **changes):
    return call(hub, DISPATCH, {"ref": "main", "inputs": {"key": "k-1"}, **changes})


@pytest.mark.parametrize(("path", "token", "status"), [
    (BASE, TOKEN, 200),
    (BASE, "another", 401),
    (BASE, None, 404),
    ("/repos/acme/other", TOKEN, 404),
    ("/repos/acme/models-of-others", TOKEN, 404),
    (f"{BASE}/issues", TOKEN, 404),
    (f"{BASE}/actions/workflows/other.yml", TOKEN, 404),
    (f"{BASE}/actions/runs/1", TOKEN, 404),
    (f"/api/v3{BASE}", TOKEN, 200),
])  # fmt: skip
def test_what_the_token_does_not_open_is_not_found(hub, path, token, status):
    assert call(hub, path, token=token)[0] == status


def test_a_run_is_named_as_its_workflow_says_with_defaults_filled_in(hub):
    assert start(hub) == (204, "")
    assert (hub.runs[0].title, hub.runs[0].inputs) == ("train k-1 small", {"key": "k-1", "size": "small"})


def test_a_workflow_without_run_name_lends_its_runs_its_own(hub):
    hub.add("train.yml", "name: train\non: workflow_dispatch\n")
    call(hub, DISPATCH, {"ref": "main"})
    assert hub.runs[0].title == "train"


def test_details_are_given_where_they_are_asked_for(hub):
    status, told = start(hub, return_run_details=True)
    assert status == 200
    assert told["workflow_run_id"] == hub.runs[0].id
    assert call(hub, urlsplit(told["run_url"]).path)[1]["html_url"] == told["html_url"]


@pytest.mark.parametrize(("details", "status"), [("ignored", 204), ("refused", 422)])
def test_an_older_server_gives_no_details(hub, details, status):
    hub.details = details
    assert start(hub, return_run_details=True)[0] == status


@pytest.mark.parametrize(("changes", "words"), [
    ({"ref": "nowhere"}, "No ref found for: nowhere"),
    ({"inputs": {}}, "Required input 'key' not provided"),
    ({"inputs": {"key": "k", "more": "x"}}, 'Unexpected inputs provided: ["more"]'),
    ({"inputs": {"key": 5}}, "is not a string"),
    ({"inputs": {"key": "k", "size": "huge"}}, "not in the list of allowed values"),
    ({"inputs": {"key": "x" * 65_533}}, "inputs are too large"),
    ({"inputs": {f"i{number}": "x" for number in range(26)}}, "You may only define up to 25"),
    ({"odd": 1}, '"odd" is not a permitted key'),
])  # fmt: skip
def test_what_does_not_fit_the_workflow_is_refused(hub, changes, words):
    status, told = start(hub, **changes)
    assert status == 422
    assert words in told["message"]
    assert hub.runs == []


@pytest.mark.parametrize(("text", "state", "words"), [
    ("on: push\n", "active", "Workflow does not have 'workflow_dispatch' trigger"),
    (WORKFLOW, "disabled_manually", "disabled workflow"),
])  # fmt: skip
def test_a_workflow_that_cannot_be_dispatched_is_not(hub, text, state, words):
    hub.add("train.yml", text, state=state)
    assert words in start(hub)[1]["message"]


def test_a_token_without_the_right_dispatches_nothing(hub):
    hub.may_dispatch = False
    assert start(hub)[0] == 403


def test_a_run_is_listed_late(hub):
    hub.lag = 3600.0
    start(hub)
    assert call(hub, LIST)[1] == {"total_count": 0, "workflow_runs": []}
    assert call(hub, f"{BASE}/actions/runs/{hub.runs[0].id}")[0] == 200
    hub.catch_up()
    assert call(hub, LIST)[1]["total_count"] == 1


def test_the_list_begins_with_the_latest_and_has_pages(hub):
    for number in range(3):
        start(hub, inputs={"key": f"k-{number}"})
    pages = [call(hub, f"{LIST}?per_page=2&page={page}")[1]["workflow_runs"] for page in (1, 2, 3)]
    titles = [[run["display_title"] for run in page] for page in pages]
    assert titles == [["train k-2 small", "train k-1 small"], ["train k-0 small"], []]


@pytest.mark.parametrize(("query", "count"), [
    (f"created={quote('>=2020-01-01T00:00:00Z')}", 1),
    (f"created={quote('>=2999-01-01T00:00:00Z')}", 0),
    ("event=push", 0),
])  # fmt: skip
def test_the_list_is_filtered(hub, query, count):
    start(hub)
    assert call(hub, f"{LIST}?{query}")[1]["total_count"] == count


def test_a_run_goes_as_a_test_says(hub):
    start(hub)
    number = hub.runs[0].id
    seen = []
    for step in (hub.start, hub.finish):
        step(number)
        run = call(hub, f"{BASE}/actions/runs/{number}")[1]
        seen.append((run["status"], run["conclusion"]))
    assert seen == [("in_progress", None), ("completed", "success")]


@pytest.mark.parametrize(("kind", "answer", "runs"), [
    ("drop_before", None, 0),
    ("drop_after", None, 1),
    ("error_before", (500, "<html>Server Error</html>"), 0),
    ("error_after", (500, "<html>Server Error</html>"), 1),
])  # fmt: skip
def test_a_fault_comes_before_or_after_the_effect_and_once(hub, kind, answer, runs):
    hub.faults.plan(Fault("dispatch", kind))
    assert start(hub) == answer
    assert len(hub.runs) == runs
    assert start(hub) == (204, "")
