"""How the benchmark counts: merged alerts, delays, precision, and the oracle's threshold."""

from math import inf

import numpy as np
import pytest

from benchmarks.signal.alarms import (
    Figures,
    alerts_of,
    best_peer,
    compared,
    detection,
    figures,
    notifications,
    null_figures,
    oracle_threshold,
    per_30_days,
)


def shown(median: float, share: float = 1.0) -> Figures:
    return Figures(10, share, median, median, 0.0, 1.0)


def test_a_column_that_goes_on_alerting_is_one_notification():
    alerts = [(day, ("a",)) for day in range(40)]
    assert notifications(alerts, per_day=1) == [(0, ("a",))]


def test_a_column_that_was_quiet_for_a_week_is_news_again():
    assert notifications([(0, ("a",)), (6, ("a",)), (13, ("a",))], per_day=1) == [(0, ("a",)), (13, ("a",))]


def test_hours_merge_for_as_many_days():
    assert notifications([(0, ("a",)), (167, ("a",)), (400, ("a",))], per_day=24) == [(0, ("a",)), (400, ("a",))]


def test_columns_of_one_window_are_one_notification():
    assert per_30_days([(3, ("a", "b")), (4, ("b", "c"))], windows=60, per_day=1) == 1.0


@pytest.mark.parametrize("per_day", [1, 24])
def test_the_oracle_keeps_to_the_rate_and_no_lower_threshold_would_do(per_day: int):
    rng = np.random.default_rng(1)
    nulls = [rng.standard_t(4, size=(90 * per_day, 5)) for _ in range(4)]
    columns = tuple("abcde")

    def rate(threshold: float) -> float:
        return float(np.mean([per_30_days(alerts_of(s, threshold, columns), 90 * per_day, per_day) for s in nulls]))

    threshold = oracle_threshold(nulls, per_day)
    below = np.sort(np.concatenate([scores.ravel() for scores in nulls]))
    assert rate(threshold) <= 1 < rate(below[np.searchsorted(below, threshold) - 2])


def test_the_onsets_own_window_is_a_delay_of_one_day():
    assert detection([(20, ("a",))], ["a"], onset=20, per_day=1).delay == 1


def test_an_alert_on_another_column_finds_nothing():
    found = detection([(20, ("b",))], ["a"], onset=20, per_day=1)
    assert (found.delay, found.named, found.right) == (inf, 0, 0)


def test_a_column_that_is_named_beside_the_changed_one_costs_precision():
    found = detection([(20, ("b",)), (21, ("a", "b"))], ["a"], onset=20, per_day=1)
    assert (found.delay, found.named, found.right) == (2, 2, 1)


def test_alerts_after_the_horizon_are_too_late():
    assert detection([(80, ("a",))], ["a"], onset=20, per_day=1).delay == inf


def test_alerts_of_the_week_before_are_said():
    assert detection([(14, ("a",)), (20, ("a",))], ["a"], onset=20, per_day=1).before


def test_a_median_is_never_where_most_were_not_found():
    late = [detection([(20, ("a",))] if found else [], ["a"], 20, 1) for found in (True, False, False)]
    summary = figures(late)
    assert (summary.share, summary.median, summary.precision) == (pytest.approx(1 / 3), inf, 1.0)


def test_a_quarter_of_a_day_is_a_tie():
    assert [compared(shown(2.0), shown(other)) for other in (2.25, 2.3, 1.7)] == ["tie", "win", "lose"]


def test_where_nobody_finds_most_the_share_decides():
    assert compared(shown(inf, 0.4), shown(inf, 0.2)) == "win"


def test_hindsight_takes_the_earliest_peer():
    assert best_peer({"late": shown(5.0), "early": shown(2.0), "never": shown(inf, 0.1)}) == "early"


def test_a_rate_is_over_budget_only_beyond_its_error():
    assert [null_figures(rates).over_budget for rates in ([1.5, 0.9, 1.2], [1.9, 2.1, 2.0], [9.0])] == [
        False,
        True,
        False,
    ]
