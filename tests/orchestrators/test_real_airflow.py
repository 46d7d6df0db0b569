"""The Airflow trigger against a real Airflow 3, and a real Airflow 2, whose scheduler runs DAGs."""

import json
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest

from monitor.core.errors import UnavailableError, UserError
from monitor.core.retrain import RetrainState
from tests.orchestrators import guide
from tests.orchestrators.cutting import Cutting
from tests.orchestrators.processes import Processes, ask, awaited, free_port
from tests.triggers.retrain_factory import asked

PASSWORD = "a-password-of-a-user"
OTHERS = """
from datetime import datetime
from pathlib import Path
from {package} import dag, task{param}

@dag(schedule=None, catchup=False, start_date=datetime(2026, 1, 1), params={{
    "model": Param("none", type="string"), "features": Param([], type="array"), "epochs": Param(1, type="integer")
}})
def refit():
    @task
    def fit(params=None):
        Path(__file__).with_name(params["model"] + ".fit").write_text(f"{{params['features']}} {{params['epochs']}}")
    fit()

@dag(schedule=None, catchup=False, start_date=datetime(2026, 1, 1))
def broken():
    @task
    def load(dag_run=None):
        raise ValueError(f"no rows for {{dag_run.conf['leeway']['model']}}")
    load()

@dag(schedule=None, catchup=False, start_date=datetime(2026, 1, 1), is_paused_upon_creation=True)
def resting():
    @task
    def fit():
        pass
    fit()

refit(), broken(), resting()
"""


@dataclass(frozen=True)
class Server:
    url: str
    port: int
    dags: Path
    api: str

    def trigger(self, number=0, **changes):
        return guide.trigger("Airflow", number, **{"url": self.url, "password": PASSWORD, "timeout": "60s", **changes})

    def ask(self, path, body=None):
        pair = f"leeway:{PASSWORD}"
        if self.api == "v1":
            headers = {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
        else:
            token = ask(f"{self.url}/auth/token", {"username": "leeway", "password": PASSWORD})["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
        return ask(f"{self.url}/api/{self.api}{path}", body, headers)

    def runs(self, dag):
        return [run["dag_run_id"] for run in self.ask(f"/dags/{dag}/dagRuns?limit=100")["dag_runs"]]


def settings(port: int) -> dict[str, str]:
    chosen = {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__PARALLELISM": "2",
        "USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCHEDULER__PARSING_PROCESSES": "1",
    }
    return {f"AIRFLOW__{name}": value for name, value in chosen.items()} | {"DO_NOT_TRACK": "1", "NO_COLOR": "1"}


def airflow3(serving) -> Server:
    port = free_port()
    own = {
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "leeway:user",
        "CORE__INTERNAL_API_SECRET_KEY": "a-secret-of-components",
        "API__WORKERS": "1",
        "API__SECRET_KEY": "a-secret-of-sessions",
        "API_AUTH__JWT_SECRET": "a-secret-that-is-long-enough-for-all-of-airflow-to-share-0123456789",
    }
    processes, folder, programs = serving("airflow", **settings(port), **{f"AIRFLOW__{k}": v for k, v in own.items()})
    processes.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] = str(folder / "passwords.json")
    (folder / "passwords.json").write_text(json.dumps({"leeway": PASSWORD}))
    dags = _dags(folder, guide.code("Airflow"), OTHERS.format(package="airflow.sdk", param=", Param"))
    processes.environ["AIRFLOW_HOME"] = str(folder)
    processes.run(programs / "airflow", "db", "migrate")
    processes.start("api", programs / "airflow", "api-server", "--host", "127.0.0.1", "--port", str(port))
    server = Server(f"http://127.0.0.1:{port}", port, dags, "v2")
    processes.up(lambda: server.ask("/version"), 240, "Airflow's API server")
    processes.start("scheduler", programs / "airflow", "scheduler", "--skip-serve-logs")
    processes.start("dags", programs / "airflow", "dag-processor")
    return _with_dags(processes, server)


def airflow2(serving) -> Server:
    port = free_port()
    own = {
        "CORE__EXECUTOR": "SequentialExecutor",
        "API__AUTH_BACKENDS": "airflow.api.auth.backend.basic_auth",
        "WEBSERVER__WORKERS": "1",
        "WEBSERVER__SECRET_KEY": "a-secret-of-sessions",
        "LOGGING__WORKER_LOG_SERVER_PORT": str(free_port()),
    }
    processes, folder, programs = serving("airflow2", **settings(port), **{f"AIRFLOW__{k}": v for k, v in own.items()})
    param = "\nfrom airflow.models.param import Param"
    dags = _dags(folder, guide.code("Airflow", 1), OTHERS.format(package="airflow.decorators", param=param))
    processes.environ["AIRFLOW_HOME"] = str(folder)
    airflow = programs / "airflow"
    processes.run(airflow, "db", "migrate")
    person = ("--firstname", "L", "--lastname", "W", "--email", "leeway@example.org", "--password", PASSWORD)
    processes.run(airflow, "sync-perm")  # makes the roles
    processes.run(airflow, "users", "create", "--username", "leeway", "--role", "User", *person)
    processes.start("web", airflow, "webserver", "--hostname", "127.0.0.1", "--port", str(port))
    server = Server(f"http://127.0.0.1:{port}", port, dags, "v1")
    processes.up(lambda: server.ask("/dags"), 240, "Airflow's web server")
    processes.start("scheduler", airflow, "scheduler", "--skip-serve-logs")
    return _with_dags(processes, server)


def _dags(folder: Path, train: str, others: str) -> Path:
    dags = folder / "dags"
    dags.mkdir()
    (dags / "train.py").write_text(train)
    (dags / "others.py").write_text(others)
    return dags


def _with_dags(processes: Processes, server: Server) -> Server:
    wanted = {"train", "refit", "broken", "resting"}
    processes.up(lambda: {dag["dag_id"] for dag in server.ask("/dags")["dags"]} >= wanted, 240, "DAGs")
    healthy = "/monitor/health" if server.api == "v2" else "/health"
    processes.up(lambda: server.ask(healthy)["scheduler"]["status"] == "healthy", 120, "a healthy scheduler")
    return server


@pytest.fixture(scope="module", params=[airflow3, airflow2], ids=["airflow 3", "airflow 2"])
def server(request, serving):
    return request.param(serving)


def ended(trigger, request):
    unsettled = (RetrainState.ACCEPTED, RetrainState.RUNNING)
    return awaited(
        lambda: (found := trigger.find(request)).state not in unsettled and found, 180, f"the end of {request.key}"
    )


def test_a_run_is_told_everything_and_is_followed_to_its_success(server):
    request = asked("told-1", link="https://leeway.example/reports/1", labels_available=True)
    fired = server.trigger().fire(request)
    assert fired.state is RetrainState.ACCEPTED, fired
    assert (fired.run, fired.retry_after is None) == ("leeway__told-1", False)
    found = ended(server.trigger(), request)
    assert (found.state, found.run, found.retry_after) == (RetrainState.SUCCEEDED, fired.run, None)
    assert json.loads((server.dags / "told-1.json").read_text()) == request.as_json()
    note = server.ask("/dags/train/dagRuns/leeway__told-1")["note"]
    assert note == "Leeway: shifted values in amount (https://leeway.example/reports/1)"


def test_the_same_key_twice_is_one_run(server):
    first, second = (server.trigger().fire(asked("twice-1")) for _ in range(2))
    assert first.run == second.run
    assert second.state in (RetrainState.ACCEPTED, RetrainState.RUNNING, RetrainState.SUCCEEDED)
    assert server.runs("train").count("leeway__twice-1") == 1


def test_an_answer_that_is_lost_is_found_and_asked_for_no_second_time(server):
    request = asked("lost-1")
    before = len(server.runs("train"))
    with Cutting(server.port) as proxy:
        trigger = server.trigger(url=f"http://127.0.0.1:{proxy.port}")
        proxy.cut = b"POST /api/" + server.api.encode() + b"/dags/train/dagRuns"
        fired = trigger.fire(request)
        assert (fired.state, proxy.cuts) == (RetrainState.UNKNOWN, 1)
        assert fired.retry_after is not None
        proxy.cut = None
        found = trigger.find(request)
        again = trigger.fire(request)
    assert found.run == again.run == "leeway__lost-1"
    assert len(server.runs("train")) == before + 1


def test_a_key_that_was_never_asked_for_is_not_found(server):
    assert server.trigger().find(asked("never-1")) is None


def test_a_run_that_fails_is_a_failure_that_names_the_task(server):
    trigger = server.trigger(dag="broken")
    fired = trigger.fire(asked("broken-1"))
    assert fired.state is RetrainState.ACCEPTED, fired
    found = ended(trigger, asked("broken-1"))
    assert found.state is RetrainState.FAILED
    assert found.note.endswith("has it as run leeway__broken-1: failed in load")


def test_a_conf_of_its_own_reaches_a_dag_with_params(server):
    trigger = server.trigger(1)
    fired = trigger.fire(asked("own-1"))
    assert fired.state is RetrainState.ACCEPTED, fired
    assert ended(trigger, asked("own-1")).state is RetrainState.SUCCEEDED
    assert (server.dags / "churn.fit").read_text() == "['amount', 'age'] 5"


def test_a_conf_that_does_not_fit_the_params_is_refused(server):
    trigger = server.trigger(1, conf={"model": "{model}", "epochs": "many"})
    fired = trigger.fire(asked("refused-1"))
    assert fired.state is RetrainState.REFUSED
    assert "HTTP 400" in fired.note
    assert "compare conf with the DAG's params" in fired.note
    assert trigger.find(asked("refused-1")) is None


def test_a_key_with_other_characters_is_a_run_as_well(server):
    request = asked("Kündigung/2026 (a)-1")
    fired = server.trigger(dag="resting").fire(request)
    assert fired.state is RetrainState.ACCEPTED
    assert server.trigger(dag="resting").find(request).run == fired.run


def test_a_paused_dag_takes_the_run_and_says_that_it_waits(server):
    trigger = server.trigger(dag="resting")
    fired, found = trigger.fire(asked("resting-1")), trigger.find(asked("resting-1"))
    assert fired.state is found.state is RetrainState.ACCEPTED
    for note in (fired.note, found.note, trigger.probe()):
        assert "but the DAG is paused" in note


def test_the_probe_says_what_would_run(server):
    assert server.trigger().probe() == f"DAG train of Airflow at http://127.0.0.1, API {server.api}"


def test_wrong_credentials_are_refused_with_what_to_do(server):
    trigger = server.trigger(password="something-else")
    fired = trigger.fire(asked("wrong-1"))
    assert fired.state is RetrainState.REFUSED
    assert f"HTTP {401 if server.api == 'v2' else 403}" in fired.note
    assert "compare username and password" in fired.note
    assert "something-else" not in fired.note + repr(trigger)
    with pytest.raises(UserError, match="compare username and password"):
        trigger.probe()


def test_nobody_without_credentials_is_let_in(server):
    with pytest.raises(UserError, match=r"HTTP 40[13]"):
        server.trigger(username=None, password=None).probe()


def test_an_unknown_dag_is_refused_with_what_to_do(server):
    trigger = server.trigger(dag="nowhere")
    assert trigger.fire(asked("nowhere-1")).state is RetrainState.REFUSED
    with pytest.raises(UserError, match="there is no DAG nowhere that this user may see; correct dag"):
        trigger.probe()


def test_a_server_that_is_away_is_asked_again(server):
    trigger = server.trigger(url=f"http://127.0.0.1:{free_port()}")
    assert trigger.fire(asked("away-1")).state is RetrainState.REQUESTED
    with pytest.raises(UnavailableError):
        trigger.probe()


def test_a_dry_run_starts_nothing(server):
    before = server.runs("train")
    fired = server.trigger().fire(asked("dry-1"), dry_run=True)
    assert fired.state is RetrainState.PROPOSED
    assert '"dag_run_id": "leeway__dry-1"' in fired.note
    assert server.runs("train") == before
