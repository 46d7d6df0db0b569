"""`monitor config check --connect`: what a configuration promises, what it would see, and what is outside."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest

from monitor.cli.promising import promises
from monitor.clocks import SystemClock
from monitor.config.reading import read
from monitor.core.fixed_thresholds import alarms_of, tried
from monitor.core.lifecycle import Holding
from monitor.core.sight import sight, wandering
from monitor.cycle import Cycle
from monitor.store.schema import open_store
from monitor.watch import watches
from tests.worlds import CONFIG, START, world

TWO = Holding(open_after=2, resolve_after=2)


@pytest.mark.parametrize(
    ("breaches", "alarms"),
    [("....", 0), (".x..", 0), (".xx.", 1), ("xx.xx", 1), ("xx..xx", 2), ("xxxxxx", 1), ("x.x.x.", 0)],
)
def test_a_fixed_threshold_opens_and_closes_by_the_rules_of_incidents(breaches, alarms):
    assert alarms_of((mark == "x" for mark in breaches), TWO) == alarms


def opened(folder, config=CONFIG, change=None):
    """Return the cycle and the watch of a world whose reference may be changed."""
    path = world(folder, 2, config=config)
    if change is not None:
        table = pq.read_table(folder / "reference.parquet")
        pq.write_table(change(table), folder / "reference.parquet")
    configuration = read(path)
    cycle = Cycle(open_store(configuration.store.get_secret_value()), SystemClock())
    return cycle, watches(configuration)["churn"]


def learned(folder, config=CONFIG, change=None):
    """Return signal, reference and watch of a world."""
    cycle, watch = opened(folder, config, change)
    reference = cycle.reference(watch)
    signal = cycle.subject(watch).signal
    cycle.store.close()
    return signal, reference, watch


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return learned(tmp_path_factory.mktemp("plain"))


def thresholds(folder, config):
    """Return what the reference of a world makes of the fixed thresholds."""
    cycle, watch = opened(folder, config)
    reference = cycle.reference(watch)
    cycle.store.close()
    return tried(reference, watch.plan, watch.holding, watch.rhythm.calendar)


@pytest.fixture
def wanders(plain):
    """The plain world, in whose reference the location of `age` drifts."""
    signal, reference, watch = plain
    scale = signal.detector.scales[-1]
    moving = np.zeros(len(signal.layout.places))
    moving[list(signal.places["age", "location"])] = 1.0
    scales = (*signal.detector.scales[:-1], replace(scale, calibration=replace(scale.calibration, wanders=moving)))
    return replace(signal, detector=replace(signal.detector, scales=scales)), reference, watch


def said(found):
    return [promise.words for promise in promises(*found)]


def test_the_first_promise_is_what_the_replay_says(plain):
    assert said(plain)[0].startswith("on its own reference this setup would have notified")


def test_the_reference_is_told_in_independent_windows(plain):
    assert any("40 days are worth" in words for words in said(plain))


def test_the_typical_column_stands_for_all_where_none_is_important(plain):
    assert sum(words.startswith("a typical") for words in said(plain)) == 2


def test_important_columns_are_named_first(tmp_path):
    config = CONFIG.replace("    checks: auto\n", "    checks: auto\n    columns: {importance: {plan: 2, age: 9}}\n")
    named = [words.split(":")[0] for words in said(learned(tmp_path, config)) if "would notice" in words]
    assert named == ["age", "plan"]


def test_less_is_needed_in_a_week_than_in_a_day(plain):
    signal, reference, _ = plain
    place = sight(signal, reference).of_check("age", "location")
    assert sight(signal, reference, 7).effects[place] < sight(signal, reference, 1).effects[place]


def test_location_is_told_in_the_units_of_the_column(plain):
    signal, reference, _ = plain
    found = sight(signal, reference)
    place = found.of_check("age", "location")
    native = float(re.search(r"about ([0-9.]+)", found.words(place))[1])
    assert native == pytest.approx(10 * found.effects[place], rel=0.05)  # the standard deviation of `age` is 10


def test_a_column_that_can_be_seen_is_not_blind(plain):
    signal, reference, _ = plain
    assert not sight(signal, reference).blind("age", "location")


def test_a_column_that_drifts_in_the_reference_wanders(wanders):
    assert wandering(wanders[0]) == ("age",)


def test_a_wandering_reference_is_a_warning(wanders):
    found = [promise for promise in promises(*wanders) if promise.outcome == "warning"]
    assert any("wanders in age" in promise.words for promise in found)


def test_a_reference_without_time_is_a_warning(tmp_path):
    found = promises(*learned(tmp_path, change=lambda table: table.drop_columns(["ts"])))
    assert found[-1].outcome == "warning"
    assert "has no times" in found[-1].words


def test_a_threshold_that_nothing_exceeds_would_not_have_alarmed(tmp_path):
    config = CONFIG.replace("checks: auto", "checks: [auto, psi: {threshold: 5}]")
    (found,) = thresholds(tmp_path, config)
    assert (found.alarms, found.windows) == (0, 40)


def test_a_threshold_that_everything_exceeds_alarms_once_a_column(tmp_path):
    config = CONFIG.replace("checks: auto", "checks: [auto, psi: {threshold: 0.000001, columns: [age, amount]}]")
    (found,) = thresholds(tmp_path, config)
    assert found.alarms >= 2
    assert set(found.columns) == {"age", "amount"}


def test_windows_that_are_left_out_try_no_threshold(tmp_path):
    end = START - timedelta(days=30)
    left_out = f"{{start: 2025-01-01T00:00:00Z, end: {end:%Y-%m-%dT%H:%M:%SZ}, reason: a move}}"
    config = CONFIG.replace(
        "checks: auto", f"checks: [auto, psi: {{threshold: 5}}]\n    calendar: {{exclude: [{left_out}]}}"
    )
    (found,) = thresholds(tmp_path, config)
    assert found.windows == 30


def test_connect_marks_a_fixed_threshold_as_outside_of_the_budget(tmp_path, run):
    world(tmp_path, 2, config=CONFIG.replace("checks: auto", "checks: [auto, psi: {threshold: 0.2}]"))
    code, text, _ = run("config", "check", "--connect", "--json")
    assert code == 0
    lines = {line["what"]: line["detail"] for line in json.loads(text)["connections"]}
    assert lines["models.churn.checks.psi"].startswith("outside of the budget; with the threshold 0.2")


def test_connect_says_what_the_replay_says(tmp_path, run):
    world(tmp_path, 2)
    _, text, _ = run("config", "check", "--connect")
    assert "models.churn.budget: on its own reference this setup would have notified" in text
