"""A window that its database counts has the profile, and with ids the sample, of the same window streamed."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from log_places import Places

from checks.binning import fit
from checks.profile import SENTINELS
from checks.reading import LONGEST_WORD
from monitor.core.window import Window
from monitor.sources._countable import Countable
from monitor.sources._log import Log

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_ONE = Window(START, START + DAY)
COUNT = 400


@pytest.fixture(params=["sqlite", "postgres", "mariadb", "parquet", "clickhouse"])
def place(request, tmp_path):
    return Places(request.param, tmp_path, request)


def spread(values, count=COUNT):
    """Repeat values over the rows, so that all of them lie in the window."""
    return [values[row % len(values)] for row in range(count)]


def moments(count=COUNT):
    return pa.array(
        [START + row * DAY / count + timedelta(microseconds=row) for row in range(count)], pa.timestamp("us", "UTC")
    )


def table(column, count=COUNT):
    return pa.table({"id": pa.array(range(count), pa.int64()), "ts": moments(count), "x": column})


class Ways:
    """Reads windows both ways, and knows which columns the second had to stream."""

    def __init__(self, monkeypatch):
        self.monkeypatch, self.streamed = monkeypatch, set()

    def read(self, source, bins, window=DAY_ONE, size=20):
        one = source.model_copy(update={"mode": "stream"}).read(window, bins, size)
        with self.monkeypatch.context() as patch:
            stream, self.streamed = Countable._streamed, set()

            def streamed(log, window, bins, plan, rows):
                self.streamed = set(plan.streamed)
                return stream(log, window, bins, plan, rows)

            patch.setattr(Log, "read", lambda *_: pytest.fail("the window was streamed as a whole"))
            patch.setattr(Countable, "_streamed", streamed)
            return one, source.model_copy(update={"mode": "pushdown"}).read(window, bins, size)


@pytest.fixture
def ways(monkeypatch):
    return Ways(monkeypatch)


@pytest.fixture
def same(place, ways):
    """Assert that columns are profiled alike both ways and that ``streamed`` alone were streamed; gives the profile."""

    def compare(column, bins=None, streamed=(), **options):
        rows = column if isinstance(column, pa.Table) else table(column)
        known = bins or {name: fit(rows[name]) for name in rows.column_names if name not in ("id", "ts")}
        one, other = ways.read(place.source(rows, **{"id": "id", **options}), known)
        for name in known:
            assert one.profile.columns[name] == other.profile.columns[name], name
        assert one.profile == other.profile
        assert one.sample.equals(other.sample)
        assert ways.streamed == set(streamed)
        return other.profile

    return compare


SPECIAL = [float("nan"), float("inf"), -float("inf"), None]
NUMBERS = [1.5, 0.1, -0.0, 0.0, 1e-300, -1e-320, 5e-324, 1 / 3, 2.0**53 + 2, *SENTINELS, -7.25, 123456789.125]


@pytest.fixture
def finite(place):
    """Whether a place keeps neither NaN nor infinities."""
    return place.kind == "mariadb"


@pytest.fixture
def numbers(finite):
    return pa.array(spread([*NUMBERS, None] if finite else [*NUMBERS, *SPECIAL]), pa.float64())


def test_doubles_are_counted_as_they_are_read(same, numbers):
    assert same(numbers).columns["x"].nulls


def test_an_edge_belongs_to_the_bin_below_it_to_the_last_bit(same):
    values = np.random.default_rng(3).normal(0, 1e-3, 200)
    beside = np.concatenate([values, np.nextafter(values, np.inf), np.nextafter(values, -np.inf)])[:COUNT]
    bins = {"x": fit(pa.array(values))}
    same(pa.array(np.resize(beside, COUNT)), bins)


def test_values_in_the_open_tails_and_far_beyond_are_counted(same):
    values = [-1e140, -1e9, *range(50), 1e9, 1e140]
    same(pa.array(spread(values), pa.float64()), {"x": fit(pa.array(range(50), pa.float64()))})


def test_values_whose_squares_overflow_are_streamed(same):
    profile = same(pa.array(spread([1.0, 1e200, -1.7e308, 2.0]), pa.float64()), {"x": fit(pa.array(range(9)))}, ["x"])
    assert profile.columns["x"].high == 1e200


def test_heavily_skewed_values_are_counted(same):
    skewed = np.exp(np.random.default_rng(11).normal(0, 4, COUNT))
    same(pa.array(skewed), {"x": fit(pa.array(skewed[:100]))})


def test_a_constant_is_counted(same):
    same(pa.array([7.25] * COUNT), {"x": fit(pa.array([7.25] * 9))})


def test_values_whose_distance_is_no_double_leave_their_neighbours_exact(same):
    rows = table(pa.array(spread([1.7e308, -1.7e308, 0.5]), pa.float64()))
    rows = rows.append_column("y", pa.array(np.linspace(0, 1, COUNT)))
    same(rows, {"x": fit(pa.array(range(9))), "y": fit(rows["y"])}, ["x"])


def test_more_columns_than_are_read_together_are_counted_in_batches_of_any_size(same):
    rows, rng = table(pa.array(range(COUNT), pa.int64())), np.random.default_rng(13)
    for place in range(30):
        rows = rows.append_column(f"y{place}", pa.array(rng.normal(place, 1, COUNT)))
    same(rows, batch_rows=COUNT // 3)


def test_atoms_have_bins_of_their_own(same):
    same(pa.array(spread([0.0, 0.0, 0.1, 0.1, 7.0, -1.0, *np.linspace(3, 4, 20)]), pa.float64()))


def test_short_floats_are_compared_as_the_doubles_that_they_are(same):
    same(pa.array(np.random.default_rng(5).random(COUNT).astype(np.float32)))


def test_whole_numbers_beyond_those_that_doubles_have_are_rounded_alike(same):
    large = [2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 9007199254740995, None, 0, 99, -1]
    same(pa.array(spread(large), pa.int64()), {"x": fit(pa.array([0, 2**53, 2**62], pa.int64()))})


def test_booleans_are_counted_as_booleans_as_numbers_and_as_categories(same):
    column = pa.array(spread([True, False, None, True]))
    rows = pa.table({"id": range(COUNT), "ts": moments(), "x": column, "y": column, "z": column})
    bins = {"x": fit(column), "y": fit(pa.array([0.0, 1.0])), "z": fit(pa.array(["true", "x"]), "categorical")}
    same(rows, bins)


WORDS = ["Oslo", "oslo", "Rome ", "Rome", "", " ", "Ås", "A\u030as", "ß", "ss", "naïve 😀", "it's", 'a "b"', "100%", ":x",
         "; DROP TABLE log; --", "\\", "\n", "null", None, "a" * LONGEST_WORD, "b" * (LONGEST_WORD + 1), "😀" * 300]  # fmt: skip


def test_categories_are_told_apart_to_the_last_byte(same):
    same(pa.array(spread(WORDS)), {"x": fit(pa.array(["Oslo", "Rome", "ss", "", "100%"]), "categorical")})


def test_many_unseen_categories_leave_the_same_sample(same):
    values = [f"word {row}" for row in range(COUNT)]
    profile = same(pa.array(values), {"x": fit(pa.array([*values[:60], *values[:50]]), "categorical")})
    assert profile.columns["x"].unseen.full


@pytest.mark.parametrize("values", [[3, 4, None, -1], [3.0, 4.5, None, -0.0, 0.0, 1e16], [True, False, None]])
def test_categories_of_other_types_are_spelled_alike(same, values):
    same(pa.array(spread(values)), {"x": fit(pa.array(["3", "4.5", "true"]), "categorical")})


@pytest.mark.parametrize("values", [[1, 0, None, 2], ["yes", "No", "t", "?", None, "TRUE"], [1.0, 0.0, 0.5]])
def test_what_is_read_as_boolean_is_understood_alike(same, values):
    same(pa.array(spread(values)), {"x": fit(pa.array([True, False]))})


def test_texts_are_counted_by_their_characters(same):
    same(pa.array(spread(WORDS)), {"x": fit(pa.array(["a", "bb", "ccc", "d" * 50]), "text")})


TIMES = [
    START - 3 * DAY,
    START + timedelta(microseconds=1),
    None,
    START - timedelta(days=20000, microseconds=7),
    START + DAY,
]


@pytest.mark.parametrize("zone", ["UTC", None])
def test_times_are_counted_by_their_age_and_their_hour(same, place, zone):
    values = [None if moment is None else moment if zone else moment.replace(tzinfo=None) for moment in TIMES]
    if place.kind == "mariadb" and zone:
        values[3] = START  # its TIMESTAMP begins in 1970
    column = pa.array(spread(values), pa.timestamp("us", zone))
    profile = same(column, {"x": fit(column, times=np.full(COUNT, START.timestamp()))})
    assert profile.columns["x"].hours.sum() == profile.columns["x"].present


def test_dates_are_counted_by_their_age(same):
    column = pa.array(spread([date(2026, 2, 27), date(1999, 12, 31), None, date(2026, 3, 2)]))
    same(column, {"x": fit(column, times=np.full(COUNT, START.timestamp()))})


def test_times_read_as_categories_are_spelled_alike(same):
    same(pa.array(spread([date(2026, 2, 27), None])), {"x": fit(pa.array(["2026-02-27"]), "categorical")})


def test_texts_read_as_numbers_are_streamed(same):
    profile = same(pa.array(spread(["1", " 2.5", "x", "", None, "1e3", "nan"])), {"x": fit(pa.array(range(9)))}, ["x"])
    assert profile.columns["x"].mistyped


def test_a_column_that_the_log_lacks_is_absent_and_one_that_the_reference_lacks_is_extra(same):
    profile = same(pa.array(spread([1.0])), {"y": fit(pa.array([1.0]))})
    assert (profile.columns["y"].absent, profile.extra) == (COUNT, {"x": COUNT})


def test_a_column_of_nulls_has_no_value(same):
    assert same(pa.array([None] * COUNT, pa.float64()), {"x": fit(pa.array([1.0]))}).columns["x"].nulls == COUNT


def test_a_column_without_edges_has_one_bin(same):
    same(pa.array(spread([1.0, None, -3.5])), {"x": fit(pa.array([None], pa.float64()), "numeric")})


HOSTILE = ['with "quotes"', "100%", "a:b", "it's", "; DROP TABLE log; --", "%(x)s", "v", "c"]


def test_columns_of_any_name_are_counted(same, place):
    odd = [*HOSTILE, "naïve" if place.kind == "mariadb" else "naïve 😀"]  # MariaDB takes no emoji in a name
    names = [name for name in odd if place.kind != "clickhouse" or name not in ('with "quotes"', "100%", "%(x)s")]
    rows = pa.table(
        {
            "id": range(COUNT),
            "ts": moments(),
            **{name: pa.array(spread([place, 2.5, None])) for place, name in enumerate(names)},
        }
    )
    same(rows)


@pytest.mark.parametrize("ids", [list(range(5)), [None, *range(9)], [f"row {row}" for row in range(COUNT)]])
def test_ids_that_repeat_or_are_missing_leave_the_same_sketch(place, ways, ids):
    kind = pa.string() if isinstance(ids[-1], str) else pa.int64()
    rows = pa.table({"id": pa.array(spread(ids), kind), "ts": moments(), "x": pa.array(range(COUNT), pa.float64())})
    one, other = ways.read(place.source(rows, id="id"), {"x": fit(rows["x"])})
    assert one.profile == other.profile
    assert one.sample.sort_by("x").equals(other.sample.sort_by("x"))


def test_a_log_without_ids_is_sampled_from_all_of_the_window(place, ways):
    rows = table(pa.array(range(COUNT), pa.float64())).drop_columns(["id"])
    one, other = ways.read(place.source(rows), {"x": fit(rows["x"])}, size=40)
    assert one.profile == other.profile
    assert other.sample.num_rows == 40
    assert max(other.sample["x"].to_pylist()) > 0.8 * COUNT


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin"])
def test_naive_times_are_counted_across_a_change_of_the_clocks(place, ways, zone):
    if place.kind == "clickhouse":
        pytest.skip("its times are instants")
    walls = [datetime(2026, 10, 24) + timedelta(minutes=10 * step, microseconds=step) for step in range(COUNT)]  # noqa: DTZ001
    column = pa.array(walls, pa.timestamp("us"))
    rows = pa.table({"id": range(COUNT), "ts": column, "x": column})
    source = place.source(rows, id="id", timezone=zone)
    window = Window(datetime(2026, 10, 24, 22, 30, tzinfo=UTC), datetime(2026, 10, 25, 20, tzinfo=UTC))
    one, other = ways.read(source, {"x": fit(column, times=np.zeros(COUNT))}, window)
    assert one.profile == other.profile
    assert one.profile.rows


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_numbers_since_1970_are_counted_as_times(place, ways, unit):
    seconds = [int(START.timestamp()) + 600 * step for step in range(COUNT)]
    rows = pa.table(
        {"id": range(COUNT), "ts": [second * unit for second in seconds], "x": pa.array(range(COUNT), pa.float64())}
    )
    one, other = ways.read(place.source(rows, id="id"), {"x": fit(rows["x"])})
    assert one.profile == other.profile
    assert one.profile.rows == 144


def test_an_empty_window_is_counted_as_no_rows(place, ways):
    rows = table(pa.array(spread([1.0])))
    one, other = ways.read(place.source(rows, id="id"), {"x": fit(rows["x"])}, Window(START - DAY, START))
    assert (one.profile, other.profile.rows, other.sample.num_rows) == (other.profile, 0, 0)


def test_a_condition_narrows_what_is_counted(same):
    assert (
        same(pa.array(spread([1.0, 2.0])), {"x": fit(pa.array([1.0]))}, where="x > 1.5 -- our own").rows == COUNT // 2
    )


def test_what_is_streamed_all_the_same_is_among_the_facts(tmp_path, request):
    place = Places("parquet", tmp_path, request)
    rows = table(pa.array([[1]] * COUNT))
    facts = place.source(rows, id="id", mode="pushdown").facts()
    assert "counted by SQL where the rows are (mode: pushdown); streamed: 'x'" in facts.reader


def test_a_small_window_of_a_database_is_streamed(tmp_path, request):
    source = Places("sqlite", tmp_path, request).source(table(pa.array(spread([1.0]))), id="id")
    assert not source.decided(DAY_ONE).pushdown


def test_more_rows_than_may_be_read_are_counted_in_files(tmp_path, request):
    source = Places("parquet", tmp_path, request).source(table(pa.array(spread([1.0]))), id="id", max_rows=100)
    assert source.read(DAY_ONE, {"x": fit(pa.array([1.0]))}, 10).profile.rows == COUNT


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
def test_a_plan_that_reads_a_large_table_is_warned_of_with_the_remedy(kind, tmp_path, request, monkeypatch):
    monkeypatch.setattr("monitor.sources._sql.inspecting._LARGE", -1)
    source = Places(kind, tmp_path, request).source(table(pa.array(spread([1.0]))), id="id")
    if kind == "postgres":
        monkeypatch.setattr("monitor.sources.sql.estimated_rows", lambda *_: COUNT)  # it knows none before ANALYZE
    assert any(
        "reads all of table 'log'" in warning and "CREATE INDEX" in warning for warning in source.facts().warnings
    )
