"""A batch that was logged again is told from windows that are merely alike, and a load that ran twice from any other."""

import numpy as np
import pyarrow as pa
import pytest

from checks.binning import fit_table, profile_batch
from checks.diagnosis_replay import Logged, loaded_twice, replayed

HOUR = 3600.0
ROWS = 600
HOURS = 60
REPEATS = 40


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def drawn(rng, rows=ROWS):
    return {
        "amount": rng.lognormal(3, 1, rows),
        "age": rng.normal(40, 10, rows),
        "colour": rng.choice(["red", "blue", "green"], rows),
        "id": rng.integers(0, 2**60, rows),
    }


BINS = fit_table(pa.table(drawn(np.random.default_rng(1), 20_000)), skip=["id"])


def logged(columns, hour, row_id=None):
    return Logged(hour * HOUR, profile_batch(pa.table(columns), BINS, row_id=row_id))


def history(rng, hours=HOURS, rows=ROWS, row_id=None):
    windows = [drawn(rng, int(rng.poisson(rows))) for _ in range(hours)]
    return windows, [logged(columns, hour, row_id) for hour, columns in enumerate(windows)]


def test_windows_of_different_rows_are_no_replay(rng):
    _, earlier = history(rng)
    assert [replayed(logged(drawn(rng), HOURS), earlier) for _ in range(REPEATS)] == [None] * REPEATS


def test_windows_of_few_rows_are_no_replay(rng):
    _, earlier = history(rng, rows=20)
    assert [replayed(logged(drawn(rng, 20), HOURS), earlier) for _ in range(REPEATS)] == [None] * REPEATS


def test_rows_logged_again_are_a_replay_of_their_window(rng):
    windows, earlier = history(rng)
    found = replayed(logged(windows[36], HOURS), earlier)
    assert (found.fault, found.columns, found.pipeline) == ("replayed_batch", (), True)
    rows = len(windows[36]["age"])
    assert found.words == (
        f"its {rows} rows are those of the window from 1970-01-02 12:00 UTC again: "
        "the counts of 3 columns agree to the last row"
    )


def test_a_replay_that_lost_a_few_rows_is_still_one(rng):
    windows, earlier = history(rng)
    found = []
    for hour in range(12, 12 + REPEATS):
        kept = rng.random(len(windows[hour]["age"])) > 0.03
        again = {name: values[kept] for name, values in windows[hour].items()}
        found.append(replayed(logged(again, HOURS), earlier))
    assert sum(item is not None for item in found) >= 0.95 * REPEATS
    assert all(item is None or item.words.endswith("far closer than different rows do") for item in found)


def test_a_log_that_repeats_itself_by_its_nature_is_no_replay(rng):
    """A timetable: every day's hour is that of the day before."""
    day = [drawn(rng) for _ in range(24)]
    earlier = [logged(day[hour % 24], hour) for hour in range(72)]
    assert replayed(logged(day[0], 72), earlier) is None


def test_a_log_of_the_same_things_every_hour_is_no_replay(rng):
    """A fleet of sensors: where they stand never changes, only one reading does."""
    fleet = drawn(rng)
    earlier = [logged(fleet | {"amount": rng.lognormal(3, 1, ROWS)}, hour) for hour in range(HOURS)]
    assert replayed(logged(fleet | {"amount": rng.lognormal(3, 1, ROWS)}, HOURS), earlier) is None


def test_with_little_history_nobody_knows_what_is_usual(rng):
    windows, earlier = history(rng, hours=4)
    assert replayed(logged(windows[1], 4), earlier) is None


def test_a_part_of_a_window_logged_again_with_its_ids_is_a_replay(rng):
    windows, earlier = history(rng, row_id="id")
    old, new = windows[50], drawn(rng)
    mixed = {name: np.concatenate([new[name], old[name][:150]]) for name in new}
    found = replayed(logged(mixed, HOURS, "id"), earlier)
    assert found.fault == "replayed_batch"
    assert found.words.endswith("% of its ids were logged before, in the window from 1970-01-03 02:00 UTC")


def test_ids_of_customers_that_come_again_are_no_replay(rng):
    def visit(hour):
        return logged(drawn(rng) | {"id": rng.choice(2000, ROWS, replace=False)}, hour, "id")

    earlier = [visit(hour) for hour in range(HOURS)]
    assert [replayed(visit(HOURS), earlier) for _ in range(REPEATS)] == [None] * REPEATS


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_hardly_any_rows_are_no_replay(rows, rng):
    earlier = [logged(drawn(rng, rows), hour) for hour in range(HOURS)]
    assert replayed(logged(drawn(rng, rows), HOURS), earlier) is None


def doubled(columns, times=2):
    return {name: np.repeat(values, times) for name, values in columns.items()}


@pytest.mark.parametrize(("times", "often"), [(2, "twice"), (3, "3 times")])
def test_rows_that_were_all_logged_several_times_are_a_load_that_ran_again(times, often, rng):
    _, earlier = history(rng)
    found = loaded_twice(logged(doubled(drawn(rng), times), HOURS), earlier)
    assert (found.fault, found.pipeline) == ("loaded_twice", True)
    assert found.words == f"every row was logged {often}: all counts of 3 columns are multiples of {times}"


def test_rows_logged_once_are_no_load_that_ran_twice(rng):
    _, earlier = history(rng)
    assert [loaded_twice(logged(drawn(rng), HOURS), earlier) for _ in range(REPEATS)] == [None] * REPEATS


def test_even_counts_of_few_values_are_no_proof(rng):
    _, earlier = history(rng)
    assert loaded_twice(logged(doubled(drawn(rng, 4)), HOURS), earlier) is None


def test_a_log_that_holds_every_row_twice_by_its_nature_has_no_load_that_ran_twice(rng):
    earlier = [logged(doubled(drawn(rng)), hour) for hour in range(10)]
    assert loaded_twice(logged(doubled(drawn(rng)), 10), earlier) is None
