"""Findings from evidence: what they say, in which units, and that a blind window is never calm."""

import re
from dataclasses import replace

import numpy as np
import pytest
from watched_model import (
    DAY,
    ROWS,
    START,
    STRICT,
    Days,
    finding,
    new_plan,
    plan,
    profile,
    reference,
    reference_of,
    rhythm,
    shift,
    signal,
    subject,
    window,
)

from monitor.core.alarms import watch
from monitor.core.calendar import Exclusion
from monitor.core.finding import IncidentKind, Rule, Verdict
from monitor.core.measuring import questions
from monitor.core.signal import Terms, learn
from monitor.core.verdicts import evidence_findings
from monitor.core.window import Window


def evidence(seen):
    return [f for f in seen.findings if f.rule is Rule.EVIDENCE]


@pytest.fixture(scope="module")
def calm():
    days = Days()
    return days.days(3)


@pytest.fixture(scope="module")
def alarmed():
    days = Days()
    days.days(10)
    return days.alarm(shift(6))


def nulls(share):
    def change(rows):
        rows["age"] = rows["age"].astype(object)
        rows["age"][: round(share * len(rows["age"]))] = None

    return change


# What every finding has


def test_every_column_and_check_that_gathers_evidence_has_one_finding(calm):
    found = [(f.column, f.check) for f in evidence(calm)]
    assert sorted(found) == sorted(signal().places)


def test_a_calm_window_passes(calm):
    assert {f.verdict for f in evidence(calm)} == {Verdict.PASS}


def test_effects_lie_in_their_intervals(calm, alarmed):
    for found in (*evidence(calm), *evidence(alarmed)):
        low, high = found.effect_ci
        assert low <= found.effect <= high
        assert low < high


def test_a_pass_says_what_would_have_been_noticed(calm):
    for found in evidence(calm):
        assert found.minimum_detectable > 0
        assert re.fullmatch(r"would notice .+ within 7 days", found.detectable)


def test_what_would_have_been_noticed_is_beyond_the_tolerance(calm):
    assert all(found.minimum_detectable > found.threshold > 0 for found in evidence(calm))


def test_a_pass_holds_less_than_an_alarm_costs(calm):
    assert all(0 < found.evidence < 1 for found in evidence(calm))


def test_the_checks_of_a_column_share_one_account(calm):
    assert len({found.evidence for found in evidence(calm) if found.column == "age"}) == 1


def test_no_number_is_other_than_finite(calm, alarmed):
    for found in (*evidence(calm), *evidence(alarmed)):
        numbers = [found.statistic, found.effect, *found.effect_ci, found.pvalue, found.threshold, found.evidence]
        assert np.isfinite([*numbers, found.minimum_detectable]).all()
        assert 0 <= found.pvalue <= 1


def test_rows_are_those_that_the_effect_rests_on():
    seen = Days().day(nulls(0.25))
    assert finding(seen, "age", "location").rows == 0.75 * ROWS
    assert finding(seen, "age", "null_rate").rows == ROWS


def test_a_finding_has_the_kind_of_its_check(calm):
    assert finding(calm, "age", "location").kind is IncidentKind.DRIFT
    assert finding(calm, "age", "null_rate").kind is IncidentKind.QUALITY


def test_shares_have_effects_in_shares_of_rows():
    seen = Days().day(nulls(0.25))
    found = finding(seen, "age", "null_rate")
    assert found.effect == pytest.approx(0.25, abs=0.01)
    assert found.effect_ci[0] > 0.15
    assert found.effect_ci[1] < 0.35


def test_scores_have_effects_in_standard_deviations():
    found = finding(Days().day(shift(5)), "age", "location")
    assert found.effect == pytest.approx(0.5, abs=0.15)


def test_the_interval_covers_a_true_shift_nine_times_in_ten():
    """200 windows with a shift of 4 years, of which the score of the whole reference makes its true effect."""
    days, known = Days(), signal()
    large = profile(0, 40_000, shift(4))
    sums, rows = known.layout.observe(large)
    place = known.places["age", "location"][0]
    truth = sums[place] / rows[place]
    asked = questions(reference().bins, plan("location"))
    covered = 0
    for number in range(200):
        seen = profile(1000 + number, ROWS, shift(4))
        watched = watch(known, days.memory, window(0), seen, lambda since: [])
        found = evidence_findings("m", window(0), reference(), seen, asked, known, watched)
        low, high = found[0].effect_ci
        covered += low <= truth <= high
    assert 0.83 <= covered / 200 <= 0.98


# Breaches


def test_a_breach_has_an_onset_and_is_fresh_in_its_first_window(alarmed):
    found = finding(alarmed, "age", "location")
    assert (found.verdict, found.fresh) == (Verdict.BREACH, True)
    assert abs(found.onset - (START + 10 * DAY)) <= DAY


def test_a_breach_stays_one_while_its_alarm_is_open_and_is_fresh_once():
    days = Days()
    first = finding(days.alarm(shift(6)), "age", "location")
    later = finding(days.days(5, shift(6)), "age", "location")
    assert (later.verdict, later.fresh) == (Verdict.BREACH, False)
    assert (later.onset, later.reason) == (first.onset, first.reason)


def test_only_the_check_that_shows_a_change_breaches(alarmed):
    assert [f.check for f in evidence(alarmed) if f.verdict is Verdict.BREACH] == ["location"]


def test_a_breach_is_said_in_native_units(alarmed):
    said = re.fullmatch(
        r"median of age rose from (\S+) to (\S+) \(\+(\d+)%, 90% interval \+(\d+)% to \+(\d+)%\), since 2026-01-1\d.*",
        finding(alarmed, "age", "location").reason,
    )
    before, after, mid, low, high = map(float, said.groups())
    assert (before, after) == (pytest.approx(40, abs=1), pytest.approx(46, abs=2))
    assert low < mid < high


def test_a_share_is_said_in_shares():
    said = finding(Days().alarm(new_plan(0.05)), "plan", "unseen_category").reason
    assert said.startswith("share of unseen values of plan rose from 0% to 5% (90% interval ")


def test_a_breach_is_diagnosed_and_so_are_the_descriptions_of_its_column(alarmed):
    assert finding(alarmed, "age", "location").diagnosis
    description = finding(alarmed, "age", "ks")
    assert (description.verdict, description.rule) == (Verdict.BREACH, Rule.DESCRIPTION)
    assert description.diagnosis == finding(alarmed, "age", "location").diagnosis


def test_descriptions_of_other_columns_stay_calm(alarmed):
    assert finding(alarmed, "plan", "total_variation").verdict is Verdict.PASS


def test_a_very_large_change_needs_no_second_thought():
    days = Days()
    days.days(5)
    assert finding(days.alarm(nulls(1.0)), "age", "null_rate").fatal
    small = Days()
    assert not finding(small.alarm(shift(4)), "age", "location").fatal


def test_a_breach_of_a_window_without_rows_has_no_effect():
    days = Days()
    days.alarm(shift(6))
    found = finding(days.day(rows=0), "age", "location")
    assert (found.verdict, found.effect, found.effect_ci, found.pvalue) == (Verdict.BREACH, None, None, None)


# Blind windows


def test_a_window_of_few_rows_is_inconclusive_and_says_how_few():
    found = finding(Days().day(rows=12), "age", "location")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason == "12 rows with a value in this window, fewer than 30; they count with the next window"


def test_rows_of_windows_too_small_to_speak_speak_together():
    days = Days()
    days.days(20, shift(8), rows=20)
    assert days.memory.alarms


def test_a_window_without_rows_is_inconclusive_and_has_no_effect():
    for found in evidence(Days().day(rows=0)):
        assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "no rows in this window")
        assert found.effect is None
        assert found.minimum_detectable is None


def test_a_column_all_null_is_inconclusive_of_its_values_and_breaches_in_its_nulls():
    seen = Days().day(nulls(1.0))
    assert finding(seen, "age", "null_rate").verdict is Verdict.BREACH
    found = finding(seen, "age", "location")
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "every value in this window is null")


def thin(rows):
    return Days(subject(reference(60, 40), signal(60, 40))).day(rows=rows)


def test_a_window_that_would_miss_a_large_change_is_inconclusive_and_names_the_rows_needed():
    found = finding(thin(31), "age", "spread")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.minimum_detectable > 0.8
    assert re.search(r"would notice 0\.\d+ sd within 7 days; about \d+ rows a window would do", found.reason)


def test_rows_that_are_needed_would_indeed_do_and_fewer_would_not():
    needed = int(re.search(r"about (\d+) rows", finding(thin(31), "age", "spread").reason)[1])
    assert finding(thin(needed), "age", "spread").verdict is Verdict.PASS
    assert finding(thin(needed - 2), "age", "spread").verdict is Verdict.INCONCLUSIVE


def wild(days=60):
    """A reference whose days differ by more than any change worth a word."""
    rng = np.random.default_rng(3)
    levels = np.cumsum(rng.normal(0, 6, days))
    return reference_of([(window(n), profile(n, ROWS, shift(levels[n]))) for n in range(-days, 0)])


def test_a_reference_that_varies_too_much_says_that_rows_do_not_help():
    known = wild()
    days = Days(subject(known, learn(known, plan(), rhythm(), Terms(), STRICT)))
    found = finding(days.day(), "age", "location")
    assert found.verdict is Verdict.INCONCLUSIVE
    assert found.reason.endswith("the reference itself varies too much for any number of rows; a longer one would help")


def test_whatever_the_rows_a_window_passes_only_where_it_would_notice_a_large_change():
    for rows in (0, 1, 29, 30, 35, 60, ROWS):
        for found in evidence(thin(rows)):
            if found.verdict is Verdict.PASS:
                assert found.rows >= 30
                assert found.detectable


def test_a_column_of_one_value_says_that_the_reference_has_too_few():
    def constant(rows):
        rows["age"][:] = 40.0

    blocks = [(window(n), profile(n, ROWS, constant)) for n in range(-30, 0)]
    known = reference_of(blocks)
    days = Days(subject(known, learn(known, plan(), rhythm(), Terms(), STRICT)))
    found = finding(days.day(constant), "age", "location")
    assert (found.verdict, found.reason) == (Verdict.INCONCLUSIVE, "the reference has too few distinct values")


def test_an_account_that_its_own_reference_sets_off_is_not_judged():
    known = replace(signal(), audit=replace(STRICT, unfit=("age",)))
    seen = Days(subject(learnt=known)).day()
    assert {f.verdict for f in evidence(seen) if f.column == "age"} == {Verdict.INCONCLUSIVE}
    assert {f.verdict for f in evidence(seen) if f.column == "plan"} == {Verdict.PASS}


def test_excluded_periods_are_not_judged_and_leave_the_evidence_as_it_was():
    away = Exclusion(Window(START + DAY, START + 2 * DAY), "migration")
    days = Days(subject(learnt=replace(signal(), rhythm=rhythm(exclusions=(away,)))))
    days.day()
    before = days.memory
    seen = days.day(shift(20))
    assert days.memory is before
    assert {f.verdict for f in seen.findings} == {Verdict.INCONCLUSIVE}
    assert {f.reason for f in seen.findings} == {"not judged: migration"}
    assert seen.causes == ()
    assert {f.minimum_detectable for f in seen.findings} == {None}  # else it would end an open incident


# The contract


def test_the_contract_of_a_finding_from_evidence_in_json(alarmed):
    document = finding(alarmed, "age", "location").as_json()
    assert (document["verdict"], document["rule"], document["kind"]) == ("breach", "evidence", "drift")
    assert document["onset"].endswith("Z")
    assert document["evidence"] >= 1
    assert document["effect_ci"][0] <= document["effect"] <= document["effect_ci"][1]
    assert document["minimum_detectable"] > 0
