"""The whole story, with a real Prefect and a real MLflow: from drift to a new version, and from a worse one back."""

import io
import re
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.incident import State
from monitor.core.proof import Outcome
from monitor.core.retrain import Action, RetrainState
from monitor.testing import FakeSlack
from monitor.testing.slack import APP_TOKEN, CHANNEL, TOKEN
from tests.orchestrators.processes import Processes, ask, free_port
from tests.orchestrators.story import DAY, HOUR, Story, rows, write
from tests.orchestrators.test_real_mlflow import PASSWORD, USER, RealWorld
from tests.orchestrators.test_real_mlflow import server as mlflow  # noqa: F401 - a fixture, started for this module too
from tests.registries.mlflow_contract import registry
from tests.worlds import REFERENCE_DAYS, ROWS_A_DAY, START

ANNA = "0anna (U0ANNA)"

CONFIG = """\
store: sqlite:///monitor.db
canary: off
tick: 0.2s
models:
  NAME:
    logs: {url: sqlite:///logs.db, table: predictions, time: ts, id: id}
    schedule: {every: 1d, delay: 1h, start: 2026-01-05T00:00:00Z}
    versions:
      mlflow: {url: "MLFLOW", name: NAME, alias: champion, username: USER, password: PASSWORD}
    reference:
      mlflow: {artifact: reference.parquet}
    checks: auto
    MORE
notifiers:
  team: {slack: {token: TOKEN, channel: CHANNEL, app_token: APP, base_url: "SLACK"}}
"""

LABELS_AND_BACK = """score: score
    labels: {table: outcomes, id: id, label: churned, time: known_at}
    rollback:
      trigger:
        mlflow: {url: "MLFLOW", name: NAME, username: USER, password: PASSWORD}"""

# What the team has in Prefect: a flow that is told by Leeway why it runs.
FLOW = '''
"""flow.py: serves the deployment train/leeway."""

import json
import os
import subprocess

from prefect import flow


@flow(log_prints=True)
def train(leeway: dict):
    since, until = leeway["window"]["start"], leeway["requested_at"]
    print(f"training {leeway['model']} on the rows since {since}, because of {leeway['incident']}")
    subprocess.run([os.environ["TRAINING"], "train.py", leeway["model"], since, until], check=True)


if __name__ == "__main__":
    train.serve(name="leeway")
'''

# And what that flow runs, by a Python that has MLflow and scikit-learn.
TRAIN = '''
"""train.py MODEL SINCE UNTIL: fits on rows of the log, registers the version with them, and lets it serve."""

import sqlite3
import sys

import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression

model, since, until = sys.argv[1:]
with sqlite3.connect("logs.db") as log:
    query = "SELECT * FROM predictions WHERE ts >= datetime(?) AND ts < datetime(?)"
    rows = pd.read_sql(query, log, params=(since, until), parse_dates={"ts": {"utc": True}})

with mlflow.start_run():
    classifier = LogisticRegression().fit(rows[["age", "amount"]], rows["plan"] == "basic")
    rows.to_parquet("reference.parquet")
    mlflow.log_artifact("reference.parquet")
    logged = mlflow.sklearn.log_model(classifier, name="model", registered_model_name=model)

mlflow.MlflowClient().set_registered_model_alias(model, "champion", logged.registered_model_version)
'''


@dataclass(frozen=True)
class Prefect:
    url: str
    processes: Processes

    def runs(self, key):
        return ask(f"{self.url}/flow_runs/filter", {"flow_runs": {"idempotency_key": {"any_": [key]}}})


@pytest.fixture(scope="module")
def prefect(serving, mlflow):  # noqa: F811 - the fixture above
    """A server of Prefect, and a process that serves the team's flow."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    processes, folder, programs = serving(
        "prefect",
        PREFECT_API_URL=url,
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
        PREFECT_RUNNER_POLL_FREQUENCY="1",
        PREFECT_LOGGING_TO_API_ENABLED="false",
        TRAINING=str(mlflow.programs / "python"),
        **{name: value for name, value in mlflow.processes.environ.items() if name.startswith(("MLFLOW_", "GIT_"))},
    )
    processes.start("server", programs / "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
    processes.up(lambda: ask(f"{url}/health"), 120, "Prefect's server")
    (folder / "flow.py").write_text(FLOW)
    (folder / "train.py").write_text(TRAIN)
    processes.start("flow", programs / "python", "flow.py")
    processes.up(lambda: ask(f"{url}/deployments/name/train/leeway")["status"] == "READY", 120, "the flow")
    return Prefect(url, processes)


@pytest.fixture
def slack():
    with FakeSlack() as server:
        yield server


@pytest.fixture
def begin(slack, mlflow):  # noqa: F811 - the fixture above
    """Write the configuration into a folder that has the log, and return the story that begins with it."""

    def make(folder, model, more, **values):
        text = CONFIG.replace("MORE", more)
        told = {"NAME": model, "MLFLOW": mlflow.url, "USER": USER, "PASSWORD": PASSWORD, "SLACK": slack.api}
        for name, value in {**told, "TOKEN": TOKEN, "CHANNEL": CHANNEL, "APP": APP_TOKEN, **values}.items():
            text = text.replace(name, value)
        (folder / "config.yaml").write_text(text, encoding="utf-8")
        return Story(folder, slack, model)

    return make


def test_drift_is_seen_a_person_approves_prefect_trains_and_the_drift_is_over(begin, slack, prefect, mlflow):  # noqa: F811 - as above
    folder = prefect.processes.folder
    write(folder / "logs.db", "predictions", rows(-REFERENCE_DAYS, REFERENCE_DAYS + 30, 1, drifts=5))
    # Version 1 was trained on the forty days before the story, and serves.
    since, until = (START - REFERENCE_DAYS * DAY).isoformat(), START.isoformat()
    mlflow.processes.run(mlflow.programs / "python", "train.py", "churn", since, until, cwd=folder)
    retrain = 'retrain: {mode: ask, trigger: {prefect: {url: "PREFECT", deployment: train/leeway}}}'
    story, registered = begin(folder, "churn", retrain, PREFECT=prefect.url), RealWorld(mlflow, "churn")
    calm = {"leeway.drift": "no drift seen", "leeway.last_check": "2026-01-28T00:00:00Z", "leeway.incident": ""}

    with story.watched():
        story.until(8)
        [incident] = story.incidents
        assert slack.press("leeway_ack", incident.id)
        story.pass_until(lambda: story.incident.acknowledged_by, "an acknowledgement")
        story.until(19)  # two weeks of the new world: enough to learn it from
        assert slack.press("leeway_retrain", incident.id)
        story.pass_until(lambda: story.request.state is RetrainState.SUCCEEDED, "the end of the run")
        story.pass_until(lambda: story.versions[-1].version == "2", "the new version")
        story.until(21)
        assert story.incident.state is State.FIRING, "two calm windows are no proof yet"
        story.until(22)
        assert story.incident.state is State.RESOLVED
        story.until(23)  # the first of these windows was not all of version 2, and proves nothing
        story.pass_until(lambda: registered.tags("2") == calm, "tags")

    # The record in Slack: one message, which says how it is now, and a thread, which says how that came about.
    [message] = slack.posts
    assert message["text"].startswith("RESOLVED · DRIFT · churn v2 · 1 of 3 columns: Median of age rose from ")
    key, page = f"{incident.id}-1", f"{prefect.url.removesuffix('/api')}/runs/flow-run/{story.request.run}"
    helped = (
        "Version 2 serves since 2026-01-24 01:* UTC. Against its own reference: age (location) 0.0* sd [-0.* sd, 0.* sd]"
        " over 3 windows; was 0.7* sd [0.6* sd, 0.* sd] against that of version 1. The drift is over."
    )
    assert like(story.said(message), [
        "What happened so far: mean 39.* to 4*.*, sd * (+0.* sd); no segment stands out",
        "A person acted",
        f"Retraining: {key} succeeded: Prefect at http://127.0.0.1 has it as run {key}: Completed ({page})",
        "Resolved: 3 calm windows in a row, the last one until 2026-01-27T00:00:00Z",
        f"Whether the new version helped: {helped}",
    ])  # fmt: skip
    assert like(story.timeline(message), [
        "2026-01-13 01:00 UTC  fired: *",
        f"2026-01-13 01:00 UTC  retraining proposed: `monitor retrain churn` approves {key}",
        f"2026-01-13 01:* UTC  acknowledged by {ANNA}",
        f"2026-01-24 01:* UTC  retraining requested by {ANNA}: {key}: *",
        f"2026-01-24 01:* UTC  retrain: {key} succeeded: *",
        "2026-01-27 01:00 UTC  resolved: *",
        f"2026-01-28 01:00 UTC  proof: {helped}",
    ])  # fmt: skip

    # What Prefect was asked for, once, and what it was told.
    [run] = prefect.runs(key)
    assert (run["id"], run["parameters"]["leeway"]) == (story.request.run, story.request.request.as_json())
    assert (story.request.url, story.request.request.requested_by) == (page, ANNA)
    assert story.incident.retrains == (key,)

    # Which version served when, and what each was judged against.
    assert [(entry.version, entry.how) for entry in story.versions] == [("1", "mlflow"), ("2", "mlflow")]
    assert story.served() == ["1"] * 19 + ["2"] * 4
    assert [len({run.reference_id for run in story.windows if run.served.version == v}) for v in "12"] == [1, 1]
    own = story.references[story.windows[-1].reference_id]
    assert (own["version"], own["span_start"]) == ("2", incident.onset), "trained on the rows since the drift"
    assert own["origin"].startswith("reference.parquet of version 2 in MLflow")
    assert story.versions[1].proof.drift.outcome is Outcome.BETTER

    # And what MLflow says of the former one; of the latter it has said so above.
    last = {"leeway.drift": "drift", "leeway.last_check": "2026-01-24T00:00:00Z", "leeway.incident": incident.id}
    assert registered.tags("1") == last


def test_a_version_that_is_worse_is_left_again_when_a_person_presses_the_button(begin, slack, mlflow, tmp_path):  # noqa: F811 - as above
    registered = RealWorld(mlflow, "risk")
    for seed in (1, 2):
        table = pa.table(scored(-REFERENCE_DAYS, REFERENCE_DAYS, seed)).drop_columns(["churned", "known_at"])
        pq.write_table(table, file := io.BytesIO())
        registered.register({"reference.parquet": file.getvalue()})
    registered.point("1")
    columns = scored(0, 30, 3, shuffled=(10, 12))  # in which version 2 serves, whose scores say nothing
    outcomes = {name: columns.pop(name) for name in ("churned", "known_at")}
    write(tmp_path / "logs.db", "predictions", columns)
    write(tmp_path / "logs.db", "outcomes", {"id": columns["id"], **outcomes})
    story = begin(tmp_path, "risk", LABELS_AND_BACK)

    with story.watched():
        story.until(1)  # when Leeway sees version 1 for the first time
        story.until(10)
        registered.point("2")  # somebody lets version 2 serve
        story.pass_until(lambda: story.versions[-1].version == "2", "the new version")
        story.until(12)  # by then the outcomes of two days are known
        [incident] = story.incidents
        assert slack.press("leeway_rollback", incident.id)
        story.pass_until(lambda: story.request.state is RetrainState.SUCCEEDED, "the way back")
        assert registry(registered).serving().version == "1"
        story.pass_until(lambda: story.versions[-1].version == "1", "the former version")
        story.until(14)
        story.pass_until(lambda: registered.tags("1")["leeway.last_check"] == "2026-01-19T00:00:00Z", "tags")

    [message] = slack.posts
    assert message["text"].startswith("RESOLVED · PERFORMANCE · risk v1: Version 2 is worse than version 1: ")
    key, page = f"{incident.id}-rollback-1", f"{mlflow.url}/#/models/risk/versions/1"
    worse = (
        "Version 2 serves since 2026-01-15 01:* UTC. auc 0.4* [0.4*, 0.5*] (5* rows) with version 2,"
        " 0.8* [0.8*, 0.8*] (2,* rows) with version 1 before (difference -0.* [-0.*, -0.*], 95%*). It is worse."
    )
    done = f"{key} succeeded: alias champion of risk in MLflow at http://127.0.0.1 points at version 1 ({page})"
    assert like(
        story.said(message),
        [f"What happened so far: {worse}", f"Rolling back: {done}", "Resolved: version 1 serves now"],
    )
    assert like(story.timeline(message), [
        "2026-01-17 01:00 UTC  fired: Version 2 serves since 2026-01-15 01:*",  # long lines are cut
        "2026-01-17 01:00 UTC  rollback proposed: `monitor rollback risk` goes back to version 1",
        f"2026-01-17 01:* UTC  rollback requested by {ANNA}: {key}: Version 2 serves since *",
        f"2026-01-17 01:* UTC  rollback: {done}",
        "2026-01-19 01:00 UTC  resolved: version 1 serves now",
    ])  # fmt: skip

    asked = story.request.request
    assert (asked.action, asked.version, asked.target, asked.requested_by) == (Action.ROLLBACK, "2", "1", ANNA)
    assert [entry.version for entry in story.versions] == ["1", "2", "1"]
    assert story.served() == ["1"] * 10 + ["2"] * 2 + ["1"] * 2
    first, second = story.windows[0].reference_id, story.windows[10].reference_id
    assert [run.reference_id for run in story.windows] == [first] * 10 + [second] * 2 + [first] * 2
    assert [story.references[each]["version"] for each in (first, second)] == ["1", "2"]
    assert registered.tags("2")["leeway.incident"] == incident.id
    assert registered.tags("1")["leeway.incident"] == ""


def scored(first_day, days, seed, shuffled=(0, 0)):
    """Rows with scores and what came of them an hour later; the scores of some days are those of other rows."""
    made = rows(first_day, days, seed)
    rng = np.random.default_rng(seed)
    chance = 1 / (1 + np.exp((40 - np.array(made["age"])) / 5))
    score, wrong = chance.copy(), slice(*(day * ROWS_A_DAY for day in shuffled))
    score[wrong] = rng.permutation(score[wrong])
    known = {
        "churned": (rng.random(len(chance)) < chance).astype(int).tolist(),
        "known_at": [t + HOUR for t in made["ts"]],
    }
    return {**made, "score": score.tolist(), **known}


def like(said, patterns):
    """Compare what was said line by line; a star stands for anything."""
    wrong = [
        (line, want)
        for line, want in zip_longest(said, patterns, fillvalue="")
        if not re.fullmatch(".*".join(map(re.escape, want.split("*"))), line)
    ]
    assert not wrong
    return True
