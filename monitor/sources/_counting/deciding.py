"""What ``mode: auto`` means for a database: measured costs, and how many rows its planner expects."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.expression import ClauseElement, Executable

from monitor.sources._countable import Decision
from monitor.sources._counting.views import dialect_of

# PostgreSQL counted slower than ADBC read (docs/howto/push-down.md), so it counts only what is too much to read. The
# number for MySQL is a guess: its driver makes a Python object of every value.
ROWS_WORTH_COUNTING = {"postgresql": 5_000_000, "mysql": 100_000}
_LOCAL = ("sqlite", "duckdb")


class Explain(Executable, ClauseElement):
    """How a database would run a statement."""

    inherit_cache = False

    def __init__(self, statement: Any, words: str = "EXPLAIN") -> None:
        self.statement, self.words = statement, words


@compiles(Explain)
def _explain(element: Explain, compiler: Any, **kw: Any) -> str:
    return f"{element.words} {compiler.process(element.statement, **kw)}"


def expected_rows(connection: sa.Connection, statement: Any) -> int | None:
    """Return how many rows the planner expects of a statement; None where it does not say."""
    dialect = dialect_of(connection)
    if dialect == "postgresql":
        found = connection.execute(Explain(statement, "EXPLAIN (FORMAT JSON)")).scalar()
        plan = json.loads(found) if isinstance(found, str) else found
        return int(plan[0]["Plan"]["Plan Rows"]) if plan else None
    if dialect == "mysql":
        rows = [row.get("rows") for row in connection.execute(Explain(statement)).mappings()]
        return max((int(row) for row in rows if row is not None), default=None)
    return None


def whole_scan(connection: sa.Connection, statement: Any) -> bool:
    """Return whether a database would read a whole table for the rows of a window, whatever indexes there are."""
    dialect = dialect_of(connection)
    if dialect == "sqlite":
        plan = connection.execute(Explain(statement, "EXPLAIN QUERY PLAN"))
        return any(str(row[-1]).startswith("SCAN") and "INDEX" not in str(row[-1]) for row in plan)
    if dialect == "postgresql":
        found = connection.execute(Explain(statement, "EXPLAIN (FORMAT JSON)")).scalar()
        return '"Seq Scan"' in (found if isinstance(found, str) else json.dumps(found))
    if dialect == "mysql":
        return any(row.get("type") == "ALL" for row in connection.execute(Explain(statement)).mappings())
    return False


def decided(connection: sa.Connection, statement: Any, most: int) -> Decision:
    """Decide for the rows of a window.

    Parameters
    ----------
    statement : selects them.
    most : rows that may be read one by one.
    """
    dialect = dialect_of(connection)
    if dialect in _LOCAL:
        return Decision(False, "a local file is read")
    if dialect not in ROWS_WORTH_COUNTING:
        return Decision(True, "a warehouse counts where its rows are")
    rows, worth = expected_rows(connection, statement), min(most, ROWS_WORTH_COUNTING[dialect])
    if rows is not None and rows > worth:
        return Decision(True, f"about {rows:,} rows are expected, and more than {worth:,} are counted")
    return Decision(False, f"no more than {worth:,} rows are expected, which are read")
