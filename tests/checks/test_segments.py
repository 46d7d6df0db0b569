"""The rows that carry a change are named when there are such rows, and hardly ever when all rows changed.

The full run, with more repetitions, is the same code: `REPEATS=300 pytest tests/checks/test_segments.py`.
"""

import os

import numpy as np
import pyarrow as pa
import pytest

from checks.binning import fit_table
from checks.segments import LEVEL, Carrier, Mix, carrier

REPEATS = int(os.environ.get("REPEATS", "20"))
REFERENCE_ROWS, ROWS = 4000, 1000
LEVELS = {"JFK": 35.0, "LGA": 20.0, "EWR": 10.0}
SPREADS = {"JFK": 9.0, "LGA": 5.0, "EWR": 2.0}


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def drawn(rng, rows, shares=(0.15, 0.35, 0.5)):
    """Rows whose segments differ in level and spread, so that one change of all rows looks different in each."""
    origin = rng.choice(list(LEVELS), rows, p=shares)
    level, spread = (np.array([known[name] for name in origin]) for known in (LEVELS, SPREADS))
    member = rng.random(rows) < 0.3
    return {
        "delay": rng.normal(level, spread),
        "colour": np.where(rng.random(rows) < 0.2 + 0.2 * member, "red", "blue"),
        "origin": origin,
        "carrier": rng.choice(list("uvwxyz"), rows, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05]),
        "stops": rng.integers(0, 5, rows),
        "member": member,
    }


def table(columns):
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def asked(rng, change, column="delay", shares=(0.15, 0.35, 0.5), **options):
    """Return what carries the change of a column, in rows drawn anew."""
    reference = table(drawn(rng, REFERENCE_ROWS))
    rows = drawn(rng, ROWS, shares)
    rows[column] = change(rows, rng)
    return carrier(reference, [table(rows)], column, fit_table(reference), **options)


def some_null(share):
    return lambda rows, rng: np.where(rng.random(ROWS) < share, np.nan, rows["delay"])


UNIFORM = {
    "nothing": ("delay", lambda rows, rng: rows["delay"]),
    "a small shift": ("delay", lambda rows, rng: rows["delay"] + 1),
    "a shift": ("delay", lambda rows, rng: rows["delay"] + 5),
    "another unit": ("delay", lambda rows, rng: rows["delay"] * 1.609),
    "another magnitude": ("delay", lambda rows, rng: rows["delay"] * 1000),
    "a wider spread": ("delay", lambda rows, rng: (rows["delay"] - 18) * 1.5 + 18),
    "nulls": ("delay", some_null(0.1)),
    "another category": ("colour", lambda rows, rng: np.where(rng.random(ROWS) < 0.3, "red", rows["colour"])),
}


@pytest.mark.parametrize("change", list(UNIFORM))
def test_a_change_of_all_rows_is_laid_on_no_segment(change, rng):
    column, made = UNIFORM[change]
    named = [found.words for _ in range(REPEATS) if (found := asked(rng, made, column)) is not None]
    assert len(named) <= LEVEL * REPEATS, named


def only(column, value, made):
    def change(rows, rng):
        return np.where(rows[column] == value, made(rows, rng), rows["delay"])

    return change


CONFINED = {
    "a shift by a spread in 15% of the rows": ("origin", "JFK", only("origin", "JFK", lambda r, g: r["delay"] + 9)),
    "a shift in 20% of the rows": ("stops", "2", only("stops", 2, lambda r, g: r["delay"] + 7)),
    "a shift in 25% of the rows": ("carrier", "v", only("carrier", "v", lambda r, g: r["delay"] - 6)),
    "a shift where a flag is set": ("member", "true", only("member", True, lambda r, g: r["delay"] + 6)),
    "nulls in 15% of the rows": ("origin", "JFK", only("origin", "JFK", some_null(0.3))),
    "a sentinel in 25% of the rows": (
        "carrier", "v", only("carrier", "v", lambda r, g: np.where(g.random(ROWS) < 0.2, -999.0, r["delay"]))),
}  # fmt: skip


@pytest.mark.parametrize("change", list(CONFINED))
def test_a_change_of_one_segment_is_laid_on_it(change, rng):
    column, value, made = CONFINED[change]
    found = [asked(rng, made) for _ in range(REPEATS)]
    right = [item for item in found if isinstance(item, Carrier) and (item.column, item.value) == (column, value)]
    assert len(right) >= 0.9 * REPEATS, [item and item.words for item in found]


def test_a_category_that_grew_in_one_segment_is_laid_on_it(rng):
    def reddened(rows, rng):
        return np.where((rows["carrier"] == "v") & (rng.random(ROWS) < 0.4), "red", rows["colour"])

    found = [asked(rng, reddened, "colour") for _ in range(REPEATS)]
    assert sum(isinstance(item, Carrier) and item.value == "v" for item in found) >= 0.9 * REPEATS


def test_a_change_that_the_mix_of_segments_makes_is_laid_on_the_mix(rng):
    found = [asked(rng, lambda rows, rng: rows["delay"], shares=(0.3, 0.4, 0.3)) for _ in range(REPEATS)]
    right = [item for item in found if isinstance(item, Mix) and item.column == "origin"]
    assert len(right) >= 0.9 * REPEATS, [item and item.words for item in found]


def test_a_mix_is_told_with_the_value_that_moved_most(rng):
    found = asked(rng, lambda rows, rng: rows["delay"], shares=(0.4, 0.35, 0.25))
    assert found.words.startswith("because the mix of `origin` changed: rows with origin = ")
    assert found.words.endswith("%; within its values `delay` is as before")
    assert found.explained == pytest.approx(1, abs=0.25)


def test_a_segment_that_the_reference_does_not_know_changes_the_mix(rng):
    reference = table(drawn(rng, REFERENCE_ROWS))
    rows = drawn(rng, ROWS)
    rows["origin"] = np.where(rng.random(ROWS) < 0.3, "SWF", rows["origin"])
    rows["delay"] = np.where(rows["origin"] == "SWF", rng.normal(60, 5, ROWS), rows["delay"])
    found = carrier(reference, [table(rows)], "delay", fit_table(reference))
    assert isinstance(found, Mix)
    assert (found.column, found.value, found.before) == ("origin", "SWF", 0.0)


def test_a_carrier_is_told_in_native_units(rng):
    found = asked(rng, only("stops", 2, lambda rows, rng: rows["delay"] + 30))
    before, after = np.median(drawn(rng, 100_000)["delay"]), found.inside.words
    assert found.words == f"rows with stops = '2': {after}; other rows {found.outside.words}"
    was, now = (float(word) for word in after.removeprefix("median ").split(" to "))
    assert was == pytest.approx(before, abs=2)
    assert now == pytest.approx(before + 30, abs=2)


def test_a_carrier_says_how_many_rows_it_holds(rng):
    found = asked(rng, only("member", True, lambda rows, rng: rows["delay"] + 30))
    assert found.share == pytest.approx(0.3, abs=0.05)
    assert (found.inside.rows + found.outside.rows, found.inside.reference_rows) == (
        ROWS,
        pytest.approx(0.3 * REFERENCE_ROWS, rel=0.1),
    )


def test_rows_without_a_value_are_a_segment_too(rng):
    reference, rows = drawn(rng, REFERENCE_ROWS), drawn(rng, ROWS)
    for side in (reference, rows):
        side["origin"] = np.where(side["origin"] == "JFK", None, side["origin"])
    rows["delay"] = np.where([value is None for value in rows["origin"]], rows["delay"] + 30, rows["delay"])
    found = carrier(table(reference), [table(rows)], "delay", fit_table(table(reference)))
    assert found.value is None
    assert found.words.startswith("rows without `origin`: median ")


def test_configured_columns_are_asked_first(rng):
    reference, rows = drawn(rng, REFERENCE_ROWS), drawn(rng, ROWS)
    for side in (reference, rows):
        side["area"] = np.where(side["origin"] == "JFK", "airport 1", "elsewhere")
    rows["delay"] = np.where(rows["origin"] == "JFK", rows["delay"] + 30, rows["delay"])
    bins = fit_table(table(reference))
    found = [
        carrier(table(reference), [table(rows)], "delay", bins, configured=chosen).column
        for chosen in (["area"], ["origin"])
    ]
    assert found == ["area", "origin"]


def test_nulls_are_not_asked_about_where_values_raised_the_alarm(rng):
    change = only("origin", "JFK", some_null(0.5))
    assert asked(rng, change, aspects=("values",)) is None


def test_windows_are_taken_together(rng):
    reference = table(drawn(rng, REFERENCE_ROWS))
    windows = []
    for _ in range(4):
        rows = drawn(rng, ROWS)
        rows["delay"] = only("origin", "JFK", lambda rows, rng: rows["delay"] + 9)(rows, rng)
        windows.append(table(rows).slice(0, 250))
    found = carrier(reference, windows, "delay", fit_table(reference))
    assert found.inside.rows + found.outside.rows == 1000


def test_a_window_of_the_night_is_compared_with_nights(rng):
    """By night other flights leave: the mix differs from the average day, and from no other night."""

    def hour_by_hour(rows, hours):
        columns = drawn(rng, rows)
        night = hours % 24 < 6
        columns["origin"] = np.where(night & (rng.random(rows) < 0.8), "JFK", columns["origin"])
        columns["delay"] = np.array([LEVELS[name] for name in columns["origin"]]) + rng.normal(0, 3, rows)
        columns["at"] = (hours * 3600e6).astype("int64")
        made = table(columns)
        stamps = made.column("at").cast(pa.timestamp("us", "UTC"))
        return made.set_column(made.column_names.index("at"), "at", stamps)

    reference = hour_by_hour(6000, rng.integers(0, 24 * 28, 6000).astype(float))
    night = hour_by_hour(1000, rng.integers(24 * 28, 24 * 28 + 5, 1000).astype(float))
    bins = fit_table(reference, time="at")
    assert isinstance(carrier(reference, [night], "delay", bins), Mix)
    assert carrier(reference, [night], "delay", bins, time="at") is None


def test_a_quantity_that_wanders_is_not_laid_on_an_hour_of_the_day(rng):
    """Its hour tells when a row was logged, and every quantity that wanders moved in some hour."""
    hours = np.sort(rng.integers(0, 24, ROWS))
    reference = drawn(rng, REFERENCE_ROWS) | {"hour": rng.integers(0, 24, REFERENCE_ROWS)}
    rows = drawn(rng, ROWS) | {"hour": hours}
    rows["delay"] = rows["delay"] + 25 * np.isin(hours, (7, 8))
    bins = fit_table(table(reference))
    windows = [table({name: values[hours == hour] for name, values in rows.items()}) for hour in range(24)]
    assert carrier(table(reference), windows, "delay", bins) is None
    assert carrier(table(reference), windows, "delay", bins, configured=["hour"]).column == "hour"


def test_a_quantity_and_the_column_itself_are_no_segments(rng):
    reference, rows = drawn(rng, REFERENCE_ROWS), drawn(rng, ROWS)
    keep = ("delay", "distance")
    for side in (reference, rows):
        side["distance"] = rng.integers(0, 4000, len(side["delay"]))
    rows["delay"] = np.where(rows["distance"] > 2000, rows["delay"] + 30, rows["delay"])
    before, after = (table({name: side[name] for name in keep}) for side in (reference, rows))
    assert carrier(before, [after], "delay", fit_table(before)) is None


@pytest.mark.parametrize("rows", [0, 1, 30])
def test_too_few_rows_tell_nothing(rows, rng):
    reference = table(drawn(rng, REFERENCE_ROWS))
    few = table({name: values[:rows] for name, values in drawn(rng, ROWS).items()})
    assert carrier(reference, [few], "delay", fit_table(reference)) is None


def test_no_windows_and_no_reference_tell_nothing(rng):
    rows = table(drawn(rng, ROWS))
    bins = fit_table(rows)
    assert carrier(rows, [], "delay", bins) is None
    assert carrier(rows.slice(0, 0), [rows], "delay", bins) is None


def test_a_column_that_is_no_longer_delivered_is_laid_on_no_segment(rng):
    reference = table(drawn(rng, REFERENCE_ROWS))
    rows = table(drawn(rng, ROWS)).drop_columns(["delay"])
    assert carrier(reference, [rows], "delay", fit_table(reference)) is None


def test_values_that_are_no_longer_finite_raise_no_warning(rng):
    assert asked(rng, lambda rows, rng: np.full(ROWS, np.inf)) is None
