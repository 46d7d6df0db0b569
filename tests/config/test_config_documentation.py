"""The example and the reference documentation say what the code does."""

import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from monitor.config.document import plain_data
from monitor.config.documenting import reference
from monitor.config.extensions import discover, nested
from monitor.config.models import Config, PlannedCheck
from monitor.config.parsing import parse
from monitor.config.reading import read
from monitor.config.schema import schema

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.yaml"
PARTS = [part for part in (Config, *nested(Config)) if part is not PlannedCheck]
KEYS = sorted({(part.__name__, name) for part in PARTS for name in part.model_fields})


@pytest.fixture(scope="module")
def example():
    return EXAMPLE.read_text("utf-8")


def test_the_example_is_valid():
    assert "flights" in read(EXAMPLE, environ={}).models


def test_the_example_fits_the_schema(example):
    root, _ = parse(example)
    jsonschema.validate(plain_data(root, lambda scalar: scalar.value), schema())


@pytest.mark.parametrize(("part", "key"), KEYS)
def test_the_example_mentions_every_key(example, part, key):
    assert re.search(rf"^[\s#]*((\w+:|-) {{.*)?\b{key}:|`{key}`", example, re.MULTILINE), f"{key} of {part}"


def test_every_line_of_the_example_that_is_commented_out_is_right(example, tmp_path):
    alternatives = ("query", "period", "mlflow:", "dvc:", "settle", "pin", "versions", "link:")
    lines = []
    for line in example.splitlines():
        option = re.match(r"(\s*)# (?:  )*(?:[a-z_]\w*:|- [{\w])", line)
        wanted = option and not any(f"# {other}" in line for other in alternatives) and "team:" not in line
        lines.append(line.replace("# ", "", 1) if wanted else line)
    path = tmp_path / "config.yaml"
    path.write_text("\n".join(lines), "utf-8")
    model = read(path, environ={}).models["flights"]
    assert (model.labels is not None, model.sample, model.version) == (True, 500, "model_version")
    assert (model.calendar.holidays, len(model.calendar.exclude)) == ("US", 1)


def test_the_reference_on_disk_is_up_to_date():
    assert (ROOT / "docs" / "configuration.md").read_text("utf-8") == reference(), "run `make docs`"


def test_the_reference_names_every_key():
    page = reference()
    assert [key for _, key in KEYS if f"| `{key}` |" not in page] == []


def test_the_items_of_a_list_have_a_section_but_checks_have_a_chapter():
    page = reference()
    assert "\n### models.NAME.calendar.exclude\n" in page
    assert "\n### models.NAME.checks\n" not in page


def test_the_reference_names_everything_that_is_installed():
    found, page = discover(), reference()
    names = [*found.checks, *found.sources, *found.notifiers, *found.triggers]
    assert [name for name in names if f"\n### {name}\n" not in page] == []


def test_the_examples_of_checks_are_valid(extensions):
    page = reference(extensions)
    assert "### ks\n\nThe largest gap.\n" in page
    assert "- `tolerance`: share of rows.\n- `edges`: number of edges.\n" in page
    assert "```yaml\n- ks: {tolerance: 0.1}\n```" in page


def test_the_documented_list_of_checks_is_valid(tmp_path):
    items = yaml.safe_load(reference().partition("\n## Checks\n")[2].partition("```yaml\n")[2].partition("```")[0])[
        "checks"
    ]
    path = tmp_path / "config.yaml"
    document = {"models": {"m": {"logs": {"path": "l", "time": "t"}, "reference": "r", "checks": items}}}
    path.write_text(yaml.safe_dump(document), "utf-8")
    assert "freshness" not in {check.name for check in read(path, environ={}).models["m"].checks}


@pytest.mark.parametrize(("name", "entry"), sorted(discover().checks.items()))
def test_the_example_of_an_installed_check_is_valid(name, entry, tmp_path):
    page = reference()
    section = page.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    items = yaml.safe_load(section.partition("```yaml\n")[2].partition("```")[0])
    path = tmp_path / "config.yaml"
    document = {"models": {"m": {"logs": {"path": "l", "time": "t"}, "reference": "r", "checks": items}}}
    path.write_text(yaml.safe_dump(document), "utf-8")
    assert {check.name for check in read(path, environ={}).models["m"].checks} == {name}


def test_checking_a_configuration_loads_nothing_heavy():
    code = (
        "import sys; from monitor.config.reading import read; from monitor.config.schema import schema; "
        "from monitor.config.showing import as_yaml; config = read('config.yaml'); as_yaml(config); schema(); "
        "print([name for name in ('pandas', 'scipy', 'sqlalchemy', 'evidently', 'duckdb', 'slack_sdk', 'jinja2') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
