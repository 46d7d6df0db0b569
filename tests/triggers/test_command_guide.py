"""The examples of ``docs/howto/retraining.md`` run: make, ``dvc exp run`` and ``dvc repro``."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from retrain_factory import asked

from monitor.config.reading import read_text
from monitor.core.retrain import RetrainState
from monitor.triggers.command import Command
from tests.worlds import CONFIG

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "retraining.md").read_text("utf-8")
DVC = shutil.which("dvc") or shutil.which("dvc", path=str(ROOT / ".orchestrators" / "dvc" / "bin"))


def blocks(language, part=PAGE):
    return re.findall(rf"^```{language}\n(.*?)^```", part, re.MULTILINE | re.DOTALL)


def section(title):
    return re.search(rf"^### {title}\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def trigger(title, folder, **env):
    """Return the trigger that a section configures, for a pipeline in a folder."""
    (text,) = blocks("yaml", section(title))
    whole = CONFIG.replace("notifiers:", f"{text}notifiers:")
    configured = read_text(whole).models["churn"].retrain.trigger
    named = {"argv": configured.argv, "cwd": str(folder), "state": str(folder.parent / "state"), "env": env}
    return Command.model_validate(named, context={"folder": folder})


@pytest.fixture
def pipeline(tmp_path):
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "train.py").write_text(blocks("python")[0])
    (folder / "Makefile").write_text(blocks("makefile")[0])
    (folder / "train.sh").write_text(blocks("bash")[0])
    for text in blocks("yml"):
        (folder / re.match(r"# (\S+)\n", text)[1]).write_text(text)
    return folder


@pytest.fixture
def repository(pipeline):
    """The pipeline as a repository of git and DVC; the environment that its commands need."""
    if DVC is None or shutil.which("git") is None:
        pytest.skip("no dvc here (python -m tests.orchestrators.install dvc) or no git")
    env = {
        "PATH": f"{Path(DVC).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(pipeline.parent),
        "DVC_NO_ANALYTICS": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{role}_{part}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for part in ("NAME", "EMAIL")},
    }
    for words in (["git", "init", "-q"], ["dvc", "init", "-q"], ["git", "add", "."], ["git", "commit", "-qm", "first"]):
        subprocess.run(words, cwd=pipeline, env={**os.environ, **env}, check=True, capture_output=True)
    return env


def trained(pipeline):
    return json.loads((pipeline / "model.json").read_text())["trained_for"]


def test_make_trains_what_it_is_asked_for(pipeline):
    if shutil.which("make") is None:
        pytest.skip("no make here")
    request = asked("churn-1a2b3c4d-1")
    assert trigger("make", pipeline).fire(request).state is RetrainState.SUCCEEDED
    assert trained(pipeline) == request.key


def test_an_experiment_of_dvc_has_the_request_s_name(pipeline, repository):
    request = asked("churn-1a2b3c4d-1")
    fired = trigger("dvc exp run", pipeline, **repository).fire(request)
    assert fired.state is RetrainState.SUCCEEDED, fired.note
    assert trained(pipeline) == request.key
    assert request.as_json()["window"]["end"] in (pipeline / "params.yaml").read_text()
    listed = subprocess.run(
        [DVC, "exp", "list", "--name-only"], cwd=pipeline, env={**os.environ, **repository}, check=True, capture_output=True, text=True
    )  # fmt: skip
    assert listed.stdout.split() == [request.key]


def test_dvc_refuses_a_name_that_it_has_though_leeway_s_record_is_lost(pipeline, repository):
    request = asked("churn-1a2b3c4d-1")
    experiments = trigger("dvc exp run", pipeline, **repository)
    experiments.fire(request)
    shutil.rmtree(pipeline.parent / "state")
    again = experiments.fire(request)
    assert again.state is RetrainState.FAILED
    assert "conflicts with existing experiment" in again.note


def test_dvc_repro_trains_though_nothing_but_the_world_has_changed(pipeline, repository):
    repro = trigger("dvc repro", pipeline, **repository)
    for key in ("churn-1a2b3c4d-1", "churn-1a2b3c4d-2"):
        fired = repro.fire(asked(key))
        assert fired.state is RetrainState.SUCCEEDED, fired.note
        assert trained(pipeline) == key


def test_a_pipeline_that_refuses_its_model_fails_the_retraining(pipeline):
    (pipeline / "train.py").write_text("raise SystemExit('the new model is worse')")
    if shutil.which("make") is None:
        pytest.skip("no make here")
    fired = trigger("make", pipeline).fire(asked("churn-1a2b3c4d-1"))
    assert fired.state is RetrainState.FAILED
    assert "the new model is worse" in fired.note
