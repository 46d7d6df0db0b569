"""References from files, queries and periods: immutable, named by their content, with everything odd said."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from monitor.config.models import Model
from monitor.core.errors import UserError
from monitor.core.window import Window
from monitor.referencing import origin_of, snapshot
from monitor.sources.parquet import Parquet
from monitor.sources.sql import Sql

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
FLIGHTS = Path(__file__).parents[1].parent / "shared/data/flights"


def rows(count=480, **columns):
    rng = np.random.default_rng(3)
    moments = [START + timedelta(hours=place / 2) for place in range(count)]
    table = {
        "id": pa.array(range(count), pa.int64()),
        "ts": pa.array(moments, pa.timestamp("us", "UTC")),
        "amount": pa.array(np.round(rng.normal(50, 9, count), 3)),
        "city": pa.array([("Oslo", "Rome", None)[place % 3] for place in range(count)], pa.string()),
    }
    return pa.table({**table, **columns})


class Builder:
    """Writes a log and a reference into a folder and builds the snapshot."""

    def __init__(self, folder):
        self.folder, self.file = folder, folder / "reference.parquet"

    def model(self, where=None, logs=None, **options):
        source = Parquet(path=str(self.folder / "log.parquet"), **{"time": "ts", "id": "id", **(logs or {})})
        return Model(logs=source, reference={"file": str(self.file)} if where is None else where, **options)

    def __call__(self, reference=None, log=None, **options):
        pq.write_table(rows() if log is None else log, self.folder / "log.parquet")
        if reference is not None:
            pq.write_table(reference, self.file)
        return snapshot(self.model(**options), "churn", now=NOW, who="me")


@pytest.fixture
def build(tmp_path):
    return Builder(tmp_path)


# What a snapshot holds.


def test_a_file_becomes_bins_a_profile_and_a_sample(build):
    reference = build(rows())
    assert list(reference.bins) == ["amount", "city"]
    assert (reference.rows, reference.sample.num_rows) == (480, 480)
    assert reference.profile.columns["city"].nulls == 160


def test_who_added_it_and_when_is_kept(build):
    reference = build(rows())
    assert (reference.model, reference.added_at, reference.added_by) == ("churn", NOW, "me")


def test_the_version_is_kept(build):
    assert build(rows(), where={"file": str(build.file), "version": "v7"}).version == "v7"


def test_a_plain_reference_has_nothing_to_warn_of(build):
    assert build(rows()).warnings == ()


def test_blocks_are_the_windows_of_the_schedule(build):
    reference = build(rows())
    assert [window for window, _ in reference.blocks] == [
        Window(START + day * DAY, START + (day + 1) * DAY) for day in range(10)
    ]


def test_blocks_follow_the_zone_of_the_schedule(build):
    reference = build(rows(), schedule={"timezone": "Asia/Tokyo"})
    assert reference.blocks[0][0].end == START + timedelta(hours=15)


def test_blocks_add_up_to_the_whole(build):
    reference = build(rows())
    total = reference.blocks[0][1]
    for _, block in reference.blocks[1:]:
        total += block
    assert total.columns == reference.profile.columns


def test_windows_without_rows_have_no_block(build):
    moments = pa.array([START, START + 9 * DAY], pa.timestamp("us", "UTC"))
    assert len(build(rows(2, ts=moments)).blocks) == 2


def test_the_span_goes_from_the_first_to_the_last_event(build):
    assert build(rows()).span == Window(START, START + timedelta(hours=239.5))


def test_a_reference_without_time_has_neither_blocks_nor_span(build):
    reference = build(rows().drop_columns(["ts"]))
    assert (reference.blocks, reference.span, reference.rows) == ((), None, 480)


def test_rows_without_a_time_count_in_the_whole_and_in_no_block(build):
    moments = pa.array([START, None, START], pa.timestamp("us", "UTC"))
    reference = build(rows(3, ts=moments))
    assert (reference.rows, [block.rows for _, block in reference.blocks]) == (3, [2])


def test_of_a_reference_more_rows_are_sampled_than_of_a_window(build, monkeypatch):
    monkeypatch.setattr("monitor.referencing.REFERENCE_SAMPLE", 200)
    assert build(rows(), sample=50).sample.num_rows == 200
    assert build(rows(), sample=300).sample.num_rows == 300


def test_no_sample_is_kept_where_none_is_wanted(build):
    assert build(rows(), sample=0).sample.num_rows == 0


# Its name.


def test_equal_content_has_an_equal_id_whatever_the_order_of_rows(build):
    order = pa.array(np.random.default_rng(1).permutation(480))
    assert build(rows()).id == build(rows().take(order)).id


def test_one_changed_value_changes_the_id(build):
    other = rows(city=pa.array(["Lima"] + ["Oslo"] * 479))
    assert build(rows()).id != build(other).id


def test_the_id_is_a_sha_256(build):
    assert len(bytes.fromhex(build(rows()).id)) == 32


def test_the_origin_names_the_file_and_no_folder(build):
    origin = build(rows()).origin
    assert origin.startswith("file reference.parquet [")
    assert str(build.folder) not in origin


def test_the_origin_changes_with_what_is_watched(build):
    assert origin_of(build.model()) != origin_of(build.model(columns={"exclude": ["city"]}))


def test_the_origin_does_not_change_with_what_decides_nothing(build):
    assert origin_of(build.model()) == origin_of(build.model(alerts={"open_after": 5}))


def test_the_origin_holds_no_password():
    url = "postgresql+psycopg://me:s3cr3t@host/db"
    watched = Model(logs=Sql(url=url, table="log", time="ts"), reference={"query": "SELECT  *\n FROM log"})
    assert origin_of(watched).startswith("query SELECT * FROM log [")
    assert "s3cr3t" not in origin_of(watched)


# Where it comes from.


def test_csv_files_are_read(build):
    pyarrow.csv.write_csv(rows(), build.folder / "reference.csv")
    reference = build(where={"file": str(build.folder / "reference.csv")})
    assert (reference.rows, len(reference.blocks)) == (480, 10)


def test_a_folder_of_files_is_read_as_one(build):
    (build.folder / "parts").mkdir()
    for part in range(3):
        pq.write_table(rows().slice(part * 160, 160), build.folder / "parts" / f"{part}.parquet")
    assert build(where={"file": str(build.folder / "parts")}).id == build(rows()).id


def test_a_period_of_the_log_is_half_open(build):
    reference = build(where={"period": {"start": "2026-03-02T00:00:00Z", "end": "2026-03-04T00:00:00Z"}})
    assert (reference.rows, reference.span.start) == (96, START + DAY)


def test_a_period_without_a_zone_is_read_in_the_logs_zone(build):
    where = {"period": {"start": "2026-03-02T00:00:00", "end": "2026-03-03T00:00:00"}}
    reference = build(where=where, logs={"timezone": "Asia/Tokyo"})
    assert reference.span.start == START + timedelta(hours=15)


def sql_log(folder, table):
    url = f"sqlite:///{folder / 'log.db'}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE log (id INTEGER, ts TEXT, amount REAL, city TEXT)"))
        connection.execute(sa.text("INSERT INTO log VALUES (:id, :ts, :amount, :city)"), table)
    engine.dispose()
    return Sql(url=url, table="log", time="ts", id="id")


def test_a_query_is_run_where_the_logs_are(tmp_path, build):
    values = [{**row, "ts": row["ts"].strftime("%Y-%m-%dT%H:%M:%SZ")} for row in rows().to_pylist()]
    watched = Model(logs=sql_log(tmp_path, values), reference={"query": "SELECT * FROM log WHERE id < 96"})
    reference = snapshot(watched, "churn", now=NOW, who="me")
    assert reference.id == build(rows().slice(0, 96)).id


def test_a_query_beside_files_is_refused(build):
    with pytest.raises(UserError, match=r"reference.query needs logs in a database"):
        build(where={"query": "SELECT 1"})


def test_a_pinned_reference_is_not_built(build):
    with pytest.raises(UserError, match=r"pins a snapshot"):
        build(where={"pin": "abc"})


def test_the_references_time_may_have_another_name(build):
    reference = build(
        rows().rename_columns(["id", "trained_at", "amount", "city"]),
        where={"file": str(build.file), "time": "trained_at"},
    )
    assert len(reference.blocks) == 10
    assert "trained_at" not in reference.bins
    assert "ts" in reference.sample.column_names


def test_json_features_are_spread_in_the_reference_as_in_the_log(build):
    documents = pa.array(['{"age": 31}', '{"age": 50}'] * 240)
    table = rows(body=documents).select(["id", "ts", "body"])
    assert list(build(table, log=table, logs={"features": "body"}).bins) == ["age"]


def test_of_too_many_rows_a_sample_is_taken_and_said(build, monkeypatch):
    monkeypatch.setattr("monitor.referencing.rows.MOST_ROWS", 100)
    reference = build(rows())
    assert reference.rows == 100
    assert reference.warnings == ("the reference has 480 rows, of which 100 are taken; its volume is not compared",)


def test_of_too_many_windows_the_newest_are_kept_and_it_is_said(build, monkeypatch):
    monkeypatch.setattr("monitor.referencing.MOST_BLOCKS", 4)
    reference = build(rows())
    assert [window.start for window, _ in reference.blocks] == [START + day * DAY for day in (6, 7, 8, 9)]
    assert reference.warnings == ("only the newest 4 windows are kept one by one; 6 older are not",)


# What is watched.


def test_time_id_version_and_label_are_not_watched(build):
    table = rows(served_by=["v1"] * 480, outcome=[0, 1] * 240, label=[1, 0] * 240)
    labels = {"table": "labels", "label": "outcome", "id": "id"}
    assert list(build(table, log=table, version="served_by", labels=labels).bins) == ["amount", "city"]


def test_a_column_named_label_is_not_watched_where_the_log_has_none(build):
    assert list(build(rows(label=[1, 0] * 240)).bins) == ["amount", "city"]


def test_a_column_named_label_is_watched_where_the_log_has_it_too(build):
    table = rows(label=[1, 0] * 240)
    assert "label" in build(table, log=table).bins


def test_included_columns_alone_are_watched(build):
    assert list(build(rows(), columns={"include": ["city"]}).bins) == ["city"]


def test_excluded_columns_are_not_watched(build):
    assert list(build(rows(), columns={"exclude": ["city"]}).bins) == ["amount"]


def test_kinds_are_as_configured(build):
    assert build(rows(), columns={"kinds": {"city": "text"}}).bins["city"].kind == "text"


def test_columns_of_the_log_that_are_not_watched_are_known_all_the_same(build):
    reference = build(rows(), log=rows(latency=[1.0] * 480), columns={"exclude": ["city"]})
    assert dict(reference.profile.extra) == {"city": 480, "latency": 480}


# What is odd.


def test_a_missing_file_is_the_users_mistake(build):
    with pytest.raises(UserError, match=r"there is no file .*reference.parquet"):
        build()


def test_a_file_that_is_no_parquet_is_the_users_mistake(build):
    build.file.write_text("hello")
    with pytest.raises(UserError, match=r"reference.parquet cannot be read"):
        build()


def test_an_empty_reference_is_the_users_mistake(build):
    with pytest.raises(UserError, match=r"the reference \(file reference.parquet\) is empty"):
        build(rows(0))


def test_an_empty_period_is_the_users_mistake(build):
    with pytest.raises(UserError, match=r"is empty"):
        build(where={"period": {"start": "2020-01-01T00:00:00Z", "end": "2020-02-01T00:00:00Z"}})


def test_a_reference_with_none_of_the_logs_columns_is_the_users_mistake(build):
    with pytest.raises(UserError, match=r"has none of the log's columns; it has 'a', 'b', the log has 'id', 'ts'"):
        build(pa.table({"a": [1], "b": [2]}))


def test_columns_that_the_log_lacks_are_warned_of(build):
    reference = build(rows(), log=rows().drop_columns(["city"]))
    assert reference.warnings == (
        "the log does not have 'city'; where that is as it should be, put it under columns.exclude",
    )
    assert "city" in reference.bins


def test_columns_with_nulls_alone_are_warned_of(build):
    reference = build(rows(amount=pa.nulls(480, pa.float64())))
    assert reference.warnings == ("the reference has no finite value in 'amount', so any value there is unlike it",)


def test_a_missing_time_column_is_the_users_mistake(build):
    with pytest.raises(
        UserError, match=r"reference.time: there is no column 'tss' in the reference; did you mean 'ts'"
    ):
        build(rows(), where={"file": str(build.file), "time": "tss"})


def test_a_time_column_without_times_is_the_users_mistake(build):
    with pytest.raises(UserError, match=r"'ts' of the reference holds no times"):
        build(rows(ts=["soon"] * 480))


@pytest.mark.parametrize("columns", [{"include": ["citty"]}, {"kinds": {"citty": "text"}}])
def test_a_configured_column_that_is_not_there_is_the_users_mistake(build, columns):
    with pytest.raises(UserError, match=r"no column 'citty' in the reference; did you mean 'city'"):
        build(rows(), columns=columns)


def test_a_reference_of_which_nothing_is_watched_is_the_users_mistake(build):
    with pytest.raises(UserError, match=r"nothing of churn is left to watch"):
        build(rows(), columns={"exclude": ["city", "amount"]})


def test_real_flights_become_a_reference():
    if not FLIGHTS.is_dir():
        pytest.skip("the flights data is not beside the repository")
    logs = Parquet(path=str(FLIGHTS / "stream.parquet"), time="ts", id="prediction_id")
    watched = Model(logs=logs, reference={"file": str(FLIGHTS / "reference.parquet")})
    reference = snapshot(watched, "flights", now=NOW, who="me")
    assert (reference.rows, len(reference.bins), reference.warnings) == (5354, 15, ())
