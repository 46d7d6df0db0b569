"""The JSON schema for editors."""

import json

import jsonschema
import pytest
import yaml

from monitor.config.extensions import discover
from monitor.config.schema import schema
from monitor.config.showing import effective

MODEL = "models: {m: {logs: {path: l, time: t}, reference: r%s}}"


@pytest.fixture
def valid(extensions):
    validator = jsonschema.Draft202012Validator(schema(extensions))
    return lambda text: validator.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize(
    "more",
    [
        "",
        ", sample: 7",
        ", sample: '${N}'",
        ", schedule: {every: 1d 12h}",
        ", schedule: {every: '${E}'}",
        ", checks: auto",
        ", checks: [auto, ks, {psi: {threshold: 0.2, columns: [a]}}, {row_count: }]",
        ", retrain: {trigger: {command: {argv: [a]}}}",
        ", importance: 2, columns: {importance: {a: 0}, segments: [b]}",
        ", calendar: {seasonal: none, holidays: DE-BY}",
        ", calendar: {holidays: ['2026-12-24'], exclude: [{start: '2026-01-01', end: '2026-01-02', reason: sale}]}",
    ],
)
def test_it_accepts_what_is_right(valid, more):
    assert valid(MODEL % more)


@pytest.mark.parametrize(
    "more",
    [
        ", sampel: 7",
        ", sample: x",
        ", schedule: {every: 1 day}",
        ", checks: [kss]",
        ", checks: [{ks: {colums: [a]}}]",
        ", checks: [{row_count: {columns: [a]}}]",
        ", retrain: {trigger: {comand: {}}}",
        ", retrain: {trigger: command}",
        ", columns: {kinds: {a: numerc}}",
        ", columns: {importance: {a: -1}}",
        ", importance: 0",
        ", calendar: {seasonal: monthly}",
        ", calendar: {holidays: 7}",
        ", calendar: {exclude: [{start: '2026-01-01'}]}",
    ],
)
def test_it_refuses_what_is_wrong(valid, more):
    assert not valid(MODEL % more)


@pytest.mark.parametrize("rate", ["1 per 30d", "0.5 per 1d 12h", "2", "'${RATE}'"])
def test_it_accepts_a_rate(valid, rate):
    assert valid(f"false_alarms: {rate}\n{MODEL % ''}")


@pytest.mark.parametrize("rate", ["1 per month", "often", "0", "[1]"])
def test_it_refuses_what_is_no_rate(valid, rate):
    assert not valid(f"false_alarms: {rate}\n{MODEL % ''}")


@pytest.mark.parametrize(
    "logs", ["{}", "{path: l}", "{url: 'sqlite:///l.db', time: t, path: l}", "{source: sql, path: l, time: t}"]
)
def test_it_refuses_a_log_that_is_no_source(valid, logs):
    assert not valid(f"models: {{m: {{logs: {logs}, reference: r}}}}")


def test_it_accepts_every_configuration_in_effect(read, extensions):
    shown = effective(read(MODEL % ""), extensions)
    jsonschema.validate(shown, schema(extensions))


def test_it_knows_everything_that_is_installed():
    found, text = discover(), json.dumps(schema())
    names = [*found.checks, *found.notifiers, *found.triggers]
    assert [name for name in names if f'"{name}"' not in text] == []


def test_it_is_a_valid_schema():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_defaults_are_written_as_in_the_configuration(extensions):
    whole = schema(extensions)
    assert whole["properties"]["store"]["default"] == "sqlite:///monitor.db"
    assert whole["properties"]["false_alarms"]["default"] == "1 per 30d"
    assert whole["$defs"]["Schedule"]["properties"]["every"]["default"] == "1d"
