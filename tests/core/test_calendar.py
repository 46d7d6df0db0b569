"""Where windows lie in the week, the day and the year, over holidays and the edges of the calendar."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.calendar import HOURS_OF_A_WEEK, Calendar, Exclusion
from monitor.core.schedule import Schedule
from monitor.core.window import Window

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# Havana and Beirut change at midnight, St. John's did a minute after it, Lord Howe by half an hour, Troll by two hours.
ZONES = (
    "UTC",
    BERLIN,
    NEW_YORK,
    "America/Havana",
    "Asia/Beirut",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
)

zones = st.sampled_from(ZONES)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # timezones names it
lengths = st.sampled_from([HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY])


def at(text):
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def schedule(every, zone="UTC"):
    return Schedule(every=every, delay=HOUR, timezone=zone, catch_up=30 * DAY)


def windows_of(day, every, zone):
    """The windows of a local day."""
    whole = schedule(DAY, zone).window_containing(at(day).replace(tzinfo=ZoneInfo(zone)) + HOUR * 12)
    windows = [schedule(every, zone).window_containing(whole.start)]
    while windows[-1].end < whole.end:
        windows.append(schedule(every, zone).window_containing(windows[-1].end))
    return windows


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        ("2026-03-02T00:00", 0),
        ("2026-03-02T09:30", 9.5),
        ("2026-03-04T13:00", 61),
        ("2026-03-08T23:59:59.999999", 168 - 1e-6 / 3600),
    ],
)
def test_the_week_begins_on_monday_at_midnight(moment, hours):
    assert Calendar("UTC").hour_of_week(at(moment)) == pytest.approx(hours, abs=1e-12)


def test_hours_are_those_of_the_zone():
    assert Calendar(NEW_YORK).hour_of_week(at("2026-03-02T04:00")) == 6 * 24 + 23


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="moments with a zone"):
        Calendar("UTC").hour_of_week(datetime(2026, 1, 1))  # noqa: DTZ001  # the mistake


def test_a_holiday_counts_as_a_sunday():
    calendar = Calendar(NEW_YORK, frozenset({date(2013, 7, 4)}))
    assert calendar.hour_of_week(at("2013-07-04T14:00")) == 6 * 24 + 10


def test_a_holiday_is_a_day_of_the_zone():
    calendar = Calendar(NEW_YORK, frozenset({date(2013, 7, 4)}))
    assert calendar.hour_of_week(at("2013-07-04T03:00")) == 2 * 24 + 23


@pytest.mark.parametrize(("moment", "hours"), [("2026-03-29T00:59", 146 - 1 / 60), ("2026-03-29T01:00", 147)])
def test_an_hour_that_the_clocks_skip_is_skipped(moment, hours):
    assert Calendar(BERLIN).hour_of_week(at(moment)) == pytest.approx(hours)


@pytest.mark.parametrize("moment", ["2026-10-25T00:30", "2026-10-25T01:30"])
def test_an_hour_that_comes_twice_is_the_same_hour_of_the_week(moment):
    assert Calendar(BERLIN).hour_of_week(at(moment)) == 6 * 24 + 2.5


@given(moments, zones, st.booleans())
def test_the_hour_of_the_week_is_within_the_week(moment, zone, holiday):
    days = frozenset({moment.astimezone(ZoneInfo(zone)).date()} if holiday else ())
    assert 0 <= Calendar(zone, days).hour_of_week(moment) < HOURS_OF_A_WEEK


@given(moments)
def test_a_week_later_it_is_the_same_hour_where_clocks_do_not_change(moment):
    calendar = Calendar("UTC")
    assert calendar.hour_of_week(moment + 7 * DAY) == calendar.hour_of_week(moment)


@given(moments, zones)
def test_a_holiday_keeps_the_hour_of_the_day(moment, zone):
    day = moment.astimezone(ZoneInfo(zone)).date()
    plain, holiday = (Calendar(zone, days).hour_of_week(moment) for days in (frozenset[date](), frozenset({day})))
    assert (holiday - plain + 12) % 24 == pytest.approx(12, abs=1e-9)
    assert holiday >= 6 * 24


def test_a_window_is_at_the_hour_of_its_middle():
    assert Calendar("UTC").of_window(Window(at("2026-03-03T06:00"), at("2026-03-03T12:00"))) == 24 + 9


@pytest.mark.parametrize(("day", "hour"), [("2026-03-28", 12), ("2026-03-29", 12.5), ("2026-10-25", 11.5)])
def test_a_day_has_its_middle_about_noon_when_the_clocks_change(day, hour):
    (window,) = windows_of(day, DAY, BERLIN)
    assert Calendar(BERLIN).of_window(window) % 24 == hour


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_holiday_of_23_or_25_hours_counts_as_a_sunday(day):
    (window,) = windows_of(day, DAY, BERLIN)
    assert Calendar(BERLIN, frozenset({date.fromisoformat(day)})).of_window(window) // 24 == 6


def test_a_holiday_does_not_make_a_sunday_of_its_week():
    week = schedule(7 * DAY).window_containing(at("2026-11-26"))
    calendar = Calendar("UTC", frozenset({date(2026, 11, 26)}))
    assert calendar.of_window(week) == 3 * 24 + 12


def test_many_windows_have_the_hours_that_each_has():
    windows = windows_of("2026-03-29", HOUR, BERLIN)
    calendar = Calendar(BERLIN)
    assert calendar.of_windows(windows).tolist() == [calendar.of_window(window) for window in windows]


def test_of_no_windows_there_are_no_hours():
    assert Calendar("UTC").of_windows([]).shape == (0,)


@pytest.mark.parametrize("every", [HOUR, 6 * HOUR, DAY])
@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-10-25"])
def test_all_windows_of_a_local_day_have_its_ordinal(day, every):
    calendar = Calendar(BERLIN)
    assert {calendar.day(window) for window in windows_of(day, every, BERLIN)} == {date.fromisoformat(day).toordinal()}


def test_windows_of_several_days_belong_to_the_day_of_their_start():
    week = schedule(7 * DAY, BERLIN).window_containing(at("2026-03-04"))
    assert Calendar(BERLIN).day(week) == date(2026, 3, 2).toordinal()


@pytest.mark.parametrize(
    ("day", "counts"), [("2026-03-28", [6, 6, 6, 6]), ("2026-03-29", [6, 5, 6, 6]), ("2026-10-25", [6, 6, 7, 6])]
)
def test_the_hours_of_a_day_fall_into_four_parts(day, counts):
    calendar = Calendar(BERLIN)
    parts = Counter(calendar.part(window, 6) for window in windows_of(day, HOUR, BERLIN))
    first = date.fromisoformat(day).toordinal() * 4
    assert [parts[first + place] for place in range(4)] == counts


@pytest.mark.parametrize("day", ["2026-03-28", "2026-03-29", "2026-10-25"])
def test_windows_of_six_hours_are_one_in_each_part(day):
    calendar = Calendar(BERLIN)
    first = date.fromisoformat(day).toordinal() * 4
    parts = [calendar.part(window, 6) for window in windows_of(day, 6 * HOUR, BERLIN)]
    assert parts == [first, first + 1, first + 2, first + 3]


def test_a_part_of_no_length_is_refused():
    with pytest.raises(ValueError, match="longer than 0 hours"):
        Calendar("UTC").part(Window(at("2026-01-01"), at("2026-01-02")), 0)


@given(moments, zones, lengths, st.sampled_from([1, 3, 6, 8, 12, 24]))
def test_parts_and_days_never_go_back(moment, zone, every, hours):
    calendar, plan = Calendar(zone), schedule(every, zone)
    window = plan.window_containing(moment)
    following = plan.window_containing(window.end)
    assert calendar.part(window, hours) <= calendar.part(following, hours)
    assert calendar.day(window) <= calendar.day(following)


@given(moments, zones, lengths, st.sampled_from([1, 3, 6, 8, 12, 24]))
def test_a_part_is_one_of_the_day_of_its_window(moment, zone, every, hours):
    calendar = Calendar(zone)
    window = schedule(every, zone).window_containing(moment)
    assert calendar.part(window, hours) // (24 // hours) == calendar.day(window)


@given(moments, zones, lengths)
def test_a_part_as_long_as_the_day_is_the_day(moment, zone, every):
    window = schedule(every, zone).window_containing(moment)
    assert Calendar(zone).part(window, 24) == Calendar(zone).day(window)


@given(moments, zones)
def test_the_day_after_has_the_next_number(moment, zone):
    calendar, days = Calendar(zone), schedule(DAY, zone)
    today = days.window_containing(moment)
    assert calendar.day(days.window_containing(today.end)) == calendar.day(today) + 1


@pytest.mark.parametrize(
    ("start", "fraction"), [("2026-01-01", 0.5 / 365), ("2026-07-02", 0.5), ("2028-12-31", 365.5 / 366)]
)
def test_the_year_goes_by_from_0_to_1(start, fraction):
    assert Calendar("UTC").year_fraction(Window(at(start), at(start) + DAY)) == pytest.approx(fraction)


def test_the_year_is_that_of_the_zone():
    assert Calendar(NEW_YORK).year_fraction(Window(at("2026-01-01"), at("2026-01-01T02:00"))) > 0.999


@given(moments, zones, lengths)
def test_the_fraction_of_the_year_is_within_the_year(moment, zone, every):
    assert 0 <= Calendar(zone).year_fraction(schedule(every, zone).window_containing(moment)) < 1


OUTAGE = Exclusion(Window(at("2026-03-04T06:00"), at("2026-03-04T09:00")), "outage")


@pytest.mark.parametrize(
    ("start", "hours", "reason"),
    [
        ("2026-03-04T05:00", 1, None),
        ("2026-03-04T05:00", 2, "outage"),
        ("2026-03-04T07:00", 1, "outage"),
        ("2026-03-04T08:00", 1, "outage"),
        ("2026-03-04T09:00", 1, None),
        ("2026-03-04T00:00", 24, "outage"),
    ],
)
def test_a_window_is_left_out_where_an_excluded_period_overlaps_it(start, hours, reason):
    window = Window(at(start), at(start) + hours * HOUR)
    assert Calendar("UTC", exclusions=(OUTAGE,)).excluded(window) == reason


def test_of_two_reasons_the_first_is_given():
    twice = Calendar("UTC", exclusions=(OUTAGE, Exclusion(OUTAGE.window, "sale")))
    assert twice.excluded(OUTAGE.window) == "outage"
