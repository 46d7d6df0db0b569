"""What is particular to databases: nothing is ever written, statements end, and every error says what to do."""

import sqlite3
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from log_places import load
from pydantic import ValidationError
from sqlalchemy.dialects import mysql

from monitor.core.errors import UnavailableError, UserError
from monitor.core.window import Window
from monitor.sources._sql.database import Database, guards
from monitor.sources._sql.relation import _arrow_type
from monitor.sources.sql import Sql

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAY_ONE = Window(START, START + DAY)
SECRET = "s3cr3t-w0rd"


def hours(count=48, **columns):
    moments = pa.array([START + timedelta(hours=hour) for hour in range(count)], pa.timestamp("us", "UTC"))
    return pa.table({"ts": moments, "n": range(count), **columns})


def delivered(source, window=DAY_ONE):
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in source.batches(window)])


def texts(folder, values, declared="TEXT"):
    """A SQLite log with these raw times."""
    path = folder / "raw.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE log (ts {declared}, n INTEGER)")
        connection.executemany("INSERT INTO log VALUES (?, ?)", [(value, place) for place, value in enumerate(values)])
    connection.close()
    return f"sqlite:///{path}"


# Never writes.


def test_writing_through_the_connection_fails(database):
    source = database.source(hours())
    with pytest.raises(UserError, match=r"only ever read"), Database(database.url, DAY).connect() as connection:
        connection.execute(sa.text("DELETE FROM log"))
    assert delivered(source).num_rows == 24


def test_a_query_that_writes_is_refused_by_the_database(database):
    source = database.source(hours())
    sneaky = source.model_copy(
        update={"table": None, "query": "WITH gone AS (DELETE FROM log RETURNING ts, n) SELECT * FROM gone"}
    )
    with pytest.raises(UserError):
        delivered(sneaky)
    assert delivered(source).num_rows == 24


@pytest.mark.parametrize("query", ["DELETE FROM log", "insert into log select 1", "", "  -- select\nDROP TABLE log"])
def test_a_query_must_be_a_select(query):
    with pytest.raises(ValidationError, match=r"must be a SELECT"):
        Sql(url="sqlite:///x.db", query=query, time="ts")


@pytest.mark.parametrize(
    "query", ["select 1", "  -- hello\n/* there */ (SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a"]
)
def test_every_form_of_select_is_accepted(query):
    assert Sql(url="sqlite:///x.db", query=query, time="ts").query == query


@pytest.mark.parametrize("given", [{}, {"table": "a", "query": "SELECT 1"}])
def test_exactly_one_of_table_and_query_is_given(given):
    with pytest.raises(ValidationError, match=r"one of the two"):
        Sql(url="sqlite:///x.db", time="ts", **given)


def test_a_missing_database_file_is_not_created(tmp_path):
    with pytest.raises(UserError, match=r"no database file .*gone.db"):
        Sql(url=f"sqlite:///{tmp_path / 'gone.db'}", table="log", time="ts").facts()
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_somebody_is_writing_to_is_read(sqlite):
    source = sqlite.source(hours())
    with sqlite3.connect(sqlite.folder / "log.db") as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM log")
        assert delivered(source).num_rows == 24
        writer.rollback()
    writer.close()


def test_connections_are_closed_when_reading_stops_half_way(postgres_url):
    load(postgres_url, hours())
    batches = Sql(url=postgres_url, table="log", time="ts", batch_rows=2).batches(DAY_ONE)
    next(batches)
    batches.close()
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        others = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()
    assert others == (0,)


def test_mysql_reads_in_a_read_only_transaction_with_a_timeout():
    assert guards("mysql", 5000) == (
        "SET SESSION max_execution_time = 5000",
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION TRANSACTION READ ONLY",
    )


def test_mariadb_has_its_own_word_for_the_timeout():
    assert guards("mysql", 1500, mariadb=True)[0] == "SET SESSION max_statement_time = 1.5"


@pytest.mark.parametrize(
    ("kind", "arrow"),
    [
        (mysql.TIMESTAMP(), "timestamp[us, tz=UTC]"),
        (mysql.DATETIME(), "timestamp[us]"),
        (mysql.FLOAT(), "float"),
        (mysql.DOUBLE(), "double"),
        (mysql.DECIMAL(9, 2), "double"),
        (mysql.TINYINT(display_width=1), "bool"),
        (mysql.INTEGER(11), "int64"),
        (mysql.VARCHAR(9), "string"),
    ],
    ids=repr,
)
def test_the_types_of_mysql_are_known(kind, arrow):
    assert str(_arrow_type(kind, "mysql")) == arrow


def test_a_dialect_that_is_not_known_is_read_without_guards():
    assert guards("snowflake", 1000) == ()


# Queries.


def test_a_query_is_read_like_a_table(database):
    source = database.source(hours())
    query = "SELECT ts, n * 2 AS twice, 'a:b %s %' AS odd FROM log WHERE n <> 3 -- not three\n;"
    table = delivered(source.model_copy(update={"table": None, "query": query}))
    assert table["twice"].to_pylist() == [2 * n for n in range(24) if n != 3]
    assert set(table["odd"].to_pylist()) == {"a:b %s %"}


def test_casts_with_colons_are_no_parameters(postgres_url):
    load(postgres_url, hours())
    source = Sql(url=postgres_url, query="SELECT ts, n::text AS word FROM log", time="ts")
    assert delivered(source)["word"].to_pylist()[:2] == ["0", "1"]


def test_two_columns_of_one_name_are_refused(postgres_url):
    load(postgres_url, hours())
    with pytest.raises(UserError, match=r"several columns named 'n'; give each its own name with AS"):
        Sql(url=postgres_url, query="SELECT ts, n, n FROM log", time="ts").facts()


def test_a_reference_query_streams_all_rows(database):
    source = database.source(hours())
    batches = source.select("SELECT n FROM log WHERE n < 5 ORDER BY n")
    assert [n for batch in batches for n in batch["n"].to_pylist()] == [0, 1, 2, 3, 4]


def test_a_reference_query_must_be_a_select(sqlite):
    with pytest.raises(UserError, match=r"must be a SELECT"):
        next(sqlite.source(hours()).select("DROP TABLE log"))


def test_a_view_is_read(postgres_url):
    load(postgres_url, hours())
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE VIEW recent AS SELECT * FROM log WHERE n > 20")
    source = Sql(url=postgres_url, table="recent", time="ts")
    assert delivered(source)["n"].to_pylist() == [21, 22, 23]
    assert source.facts().warnings == ()


def test_a_table_of_another_schema_is_named_with_a_dot(postgres_url):
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE SCHEMA analytics")
        connection.execute("CREATE TABLE analytics.log AS SELECT timestamptz '2026-03-01 05:00Z' AS ts, 7 AS n")
    assert delivered(Sql(url=postgres_url, table="analytics.log", time="ts"))["n"].to_pylist() == [7]


def test_a_wrong_table_of_another_schema_is_named_with_its_neighbour(postgres_url):
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE SCHEMA analytics")
        connection.execute("CREATE TABLE analytics.log (ts timestamptz)")
    with pytest.raises(UserError, match=r"did you mean 'analytics.log'"):
        Sql(url=postgres_url, table="analytics.lgo", time="ts").facts()


def test_a_table_name_may_be_odd(database):
    name = 'my.log "2026" 😀'
    load(database.url, hours(), name)
    assert delivered(Sql(url=database.url, table=name, time="ts")).num_rows == 24


# Values.


def test_postgres_types_are_read_as_what_profiles_know(postgres_url):
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute(
            "CREATE TABLE log AS SELECT timestamptz '2026-03-01' AS ts, 1.25::numeric AS price, true AS yes,"
            " '6f1f0e4e-1b1c-4e0e-9d8a-0d4f5c1b2a3c'::uuid AS key, '{\"b\": 1, \"a\": [2]}'::jsonb AS body,"
            " interval '1 hour' AS span, date '2026-01-02' AS day, 0.1::real AS short, null::int AS none,"
            " timestamp '2026-01-02 03:04' AS wall, '{1,2}'::int[] AS list, 'NaN'::float8 AS nan, '\\xff'::bytea AS raw"
        )
    table = delivered(Sql(url=postgres_url, table="log", time="ts"))
    kinds = {field.name: str(field.type) for field in table.schema}
    assert kinds == {
        "ts": "timestamp[us, tz=UTC]", "price": "double", "yes": "bool", "key": "string", "body": "string",
        "span": "string", "day": "date32[day]", "short": "float", "none": "int64", "wall": "timestamp[us]",
        "list": "string", "nan": "double", "raw": "string",
    }  # fmt: skip
    assert table["body"].to_pylist() == ['{"a": [2], "b": 1}']


def test_a_column_that_changes_its_type_midway_is_read_on(tmp_path):
    path = tmp_path / "mixed.db"
    values = [1, 2, None, 3.5, "four", b"\xff", 6, 2**70 and "x"]
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE log (ts TEXT, v)")
        connection.executemany("INSERT INTO log VALUES ('2026-03-01 00:00:00', ?)", [(value,) for value in values])
    connection.close()
    source = Sql(url=f"sqlite:///{path}", table="log", time="ts", batch_rows=2)
    found = [batch["v"] for batch in source.batches(DAY_ONE)]
    assert [column.to_pylist() for column in found] == [[1, 2], [None, 3.5], ["four", "ff"], ["6", "x"]]


def test_sqlite_columns_have_the_type_that_is_declared_for_them(tmp_path):
    path = tmp_path / "declared.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE log (ts TEXT, yes BOOLEAN, ratio REAL, born DATETIME, none INTEGER)")
        connection.execute("INSERT INTO log VALUES ('2026-03-01', 1, 2, '1990-01-02 03:04:05', NULL)")
    connection.close()
    table = delivered(Sql(url=f"sqlite:///{path}", table="log", time="ts"))
    assert [str(kind) for kind in table.schema.types[1:]] == ["bool", "double", "timestamp[us]", "int64"]


# Times as text in SQLite.

FORMS = {
    "with a space": "%Y-%m-%d %H:%M:%S",
    "with a T": "%Y-%m-%dT%H:%M:%S",
    "with microseconds": "%Y-%m-%d %H:%M:%S.%f",
    "with Z": "%Y-%m-%dT%H:%M:%SZ",
    "with an offset of zero": "%Y-%m-%d %H:%M:%S.%f+00:00",
    "to the minute": "%Y-%m-%d %H:%M",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "window", [DAY_ONE, Window(START + DAY / 4, START + DAY / 2), Window(START + DAY / 4, START + 3 * DAY / 2)], ids=str
)
def test_text_times_are_compared_as_they_are_written(tmp_path, form, window):
    moments = [START + timedelta(minutes=30 * step) for step in range(144)]
    source = Sql(url=texts(tmp_path, [moment.strftime(FORMS[form]) for moment in moments]), table="log", time="ts")
    expected = [place for place, moment in enumerate(moments) if window.start <= moment < window.end]
    assert delivered(source, window)["n"].to_pylist() == expected


def test_text_times_of_several_offsets_are_compared_as_instants(tmp_path):
    values = [
        "2026-03-01T00:30:00+02:00",
        "2026-03-01T23:30:00-05:00",
        "2026-03-01T12:00:00Z",
        "2026-02-28T23:59:00-01:00",
    ]
    source = Sql(url=texts(tmp_path, values), table="log", time="ts")
    assert delivered(source)["n"].to_pylist() == [2, 3]


def test_text_times_with_both_separators_lose_no_row(tmp_path):
    moments = [START + timedelta(minutes=30 * step) for step in range(96)]
    values = [
        moment.strftime("%Y-%m-%d %H:%M" if step % 2 else "%Y-%m-%dT%H:%M") for step, moment in enumerate(moments)
    ]
    source = Sql(url=texts(tmp_path, values), table="log", time="ts")
    found = [
        n
        for hour in range(48)
        for batch in source.batches(Window(START + DAY / 24 * hour, START + DAY / 24 * (hour + 1)))
        for n in batch["n"].to_pylist()
    ]
    assert sorted(found) == list(range(96))


def test_text_times_without_a_zone_are_read_in_the_declared_one(tmp_path):
    source = Sql(
        url=texts(tmp_path, ["2026-03-01 08:59:00", "2026-03-01 09:00:00"]),
        table="log",
        time="ts",
        timezone="Asia/Tokyo",
    )
    assert delivered(source)["n"].to_pylist() == [1]


def test_fractions_of_seconds_since_1970_are_times(tmp_path):
    source = Sql(
        url=texts(tmp_path, [START.timestamp() + 0.25, START.timestamp() - 0.25], "REAL"), table="log", time="ts"
    )
    assert delivered(source)["n"].to_pylist() == [0]


def test_decimal_seconds_since_1970_are_times(postgres_url):
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE log (ts numeric, n int)")
        connection.execute("INSERT INTO log VALUES (%s, 1)", [Decimal(int(START.timestamp()))])
    assert delivered(Sql(url=postgres_url, table="log", time="ts"))["n"].to_pylist() == [1]


def test_text_times_of_a_form_that_does_not_sort_are_refused(tmp_path):
    source = Sql(url=texts(tmp_path, ["03/01/2026 10:00"]), table="log", time="ts")
    with pytest.raises(UserError, match=r"holds no times but values such as 03/01/2026 10:00"):
        source.facts()


# Facts.


def test_a_time_column_without_an_index_is_warned_of(database):
    assert any("no index that begins with 'ts'" in warning for warning in database.source(hours()).facts().warnings)


def test_an_index_on_the_time_ends_the_warning(database):
    source = database.source(hours())
    engine = sa.create_engine(database.url)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE INDEX by_time ON log (ts)"))
    engine.dispose()
    assert not any("index" in warning for warning in source.facts().warnings)


def test_rows_without_a_time_are_warned_of(database):
    source = database.source(pa.table({"ts": pa.array([START, None], pa.timestamp("us", "UTC"))}))
    assert any("some rows have no 'ts'" in warning for warning in source.facts().warnings)


def test_an_empty_table_is_warned_of(database):
    assert "table 'log' has no rows with a time yet" in database.source(hours(0)).facts().warnings


def test_sqlite_tells_about_how_many_rows_there_are(sqlite):
    assert sqlite.source(hours()).facts().rows == 48


def test_postgres_tells_about_how_many_rows_there_are_once_analysed(postgres_url):
    load(postgres_url, hours())
    source = Sql(url=postgres_url, table="log", time="ts")
    assert source.facts().rows is None
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        connection.execute("ANALYZE log")
    assert source.facts().rows == 48


# Errors.


def test_a_missing_table_is_named_with_its_neighbour(database):
    source = database.source(hours()).model_copy(update={"table": "logg"})
    with pytest.raises(
        UserError, match=r"logs.table: there is no table or view 'logg' in the database; did you mean 'log'"
    ):
        source.facts()


def test_a_missing_table_in_an_empty_database_says_so(postgres_url):
    with pytest.raises(UserError, match=r"there is none"):
        Sql(url=postgres_url, table="log", time="ts").facts()


def test_a_wrong_condition_is_the_users_mistake(database):
    with pytest.raises(UserError, match=r"city"):
        delivered(database.source(hours(), where="city = 1"))


@pytest.fixture
def stranger(postgres_url):
    """The URL of a user who may log in and read nothing."""
    role = f"stranger_{uuid.uuid4().hex[:8]}"
    load(postgres_url, hours())
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{SECRET}'")
        yield postgres_url.replace("postgres:@", f"{role}:{SECRET}@")
        connection.execute(f"DROP ROLE {role}")


def test_a_missing_permission_says_which_grant_is_needed(stranger):
    with pytest.raises(UserError, match=r"may not read this; grant it SELECT.*permission denied for table log"):
        Sql(url=stranger, table="log", time="ts").facts()


def test_an_unreachable_database_is_unavailable_and_hides_the_password():
    source = Sql(url=f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/logs", table="log", time="ts")
    with pytest.raises(UnavailableError, match=r"cannot be reached") as caught:
        source.facts()
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(source)


def test_a_refused_login_is_the_users_mistake(postgres_url):
    with pytest.raises(UserError, match=r"login is refused") as caught:
        Sql(url=postgres_url.replace("postgres:@", f"nobody:{SECRET}@"), table="log", time="ts").facts()
    assert SECRET not in str(caught.value)


def test_a_missing_database_is_the_users_mistake(postgres_url):
    url = sa.make_url(postgres_url).set(database="nowhere").render_as_string(hide_password=False)
    with pytest.raises(UserError, match=r"no such database"):
        Sql(url=url, table="log", time="ts").facts()


def test_a_file_that_is_no_database_is_the_users_mistake(tmp_path):
    (tmp_path / "log.db").write_text("hello, I am no database at all" * 50)
    with pytest.raises(UserError, match=r"no SQLite database"):
        Sql(url=f"sqlite:///{tmp_path / 'log.db'}", table="log", time="ts").facts()


def test_an_unknown_dialect_is_the_users_mistake():
    with pytest.raises(UserError, match=r"no SQLAlchemy URL of a known database"):
        Sql(url="oracel://me@host/x", table="log", time="ts").facts()


def test_a_missing_driver_says_what_to_install():
    with pytest.raises(UserError, match=r"needs the driver cx_Oracle, which is not installed"):
        Sql(url="oracle+cx_oracle://me@host/x", table="log", time="ts").facts()


def test_a_statement_that_takes_too_long_is_stopped_in_postgres(postgres_url):
    query = "SELECT now() AS ts, pg_sleep(20) AS x"
    source = Sql(url=postgres_url, query=query, time="ts", timeout=timedelta(milliseconds=200))
    with pytest.raises(UnavailableError, match=r"took longer than 0:00:00.2.* and was stopped"):
        delivered(source)


def test_a_statement_that_takes_too_long_is_stopped_in_sqlite(sqlite):
    query = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
        " SELECT '2026-03-01' AS ts, count(*) AS x FROM n"
    )
    source = sqlite.source(hours()).model_copy(
        update={"table": None, "query": query, "timeout": timedelta(milliseconds=200)}
    )
    with pytest.raises(UnavailableError, match=r"and was stopped"):
        delivered(source)


def test_unknown_extremes_are_a_warning_and_not_an_error(database, monkeypatch):
    def too_slow(*_):
        raise UnavailableError("took longer than 5m")

    monkeypatch.setattr("monitor.sources.sql.extremes", too_slow)
    facts = database.source(hours()).facts()
    assert "the first and last event stay unknown: took longer than 5m" in facts.warnings
    assert facts.first_event is None


# Memory.


def test_memory_stays_bounded_while_300_000_rows_stream(tmp_path):
    path = tmp_path / "big.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE log (ts INTEGER, a REAL, b TEXT)")
        connection.execute(
            "INSERT INTO log WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 299999)"
            " SELECT 1772323200 + i % 86400, i * 0.5, 'row number ' || i FROM n"
        )
    connection.close()
    batches = Sql(url=f"sqlite:///{path}", table="log", time="ts", batch_rows=2_000).batches(DAY_ONE)
    next(batches)
    arrow, rows = pa.total_allocated_bytes(), 0
    for place, batch in enumerate(batches):
        rows += batch.num_rows
        assert pa.total_allocated_bytes() - arrow < 2_000_000
        if place == 100:
            tracemalloc.start()
        if place == 105:  # five batches of Python rows, which would take 3 MB if they stayed
            held = tracemalloc.get_traced_memory()[0]
            tracemalloc.stop()
    assert rows == 298_000
    assert held < 1_500_000
