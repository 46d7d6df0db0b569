"""The benchmark's worlds: reproducible, changed only where planned, and counted as the product counts."""

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.signal import real
from benchmarks.signal.changes import CHANGES, Planned, plan
from benchmarks.signal.counting import arrow, counted
from benchmarks.signal.logs import LogColumn
from benchmarks.signal.marginals import SPECS
from benchmarks.signal.worlds import CLIMATES, World
from checks.binning import profile_column

KINDS = sorted(CLIMATES)
FAMILIES = {spec.family: spec.name for spec in reversed(SPECS)}


def world(kind: str = "ar", cadence: str = "day", rows: int = 60, days: tuple[int, int] = (10, 12)) -> World:
    return World(kind, cadence, rows, *days, seed=4)


def assert_counted_as_profiled(column: LogColumn) -> None:
    ours, values, starts = counted(column), arrow(column), column.frame.starts
    for window in range(column.frame.windows):
        batch = values.slice(starts[window], starts[window + 1] - starts[window])
        profile = profile_column(batch, ours.bins)
        assert np.array_equal(ours.counts[window], profile.counts)
        assert ours.nulls[window] == profile.nulls


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAMILIES.values(), ids=FAMILIES.keys())
def test_counting_all_windows_at_once_is_profiling_each(kind: str, name: str):
    assert_counted_as_profiled(world(kind).column(name))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_changed_columns_are_counted_as_profiled_too(change):
    planned = plan(change, onsets=(14, 16), seed=1)
    assert_counted_as_profiled(world("bursty").column(planned.columns[0], planned))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_a_changed_column_differs_from_its_onset_on_and_not_before(change):
    here, planned = world(rows=200), plan(change, onsets=(14, 16), seed=2)
    calm, changed = (here.column(planned.columns[0], plans).values for plans in (None, planned))
    onset = here.frame.starts[planned.onset]
    assert np.array_equal(calm[:onset], changed[:onset], equal_nan=calm.dtype.kind == "f")
    assert not np.array_equal(calm[onset:], changed[onset:], equal_nan=calm.dtype.kind == "f")


def test_a_plan_leaves_the_other_columns_alone():
    planned = Planned(CHANGES[3], ("normal3",), 12)
    assert np.array_equal(world().column("normal4").values, world().column("normal4", planned).values, equal_nan=True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_is_a_world_whatever_is_asked_first(kind: str):
    first, second = world(kind), world(kind)
    first.column("five0")
    assert np.array_equal(first.column("heavy1").values, second.column("heavy1").values)
    assert not np.array_equal(first.column("heavy1").values, first.column("heavy2").values)


def deviation_of_means(kind: str, name: str = "normal7", **more: object) -> float:
    column = world(kind, rows=400, days=(100, 100), **more).column(name)
    frame = column.frame
    means = np.bincount(frame.window, column.values) / np.bincount(frame.window)
    return float(means.std() * np.sqrt(400))


def test_windows_vary_as_their_rows_do_in_the_iid_world_alone():
    assert deviation_of_means("iid") == pytest.approx(1, abs=0.2)
    assert all(deviation_of_means(kind) > 1.4 for kind in KINDS if kind != "iid")


def test_weather_is_the_same_for_rows_of_one_cluster():
    column = world("bursty", rows=500).column("normal7")
    repeated = column.values[1:] == column.values[:-1]
    assert repeated.mean() == pytest.approx(7 / 8, abs=0.03)


def test_volume_follows_the_week_in_the_seasonal_world():
    sizes = np.bincount(world("season", rows=500, days=(28, 28)).frame.window).reshape(-1, 7)
    assert sizes[:, 5:].mean() < 0.75 * sizes[:, :5].mean()


def test_an_hourly_day_has_24_windows():
    assert world("season", "hour").frame.reference == 240


def test_a_sample_of_the_reference_keeps_its_blocks():
    sample = world().column("normal9").reference(100)
    assert len(sample.data) == len(sample.blocks) == 100
    assert set(sample.blocks) <= set(range(10))


@pytest.mark.skipif(not real.present("flights"), reason="the flights are not beside the repository")
@pytest.mark.parametrize("shuffled", ["days", "weeks"])
def test_flights_permuted_keep_their_weekdays_and_rows(shuffled: str):
    log = real.flights(shuffled, seed=3)
    weekdays = log.column("weekday").values
    first_rows = weekdays[log.frame.starts[:-1]]
    assert first_rows.reshape(-1, 7).tolist() == [["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]] * (
        log.frame.windows // 7
    )
    assert sorted(log.column("distance").values) == sorted(real.flights(shuffled, seed=4).column("distance").values)


@pytest.mark.skipif(not real.present("carloan"), reason="the car loans are not beside the repository")
def test_car_loans_change_152_days_after_their_reference():
    known = real.carloan()
    assert known.onset - known.log.frame.reference in range(150, 153)
    assert set(known.columns) <= set(known.log.columns)


@pytest.mark.parametrize(
    ("folder", "make"),
    [("flights", lambda: real.flights("days", seed=1)), ("carloan", lambda: real.carloan().log)],
)
def test_real_columns_are_counted_as_profiled(folder: str, make: Callable[[], real.RealLog]):
    if not real.present(folder):
        pytest.skip(f"the data of {folder} is not beside the repository")
    log = make()
    for name in log.columns[:8]:
        assert_counted_as_profiled(log.column(name))
