"""Puts rows into every kind of place that a source reads."""

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import sqlalchemy as sa

from monitor.sources.parquet import Parquet
from monitor.sources.sql import Sql


def sql_type(kind):
    if pa.types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
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
        load(url, rows)
        return Sql(url=url, table="log", **options)

    @property
    def url(self):
        if self.kind == "postgres":
            return self.request.getfixturevalue("postgres_url")
        return f"sqlite:///{self.folder / 'log.db'}"
