"""A right configuration, read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from monitor.config.errors import ConfigError
from monitor.config.extensions import discover
from monitor.config.reading import read as read_file
from monitor.options import from_home, reveal

WHOLE = """
store: postgresql+psycopg://leeway@db/leeway
models:
  flights:
    logs: {url: "sqlite:///logs.db", table: predictions, time: ts, id: prediction_id, timezone: Europe/Berlin}
    reference: {file: reference.parquet, version: "7"}
    schedule: {every: 1d, delay: 1h 30m, start: 2013-03-01}
    columns: {exclude: [tail], kinds: {month: categorical}}
    score: score
    labels: {table: labels, id: prediction_id}
    checks: [auto, psi, {ks: {tolerance: 0.2}}]
    alerts: {open_after: 3}
    notify: [log]
    retrain: {mode: auto, trigger: {command: {argv: [make, train]}}}
    sample: 0
  taxi:
    logs: {path: logs, time: ts}
    reference: r.csv
notifiers:
  team: {slack: {token: ${SLACK_TOKEN}, channel: "#ml-alerts"}}
  log: stdout
"""


@pytest.fixture
def config(read):
    return read(WHOLE, SLACK_TOKEN="xoxb-1")


def test_a_url_makes_the_log_a_database(config):
    assert type(config.models["flights"].logs).__name__ == "Sql"


def test_a_path_makes_the_log_files(config):
    assert type(config.models["taxi"].logs).__name__ == "Parquet"


def test_a_source_can_be_named(read):
    text = "models: {m: {logs: {source: sql, url: 'sqlite:///l.db', time: t}, reference: r.csv}}"
    assert type(read(text).models["m"].logs).__name__ == "Sql"


def test_an_sqlite_file_is_relative_to_the_configuration(config, tmp_path):
    assert reveal(config.models["flights"].logs.url) == f"sqlite:///{tmp_path / 'logs.db'}"


def test_the_default_store_is_relative_to_the_configuration(read, tmp_path):
    config = read("models: {m: {logs: {path: l, time: t}, reference: r.csv}}")
    assert reveal(config.store) == f"sqlite:///{tmp_path / 'monitor.db'}"


def test_a_path_is_relative_to_the_configuration(config, tmp_path):
    assert config.models["flights"].reference.file == str(tmp_path / "reference.parquet")


def test_a_plain_text_is_the_file_of_the_reference(config, tmp_path):
    assert config.models["taxi"].reference.file == str(tmp_path / "r.csv")


def test_a_plain_text_names_a_notifier_without_options(config):
    assert type(config.notifiers["log"]).__name__ == "Stdout"


def test_a_variable_in_a_flow_mapping_needs_no_quotes(config):
    assert reveal(config.notifiers["team"].token) == "xoxb-1"


def test_a_trigger_is_built_with_its_options(config):
    assert config.models["flights"].retrain.trigger.argv == ("make", "train")


def test_durations_may_have_several_parts(config):
    assert config.models["flights"].schedule.delay == timedelta(hours=1, minutes=30)


def test_a_date_is_the_midnight_it_begins_with(config):
    assert config.models["flights"].schedule.start == datetime(2013, 3, 1, tzinfo=UTC)


def test_a_first_window_without_a_zone_begins_in_the_schedules_own(read):
    text = "models: {m: {logs: {path: l, time: t}, reference: r, schedule: {start: 2013-03-01, timezone: Asia/Tokyo}}}"
    assert read(text).models["m"].schedule.start == datetime(2013, 2, 28, 15, tzinfo=UTC)


def test_without_checks_auto_is_taken(config):
    assert [check.name for check in config.models["taxi"].checks if check.auto] == ["ks", "row_count"]


def test_off_is_a_text(read):
    text = "models: {m: {logs: {path: l, time: t}, reference: r.csv, retrain: {mode: off}}}"
    assert read(text).models["m"].retrain.mode == "off"


def test_a_section_whose_lines_are_all_commented_out_is_its_defaults(read):
    text = "models:\n  m:\n    logs: {path: l, time: t}\n    reference: r.csv\n    schedule:\n      # every: 1d\n"
    assert read(text).models["m"].schedule.every == timedelta(days=1)


def test_anchors_and_merges_share_what_models_have_in_common(read):
    text = (
        "models:\n  a: &a\n    logs: {path: l, time: t}\n    reference: r.csv\n    schedule: {every: 6h}\n"
        "  b:\n    <<: *a\n    sample: 7\n"
    )
    models = read(text).models
    assert (models["b"].schedule.every, models["b"].sample, models["a"].sample) == (timedelta(hours=6), 7, 500)


@pytest.mark.parametrize(("text", "value"), [("${N}", 12), ("${M:-13}", 13), ("${EMPTY:-14}", 14), ("1${N}", 112)])
def test_a_number_may_come_from_the_environment(read, text, value):
    text = f"models: {{m: {{logs: {{path: l, time: t}}, reference: r.csv, sample: {text}}}}}"
    assert read(text, N="12", EMPTY="").models["m"].sample == value


def test_a_secret_of_digits_stays_a_text(read):
    text = "models: {m: {logs: {path: l, time: t}, reference: r.csv}}\nnotifiers: {a: {slack: {token: '${T}', channel: a}}}"
    assert reveal(read(text, T="007").notifiers["a"].token) == "007"


def test_a_secret_may_come_from_a_file(read, tmp_path):
    (tmp_path / "token").write_text("xoxb-file\n")
    text = "models: {m: {logs: {path: l, time: t}, reference: r.csv}}\nnotifiers: {a: {slack: {token: ${file:token}, channel: a}}}"
    assert reveal(read(text).notifiers["a"].token) == "xoxb-file"


def test_two_dollars_stand_for_a_brace_as_it_is(read):
    text = "models: {m: {logs: {path: l, time: '$${t}'}, reference: r.csv}}"
    assert read(text).models["m"].logs.time == "${t}"


@pytest.mark.parametrize("given", ["postgres://u@h/db", "postgresql://u@h/db"])
def test_a_database_url_without_a_driver_gets_the_one_that_is_installed(read, given):
    config = read(f"store: {given}\nmodels: {{m: {{logs: {{path: l, time: t}}, reference: r.csv}}}}")
    assert reveal(config.store) == "postgresql+psycopg://u@h/db"


def test_times_keep_their_zone(read):
    text = "models: {m: {logs: {path: l, time: t}, reference: {period: {start: 2026-01-01T00:00:00Z, end: 2026-02-01T00:00:00Z}}}}"
    assert read(text).models["m"].reference.period.start == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path, extensions):
    path = tmp_path / "config.yaml"
    path.write_text("\ufeffmodels: {m: {logs: {path: l, time: t}, reference: r.csv}}", "utf-8")
    assert set(read_file(path, environ={}, extensions=extensions).models) == {"m"}


def test_a_file_that_is_not_there_says_how_to_get_one(tmp_path):
    with pytest.raises(ConfigError, match=r"config\.yaml  does not exist; 'monitor init' writes one .* 'monitor demo'"):
        read_file(tmp_path / "config.yaml")


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(tmp_path)


def test_a_file_in_another_encoding_is_named(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes(b"models: \xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        read_file(path)


def test_everything_in_the_folders_can_be_named():
    folder = Path(__file__).parents[2] / "monitor" / "sources"
    files = {path.stem for path in folder.glob("[!_]*.py")}
    assert set(discover().sources) == files


def test_the_home_of_an_unknown_user_is_a_name_like_any_other(tmp_path):
    assert from_home("~nobody-of-this-name/a.parquet") == Path("~nobody-of-this-name/a.parquet")
    assert from_home("~/a.parquet") == Path.home() / "a.parquet"
