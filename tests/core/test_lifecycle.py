"""Incidents: inactive → pending → firing → resolved, and which breaches belong together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from checks.diagnosing import Group
from monitor.core.finding import Finding, IncidentKind, Rule, Severity, Verdict
from monitor.core.incident import State
from monitor.core.lifecycle import ONE_CHANGE, Holding, advance, causes
from monitor.core.window import Window

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
OWN = Rule.THRESHOLD  # a user's own


def window(number):
    return Window(START + number * DAY, START + (number + 1) * DAY)


def finding(column, number, verdict=Verdict.BREACH, check="location", rule=Rule.EVIDENCE, effect=0.4, **more):
    """What a check said of a window; by default the first window of an alarm."""
    breach, gathered = verdict is Verdict.BREACH, rule is Rule.EVIDENCE
    told = {
        "kind": IncidentKind.DRIFT,
        "reason": f"{column} moved",
        "onset": window(number).start if breach and gathered else None,
        "fresh": breach and gathered,
        "evidence": 1.5 if gathered else None,
    } | more
    return Finding(
        "churn", column, check, window=window(number), verdict=verdict, statistic=effect, effect=effect,
        effect_ci=(0.3, 0.5), threshold=0.1, unit="sd", rule=rule, **told,
    )  # fmt: skip


def shift(*columns):
    return Group("population_shift", "population shift", columns, f"{', '.join(columns)} moved", False)


def flood(*columns):
    return Group("null_flood", "null flood", columns, "null in 80% of rows", True)


class Story:
    """Plays windows one after the other and keeps the open incidents."""

    def __init__(self, holding=None):
        self.open, self.closed, self.number = [], [], -1
        self.holding = holding or Holding(open_after=2, resolve_after=2)

    def play(self, findings, groups=(), tables=None):
        self.number += 1
        now = window(self.number).end
        found = causes(findings, groups, tables or {})
        self.steps = advance(self.open, found, findings, window(self.number), now, self.holding)
        for step in self.steps:
            self.open = [i for i in self.open if i.id != step.after.id]
            (self.closed if step.after.state is State.RESOLVED else self.open).append(step.after)
        return [step.event for step in self.steps]

    def breach(self, *columns, group=None, **kwargs):
        rows = [finding(column, self.number + 1, **kwargs) for column in columns]
        return self.play(rows, [group or shift(*columns)])

    def lasts(self, *columns, **kwargs):
        """One more window in which alarms are open that opened in the first."""
        return self.breach(*columns, **{"fresh": False, "onset": START} | kwargs)

    def calm(self, *columns, verdict=Verdict.PASS, **kwargs):
        return self.play([finding(c, self.number + 1, verdict, effect=0.0, **kwargs) for c in columns])


# Evidence


def test_evidence_fires_at_once_for_it_has_waited_already():
    story = Story()
    assert story.breach("age") == ["fired"]
    assert (story.open[0].state, story.open[0].severity) == (State.FIRING, Severity.WARNING)


def test_an_incident_began_when_its_change_did():
    story = Story()
    story.calm("age")
    story.calm("age")
    story.breach("age", onset=START)
    assert story.open[0].onset == START
    assert story.open[0].opened_at == window(2).end


def test_an_alarm_that_lasts_continues_its_incident_and_tells_nobody():
    story = Story()
    story.breach("age")
    assert story.lasts("age") == ["continues"]
    assert story.open[0].windows == 2


def test_an_incident_of_evidence_ends_with_its_alarm_and_waits_for_no_second_window():
    story = Story()
    story.breach("age")
    assert story.calm("age") == ["resolved"]
    assert (story.closed[0].resolved_at, story.closed[0].resolved_reason) == (window(1).end, "calm again")


def test_an_alarm_that_is_over_ends_its_incident_even_where_the_window_is_blind_for_small_changes():
    story = Story()
    story.breach("age")
    story.lasts("age", effect=0.01)  # back already, but not yet for long enough
    assert story.calm("age", verdict=Verdict.INCONCLUSIVE, minimum_detectable=5.0) == ["resolved"]


def test_a_window_that_is_not_judged_ends_nothing():
    story = Story()
    story.breach("age")
    assert story.calm("age", verdict=Verdict.INCONCLUSIVE, evidence=None) == []
    assert story.calm("age", verdict=Verdict.FAILED) == []
    assert story.calm("other") == []
    assert story.open[0].calm == 0


def test_an_incident_of_two_columns_lasts_until_both_are_calm():
    story = Story()
    story.breach("age", "income")
    lasting = finding("age", 1, fresh=False)
    calm = finding("income", 1, Verdict.PASS, effect=0.0)
    assert story.play([lasting, calm], [shift("age")]) == ["continues"]
    assert story.calm("age", "income") == ["resolved"]


def test_an_old_alarm_opens_no_new_incident():
    story = Story()
    assert story.lasts("age") == []
    assert story.open == []


def test_an_old_alarm_joins_no_incident_of_its_fault_but_its_own():
    story = Story()
    story.breach("income")
    lasting = [finding("income", 1, fresh=False), finding("age", 1, fresh=False)]
    assert story.play(lasting, [shift("income"), shift("age")]) == ["continues"]
    assert story.open[0].columns == ("income",)


def test_an_alarm_that_opens_beside_an_old_one_is_told():
    story = Story()
    rows = [finding("age", 0, fresh=False), finding("age", 0, check="spread")]
    assert story.play(rows, [shift("age")]) == ["fired"]


def test_what_has_been_accepted_ends_as_the_new_normal():
    story = Story()
    story.breach("age")
    story.open = [replace(story.open[0], expected=True)]
    assert story.calm("age") == ["resolved"]
    assert story.closed[0].resolved_reason == "accepted as the new normal"


def test_a_fixed_threshold_that_calms_has_not_been_accepted():
    story = Story(Holding(open_after=1, resolve_after=1))
    story.breach("age", rule=OWN)
    story.open = [replace(story.open[0], expected=True)]
    story.calm("age", rule=OWN)
    assert story.closed[0].resolved_reason == "calm again"


def test_a_change_that_has_grown_is_worse():
    story = Story()
    story.breach("age")
    assert story.lasts("age", grown=True, reason="median of age rose to 70") == ["worse"]
    assert story.steps[0].detail == "median of age rose to 70"
    assert story.open[0].state is State.FIRING


def test_a_change_grown_beyond_all_doubt_is_critical_now():
    story = Story()
    story.breach("age")
    assert story.lasts("age", grown=True, fatal=True) == ["severity", "worse"]
    assert story.open[0].severity is Severity.CRITICAL


def test_what_was_known_before_is_no_more_severe_because_a_window_shows_it():
    story = Story()
    story.breach("age")
    assert story.lasts("age", fatal=True) == ["continues"]
    assert story.open[0].severity is Severity.WARNING


# Fixed thresholds


def test_a_first_breach_of_a_fixed_threshold_is_pending_and_a_second_one_fires():
    story = Story()
    assert story.breach("age", rule=OWN) == ["pending"]
    assert story.breach("age", rule=OWN) == ["fired"]
    assert story.open[0].state is State.FIRING


def test_the_onset_of_a_fixed_threshold_is_the_first_breaching_window():
    story = Story()
    story.breach("age", rule=OWN)
    story.breach("age", rule=OWN)
    assert (story.open[0].onset, story.open[0].windows) == (START, 2)


def test_a_pending_incident_that_does_not_last_ends_without_firing():
    story = Story()
    story.breach("age", rule=OWN)
    assert story.calm("age", rule=OWN) == ["dropped"]
    assert story.closed[0].resolved_reason == "did not last"


def test_evidence_of_the_same_column_makes_a_pending_incident_fire():
    story = Story()
    story.breach("age", rule=OWN, check="psi")
    rows = [finding("age", 1, rule=OWN, check="psi"), finding("age", 1)]
    assert story.play(rows, [shift("age")]) == ["fired"]


@pytest.mark.parametrize("open_after", [1, 3])
def test_open_after_is_for_fixed_thresholds_alone(open_after):
    own, evidence = (Story(Holding(open_after=open_after)) for _ in range(2))
    assert [own.breach("age", rule=OWN)[-1] for _ in range(open_after)][-1] == "fired"
    assert own.number == open_after - 1
    assert evidence.breach("age") == ["fired"]


@pytest.mark.parametrize("rule", [OWN, Rule.FACT])
def test_an_incident_of_one_window_checks_resolves_after_calm_windows_in_a_row(rule):
    story = Story()
    story.breach("age", rule=rule)
    story.breach("age", rule=rule)
    assert story.calm("age", rule=rule) == ["calm"]
    assert story.calm("age", rule=rule) == ["resolved"]
    assert story.closed[0].resolved_at == window(3).end


def test_a_breach_between_calm_windows_starts_the_count_anew():
    story = Story()
    story.breach("age", rule=OWN)
    story.breach("age", rule=OWN)
    story.calm("age", rule=OWN)
    assert story.breach("age", rule=OWN) == ["continues"]
    assert story.calm("age", rule=OWN) == ["calm"]
    assert story.open[0].state is State.FIRING


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.FAILED])
def test_windows_without_an_answer_never_calm_a_fixed_threshold(verdict):
    story = Story()
    story.breach("age", rule=OWN)
    story.breach("age", rule=OWN)
    assert story.calm("age", rule=OWN, verdict=verdict) == []
    assert story.open[0].calm == 0


def test_a_window_that_would_have_shown_the_change_calms_it_even_where_it_is_blind_for_smaller_ones():
    story = Story()
    story.breach("age", rule=Rule.FACT, effect=0.9)
    row = finding("age", 1, Verdict.INCONCLUSIVE, rule=Rule.FACT, effect=0.0)
    assert story.play([replace(row, minimum_detectable=1.2)]) == []
    assert story.play([replace(row, minimum_detectable=0.8)]) == ["calm"]


# Facts and faults


def test_a_fact_fires_at_once():
    assert Story().breach("age", rule=Rule.FACT) == ["fired"]


def test_a_fatal_break_fires_at_once_and_is_critical():
    story = Story()
    assert story.breach("age", rule=OWN, fatal=True) == ["fired"]
    assert story.open[0].severity is Severity.CRITICAL


def test_a_pipeline_fault_fires_at_once_as_a_quality_incident():
    story = Story()
    assert story.breach("age", rule=OWN, group=flood("age")) == ["fired"]
    assert (story.open[0].kind, story.open[0].severity) == (IncidentKind.QUALITY, Severity.CRITICAL)


def test_severity_is_raised_once_and_never_lowered():
    story = Story()
    story.breach("age")
    assert "severity" in story.breach("age", check="spread", fatal=True)
    assert story.lasts("age") == ["continues"]
    assert story.open[0].severity is Severity.CRITICAL


def test_a_description_makes_no_cause_for_the_evidence_of_its_column_does():
    rows = [finding("age", 0), finding("age", 0, check="ks", rule=Rule.DESCRIPTION, effect=9.0)]
    (cause,) = causes(rows, [shift("age")], {})
    assert [item.check for item in cause.evidence] == ["location"]


def test_a_quality_incident_is_shown_by_what_is_broken_not_by_the_drift_that_follows():
    rows = [
        finding("age", 0, effect=5.0),
        finding("age", 0, check="null_rate", kind=IncidentKind.QUALITY, effect=0.8),
    ]
    (cause,) = causes(rows, [flood("age")], {})
    assert [item.check for item in cause.evidence] == ["null_rate"]


def test_people_are_told_of_medians_before_tails_and_shapes():
    rows = [finding("age", 0, effect=0.3), *(finding("age", 0, check=c, effect=9.0) for c in ("tails", "shape"))]
    (cause,) = causes(rows, [shift("age")], {})
    assert [item.check for item in cause.evidence] == ["location"]


def test_an_empty_window_moves_nothing():
    assert Story().play([]) == []


# Which breaches belong together


def test_columns_with_one_cause_are_one_incident():
    story = Story()
    story.breach("age", "income")
    assert [incident.columns for incident in story.open] == [("age", "income")]


def test_a_column_that_joins_later_joins_the_open_incident_of_its_fault():
    story = Story()
    story.breach("age")
    rows = [finding("age", 1, fresh=False, onset=START), finding("income", 1)]
    assert story.play(rows, [shift("age", "income")]) == ["columns"]
    assert story.open[0].columns == ("age", "income")


def test_a_column_whose_change_began_much_later_is_an_incident_of_its_own():
    story = Story()
    story.breach("age")
    late = START + ONE_CHANGE + DAY
    rows = [finding("age", 1, fresh=False, onset=START), finding("income", 1, onset=late)]
    assert "fired" in story.play(rows, [shift("age"), shift("income")])
    assert sorted(incident.columns for incident in story.open) == [("age",), ("income",)]


def test_a_column_that_keeps_breaching_keeps_its_incident_whatever_its_name_today():
    story = Story()
    story.breach("age")
    other = Group("shape_change", "shape change", ("age",), "a second hump", None)
    assert story.lasts("age", group=other) == ["continues"]
    assert len(story.open) == 1


def test_a_null_flood_in_a_drifted_column_is_an_incident_of_its_own():
    story = Story()
    story.breach("age")
    events = story.breach("age", group=flood("age"), check="null_rate", kind=IncidentKind.QUALITY)
    assert "fired" in events
    assert {incident.fault for incident in story.open} == {"population_shift", "null_flood"}


def test_columns_that_a_cause_does_not_share_open_their_own_incident():
    story = Story()
    story.breach("age")
    both = Group("remap", "remap", ("age", "plan"), "codes changed", None)
    story.breach("age", "plan", group=both)
    assert sorted(incident.columns for incident in story.open) == [("age",), ("plan",)]


def table(check, effect=0.4):
    return replace(finding("x", 0, check=check, kind=IncidentKind.QUALITY, rule=Rule.FACT, effect=effect), column=None)


def test_a_breach_of_the_whole_table_is_an_incident_of_its_own_kind():
    story = Story()
    assert story.play([table("row_count")]) == ["fired"]
    assert (story.open[0].fault, story.open[0].diagnosis, story.open[0].columns) == ("row_count", "unusual volume", ())


def test_a_fault_of_the_whole_table_has_the_name_that_was_found_for_it():
    story = Story()
    twice = Group("loaded_twice", "rows loaded twice", (), "every row came twice", pipeline=True)
    story.play([table("duplicate_ids")], tables={"duplicate_ids": twice})
    assert (story.open[0].fault, story.open[0].diagnosis) == ("loaded_twice", "rows loaded twice")


def test_two_faults_of_the_whole_table_are_two_incidents():
    story = Story()
    story.play([table("row_count"), table("duplicate_ids")])
    assert {incident.fault for incident in story.open} == {"row_count", "duplicate_ids"}


def test_a_log_that_fell_silent_is_told_once():
    story = Story()
    story.play([table("row_count", -1.0), table("freshness", 24.0)])
    assert [incident.fault for incident in story.open] == ["freshness"]


def test_evidence_is_the_strongest_breach_of_each_column_worst_first():
    rows = [
        finding("age", 0, effect=0.2),
        finding("age", 0, check="category_shift", effect=0.9),
        finding("income", 0, effect=0.5),
    ]
    (cause,) = causes(rows, [shift("age", "income")], {})
    assert [(item.column, item.check) for item in cause.evidence] == [("age", "category_shift"), ("income", "location")]


def test_the_same_windows_give_the_same_incident_id():
    ids = []
    for _ in range(2):
        story = Story()
        story.breach("age")
        ids.append(story.open[0].id)
    assert ids[0] == ids[1]


def test_the_contract_of_an_incident_in_json():
    story = Story()
    story.breach("age")
    document = story.open[0].as_json()
    asked = {
        "id", "model", "state", "severity", "kind", "columns", "diagnosis", "summary", "opened_at", "onset",
        "resolved_at", "windows", "acknowledged_by", "retrains",
    }  # fmt: skip
    assert asked <= document.keys()
    assert document["state"] == "firing"
    assert document["resolved_at"] is None
    assert document["evidence"][0]["rule"] == "evidence"
