"""A change of the volume is named by the rows that make it, and a turned daily rhythm by its hours."""

import numpy as np
import pyarrow as pa
import pytest

from checks.binning import fit_table, profile_batch
from checks.diagnosis_clock import by_hour, turned_clock
from checks.diagnosis_volume import volume
from checks.profile import Volume

REPEATS = 100
ORIGINS = ["JFK", "LGA", "EWR", "SWF"]


@pytest.fixture
def rng():
    return np.random.default_rng(9)


def drawn(rng, rows):
    return {"origin": rng.choice(ORIGINS, rows, p=[0.4, 0.3, 0.25, 0.05]), "delay": rng.normal(10, 3, rows)}


BINS = fit_table(pa.table(drawn(np.random.default_rng(1), 5000)))


def profiled(columns):
    return profile_batch(pa.table(columns), BINS)


def usual(rng, windows=12):
    return [profiled(drawn(rng, int(rng.poisson(800)))) for _ in range(windows)]


def kept(columns, mask):
    return profiled({name: values[mask] for name, values in columns.items()})


def test_a_usual_volume_has_no_name(rng):
    earlier = usual(rng)
    named = [volume(profiled(drawn(rng, int(rng.poisson(800)))), earlier, BINS) for _ in range(REPEATS)]
    assert named == [None] * REPEATS


def test_a_value_that_stopped_is_the_rows_that_are_missing(rng):
    columns = drawn(rng, 800)
    found = volume(kept(columns, columns["origin"] != "JFK"), usual(rng), BINS)
    assert (found.fault, found.pipeline) == ("volume_drop", True)
    assert "rows with origin = 'JFK' stopped (usually 3" in found.words
    assert found.words.endswith(", all others came as usual")


def test_two_values_that_stopped_are_both_named(rng):
    columns = drawn(rng, 800)
    found = volume(kept(columns, np.isin(columns["origin"], ["EWR", "LGA"], invert=True)), usual(rng), BINS)
    assert "rows with origin in " in found.words
    assert all(name in found.words for name in ("'EWR'", "'LGA'"))


def test_fewer_rows_of_every_kind_are_a_drop_that_may_be_the_world(rng):
    found = volume(profiled(drawn(rng, 300)), usual(rng), BINS)
    assert (found.fault, found.pipeline) == ("volume_drop", None)
    assert found.words.startswith("300 rows, usually 8") or found.words.startswith("300 rows, usually 7")
    assert found.words.endswith("% fewer), of no value in particular")


def test_more_rows_of_one_value_are_a_surge_of_it(rng):
    columns = drawn(rng, 800)
    more = {"origin": np.repeat("SWF", 500), "delay": rng.normal(10, 3, 500)}
    both = {name: np.concatenate([columns[name], more[name]]) for name in columns}
    found = volume(profiled(both), usual(rng), BINS)
    assert found.fault == "volume_surge"
    assert "rows with origin = 'SWF' came 5" in found.words


def test_no_rows_at_all_are_a_drop(rng):
    found = volume(kept(drawn(rng, 10), np.zeros(10, bool)), usual(rng), BINS)
    assert found.fault == "volume_drop"
    assert found.words.startswith("0 rows, usually ")


def test_two_earlier_windows_tell_no_usual_volume(rng):
    assert volume(profiled(drawn(rng, 10)), usual(rng, 2), BINS) is None


def rhythm(weekend=False):
    """Volume by hour: nights sleep, and weekends sleep two hours longer."""
    hours = np.arange(24)
    awake = 1 / (1 + np.exp(-(hours - (9 if weekend else 7)))) / (1 + np.exp(hours - 22))
    return 20 + 380 * awake * (0.7 if weekend else 1)


def days(rng, count=14):
    wobble = rng.lognormal(0, 0.05, (count, 24))
    return [rng.poisson(rhythm(day % 7 >= 5) * wobble[day]).astype(float) for day in range(count)]


def test_usual_days_have_no_turned_clock(rng):
    found = [turned_clock(days(rng), rng.poisson(rhythm(weekend)).astype(float)) for weekend in [False, True] * 50]
    assert found == [None] * 100


@pytest.mark.parametrize(("hours", "words"), [(-7, "7 h earlier"), (5, "5 h later"), (12, "12 h later")])
def test_a_rhythm_at_other_hours_is_a_shifted_clock(hours, words, rng):
    found = [turned_clock(days(rng), rng.poisson(np.roll(rhythm(), hours)).astype(float)) for _ in range(20)]
    assert {(item.fault, item.pipeline, item.words) for item in found} == {
        ("turned_clock", True, f"the daily rhythm of the volume came {words} than usual")
    }


def test_a_turn_by_one_hour_may_be_summer_time(rng):
    weekdays = [rng.poisson(rhythm()).astype(float) for _ in range(10)]
    found = turned_clock(weekdays, rng.poisson(np.roll(rhythm(), 1)).astype(float))
    assert found.pipeline is None
    assert found.words.endswith("1 h later than usual, as when summer time changes")


def test_a_rhythm_that_changed_its_shape_is_no_shifted_clock(rng):
    assert turned_clock(days(rng), np.full(24, 200.0)) is None


def test_a_log_without_a_rhythm_has_no_clock_to_be_shifted(rng):
    flat = [rng.poisson(200, 24).astype(float) for _ in range(14)]
    assert [turned_clock(flat, rng.poisson(200, 24).astype(float)) for _ in range(20)] == [None] * 20


def test_six_days_are_too_few_to_know_a_rhythm(rng):
    assert turned_clock(days(rng, 6), rng.poisson(np.roll(rhythm(), 8)).astype(float)) is None


def test_windows_are_gathered_by_hour_of_whole_days():
    half = 1800.0
    windows = [Volume(place * half, (place + 1) * half, place) for place in range(48 + 10)]
    (day,) = by_hour(windows)
    assert day.tolist() == [4 * hour + 1 for hour in range(24)]


def test_windows_longer_than_an_hour_tell_no_hours():
    assert by_hour([Volume(0.0, 86400.0, 1000)]) == []
