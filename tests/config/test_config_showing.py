"""The configuration in effect."""

import pytest
import yaml

from monitor.config.reading import read_text
from monitor.config.showing import as_yaml, effective

TEXT = """
store: postgresql+psycopg://leeway:hunter2@db/leeway?sslpassword=hunter3
link: https://u:hunter4@example.org/
models:
  m:
    logs: {url: "sqlite:///l.db", table: t, time: ts}
    reference: {period: {start: 2026-01-01, end: 2026-02-01T00:00:00}}
    columns: {kinds: {a: text}}
    checks: [auto, {row_count: off}, {ks: {tolerance: 0.3}}, {psi: {columns: [a, '$${b'], threshold: 0.2}}]
    score: $${x}
    retrain: {mode: off, trigger: {command: {argv: [make], timeout: 1d 12h}}}
notifiers:
  team: {slack: {token: xoxb-hunter5, channel: c, headers: {Authorization: hunter6}}}
  log: stdout
"""


@pytest.fixture
def config(read):
    return read(TEXT)


def test_no_secret_is_shown(config, extensions):
    assert "hunter" not in as_yaml(config, extensions)


def test_of_a_database_all_but_the_password_is_shown(config, extensions):
    assert effective(config, extensions)["store"] == (
        "postgresql+psycopg://leeway:********@db/leeway?sslpassword=********"
    )


def test_a_secret_is_shown_as_stars(config, extensions):
    assert effective(config, extensions)["notifiers"]["team"]["slack"]["token"] == "********"


def test_defaults_are_filled_in(config, extensions):
    model = effective(config, extensions)["models"]["m"]
    assert (model["schedule"]["every"], model["sample"], model["logs"]["source"]) == ("1d", 500, "sql")


def test_checks_are_shown_with_all_their_parameters(config, extensions):
    assert effective(config, extensions)["models"]["m"]["checks"] == [
        "auto",
        {"row_count": "off"},
        {"ks": {"tolerance": 0.3, "edges": 32}},
        {"psi": {"tolerance": 0.1, "edges": 32, "columns": ["a", "$${b"], "threshold": 0.2}},
    ]


def test_what_is_shown_is_read_back_as_the_same_models(config, extensions):
    again = read_text(as_yaml(config, extensions), environ={}, extensions=extensions)
    assert again.models == config.models


def test_what_is_shown_is_plain_yaml(config, extensions):
    assert yaml.safe_load(as_yaml(config, extensions)) == effective(config, extensions)
