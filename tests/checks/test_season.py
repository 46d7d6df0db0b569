"""Designs of the season: what they can tell apart, and what they must not."""

import numpy as np
import pytest

from checks.season import HARMONICS, YEARLY_HARMONICS, Moments, designs, rhythms

HOURS = np.arange(168.0)


def moments(hours, years=None):
    hours = np.asarray(hours, np.float64)
    return Moments(hours, np.zeros(len(hours)) if years is None else np.asarray(years, np.float64))


WEEKS = moments(np.tile(HOURS + 0.5, 3))
DAYS = moments(np.tile(np.arange(7) * 24 + 12.0, 6))


def named(when, grain):
    """The designs by what they are called."""
    return dict(zip(rhythms(grain), designs(when, grain), strict=True))


def explained(values, matrix):
    level, *_ = np.linalg.lstsq(matrix, values, rcond=None)
    return 1 - ((values - matrix @ level) ** 2).sum() / ((values - values.mean()) ** 2).sum()


@pytest.mark.parametrize(("when", "grain"), [(WEEKS, "part"), (DAYS, "day"), (DAYS, "longer")])
@pytest.mark.parametrize("yearly", [False, True])
def test_every_design_begins_with_a_constant(when, grain, yearly):
    for matrix in designs(when, grain, yearly=yearly):
        assert matrix[:, 0].tolist() == [1.0] * len(matrix)


@pytest.mark.parametrize(("when", "grain"), [(WEEKS, "window"), (WEEKS, "part"), (DAYS, "day"), (DAYS, "longer")])
def test_no_design_says_anything_twice(when, grain):
    assert all(np.linalg.matrix_rank(matrix) == matrix.shape[1] for matrix in designs(when, grain))


@pytest.mark.parametrize("grain", ["window", "part", "day", "longer"])
@pytest.mark.parametrize("weekly", [False, True])
@pytest.mark.parametrize("yearly", [False, True])
def test_every_design_has_its_words_and_the_simplest_has_none(grain, weekly, yearly):
    when = moments(np.tile(HOURS + 0.5, 60), np.linspace(0, 0.999, 168 * 60))
    words = rhythms(grain, weekly=weekly, yearly=yearly)
    assert len(words) == len(designs(when, grain, weekly=weekly, yearly=yearly)) == len(set(words))
    assert words[0] == ""


def test_days_have_a_level_for_each_weekday():
    simple, weekly = designs(DAYS, "day")
    weekday = np.random.default_rng(0).normal(size=7)[(DAYS.hours // 24).astype(int)]
    assert simple.shape[1] == 1
    assert explained(weekday, weekly) == pytest.approx(1)


@pytest.mark.parametrize("grain", ["window", "part"])
def test_what_is_shorter_than_a_day_has_waves_of_the_day_and_of_the_week(grain):
    found = named(WEEKS, grain)
    day, week = np.sin(2 * np.pi * WEEKS.hours / 24), np.cos(2 * np.pi * WEEKS.hours / 168)
    assert explained(day, found["hour of the day"]) == pytest.approx(1)
    assert explained(week, found["hour of the day"]) == pytest.approx(0, abs=1e-9)
    assert explained(week, found["hour of the week"]) == pytest.approx(1)
    assert found["hour of the day"].shape[1] == 1 + 2 * len(HARMONICS)


@pytest.mark.parametrize(("grain", "slots"), [("window", 24), ("part", 4)])
def test_what_the_clock_decides_outright_has_a_level_for_each_slot(grain, slots):
    found = named(WEEKS, grain)
    width = 24 // slots
    levels = np.random.default_rng(1).normal(size=7 * slots)
    day, week = levels[(WEEKS.hours % 24 // width).astype(int)], levels[(WEEKS.hours // width).astype(int)]
    assert explained(day, found["each hour of the day"]) == pytest.approx(1)
    assert explained(week, found["each hour of the day"]) < 0.9
    assert explained(week, found["each hour of the week"]) == pytest.approx(1)


def test_the_end_of_a_week_meets_its_beginning():
    ends, begins = (named(moments([hour]), "part")["hour of the week"] for hour in (167.9999, 0.0))
    assert ends == pytest.approx(begins, abs=1e-4)


def test_windows_longer_than_a_day_know_no_week():
    assert [matrix.shape[1] for matrix in designs(DAYS, "longer")] == [1]


@pytest.mark.parametrize(("when", "grain"), [(WEEKS, "part"), (DAYS, "day")])
def test_without_a_weekly_rhythm_there_is_a_constant_alone(when, grain):
    assert [matrix.shape[1] for matrix in designs(when, grain, weekly=False)] == [1]


def test_a_yearly_rhythm_comes_on_top_of_every_design():
    when = moments(np.tile(np.arange(7) * 24 + 12.0, 60), np.linspace(0, 0.999, 420))
    plain, yearly = designs(when, "day"), designs(when, "day", yearly=True)
    assert len(yearly) == 2 * len(plain)
    summer = np.cos(2 * np.pi * when.years)
    assert max(explained(summer, matrix) for matrix in yearly) == pytest.approx(1)
    assert yearly[-1].shape[1] == plain[-1].shape[1] + 2 * len(YEARLY_HARMONICS)


def test_a_moment_can_be_taken_out():
    taken = DAYS[np.array([3, 1])]
    assert taken.hours.tolist() == [84.0, 36.0]
