"""What a reference teaches: what evidence is gathered on, what an alarm costs, and when blocks of time end."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from watched_model import (
    DAY,
    DAYS,
    HOUR,
    ROWS,
    START,
    STRICT,
    Days,
    finding,
    plan,
    profile,
    reference,
    reference_of,
    rhythm,
    signal,
    subject,
    window,
)

from checks.budget import REPLAYED_SHARE, Audit
from monitor.core.calendar import Exclusion
from monitor.core.finding import Verdict
from monitor.core.signal import Terms, audited, budget_of, layout_of, learn, panel_of, stage, weights_of
from monitor.core.window import Window

COLUMNS = ("age", "plan")


def learnt(terms=None, found=STRICT, known=None, checks=None, when=None):
    return learn(known or reference(), checks or plan(), when or rhythm(), terms or Terms(), found)


# What evidence is gathered on


def test_evidence_is_gathered_on_every_check_that_applies_to_a_column():
    places = {(place.column, place.check) for place in signal().layout.places}
    assert {check for column, check in places if column == "age"} == {
        "location", "spread", "shape", "tails", "null_rate", "out_of_range",
    }  # fmt: skip
    assert {check for column, check in places if column == "plan"} == {"category_shift", "null_rate", "unseen_category"}


def test_a_column_has_one_account_whatever_is_gathered_on_it():
    assert signal().detector.tracks.accounts == COLUMNS


def test_a_users_threshold_takes_a_check_out_of_the_evidence():
    checks = (*plan(), *plan("location", threshold=0.6))
    places = {(place.column, place.check) for place in layout_of(reference(), checks).places}
    assert ("age", "location") not in places
    assert ("age", "spread") in places


def test_a_classical_statistic_gathers_no_evidence():
    assert not layout_of(reference(), plan("ks", "psi", "total_variation")).places


def test_a_model_of_one_window_checks_alone_can_be_watched():
    checks = plan("missing_column", "row_count")
    days = Days(subject(learnt=learnt(checks=checks), checks=checks))
    assert finding(days.day(), "age", "missing_column").verdict is Verdict.PASS


# What an alarm costs


@pytest.mark.parametrize("rate", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("every", [HOUR, DAY])
@pytest.mark.parametrize("importance", [None, {"age": 4.0}, {"plan": 0.0}], ids=str)
def test_all_alarms_together_cost_the_budget_and_no_more(rate, every, importance):
    """In windows of 30 days each account alarms by mistake once in its cost, each fact as often as its level says."""
    terms, when = Terms(rate, importance=importance), rhythm(every)
    asked = Audit(budget_of(terms, when).strict, None, 0)
    known = replace(signal(), terms=terms, rhythm=when, audit=asked)
    windows, facts = 30 * DAY / every, 400
    by_account = {known.detector.tracks.account[place]: cost for place, cost in enumerate(known.costs)}
    spent = sum(windows / cost for cost in by_account.values()) + windows * facts * known.fact_level(facts)
    assert spent == pytest.approx(rate)


def test_a_smaller_budget_asks_for_more():
    costs = [learnt(Terms(rate), Audit(budget_of(Terms(rate), rhythm()).strict, None, 0)).costs for rate in (1.0, 0.1)]
    assert costs[1] == pytest.approx(10 * costs[0])


def test_of_few_facts_none_is_held_at_a_lax_level():
    assert replace(signal(), audit=Audit(0.1, None, 0)).fact_level(1) == 0.01


def test_an_important_column_alarms_sooner_and_the_others_pay_for_it():
    plain, asked = signal(), replace(signal(), terms=Terms(importance={"age": 4.0}))
    age, other = ({p.column: c for p, c in zip(s.layout.places, s.costs, strict=True)} for s in (plain, asked))
    assert other["age"] < age["age"]
    assert other["plan"] > age["plan"]
    assert other["plan"] == pytest.approx(2 * other["age"])  # the root of what was asked for


def test_weights_are_one_on_average_and_one_where_nothing_is_said():
    assert weights_of(signal().layout, Terms()).tolist() == [1.0, 1.0]
    assert weights_of(signal().layout, Terms(importance={"age": 9.0})).mean() == pytest.approx(1.0)


def test_a_muted_column_never_pays():
    costs = replace(signal(), terms=Terms(importance={"age": 0.0})).costs
    muted = np.array([place.column == "age" for place in signal().layout.places])
    assert np.isinf(costs[muted]).all()
    assert np.isfinite(costs[~muted]).all()


def test_where_every_column_is_muted_none_pays():
    known = replace(signal(), terms=Terms(importance=dict.fromkeys(COLUMNS, 0.0)))
    assert np.isinf(known.costs).all()


# The replay


@pytest.fixture(scope="module")
def replayed():
    return audited(reference(), plan(), rhythm(), Terms())


def test_a_calm_reference_vouches_for_a_lower_price_than_the_strict_one(replayed):
    assert 0 < replayed.threshold < 30.0


def test_the_replay_spends_its_share_of_the_budget_at_most(replayed):
    assert replayed.rate <= REPLAYED_SHARE
    assert replayed.days >= 8 * 30


def test_the_same_reference_is_replayed_to_the_same_answer(replayed):
    assert audited(reference(), plan(), rhythm(), Terms()) == replayed


def test_a_strict_budget_is_never_lowered_by_the_replay(replayed):
    strict = audited(reference(), plan(), rhythm(), Terms(calibrated=False))
    assert strict.threshold == max(30.0, replayed.threshold)


def test_without_time_there_is_nothing_to_replay():
    known = reference_of(reference().blocks, timed=False)
    assert audited(known, plan(), rhythm(), Terms()) == Audit(30.0, None, 0)


def test_without_evidence_there_is_nothing_to_replay():
    assert audited(reference(), plan("ks"), rhythm(), Terms()) == Audit(30.0, None, 0)


# What a reference teaches


def test_a_reference_without_time_says_so():
    untimed = learnt(known=reference_of(reference().blocks, timed=False))
    assert (signal().timed, untimed.timed) == (True, False)


def test_a_reference_without_time_would_notice_less():
    known = reference_of(reference().blocks, timed=False)
    days = [Days(), Days(subject(known, learnt(known=known)))]
    timed, untimed = (finding(one.day(), "age", "location").minimum_detectable for one in days)
    assert untimed > timed


def test_excluded_periods_teach_nothing():
    march = Exclusion(Window(START - 10 * DAY, START - 7 * DAY), "migration")
    when = rhythm(exclusions=(march,))
    _, rows, timeline = panel_of(reference(), signal().layout, when)
    assert len(timeline) == len(rows) == DAYS - 3


def test_a_reference_that_is_excluded_altogether_is_one_without_time():
    when = rhythm(exclusions=(Exclusion(Window(START - 100 * DAY, START), "migration"),))
    assert not learnt(when=when).timed
    assert audited(reference(), plan(), when, Terms()) == Audit(30.0, None, 0)


def test_a_panel_is_every_window_of_the_reference_observed():
    sums, rows, _ = panel_of(reference(), signal().layout, rhythm())
    whole = signal().layout.observe(reference().profile)
    assert rows.sum(axis=0) == pytest.approx(whole[1])
    assert sums.sum(axis=0) == pytest.approx(whole[0], abs=1e-6)


def test_what_one_window_of_the_reference_shows_is_known_as_usual():
    def stuck(rows):
        rows["age"][:] = 40.0

    sundays = [(window(n), profile(n, ROWS, stuck if n % 7 == 6 else None)) for n in range(-28, 0)]
    usual = learnt(known=reference_of(sundays), checks=plan("constant")).usual
    assert usual["age", "constant"] > 0.5
    assert usual["plan", "constant"] < 0.5


# The log's own variation, where the reference has no time


@pytest.mark.parametrize(
    ("days", "expected"),
    [(0, None), (13, None), (14, timedelta(14)), (27, timedelta(14)), (28, timedelta(28)), (300, timedelta(28))],
)
def test_the_logs_variation_is_learnt_in_stages_and_then_never_again(days, expected):
    untimed = reference_of(reference().blocks, timed=False)
    assert stage(untimed, START, START + days * DAY) == expected


def test_a_reference_with_time_needs_no_stages():
    assert stage(reference(), START, START + 100 * DAY) is None


def test_before_the_first_window_there_is_no_stage():
    assert stage(reference_of(reference().blocks, timed=False), None, START) is None


def test_with_the_logs_own_windows_the_level_stays_that_of_the_snapshot():
    """A log that differs from its reference from the first day on does not teach that it is normal."""

    def older(rows):
        rows["age"] = rows["age"] + 5

    known = reference_of(reference().blocks, timed=False)
    lived = [(window(n), profile(n, ROWS, older)) for n in range(28)]
    taught = learn(known, plan(), rhythm(), Terms(), STRICT, lived)
    days = Days(subject(known, taught))
    assert taught.timed
    assert finding(days.day(older), "age", "location").effect == pytest.approx(0.5, abs=0.2)


# When windows are


def ends(start: str, every: timedelta) -> tuple[bool, ...]:
    when = rhythm(every)
    return when.ends(when.schedule.window_containing(datetime.fromisoformat(start)))


@pytest.mark.parametrize(
    ("start", "every", "expected"),
    [
        ("2026-01-05T04:00+00:00", HOUR, (True, False, False)),
        ("2026-01-05T05:00+00:00", HOUR, (True, True, False)),
        ("2026-01-05T23:00+00:00", HOUR, (True, True, True)),
        ("2026-01-05T12:00+00:00", 6 * HOUR, (True, False)),
        ("2026-01-05T18:00+00:00", 6 * HOUR, (True, True)),
        ("2026-01-05T00:00+00:00", DAY, (True,)),
        ("2026-01-05T00:00+00:00", 7 * DAY, (True,)),
    ],
)
def test_a_window_ends_a_part_of_the_day_or_a_day_where_the_next_begins_another(start, every, expected):
    assert ends(start, every) == expected


@pytest.mark.parametrize("every", [HOUR, 3 * HOUR, DAY, 7 * DAY])
def test_ends_of_blocks_are_those_of_the_timeline(every):
    when = rhythm(every)
    windows = [when.schedule.window_containing(START)]
    while len(windows) < 60:
        windows.append(when.schedule.window_containing(windows[-1].end))
    line = when.timeline(windows)
    for place, scale in enumerate(line.scales):
        blocks = line.blocks(scale)
        changes = [scale == "window" or before != after for before, after in zip(blocks[:-1], blocks[1:], strict=True)]
        assert changes == [when.ends(window)[place] for window in windows[:-1]]


def test_a_timeline_of_windows_is_those_of_each_one():
    when, windows = rhythm(HOUR), [window(n, HOUR) for n in range(30)]
    whole, parts = when.timeline(windows), [when.timeline([one]) for one in windows]
    assert whole.moments.hours.tolist() == [part.moments.hours[0] for part in parts]
    assert whole.days.tolist() == [part.days[0] for part in parts]
