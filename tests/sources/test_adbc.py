"""PostgreSQL by ADBC and by the cursor: the same batches, the same guards, the same words."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pyarrow as pa
import pytest

from checks.binning import fit_table
from monitor.core.errors import UnavailableError, UserError
from monitor.core.window import Window
from monitor.sources._sql import adbc
from monitor.sources._sql.adbc import Adbc
from monitor.sources._sql.database import Database
from monitor.sources._sql.postgres import Fetched
from monitor.sources.sql import Sql

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_ONE = Window(START, START + DAY)
streamed = partial(Sql, mode="stream")

VALUES = {
    "small": ("smallint", "-32768", "7", "NULL"),
    "whole": ("bigint", "9223372036854775807", "-9223372036854775808", "9007199254740993"),
    "price": ("numeric(38,10)", "1234567890123456789012345678.0123456789", "-0.0000000001", "'NaN'"),
    "loose": ("numeric", "1e400", "'-Infinity'", "1.1"),
    "tiny": ("numeric", "1e-400", "4.9e-324", "'NaN'"),
    "limits": ("numeric", "-1e400", "1.79e308", "'Infinity'"),
    "ratio": ("double precision", "'NaN'", "'-Infinity'", "1e-320"),
    "short": ("real", "0.1", "'Infinity'", "16777217"),
    "yes": ("boolean", "true", "false", "NULL"),
    "word": ("text", "''", "'it''s 100%% a:b \\n \"q\" 😀'", "NULL"),
    "padded": ("char(5)", "'a'", "'ab'", "NULL"),
    "key": ("uuid", "'6F1F0E4E-1B1C-4E0E-9D8A-0D4F5C1B2A3C'", "NULL", "'00000000-0000-0000-0000-000000000000'"),
    "body": ("jsonb", """'{"b": 1, "a": [2, null, 1e400], "é": "\\u00e9"}'""", "'[1.50]'", "NULL"),
    "plain_json": ("json", """'{"b":1,"a":2}'""", "'{}'", "NULL"),
    "number_in_json": ("jsonb", "'5'", "'7'", "NULL"),
    "counts": ("int[]", "'{1,2}'", "'{{1,2},{3,4}}'", "'{}'"),
    "ratios": ("float8[]", "'{1,0.1,NaN}'", "'{-Infinity,NULL}'", "NULL"),
    "shorts": ("real[]", "'{0.1}'", "'{Infinity}'", "NULL"),
    "prices": ("numeric[]", "'{1.50,NaN}'", "'{0.0000001,100}'", "NULL"),
    "words": ("text[]", "'{a,\"b, c\",NULL}'", "'{NaN}'", "NULL"),
    "keys": ("uuid[]", "'{6f1f0e4e-1b1c-4e0e-9d8a-0d4f5c1b2a3c}'", "NULL", "NULL"),
    "span": ("interval", "'1 hour'", "'-14 mons 3 days 00:00:01.5'", "'1 year 1 mon -1 day'"),
    "clock": ("time", "'03:04:05'", "'03:04:05.1'", "NULL"),
    "host": ("inet", "'1.2.3.4'", "'10.0.0.1/8'", "'::1'"),
    "net": ("cidr", "'10.0.0.0/8'", "'1.2.3.4/32'", "NULL"),
    "raw": ("bytea", "'\\xff'", "'hello'", "NULL"),
    "day": ("date", "'2026-01-02'", "'infinity'", "'0044-03-15 BC'"),
    "moment": ("timestamptz", "'2026-01-02 03:04:05.678901+05'", "'-infinity'", "NULL"),
    "wall": ("timestamp", "'2026-01-02 03:04:05'", "'infinity'", "'0044-03-15 BC'"),
    "mood": ("mood", "'so so'", "'bad'", "NULL"),
    "years": ("age", "30", "31", "NULL"),
}


@pytest.fixture
def everything(postgres_url):
    """The URL of a log of three rows with a column of every type."""
    columns = ", ".join(f"{name} {kind}" for name, (kind, *_) in VALUES.items())
    rows = ", ".join(f"('2026-03-01', {', '.join(row)})" for row in zip(*[v[1:] for v in VALUES.values()], strict=True))
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('so so', 'bad')")
        connection.execute("CREATE DOMAIN age AS int")
        connection.execute(f"CREATE TABLE log (ts timestamptz, {columns})")
        connection.execute(f"INSERT INTO log VALUES {rows}".replace("%%", "%"))
    return postgres_url


def delivered(source, columns=None):
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in source.batches(DAY_ONE, columns)])


def both(source, monkeypatch, act):
    """Do something by ADBC, and again as where it is not installed."""
    assert source.facts().reader == "ADBC for PostgreSQL"
    fast = act()
    monkeypatch.setattr(adbc, "find_spec", lambda _: None)
    assert "install adbc-driver-postgresql" in source.facts().reader
    return fast, act()


@pytest.mark.parametrize("name", VALUES)
def test_values_of_every_type_are_those_of_the_cursor(everything, monkeypatch, name):
    source = streamed(url=everything, query=f"SELECT ts, {name} FROM log", time="ts")
    fast, slow = both(source, monkeypatch, lambda: delivered(source)[name].combine_chunks())  # noqa: PLW0108 - read anew each time
    assert (fast.type, [repr(value) for value in fast.to_pylist()]) == (
        slow.type,
        [repr(value) for value in slow.to_pylist()],
    )


def test_a_table_of_all_types_has_the_profile_and_sample_of_the_cursor(everything, monkeypatch):
    source = streamed(url=everything, table="log", time="ts", id="key", batch_rows=2)
    bins = fit_table(delivered(source), time="ts", skip=["key"])
    fast, slow = both(source, monkeypatch, lambda: source.read(DAY_ONE, bins, 2))
    assert fast.profile.columns.keys() == slow.profile.columns.keys()
    assert [name for name, column in fast.profile.columns.items() if column != slow.profile.columns[name]] == []
    assert fast.profile == slow.profile
    assert fast.sample.schema == slow.sample.schema
    assert repr(fast.sample.to_pylist()) == repr(slow.sample.to_pylist())  # NaN is not equal to itself


def test_a_query_of_constants_is_read_as_by_the_cursor(everything, monkeypatch):
    query = "SELECT ts, 'a:b %s 100% \\' AS odd, NULL AS none, 1.5 AS half, '{}'::jsonb AS body FROM log"
    source = streamed(url=everything, query=query, time="ts", where="odd LIKE 'a:%'")
    fast, slow = both(source, monkeypatch, lambda: delivered(source))
    assert fast.equals(slow)


def test_a_type_that_adbc_gives_otherwise_is_left_to_the_cursor(postgres_url):
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE log AS SELECT timestamptz '2026-03-01' AS ts, int4range(1, 3) AS r, 1 AS n")
    source = streamed(url=postgres_url, table="log", time="ts")
    assert source.facts().reader == "streaming SQLAlchemy cursor (of the type of 'r', ADBC gives other values)"
    assert delivered(source)["n"].to_pylist() == [1]


def test_a_password_and_a_name_with_quotes_and_backslashes_reach_libpq_whole():
    url = "postgresql+psycopg://m%27e:p%5Ca%20%27b@host:5433/my%20logs?sslmode=require"
    assert adbc._conninfo(url) == (
        r"connect_timeout='10' host='host' dbname='my logs' user='m\'e' password='p\\a \'b' port='5433'"
        " sslmode='require' client_encoding='utf8'"
    )


def test_where_adbc_cannot_connect_the_cursor_reads(everything, monkeypatch):
    monkeypatch.setattr(adbc, "_conninfo", lambda _: "host='/nowhere'")
    source = streamed(url=everything, table="log", time="ts")
    assert source.facts().reader == "streaming SQLAlchemy cursor (ADBC for PostgreSQL cannot connect)"
    assert delivered(source).num_rows == 3


@pytest.fixture
def connected(everything):
    with Adbc(Database(everything, timedelta(seconds=7)), [Fetched("n", None)]).connected() as connection:
        yield connection


def asked(connection, query):
    return next(adbc._executed(connection, query)).column(0).to_pylist()[0]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("transaction_read_only", "on"),
        ("statement_timeout", "7s"),
        ("idle_in_transaction_session_timeout", "7s"),
        ("TimeZone", "UTC"),
        ("client_encoding", "UTF8"),
    ],
)
def test_the_transaction_is_guarded(connected, setting, value):
    assert asked(connected, f"SELECT current_setting('{setting}')") == value


def slow(url):
    query = "SELECT timestamptz '2026-03-01' AS ts, n, pg_sleep(CASE WHEN n > 30000 THEN 20 ELSE 0 END)::text AS x"
    return streamed(
        url=url, query=f"{query} FROM generate_series(1, 30001) n", time="ts", timeout=timedelta(milliseconds=900)
    )


def test_a_read_that_takes_too_long_half_way_is_stopped(everything, monkeypatch):
    monkeypatch.setattr(adbc, "BATCH_BYTES", 10_000)
    batches = slow(everything).batches(DAY_ONE)
    assert next(batches).num_rows
    with pytest.raises(UnavailableError, match=r"took longer than 0:00:00.9.* and was stopped"):
        list(batches)


def test_a_servers_refusal_half_way_is_the_users_mistake(everything, monkeypatch):
    monkeypatch.setattr(adbc, "BATCH_BYTES", 10_000)
    query = "SELECT timestamptz '2026-03-01' AS ts, 1 / (30000 - n) AS x FROM generate_series(1, 30000) n"
    batches = streamed(url=everything, query=query, time="ts").batches(DAY_ONE)
    next(batches)
    with pytest.raises(UserError, match=r"refuses to do this .*division by zero"):
        list(batches)


def test_a_connection_that_is_lost_half_way_is_unavailable(everything, monkeypatch):
    monkeypatch.setattr(adbc, "BATCH_BYTES", 10_000)
    query = "SELECT timestamptz '2026-03-01' AS ts, repeat('x', 1000) AS x FROM generate_series(1, 100000) n"
    batches = streamed(url=everything, query=query, time="ts").batches(DAY_ONE)
    next(batches)
    with psycopg.connect(everything.replace("+psycopg", ""), autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
    with pytest.raises(UnavailableError, match=r"cannot be reached or gave up"):
        list(batches)


def test_no_connection_is_left_when_reading_stops_half_way(everything, monkeypatch):
    monkeypatch.setattr(adbc, "BATCH_BYTES", 10_000)
    query = "SELECT timestamptz '2026-03-01' AS ts, n FROM generate_series(1, 100000) n"
    source = streamed(url=everything, query=query, time="ts", max_rows=5_000)
    with pytest.raises(UserError, match=r"more than 5,000 rows"):
        source.read(DAY_ONE, {}, 0)
    with psycopg.connect(everything.replace("+psycopg", ""), autocommit=True) as other:
        for _ in range(100):
            left = other.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
            if left == (0,):
                break
            threading.Event().wait(0.05)
    assert left == (0,)
    assert not [thread for thread in threading.enumerate() if thread.name == "leeway-reader"]


def test_a_window_with_more_bytes_than_the_cap_is_refused(everything):
    source = streamed(url=everything, table="log", time="ts", max_bytes=50)
    with pytest.raises(UserError, match=r"more than 50 bytes in .*columns.include.*schedule.every.*logs.max_bytes"):
        delivered(source)


def test_a_batch_has_at_most_the_rows_asked_for(everything):
    source = streamed(url=everything, query="SELECT ts FROM log, generate_series(1, 5)", time="ts", batch_rows=4)
    assert [batch.num_rows for batch in source.batches(DAY_ONE)] == [4, 4, 4, 3]
