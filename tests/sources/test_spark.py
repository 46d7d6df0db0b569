"""Spark counts what the Parquet source counts: on a cluster of executors of its own, and through Spark Connect."""

import shutil
import socket
import stat
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from checks.binning import fit_table
from monitor.core.errors import UnavailableError, UserError
from monitor.core.window import Window
from monitor.sources._spark.session import Cluster
from monitor.sources.parquet import Parquet
from monitor.sources.spark import Spark

needs_pyspark = pytest.mark.skipif(find_spec("pyspark") is None, reason="PySpark is not installed")
needs_spark = pytest.mark.skipif(
    find_spec("pyspark") is None or shutil.which("java") is None, reason="PySpark or Java is not installed"
)

MASTER = "local-cluster[2,1,1024]"
START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_ONE = Window(START, START + DAY)
ODD = ["a`b", "a.b", 'with "quotes"', "naïve 😀", "c0", "${x}", "select", "it's"]
UTC_TIME = pa.timestamp("us", "UTC")

# Runs an executor's Python without PYTHONPATH, and without the folder in which this project may be installed to edit.
ISOLATED = """#!/bin/sh
exec "{python}" -I -c '
import runpy, sys
sys.path = [folder for folder in sys.path if folder != "{project}"]
flags = sys.argv[1:]
module = flags[flags.index("-m") + 1]
sys.argv = [module, *flags[flags.index("-m") + 2:]]
runpy.run_module(module, run_name="__main__", alter_sys=True)
' "$@"
"""


def rows(count=900, first=0):
    rng = np.random.default_rng(7 + first)
    every = np.arange(first, first + count)
    amounts = np.where(
        every % 13 == 0, np.nan, np.where(every % 101 == 0, np.inf, np.round(rng.normal(50, 9, count), 3))
    )
    place = {
        "id": pa.array(every + 1000),
        "ts": pa.array([START + timedelta(minutes=3 * int(minute)) for minute in every], UTC_TIME),
        "amount": pa.array(amounts, mask=every % 9 == 0),
        "ratio": pa.array(rng.random(count).astype(np.float32)),
        "big": pa.array((1 << 60) + every * 1_000_003),
        "price": pa.array(
            [None if step % 17 == 0 else Decimal(int(step) * 7) / 100 for step in every], pa.decimal128(12, 2)
        ),
        "member": pa.array([(True, False, None)[step % 3] for step in every]),
        "seen": pa.array([START - timedelta(hours=int(step) % 40) for step in every], UTC_TIME),
        "wall": pa.array([datetime(2026, 2, 1 + int(step) % 28) for step in every], pa.timestamp("us")),  # noqa: DTZ001
        "day": pa.array([(START - DAY * (int(step) % 9)).date() for step in every]),
        "city": pa.array([("Oslo", "Rome", "Ås", "", None)[step % 5] for step in every]),
        "note": pa.array([f"{'long ' * (int(step) % 4)}note {step}" for step in every]),
        "tags": pa.array([["a", "b"] if step % 2 else [] for step in every], pa.list_(pa.string())),
        "person": pa.array([{"age": int(step) % 60} for step in every]),
        "raw": pa.array([bytes([int(step) % 250]) for step in every], pa.binary()),
    }
    return pa.table(place | {name: pa.array(every % (3 + number)) for number, name in enumerate(ODD)})  # fmt: skip


def bins():
    """Those of a reference in which two of the cities never were."""
    table = rows()
    known = table.filter(pa.array([city in ("Oslo", "", None) for city in table["city"].to_pylist()]))
    return fit_table(known, time="ts", skip=["id"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A log of several files, so that it has several partitions."""
    place = tmp_path_factory.mktemp("log")
    for number in range(3):
        pq.write_table(rows(300, 300 * number), place / f"part{number}.parquet", row_group_size=100)
    return place


@pytest.fixture(scope="module")
def spark(tmp_path_factory):
    """Start Spark once for all: its executors in processes of their own, and a Connect server beside them."""
    place = tmp_path_factory.mktemp("spark")
    python = place / "python"
    python.write_text(ISOLATED.format(python=sys.executable, project=Path(__file__).parents[2]))
    python.chmod(python.stat().st_mode | stat.S_IXUSR)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quick = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dlog4j2.level=ERROR"
    conf = {
        "spark.driver.extraJavaOptions": quick,
        "spark.executor.extraJavaOptions": quick,
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.address": "127.0.0.1",
        "spark.connect.grpc.binding.port": port,
        "spark.sql.warehouse.dir": str(place / "warehouse"),
        "spark.local.dir": str(place),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", str(python))
        yield {"cluster": {"master": MASTER, "conf": conf}, "connect": {"remote": f"sc://127.0.0.1:{port}"}}
        _stop_spark()


def _stop_spark():
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    if context is not None:
        gateway, work = context._gateway, Path(find_spec("pyspark").origin).parent / "work"
        application = context.applicationId
        context.stop()
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
        SparkContext._gateway = SparkContext._jvm = None
        shutil.rmtree(work / application, ignore_errors=True)  # where the executors' Spark keeps their output


def started(spark):
    """Make sure that Spark, and with it the Connect server, runs."""
    with cluster_of(spark).connect() as connection:
        return connection.session


def cluster_of(spark):
    conf = {key: str(value) for key, value in spark["cluster"]["conf"].items()}
    return Cluster(MASTER, None, conf, timedelta(minutes=2))


@pytest.fixture(params=["cluster", "connect"])
def place(request, spark):
    """The options of either way to Spark."""
    if request.param == "connect":
        started(spark)
    return spark[request.param]


@pytest.fixture
def cluster(spark):
    return spark["cluster"]


def source(options, folder, **more):
    found = {"time": "ts", "path": str(folder), **options, **more}
    return Spark(**{key: value for key, value in found.items() if value is not None})


def delivered(log, window=DAY_ONE, columns=None):
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in log.batches(window, columns)])


def numbers(log, window=DAY_ONE):
    return sorted(number for batch in log.batches(window) for number in batch["n"].to_pylist())


spark_tests = [needs_spark, pytest.mark.slow, pytest.mark.xdist_group("spark")]


class TestWithSpark:
    pytestmark = spark_tests

    def test_the_profile_is_that_of_the_parquet_source(self, place, folder):
        ours = source(place, folder, id="id").read(DAY_ONE, bins(), 20).profile
        theirs = Parquet(path=str(folder), time="ts", id="id").read(DAY_ONE, bins(), 20).profile
        assert ours == theirs

    def test_the_sample_is_that_of_the_parquet_source(self, place, folder):
        ours = source(place, folder, id="id").read(DAY_ONE, bins(), 40).sample
        theirs = Parquet(path=str(folder), time="ts", id="id").read(DAY_ONE, bins(), 40).sample
        assert repr(ours.to_pylist()) == repr(theirs.to_pylist())  # NaN is not itself

    def test_the_rows_are_those_of_the_parquet_source(self, place, folder):
        ours = delivered(source(place, folder)).sort_by("id")
        theirs = delivered(Parquet(path=str(folder), time="ts")).sort_by("id")
        assert ours.drop_columns(["amount"]).equals(theirs.drop_columns(["amount"]))

    def test_only_the_wanted_columns_are_delivered_beside_the_time(self, place, folder):
        assert delivered(source(place, folder), columns=["a`b"]).column_names == ["ts", "a`b"]

    def test_the_facts_name_columns_rows_and_extremes(self, place, folder):
        facts = source(place, folder).facts()
        assert list(facts.columns) == rows(1).column_names
        assert (facts.rows, facts.first_event, facts.last_event) == (900, START, START + timedelta(minutes=3 * 899))

    def test_an_unknown_column_in_the_condition_is_told_in_one_line_without_java(self, place, folder):
        with pytest.raises(UserError, match=r"`citty` cannot be resolved. Did you mean .*`city`") as raised:
            source(place, folder, where="citty = 'Oslo'").facts()
        assert "\n" not in str(raised.value)
        assert "org.apache" not in str(raised.value)

    def test_a_table_is_read_by_its_name_and_a_mistyped_one_has_a_neighbour(self, place, folder, spark):
        with cluster_of(spark).connect() as connection:
            connection.session.sql(f"CREATE TABLE IF NOT EXISTS predictions USING parquet LOCATION '{folder}'")
        assert source(place, folder, path=None, table="predictions").read(DAY_ONE, {}, 0).profile.rows == 480
        with pytest.raises(UserError, match=r"no table or view 'prediction' .*did you mean 'predictions'"):
            source(place, folder, path=None, table="prediction").facts()

    def test_a_query_is_read_as_a_table(self, place, folder):
        query = f"SELECT ts, upper(city) AS town FROM parquet.`{folder}` -- ours"
        log = source(place, folder, path=None, query=query, where="town = 'OSLO' -- only")
        assert set(delivered(log)["town"].to_pylist()) == {"OSLO"}

    def test_the_time_is_pushed_down_to_the_files(self, cluster, folder, capsys):
        with source(cluster, folder)._relation() as relation:
            condition = relation.within("ts", "aware", [], DAY_ONE, UTC)
            relation.selected(["ts"], condition).explain()
        assert "GreaterThanOrEqual(ts,2026-03-01 00:00:00.0)" in capsys.readouterr().out

    def test_a_partition_of_another_day_is_not_read(self, cluster, tmp_path, capsys):
        table = pa.table({"n": range(9), "day": [(START + DAY * (step % 3)).date() for step in range(9)]})
        ds.write_dataset(table, tmp_path, format="parquet", partitioning=["day"], partitioning_flavor="hive")
        log = source(cluster, tmp_path, time="day")
        with log._relation() as relation:
            condition = relation.within("day", "date", [], DAY_ONE, UTC)
            relation.selected(["n"], condition).explain()
        plan = capsys.readouterr().out
        assert "PartitionFilters: [isnotnull(day" in plan
        assert numbers(log) == [0, 3, 6]

    @pytest.mark.parametrize(
        "times",
        [
            pa.array([datetime(2026, 2, 28, 22) + timedelta(hours=hour) for hour in range(30)], pa.timestamp("us")),  # noqa: DTZ001
            pa.array([f"{START + timedelta(hours=hour - 2):%Y-%m-%dT%H:%M:%S}Z" for hour in range(30)]),
            pa.array([int(START.timestamp()) + 3600 * (hour - 2) for hour in range(30)]),
            pa.array([START.timestamp() + 3600 * (hour - 2) for hour in range(30)]),
            pa.array([None, *(START + timedelta(hours=hour - 1) for hour in range(29))], UTC_TIME),
        ],
        ids=["naive", "text", "epoch", "float epoch", "a null"],
    )
    def test_times_of_every_form_are_cut_as_the_parquet_source_cuts_them(self, cluster, tmp_path, times):
        pq.write_table(pa.table({"ts": times, "n": range(30)}), tmp_path / "log.parquet")
        assert numbers(source(cluster, tmp_path)) == numbers(Parquet(path=str(tmp_path), time="ts"))

    def test_json_features_become_columns_of_the_profile(self, cluster, tmp_path):
        documents = [f'{{"age": {age}, "who": "w{age % 3}"}}' for age in range(30)]
        table = pa.table({"ts": pa.array([START] * 30, UTC_TIME), "n": range(30), "body": documents})
        pq.write_table(table, tmp_path / "log.parquet")
        known = fit_table(pa.table({"age": range(30), "who": ["w0", "w1", "w2"] * 10}))
        ours = source(cluster, tmp_path, features="body", id="n").read(DAY_ONE, known, 5)
        theirs = Parquet(path=str(tmp_path), time="ts", features="body", id="n").read(DAY_ONE, known, 5)
        assert ours.profile == theirs.profile

    def test_an_empty_window_reads_as_no_rows(self, cluster, folder):
        reading = source(cluster, folder).read(Window(START - DAY, START), bins(), 20)
        assert (reading.profile.rows, reading.sample.num_rows) == (0, 0)

    def test_an_empty_log_reads_as_no_rows(self, cluster, tmp_path):
        pq.write_table(rows(0), tmp_path / "log.parquet")
        assert source(cluster, tmp_path).read(DAY_ONE, bins(), 20).profile.rows == 0

    def test_more_rows_than_the_cap_are_refused(self, cluster, folder):
        with pytest.raises(UserError, match=r"more than 100 rows in .*logs.max_rows"):
            source(cluster, folder, max_rows=100, batch_rows=50).read(DAY_ONE, bins(), 20)

    def test_more_bytes_than_the_cap_are_refused(self, cluster, folder):
        with pytest.raises(UserError, match=r"more than 5,000 bytes in .*logs.max_bytes"):
            source(cluster, folder, max_bytes=5000).read(DAY_ONE, bins(), 20)

    def test_types_that_arrow_has_no_like_of_are_read_as_text(self, cluster):
        query = (
            "SELECT timestamp'2026-03-01 05:00:00' AS ts, make_ym_interval(1, 2) AS span, map('a', 1) AS pairs,"
            " parse_json('{\"a\": 1}') AS body"
        )
        table = delivered(source(cluster, None, path=None, query=query))
        assert {str(table.schema.field(name).type) for name in ("span", "pairs", "body")} == {"string"}

    def test_what_takes_too_long_is_stopped(self, place):
        query = (
            "SELECT timestamp'2026-03-01' + make_interval(0, 0, 0, 0, 0, 0, sqrt(id)) AS ts FROM range(1000000000000)"
        )
        log = source(place, None, path=None, query=query, timeout="1s")
        with pytest.raises(UnavailableError, match=r"took longer than logs.timeout"):
            log.facts()

    def test_two_columns_of_one_name_are_refused(self, cluster):
        log = source(cluster, None, path=None, query="SELECT timestamp'2026-03-01' AS ts, 1 AS x, 2 AS X")
        with pytest.raises(UserError, match=r"several columns named 'x'.*AS"):
            log.facts()

    def test_a_query_that_writes_is_refused(self, cluster):
        log = source(cluster, None, path=None, query="WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a")
        with pytest.raises(UserError, match=r"cannot do this \(Syntax error"):
            log.facts()

    def test_a_missing_folder_is_named(self, cluster):
        with pytest.raises(UserError, match=r"Path does not exist: file:/no/such"):
            source(cluster, "/no/such").facts()

    def test_a_secret_setting_is_not_shown_in_an_error(self, cluster, folder):
        conf = {**cluster["conf"], "spark.sql.my.password": "hunter2hunter2"}
        with pytest.raises(UserError) as raised:
            source({**cluster, "conf": conf}, folder, where="raise_error_('hunter2hunter2')").facts()
        assert "hunter2" not in str(raised.value)

    def test_a_setting_that_is_fixed_at_the_start_is_refused_with_its_name(self, cluster, folder):
        conf = {**cluster["conf"], "spark.executor.memory": "3g"}
        with pytest.raises(UserError, match=r"spark.executor.memory cannot be changed once Spark runs"):
            source({**cluster, "conf": conf}, folder).facts()

    def test_a_second_master_in_one_process_is_refused(self, spark, folder):
        started(spark)
        with pytest.raises(UserError, match=r"already runs Spark on local-cluster\[2,1,1024\]"):
            source({"master": "local[1]"}, folder).facts()

    def test_the_executors_run_the_code_that_was_shipped(self, place, spark):
        def where(batches):
            import checks

            list(batches)
            yield pa.RecordBatch.from_pydict({"file": [checks.__file__]})

        cluster = cluster_of(spark)
        if "remote" in place:
            cluster = Cluster(None, place["remote"], {}, timedelta(minutes=2))
        with cluster.connect() as connection:
            connection.prepare(1000)
            files = connection.session.range(2).mapInArrow(where, "file string").toArrow()["file"].to_pylist()
        assert all("leeway_" in file and ".zip" in file for file in files)

    def test_this_process_keeps_its_own_path(self, spark):
        before = list(sys.path)
        with cluster_of(spark).connect() as connection:
            connection.prepare(1000)
        assert sys.path == before

    def test_the_session_of_others_keeps_its_settings_and_goes_on(self, cluster, folder, spark):
        started(spark)
        from pyspark.sql import SparkSession

        other = SparkSession.builder.getOrCreate()
        other.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
        source(cluster, folder).facts()
        assert (other.conf.get("spark.sql.session.timeZone"), other.range(3).count()) == ("Asia/Tokyo", 3)


@needs_pyspark
def test_a_server_that_does_not_answer_is_told_at_once():
    with pytest.raises(
        UnavailableError, match=r"no Spark Connect server answers at 127.0.0.1:1 \(Connection refused\)"
    ):
        source({"remote": "sc://127.0.0.1:1/;token=hunter2"}, "x").facts()


@needs_pyspark
def test_a_token_in_the_address_is_not_shown():
    with pytest.raises(UnavailableError) as raised:
        source({"remote": "sc://127.0.0.1:1/;token=hunter2"}, "x").facts()
    assert "hunter2" not in str(raised.value)


@needs_pyspark
def test_a_missing_java_is_told_with_what_to_install(monkeypatch, tmp_path):
    from pyspark import SparkContext

    monkeypatch.setattr(SparkContext, "_active_spark_context", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(UserError, match=r"needs Java 17 or later.*openjdk-17-jre-headless"):
        source({"master": "local[1]"}, "x").facts()


def test_a_missing_pyspark_is_told_with_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.logger", None)
    with pytest.raises(UserError, match=r"pip install 'leeway-monitor\[spark\]'"):
        source({"master": "local[1]"}, "x").facts()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"table": "t"}, "a master or a remote"),
        ({"master": "local[1]", "remote": "sc://x", "table": "t"}, "a master or a remote"),
        ({"master": "local[1]"}, "one of the three"),
        ({"master": "local[1]", "table": "t", "query": "SELECT 1"}, "one of the three"),
        ({"master": "local[1]", "query": "DROP TABLE t"}, "must be a SELECT"),
        ({"remote": "http://x", "table": "t"}, "sc://host:15002"),
    ],
)
def test_options_that_contradict_each_other_are_refused(options, words):
    with pytest.raises(ValidationError, match=words):
        Spark(time="ts", **options)


def test_settings_may_be_written_as_yaml_writes_numbers_and_truths():
    conf = Spark(time="ts", master="local[1]", table="t", conf={"a": 2, "b": True, "c": "x"}).conf
    assert [value.get_secret_value() for value in conf.values()] == ["2", "true", "x"]


def test_settings_are_not_shown():
    assert "hunter2" not in repr(Spark(time="ts", master="local[1]", table="t", conf={"a": "hunter2"}))
