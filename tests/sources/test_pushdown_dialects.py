"""Statements for warehouses that nobody can run here are compiled by their dialects and parsed by sqlglot."""

from datetime import UTC, datetime
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect

from checks.binning import fit
from monitor.core.window import Window
from monitor.sources import _counting as counting
from monitor.sources._sql.relation import Relation

sqlglot = pytest.importorskip("sqlglot")

DAY = Window(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC))
HOSTILE = """x"`'; DROP TABLE log; -- %s :a 😀"""


class Snowflake(DefaultDialect):
    """The rules of the standard under Snowflake's name: its own dialect does not load with SQLAlchemy 2.1."""

    name = "snowflake"


def dialect(name):
    if name == "snowflake":
        return Snowflake()
    address = {
        "bigquery": "bigquery://p/d", "redshift": "redshift+psycopg2://u:p@h/d", "trino": "trino://u@h/c",
        "databricks": "databricks://token:x@h?http_path=x",
    }[name]  # fmt: skip
    try:
        return sa.make_url(address).get_dialect()()
    except (sa.exc.NoSuchModuleError, ImportError):
        pytest.skip(f"no dialect for {name} here")


WAREHOUSES = ["bigquery", "snowflake", "redshift", "trino", "databricks"]


@cache
def statements(name):
    """All statements of one read."""
    made, spoken = [], dialect(name)

    def answers(statement):
        made.append(str(statement.compile(dialect=spoken, compile_kwargs={"literal_binds": True})))
        columns = len(statement.selected_columns)
        return [(100, 1, 2, *[50] * (columns - 3))] if columns > 10 else []

    odd = HOSTILE.replace("`", "") if name == "bigquery" else HOSTILE  # whose columns cannot have such a name
    types = {"id": "BIGINT", "ts": "TIMESTAMP", "n": "DOUBLE", "w": "VARCHAR", "t": "TIMESTAMP", odd: "DOUBLE"}
    utc = pa.timestamp("us", "UTC")
    declared = dict(zip(types, [pa.int64(), utc, pa.float64(), pa.string(), utc, pa.float64()], strict=True))
    relation = Relation(sa.table("log"), "table 'log'", types, declared)
    view = counting.view_of(name, relation, ("ts", "aware", [], DAY, UTC), "id", (), (answers, answers, answers))
    numbers = fit(pa.array(np.linspace(0, 1, 100)))
    bins = {"n": numbers, odd: numbers, "t": fit(pa.array([0]), "datetime"), "w": fit(pa.array(["a"]), "categorical")}
    plan = counting.plan(relation, bins, name)
    assert not plan.streamed
    counting.frame(view, DAY, plan.counted.values())
    counting.profiles(view, bins, plan.counted, 100)
    counting.sketch(view, counting.id_digest(relation, "id", name), 100)
    return made


@pytest.mark.parametrize("name", WAREHOUSES)
@pytest.mark.filterwarnings("ignore")
def test_every_statement_for_a_warehouse_is_sql_of_its_dialect(name):
    made = statements(name)
    assert len(made) == 4
    for statement in made:
        [parsed] = sqlglot.parse(statement.replace("%%", "%"), read=name)
        assert isinstance(parsed, sqlglot.exp.Select | sqlglot.exp.Union)


@pytest.mark.parametrize("name", WAREHOUSES)
@pytest.mark.filterwarnings("ignore")
def test_the_bounds_of_the_window_are_in_every_statement(name):
    assert all("2026-03-01" in statement and "2026-03-02" in statement for statement in statements(name))
