"""Puts rows into every kind of place that a source reads."""

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from monitor.sources.parquet import Parquet
from monitor.sources.sql import Sql


def sql_type(kind):
    if pa.types.is_timestamp(kind):
        exact = mysql.TIMESTAMP(fsp=6) if kind.tz is not None else mysql.DATETIME(fsp=6)
        return sa.DateTime(timezone=kind.tz is not None).with_variant(exact, "mysql", "mariadb")
    if pa.types.is_date(kind):
        return sa.Date()
    if pa.types.is_boolean(kind):
        return sa.Boolean()
    if pa.types.is_integer(kind):
        return sa.BigInteger()
    if pa.types.is_floating(kind):
        return sa.REAL() if kind == pa.float32() else sa.Double()
    return sa.Text()


def load(url, rows, name="log"):
    """Create a table of the rows' columns and fill it."""
    engine = sa.create_engine(url)
    columns = [sa.Column(field.name, sql_type(field.type), quote=True) for field in rows.schema]
    table = sa.Table(name, sa.MetaData(), *columns)
    keys = {f"c{place}": column for place, column in enumerate(columns)}
    values = [
        {f"c{place}": value for place, value in enumerate(row)}
        for row in zip(*[column.to_pylist() for column in rows.columns], strict=True)
    ]
    with engine.begin() as connection:
        table.create(connection)
        if values:
            statement = table.insert().values({column: sa.bindparam(key) for key, column in keys.items()})
            connection.execute(statement, values)
    engine.dispose()


def clickhouse_type(kind):
    if pa.types.is_timestamp(kind):
        return "DateTime64(6, 'UTC')"
    named = {
        pa.date32(): "Date32",
        pa.bool_(): "Bool",
        pa.int64(): "Int64",
        pa.float32(): "Float32",
        pa.float64(): "Float64",
    }
    return named.get(kind, "String")


def load_clickhouse(url, rows, folder, name="log"):
    """Create a table of the rows' columns, each of which may be null, and fill it from a Parquet file."""
    engine = sa.create_engine(url)
    columns = ", ".join(f"`{field.name}` Nullable({clickhouse_type(field.type)})" for field in rows.schema)
    pq.write_table(rows, folder / "rows.parquet")
    with engine.connect() as connection:
        client = connection.connection.driver_connection.client
        client.command(f"CREATE TABLE `{name}` ({columns}) ENGINE = MergeTree ORDER BY tuple()")
        client.command(f"INSERT INTO `{name}` SELECT * FROM file('{folder / 'rows.parquet'}', 'Parquet')")
    engine.dispose()


class Places:
    """Puts rows into a place of one kind and gives the source that reads them."""

    def __init__(self, kind, folder, request):
        self.kind, self.folder, self.request = kind, folder, request

    def source(self, rows, **options):
        options = {"time": "ts", **options}
        if self.kind == "parquet":
            pq.write_table(rows, self.folder / "log.parquet")
            return Parquet(path=str(self.folder / "log.parquet"), **options)
        if self.kind == "csv":
            pyarrow.csv.write_csv(rows, self.folder / "log.csv")
            return Parquet(path=str(self.folder / "log.csv"), **options)
        url = self.url
        if self.kind == "clickhouse":
            load_clickhouse(url, rows, self.folder)
        else:
            load(url, rows)
        return Sql(url=url, table="log", **options)

    @property
    def url(self):
        if self.kind == "postgres":
            return self.request.getfixturevalue("postgres_url")
        if self.kind in ("mariadb", "clickhouse"):
            return self.request.getfixturevalue(f"{self.kind}_url")
        return f"sqlite:///{self.folder / 'log.db'}"
