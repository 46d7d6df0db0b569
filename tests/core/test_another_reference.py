"""Incidents that one reference showed, judged by another: over only when that is seen, window after window."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.diagnosing import Group
from monitor.core.finding import Finding, IncidentKind, Rule, Verdict
from monitor.core.incident import Incident, State
from monitor.core.lifecycle import Holding, advance, causes
from monitor.core.window import Window
from monitor.store import bodies

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
OLD, NEW = "reference-of-7", "reference-of-8"


def finding(column, number, verdict, check="location", rule=Rule.EVIDENCE, **more):
    window = Window(START + number * DAY, START + (number + 1) * DAY)
    gathered = rule is Rule.EVIDENCE
    told = {
        "effect": 0.4 if verdict is Verdict.BREACH else 0.0,
        "fresh": verdict is Verdict.BREACH and gathered,
        "evidence": 1.5 if gathered else None,
        "minimum_detectable": 0.05,
    } | more
    return Finding(
        "churn", column, check, IncidentKind.DRIFT, window, verdict, threshold=0.1, unit="sd", rule=rule,
        reason=f"{column} moved", **told,
    )  # fmt: skip


class Story:
    """Plays windows, each judged against a reference, and keeps the incidents that are open."""

    def __init__(self, resolve_after=3, **holding):
        self.holding = Holding(resolve_after=resolve_after, **holding)
        self.open, self.closed, self.number = [], [], -1

    def play(self, reference, *rows):
        """One window; ``rows`` are (column, verdict) or (column, verdict, more)."""
        self.number += 1
        findings = [
            finding(column, self.number, verdict, **(more[0] if more else {})) for column, verdict, *more in rows
        ]
        breached = tuple(f.column for f in findings if f.verdict is Verdict.BREACH)
        groups = [Group("population_shift", "population shift", breached, "moved", False)] if breached else []
        window = Window(START + self.number * DAY, START + (self.number + 1) * DAY)
        steps = advance(self.open, causes(findings, groups, {}), findings, window, window.end, self.holding, reference)
        for step in steps:
            self.open = [i for i in self.open if i.id != step.after.id]
            (self.closed if step.after.state is State.RESOLVED else self.open).append(step.after)
        return [step.event for step in steps]

    def breach(self, reference, *columns, **more):
        return self.play(reference, *((column, Verdict.BREACH, more) for column in columns))

    def calm(self, reference, *columns, verdict=Verdict.PASS, **more):
        return self.play(reference, *((column, verdict, more) for column in columns))


@pytest.fixture
def story():
    """An incident about the age that the reference of version 7 showed."""
    told = Story()
    told.breach(OLD, "age")
    return told


def test_an_incident_knows_the_reference_that_showed_it(story):
    assert story.open[0].reference == OLD


def test_against_the_same_reference_the_end_of_the_alarm_is_the_end(story):
    assert story.calm(OLD, "age") == ["resolved"]


def test_against_another_reference_it_takes_calm_windows_in_a_row(story):
    assert [*story.calm(NEW, "age"), *story.calm(NEW, "age"), *story.calm(NEW, "age")] == ["calm", "calm", "resolved"]
    assert story.closed[0].resolved_reason == "calm again against the new reference"


@pytest.mark.parametrize("windows", [1, 2, 5])
def test_how_many_is_configured(windows):
    story = Story(resolve_after=windows)
    story.breach(OLD, "age")
    events = [event for _ in range(windows) for event in story.calm(NEW, "age")]
    assert events == ["calm"] * (windows - 1) + ["resolved"]


def test_a_window_without_sight_does_not_count(story):
    blind = {"verdict": Verdict.INCONCLUSIVE, "minimum_detectable": 5.0}
    story.calm(NEW, "age")
    assert [story.calm(NEW, "age", **blind) for _ in range(4)] == [[]] * 4
    assert (story.open[0].calm, story.open[0].state) == (1, State.FIRING)


def test_nor_does_one_that_was_not_judged(story):
    assert story.calm(NEW, "age", verdict=Verdict.FAILED) == []
    assert story.calm(NEW, "age", verdict=Verdict.INCONCLUSIVE, minimum_detectable=None) == []
    assert story.open[0].calm == 0


def test_sight_for_what_the_incident_is_about_is_enough(story):
    dim = {"verdict": Verdict.INCONCLUSIVE, "minimum_detectable": 0.3}  # the incident has an effect of 0.4
    assert [event for _ in range(3) for event in story.calm(NEW, "age", **dim)] == ["calm", "calm", "resolved"]


def test_an_alarm_begun_anew_starts_the_count_again(story):
    story.calm(NEW, "age")
    story.calm(NEW, "age")
    assert story.breach(NEW, "age") == ["continues"]
    assert story.open[0].calm == 0


def test_a_new_alarm_on_the_same_column_continues_the_incident_and_binds_it_to_its_reference(story):
    assert story.breach(NEW, "age") == ["continues"]
    assert [(i.reference, i.windows) for i in story.open] == [(NEW, 2)]
    assert story.calm(NEW, "age") == ["resolved"]
    assert story.closed[0].resolved_reason == "calm again"


def test_a_column_that_the_new_reference_lacks_is_calm(story):
    assert [event for _ in range(3) for event in story.calm(NEW, "amount")] == ["calm", "calm", "resolved"]


def test_a_column_that_the_same_reference_lacks_for_once_is_not(story):
    assert story.calm(OLD, "amount") == []


def test_of_two_columns_both_must_be_calm(story):
    story.breach(OLD, "age", "amount")
    blind = ("amount", Verdict.INCONCLUSIVE, {"minimum_detectable": 5.0})
    assert story.play(NEW, ("age", Verdict.PASS), blind) == []
    assert [event for _ in range(3) for event in story.calm(NEW, "age", "amount")] == ["calm", "calm", "resolved"]


def test_a_rule_of_the_user_waits_for_as_many_windows_against_either_reference():
    own = {"rule": Rule.THRESHOLD}
    for reference in (OLD, NEW):
        story = Story(open_after=1)
        story.breach(OLD, "age", **own)
        events = [event for _ in range(3) for event in story.calm(reference, "age", **own)]
        assert events == ["calm", "calm", "resolved"]


def test_what_is_pending_and_does_not_last_is_dropped_whatever_the_reference():
    story = Story(open_after=2)
    story.breach(OLD, "age", rule=Rule.THRESHOLD)
    assert story.calm(NEW, "age", rule=Rule.THRESHOLD) == ["dropped"]


def test_an_expected_change_that_a_new_version_ends_is_no_new_normal_of_the_old_one(story):
    story.open = [replace(story.open[0], expected=True)]
    for _ in range(3):
        story.calm(NEW, "age")
    assert story.closed[0].resolved_reason == "calm again against the new reference"


def test_back_against_the_reference_that_showed_it_the_end_of_its_alarm_is_the_end(story):
    story.calm(NEW, "age")
    assert story.calm(OLD, "age") == ["resolved"]


def test_an_incident_of_before_there_were_versions_ends_as_it_did_then():
    story = Story()
    story.breach(None, "age")
    assert story.calm(NEW, "age") == ["resolved"]


def test_the_body_of_an_incident_without_a_reference_can_be_read(story):
    body = bodies.dump(replace(story.open[0], reference=None)).replace(',"reference":null', "")
    assert "reference" not in body
    assert bodies.load(Incident, body).reference is None


def test_what_the_new_reference_alone_shows_is_an_incident_of_its_own(story):
    events = [story.play(NEW, ("age", Verdict.PASS), ("amount", Verdict.BREACH)) for _ in range(3)]
    assert events[0] == ["calm", "fired"]
    assert "resolved" in events[2]
    assert [(i.columns, i.reference) for i in story.open] == [(("amount",), NEW)]


def test_what_joins_a_trouble_that_the_new_reference_shows_too_is_the_same_trouble(story):
    assert story.breach(NEW, "age", "amount") == ["columns"]
    assert [(i.columns, i.reference) for i in story.open] == [(("age", "amount"), NEW)]
