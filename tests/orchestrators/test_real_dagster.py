"""The Dagster trigger against a real webserver, and a real daemon that launches what is queued."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from monitor.triggers._dagster_graphql import RUNS
from tests.orchestrators import guide
from tests.orchestrators.cutting import Cutting
from tests.orchestrators.processes import ask, awaited, free_port
from tests.triggers.retrain_factory import asked

FILES = ("train.py", "others.py")
OTHERS = """
from pathlib import Path
import dagster

@dagster.op(config_schema={"model": str, "features": [str], "epochs": int})
def load(context):
    told = context.op_config
    Path(__file__).with_name(told["model"] + ".fit").write_text(f"{told['features']} {told['epochs']}")

@dagster.op
def empty(context):
    raise ValueError("no rows for " + context.run_tags["leeway/model"])

@dagster.job
def refit():
    load()

@dagster.job
def broken():
    empty()

@dagster.job
def twin():
    empty()

@dagster.repository
def first():
    return [refit, broken, twin]

@dagster.repository
def second():
    return [twin]
"""
SETTINGS = """
telemetry: {enabled: false}
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config: {dequeue_interval_seconds: 1}
"""


@dataclass(frozen=True)
class Server:
    url: str
    port: int
    folder: Path

    def trigger(self, number=0, **changes):
        return guide.trigger("Dagster", number, **{"url": self.url, "timeout": "60s", **changes})

    def query(self, text, **variables):
        return ask(f"{self.url}/graphql", {"query": text, "variables": variables})["data"]

    def runs_of(self, key):
        return self.query(RUNS, key=key)["found"]["results"]


@pytest.fixture(scope="module")
def started(serving):
    port = free_port()
    processes, folder, programs = serving("dagster", DO_NOT_TRACK="1")
    processes.environ["DAGSTER_HOME"] = str(folder)
    (folder / "dagster.yaml").write_text(SETTINGS)
    (folder / "train.py").write_text(guide.code("Dagster"))
    (folder / "others.py").write_text(OTHERS)
    files = [word for file in FILES for word in ("-f", file)]
    processes.start("web", programs / "dagster-webserver", *files, "-h", "127.0.0.1", "-p", str(port))
    server = Server(f"http://127.0.0.1:{port}", port, folder)
    processes.up(lambda: server.query("query { version }"), 180, "Dagster's webserver")
    return server, lambda: processes.start("daemon", programs / "dagster-daemon", "run", *files)


@pytest.fixture(scope="module")
def webserver(started):
    return started[0]


@pytest.fixture(scope="module")
def server(started):
    server, start_daemon = started
    start_daemon()
    awaited(lambda: "no Dagster daemon" not in server.trigger().probe(), 120, "the daemon")
    return server


def ended(trigger, request):
    unsettled = (RetrainState.ACCEPTED, RetrainState.RUNNING)
    return awaited(
        lambda: (found := trigger.find(request)).state not in unsettled and found, 180, f"the end of {request.key}"
    )


def test_the_probe_warns_while_no_daemon_runs(webserver):
    """Runs before anything else here has started the daemon."""
    trigger = webserver.trigger()
    assert "but no Dagster daemon runs" in trigger.probe()
    assert trigger.fire(asked("queued-1")).state is RetrainState.ACCEPTED
    assert "queued" in trigger.find(asked("queued-1")).note


def test_the_probe_says_what_would_run(server):
    assert server.trigger().probe() == "job train (__repository__@train.py) of Dagster at http://127.0.0.1"


def test_a_run_is_told_everything_and_is_followed_to_its_success(server):
    request = asked("told-1", link="https://leeway.example/reports/1", labels_available=True)
    fired = server.trigger().fire(request)
    assert fired.state is RetrainState.ACCEPTED, fired
    assert fired.retry_after is not None
    found = ended(server.trigger(), request)
    assert (found.state, found.run, found.retry_after) == (RetrainState.SUCCEEDED, fired.run, None)
    assert json.loads((server.folder / "told-1.json").read_text()) == request.as_json()
    assert found.url == f"{server.url}/runs/{fired.run}"


def test_what_was_queued_before_the_daemon_came_runs(server):
    assert ended(server.trigger(), asked("queued-1")).state is RetrainState.SUCCEEDED


def test_the_same_key_twice_is_one_run(server):
    first, second = (server.trigger().fire(asked("twice-1")) for _ in range(2))
    assert first.run == second.run
    assert len(server.runs_of("twice-1")) == 1


def test_an_answer_that_is_lost_is_found_and_asked_for_no_second_time(server):
    request = asked("lost-1")
    with Cutting(server.port) as proxy:
        trigger = server.trigger(url=f"http://127.0.0.1:{proxy.port}")
        proxy.cut = b"mutation Launch"
        fired = trigger.fire(request)
        assert (fired.state, fired.retry_after, proxy.cuts) == (RetrainState.UNKNOWN, 300.0, 1)
        proxy.cut = None
        found = trigger.find(request)
        again = trigger.fire(request)
    [run] = server.runs_of("lost-1")
    assert found.run == again.run == run["runId"]


def test_a_key_that_was_never_asked_for_is_not_found(server):
    assert server.trigger().find(asked("never-1")) is None


def test_a_run_that_fails_is_a_failure(server):
    trigger = server.trigger(job="broken")
    trigger.fire(asked("broken-1"))
    found = ended(trigger, asked("broken-1"))
    assert found.state is RetrainState.FAILED
    assert found.note.endswith("failure")


def test_a_run_config_of_its_own_reaches_the_job(server):
    trigger = server.trigger(1)
    trigger.fire(asked("own-1"))
    assert ended(trigger, asked("own-1")).state is RetrainState.SUCCEEDED
    assert (server.folder / "churn.fit").read_text() == "['amount', 'age'] 5"


def test_a_run_config_that_the_job_does_not_take_is_refused(server):
    fired = server.trigger(job="refit").fire(asked("refused-1"))
    assert fired.state is RetrainState.REFUSED
    assert "RunConfigValidationInvalid" in fired.note
    assert "set run_config" in fired.note
    assert server.runs_of("refused-1") == []


def test_thousands_of_columns_make_a_short_tag(server):
    trigger = server.trigger()
    trigger.fire(asked("wide-1", columns=tuple(f"column-{number}" for number in range(3000))))
    assert ended(trigger, asked("wide-1")).state is RetrainState.SUCCEEDED
    told = json.loads((server.folder / "wide-1.json").read_text())
    assert len(told["columns"]) + told["omitted"]["columns"] == 3000


def test_several_jobs_of_a_name_are_refused_until_one_is_chosen(server):
    with pytest.raises(UserError, match=r"several have a job twin: first@others\.py, second@others\.py; set location"):
        server.trigger(job="twin").probe()
    assert server.trigger(job="twin", repository="second").probe().startswith("job twin (second@others.py)")


def test_an_unknown_job_is_refused_with_what_to_do(server):
    trigger = server.trigger(job="nowhere")
    assert trigger.fire(asked("nowhere-1")).state is RetrainState.REFUSED
    with pytest.raises(UserError, match="no code location that is loaded has a job nowhere; correct job"):
        trigger.probe()


def test_a_server_that_is_away_is_asked_again(server):
    trigger = server.trigger(url=f"http://127.0.0.1:{free_port()}")
    assert trigger.fire(asked("away-1")).state is RetrainState.REQUESTED
    with pytest.raises(UnavailableError):
        trigger.probe()


def test_a_dry_run_starts_nothing(server):
    fired = server.trigger().fire(asked("dry-1"), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert '"dry-1"' in fired.note
    assert server.runs_of("dry-1") == []
