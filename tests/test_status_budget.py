"""The budget in `monitor status`: what a model may cost, is expected to cost, and has told."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.budget import Audit
from monitor.config.reading import read
from monitor.core.finding import Finding, IncidentKind, Rule, Severity, Verdict
from monitor.core.incident import Evidence, Incident, State
from monitor.core.spending import nearest, spending, total
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.store.schema import open_store
from monitor.watch import watches
from tests.worlds import CONFIG, START, shift, world

DAY = timedelta(days=1)
NOW = datetime(2026, 2, 1, tzinfo=UTC)
SHOWN = Evidence("age", "location", "it rose", 1.0, None, 0.05, "sd", rule=Rule.EVIDENCE)
INCIDENT = Incident(
    "churn-1", "churn", IncidentKind.DRIFT, "shift", State.FIRING, Severity.WARNING, ("age",), "shift", "it rose",
    NOW, NOW, NOW, evidence=(SHOWN,),
)  # fmt: skip


def finding(column, share, verdict=Verdict.PASS, rule=Rule.EVIDENCE):
    window = Window(NOW, NOW + DAY)
    return Finding("churn", column, "location", IncidentKind.DRIFT, window, verdict, rule=rule, evidence=share)


def test_the_expectation_is_that_of_the_replay():
    assert spending(1.0, Audit(10.0, 0.3, 720), []).expectation == "0.3 times per 30 days"


def test_a_replay_without_a_false_alarm_says_how_long_it_was():
    assert spending(1.0, Audit(10.0, 0.0, 720), []).expectation == "0 times in 720 replayed days"


def test_without_a_replay_the_expectation_is_unknown():
    assert spending(1.0, Audit(30.0, None, 0), []).expected is None


def test_what_people_were_told_of_is_counted():
    assert spending(1.0, None, [INCIDENT, INCIDENT]).sent == 2


def test_an_incident_of_a_fixed_threshold_is_outside_of_the_budget():
    own = replace(INCIDENT, evidence=(replace(SHOWN, rule=Rule.THRESHOLD),))
    assert spending(1.0, None, [own]).sent == 0


def test_a_log_that_cannot_be_read_is_outside_of_the_budget():
    assert spending(1.0, None, [replace(INCIDENT, kind=IncidentKind.OPERATIONS, evidence=())]).sent == 0


def test_expectations_of_models_add_up():
    parts = [spending(0.5, Audit(10.0, 0.2, 720), []), spending(0.5, Audit(10.0, 0.1, 90), [])]
    assert total(parts).expected == pytest.approx(0.3)


def test_the_sum_is_unknown_where_one_model_could_not_be_replayed():
    assert total([spending(0.5, Audit(10.0, 0.2, 720), []), spending(0.5, None, [])]).expected is None


def test_the_columns_closest_to_an_alarm_come_first():
    found = nearest([finding("age", 0.1), finding("plan", 0.4), finding("flag", 0.2), finding("age", 0.3)])
    assert found == [("plan", 0.4), ("age", 0.3), ("flag", 0.2)]


def test_a_column_with_an_open_alarm_is_not_close_to_one():
    assert nearest([finding("age", 0.9), finding("age", 0.9, Verdict.BREACH)]) == []


def test_only_evidence_comes_close_to_an_alarm():
    assert nearest([finding("age", 0.9, rule=Rule.FACT)]) == []


class SimulatedClock:
    time = START

    def now(self):
        return self.time


def judged(folder, days, change=None, config=CONFIG, untimed=False):
    path = world(folder, days, change, config)
    if untimed:
        import pyarrow.parquet as pq

        rows = pq.read_table(folder / "reference.parquet")
        pq.write_table(rows.drop_columns(["ts"]), folder / "reference.parquet")
    configuration, clock = read(path), SimulatedClock()
    cycle = Cycle(open_store(configuration.store.get_secret_value()), clock)
    for day in range(days):
        clock.time = START + (day + 1) * DAY + timedelta(hours=1)
        for watch in watches(configuration).values():
            assert cycle.run(watch, Window(START + day * DAY, START + (day + 1) * DAY)).outcome == "done"
    cycle.store.close()


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    """Six days of which the last two have a shift; two false notifications per 30 days."""
    folder = tmp_path_factory.mktemp("shifted")
    judged(folder, 6, shift("age", 20.0, 4), CONFIG + "false_alarms: 2 per 30d\n")
    return folder / "config.yaml"


def budget(run, *words):
    code, said, _ = run("status", *words, "--json")
    assert code == 0
    return json.loads(said)["models"][0]["budget"]


def test_status_shows_the_models_share(shifted, run):
    assert budget(run, "-c", str(shifted))["allowed"] == 2.0


def test_status_shows_what_the_replay_expects(shifted, run):
    found = budget(run, "-c", str(shifted))
    assert found["replayed_days"] > 0
    assert found["expected"] <= found["allowed"]


def test_status_counts_what_was_told_until_the_last_window(shifted, run):
    assert budget(run, "-c", str(shifted))["sent"] == 1


def test_status_names_the_columns_closest_to_an_alarm(shifted, run):
    named = [item["column"] for item in budget(run, "-c", str(shifted))["nearest"]]
    assert 1 <= len(named) <= 3
    assert "age" not in named


def test_status_of_one_model_says_which_columns_wander(shifted, run):
    assert budget(run, "churn", "-c", str(shifted))["wandering"] == []


def test_status_of_all_models_does_not_take_the_time_for_it(shifted, run):
    assert budget(run, "-c", str(shifted))["wandering"] is None


def test_status_says_that_a_reference_without_time_learns(tmp_path, run):
    judged(tmp_path, 1, untimed=True)
    code, said, _ = run("status")
    assert code == 0
    assert "learning normal variation" in said


def test_a_model_that_never_ran_has_its_share(tmp_path, run):
    world(tmp_path, 1)
    assert budget(run)["allowed"] == 1.0
