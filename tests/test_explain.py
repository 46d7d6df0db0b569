"""`monitor explain`: the same verdict again, bit for bit, and the way to it in numbers and words."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitor.config.reading import read
from monitor.core.tracing import trace
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.recomputing import again
from monitor.store import bodies
from monitor.store import incidents as incident_rows
from monitor.store import runs as run_rows
from monitor.store.schema import open_store
from monitor.store.tables import findings
from monitor.watch import watches
from tests.worlds import CONFIG, START, drop, shift, world

DAY = timedelta(days=1)
BROKEN = 4  # the day from which `age` is 20 higher


class SimulatedClock:
    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


def watched(folder: Path, days: int, change=None, config: str = CONFIG, every: timedelta = DAY):
    """Judge every window of a world as the daemon would; return its cycle and its watch."""
    path = world(folder, days, change, config.replace("checks: auto", "checks: [auto, ks]"))
    configuration = read(path)
    clock = SimulatedClock(START)
    cycle = Cycle(open_store(configuration.store.get_secret_value()), clock)
    watch = watches(configuration)["churn"]
    for number in range(days * DAY // every):
        window = Window(START + number * every, START + (number + 1) * every)
        clock.time = window.end + timedelta(hours=1)
        assert cycle.run(watch, window).outcome == "done"
    return cycle, watch


def run_of(cycle: Cycle, day: float) -> run_rows.Run:
    with cycle.store.read() as connection:
        found = run_rows.covering(connection, "churn", START + day * DAY)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory):
    """Eight days; `age` is 20 higher from the fifth on."""
    folder = tmp_path_factory.mktemp("shifted")
    cycle, watch = watched(folder, 8, shift("age", 20.0, BROKEN))
    yield folder, cycle, watch
    cycle.store.close()


@pytest.fixture
def explain(shifted, run):
    """Run the command on the shifted world; gives exit code, stdout and stderr."""
    config = str(shifted[0] / "config.yaml")
    return lambda *words: run("explain", *words, "-c", config)


def steps(said: str) -> dict[str, str]:
    return {step["step"]: step["words"] for step in json.loads(said)["steps"]}


@pytest.mark.parametrize("day", range(8))
def test_every_window_is_judged_again_to_the_last_bit(shifted, day):
    _, cycle, watch = shifted
    assert again(cycle, watch, run_of(cycle, day)).same


def test_a_stored_number_that_was_another_is_told(tmp_path):
    cycle, watch = watched(tmp_path, 2)
    run = run_of(cycle, 1)
    with cycle.store.write() as connection:
        first = run_rows.findings_of(connection, [run.id])[0]
        body = bodies.dump(replace(first, effect=9.0))
        connection.execute(
            findings.update().where(findings.c.run_id == run.id, findings.c.place == 0).values(body=body)
        )
    found = again(cycle, watch, run)
    cycle.store.close()
    assert [(d.column, d.what) for d in found.differences] == [("age", "effect")]


def test_a_change_of_the_budget_is_given_as_the_reason(tmp_path):
    cycle, _ = watched(tmp_path, 2)
    (tmp_path / "config.yaml").write_text(
        CONFIG.replace("checks: auto", "checks: [auto, ks]") + "false_alarms: 0.001 per 30d\n", encoding="utf-8"
    )
    other = watches(read(tmp_path / "config.yaml"))["churn"]
    found = again(cycle, other, run_of(cycle, 1))
    cycle.store.close()
    assert "the configuration has changed" in found.obstacle


def test_other_checks_since_make_a_window_one_that_cannot_be_judged_again(tmp_path):
    cycle, _ = watched(tmp_path, 2)
    changed = CONFIG.replace("checks: auto", "checks: [auto, location: {tolerance: 0.2}]")
    (tmp_path / "config.yaml").write_text(changed, encoding="utf-8")
    other = watches(read(tmp_path / "config.yaml"))["churn"]
    found = again(cycle, other, run_of(cycle, 1))
    cycle.store.close()
    assert found.after is None
    assert found.obstacle
    assert not found.same


def traced(shifted, day: float, key=("age", "location")):
    _, cycle, watch = shifted
    found = again(cycle, watch, run_of(cycle, day))
    traces = trace(found.subject.signal, found.before, found.after, found.run.window, found.profile, found.decided, key)
    return found, traces


@pytest.mark.parametrize("day", [0, 3, BROKEN])
def test_the_trace_ends_at_the_evidence_of_the_finding(shifted, day):
    found, way = traced(shifted, day)
    assert way.account.now / way.account.cost == pytest.approx(found.finding("age", "location").evidence, rel=1e-12)


def test_the_trace_of_what_is_beyond_doubt_ends_at_the_evidence_of_the_finding(tmp_path):
    cycle, watch = watched(tmp_path, 3, drop("age", 2, 3))
    found, way = traced((tmp_path, cycle, watch), 2, ("age", "null_rate"))
    cycle.store.close()
    assert way.account.paid
    assert way.account.now / way.account.cost == pytest.approx(found.finding("age", "null_rate").evidence, rel=1e-12)


def test_a_reference_without_time_is_judged_again_by_what_was_known_then(tmp_path):
    path = world(tmp_path, 16)
    table = pq.read_table(tmp_path / "reference.parquet")
    pq.write_table(table.drop_columns(["ts"]), tmp_path / "reference.parquet")
    configuration = read(path)
    clock = SimulatedClock(START)
    cycle = Cycle(open_store(configuration.store.get_secret_value()), clock)
    watch = watches(configuration)["churn"]
    for number in range(16):
        window = Window(START + number * DAY, START + (number + 1) * DAY)
        clock.time = window.end + timedelta(hours=1)
        assert cycle.run(watch, window).outcome == "done"
    early = again(cycle, watch, run_of(cycle, 5))
    cycle.store.close()
    assert early.same


def test_a_step_leads_from_what_was_held_to_what_is_held_now(shifted):
    _, way = traced(shifted, 3)
    step = way.steps[0]
    assert (step.held + step.received) * step.factor == pytest.approx(step.now, rel=1e-12)


def test_the_account_of_a_day_begins_where_that_of_the_day_before_ended(shifted):
    _, before = traced(shifted, 2)
    _, after = traced(shifted, 3)
    assert after.account.before == pytest.approx(before.account.now, rel=1e-12)


def test_the_account_pays_where_the_engine_says_so(shifted):
    found, way = traced(shifted, BROKEN)
    assert way.account.paid == found.finding("age", "location").fresh


def test_evidence_rests_while_an_alarm_is_open(shifted):
    _, way = traced(shifted, BROKEN + 1)
    assert way.open_before is not None
    assert way.steps[0].now == 0


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory):
    """Two days in windows of six hours."""
    six_hours = timedelta(hours=6)
    config = CONFIG.replace("every: 1d", "every: 6h")
    cycle, watch = watched(tmp_path_factory.mktemp("quarters"), 2, config=config, every=six_hours)
    yield None, cycle, watch
    cycle.store.close()


def test_the_last_window_of_a_day_is_traced_on_both_scales(quarters):
    _, way = traced(quarters, 1.75)
    assert {step.scale for step in way.steps} == {"window", "day"}


def test_a_window_inside_of_a_day_is_traced_alone(quarters):
    _, way = traced(quarters, 1.5)
    assert [step.scale for step in way.steps] == ["window"]


@pytest.mark.parametrize("day", [1.5, 1.75])
def test_the_trace_of_several_scales_ends_at_the_evidence_of_the_finding(quarters, day):
    found, way = traced(quarters, day)
    assert way.account.now / way.account.cost == pytest.approx(found.finding("age", "location").evidence, rel=1e-12)


def test_a_check_without_evidence_has_no_trace(shifted):
    assert traced(shifted, 3, ("age", "ks"))[1] is None


def test_a_finding_is_explained_in_steps_from_the_count_to_the_verdict(explain):
    code, said, _ = explain(f"churn/age/location@{START + BROKEN * DAY:%Y-%m-%d}", "--json")
    assert code == 0
    assert list(steps(said)) == [
        "counted", "expected", "varies by", "is off by", "the bet", "the account", "an alarm", "verdict",
    ]  # fmt: skip


def test_a_finding_says_that_it_is_the_same_to_the_last_bit(explain):
    _, said, _ = explain("churn/age/location")
    assert "the same to the last bit" in " ".join(said.split())


def test_without_a_window_the_newest_is_explained(explain):
    _, said, _ = explain("churn/age/location", "--json")
    assert json.loads(said)["finding"]["window"]["start"] == f"{START + 7 * DAY:%Y-%m-%dT%H:%M:%SZ}"


def test_a_column_alone_means_its_check_with_the_most_to_say(explain):
    _, said, _ = explain("churn/age", "--json")
    assert json.loads(said)["finding"]["rule"] == "evidence"


def test_a_finding_of_the_whole_table_is_named_by_its_check(explain):
    _, said, _ = explain("churn/row_count", "--json")
    assert json.loads(said)["finding"]["column"] is None


def test_a_fact_says_how_much_doubt_one_window_may_leave(explain):
    _, said, _ = explain("churn/age/type_change", "--json")
    assert "one account's part of the budget" in steps(said)["allowed"]


def test_a_description_leads_to_the_evidence_of_its_column(explain):
    _, said, _ = explain("churn/age/ks", "--json")
    assert "monitor explain churn/age" in steps(said)["counts for"]


def test_a_quiet_finding_says_what_would_have_been_seen(explain):
    _, said, _ = explain("churn/amount/location", "--json")
    assert "would be noticed" in steps(said)["would see"]


def test_what_findings_of_check_are_called_is_what_explain_takes(explain, shifted):
    _, cycle, _ = shifted
    with cycle.store.read() as connection:
        stored = run_rows.findings_of(connection, [run_of(cycle, 5).id])
    found = next(finding.as_json() for finding in stored if finding.column == "plan")
    code, said, _ = explain(f"churn/plan/{found['check']}@{found['window']['start']}", "--json")
    assert code == 0
    assert json.loads(said)["finding"] == found


@pytest.fixture
def incident(shifted):
    with shifted[1].store.read() as connection:
        (found,) = incident_rows.listing(connection, "churn")
    return found


def test_an_incident_says_when_its_column_alarmed(explain, incident):
    _, said, _ = explain(incident.id, "--json")
    (alarm,) = json.loads(said)["alarms"]
    assert alarm["finding"]["window"]["start"] == f"{START + BROKEN * DAY:%Y-%m-%dT%H:%M:%SZ}"


def test_the_beginning_of_an_incidents_id_is_enough(explain, incident):
    code, said, _ = explain(incident.id[:-3])
    assert code == 0
    assert "it alarmed, judged again: the same to the last bit" in " ".join(said.split())


def test_an_incident_is_explained_by_the_way_of_its_first_alarm(explain, incident):
    _, said, _ = explain(incident.id, "--json")
    assert json.loads(said)["explained"]["numbers"]["account"]["paid"]


def test_a_column_of_nulls_is_explained(tmp_path, run):
    cycle, _ = watched(tmp_path, 4, drop("age", 2, 4))
    with cycle.store.read() as connection:
        found = incident_rows.listing(connection, "churn")
    cycle.store.close()
    code, said, _ = run("explain", found[0].id)
    assert code == 0
    assert "null" in said


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("nobody-1234", "no incident has an id beginning"),
        ("chrn/age/location", "did you mean 'churn'"),
        ("churn/ages/location", "it has columns"),
        ("churn/age/nothing", "it has checks"),
        ("churn/age/location@2020-01-01", "no window in which"),
        ("churn/age/location@202", "is no moment"),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_sentence(explain, what, said):
    code, _, error = explain(what)
    assert code == 2
    assert said in error


def test_a_window_that_is_left_out_says_why(tmp_path, run):
    day = datetime(2026, 1, 6, tzinfo=UTC)
    left_out = f"{{start: {day:%Y-%m-%dT%H:%M:%SZ}, end: {day + DAY:%Y-%m-%dT%H:%M:%SZ}, reason: a move}}"
    config = CONFIG.replace("    checks: auto\n", f"    checks: auto\n    calendar: {{exclude: [{left_out}]}}\n")
    cycle, _ = watched(tmp_path, 2, config=config)
    cycle.store.close()
    _, said, _ = run("explain", "churn/age/location", "--json")
    assert "left out (a move)" in steps(said)["verdict"]


def test_an_incident_that_no_finding_raised_says_so(tmp_path, run):
    cycle, watch = watched(tmp_path, 1)
    (tmp_path / "logs.db").unlink()
    assert cycle.run(watch, Window(START + DAY, START + 2 * DAY)).outcome == "failed"
    with cycle.store.read() as connection:
        found = incident_rows.listing(connection, "churn")
    cycle.store.close()
    assert found, "a log that is gone is told at once"
    code, said, _ = run("explain", found[0].id)
    assert code == 0
    assert "nothing to judge again" in said
