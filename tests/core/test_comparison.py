"""Tools side by side: how alerts become notices, and what each saw of an incident. Days are counted from the first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from monitor.core.comparison import our_alerts, tool
from monitor.core.false_alarms import FalseAlarms
from monitor.core.finding import Finding, IncidentKind, Rule, Severity, Verdict
from monitor.core.incident import Incident, State
from monitor.core.window import Window

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOWS = [Window(START + day * DAY, START + (day + 1) * DAY) for day in range(30)]
COLUMNS = ["age", "plan"]


def at(day: int) -> datetime:
    return START + day * DAY


INCIDENT = Incident(
    "i1", "churn", IncidentKind.DRIFT, "location_shift", State.FIRING, Severity.WARNING, ("age",), "location shift", "",
    opened_at=at(12), onset=at(10), last_window_end=at(20),
)  # fmt: skip


def shown(days_by_column: dict[str, list[int]], incidents=(), windows=WINDOWS):
    alerts = np.zeros((len(windows), len(COLUMNS)), bool)
    for column, days in days_by_column.items():
        alerts[days, COLUMNS.index(column)] = True
    return tool("ks", "KS", alerts, windows, COLUMNS, incidents)


def told_on(found) -> list[int]:
    return [(window.start - START).days for window in found.told]


def test_a_column_that_goes_on_alerting_is_one_notice():
    assert told_on(shown({"age": list(range(30))})) == [0]


def test_a_column_that_was_quiet_for_more_than_a_week_is_news_again():
    assert told_on(shown({"age": [0, 7, 15]})) == [0, 15]


def test_columns_that_alert_in_one_window_are_one_notice():
    found = shown({"age": [3], "plan": [3, 4]})
    assert (found.alerts, told_on(found), found.per_30_days) == (3, [3], 1.0)


def test_a_rate_is_that_of_the_time_compared():
    assert shown({"age": [0]}, windows=WINDOWS[:15]).per_30_days == 2.0


def test_the_first_alert_from_the_onset_on_is_when_an_incident_is_seen():
    (sight,) = shown({"age": [2, 12, 13]}, [INCIDENT]).sights
    assert (sight.at, sight.days, sight.before) == (at(13), 3.0, False)


def test_an_alert_in_the_week_before_the_onset_is_said():
    assert shown({"age": [9, 10]}, [INCIDENT]).before == 1


def test_an_alert_after_the_incident_has_not_seen_it():
    over = replace(INCIDENT, resolved_at=at(20))
    found = shown({"age": [25]}, [over])
    assert (found.seen, found.median_days, found.elsewhere) == (0, None, 1)


def test_a_notice_of_the_incidents_column_during_it_is_not_outside():
    assert shown({"age": [10]}, [INCIDENT]).elsewhere == 0


def test_a_notice_of_another_column_is_outside_even_during_the_incident():
    assert shown({"plan": [10]}, [INCIDENT]).elsewhere == 1


def test_ours_are_breaches_by_evidence_and_facts_alone():
    def finding(day, column, rule, verdict=Verdict.BREACH):
        return Finding("churn", column, "any", IncidentKind.DRIFT, WINDOWS[day], verdict, rule=rule)

    found = our_alerts(
        [
            finding(1, "age", Rule.EVIDENCE),
            finding(2, "plan", Rule.FACT),
            finding(3, "age", Rule.DESCRIPTION),
            finding(4, "age", Rule.THRESHOLD),
            finding(5, "age", Rule.EVIDENCE, Verdict.PASS),
            finding(6, None, Rule.FACT),
        ],
        WINDOWS,
        COLUMNS,
    )
    assert np.argwhere(found).tolist() == [[1, 0], [2, 1]]


def test_expected_false_alarms_grow_with_time():
    alarms = FalseAlarms(days=90.0, rate=1.0, replayed=0.2, replayed_days=720)
    assert (alarms.allowed, alarms.expected) == (pytest.approx(3.0), pytest.approx(0.6))
    assert "at most 3 on average by the budget of 1 in 30 days, 0.6 by a replay" in alarms.words


def test_a_reference_that_cannot_be_replayed_gives_no_number():
    alarms = FalseAlarms(days=30.0, rate=1.0, replayed=None, replayed_days=0)
    assert alarms.expected is None
    assert "too short" in alarms.words
