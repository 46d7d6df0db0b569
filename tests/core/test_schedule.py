"""Windows and what is owed, over the edges of the calendar."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.schedule import Schedule

BERLIN = "Europe/Berlin"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def at(text):
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def schedule(every=DAY, zone="UTC", delay=HOUR, catch_up=30 * DAY):
    return Schedule(every=every, delay=delay, timezone=zone, catch_up=catch_up)


def following(plan, moment, count):
    windows = [plan.window_containing(moment)]
    while len(windows) < count:
        windows.append(plan.window_containing(windows[-1].end))
    return windows


def test_a_daily_window_goes_from_midnight_to_midnight():
    window = schedule().window_containing(at("2026-03-04T13:00"))
    assert (window.start, window.end) == (at("2026-03-04"), at("2026-03-05"))


def test_a_window_holds_its_start_and_not_its_end():
    plan = schedule()
    assert plan.window_containing(at("2026-03-04")).start == at("2026-03-04")
    assert plan.window_containing(at("2026-03-05")).start == at("2026-03-05")


def test_days_follow_the_local_midnight():
    window = schedule(zone=BERLIN).window_containing(at("2026-01-10T23:30"))
    assert (window.start, window.end) == (at("2026-01-10T23:00"), at("2026-01-11T23:00"))


@pytest.mark.parametrize(("moment", "hours"), [("2026-03-29T12:00", 23), ("2026-10-25T12:00", 25)])
def test_a_day_has_23_or_25_hours_when_the_clocks_change(moment, hours):
    assert schedule(zone=BERLIN).window_containing(at(moment)).length == hours * HOUR


@pytest.mark.parametrize(("midnight", "count"), [("2026-03-28T23:00", 23), ("2026-10-24T22:00", 25)])
def test_hourly_windows_stay_hours_when_the_clocks_change(midnight, count):
    windows = following(schedule(HOUR, BERLIN), at(midnight), count)
    assert {window.length for window in windows} == {HOUR}
    assert windows[-1].end == schedule(zone=BERLIN).window_containing(at(midnight)).end


@pytest.mark.parametrize(
    ("midnight", "lengths"), [("2026-03-28T23:00", [6, 6, 6, 5]), ("2026-10-24T22:00", [6, 6, 6, 7])]
)
def test_the_last_window_of_a_day_takes_the_hour_that_a_change_of_clocks_leaves(midnight, lengths):
    windows = following(schedule(6 * HOUR, BERLIN), at(midnight), 4)
    assert [window.length / HOUR for window in windows] == lengths


def test_windows_that_do_not_divide_the_day_start_again_at_midnight():
    windows = following(schedule(5 * HOUR), at("2026-03-04"), 6)
    assert [window.length / HOUR for window in windows] == [5, 5, 5, 5, 4, 5]
    assert windows[-1].start == at("2026-03-05")


def test_weeks_begin_on_mondays():
    window = schedule(7 * DAY, BERLIN).window_containing(at("2026-04-01T12:00"))
    assert (window.start, window.end) == (at("2026-03-29T22:00"), at("2026-04-05T22:00"))


def test_a_week_follows_the_local_calendar_when_the_clocks_change():
    assert schedule(7 * DAY, BERLIN).window_containing(at("2026-03-29T12:00")).length == 7 * DAY - HOUR


def test_windows_of_two_days_do_not_overlap_over_a_year():
    windows = following(schedule(2 * DAY), at("2025-12-30"), 10)
    assert all(earlier.end == later.start for earlier, later in zip(windows, windows[1:], strict=False))
    assert {window.length for window in windows} == {2 * DAY}


def test_windows_of_36_hours_have_that_length_always():
    windows = following(schedule(36 * HOUR, BERLIN), at("2026-03-27"), 4)
    assert {window.length for window in windows} == {36 * HOUR}


@pytest.mark.parametrize(
    ("zone", "moment"),
    [
        ("America/St_Johns", "2010-11-07T02:45"),  # 00:01 becomes 23:01 of the day before
        ("America/Havana", "2026-11-01T04:30"),  # midnight comes twice
        ("Asia/Beirut", "2026-03-28T22:00"),  # midnight does not come
        ("Pacific/Apia", "2011-12-30T09:59"),  # the 30th does not come
    ],
)
@pytest.mark.parametrize("every", [30 * timedelta(minutes=1), 6 * HOUR, DAY, 2 * DAY])
def test_strange_midnights_leave_neither_gap_nor_overlap(zone, moment, every):
    windows = following(schedule(every, zone), at(moment) - 2 * DAY, 200)
    assert all(earlier.end == later.start for earlier, later in zip(windows, windows[1:], strict=False))


@given(
    moment=st.datetimes(
        datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2060-01-01"), timezones=st.just(UTC)
    ),
    zone=st.sampled_from(["UTC", BERLIN, "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]),
    minutes=st.sampled_from([1, 7, 15, 60, 90, 300, 720, 1440, 2160, 2880, 10080, 20160]),
)
def test_every_moment_lies_in_the_window_that_contains_it(moment, zone, minutes):
    window = schedule(timedelta(minutes=minutes), zone).window_containing(moment)
    assert window.start <= moment < window.end


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"):
        schedule().window_containing(datetime.fromisoformat("2026-01-01"))


def test_a_window_is_due_when_its_delay_is_over_and_not_before():
    plan = schedule()
    owed, _ = plan.due(at("2026-03-05T01:00"), start=at("2026-03-04"))
    early, _ = plan.due(at("2026-03-05T00:59:59"), start=at("2026-03-04"))
    assert [str(window) for window in owed] == ["2026-03-04T00:00Z/2026-03-05T00:00Z"]
    assert early == []


def test_windows_after_the_last_are_owed_in_order():
    owed, skipped = schedule().due(at("2026-03-07T01:00"), last_end=at("2026-03-04"), start=at("2026-01-01"))
    assert [window.start.day for window in owed] == [4, 5, 6]
    assert skipped == []


def test_a_start_after_the_last_window_leaves_out_what_lies_between():
    owed, _ = schedule().due(at("2026-03-07T01:00"), last_end=at("2026-03-01"), start=at("2026-03-06"))
    assert [window.start.day for window in owed] == [6]


def test_windows_due_for_longer_than_the_catch_up_are_skipped_and_named():
    plan = schedule(catch_up=2 * DAY)
    owed, skipped = plan.due(at("2026-03-07T02:00"), last_end=at("2026-03-01"))
    assert [window.start.day for window in skipped] == [1, 2, 3, 4]
    assert [window.start.day for window in owed] == [5, 6]


def test_a_window_due_for_as_long_as_the_catch_up_is_still_owed():
    owed, skipped = schedule(catch_up=2 * DAY).due(at("2026-03-07T01:00"), last_end=at("2026-03-04"))
    assert [window.start.day for window in owed] == [4, 5, 6]
    assert skipped == []


def test_a_delay_longer_than_the_catch_up_does_not_skip_what_has_just_become_due():
    owed, skipped = schedule(delay=60 * DAY).due(at("2026-03-06"), last_end=at("2026-01-04"))
    assert [window.start.day for window in owed] == [4]
    assert skipped == []


def test_without_a_beginning_nothing_is_owed():
    assert schedule().due(at("2026-03-07")) == ([], [])


def test_a_changed_length_goes_on_with_the_window_that_holds_the_last_end():
    owed, _ = schedule().due(at("2026-03-05T02:00"), last_end=at("2026-03-04T06:00"))
    assert [window.start for window in owed] == [at("2026-03-04")]


def test_the_newest_due_window_is_the_last_one_whose_delay_is_over():
    plan = schedule()
    assert plan.newest_due(at("2026-03-05T01:00")).end == at("2026-03-05")
    assert plan.newest_due(at("2026-03-05T00:59")).end == at("2026-03-04")


def test_the_next_window_falls_due_when_its_delay_is_over():
    plan = schedule()
    assert plan.next_due(at("2026-03-05T12:00"), at("2026-03-05")) == at("2026-03-06T01:00")
    assert plan.next_due(at("2026-03-05T00:30")) == at("2026-03-05T01:00")
