"""What every source promises, proven on SQLite, PostgreSQL, Parquet and CSV."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from checks.binning import fit_table
from monitor.core.errors import UserError
from monitor.core.window import Window

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_ONE = Window(START, START + DAY)


def rows(count=600, step=timedelta(minutes=7)):
    rng = np.random.default_rng(7)
    amounts = np.round(rng.normal(50, 9, count), 3)
    return pa.table(
        {
            "id": pa.array(range(1000, 1000 + count), pa.int64()),
            "ts": pa.array([START + step * place for place in range(count)], pa.timestamp("us", "UTC")),
            "amount": pa.array(amounts, mask=np.arange(count) % 9 == 0),
            "ratio": pa.array(rng.random(count).astype(np.float32)),
            "visits": pa.array([None if place % 11 == 0 else place % 5 for place in range(count)], pa.int64()),
            "city": pa.array([("Oslo", "Rome", "Ås", None)[place % 4] for place in range(count)]),
            "member": pa.array([(True, False, None)[place % 3] for place in range(count)]),
        }
    )


def bins():
    return fit_table(rows(), time="ts", skip=["id"])


def delivered(source, window, columns=None):
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in source.batches(window, columns)])


def test_a_window_holds_its_start_and_not_its_end(place):
    moments = [START, START + DAY - timedelta(microseconds=1), START + DAY]
    source = place.source(pa.table({"ts": pa.array(moments, pa.timestamp("us", "UTC")), "x": [1, 2, 3]}))
    assert delivered(source, DAY_ONE)["x"].to_pylist() == [1, 2]


def test_two_windows_share_no_row_and_lose_none(place):
    source = place.source(rows(), id="id")
    halves = [Window(START, START + 31 * DAY / 24), Window(START + 31 * DAY / 24, START + 3 * DAY)]
    ids = [number for window in halves for number in delivered(source, window)["id"].to_pylist()]
    assert sorted(ids) == rows()["id"].to_pylist()


def test_the_time_is_delivered_as_a_timestamp_in_utc(place):
    assert delivered(place.source(rows()), DAY_ONE).schema.field("ts").type == pa.timestamp("us", "UTC")


def test_nulls_are_kept(place):
    table = delivered(place.source(rows(), id="id"), DAY_ONE).sort_by("id")
    expected = rows().slice(0, table.num_rows)
    assert [table[name].null_count for name in ("amount", "visits", "city", "member")] == [
        expected[name].null_count for name in ("amount", "visits", "city", "member")
    ]


def test_rows_without_a_time_are_in_no_window(place):
    moments = pa.array([START, None, START + DAY / 2], pa.timestamp("us", "UTC"))
    source = place.source(pa.table({"ts": moments, "x": [1, 2, 3]}))
    assert delivered(source, DAY_ONE)["x"].to_pylist() == [1, 3]


def test_every_place_gives_the_same_profile(every_place):
    readings = [place.source(rows(), id="id").read(DAY_ONE, bins(), 20) for place in every_place[:3]]
    assert readings[0].profile == readings[1].profile == readings[2].profile


def test_a_csv_gives_the_same_counts_but_for_the_digits_of_short_floats(every_place):
    known = {name: column for name, column in bins().items() if name != "ratio"}
    readings = [place.source(rows(), id="id").read(DAY_ONE, known, 20) for place in every_place[2:]]
    assert readings[0].profile == readings[1].profile


def test_every_place_gives_the_same_sample(every_place):
    samples = [place.source(rows(), id="id").read(DAY_ONE, bins(), 20).sample for place in every_place]
    assert len({tuple(sample["id"].to_pylist()) for sample in samples}) == 1
    assert samples[0].num_rows == 20


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_size_of_batches_changes_neither_profile_nor_sample(place, size):
    table = rows(150)
    whole = place.source(table, id="id")
    pieces = whole.model_copy(update={"batch_rows": size})
    known = {name: bins()[name] for name in ("amount", "visits", "ratio")}
    one, other = whole.read(DAY_ONE, known, 10), pieces.read(DAY_ONE, known, 10)
    assert one.profile.columns["amount"].counts.tolist() == other.profile.columns["amount"].counts.tolist()
    assert one.sample["id"].to_pylist() == other.sample["id"].to_pylist()


def test_an_empty_window_reads_as_no_rows(place):
    reading = place.source(rows(), id="id").read(Window(START - DAY, START), bins(), 20)
    assert (reading.profile.rows, reading.sample.num_rows) == (0, 0)


def test_an_empty_log_reads_as_no_rows(place):
    if place.kind == "csv":
        pytest.skip("a CSV without rows has columns without types")
    assert place.source(rows(0), id="id").read(DAY_ONE, bins(), 20).profile.rows == 0


def test_a_condition_narrows_the_rows(place):
    source = place.source(rows(), where="city = 'Rome' and id < 1100  -- our own")
    assert set(delivered(source, DAY_ONE)["city"].to_pylist()) == {"Rome"}


def test_only_the_wanted_columns_are_delivered_beside_the_time(place):
    assert delivered(place.source(rows()), DAY_ONE, ["city"]).column_names == ["ts", "city"]


def test_an_unknown_wanted_column_is_named_with_its_neighbour(place):
    with pytest.raises(UserError, match=r"no column 'cty'.*did you mean 'city'"):
        next(iter(place.source(rows()).batches(DAY_ONE, ["cty"])))


def test_a_missing_time_column_is_named_with_its_neighbour(place):
    source = place.source(rows(), time="tss")
    with pytest.raises(UserError, match=r"logs.time: there is no column 'tss' in .*did you mean 'ts'\?"):
        source.facts()


def test_a_missing_id_column_is_refused(place):
    with pytest.raises(UserError, match=r"logs.id: there is no column 'prediction'"):
        place.source(rows(), id="prediction").read(DAY_ONE, bins(), 20)


def test_a_time_column_of_numbers_that_are_no_times_is_refused_with_examples(place):
    with pytest.raises(UserError, match=r"'visits' of .* holds no times but values such as 1, 2, 3"):
        place.source(rows(), time="visits").read(DAY_ONE, bins(), 20)


def test_a_time_column_of_words_is_refused(place):
    with pytest.raises(UserError, match=r"'city' of .* holds no times but values such as Oslo, Rome, Ås"):
        place.source(rows(), time="city").facts()


def test_more_rows_than_the_cap_are_refused_with_three_remedies(place):
    with pytest.raises(UserError, match=r"more than 100 rows in .*schedule.every.*logs.where.*logs.max_rows"):
        place.source(rows(), max_rows=100, mode="stream").read(DAY_ONE, bins(), 20)


ODD = [
    'with "quotes"',
    "a space",
    "naïve 😀",
    "<script>alert(1)</script>",
    "100%",
    "a:b",
    "(x)",
    "sélect",
    "group",
    "it's",
]


def test_odd_column_names_are_read_as_they_are(place):
    table = pa.table({"ts": rows()["ts"], **{name: rows()["amount"] for name in ODD}})
    assert delivered(place.source(table), DAY_ONE).column_names == ["ts", *ODD]


@pytest.mark.parametrize("name", ODD)
def test_the_time_column_may_have_an_odd_name(sqlite, name):
    source = sqlite.source(pa.table({name: rows()["ts"], "x": rows()["id"]}), time=name)
    assert delivered(source, DAY_ONE).num_rows == 206


def test_the_time_column_may_have_an_odd_name_in_every_place(place):
    name = 'when "%s" : (😀)'
    source = place.source(pa.table({name: rows()["ts"], "x": rows()["id"]}), time=name)
    assert delivered(source, DAY_ONE).num_rows == 206


def test_json_features_become_columns(place):
    documents = ['{"age": 31, "city": "Oslo"}', '{"age": 4.5, "deep": {"a": 1}}', "no json", None]
    moments = pa.array([START] * 4, pa.timestamp("us", "UTC"))
    source = place.source(pa.table({"ts": moments, "n": range(4), "body": documents}), features="body", id="n")
    table = delivered(source, DAY_ONE).sort_by("n")
    assert table.select(["age", "city", "deep"]).to_pydict() == {
        "age": [31, 4.5, None, None],
        "city": ["Oslo", None, None, None],
        "deep": [None, '{"a": 1}', None, None],
    }
    assert "body" not in table.column_names


def test_the_keys_of_json_features_are_among_the_facts(place):
    moments = pa.array([START, START], pa.timestamp("us", "UTC"))
    table = pa.table({"ts": moments, "body": ['{"age": 31}', '{"age": 4, "b": "x"}']})
    assert dict(place.source(table, features="body").facts().columns).keys() == {"ts", "age", "b"}


def test_the_facts_name_columns_and_the_extremes_of_the_time(place):
    facts = place.source(rows(), id="id").facts()
    assert list(facts.columns) == rows().column_names
    assert (facts.first_event, facts.last_event) == (START, START + timedelta(minutes=7 * 599))


def test_the_facts_of_an_empty_log_know_no_extremes(place):
    facts = place.source(rows(0)).facts()
    assert (facts.first_event, facts.last_event) == (None, None)


def naive(zone_shift):
    """Times of every hour of four days, on a clock that is ahead of UTC."""
    moments = [datetime(2026, 3, 1) + zone_shift + timedelta(hours=hour) for hour in range(96)]  # noqa: DTZ001
    return pa.table({"ts": pa.array(moments, pa.timestamp("us")), "n": range(96)})


def test_naive_times_are_read_in_the_declared_zone(place):
    source = place.source(naive(timedelta(hours=9)), timezone="Asia/Tokyo")
    assert delivered(source, Window(START + DAY, START + 2 * DAY))["n"].to_pylist() == list(range(24, 48))


def test_naive_times_without_a_declared_zone_are_warned_of(place):
    warnings = place.source(naive(timedelta())).facts().warnings
    assert any("name no zone and are read as UTC; set logs.timezone" in warning for warning in warnings)


def test_naive_times_with_a_declared_zone_are_not_warned_of(place):
    warnings = place.source(naive(timedelta()), timezone="UTC").facts().warnings
    assert not any("zone" in warning for warning in warnings)


def test_each_naive_row_is_in_one_hour_when_the_clocks_go_back(place):
    minutes = [datetime(2026, 10, 25) + timedelta(minutes=15 * step) for step in range(24)]  # noqa: DTZ001
    table = pa.table({"ts": pa.array(minutes, pa.timestamp("us")), "n": range(24)})
    source = place.source(table, timezone="Europe/Berlin")
    first = datetime(2026, 10, 24, 22, tzinfo=UTC)
    hours = [Window(first + DAY / 24 * hour, first + DAY / 24 * (hour + 1)) for hour in range(8)]
    found = [number for hour in hours for batch in source.batches(hour) for number in batch["n"].to_pylist()]
    assert found == list(range(24))


def test_a_column_of_dates_holds_the_midnights_of_its_zone(place):
    days = pa.array([(START + DAY * day).date() for day in range(5)])
    source = place.source(pa.table({"ts": days, "n": range(5)}), timezone="Europe/Berlin")
    window = Window(datetime(2026, 3, 1, 23, tzinfo=UTC), datetime(2026, 3, 3, 23, tzinfo=UTC))
    assert delivered(source, window)["n"].to_pylist() == [1, 2]


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_numbers_since_1970_are_times_in_the_unit_that_their_size_says(place, unit):
    seconds = [int(START.timestamp()) + 3600 * hour for hour in range(48)]
    source = place.source(pa.table({"ts": [second * unit for second in seconds], "n": range(48)}))
    assert delivered(source, DAY_ONE)["n"].to_pylist() == list(range(24))
