"""Documentation under test: its commands exist, its links lead somewhere, its snippets are valid."""

import re
import shlex
from pathlib import Path

import click
import pytest

from monitor.cli import COMMANDS, cli
from monitor.config.reading import read_text
from tests.worlds import CONFIG

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language):
    for page in PAGES:
        for found in BLOCK.finditer(page.read_text("utf-8")):
            if found[1] == language:
                yield page.relative_to(ROOT), found[2]


def commands():
    for page, text in blocks("sh"):
        for line in text.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["monitor"]:
                yield pytest.param(words[1:], id=f"{page}: {' '.join(words)[:60]}")


@pytest.mark.parametrize("words", list(commands()))
def test_every_command_in_the_documentation_is_one_that_exists(words):
    context, command = None, cli
    while isinstance(command, click.Group) and words:
        context = command.make_context("monitor", [], parent=context, resilient_parsing=True)
        command = command.get_command(context, words[0])
        assert command is not None, words
        words = words[1:]
    command.make_context("monitor", list(words), parent=context, resilient_parsing=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_documentation_leads_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_stands_in_the_readme(name):
    assert re.search(rf"`[^`]*\b{name}\b[^`]*`", (ROOT / "README.md").read_text("utf-8"))


def test_the_first_two_commands_of_the_readme_set_everything_up():
    text = (ROOT / "README.md").read_text("utf-8")
    demo, tests = (re.search(rf"<!-- {kind}-command -->\n```sh\n(.+)\n```", text)[1] for kind in ("demo", "test"))
    assert demo.startswith("python3 -m venv .venv && ")
    assert demo.endswith("monitor demo")
    assert tests.startswith("python3 -m venv .venv && ")
    assert "pytest" in tests


@pytest.mark.parametrize(
    ("page", "text"), list(blocks("yaml")), ids=lambda value: str(value) if isinstance(value, Path) else ""
)
def test_every_snippet_of_configuration_is_valid(page, text, monkeypatch):
    monkeypatch.setenv("SLACK_TOKEN", "xoxb-1")
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    monkeypatch.setenv("SPARK_REMOTE", "sc://spark.example.org:15002")
    monkeypatch.setenv("S3_SECRET", "secret")
    monkeypatch.setenv("AIRFLOW_PASSWORD", "secret")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("KUBERNETES_TOKEN", "secret")
    if text.startswith("notifiers:"):
        whole = CONFIG.replace("notifiers:\n  log: stdout\n", text)
    elif text.startswith("    retrain:"):
        whole = CONFIG.replace("notifiers:", f"{text}notifiers:")
    elif text.startswith("    logs:"):
        rest = "    reference: {file: reference.parquet}\n"
        whole = f"store: sqlite:///monitor.db\nmodels:\n  model:\n{text}{rest}"
    elif text.startswith("    schedule:"):
        given = re.search(r"^    schedule: .*\n", CONFIG, re.MULTILINE)[0]
        whole = CONFIG.replace(given, text)
    elif text.startswith(("web:", "ping:", "canary:", "retention:", "fallback:")):
        whole = f"{text}\n{CONFIG}"
    elif text.startswith("checks:"):
        whole = CONFIG.replace("    checks: auto\n", "".join(f"    {line}\n" for line in text.splitlines()))
    elif text.startswith("- "):
        listed = "".join(f"      {line}\n" for line in text.splitlines())
        whole = CONFIG.replace("    checks: auto\n", f"    checks:\n{listed}")
    else:
        whole = text
    assert read_text(whole).models


def test_no_page_names_a_path_of_one_machine():
    for page in PAGES:
        assert not re.search(r"/(work|root|home)/[a-z]", page.read_text("utf-8")), page
