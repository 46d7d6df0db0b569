"""The examples of the how-tos, as the tests run them."""

import os
import re
import subprocess
import sys
from pathlib import Path

from monitor.config.reading import read_text
from tests.worlds import CONFIG

FOLDER = Path(__file__).parents[2] / "docs" / "howto"
SECRETS = {"GITHUB_TOKEN": "a-token-of-github", "KUBERNETES_TOKEN": "a-token-of-kubernetes"}


def blocks(page, language):
    """Return the blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", (FOLDER / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def configured(page, number=0):
    """Return the trigger that a page configures, as ``config check`` reads it."""
    whole = CONFIG.replace("notifiers:", f"{blocks(page, 'yaml')[number]}notifiers:")
    return read_text(whole, environ=SECRETS).models["churn"].retrain.trigger


def changed(trigger, **options):
    """Return a trigger with other options."""
    return type(trigger).model_validate({**dict(trigger), **options})


def train(page, folder, variables):
    """Run the page's ``train.py`` with variables, and return what it has written."""
    (folder / "train.py").write_text(blocks(page, "python")[0], "utf-8")
    environ = {"PATH": os.environ["PATH"], **variables}
    subprocess.run([sys.executable, "train.py"], cwd=folder, env=environ, check=True, capture_output=True)
    return (folder / "trained.json").read_text("utf-8")
