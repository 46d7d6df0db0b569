"""Names and values that would be SQL, in every kind of place that logs are kept in: they stay names and values."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from checks.binning import fit_table
from monitor.core.errors import LeewayError
from monitor.core.window import Window
from monitor.sources.parquet import Parquet
from monitor.sources.sql import Sql

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))
COLUMNS = [
    'x"; DROP TABLE victim; --', "x'; DROP TABLE victim; --", "x`; DROP TABLE victim; --", "x]; DROP TABLE victim; --",
    "/* x */", "x -- y", "%s", "%(low0)s", ":low0", "?", "naïve 列 \u202e", "{x}", "\\", "new\nline", "select", "a.b",
]  # fmt: skip
TABLES = ['log"; DROP TABLE victim; --', "log'; DROP TABLE victim; --", "log%s:low0", "log]`", "select", "l\\o/g*?"]
VALUES = ["'; DROP TABLE victim; --", '"', "%s", ":low0", "\\'", "a\nb", "\u2028", "NULL", "é", "--"]


def rows(count: int = 40) -> pa.Table:
    columns = {
        "id'; --": list(range(count)),
        "ts": [START + timedelta(minutes=place) for place in range(count)],
        "kind": [VALUES[place % len(VALUES)] for place in range(count)],
    }
    return pa.table({**columns, **{name: [float(place % 7) for place in range(count)] for name in COLUMNS}})


def fill(url: str, table: str) -> None:
    """Create the table, and another one that somebody may be after."""
    engine, metadata, content = sa.create_engine(url), sa.MetaData(), rows()
    kinds = {"ts": sa.DateTime(), "kind": sa.Text(), "id'; --": sa.Integer()}
    columns = [sa.Column(name, kinds.get(name, sa.Float()), quote=True) for name in content.column_names]
    log = sa.Table(table, metadata, *columns, quote=True)
    victim = sa.Table("victim", metadata, sa.Column("secret", sa.Text))
    with engine.begin() as connection:
        metadata.create_all(connection)
        connection.execute(victim.insert(), [{"secret": "kept"}])
        values = [[value.replace(tzinfo=None) if isinstance(value, datetime) else value for value in row.values()]
                  for row in content.to_pylist()]  # fmt: skip
        keys = {f"c{place}": column for place, column in enumerate(log.columns)}
        statement = log.insert().values({column: sa.bindparam(key) for key, column in keys.items()})
        connection.execute(statement, [dict(zip(keys, row, strict=True)) for row in values])
    engine.dispose()


def kept(url: str) -> list[str]:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        found = list(connection.execute(sa.text("SELECT secret FROM victim")).scalars())
    engine.dispose()
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    return f"sqlite:///{tmp_path}/logs.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def seen(source) -> dict[str, int]:
    """Read the day; gives the rows of each watched column, and that each category was known."""
    content = rows()
    bins = fit_table(content, {"kind": "categorical"}, time="ts", skip=["id'; --"])
    reading = source.read(DAY, bins, 10)
    assert reading.profile.columns["kind"].unseen.counts == {}
    assert reading.sample.num_rows == 10
    return {name: column.rows - column.nulls - column.absent for name, column in reading.profile.columns.items()}


@pytest.mark.parametrize("mode", ["stream", "pushdown"])
@pytest.mark.parametrize("table", TABLES)
def test_no_name_of_a_table_or_column_becomes_sql(url, table, mode):
    fill(url, table)
    source = Sql(url=url, table=table, time="ts", id="id'; --", mode=mode)
    assert set(source.facts().columns) == {*rows().column_names}
    assert seen(source) == dict.fromkeys(["kind", *COLUMNS], 40)
    assert kept(url) == ["kept"]


@pytest.mark.parametrize("option", ["table", "time", "id", "features"])
@pytest.mark.parametrize("name", ["no\x00such", 'victim"; DROP TABLE victim; --', "victim; DROP TABLE victim"])
def test_a_name_that_is_nowhere_is_refused_in_words_and_runs_nothing(url, option, name):
    fill(url, "log")
    with pytest.raises(LeewayError):
        Sql(**{"url": url, "table": "log", "time": "ts", "id": "id'; --", option: name}).read(DAY, {}, 1)
    assert kept(url) == ["kept"]


@pytest.mark.parametrize("query", ["SELECT 1; DROP TABLE victim", "WITH x AS (SELECT 1) SELECT * FROM x; DELETE FROM victim"])  # fmt: skip
def test_a_query_of_the_configuration_cannot_write(url, query):
    fill(url, "log")
    with pytest.raises(LeewayError):
        Sql(url=url, query=query, time="ts").facts()
    assert kept(url) == ["kept"]


def test_a_condition_of_the_configuration_cannot_write(url):
    fill(url, "log")
    with pytest.raises(LeewayError):
        Sql(url=url, table="log", time="ts", where="1 = 1); DELETE FROM victim; --").read(DAY, {}, 1)
    assert kept(url) == ["kept"]


@pytest.mark.parametrize("mode", ["stream", "pushdown"])
@pytest.mark.parametrize(
    "name", ["log'); --.parquet", "[a-z]*.parquet", "{x}?.parquet", "%s $(x).parquet", "é;.parquet"]
)
def test_no_name_of_a_file_or_column_becomes_sql_or_a_glob(tmp_path, name, mode):
    pq.write_table(rows(), tmp_path / name)
    pq.write_table(pa.table({"other": [1]}), tmp_path / "abc.parquet")
    source = Parquet(path=str(tmp_path / name), time="ts", id="id'; --", mode=mode)
    assert seen(source) == dict.fromkeys(["kind", *COLUMNS], 40)


def test_a_file_of_the_log_makes_duckdb_fetch_no_extension(tmp_path):
    pq.write_table(rows(), tmp_path / "log.parquet")
    with Parquet(path=str(tmp_path / "log.parquet"), time="ts")._files.connect() as connection:
        found = connection.sql("SELECT value FROM duckdb_settings() WHERE name = 'autoinstall_known_extensions'")
        assert found.fetchall() == [("false",)]
