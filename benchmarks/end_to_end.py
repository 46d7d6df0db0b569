"""From rows in PostgreSQL to a verdict as JSON, each time a cold process; beside it what others do, and the bare read.

The store knows the reference already, as it does in every window but the first. The peer reads window and reference
with pandas and runs Evidently's preset for data drift. The floor fetches the same columns by ADBC and drops them.
"""

import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.processes import PEERS, Cost, cost, least, monitor, python
from benchmarks.tables import DAY, START, batches

REFERENCE_DAYS, REFERENCE_ROWS = 28, 20_000
_CONFIG = """\
store: sqlite:///monitor.db
models:
  bench:
    logs: {{url: "{url}", table: {table}, time: ts, id: id, max_rows: 100000000}}
    reference: {{file: reference.parquet}}
    schedule: {{every: 1d}}
"""


@dataclass(frozen=True)
class EndToEnd:
    """What one size of window cost; the peer is None where it was left out."""

    rows: int
    columns: int
    ours: Cost
    floor: Cost
    peer: Cost | None
    first: Cost


def measure(url: str, rows: int, columns: int, *, peer: bool, repeats: int = 3) -> EndToEnd:
    """Measure one size of window.

    Parameters
    ----------
    url : of a PostgreSQL server.
    rows, columns : of the window.
    peer : whether to run the peer, which takes long.
    """
    table = f"log_{rows}"
    _fill(url, table, rows, columns)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_reference(folder / "reference.parquet", columns)
        (folder / "config.yaml").write_text(_CONFIG.format(url=_sqlalchemy(url), table=table), encoding="utf-8")
        window = f"{START.isoformat()}/{(START + DAY).isoformat()}"
        check = [monitor(), "check", "bench", "--window", window, "--json"]
        first = cost(check, allowed=(0, 1), cwd=folder)
        ours = least(check, repeats, allowed=(0, 1), cwd=folder)
        floor = least([python() or "", PEERS / "adbc_read.py", url, table], repeats)
        theirs = (
            cost([python() or "", PEERS / "read_sql_evidently.py", url, table, folder / "reference.parquet"])
            if peer
            else None
        )
    return EndToEnd(rows, columns, ours, floor, theirs, first)


def _sqlalchemy(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def _fill(url: str, table: str, rows: int, columns: int) -> None:
    import adbc_driver_postgresql.dbapi as adbc

    with adbc.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for number, batch in enumerate(batches(rows, columns, START, 2)):
            cursor.adbc_ingest(table, batch, mode="append" if number else "create")
        cursor.execute(f"CREATE INDEX ON {table} (ts)")
        cursor.execute(f"VACUUM ANALYZE {table}")


def write_reference(path: Path, columns: int) -> None:
    """Write a reference of four weeks."""
    share = REFERENCE_ROWS // REFERENCE_DAYS
    days = [START - timedelta(days=REFERENCE_DAYS - number) for number in range(REFERENCE_DAYS)]
    tables = [table for day in days for table in batches(share, columns, day, 1_000 + day.toordinal())]
    pq.write_table(pa.concat_tables(tables), path)
