"""Whether a new version helped: levels with intervals, what is said when, and how often that is wrong."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.measurement import Z_CONFIDENCE
from monitor.core.evaluation import evaluate
from monitor.core.finding import Finding, IncidentKind, Rule, Severity, Verdict
from monitor.core.incident import Evidence, Incident, State
from monitor.core.lifecycle import Holding
from monitor.core.proof import Outcome, Part, begun, drift_since, given_up, level
from tests.core.watched_model import DAY, ROWS, START, bins, drawn, profile_batch, shift, subject, window

NEEDED = 3
UNTIL = START + 14 * DAY


def incident(effect=0.8, reach=0.1, *, column="age", check="location", name="churn-1"):
    """What the reference of version 7 had shown."""
    shown = Evidence(
        column, check, "moved", effect, (effect - reach, effect + reach) if reach else None, 0.05, "sd",
        rule=Rule.EVIDENCE,
    )  # fmt: skip
    return Incident(
        name, "churn", IncidentKind.DRIFT, "population_shift", State.FIRING, Severity.WARNING, (column,),
        "population shift", "moved", START - 9 * DAY, START - 9 * DAY, START, evidence=(shown,), reference="old",
    )  # fmt: skip


def finding(number, effect, reach=0.1, verdict=Verdict.PASS, **more):
    told = {"column": "age", "check": "location", "threshold": 0.05, "unit": "sd", "rule": Rule.EVIDENCE} | more
    interval = (effect - reach, effect + reach) if reach is not None and effect is not None else None
    return Finding(
        model="churn", kind=IncidentKind.DRIFT, window=window(number), verdict=verdict, effect=effect,
        effect_ci=interval, **told,
    )  # fmt: skip


def proof_of(*incidents, labels=False):
    return begun("8", "7", START, UNTIL, incidents, labels=labels)


def resolved(one):
    return replace(one, state=State.RESOLVED)


def told(effects, *, incidents=None, opened=(), now=START + 5 * DAY, **more):
    windows = [[finding(number, effect, **more)] for number, effect in enumerate(effects)]
    return drift_since(proof_of(*(incidents or [incident()])), windows, opened, now, NEEDED)


# --- the level -----------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 2)), min_size=1, max_size=20))
def test_the_level_is_the_mean_weighted_by_precision(windows):
    found = level([finding(number, effect, reach) for number, (effect, reach) in enumerate(windows)])
    effects, reaches = (np.array(each) for each in zip(*windows, strict=True))
    weights = (reaches / Z_CONFIDENCE) ** -2.0
    assert found.effect == pytest.approx(np.average(effects, weights=weights), abs=1e-9)
    assert found.high - found.low == pytest.approx(2 * Z_CONFIDENCE * weights.sum() ** -0.5)
    assert found.windows == len(windows)


def test_its_interval_has_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(2000):
        errors = rng.uniform(0.02, 0.3, 5)
        seen = rng.normal(0.2, errors)
        found = level([finding(n, e, Z_CONFIDENCE * s) for n, (e, s) in enumerate(zip(seen, errors, strict=True))])
        inside += found.low <= 0.2 <= found.high
    assert inside / 2000 == pytest.approx(0.9, abs=0.02)


def test_windows_that_measured_nothing_count_for_nothing():
    blind = [finding(1, None), finding(2, 0.3, None), finding(3, 0.3, 0.0)]
    assert level(blind) is None
    assert level([finding(0, 0.1), *blind]).windows == 1


# --- what is said when ----------------------------------------------------------------------------------------------


def test_before_the_first_window_nothing_is_known():
    assert told([]).outcome is Outcome.WAITING


def test_while_the_incident_is_open_it_is_waited():
    assert told([0.01] * 5, opened=[incident()]).outcome is Outcome.WAITING


def test_with_fewer_windows_than_end_an_incident_it_is_waited():
    assert told([0.01] * (NEEDED - 1)).outcome is Outcome.WAITING


def test_once_the_incident_has_ended_the_drift_is_over():
    part = told([0.01] * NEEDED, opened=[resolved(incident())])
    assert part.outcome is Outcome.BETTER
    assert part.words.startswith("Version 8 serves since 2026-01-05 00:00 UTC. Against its own reference: ")
    assert "over 3 windows; was 0.8 sd [0.7 sd, 0.9 sd] against that of version 7. The drift is over." in part.words


def test_an_alarm_of_the_same_size_says_that_it_did_not_help():
    part = told([0.01, 0.75], verdict=Verdict.BREACH, opened=[incident()])
    assert part.outcome is Outcome.SAME
    assert "it did not help" in part.words


def test_a_drift_whose_interval_lies_beyond_the_former_one_is_worse():
    part = told([1.2, 1.2], verdict=Verdict.BREACH, opened=[incident()])
    assert part.outcome is Outcome.WORSE
    assert "larger than before" in part.words


def test_the_same_drift_in_the_other_direction_is_not_larger():
    assert told([-0.8], verdict=Verdict.BREACH).outcome is Outcome.SAME


def test_a_larger_drift_in_the_other_direction_is():
    assert told([-1.2], verdict=Verdict.BREACH).outcome is Outcome.WORSE


def test_without_a_former_effect_nothing_is_larger():
    silent = replace(incident(), evidence=(replace(incident().evidence[0], effect=None, effect_ci=None),))
    part = told([9.0], verdict=Verdict.BREACH, incidents=[silent])
    assert part.outcome is Outcome.SAME
    assert "was" not in part.words


def test_an_alarm_on_another_column_says_nothing_of_this_drift():
    assert told([0.5] * 5, column="amount", verdict=Verdict.BREACH, opened=[incident()]).outcome is Outcome.WAITING


def test_what_is_left_and_more_than_tolerated_is_not_over_though_no_alarm_has_opened():
    assert told([0.25] * NEEDED).outcome is Outcome.WAITING
    late = told([0.25] * NEEDED, now=UNTIL)
    assert (late.outcome, "more than tolerated" in late.words) == (Outcome.UNCLEAR, True)


def test_at_the_end_what_nobody_could_see_is_unclear():
    part = told([0.01] * 5, reach=2.0, opened=[incident()], now=UNTIL)
    assert part.outcome is Outcome.UNCLEAR
    assert "cannot be told from so few rows" in part.words


def test_a_column_that_the_new_version_lacks_is_told_as_not_measured():
    assert "age (location) not measured; was 0.8 sd" in told([0.0] * NEEDED, column="amount").words


def test_what_is_settled_stays_as_it_is():
    settled = replace(proof_of(incident()), drift=Part(Outcome.BETTER, "over"))
    windows = [[finding(0, 2.0, verdict=Verdict.BREACH)]]
    assert drift_since(settled, windows, [incident()], UNTIL, NEEDED) is settled.drift


def test_without_an_incident_there_is_no_drift_to_end():
    assert proof_of().drift.outcome is Outcome.NONE
    assert proof_of().settled


def test_two_incidents_must_both_have_ended():
    other = incident(column="amount", name="churn-2")
    assert told([0.01] * 4, incidents=[incident(), other], opened=[other]).outcome is Outcome.WAITING


def test_labels_are_waited_for_until_the_end_and_no_longer():
    waiting = proof_of(labels=True)
    assert given_up(waiting, UNTIL - timedelta(seconds=1)) is waiting
    over = given_up(waiting, UNTIL)
    assert over.performance.outcome is Outcome.UNCLEAR
    assert "Too few predictions have a label by now" in over.performance.words


def test_performance_alone_can_make_a_version_worse():
    proof = replace(proof_of(incident(), labels=True), performance=Part(Outcome.WORSE, "It is worse."))
    assert proof.worse
    assert not replace(proof, performance=Part(Outcome.SAME)).worse


# --- how often it is wrong --------------------------------------------------------------------------------------------

SEEDS = range(100, 140)


@cache
def stories(left):
    """What is said first, and after how many windows, where the age still differs from the new reference by so much."""
    return [_story(seed, left) for seed in SEEDS]


def _story(seed, left):
    watched = subject()
    memory, held, windows = watched.start(), [], []
    open_ones = {"churn-1": incident()}
    proof = proof_of(incident())
    for number in range(14):
        profile = profile_batch(drawn([seed, number], ROWS, shift(left)), bins())
        place = window(number)
        seen = evaluate(watched, memory, place, profile, (), lambda since: [(w, p) for w, p in held if w.end > since])
        memory = seen.memory
        held.append((place, profile))
        windows.append(seen.findings)
        now_open = [one for one in open_ones.values() if one.state is not State.RESOLVED]
        open_ones |= {step.after.id: step.after for step in seen.steps(now_open, place, place.end, Holding(2, NEEDED))}
        part = drift_since(proof, windows, [*open_ones.values()], place.end, NEEDED)
        if part.settled:
            return part.outcome, number + 1
    return part.outcome, 14


def test_a_reference_that_fits_is_called_a_help_within_the_budget_of_false_alarms():
    outcomes = Counter(outcome for outcome, _ in stories(0))
    # One false alarm in thirty days: of the three days that it takes, one story in ten at most. Four of 40, and chance.
    assert outcomes[Outcome.SAME] + outcomes[Outcome.WORSE] <= 8
    assert outcomes[Outcome.BETTER] >= 32


def test_a_help_is_said_as_soon_as_the_incident_can_end():
    assert Counter(after for outcome, after in stories(0) if outcome is Outcome.BETTER).most_common(1)[0][0] == NEEDED


@pytest.mark.parametrize(("left", "windows"), [(8.0, 1), (6.0, 2), (4.0, 4)])
def test_a_change_left_in_place_is_called_that_as_soon_as_it_is_seen(left, windows):
    assert {outcome for outcome, _ in stories(left)} == {Outcome.SAME}
    assert max(after for _, after in stories(left)) <= windows


@pytest.mark.parametrize("left", [2.0, 3.0])
def test_a_change_that_is_left_in_part_is_seldom_called_over(left):
    outcomes = Counter(outcome for outcome, _ in stories(left))
    assert outcomes[Outcome.BETTER] <= 4  # of 40: the interval of 90% leaves one in ten out, half of them on this side


def test_a_change_that_has_doubled_is_worse():
    assert {outcome for outcome, _ in stories(18.0)} == {Outcome.WORSE}
