"""What stands in deploy/prometheus, in the eyes of promtool and of the documentation."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"
PAGE = Path(__file__).parents[2] / "docs/howto/monitoring-leeway.md"


def alerts():
    return yaml.safe_load((FOLDER / "leeway.rules.yml").read_text("utf-8"))["groups"][0]["rules"]


@pytest.fixture
def promtool(tmp_path):
    """Run promtool in a copy of the folder; gives what it says when it finds something wrong."""
    if shutil.which("promtool") is None:
        pytest.skip("no promtool is installed (Debian: prometheus)")
    shutil.copytree(FOLDER, tmp_path / "prometheus")
    (tmp_path / "prometheus/leeway.token").write_text("a-token-of-sixteen-and-more")

    def run(*words):
        done = subprocess.run(
            ["promtool", *words], cwd=tmp_path / "prometheus", capture_output=True, text=True, check=False
        )
        return "" if done.returncode == 0 else done.stdout + done.stderr

    return run


def test_the_rules_are_rules(promtool):
    assert promtool("check", "rules", "leeway.rules.yml") == ""


def test_every_alert_comes_when_it_should_and_not_while_all_is_well(promtool):
    assert promtool("test", "rules", "leeway.rules.test.yml") == ""


def test_the_example_is_a_configuration(promtool):
    assert promtool("check", "config", "prometheus.yml") == ""


def test_every_alert_is_tested():
    tests = (FOLDER / "leeway.rules.test.yml").read_text("utf-8")
    assert [rule["alert"] for rule in alerts() if f'alertname="{rule["alert"]}"' not in tests] == []


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_and_what_to_do_and_stands_in_the_documentation(rule):
    assert set(rule["annotations"]) == {"summary", "runbook"}
    assert len(rule["annotations"]["runbook"]) > 100
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert f"| `{rule['alert']}` |" in PAGE.read_text("utf-8")


def test_the_rules_name_metrics_that_there_are():
    used = {name for rule in alerts() for name in re.findall(r"\bleeway_\w+", rule["expr"])}
    told = PAGE.read_text("utf-8")
    assert [name for name in used if f"`{name}" not in told] == []
