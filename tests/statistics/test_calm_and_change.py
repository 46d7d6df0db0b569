"""Small worlds: calm while nothing changes, prompt where something does; `make signal` runs them at length."""

from collections.abc import Mapping

import pytest

from benchmarks.signal.alarms import detection, notifications
from benchmarks.signal.changes import CHANGES, plan
from benchmarks.signal.counting import Counted, counted
from benchmarks.signal.ours import judged, panel_of, strict
from benchmarks.signal.worlds import World
from checks.budget import LOWEST

REFERENCE, AFTER = 60, 60
ONSET = REFERENCE + 25


def world(kind: str, rows: int = 100, seed: int = 11) -> World:
    return World(kind, "day", rows, REFERENCE, AFTER, seed)


def counts(log: World) -> Mapping[str, Counted]:
    return {name: counted(log.column(name)) for name in log.columns}


@pytest.mark.parametrize("kind", ["iid", "ar", "season", "bursty", "level"])
def test_a_world_in_which_nothing_changes_is_calm(kind: str):
    log = world(kind)
    panel = panel_of(log.frame, counts(log))
    sent = notifications(judged(panel, [panel.audited().threshold], len(log.columns))[0], per_day=1)
    assert len(sent) <= 5  # the budget is two; more than five have a chance of 2% even if all of it were spent


def delay(kind: str, change_name: str, rows: int = 100) -> float:
    log = world(kind, rows)
    change = next(change for change in CHANGES if change.name == change_name)
    planned = plan(change, onsets=(ONSET, ONSET + 1), seed=3)
    panel = panel_of(log.frame, {name: counted(log.column(name, planned)) for name in planned.columns})
    alerts = judged(panel, [strict(log.frame) * LOWEST], len(log.columns))[0]
    return detection(alerts, planned.columns, ONSET - REFERENCE, per_day=1).delay


@pytest.mark.parametrize("kind", ["iid", "ar", "season", "bursty"])
@pytest.mark.parametrize("change", [change.name for change in CHANGES if change.catastrophic])
def test_a_catastrophe_shows_within_two_windows(kind: str, change: str):
    assert delay(kind, change, rows=300) <= 2


@pytest.mark.parametrize(
    ("kind", "change", "days"),
    [
        ("iid", "location .6 sd", 4),
        ("ar", "location 1 sd", 10),
        ("iid", "spread x 1.6", 4),
        ("iid", "share +12 points of 5", 20),
        ("iid", "new category 3%", 4),
        ("ar", "sentinel 5%", 5),
        ("season", "unit x 1.609", 10),
    ],
)
def test_a_change_is_seen_in_time(kind: str, change: str, days: int):
    assert delay(kind, change) <= days


def test_a_slow_world_makes_the_replay_ask_for_more():
    """Where days hang together for a month, two months of reference vouch for little."""
    asked = {
        kind: panel_of(log.frame, counts(log)).audited().threshold
        for kind in ("iid", "slow")
        for log in [world(kind, rows=1000, seed=5)]
    }
    assert asked["slow"] > asked["iid"]


def test_the_same_log_gives_the_same_alerts():
    log = world("ar")
    runs = [judged(panel_of(log.frame, counts(log)), [0.01], len(log.columns)) for _ in range(2)]
    assert runs[0] == runs[1]
    assert runs[0][0]  # or nothing was compared
