"""The thread that reads ahead: what it yields, what it raises, how much it holds, and that it ends."""

import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checks.binning import fit_table
from monitor.core.errors import UserError
from monitor.core.window import Window
from monitor.sources._ahead import HELD, ahead
from monitor.sources._log import CELLS
from monitor.sources.parquet import Parquet

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY_ONE = Window(START, START + timedelta(days=1))


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "leeway-reader"]


def test_items_come_in_their_order():
    with ahead(iter(range(100))) as items:
        assert list(items) == list(range(100))
    assert readers() == []


def test_an_error_is_raised_where_the_items_are_taken():
    def broken():
        yield 1
        raise UserError("no column 'x'")

    with pytest.raises(UserError, match="no column 'x'"), ahead(broken()) as items:
        assert next(items) == 1
        next(items)
    assert readers() == []


def test_a_consumer_that_fails_leaves_no_thread_and_closes_what_was_read():
    closed = []

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.append(threading.current_thread().name)

    with pytest.raises(ZeroDivisionError), ahead(endless()) as items:
        1 // (next(items) - 1)
    assert closed == ["leeway-reader"]
    assert readers() == []


def test_an_interrupt_does_not_wait_for_the_thread():
    release = threading.Event()

    def stuck():
        yield 1
        release.wait()

    with pytest.raises(KeyboardInterrupt), ahead(stuck()) as items:
        next(items)
        raise KeyboardInterrupt
    (thread,) = readers()
    assert thread.daemon
    release.set()
    thread.join()


def test_no_more_than_two_items_wait():
    made = []

    def counted():
        for number in range(50):
            made.append(number)
            yield number

    with ahead(counted()) as items:
        next(items)
        threading.Event().wait(0.2)
        assert len(made) <= 1 + HELD + 1
        assert len(list(items)) == 49


def parquet(folder, **columns):
    rows = pa.table({"ts": pa.array([START] * 3, pa.timestamp("us", "UTC")), **columns})
    pq.write_table(rows, folder / "log.parquet")
    return Parquet(path=str(folder / "log.parquet"), time="ts", id="key")


def test_only_what_the_reference_knows_is_fetched_and_the_rest_is_counted_as_extra(tmp_path):
    source = parquet(tmp_path, key=[1, 2, 3], known=[1.0, 2.0, 3.0], other=["a", "b", "c"], more=[1, 2, 3])
    reading = source.read(DAY_ONE, fit_table(pa.table({"known": [1.0, 2.0], "gone": [1, 2]})), 3)
    assert dict(reading.profile.extra) == {"other": 3, "more": 3}
    assert reading.profile.columns["gone"].absent == 3
    assert set(reading.sample.column_names) == {"ts", "key", "known"}


def test_an_empty_window_has_no_extra_columns(tmp_path):
    source = parquet(tmp_path, key=[1, 2, 3], other=[1, 2, 3])
    later = Window(DAY_ONE.end, DAY_ONE.end + timedelta(days=1))
    assert dict(source.read(later, {}, 3).profile.extra) == {}


def test_keys_of_features_that_the_reference_does_not_know_are_extra(tmp_path):
    source = parquet(tmp_path, key=[1, 2, 3], body=['{"a": 1, "b": 2}'] * 3, other=[1, 2, 3])
    source = source.model_copy(update={"features": "body"})
    reading = source.read(DAY_ONE, fit_table(pa.table({"a": [1.0, 2.0]})), 3)
    assert dict(reading.profile.extra) == {"b": 3, "other": 3}


def test_wide_tables_are_read_in_fewer_rows(tmp_path):
    source = parquet(tmp_path, key=[1, 2, 3])
    assert [source.rows_at_a_time(columns) for columns in (1, 60, 1_000, 10**9)] == [20_000, CELLS // 60, 1_000, 1]


PEAK = """
import resource, sys
from datetime import UTC, datetime, timedelta
from checks.binning import fit_table
from monitor.core.window import Window
from monitor.sources._sql import adbc
from monitor.sources.sql import Sql
import pyarrow as pa
adbc.BATCH_BYTES = 2**20
url, rows = sys.argv[1], sys.argv[2]
names = ", ".join(f"n * {place} * 0.5::float8 AS x{place}" for place in range(20))
query = f"SELECT timestamptz '2026-03-01' AS ts, 'row ' || n AS word, {names} FROM generate_series(1, {rows}) n"
bins = fit_table(pa.table({"word": ["a", "b", "c"], **{f"x{place}": [1.0, 2.0, 3.0] for place in range(20)}}))
start = datetime(2026, 3, 1, tzinfo=UTC)
read = Sql(url=url, query=query, time="ts").read(Window(start, start + timedelta(days=1)), bins, 500)
assert read.profile.rows == int(rows)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def peak(url, rows):
    """Peak resident memory of a process that reads so many rows, in MB."""
    done = subprocess.run([sys.executable, "-c", PEAK, url, str(rows)], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def test_ten_times_the_rows_take_no_more_memory(postgres_url):
    # 30,000 rows of 22 columns fill every place that a batch of 1 MB may wait in; 300,000 would take 50 MB.
    assert peak(postgres_url, 300_000) < peak(postgres_url, 30_000) + 25
