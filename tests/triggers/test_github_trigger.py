"""The GitHub trigger against a stand-in for GitHub that loses answers, lists late, limits calls and is of two ages."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from howto import blocks, changed, configured, train
from orchestrator_outcomes import BEFORE, STARTING, UNCLEAR
from pydantic import ValidationError
from retrain_factory import asked

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from monitor.testing import FakeWebhook
from monitor.testing._github_dispatch import parsed
from monitor.testing.github import TOKEN, FakeGithub, Fault
from monitor.testing.webhook import Answer
from monitor.triggers.github import Github
from tests.waiting import patience

PAGE = "github.md"
WORKFLOW = blocks(PAGE, "yml")[0]
UNNAMED = WORKFLOW.replace("run-name: train ${{ inputs.leeway_key }}\n", "")


@pytest.fixture
def hub():
    with FakeGithub() as server:
        server.add("train.yml", WORKFLOW)
        yield server


@pytest.fixture
def receiver():
    with FakeWebhook() as server:
        yield server


def github(server, **options):
    usual = {"repository": "acme/models", "workflow": "train.yml", "token": TOKEN, "timeout": "20s", "listing": "0.2s"}
    return Github(**{"url": server.url, **usual, **options})


def now(**changes):
    return asked(requested_at=datetime.now(UTC), **changes)


def listed(*runs):
    return Answer(200, body=json.dumps({"workflow_runs": list(runs)}))


def test_the_run_gets_the_key_and_the_whole_request_as_json(hub):
    fired = github(hub).fire(request := now())
    [run] = hub.runs
    assert run.inputs["leeway_key"] == request.key
    assert json.loads(run.inputs["leeway"]) == request.as_json()
    assert (run.ref, run.title, run.group) == ("main", f"train {request.key}", f"train-{request.key}")
    page = f"{hub.url}/acme/models/actions/runs/{run.id}"
    assert (fired.state, fired.run, fired.url, fired.retry_after) == (RetrainState.ACCEPTED, str(run.id), page, 60.0)


def test_links_begin_with_the_address_that_people_use(hub):
    fired = github(hub, ui="https://github.example.com").fire(now())
    assert fired.url == f"https://github.example.com/acme/models/actions/runs/{hub.runs[0].id}"


def test_an_address_of_github_enterprise_has_a_path_of_its_own(hub):
    assert github(hub, url=f"{hub.url}/api/v3").fire(now()).state is RetrainState.ACCEPTED


@pytest.mark.parametrize("details", ["ignored", "refused"])
def test_a_server_that_does_not_say_which_run_it_has_begun_is_asked_for_its_list(hub, details):
    hub.details = details
    trigger = github(hub)
    first = trigger.fire(request := now())
    assert (first.state, first.run) == (RetrainState.ACCEPTED, None)
    assert trigger.find(request).run == str(hub.runs[0].id)
    assert len(hub.runs) == 1


def test_a_run_that_was_taken_and_is_not_listed_yet_is_not_asked_for_again(hub):
    hub.details, hub.lag = "ignored", 3600.0
    trigger = github(hub)
    trigger.fire(request := now())
    assert trigger.find(request).state is RetrainState.ACCEPTED
    assert trigger.fire(request).state is RetrainState.ACCEPTED
    assert len(hub.runs) == 1


@pytest.mark.parametrize("kind", ["drop_after", "error_after"])
def test_an_answer_that_was_lost_is_looked_up_and_found(hub, kind):
    hub.faults.plan(Fault("dispatch", kind))
    fired = github(hub).fire(request := now())
    assert (fired.state, fired.retry_after) == (RetrainState.UNKNOWN, 300.0)
    found = github(hub).find(request)
    assert (found.state, found.run) == (RetrainState.ACCEPTED, str(hub.runs[0].id))
    assert len(hub.runs) == 1


@pytest.mark.parametrize("kind", ["drop_before", "error_before"])
def test_a_request_that_never_arrived_is_known_not_to_have_and_asked_again(hub, kind):
    hub.faults.plan(Fault("dispatch", kind))
    trigger = github(hub)
    assert trigger.fire(request := now()).state is RetrainState.UNKNOWN
    assert trigger.find(request) is None
    assert trigger.fire(request).state is RetrainState.ACCEPTED
    assert len(hub.runs) == 1


def test_who_is_killed_between_start_and_record_finds_the_run_though_it_is_listed_late(hub):
    hub.lag = 0.4
    github(hub).fire(request := now())
    successor = github(hub, listing="5s")  # another process, which knows nothing
    assert successor.find(request).run == str(hub.runs[0].id)
    assert successor.fire(request).run == str(hub.runs[0].id)
    assert len(hub.runs) == 1


def test_the_same_key_fired_again_by_another_process_gives_no_second_run(hub):
    first, second = (github(hub).fire(request) for request in [now()] * 2)
    assert first.run == second.run
    assert len(hub.runs) == 1


def test_the_same_key_fired_by_many_threads_at_once_gives_one_run(hub):
    trigger, request = github(hub), now()
    with ThreadPoolExecutor(8) as threads:
        runs = {fired.run for fired in threads.map(lambda _: trigger.fire(request), range(8))}
    assert runs == {str(hub.runs[0].id)}
    assert len(hub.runs) == 1


def test_without_the_key_in_run_name_a_lost_answer_is_never_asked_again(hub):
    hub.add("train.yml", UNNAMED)
    hub.faults.plan(Fault("dispatch", "drop_after"))
    trigger = github(hub)
    trigger.fire(request := now())
    found = trigger.find(request)
    assert (found.state, found.retry_after) == (RetrainState.UNKNOWN, 60.0)
    assert "its run-name does not have the key" in found.note
    assert "run-name: retrain ${{ inputs.leeway_key }}" in found.note


def test_where_the_workflow_s_file_cannot_be_read_nothing_is_asked_again(hub):
    hub.may_read = False
    assert github(hub).find(now()).state is RetrainState.UNKNOWN


def test_without_the_key_in_run_name_a_run_is_followed_by_its_number(hub):
    hub.add("train.yml", UNNAMED)
    trigger = github(hub)
    trigger.fire(request := now())
    hub.start(hub.runs[0].id)
    assert trigger.find(request).state is RetrainState.RUNNING


def test_a_longer_key_is_another_one(hub):
    github(hub).fire(now(key="churn-1a2b3c4d-11"))
    assert github(hub).find(now(key="churn-1a2b3c4d-1")) is None


def test_of_two_runs_of_a_key_the_first_counts_and_the_other_is_told(hub):
    request = now()
    for trigger in (github(hub), github(hub)):
        hub.lag = 3600.0
        trigger.fire(request)
    hub.catch_up()
    found = github(hub).find(request)
    assert found.run == str(hub.runs[0].id)
    assert "1 more have its key" in found.note


def test_the_run_is_found_behind_many_others(hub):
    trigger = github(hub)
    trigger.fire(request := now())
    for number in range(60):
        hub.begin("train.yml", parsed(WORKFLOW), {"ref": "main", "inputs": {"leeway_key": f"other-{number}"}})
    assert github(hub).find(request).run == str(hub.runs[0].id)


def test_a_list_without_an_end_says_nothing_of_a_key(receiver):
    full = listed(*({"id": number, "display_title": "x", "status": "queued"} for number in range(50)))
    receiver.plan([full] * 20)
    fired = github(receiver).fire(now())
    assert (fired.state, fired.retry_after) == (RetrainState.REQUESTED, 60.0)
    assert len(receiver.requests) == 20


def test_only_runs_that_can_be_the_key_s_are_listed(receiver):
    receiver.plan([listed({"id": 1, "display_title": f"train {asked().key}", "status": "queued"})])
    github(receiver).find(asked())
    assert "event=workflow_dispatch" in receiver.requests[0].path
    assert "created=%3E%3D2026-02-28T23%3A50%3A00Z" in receiver.requests[0].path
    assert receiver.requests[0].headers["accept"] == "application/vnd.github+json"
    assert receiver.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(("status", "conclusion", "state"), [
    ("queued", None, RetrainState.ACCEPTED),
    ("waiting", None, RetrainState.ACCEPTED),
    ("pending", None, RetrainState.ACCEPTED),
    ("in_progress", None, RetrainState.RUNNING),
    ("completed", "success", RetrainState.SUCCEEDED),
    ("completed", "failure", RetrainState.FAILED),
    ("completed", "cancelled", RetrainState.FAILED),
    ("completed", "timed_out", RetrainState.FAILED),
    ("completed", "skipped", RetrainState.FAILED),
    ("completed", "new_in_some_release", RetrainState.UNKNOWN),
    ("new_in_some_release", None, RetrainState.UNKNOWN),
])  # fmt: skip
def test_the_lookup_says_how_far_the_run_is(hub, status, conclusion, state):
    trigger = github(hub)
    trigger.fire(request := now())
    hub.runs[0].status, hub.runs[0].conclusion = status, conclusion
    for found in (trigger.find(request), github(hub).find(request)):
        assert found.state is state
        assert (found.retry_after is None) == (state in (RetrainState.SUCCEEDED, RetrainState.FAILED))


def test_a_run_that_was_deleted_is_unknown_and_not_asked_for_again(hub):
    trigger = github(hub)
    trigger.fire(request := now())
    hub.delete(hub.runs[0].id)
    assert trigger.find(request).state is RetrainState.UNKNOWN
    assert trigger.fire(request).state is RetrainState.UNKNOWN
    assert hub.runs == []


@pytest.mark.parametrize(("answer", "state", "again"), STARTING)
def test_the_outcome_of_starting_is_known_or_looked_up_when_it_must_be_listed(receiver, answer, state, again):
    receiver.plan([listed(), answer])
    fired = github(receiver, **patience(answer)).fire(asked())
    assert fired.state is state
    odd = answer.body == "[]"  # an answer that has no run in it, as of older servers
    assert odd or fired.retry_after == (300.0 if state is RetrainState.UNKNOWN else again)


@pytest.mark.parametrize(("answer", "state", "again"), BEFORE)
def test_what_fails_before_a_run_is_started_is_never_unknown(receiver, answer, state, again):
    receiver.plan([answer])
    fired = github(receiver).fire(asked())
    assert (fired.state, fired.retry_after) == (state, again)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("answer", UNCLEAR)
def test_a_lookup_that_brings_nothing_leaves_it_unknown(receiver, answer):
    receiver.plan([answer])
    found = github(receiver).find(asked())
    assert (found.state, found.retry_after is None) == (RetrainState.UNKNOWN, False)


@pytest.mark.parametrize(("status", "headers", "body", "again"), [
    (403, {"Retry-After": "90"}, "{}", 90.0),
    (429, {"Retry-After": "90"}, "{}", 90.0),
    (403, {}, '{"message": "You have exceeded a secondary rate limit."}', 60.0),
    (429, {}, "{}", 60.0),
])  # fmt: skip
@pytest.mark.parametrize("call", ["list", "dispatch"])
def test_a_limit_of_calls_means_wait_and_not_refused(hub, call, status, headers, body, again):
    hub.faults.plan(Fault(call, "error_before", status, headers, body))
    fired = github(hub).fire(request := now())
    assert (fired.state, fired.retry_after) == (RetrainState.REQUESTED, again)
    assert "it limits calls" in fired.note
    assert github(hub).fire(request).state is RetrainState.ACCEPTED


def test_a_limit_that_ends_at_a_time_is_waited_for(hub):
    reset = str(int(time.time()) + 1200)
    hub.faults.plan(Fault("list", "error_before", 403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset}))
    fired = github(hub).fire(now())
    assert fired.state is RetrainState.REQUESTED
    assert 1190 <= fired.retry_after <= 1201


@pytest.mark.parametrize(("options", "words"), [
    ({"ref": "nowhere"}, "No ref found for: nowhere"),
    ({"inputs": {"leeway_key": "{key}", "leeway": "{request}", "more": "{model}"}}, "Unexpected inputs provided"),
    ({"inputs": {"leeway_key": "{key}"}}, "Required input 'leeway' not provided"),
])  # fmt: skip
def test_what_the_workflow_does_not_take_is_refused_with_what_to_do(hub, options, words):
    fired = github(hub, **options).fire(now())
    assert (fired.state, fired.retry_after) == (RetrainState.REFUSED, None)
    assert words in fired.note
    assert "compare ref and inputs with workflow acme/models/train.yml" in fired.note
    assert hub.runs == []


@pytest.mark.parametrize(("change", "words"), [
    ({"may_dispatch": False}, "the token needs the permission actions: write"),
    ({"repository": "acme/other"}, "compare url with GitHub's address"),
])  # fmt: skip
def test_what_the_token_may_not_is_refused(hub, change, words):
    for name, value in change.items():
        setattr(hub, name, value)
    fired = github(hub).fire(now())
    assert fired.state is RetrainState.REFUSED
    assert words in fired.note


def test_inputs_of_one_s_own_are_filled_and_all_of_them_texts(hub):
    declared = "".join(f"      {name}: {{}}\n" for name in ("ticket", "features", "until", "epochs", "link"))
    hub.add("refit.yml", f"run-name: fit ${{{{ inputs.ticket }}}}\non:\n  workflow_dispatch:\n    inputs:\n{declared}")
    template = {"ticket": "{key}", "features": "{columns}", "until": "to {window_end}", "epochs": 5, "link": "{link}"}
    request = now()
    assert github(hub, workflow="refit.yml", inputs=template).fire(request).state is RetrainState.ACCEPTED
    assert hub.runs[0].inputs == {
        "ticket": request.key,
        "features": '["amount", "age"]',
        "until": "to 2026-03-02T00:00:00Z",
        "epochs": "5",
        "link": "",
    }


def test_thousands_of_columns_are_cut_and_counted(hub):
    many = tuple(f"column-{number}-" + "x" * 300 for number in range(2000))
    assert github(hub).fire(now(columns=many)).state is RetrainState.ACCEPTED
    told = json.loads(hub.runs[0].inputs["leeway"])
    assert len(told["columns"]) + told["omitted"]["columns"] == 2000
    assert len(hub.runs[0].inputs["leeway"]) <= 65_535


@pytest.mark.parametrize("options", [
    {"repository": "models"},
    {"repository": "acme/models/train"},
    {"url": "ftp://github.example.com"},
    {"inputs": {"leeway": "{request}"}},
    {"inputs": {"k": "{key}", "x": "{modle}"}},
    {"inputs": {"k": "{key}", **{f"input{number}": "x" for number in range(25)}}},
])  # fmt: skip
def test_options_that_cannot_work_are_a_mistake_in_the_configuration(options):
    with pytest.raises(ValidationError):
        Github(**{"repository": "acme/models", "workflow": "train.yml", "token": TOKEN, **options})


def test_a_dry_run_sends_nothing_and_says_what_it_would_send(hub):
    fired = github(hub).fire(asked(), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert asked().key in fired.note
    assert TOKEN not in fired.note
    assert hub.calls == []


@pytest.mark.parametrize("answer", [Answer(400, body=f"what is {TOKEN}?"), Answer(500), Answer(dropped=True)])
def test_no_answer_shows_a_secret(receiver, answer):
    receiver.plan([listed(), answer])
    trigger = github(receiver)
    assert TOKEN not in repr(trigger.fire(asked())) + repr(trigger) + repr(trigger._api)


def test_what_a_process_has_begun_is_no_part_of_a_configuration(hub):
    one, other = github(hub), github(hub)
    one.fire(now())
    assert one == other


def test_the_probe_names_the_workflow_and_starts_nothing(hub):
    assert github(hub).probe() == "workflow acme/models/train.yml of GitHub at http://127.0.0.1"
    assert hub.runs == []


def test_the_probe_warns_where_runs_are_not_named_by_the_key(hub):
    hub.add("train.yml", UNNAMED)
    assert "a lost answer cannot be looked up and is not asked again" in github(hub).probe()


@pytest.mark.parametrize(("name", "named"), [
    ("train ${{ inputs.leeway_key }}", True),
    ("train ${{ github.event.inputs.leeway_key || 'by hand' }}", True),
    ("train ${{ inputs['leeway_key'] }}", True),
    ("train ${{ inputs.leeway_key_of_old }}", False),
    ("train inputs.leeway_key", False),
])  # fmt: skip
def test_what_names_a_run_by_the_key_is_recognised(hub, name, named):
    hub.add("train.yml", WORKFLOW.replace("train ${{ inputs.leeway_key }}", f'"{name}"', 1))
    assert ("but its run-name" not in github(hub).probe()) is named


@pytest.mark.parametrize(("text", "options", "words"), [
    (WORKFLOW, {"token": "another-token"}, "it refuses the token"),
    (WORKFLOW, {"repository": "acme/other"}, "there is no repository acme/other that this token may see"),
    (WORKFLOW, {"workflow": "other.yml"}, "there is no workflow acme/models/other.yml"),
    (WORKFLOW, {"ref": "nowhere"}, "there is no such file at nowhere"),
    (WORKFLOW, {"inputs": {"leeway_key": "{key}"}}, "needs input leeway"),
    (WORKFLOW, {"inputs": {"leeway_key": "{key}", "leeway": "x", "more": "x"}}, "takes no input more"),
    ("on: push\n", {}, "is not started by workflow_dispatch"),
    ("on: [push, workflow_dispatch]\n", {}, "takes no input leeway, leeway_key"),
    ("on: {\n", {}, "is not YAML that can be read"),
])  # fmt: skip
def test_the_probe_says_what_does_not_fit(hub, text, options, words):
    hub.add("train.yml", text)
    with pytest.raises(UserError, match=words):
        github(hub, **options).probe()


def test_the_probe_says_that_the_workflow_is_disabled(hub):
    hub.add("train.yml", WORKFLOW, state="disabled_manually")
    with pytest.raises(UserError, match="is disabled_manually; enable it there"):
        github(hub).probe()


def test_the_probe_says_that_the_repository_is_archived(hub):
    hub.archived = True
    with pytest.raises(UserError, match="is archived"):
        github(hub).probe()


@pytest.mark.parametrize(("answer", "kind"), [
    (Answer(401), UserError),
    (Answer(404), UserError),
    (Answer(200, body="<html>"), UserError),
    (Answer(503), UnavailableError),
    (Answer(403, {"Retry-After": "9"}), UnavailableError),
    (Answer(dropped=True), UnavailableError),
])  # fmt: skip
def test_the_probe_tells_a_mistake_from_a_server_that_is_away(receiver, answer, kind):
    receiver.plan([answer])
    with pytest.raises(kind, match="GitHub at http"):
        github(receiver).probe()


def test_the_how_to_s_example_goes_from_configuration_to_trained_model(hub, tmp_path):
    trigger = changed(configured(PAGE), url=hub.url, token=TOKEN)
    assert "but" not in trigger.probe()
    trigger.fire(request := now())
    assert trigger.fire(request).run == str(hub.runs[0].id)
    [job] = yaml.safe_load(WORKFLOW)["jobs"].values()
    assert job["steps"][-1]["env"] == {"LEEWAY": "${{ inputs.leeway }}"}
    written = train(PAGE, tmp_path, {"LEEWAY": hub.runs[0].inputs["leeway"]})
    assert json.loads(written) == request.as_json()
    hub.finish(hub.runs[0].id)
    assert trigger.find(request).state is RetrainState.SUCCEEDED


def test_the_how_to_s_workflow_writes_no_input_into_a_script():
    [job] = yaml.safe_load(WORKFLOW)["jobs"].values()
    assert not any("${{" in step.get("run", "") for step in job["steps"])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_how_to_s_configurations_are_valid(number):
    assert configured(PAGE, number).repository == "acme/models"


def test_a_request_of_long_ago_is_looked_up_as_well(hub):
    github(hub).fire(request := asked(requested_at=datetime.now(UTC) - timedelta(days=3)))
    assert github(hub).find(request).run == str(hub.runs[0].id)
