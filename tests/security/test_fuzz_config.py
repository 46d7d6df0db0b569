"""Mutated configurations and command lines: a configuration or its problems, soon, and no secret in any of them."""

import io
import sys
import time
from contextlib import redirect_stderr, redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli import COMMANDS, main
from monitor.config.errors import ConfigError
from monitor.config.models import Config
from monitor.config.reading import read, read_text
from monitor.config.showing import as_yaml
from tests.security.fuzzing import EXAMPLES, FRAGMENTS, hostile, tried

SECRETS = {
    "in the environment": "env-CANARY-7f3a9c",
    "password": "pw-CANARY-0b1d2e",
    "token": "xoxb-CANARY-5a6b7c",
    "app_token": "xapp-CANARY-9d8e7f",
    "web": "web-CANARY-token-1234",
    "ping": "https://hc.example/CANARY-ping",
    "hook": "https://hooks.example/CANARY-hook",
    "secret": "whsec_Q0FOQVJZc2VjcmV0c2VjcmV0c2VjcmV0",
    "variable": "CANARY-variable",
}
CONFIG = """\
store: postgresql+psycopg://leeway:pw-CANARY-0b1d2e@db/leeway
false_alarms: 1 per 30d
fallback: log
web: {host: 0.0.0.0, port: 8321, token: web-CANARY-token-1234}
ping: {url: https://hc.example/CANARY-ping, every: 1m}
canary: {every: 6h, notify: [team]}
retention: {samples: 30d}
models:
  churn:
    logs: &log {url: "postgresql://u:pw-CANARY-0b1d2e@db/logs?sslpassword=pw-CANARY-0b1d2e", table: predictions, time: ts, id: id, where: "x = 'y'"}
    reference: {file: reference.parquet, version: "7"}
    schedule: {every: 1d, delay: 1h, timezone: Europe/Berlin, start: 2026-01-05T00:00:00Z}
    columns: {include: [age, plan], importance: {age: 2}, kinds: {plan: categorical}}
    calendar: {holidays: DE}
    checks: [auto, {ks: {tolerance: 0.1}}, {null_rate: {columns: [age], threshold: 0.2}}]
    alerts: {open_after: 2}
    notify: [team, hook, log]
    retrain: {mode: ask, trigger: {command: {argv: [python3, train.py], env: {KEY: CANARY-variable, OTHER: "${OTHER}"}}}}
    sample: 100
  other:
    logs: *log
    reference: other.csv
notifiers:
  team:
    slack:
      token: xoxb-CANARY-5a6b7c
      app_token: xapp-CANARY-9d8e7f
      channel: "#alerts"
  hook: {webhook: {url: https://hooks.example/CANARY-hook, secret: whsec_Q0FOQVJZc2VjcmV0c2VjcmV0c2VjcmV0}}
  log: stdout
  third: {webhook: {url: "${HOOK}"}}
tick: 10s
"""
ENVIRON = {"HOOK": "https://x.example/env-CANARY-7f3a9c", "OTHER": "env-CANARY-7f3a9c"}
LONGEST = 2.0  # seconds
LINES = CONFIG.splitlines()
WORDS = ["slack", "token", "url", "secret", "models", "checks", "ks", "auto", "off", "null", "~", "true", "1d", "0", "-1",
         "1e999", "2026-01-05", "[]", "{}", "[", "}", ":", "- ", "&a", "*a", "*log", "<<: *log", "!!python/object:os.system",
         "!!binary", "? ", "|", ">", "%YAML 1.2", "---", "...", "${HOOK}", "${file:/dev/zero}", "${NOPE}", "${", "$${", "\t"]  # fmt: skip


def assert_calm(text: str) -> None:
    """Read a text: a configuration or its problems, within the time, and nobody's secret in the words."""
    began = time.monotonic()
    try:
        config = read_text(text, environ=ENVIRON)
        said = ""
    except ConfigError as error:
        config, said = None, f"{error} {[problem.as_json() for problem in error.problems]}"
    took = time.monotonic() - began
    assert took < LONGEST * (4 if EXAMPLES < 1000 else 8), f"{took:.1f} s"  # the machine may be busy
    if config is not None:
        assert isinstance(config, Config)
        said = as_yaml(config)
    assert "Traceback" not in said
    leaked = [name for name, secret in SECRETS.items() if secret in said]
    assert not leaked, (leaked, said[:2000])


def test_the_configuration_that_is_mutated_is_a_good_one():
    config = read_text(CONFIG, environ=ENVIRON)
    assert set(config.models) == {"churn", "other"}
    assert_calm(CONFIG)


places = st.integers(0, len(CONFIG))


@tried(0.08)
@given(st.lists(st.tuples(places, st.integers(0, 12), st.one_of(st.text(max_size=4), st.sampled_from(WORDS), st.sampled_from(FRAGMENTS))), min_size=1, max_size=4))  # fmt: skip
def test_a_configuration_with_other_characters(edits):
    text = CONFIG
    for place, length, piece in edits:
        text = text[:place] + piece + text[place + length :]
    assert_calm(without_secrets_elsewhere(text))


def without_secrets_elsewhere(text: str) -> str:
    """The text without secrets in lines that an edit has touched: under another key nothing says that it is one."""
    known = {line.strip() for line in LINES}
    return "".join(
        line if line.strip() in known else line.replace("CANARY", "gone") for line in text.splitlines(keepends=True)
    )


@tried(0.06)
@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["drop", "twice", "swap", "indent", "undent"]), st.integers(0, len(LINES) - 1)), min_size=1, max_size=3))  # fmt: skip
def test_a_configuration_with_its_lines_in_disorder(edits):
    lines = list(LINES)
    for first, what, second in edits:
        at = first % len(lines)
        if what == "drop":
            del lines[at]
        elif what == "twice":
            lines.insert(second % len(lines), lines[at])
        elif what == "swap":
            lines[at], lines[second % len(lines)] = lines[second % len(lines)], lines[at]
        elif what == "indent":
            lines[at] = "  " + lines[at]
        else:
            lines[at] = lines[at].removeprefix("  ")
        if not lines:
            break
    assert_calm("\n".join(lines))


def tree_of(text: str):
    import yaml

    return yaml.safe_load(text)


odd = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), hostile, st.text(max_size=8), st.sampled_from(WORDS),
    st.lists(st.one_of(st.text(max_size=3), st.integers(), st.none()), max_size=3),
    st.dictionaries(st.one_of(st.text(max_size=5), st.sampled_from(WORDS)), st.one_of(st.integers(), st.text(max_size=5)), max_size=3),
)  # fmt: skip
paths = st.lists(st.integers(0, 10**6), min_size=1, max_size=7)


def changed(tree, path, value, *, rename):
    """The tree with another value, or another key, somewhere that the path chooses."""
    if not isinstance(tree, dict | list) or not tree or not path:
        return value
    step, *rest = path
    if isinstance(tree, list):
        place = step % len(tree)
        return [*tree[:place], changed(tree[place], rest, value, rename=rename), *tree[place + 1 :]]
    key = list(tree)[step % len(tree)]
    if rename and not rest:
        return {value if other == key and isinstance(value, str) else other: item for other, item in tree.items()}
    return {other: changed(item, rest, value, rename=rename) if other == key else item for other, item in tree.items()}


@tried(0.2)
@given(st.lists(st.tuples(paths, odd, st.booleans()), min_size=1, max_size=3))
def test_a_configuration_with_another_value_or_key_somewhere(edits):
    import yaml

    tree = tree_of(CONFIG)
    for path, value, rename in edits:
        tree = changed(tree, path, value, rename=rename)
    try:
        text = yaml.safe_dump(tree, allow_unicode=True, sort_keys=False, width=10**6)
    except (yaml.YAMLError, UnicodeError):
        return
    renamed_secret = any(rename for *_, rename in edits)
    assert_calm(text.replace("CANARY", "gone") if renamed_secret else text)


@tried(0.02)
@given(st.binary(max_size=200))
def test_a_file_of_any_bytes(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        read(path)


# --- what only hostility writes --------------------------------------------------------------------------------------


def many(lines) -> str:
    return "models:\n  m:\n    logs: {path: l, time: t}\n    reference: r\n" + "".join(lines)


HUGE = {
    "addresses without an end": many(["tick: '" + "://a:" * 150_000 + "'\n"]),
    "parameters without an end": many(["tick: '" + "?pwd=;" * 120_000 + "'\n"]),
    "a hundred receivers with a secret and a mistake": many(
        ["notifiers:\n", *(f"  n{place}: {{slack: {{token: xoxb-{place}-CANARY, chanel: c}}}}\n" for place in range(100))]
    ),
    "a long name that is nobody's": many([f"fallback: {'x' * 900_000}\n"]),
    "a long key": many([f"{'x' * 900_000}: 1\n"]),
    "a text of escapes": many(['tick: "' + "\\x1b" * 200_000 + '"\n']),
    "brackets": "[" * 900_000,
    "anchors": "".join(f"a{place}: &a{place} [{', '.join([f'*a{place - 1}'] * 9) if place else 'x'}]\n" for place in range(12)),
    "one long line": "x" * 999_000,
    "references": many(["tick: '" + "${A:-" * 150_000 + "'\n"]),
    "looked up": many(["tick: '" + "${OTHER}" * 100_000 + "'\n"]),
    "durations": many(["tick: '" + "1" * 400_000 + "'\n"]),
    "rates": many(["false_alarms: '" + "1 per " * 100_000 + "'\n"]),
}  # fmt: skip


@pytest.mark.parametrize("name", HUGE)
def test_a_huge_configuration_is_read_or_refused_soon(name):
    assert len(HUGE[name]) <= 1_000_000
    assert_calm(HUGE[name])


def test_a_file_that_never_ends_is_refused():
    with pytest.raises(ConfigError, match="larger than 1 MB"):
        read("/dev/zero")


def test_tags_run_nothing(tmp_path):
    target = tmp_path / "pwned"
    with pytest.raises(ConfigError, match="tags are not read"):
        read_text(f"models: !!python/object/apply:os.system ['touch {target}']")
    assert not target.exists()


# --- command lines ---------------------------------------------------------------------------------------------------

OPTIONS = ["--json", "-c", "--config", "--all", "--window", "--from", "--to", "-o", "--for", "--reason", "--dry-run", "--by",
           "--limit", "--engine", "--dir", "--help", "--version", "--", "-", "--no-such", "2026-01-05/2026-01-06", "2026-01-05",
           "9999-12-31", "0001-01-01/9999-12-31", "churn", "INC-1", "add", "list", "show", "check", "checks", "24h", "1e9w"]  # fmt: skip
LEFT_OUT = {"run", "demo", "backup", "restore"}  # which go on and on, or write files wherever they are told to


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a configuration and an empty log."""
    made = tmp_path_factory.mktemp("commands")
    (made / "config.yaml").write_text(
        "models: {churn: {logs: {path: l.parquet, time: t}, reference: r.parquet}}\n", "utf-8"
    )
    return made


@tried(0.06)
@given(
    st.sampled_from(sorted(set(COMMANDS) - LEFT_OUT)),
    st.lists(st.one_of(st.sampled_from(OPTIONS), hostile, st.text(max_size=6)).map(lambda text: text.replace("\0", "")), max_size=4),
)  # fmt: skip
def test_any_command_line_ends_with_an_exit_code_and_words_that_drive_no_terminal(folder, command, arguments):
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.chdir(folder)
        patch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(SystemExit) as ended:
            main(
                [
                    command,
                    *(argument.replace("/", "_") if argument.startswith("/") else argument for argument in arguments),
                ]
            )
    assert ended.value.code in (0, 1, 2, 3)
    said = out.getvalue() + err.getvalue()
    assert "Traceback" not in said
    controls = {ch for ch in said if not ch.isprintable() and ch < "\xa0"} - {"\n"}
    assert not controls or (ended.value.code == 0 and controls <= set("".join(arguments))), (command, arguments)
