"""The commands: what they print, as people and as programs read it, and how they exit."""

import json
import subprocess
import sys

import pytest

from monitor.cli import COMMANDS
from tests.worlds import CONFIG, drop, shift, world


def answer(result):
    code, out, _ = result
    return code, json.loads(out)


FIRST, FIFTH = "2026-01-05/2026-01-06", "2026-01-10/2026-01-11"


def test_a_calm_window_exits_with_0_and_a_breach_with_1(run, tmp_path):
    world(tmp_path, 8, drop("age", 5, 7))
    assert run("check", "--window", FIRST)[0] == 0
    assert run("check", "--window", FIFTH)[0] == 1


def test_the_json_of_a_check_is_the_contract(run, tmp_path):
    world(tmp_path, 8, drop("age", 5, 7))
    code, document = answer(run("check", "churn", "--window", FIFTH, "--json"))
    assert code == 1
    assert document["model"] == "churn"
    assert document["window"] == {"start": "2026-01-10T00:00:00Z", "end": "2026-01-11T00:00:00Z"}
    assert document["windows"] == 1
    breach = next(f for f in document["findings"] if f["check"] == "null_rate" and f["column"] == "age")
    assert breach["verdict"] == "breach"
    assert breach["effect"] == pytest.approx(1.0, abs=0.01)
    assert breach["minimum_detectable"] > 0
    assert breach["diagnosis"] == "null flood"
    (incident,) = document["incidents"]
    assert (incident["state"], incident["kind"], incident["columns"]) == ("firing", "quality", ["age"])


def test_several_models_are_one_document(run, tmp_path):
    config = CONFIG.replace("notifiers:", "  other:\n    logs: {url: sqlite:///logs.db, table: predictions, time: ts, id: id}\n"
                            "    reference: reference.parquet\nnotifiers:")  # fmt: skip
    world(tmp_path, 3, config=config)
    code, document = answer(run("check", "--window", FIRST, "--json"))
    assert code == 0
    assert [entry["model"] for entry in document["models"]] == ["churn", "other"]


def test_without_a_window_the_newest_one_with_rows_is_judged_and_said(run, tmp_path):
    world(tmp_path, 3)
    code, _, err = run("check")
    assert code == 0
    assert "the log of churn ends at 2026-01-07" in err


def test_an_unknown_model_is_named_with_the_one_that_was_meant(run, tmp_path):
    world(tmp_path, 2)
    code, _, err = run("check", "chrun")
    assert code == 2
    assert "did you mean 'churn'" in err


def test_an_unknown_command_is_a_mistake_with_a_suggestion(run):
    code, _, err = run("chekc")
    assert code == 2
    assert "Did you mean 'check'" in err


def test_a_missing_configuration_says_how_to_get_one(run):
    code, _, err = run("check")
    assert code == 2
    assert "monitor init" in err


def test_a_window_that_is_none_is_explained(run, tmp_path):
    world(tmp_path, 2)
    code, _, err = run("check", "--window", "yesterday")
    assert code == 2
    assert "START/END" in err


def test_a_database_that_is_away_exits_with_3(run, tmp_path):
    world(tmp_path, 2, config=CONFIG.replace("sqlite:///logs.db", "postgresql+psycopg://u:hunter2@127.0.0.1:1/db"))
    code, out, err = run("check", "--window", FIRST)
    assert code == 3
    assert "127.0.0.1" in err
    assert "hunter2" not in out + err


def test_a_backtest_finds_the_incidents_and_sends_nothing(run, tmp_path):
    world(tmp_path, 14, shift("age", 8.0, 6))
    code, document = answer(run("backtest", "churn", "--from", "2026-01-05", "--to", "2026-01-19", "--json"))
    assert code == 1
    assert (document["from"], document["to"], document["windows"]) == (
        "2026-01-05T00:00:00Z",
        "2026-01-19T00:00:00Z",
        14,
    )
    assert {finding["verdict"] for finding in document["findings"]} == {"breach"}
    (incident,) = document["incidents"]
    assert (incident["columns"], incident["onset"]) == (["age"], "2026-01-11T00:00:00Z")
    assert not (tmp_path / "monitor.db").exists()


def test_a_backtest_of_calm_days_exits_with_0_and_lists_all_when_asked(run, tmp_path):
    world(tmp_path, 4)
    code, document = answer(run("backtest", "--from", "2026-01-05", "--to", "2026-01-09", "--all", "--json"))
    assert code == 0
    assert {finding["verdict"] for finding in document["findings"]} >= {"pass"}


def test_a_backtest_needs_time_to_go_forward(run, tmp_path):
    world(tmp_path, 2)
    assert run("backtest", "--from", "2026-01-09", "--to", "2026-01-05")[0] == 2


@pytest.fixture
def watched(run, tmp_path):
    """A world whose daemon has seen a null flood."""
    from monitor.clocks import SetClock
    from monitor.config.reading import read
    from monitor.cycle import Cycle
    from monitor.store.schema import open_store
    from monitor.watch import watches
    from tests.worlds import START

    trigger = "    retrain: {mode: ask, trigger: {command: {argv: [python3, -c, 'print(1)']}}}\n"
    path = world(tmp_path, 9, drop("age", 5, 9), CONFIG.replace("    checks: auto\n", f"    checks: auto\n{trigger}"))
    config = read(path)
    store = open_store(config.store.get_secret_value())
    clock = SetClock(START)
    watch = watches(config)["churn"]
    from datetime import timedelta

    clock.set(START + timedelta(days=8, hours=1))
    Cycle(store, clock).catch_up(watch)
    store.close()
    return run


def incident_id(run):
    return answer(run("incidents", "--json"))[1]["incidents"][0]["id"]


def test_status_says_where_every_model_stands(watched):
    code, document = answer(watched("status", "--json"))
    assert code == 0
    (entry,) = document["models"]
    assert {"last_window", "lag_seconds", "state", "open_incidents", "reference", "next_due"} <= entry.keys()
    assert (entry["model"], entry["state"], entry["open_incidents"]) == ("churn", "firing", 1)
    assert entry["last_window"]["end"] == "2026-01-13T00:00:00Z"
    assert entry["next_due"] == "2026-01-14T01:00:00Z"
    assert entry["reference"]["version"] == "7"


def test_status_of_a_model_that_never_ran_is_not_ok(run, tmp_path):
    world(tmp_path, 2)
    assert answer(run("status", "--json"))[1]["models"][0]["state"] == "never run"


def test_an_incident_is_found_by_the_beginning_of_its_id_with_its_timeline(watched):
    whole = incident_id(watched)
    code, document = answer(watched("incident", whole[:9], "--json"))
    assert code == 0
    assert document["id"] == whole
    assert document["timeline"][0]["event"] == "fired"


def test_an_incident_that_does_not_exist_is_a_mistake(watched):
    code, _, err = watched("incident", "nothing")
    assert code == 2
    assert "monitor incidents --all" in err


def test_a_person_acknowledges_silences_expects_and_resolves(watched):
    found = incident_id(watched)
    assert answer(watched("ack", found, "--by", "ada", "--json"))[1]["acknowledged_by"] == "ada"
    assert answer(watched("silence", found, "--for", "2h", "--json"))[1]["silenced_until"]
    assert answer(watched("expected", found, "--reason", "a campaign", "--json"))[1]["expected"] is True
    document = answer(watched("resolve", found, "--by", "ada", "--reason", "mended", "--json"))[1]
    assert (document["state"], document["resolved_reason"]) == ("resolved", "by ada: mended")
    code, _, err = watched("ack", found)
    assert code == 2
    assert "resolved already" in err


def test_a_silence_needs_a_duration(watched):
    code, _, err = watched("silence", incident_id(watched), "--for", "long")
    assert code == 2
    assert "15m" in err


def test_a_retraining_is_refused_while_the_data_are_broken_and_says_why(watched):
    code, _, err = watched("retrain", "churn")
    assert code == 2
    assert "broken data" in err


def test_a_retraining_by_hand_runs_once_and_is_listed(watched):
    watched("expected", incident_id(watched))
    code, document = answer(watched("retrain", "churn", "--reason", "try", "--dry-run", "--json"))
    assert (code, document["state"]) == (0, "dry run")
    assert answer(watched("retrains", "--json"))[1]["retrains"] == []
    code, document = answer(watched("retrain", "churn", "--reason", "try", "--by", "ada", "--json"))
    assert (code, document["state"], document["requested_by"]) == (0, "succeeded", "ada")
    code, _, err = watched("retrain", "churn")
    assert code == 2
    assert "cooldown" in err
    assert len(answer(watched("retrains", "--json"))[1]["retrains"]) == 1


def test_a_retraining_without_a_trigger_says_where_to_put_one(run, tmp_path):
    world(tmp_path, 2)
    code, _, err = run("retrain", "churn")
    assert code == 2
    assert "models.churn.retrain" in err


def test_references_are_added_once_listed_shown_pinned_and_compared(watched, tmp_path):
    added = answer(watched("reference", "add", "churn", "--json"))[1]
    assert added["new"] is False
    (listed,) = answer(watched("reference", "list", "--json"))[1]["references"]
    assert listed["id"] == added["id"]
    shown = answer(watched("reference", "show", "churn", listed["id"][:6], "--json"))[1]
    assert (shown["rows"], shown["windows"], shown["version"]) == (12000, 40, "7")
    assert {column["column"]: column["kind"] for column in shown["columns"]} == {
        "age": "numeric", "amount": "numeric", "plan": "categorical", "flag": "boolean",
    }  # fmt: skip
    import pyarrow.parquet as pq

    pq.write_table(pq.read_table(tmp_path / "reference.parquet").slice(0, 6000), tmp_path / "other.parquet")
    other = answer(
        watched("reference", "add", "churn", "--file", "other.parquet", "--version", "8", "--pin", "--json")
    )[1]
    assert other["new"] is True
    difference = answer(watched("reference", "diff", "churn", listed["id"], other["id"], "--json"))[1]
    assert [column["column"] for column in difference["columns"]] == ["age", "amount", "plan", "flag"]
    assert watched("reference", "pin", "churn", listed["id"][:8])[0] == 0
    assert watched("reference", "pin", "churn", "zzz")[0] == 2


def test_migrate_says_what_it_did(run, tmp_path):
    world(tmp_path, 1)
    assert answer(run("migrate", "--json"))[1]["before"] is None
    document = answer(run("migrate", "--json"))[1]
    assert document["before"] == document["after"]


@pytest.mark.parametrize("what", ["checks", "sources", "notifiers", "triggers"])
def test_everything_that_exists_is_listed_with_a_line(run, what):
    rows = answer(run("list", what, "--json"))[1][what]
    assert rows
    assert all(row["summary"] for row in rows)


def test_the_configuration_is_checked_shown_and_described(run, tmp_path):
    world(tmp_path, 2)
    code, document = answer(run("config", "check", "--connect", "--json"))
    assert code == 0
    assert document["valid"] is True
    assert {line["what"] for line in document["connections"] if line["outcome"] == "ok"} == {
        "store", "models.churn.logs", "models.churn.reference", "models.churn.budget", "models.churn.signal", "notifiers.log",
    }  # fmt: skip
    assert all(line["outcome"] != "error" for line in document["connections"])
    assert "every: 1d" in run("config", "show")[1]
    assert answer(run("config", "schema"))[1]["type"] == "object"


def test_a_wrong_configuration_is_reported_with_line_and_caret(run, tmp_path):
    world(tmp_path, 2, config=CONFIG.replace("checks: auto", "chekcs: auto"))
    code, _, err = run("config", "check")
    assert code == 2
    assert "config.yaml:7:5" in err
    assert "did you mean 'checks'" in err
    assert "^^^^^^" in err
    code, document = answer(run("config", "check", "--json"))
    assert (code, document["valid"], document["problems"][0]["line"]) == (2, False, 7)


def test_connecting_finds_a_missing_table(run, tmp_path):
    world(tmp_path, 2, config=CONFIG.replace("table: predictions", "table: prediction"))
    code, document = answer(run("config", "check", "--connect", "--json"))
    assert code == 2
    wrong = [line for line in document["connections"] if line["outcome"] == "error"]
    assert any("predictions" in line["detail"] for line in wrong)


def test_a_report_is_one_file_and_a_place_that_cannot_be_written_is_named(watched, tmp_path):
    code, out, _ = watched("report", "-o", "page.html")
    assert code == 0
    assert "page.html" in out
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
    code, _, err = watched("report", "-o", "nowhere/page.html")
    assert code == 3
    assert "choose another place" in err


def test_a_report_without_results_says_how_to_get_some(run, tmp_path):
    world(tmp_path, 1)
    code, _, err = run("report")
    assert code == 2
    assert "monitor run" in err


def test_people_get_tables_without_colours_in_a_pipe(watched):
    for command in (("status",), ("incidents",), ("incidents", "--all"), ("list", "checks"), ("retrains",)):
        code, out, _ = watched(*command)
        assert code == 0
        assert out.strip()
        assert "\x1b" not in out


def test_every_command_has_help_and_a_line_in_the_list(run):
    listing = run("--help")[1]
    for name, (_, summary) in COMMANDS.items():
        assert summary.split(";")[0][:30] in listing
        assert run(name, "--help")[0] == 0


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"]])
def test_help_loads_nothing_heavy(arguments):
    code = (
        "import sys; from monitor.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'pandas', 'scipy', 'evidently', 'numpy', 'pyarrow', 'sqlalchemy', 'pydantic', 'duckdb', 'rich'}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip().splitlines()[-1] == "[]"


def test_checking_the_configuration_loads_no_pandas_scipy_or_evidently(tmp_path):
    world(tmp_path, 1)
    code = (
        "import sys; from monitor.cli import main\n"
        f"try: main(['config', 'check', '-c', {str(tmp_path / 'config.yaml')!r}])\n"
        "except SystemExit: pass\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} & {'pandas', 'scipy', 'evidently', 'sqlalchemy'}))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip().splitlines()[-1] == "[]"
