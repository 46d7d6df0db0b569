"""The programs' text: nowhere is data run as code, a shell started, YAML read with tags, or a secret sent along."""

import ast
import re
from pathlib import Path

import pytest

import monitor

ROOT = Path(monitor.__file__).parents[1]
SOURCES = sorted(path for folder in ("checks", "monitor", "migrations") for path in (ROOT / folder).rglob("*.py"))
FORBIDDEN_MODULES = {
    "pickle",
    "cPickle",
    "dill",
    "cloudpickle",
    "joblib",
    "marshal",
    "shelve",
    "code",
    "pty",
    "telnetlib",
}
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "input", "os.system", "os.popen", "pty.spawn", "subprocess.getoutput",
    "subprocess.getstatusoutput", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "tempfile.mktemp", "pd.read_pickle",
    "pandas.read_pickle", "np.fromfile", "pa.register_extension_type", "pa.deserialize", "requests.get", "requests.post",
}  # fmt: skip
MODULES_BY_NAME = {
    "monitor/cli/__init__.py",
    "checks/catalogue.py",
    "monitor/config/extensions.py",
}  # of fixed packages


def trees():
    for path in SOURCES:
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))


def calls(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def test_no_module_that_runs_data_is_imported():
    found = [
        (path, name)
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in FORBIDDEN_MODULES
    ]
    assert found == []


def test_nothing_runs_data_or_reads_yaml_with_tags():
    assert [(path, name) for path, tree in trees() for name, _ in calls(tree) if name in FORBIDDEN_CALLS] == []


def test_numpy_is_never_allowed_to_unpickle():
    loads = [(path, call) for path, tree in trees() for name, call in calls(tree) if name in ("np.load", "numpy.load")]
    assert loads
    for path, call in loads:
        allowed = [keyword.value for keyword in call.keywords if keyword.arg == "allow_pickle"]
        assert [value.value for value in allowed if isinstance(value, ast.Constant)] == [False], path


def test_no_process_is_started_by_a_shell():
    for path, tree in trees():
        for name, call in calls(tree):
            if name.startswith("subprocess."):
                assert "shell" not in {keyword.arg for keyword in call.keywords}, path


def test_modules_are_imported_by_name_from_our_own_packages_alone():
    found = {path for path, tree in trees() for name, _ in calls(tree) if name.endswith("import_module")}
    assert found <= MODULES_BY_NAME


def test_templates_escape_and_mark_as_safe_nothing_but_our_own_drawings():
    marked = [
        (path.name, found)
        for path in (ROOT / "monitor").rglob("*.j2")
        for found in re.findall(r"\{\{([^}]*)\|\s*safe", path.read_text("utf-8"))
    ]
    assert {expression.strip() for _, expression in marked} <= {
        "lane.strip", "column.picture", "column.timeline", "column.fan", "one.svg", "picture.svg", "row.strip", "chart", "strip",
    }, marked  # fmt: skip
    assert not [path for path in (ROOT / "monitor").rglob("*.j2") if "autoescape false" in path.read_text("utf-8")]


@pytest.mark.parametrize("word", ["telemetry", "sentry_sdk", "posthog", "segment.io", "mixpanel"])
def test_nothing_reports_to_anybody(word):
    assert [path for path in SOURCES if word in path.read_text("utf-8").lower()] == []
