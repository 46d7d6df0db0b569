"""MLflow's registry and the trigger that moves an alias, against a real server with users, files and webhooks."""

import json
import os
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.retrain import RetrainState
from monitor.registries.mlflow import Mlflow
from monitor.testing import FakeWebhook
from monitor.triggers.mlflow import Mlflow as MlflowTrigger
from tests.orchestrators import guide
from tests.orchestrators.cutting import Cutting
from tests.orchestrators.processes import Processes, ask, awaited, free_port
from tests.registries.mlflow_contract import MlflowContract, back, registry, rows_of, trigger

USER, PASSWORD = "leeway", "a-password-of-a-server"
FLIGHTS = Path(__file__).parents[3] / "shared" / "data" / "flights" / "reference.parquet"
WEBHOOK_SECRET = "any text that MLflow is given"


@dataclass(frozen=True)
class Server:
    url: str
    port: int
    folder: Path
    programs: Path
    processes: Processes

    @property
    def authorization(self):
        return {"Authorization": f"Basic {b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}"}

    def ask(self, path, body=None):
        return ask(f"{self.url}/api/2.0/mlflow/{path}", body, self.authorization)

    def python(self, *argv):
        """Run Python where MLflow's client is installed."""
        return self.processes.run(self.programs / "python", *argv)


@dataclass(frozen=True)
class RealWorld:
    """A model that is registered by the server's API alone, which is faster than training one."""

    server: Server
    name: str

    @property
    def options(self) -> dict[str, Any]:
        return {"url": self.server.url, "username": USER, "password": PASSWORD}

    wrong = {"password": "a-wrong-password"}  # noqa: RUF012 - no field

    def register(self, files=None, datasets=(), *, run=True):
        ask = self.server.ask
        if not self._known():
            ask("registered-models/create", {"name": self.name})
        made = {"name": self.name, "source": "s3://bucket/model"}
        if run:
            info = ask("runs/create", {"experiment_id": "0"})["run"]["info"]
            made = {"name": self.name, "source": f"{info['artifact_uri']}/model", "run_id": info["run_id"]}
            root = info["artifact_uri"].removeprefix("mlflow-artifacts:/")
            for path, content in (files or {}).items():
                self._put(f"{root}/{path}", content)
            logged = [
                {
                    "tags": [{"key": "mlflow.data.context", "value": context}],
                    "dataset": {
                        "name": name,
                        "digest": uuid4().hex[:8],
                        "source_type": kind,
                        "source": json.dumps(source),
                    },
                }
                for name, context, kind, source in datasets
            ]
            if logged:
                ask("runs/log-inputs", {"run_id": info["run_id"], "datasets": logged})
        return ask("model-versions/create", made)["model_version"]["version"]

    def point(self, version, alias="champion"):
        self.server.ask("registered-models/alias", {"name": self.name, "alias": alias, "version": version})

    def tags(self, version):
        return {tag["key"]: tag["value"] for tag in self._version(version).get("tags", ())}

    def run(self, version):
        return self._version(version)["run_id"]

    def _version(self, version):
        return self.server.ask(f"model-versions/get?name={self.name}&version={version}")["model_version"]

    def _known(self):
        try:
            return self.server.ask(f"registered-models/get?name={self.name}")
        except OSError:
            return None

    def _put(self, path, content):
        url = f"{self.server.url}/api/2.0/mlflow-artifacts/artifacts/{quote(path)}"
        request = urllib.request.Request(url, content, self.server.authorization, method="PUT")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200


@pytest.fixture(scope="module")
def server(serving):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_TRACKING_URI": url,
        "MLFLOW_TRACKING_USERNAME": USER,
        "MLFLOW_TRACKING_PASSWORD": PASSWORD,
        "MLFLOW_FLASK_SERVER_SECRET_KEY": "a-key-of-a-server",
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        "MLFLOW_WEBHOOK_CACHE_TTL": "0",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GIT_PYTHON_REFRESH": "quiet",
    }
    processes, folder, programs = serving("mlflow", **settings)
    processes.environ["MLFLOW_AUTH_CONFIG_PATH"] = str(folder / "auth.ini")
    (folder / "auth.ini").write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{folder}/auth.db\n"
        f"admin_username = {USER}\nadmin_password = {PASSWORD}\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
        "auth_cache_ttl_seconds = 600\n"  # to compare a password takes a third of a second
    )
    server = Server(url, port, folder, programs, processes)
    processes.start(
        *("server", programs / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--app-name", "basic-auth", "--backend-store-uri", f"sqlite:///{folder}/mlflow.db"),
        *("--artifacts-destination", str(folder / "artifacts")),
    )
    processes.up(lambda: server.ask("registered-models/search"), 180, "MLflow's server")
    return server


@pytest.fixture
def world(server):
    return RealWorld(server, f"model-{uuid4().hex[:8]}")


class TestRealServer(MlflowContract):
    """What holds of the stand-in holds of the real server."""


@pytest.fixture(scope="module")
def trained(server):
    """Two versions by the guide's own script, the second of which serves."""
    (server.folder / "train.py").write_text(guide.code("Training", page="mlflow"))
    for rows in (1000, 2000):
        pq.write_table(_flights(rows), server.folder / "rows.parquet")
        assert "version" in server.python("train.py", "rows.parquet", "label")
    return RealWorld(server, "delays")


def _flights(rows):
    if FLIGHTS.exists():
        return pq.read_table(FLIGHTS).slice(0, rows)
    rng = np.random.default_rng(1)
    return pa.table(
        {"distance": rng.normal(900, 300, rows), "hour": rng.integers(0, 24, rows), "label": rng.integers(0, 2, rows)}
    )


def test_the_guides_training_makes_the_version_that_serves(trained):
    assert registry(trained).serving().version == "2"
    assert registry(trained).serving().source.startswith("models:/m-")


@pytest.mark.parametrize(("version", "rows"), [("1", 1000), ("2", 2000)])
def test_the_guides_training_keeps_a_reference_for_each_version(trained, tmp_path, version, rows):
    found = registry(trained).fetch_artifact(version, "reference.parquet", tmp_path)
    assert rows_of(found) == rows
    assert "score" in pq.read_schema(found).names


def test_the_guides_training_names_its_data_set(trained, tmp_path):
    assert registry(trained).fetch_dataset("2", "training", tmp_path) == trained.server.folder / "rows.parquet"
    assert registry(trained).fetch_dataset("2", "flights", tmp_path) == trained.server.folder / "rows.parquet"


def test_files_of_a_logged_model_are_reached(trained, tmp_path):
    from monitor.registries._artifacts import Place

    model = registry(trained).serving().source.removeprefix("models:/")
    api = registry(trained)._api
    assert "MLmodel" in {entry["path"] for entry in Place.of_model(model).entries(api, "")}
    api.download(f"{Place.of_model(model).getting}MLmodel", tmp_path / "MLmodel")
    assert model in (tmp_path / "MLmodel").read_text()


def test_mlflows_own_client_reads_our_tags(trained):
    registry(trained).tag("2", {"leeway.drift": "firing", "leeway.incident": "delays-1a2b3c4d"})
    told = trained.server.python(
        "-c", "import json, mlflow; print(json.dumps(mlflow.MlflowClient().get_model_version('delays', '2').tags))"
    )
    assert json.loads(told.splitlines()[-1]) == {"leeway.drift": "firing", "leeway.incident": "delays-1a2b3c4d"}


def test_mlflows_own_client_loads_the_former_version_after_rolling_back(trained):
    assert trigger(trained).fire(back("2", "1")).state is RetrainState.SUCCEEDED
    told = trained.server.python(
        "-c", "import mlflow; print(mlflow.MlflowClient().get_model_version_by_alias('delays', 'champion').version)"
    )
    assert told.splitlines()[-1] == "1"
    trained.point("2")


def test_an_answer_that_is_lost_is_found_done(world):
    former, latter = world.register(), world.register()
    world.point(latter)
    with Cutting(world.server.port) as proxy:
        through = trigger(world, url=f"http://127.0.0.1:{proxy.port}")
        proxy.cut = b"POST /api/2.0/mlflow/registered-models/alias"
        fired = through.fire(back(latter, former))
        assert (fired.state, proxy.cuts) == (RetrainState.UNKNOWN, 1)
        assert through.find(back(latter, former)).state is RetrainState.SUCCEEDED
    assert registry(world).serving().version == former


def test_a_user_who_may_only_read_follows_but_does_not_roll_back(world):
    former, latter = world.register(), world.register()
    world.point(latter)
    world.server.ask("users/create", {"username": world.name, "password": "a-long-password"})
    reader = {"username": world.name, "password": "a-long-password"}
    assert registry(world, **reader).serving().version == latter
    fired = trigger(world, **reader).fire(back(latter, former))
    assert fired.state is RetrainState.REFUSED
    assert "HTTP 403" in fired.note
    assert registry(world).serving().version == latter


def test_a_host_that_the_server_does_not_know_is_quoted(world):
    assert "Invalid Host header" in _failure(lambda: registry(world, headers={"Host": "elsewhere.example"}).serving())


def _failure(call):
    with pytest.raises(Exception, match="MLflow at") as raised:
        call()
    return str(raised.value)


@pytest.fixture
def receiver(world):
    """What the guide's own script lets the server post to, while it is there."""
    with FakeWebhook() as receiver:
        (world.server.folder / "webhook.py").write_text(guide.code("Webhooks instead of waiting", page="mlflow"))
        world.server.python("webhook.py", f"{receiver.url}/moved", WEBHOOK_SECRET)
        yield receiver
        world.server.python(
            "-c", "import mlflow\nc = mlflow.MlflowClient()\nfor w in c.list_webhooks(): c.delete_webhook(w.webhook_id)"
        )


def test_the_servers_own_webhook_is_believed_and_names_the_version(world, receiver):
    world.register()
    world.point(world.register())
    received = awaited(lambda: next(iter(receiver.requests), None), 30, "a webhook")
    following = registry(world, webhook_secret=WEBHOOK_SECRET)
    assert following.moved(received.headers, received.body, datetime.now(UTC)) == "2"
    with pytest.raises(ValueError, match="not the secret's"):
        registry(world, webhook_secret="another").moved(received.headers, received.body, datetime.now(UTC))
    assert (
        registry(world, alias="challenger", webhook_secret=WEBHOOK_SECRET).moved(
            received.headers, received.body, datetime.now(UTC)
        )
        is None
    )


def test_the_options_of_the_guide_are_those_of_the_classes():
    from monitor.config.reading import read_text

    model = read_text(guide.blocks("What it takes", "yaml", "mlflow")[0], environ=dict(os.environ)).models["delays"]
    assert isinstance(model.versions.mlflow, Mlflow)
    assert isinstance(model.rollback.trigger, MlflowTrigger)
    assert model.reference.mlflow.artifact == "reference.parquet"
