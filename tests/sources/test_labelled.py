"""Labels are joined where they are kept, the same way in every place: SQLite, PostgreSQL, Parquet and CSV."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from log_places import load

from monitor.core.errors import UserError
from monitor.core.labels import LabelSource, Truth
from monitor.core.window import Window
from monitor.sources.parquet import Parquet
from monitor.sources.spark import Spark
from monitor.sources.sql import Sql

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = Window(START, START + DAY)
LATER = START + 30 * DAY
WANTED = {"prediction": "said", "score": "p"}


def log(rows=48, **columns):
    """A prediction every hour for two days."""
    times = [START + n * timedelta(hours=1) for n in range(rows)]
    return pa.table(
        {
            "ts": pa.array(times, pa.timestamp("us", "UTC")),
            "id": pa.array(range(rows)),
            "said": pa.array([n % 2 for n in range(rows)]),
            "p": pa.array([n / rows for n in range(rows)]),
            "model_name": pa.array(["churn" if n < 40 else "other" for n in range(rows)]),
            **columns,
        }
    )


def truth(ids, labels=None, arrived=None):
    ids = list(ids)
    arrived = arrived or [START + 2 * DAY] * len(ids)
    return pa.table(
        {
            "id": pa.array(ids),
            "label": pa.array([n % 2 for n in range(len(ids))] if labels is None else labels),
            "arrived": pa.array(arrived, pa.timestamp("us", "UTC")),
        }
    )


def beside(place, labels, name="truth"):
    """Put labels where a place's log is; return what `labels.table` says."""
    if place.kind == "parquet":
        pq.write_table(labels, place.folder / f"{name}.parquet")
        return str(place.folder / f"{name}.parquet")
    if place.kind == "csv":
        pyarrow.csv.write_csv(labels, place.folder / f"{name}.csv")
        return str(place.folder / f"{name}.csv")
    load(place.url, labels, name)
    return name


def where(place, labels, **changes):
    return Truth(**{"table": beside(place, labels), "label": "label", "id": "id", "time": "arrived", **changes})


def rows_of(table):
    return sorted(
        zip(*(table.column(name).to_pylist() for name in ("label", "prediction", "score")), strict=True), key=str
    )


def test_the_labels_of_a_window_come_with_their_predictions_and_scores(place):
    source = place.source(log(), id="id")
    table = source.labelled(where(place, truth([3, 4, 30])), WINDOW, WANTED, LATER, 100)
    assert table.column_names == ["label", "prediction", "score"]
    assert rows_of(table) == [(0, 1, 3 / 48), (1, 0, 4 / 48)]


def test_the_count_is_of_the_predictions_in_the_window(place):
    source = place.source(log(), id="id")
    labels = where(place, truth([0, 23, 24, 47, 99]))
    assert source.label_count(labels, WINDOW, LATER) == 2
    assert source.label_count(labels, Window(START + timedelta(hours=23), START + timedelta(hours=47)), LATER) == 2


def test_a_label_counts_once_it_has_arrived(place):
    source = place.source(log(), id="id")
    labels = where(place, truth([1, 2, 3], arrived=[START + DAY, START + 3 * DAY, START + 8 * DAY]))
    counts = [source.label_count(labels, WINDOW, START + days * DAY) for days in (1, 2, 5, 9)]
    assert counts == [0, 1, 2, 3]


def test_of_several_labels_of_an_id_the_last_stands(place):
    source = place.source(log(), id="id")
    arrived = [START + 3 * DAY, START + 5 * DAY, START + 4 * DAY]
    labels = where(place, truth([3, 3, 3], labels=[0, 1, 0], arrived=arrived))
    assert source.labelled(labels, WINDOW, {}, LATER, 100).column("label").to_pylist() == [1]
    assert source.labelled(labels, WINDOW, {}, START + 4 * DAY, 100).column("label").to_pylist() == [0]
    assert source.label_count(labels, WINDOW, LATER) == 1


def test_a_prediction_logged_twice_counts_once(place):
    twice = pa.concat_tables([log(), log(5)])
    source = place.source(twice, id="id")
    labels = where(place, truth(range(10)))
    assert source.label_count(labels, WINDOW, LATER) == 10
    assert source.labelled(labels, WINDOW, {}, LATER, 100).num_rows == 10


def test_a_label_without_a_value_is_none(place):
    source = place.source(log(), id="id")
    labels = where(place, truth([1, 2, 3], labels=[0, None, 1]))
    assert source.label_count(labels, WINDOW, LATER) == 2
    assert source.labelled(labels, WINDOW, {}, LATER, 100).num_rows == 2


def test_the_log_s_own_condition_holds_and_sees_no_column_of_the_labels(place):
    rows = log()
    source = place.source(rows, id="id", where="model_name = 'other' AND id >= 0")
    labels = where(place, truth(range(48)))
    whole = Window(START, START + 2 * DAY)
    assert source.label_count(labels, whole, LATER) == 8
    assert source.labelled(labels, whole, WANTED, LATER, 100).num_rows == 8


def test_without_a_time_of_arrival_every_label_is_there(place):
    source = place.source(log(), id="id")
    labels = where(place, truth([1, 2, 2], labels=[1, 0, 1]), time=None)
    assert source.label_count(labels, WINDOW, START + DAY) == 2
    assert source.labelled(labels, WINDOW, {}, START + DAY, 100).num_rows == 2


def test_ids_are_joined_by_the_name_of_the_labels_where_the_log_names_none(place):
    source = place.source(log())
    assert source.label_count(where(place, truth([5])), WINDOW, LATER) == 1


def test_ids_kept_as_text_on_one_side_are_the_same_ids(place):
    source = place.source(log(), id="id")
    labels = truth([3, 4])
    labels = labels.set_column(0, "id", labels.column("id").cast(pa.string()))
    assert source.label_count(where(place, labels), WINDOW, LATER) == 2


def test_ids_kept_as_floats_on_one_side_are_the_same_ids(place):
    source = place.source(log(id=pa.array([float(n) for n in range(47)] + [None])), id="id")
    assert source.label_count(where(place, truth([3, 4])), WINDOW, LATER) == 2


def test_times_on_the_wall_of_a_zone_are_read_there(place):
    naive = pa.array([(START + n * timedelta(hours=1)).replace(tzinfo=None) for n in range(48)], pa.timestamp("us"))
    source = place.source(log(ts=naive), id="id", timezone="Europe/Berlin")
    labels = where(place, truth(range(48)), time=None)
    assert source.label_count(labels, WINDOW, LATER) == 24
    found = source.labelled(labels, WINDOW, {"score": "p"}, LATER, 100).column("score").to_pylist()
    assert min(found) == 1 / 48


@pytest.mark.parametrize("text", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00"])
def test_times_kept_as_text_are_cut_exactly(place, text):
    if place.kind == "csv":
        pytest.skip("DuckDB takes such texts for times")
    texts = pa.array([(START + n * timedelta(hours=1)).strftime(text) for n in range(48)])
    source = place.source(log(ts=texts), id="id")
    labels = where(place, truth(range(48)))
    window = Window(START + timedelta(hours=3), START + timedelta(hours=7))
    assert source.label_count(labels, window, LATER) == 4
    assert source.labelled(labels, window, {}, LATER, 100).num_rows == 4


def test_beyond_the_most_the_same_rows_are_drawn_every_time(place):
    source = place.source(log(), id="id")
    labels = where(place, truth(range(48)))
    whole = Window(START, START + 2 * DAY)
    first, again = (source.labelled(labels, whole, WANTED, LATER, 10) for _ in range(2))
    assert first.num_rows == 10
    assert rows_of(first) == rows_of(again)


def test_every_place_draws_the_same_rows(every_place):
    whole = Window(START, START + 2 * DAY)
    drawn = []
    for place in every_place:
        source = place.source(log(), id="id")
        drawn.append(rows_of(source.labelled(where(place, truth(range(48))), whole, WANTED, LATER, 10)))
    assert drawn == [drawn[0]] * 4


def test_nothing_is_found_in_an_empty_window(place):
    source = place.source(log(), id="id")
    labels = where(place, truth([1, 2]))
    empty = Window(START + 9 * DAY, START + 10 * DAY)
    assert source.label_count(labels, empty, LATER) == 0
    table = source.labelled(labels, empty, WANTED, LATER, 10)
    assert (table.num_rows, table.column_names) == (0, ["label", "prediction", "score"])


def test_a_log_without_rows_has_no_labels(place):
    source = place.source(log().slice(0, 0), id="id")
    labels = where(place, truth([1]))
    if place.kind == "csv":
        pytest.skip("a CSV without rows has no types to join by")
    assert source.label_count(labels, WINDOW, LATER) == 0


def test_labels_in_another_type_come_as_they_are(place):
    source = place.source(log(), id="id")
    labels = where(place, truth([3, 4], labels=["good", "bad"]))
    assert sorted(source.labelled(labels, WINDOW, {}, LATER, 10).column("label").to_pylist()) == ["bad", "good"]


def test_a_table_that_is_not_there_is_named_with_what_is_near(database):
    source = database.source(log(), id="id")
    beside(database, truth([1]))
    with pytest.raises(UserError, match=r"labels\.table: there is no table or view 'truht'.*did you mean 'truth'"):
        source.label_count(Truth("truht", "label", "id"), WINDOW, LATER)


def test_files_that_are_not_there_are_named(tmp_path):
    pq.write_table(log(), tmp_path / "log.parquet")
    source = Parquet(path=str(tmp_path / "log.parquet"), time="ts", id="id")
    with pytest.raises(UserError, match=r"labels\.table: there is no file .*/truth\.parquet"):
        source.label_count(Truth(str(tmp_path / "truth.parquet"), "label", "id"), WINDOW, LATER)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label": "lable"}, r"labels\.label: there is no column 'lable' in .*did you mean 'label'"),
        ({"id": "di"}, r"labels\.id: there is no column 'di' in .*'id'"),
        ({"time": "arived"}, r"labels\.time: there is no column 'arived' in .*did you mean 'arrived'"),
        ({"time": "label"}, r"labels\.time: column 'label' of .* holds no times"),
    ],
)
def test_a_column_that_is_not_there_is_named_with_what_is_near(place, changes, words):
    source = place.source(log(), id="id")
    with pytest.raises(UserError, match=words):
        source.label_count(where(place, truth([1, 2]), **changes), WINDOW, LATER)


def test_a_prediction_that_the_log_lacks_is_named(place):
    source = place.source(log(), id="id")
    with pytest.raises(UserError, match=r"prediction: there is no column 'sadi' in .*did you mean 'said'"):
        source.labelled(where(place, truth([1])), WINDOW, {"prediction": "sadi"}, LATER, 10)


def test_the_id_that_joins_must_be_in_the_log(place):
    source = place.source(log())
    with pytest.raises(UserError, match=r"logs\.id: there is no column 'key'"):
        labels = truth([1]).rename_columns(["key", "label", "arrived"])
        source.label_count(where(place, labels, id="key"), WINDOW, LATER)


def test_a_query_is_joined_as_a_table_is(database):
    database.source(log())
    labels = where(database, truth([3, 4]))
    source = Sql(url=database.url, query="SELECT * FROM log WHERE id <> 3", time="ts", id="id")
    assert source.label_count(labels, WINDOW, LATER) == 1


@pytest.mark.parametrize("name", ['la"b;el', "select", "%s", ":bound", "naïve 列"])
def test_odd_names_are_names(database, name):
    source = database.source(log(), id="id")
    labels = truth([3, 4]).rename_columns(["id", name, "arrived"])
    found = source.labelled(where(database, labels, label=name), WINDOW, WANTED, LATER, 10)
    assert found.column("label").to_pylist() in ([0, 1], [1, 0])


def test_labels_in_several_files_are_one_table(tmp_path):
    pq.write_table(log(), tmp_path / "log.parquet")
    (tmp_path / "truth").mkdir()
    for number in range(3):
        pq.write_table(truth([number]), tmp_path / "truth" / f"{number}.parquet")
    source = Parquet(path=str(tmp_path / "log.parquet"), time="ts", id="id")
    for table in ("truth", "truth/*.parquet"):
        assert source.label_count(Truth(str(tmp_path / table), "label", "id"), WINDOW, LATER) == 3


def test_spark_does_not_join_labels():
    assert not isinstance(Spark(master="local[1]", table="log", time="ts"), LabelSource)
