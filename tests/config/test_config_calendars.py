"""The calendar of a model: what may be said, what it means, and how mistakes are explained."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.calendars import Calendar, calendar_of
from monitor.config.public_holidays import public_holidays
from monitor.config.reading import read_text
from monitor.config.showing import as_yaml
from monitor.core.window import Window

BERLIN = "Europe/Berlin"


@pytest.fixture
def calendar(read):
    """The calendar that a text means, in Berlin."""
    text = "models: {{m: {{logs: {{path: l, time: t}}, reference: r, calendar: {}, schedule: {{timezone: Europe/Berlin}}}}}}"

    def meant(given):
        model = read(text.format(given)).models["m"]
        return calendar_of(model.calendar, model.schedule.timezone)

    return meant


@pytest.mark.parametrize(
    ("given", "weekly", "yearly"),
    [
        ("{}", True, False),
        ("{seasonal: weekly}", True, False),
        ("{seasonal: yearly}", True, True),
        ("{seasonal: none}", False, False),
    ],
)
def test_the_season_says_what_windows_are_compared_with(calendar, given, weekly, yearly):
    meant = calendar(given)
    assert (meant.weekly, meant.yearly) == (weekly, yearly)


def test_a_calendar_is_in_the_zone_of_the_schedule(calendar):
    assert calendar("{}").timezone == BERLIN


def test_a_list_of_days_is_taken_as_it_is(calendar):
    assert calendar("{holidays: [2026-12-24, 2026-05-14]}").holidays == {date(2026, 12, 24), date(2026, 5, 14)}


def test_without_holidays_there_are_none(calendar):
    assert calendar("{holidays: []}").holidays == calendar("{}").holidays == frozenset()


def test_a_country_has_its_holidays(calendar):
    days = calendar("{holidays: US}").holidays
    assert {date(2013, 7, 4), date(2013, 5, 27), date(2026, 11, 26)} <= days
    assert date(2013, 7, 5) not in days


def test_a_subdivision_has_holidays_of_its_own(calendar):
    assert date(2026, 1, 6) in calendar("{holidays: DE-BY}").holidays - calendar("{holidays: DE}").holidays


def test_a_subdivision_may_have_a_name_of_two_words(calendar):
    assert calendar("{holidays: NZ-South Canterbury}").holidays


@pytest.mark.parametrize("country", ["IN", "CN", "TR", "SA"])
def test_feasts_that_are_known_for_some_years_only_raise_no_warning(country):
    assert len(public_holidays(country)) > 500


def test_an_excluded_period_keeps_its_zone(calendar):
    (item,) = calendar("{exclude: [{start: 2026-01-01T00:00:00Z, end: 2026-01-02T00:00:00Z}]}").exclusions
    assert item.window == Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))


def test_an_excluded_period_without_a_zone_is_in_that_of_the_schedule(calendar):
    (item,) = calendar("{exclude: [{start: 2026-01-01, end: 2026-01-02}]}").exclusions
    assert item.window == Window(datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC))


def test_an_excluded_period_has_a_reason(calendar):
    text = "{exclude: [{start: 2026-01-01, end: 2026-01-02, reason: sale}, {start: 2026-02-01, end: 2026-02-02}]}"
    assert [item.reason for item in calendar(text).exclusions] == ["sale", "excluded by the configuration"]


@pytest.mark.parametrize(
    ("start", "end", "utc"),
    [
        ("2026-10-25T02:30", "2026-10-25T02:45", ("2026-10-25T00:30Z", "2026-10-25T01:45Z")),  # the hour comes twice
        ("2026-03-29T02:30", "2026-03-29T03:15", ("2026-03-29T00:30Z", "2026-03-29T01:15Z")),  # it never comes
    ],
)
def test_an_hour_that_the_clocks_change_is_excluded_whole(calendar, start, end, utc):
    (item,) = calendar(f"{{exclude: [{{start: {start}:00, end: {end}:00}}]}}").exclusions
    assert str(item.window) == "/".join(utc)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001  # in the schedule's zone
    st.timedeltas(timedelta(microseconds=1), timedelta(days=2)),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "UTC"]),
)
def test_no_excluded_period_is_empty_whatever_the_clocks_do(start, length, zone):
    options = Calendar.model_validate({"exclude": [{"start": start, "end": start + length}]})
    (item,) = calendar_of(options, zone).exclusions
    assert item.window.start < item.window.end


def test_what_is_shown_is_read_back_as_the_same_calendar(read, extensions):
    text = (
        "false_alarms: 2 per 1w\nbudget: strict\nmodels:\n  m:\n    logs: {path: l, time: t}\n    reference: r\n"
        "    columns: {importance: {age: 4, fare: 0}, segments: [origin]}\n    importance: 2.5\n"
        "    calendar:\n      seasonal: none\n      holidays: [2026-12-24]\n"
        "      exclude: [{start: 2026-01-01T00:00:00Z, end: 2026-01-02T00:00:00Z, reason: sale}]\n"
    )
    config = read(text)
    again = read_text(as_yaml(config, extensions), environ={}, extensions=extensions)
    assert (again.models, again.false_alarms, again.budget) == (config.models, config.false_alarms, config.budget)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("{seasonal: montly}", "must be one of weekly, yearly, none"),
        ("{season: weekly}", "has no key 'season'; did you mean 'seasonal'?"),
        ("{holidays: XX}", "'XX' is no country whose holidays are known; write an ISO 3166 code such as US"),
        ("{holidays: ''}", "is no country whose holidays are known"),
        ("{holidays: us}", "'us' is not how the code is written; write US"),
        ("{holidays: de/by}", "'de/by' is not how the code is written; write DE-BY"),
        ("{holidays: DE-XX}", "'XX' is no subdivision of DE; known are Augsburg, BB, BE"),
        ("{holidays: VA-RM}", "'RM' is no subdivision of VA, which has none"),
        ("{holidays: 7}", "must be a country's code such as US or DE-BY, or a list of days"),
        ("{holidays: {US: 1}}", "must be a country's code such as US or DE-BY, or a list of days"),
        ("{holidays: [2026-12-24, christmas]}", "calendar.holidays[1]  must be a day, such as 2026-12-24"),
        ("{holidays: [2026-12-24T12:00:00]}", "must be a day without a time"),
        ("{holidays: [2026]}", "must name a day in full, such as 2026-01-31"),
        ("{exclude: {start: 2026-01-01, end: 2026-01-02}}", "calendar.exclude  must be a list"),
        (
            "{exclude: [{start: 2026-01-02, end: 2026-01-01}]}",
            "calendar.exclude[0]  the period must end after it starts",
        ),
        ("{exclude: [{start: 2026-01-01}]}", "calendar.exclude[0]  needs 'end': First moment after the period"),
        (
            "{exclude: [{start: 2026-01-01, end: 2026-01-02, why: x}]}",
            "exclude[0]  has no key 'why'; it has end, reason, start",
        ),
        ("{exclude: [{start: 2026-01-01, end: 2026-01-02T00:00:00Z}]}", "must both name a zone, or neither"),
        (
            "{exclude: [{start: 1066-10-14, end: 2026-01-02}]}",
            "exclude[0].start  must lie between the years 1901 and 8999",
        ),
        (
            "{exclude: [{start: 2026-01-01, end: 2026-01-02, reason: ''}]}",
            "reason  must be a text of at least 1 characters",
        ),
    ],
)
def test_a_mistake_is_explained(model, given, sentence):
    said = model(f"calendar: {given}")
    assert sentence in said
    assert "1 problem in" in said


def test_a_wrong_country_is_underlined(model):
    lines = model("calendar: {holidays: XX}").splitlines()
    assert lines[1][lines[2].index("^") :] == "XX}"
    assert lines[2].count("^") == 2


def test_holidays_are_loaded_only_where_a_country_is_named():
    code = (
        "import sys; from monitor.config.reading import read_text; "
        "read_text('models: {m: {logs: {path: l, time: t}, reference: r, calendar: {holidays: [2026-12-24]}}}'); "
        "print('holidays' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("False", "")
