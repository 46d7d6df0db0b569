"""Incidents: inactive → pending → firing → resolved, and which breaches belong together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from checks.diagnosing import Group
from monitor.core.finding import Finding, IncidentKind, Severity, Verdict
from monitor.core.incident import State
from monitor.core.lifecycle import Holding, advance, causes
from monitor.core.window import Window

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
HOLDING = Holding(open_after=2, resolve_after=2)


def window(number):
    return Window(START + number * DAY, START + (number + 1) * DAY)


def finding(column, number, verdict=Verdict.BREACH, check="ks", kind=IncidentKind.DRIFT, fatal=False, effect=0.4):
    return Finding(
        "churn", column, check, kind, window(number), verdict, statistic=effect, effect=effect, effect_ci=(0.3, 0.5),
        threshold=0.1, reason=f"{column} moved", fatal=fatal, unit="sd",
    )  # fmt: skip


def shift(*columns):
    return Group("population_shift", "population shift", columns, f"{', '.join(columns)} moved", False)


class Story:
    """Plays windows one after the other and keeps the open incidents."""

    def __init__(self, holding=HOLDING):
        self.open, self.closed, self.number, self.holding = [], [], -1, holding

    def play(self, findings, groups):
        self.number += 1
        now = window(self.number).end
        found = causes(findings, groups, {"row_count": "unusual volume"})
        steps = advance(self.open, found, findings, window(self.number), now, self.holding)
        for step in steps:
            self.open = [i for i in self.open if i.id != step.after.id]
            (self.closed if step.after.state is State.RESOLVED else self.open).append(step.after)
        return [step.event for step in steps]

    def breach(self, *columns, group=None, **kwargs):
        rows = [finding(column, self.number + 1, **kwargs) for column in columns]
        return self.play(rows, [group or shift(*columns)])

    def calm(self, *columns, verdict=Verdict.PASS, **kwargs):
        return self.play([finding(c, self.number + 1, verdict, effect=0.0, **kwargs) for c in columns], [])


def test_a_first_breach_of_drift_is_pending_and_a_second_one_fires():
    story = Story()
    assert story.breach("age") == ["pending"]
    assert story.breach("age") == ["fired"]
    assert story.open[0].state is State.FIRING


def test_the_onset_is_the_first_breaching_window():
    story = Story()
    story.breach("age")
    story.breach("age")
    assert story.open[0].onset == START
    assert story.open[0].windows == 2


def test_a_pending_incident_that_does_not_last_ends_without_firing():
    story = Story()
    story.breach("age")
    assert story.calm("age") == ["dropped"]
    assert story.closed[0].resolved_reason == "did not last"


def test_a_fatal_break_fires_at_once_and_is_critical():
    story = Story()
    assert story.breach("age", fatal=True) == ["fired"]
    assert story.open[0].severity is Severity.CRITICAL


def test_a_pipeline_fault_fires_at_once_as_a_quality_incident():
    story = Story()
    group = Group("null_flood", "null flood", ("age",), "null in 80% of rows", True)
    assert story.breach("age", group=group) == ["fired"]
    assert story.open[0].kind is IncidentKind.QUALITY


def test_a_firing_incident_resolves_after_calm_windows_in_a_row():
    story = Story()
    story.breach("age")
    story.breach("age")
    assert story.calm("age") == ["calm"]
    assert story.calm("age") == ["resolved"]
    assert story.closed[0].resolved_at == window(3).end


def test_a_breach_between_calm_windows_starts_the_count_anew():
    story = Story()
    story.breach("age")
    story.breach("age")
    story.calm("age")
    assert story.breach("age") == ["continues"]
    assert story.calm("age") == ["calm"]
    assert story.open[0].state is State.FIRING


def test_windows_without_an_answer_never_calm_an_incident():
    story = Story()
    story.breach("age")
    story.breach("age")
    for verdict in (Verdict.INCONCLUSIVE, Verdict.FAILED):
        assert story.calm("age", verdict=verdict) == []
    assert story.calm("other") == []
    assert story.open[0].calm == 0


def test_a_window_that_would_have_shown_the_change_calms_it_even_where_it_is_blind_for_smaller_ones():
    story = Story()
    story.breach("age", effect=0.9)
    story.breach("age", effect=0.9)
    row = finding("age", story.number + 1, Verdict.INCONCLUSIVE, effect=0.0)
    assert story.play([replace(row, minimum_detectable=1.2)], []) == []
    assert story.play([replace(row, minimum_detectable=0.8)], []) == ["calm"]


def test_a_quality_incident_is_shown_by_what_is_broken_not_by_the_drift_that_follows():
    rows = [
        finding("age", 0, effect=5.0),
        finding("age", 0, check="null_rate", kind=IncidentKind.QUALITY, effect=0.8),
    ]
    (cause,) = causes(rows, [Group("null_flood", "null flood", ("age",), "null", True)], {})
    assert [item.check for item in cause.evidence] == ["null_rate"]


def test_an_empty_window_moves_nothing():
    assert Story().play([], []) == []


def test_columns_with_one_cause_are_one_incident():
    story = Story()
    story.breach("age", "income")
    assert [incident.columns for incident in story.open] == [("age", "income")]


def test_a_column_that_joins_later_joins_the_open_incident_of_its_fault():
    story = Story()
    story.breach("age")
    story.breach("age")
    assert story.breach("age", "income") == ["columns"]
    assert story.open[0].columns == ("age", "income")


def test_a_column_that_keeps_breaching_keeps_its_incident_whatever_its_name_today():
    story = Story()
    story.breach("age")
    story.breach("age")
    other = Group("shape_change", "shape change", ("age",), "a second hump", None)
    assert story.breach("age", group=other) == ["continues"]
    assert len(story.open) == 1


def test_a_null_flood_in_a_drifted_column_is_an_incident_of_its_own():
    story = Story()
    story.breach("age")
    story.breach("age")
    group = Group("null_flood", "null flood", ("age",), "null in 80% of rows", True)
    events = story.breach("age", group=group, check="null_rate", kind=IncidentKind.QUALITY)
    assert "fired" in events
    assert {incident.fault for incident in story.open} == {"population_shift", "null_flood"}


def test_columns_that_a_cause_does_not_share_open_their_own_incident():
    story = Story()
    story.breach("age")
    story.breach("age")
    both = Group("remap", "remap", ("age", "plan"), "codes changed", None)
    story.breach("age", "plan", group=both)
    assert sorted(incident.columns for incident in story.open) == [("age",), ("plan",)]


def test_severity_is_raised_once_and_never_lowered():
    story = Story()
    story.breach("age")
    story.breach("age")
    assert "severity" in story.breach("age", fatal=True)
    assert story.breach("age") == ["continues"]
    assert story.open[0].severity is Severity.CRITICAL


def test_a_breach_of_the_whole_table_is_an_incident_of_its_own_kind():
    story = Story()
    row_count = replace(finding("x", 0, check="row_count", kind=IncidentKind.QUALITY), column=None)
    assert story.play([row_count], []) == ["fired"]
    assert (story.open[0].fault, story.open[0].diagnosis, story.open[0].columns) == ("row_count", "unusual volume", ())


def table(check, effect=0.4):
    return replace(finding("x", 0, check=check, kind=IncidentKind.QUALITY, effect=effect), column=None)


def test_two_faults_of_the_whole_table_are_two_incidents():
    story = Story()
    story.play([table("row_count"), table("duplicate_ids")], [])
    assert {incident.fault for incident in story.open} == {"row_count", "duplicate_ids"}


def test_a_log_that_fell_silent_is_told_once():
    story = Story()
    story.play([table("row_count", -1.0), table("freshness", 24.0)], [])
    assert [incident.fault for incident in story.open] == ["freshness"]


def test_evidence_is_the_strongest_breach_of_each_column_worst_first():
    rows = [finding("age", 0, effect=0.2), finding("age", 0, check="psi", effect=0.9), finding("income", 0, effect=0.5)]
    (cause,) = causes(rows, [shift("age", "income")], {})
    assert [(item.column, item.check) for item in cause.evidence] == [("age", "psi"), ("income", "ks")]


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
    assert document["state"] == "pending"
    assert document["resolved_at"] is None
