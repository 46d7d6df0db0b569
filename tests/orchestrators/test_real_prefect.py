"""The Prefect trigger against a real Prefect server with flows that are served."""

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from tests.orchestrators import guide
from tests.orchestrators.cutting import Cutting
from tests.orchestrators.processes import ask, awaited, free_port
from tests.triggers.retrain_factory import asked

AUTH = "leeway:a-password-of-a-server"
OTHERS = """
from pathlib import Path
from prefect import flow, serve
from refresh import refresh

@flow
def fit(name: str, until: str, features: list[str], epochs: int):
    Path(__file__).with_name(f"{name}.fit").write_text(f"{until} {features} {epochs}")

@flow
def broken(leeway: dict):
    raise ValueError(f"no rows for {leeway['model']}")

if __name__ == "__main__":
    serve(*(each.to_deployment("nightly") for each in (fit, refresh, broken)))
"""


@dataclass(frozen=True)
class Server:
    url: str
    port: int
    folder: Path

    def ask(self, path, body=None):
        return ask(self.url + path, body, {"Authorization": f"Basic {b64encode(AUTH.encode()).decode()}"})

    def runs(self, **filters):
        return self.ask("/flow_runs/filter", {"flow_runs": filters, "limit": 50})

    def runs_of(self, key):
        return self.runs(idempotency_key={"any_": [key]})

    def trigger(self, number=0, **changes):
        return guide.trigger("Prefect", number, **{"url": self.url, "auth_string": AUTH, **changes})


@pytest.fixture(scope="module")
def server(serving):
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    processes, folder, programs = serving(
        "prefect",
        PREFECT_API_URL=url,
        PREFECT_API_AUTH_STRING=AUTH,
        PREFECT_SERVER_API_AUTH_STRING=AUTH,
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
        PREFECT_RUNNER_POLL_FREQUENCY="1",
        PREFECT_LOGGING_TO_API_ENABLED="false",
    )
    server = Server(url, port, folder)
    processes.start("server", programs / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    processes.up(lambda: server.ask("/health"), 120, "Prefect's server")
    (folder / "train.py").write_text(guide.code("Prefect"))
    (folder / "refresh.py").write_text(guide.code("Prefect", 1))
    (folder / "others.py").write_text(OTHERS)
    processes.start("train", programs / "python", "train.py")
    processes.start("others", programs / "python", "others.py")
    names = ["train/leeway", "fit/nightly", "refresh/nightly", "broken/nightly"]
    processes.up(
        lambda: [server.ask(f"/deployments/name/{name}")["status"] for name in names] == ["READY"] * 4, 120, "flows"
    )
    return server


def started(trigger, request):
    """Ask as the outbox does: again where Prefect answers 503, as it does while its SQLite is locked."""
    return awaited(lambda: (answer := trigger.fire(request)).run and answer, 60, f"a run for {request.key}")


def ended(trigger, request):
    unsettled = (RetrainState.ACCEPTED, RetrainState.RUNNING, RetrainState.UNKNOWN)
    look = lambda: (found := trigger.find(request)) and found.state not in unsettled and found  # noqa: E731 - as above
    return awaited(look, 120, f"the end of {request.key}")


def test_a_run_is_told_everything_and_is_followed_to_its_success(server):
    request = asked("told-1", link="https://leeway.example/reports/1", labels_available=True)
    begun = started(server.trigger(), request)
    assert begun.state is RetrainState.ACCEPTED
    assert begun.retry_after is not None
    found = ended(server.trigger(), request)
    assert (found.state, found.run, found.retry_after) == (RetrainState.SUCCEEDED, begun.run, None)
    assert json.loads((server.folder / "told-1.json").read_text()) == request.as_json()
    assert found.url == f"{server.url.removesuffix('/api')}/runs/flow-run/{begun.run}"
    [run] = server.runs_of("told-1")
    assert {"leeway", "model:churn", "version:7", "incident:churn-1a2b3c4d"} <= set(run["tags"])


def test_the_same_key_twice_is_one_run(server):
    first, second = (started(server.trigger(), asked("twice-1")) for _ in range(2))
    assert first.run == second.run
    assert len(server.runs_of("twice-1")) == 1


def test_an_answer_that_is_lost_is_found_and_asked_for_no_second_time(server):
    request = asked("lost-1")
    with Cutting(server.port) as proxy:
        trigger = server.trigger(url=f"http://127.0.0.1:{proxy.port}/api")
        proxy.cut = b"create_flow_run"
        fired = trigger.fire(request)
        assert (fired.state, proxy.cuts) == (RetrainState.UNKNOWN, 1)
        assert fired.retry_after is not None
        proxy.cut = None
        again = started(trigger, request)
        found = awaited(lambda: trigger.find(request), 60, "the run")
    [run] = server.runs_of("lost-1")
    assert found.run == again.run == run["id"]


def test_a_key_that_was_never_asked_for_is_not_found(server):
    assert server.trigger().find(asked("never-1")) is None


def test_a_flow_that_fails_is_a_failure_in_its_own_words(server):
    trigger = server.trigger(deployment="broken/nightly")
    started(trigger, asked("broken-1"))
    found = ended(trigger, asked("broken-1"))
    assert found.state is RetrainState.FAILED
    assert "no rows for churn" in found.note


def test_a_flow_without_parameters_finds_the_request_in_its_context(server):
    trigger = server.trigger(deployment="refresh/nightly")
    assert "finds the request in its run's context" in trigger.probe()
    started(trigger, asked("plain-1"))
    assert ended(trigger, asked("plain-1")).state is RetrainState.SUCCEEDED
    assert json.loads((server.folder / "plain-1.json").read_text()) == asked("plain-1").as_json()


def test_parameters_of_its_own_reach_a_flow_with_their_types(server):
    trigger = server.trigger(1)
    assert trigger.probe().startswith("deployment fit/nightly")
    started(trigger, asked("own-1"))
    assert ended(trigger, asked("own-1")).state is RetrainState.SUCCEEDED
    assert (server.folder / "churn.fit").read_text() == "2026-03-02T00:00:00Z ['amount', 'age'] 5"


def test_parameters_that_the_flow_does_not_take_are_refused(server):
    trigger = server.trigger(1, parameters={"name": "{model}", "until": "x", "features": "no list", "epochs": 1})
    fired = trigger.fire(asked("refused-1"))
    assert fired.state is RetrainState.REFUSED
    assert "HTTP 409" in fired.note
    assert "compare parameters" in fired.note
    assert trigger.find(asked("refused-1")) is None


def test_the_probe_names_parameters_that_are_missing(server):
    with pytest.raises(UserError, match="fit/nightly needs parameter epochs, features, name, until; set parameters"):
        server.trigger(deployment="fit/nightly").probe()


def test_the_probe_names_parameters_that_the_flow_does_not_take(server):
    with pytest.raises(UserError, match="takes no parameter modle, only parameter leeway"):
        server.trigger(parameters={"leeway": "{request}", "modle": "{model}"}).probe()


def test_the_probe_of_a_served_deployment_warns_of_nothing(server):
    assert server.trigger().probe() == "deployment train/leeway of Prefect at http://127.0.0.1"


def test_the_probe_warns_where_nothing_serves_the_deployment(server):
    flow = server.ask("/flows/", {"name": "idle"})
    server.ask("/deployments/", {"name": "idle", "flow_id": flow["id"]})
    assert "nothing serves it" in server.trigger(deployment="idle/idle").probe()


def test_the_probe_warns_where_no_worker_is_online(server):
    server.ask("/work_pools/", {"name": "gpus", "type": "process"})
    flow = server.ask("/flows/", {"name": "idle"})
    server.ask("/deployments/", {"name": "pooled", "flow_id": flow["id"], "work_pool_name": "gpus"})
    assert "no worker of its work pool gpus is online" in server.trigger(deployment="idle/pooled").probe()


def test_wrong_credentials_are_refused_with_what_to_do(server):
    trigger = server.trigger(auth_string="leeway:something-else")
    fired = trigger.fire(asked("wrong-1"))
    assert fired.state is RetrainState.REFUSED
    assert "HTTP 401" in fired.note
    assert "compare api_key or auth_string" in fired.note
    assert "something-else" not in fired.note + repr(trigger)
    with pytest.raises(UserError, match="compare api_key or auth_string"):
        trigger.probe()


def test_an_unknown_deployment_is_refused_with_what_to_do(server):
    trigger = server.trigger(deployment="train/nowhere")
    assert trigger.fire(asked("nowhere-1")).state is RetrainState.REFUSED
    with pytest.raises(UserError, match="no deployment train/nowhere; deploy it, or correct deployment"):
        trigger.probe()


def test_a_server_that_is_away_is_asked_again(server):
    trigger = server.trigger(url=f"http://127.0.0.1:{free_port()}/api")
    fired = trigger.fire(asked("away-1"))
    assert fired.state is RetrainState.REQUESTED
    assert fired.retry_after is not None
    with pytest.raises(UnavailableError):
        trigger.probe()


def test_an_address_without_api_is_named_as_the_mistake(server):
    trigger = server.trigger(url=server.url.removesuffix("/api"))
    with pytest.raises(UserError, match=r"or url \(a server's ends in /api\)"):
        trigger.probe()


def test_a_dry_run_starts_nothing(server):
    fired = server.trigger().fire(asked("dry-1"), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert '"idempotency_key": "dry-1"' in fired.note
    assert server.runs_of("dry-1") == []
