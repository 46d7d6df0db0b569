"""The GRANT scripts: as the user that they make, Leeway reads the log, and nobody can change it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import sqlglot
from log_places import load

from monitor.core.errors import UserError
from monitor.core.window import Window
from monitor.sources.sql import Sql
from monitor.store.schema import open_store

FOLDER = Path(__file__).parents[2] / "deploy/grants"
START = datetime(2026, 1, 5, tzinfo=UTC)
ROWS = pa.table(
    {
        "ts": pa.array([START + timedelta(hours=n) for n in range(48)], pa.timestamp("us", "UTC")),
        "id": list(range(48)),
        "age": [float(n) for n in range(48)],
    }
)
# What a reader may be given. Nothing here writes, makes or drops.
ALLOWED = {"SELECT", "USAGE", "CONNECT", "USE CATALOG", "USE SCHEMA", "ROLE", "`ROLES/BIGQUERY.DATAVIEWER`"}


def script(name):
    return (FOLDER / f"{name}.sql").read_text("utf-8")


def statements(text):
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [part.strip() for part in bare.split(";") if part.strip()]


def readers():
    return sorted(path.stem for path in FOLDER.glob("*.sql") if not path.stem.startswith("store-"))


def test_there_is_a_script_for_every_server_that_the_documentation_lists():
    page = (FOLDER.parents[1] / "docs/howto/push-down.md").read_text("utf-8").partition("## Which engines were run")[2]
    servers = {
        name.lower()
        for name in re.findall(r"PostgreSQL|MariaDB|ClickHouse|BigQuery|Snowflake|Redshift|Trino|Databricks", page)
    }
    assert servers
    assert servers | {"mysql"} == set(readers())


@pytest.mark.parametrize("name", readers())
def test_a_script_grants_reading_and_nothing_else(name):
    for statement in statements(script(name)):
        words = statement.split()[0]
        assert words in ("CREATE", "ALTER", "GRANT"), statement
        if words == "CREATE":
            assert statement.split()[1] in ("ROLE", "USER"), statement
        if words == "GRANT":
            granted = re.match(r"GRANT (.+?) (?:ON|leeway_reader TO)\b", statement)[1]
            assert granted.upper() in ALLOWED, statement


@pytest.mark.parametrize("name", readers())
def test_a_script_is_of_its_dialect(name):
    dialect = {"postgresql": "postgres", "mariadb": "mysql"}.get(name, name)
    found = [one for one in sqlglot.parse(script(name), dialect=dialect, error_level=sqlglot.ErrorLevel.RAISE) if one]
    assert len([one for one in found if one.key != "semicolon"]) == len(statements(script(name)))


def watched(url):
    """What the daemon and ``config check --connect`` do: look at the table, and read a window."""
    source = Sql(url=url, table="predictions", time="ts", id="id")
    facts = source.facts()
    window = Window(START, START + timedelta(days=1))
    return set(facts.columns), source.read(window, {}, 5).profile.rows


def refused(url, *attempts):
    """How many of some statements a user is refused."""
    engine, denied = sa.create_engine(url, poolclass=sa.NullPool), 0
    for attempt in attempts:
        try:
            with engine.begin() as connection:
                connection.execute(sa.text(attempt))
        except sa.exc.DBAPIError:
            denied += 1
    engine.dispose()
    return denied


WRITES = (
    "INSERT INTO predictions (id) VALUES (99)",
    "UPDATE predictions SET age = 0",
    "DELETE FROM predictions",
    "DROP TABLE predictions",
    "CREATE TABLE mine (x INT)",
    "SELECT * FROM secrets",
)


@pytest.fixture
def postgres_reader(postgres_url):
    load(postgres_url, ROWS, "predictions")
    load(postgres_url, ROWS, "secrets")
    url = sa.make_url(postgres_url)
    plain = postgres_url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True) as connection:
        for statement in statements(script("postgresql")):
            connection.execute(statement.replace("DATABASE prod", f'DATABASE "{url.database}"'))
    yield url.set(username="leeway_reader", password="change-me").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute("DROP OWNED BY leeway_reader")
        connection.execute("DROP ROLE leeway_reader")


def test_on_postgresql_the_reader_reads_and_writes_nothing(postgres_reader):
    assert watched(postgres_reader) == ({"ts", "id", "age"}, 24)
    assert refused(postgres_reader, *WRITES) == len(WRITES)


def test_as_that_user_the_commands_work(postgres_reader, tmp_path, run):
    pq.write_table(ROWS, tmp_path / "reference.parquet")
    text = f"""
store: sqlite:///monitor.db
models:
  churn:
    logs: {{url: "{postgres_reader}", table: predictions, time: ts, id: id}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1d}}
"""
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    code, out, _ = run("config", "check", "--connect", "--json")
    lines = [line for line in json.loads(out)["connections"] if line["what"] == "models.churn.logs"]
    assert (code, lines[0]["outcome"]) == (0, "ok")
    code, out, _ = run("check", "--window", "2026-01-05/2026-01-06", "--json")
    assert code in (0, 1)
    assert {finding["rows"] for finding in json.loads(out)["findings"]} == {24}


def test_on_postgresql_the_reader_cannot_write_even_if_it_drops_its_own_guard(postgres_reader):
    unguarded = [f"SET TRANSACTION READ WRITE; {statement}" for statement in WRITES]
    assert refused(postgres_reader, *unguarded) == len(WRITES)


def test_on_postgresql_a_statement_of_the_reader_ends_after_ten_minutes(postgres_reader):
    engine = sa.create_engine(postgres_reader, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "10min"
        assert connection.exec_driver_sql("SHOW default_transaction_read_only").scalar() == "on"


def test_on_postgresql_a_table_that_is_not_granted_is_refused_with_the_remedy(postgres_reader):
    with pytest.raises(UserError, match="may not read this; grant it SELECT"):
        Sql(url=postgres_reader, table="secrets", time="ts").facts()


def test_leeways_own_store_works_for_the_role_that_its_script_makes(postgres_server):
    plain = postgres_server.get_uri()
    try:
        with psycopg.connect(plain, autocommit=True) as connection:
            for statement in statements(script("store-postgresql")):
                connection.execute(statement)
        url = sa.make_url(postgres_server.get_uri(database="leeway", driver="psycopg"))
        store = open_store(url.set(username="leeway", password="change-me").render_as_string(hide_password=False))
        with store.write() as connection:
            assert connection.exec_driver_sql("SELECT current_user").scalar() == "leeway"
        store.close()
    finally:
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS leeway WITH (FORCE)")
            connection.execute("DROP ROLE IF EXISTS leeway")


@pytest.fixture
def mariadb_reader(mariadb_socket):
    """In a database of the script's own name: those named test_… are open to everybody in a fresh installation."""
    url = sa.URL.create("mysql+pymysql", "root", query={"unix_socket": str(mariadb_socket), "charset": "utf8mb4"})
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE DATABASE prod")
    for name in ("predictions", "secrets"):
        load(url.set(database="prod"), ROWS, name)
    with engine.begin() as connection:
        for statement in statements(script("mariadb")):
            connection.exec_driver_sql(statement.replace("'%'", "'localhost'"))
    reader = url.set(username="leeway_reader", password="change-me", database="prod")
    yield reader.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP USER 'leeway_reader'@'localhost'")
        connection.exec_driver_sql("DROP DATABASE prod")
    engine.dispose()


def test_on_mariadb_the_reader_reads_and_writes_nothing(mariadb_reader):
    assert watched(mariadb_reader) == ({"ts", "id", "age"}, 24)
    assert refused(mariadb_reader, *WRITES) == len(WRITES)


def test_on_mariadb_a_statement_of_the_reader_ends_after_ten_minutes(mariadb_reader):
    engine = sa.create_engine(mariadb_reader, poolclass=sa.NullPool)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT @@max_statement_time").scalar() == 600


def test_on_clickhouse_the_script_is_what_its_parser_reads(chdb_server):
    for statement in statements(script("clickhouse")):
        assert chdb_server.run(f"EXPLAIN AST {statement}", {})
