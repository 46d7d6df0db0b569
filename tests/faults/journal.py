"""SQL triggers that write down who changes which row of the store, in which transaction; and reading it all back."""

import itertools
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from tests.faults.history import Write

# Only what changes the claim or the result: renewing a lease is nothing to write down.
CLAIMS = {"runs": " OF state, epoch, owner, revision", "outbox": " OF state, epoch, owner"}
PLAIN = {
    "incidents": "id",
    "incident_events": "id",
    "findings": "run_id",
    "evidence": "run_id",
    "profiles": "run_id",
    "retrains": "key",
}
FIELDS = (
    "writer", "transaction_id", "table_name", "row_id", "operation",
    "old_state", "new_state", "old_epoch", "new_epoch", "old_owner", "new_owner",
)  # fmt: skip
LONGEST_NAME = 60  # characters of an application's name that PostgreSQL keeps, and some
_numbers = itertools.count(1)
_here = threading.local()


def sign(engine: Any, writer: Callable[[], str]) -> None:
    """Let SQLite's triggers know who writes; ``engine`` is an engine, or all that there are."""

    @sa.event.listens_for(engine, "connect")
    def _on_connect(raw: Any, _record: object) -> None:
        if hasattr(raw, "create_function"):
            raw.create_function("leeway_writer", 0, writer)
            raw.create_function("leeway_transaction", 0, lambda: str(getattr(_here, "number", 0)))

    @sa.event.listens_for(engine, "begin")
    def _on_begin(_connection: sa.Connection) -> None:
        _here.number = next(_numbers)


def install(engine: sa.Engine) -> None:
    """Make the journal and its triggers in a store."""
    postgres = engine.dialect.name == "postgresql"
    number = "BIGSERIAL PRIMARY KEY" if postgres else "INTEGER PRIMARY KEY"
    columns = ", ".join(f"{name} {'INTEGER' if name.endswith('epoch') else 'TEXT'}" for name in FIELDS)
    statements = [f"CREATE TABLE fault_journal (id {number}, {columns})"]
    for table in CLAIMS:
        statements += _both(table, "INSERT", _values(table, "INSERT", "NEW.id", claims=True), postgres=postgres)
        statements += _both(table, "UPDATE", _values(table, "UPDATE", "NEW.id", claims=True), postgres=postgres)
    for table, key in PLAIN.items():
        for operation in ("INSERT", "UPDATE"):
            statements += _both(table, operation, _values(table, operation, f"NEW.{key}"), postgres=postgres)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def read(connection: sa.Connection) -> list[Write]:
    """Return the journal, oldest first."""
    rows = connection.exec_driver_sql(f"SELECT {', '.join(FIELDS)} FROM fault_journal ORDER BY id")
    return [Write(*row) for row in rows]


def _values(table: str, operation: str, row: str, *, claims: bool = False) -> str:
    old = operation == "UPDATE"
    claim = (
        f"{'OLD.state' if old else 'NULL'}, NEW.state, {'OLD.epoch' if old else 'NULL'}, NEW.epoch, "
        f"{'OLD.owner' if old else 'NULL'}, NEW.owner"
        if claims
        else "NULL, NULL, NULL, NULL, NULL, NULL"
    )
    return f"'{table}', CAST({row} AS TEXT), '{operation}', {claim}"


def _both(table: str, operation: str, values: str, *, postgres: bool) -> list[str]:
    name = f"journal_{table}_{operation.lower()}"
    columns = CLAIMS.get(table, "") if operation == "UPDATE" else ""
    into = f"INSERT INTO fault_journal ({', '.join(FIELDS)})"
    if not postgres:
        who = "leeway_writer(), leeway_transaction()"
        return [
            f"CREATE TRIGGER {name} AFTER {operation}{columns} ON {table} BEGIN {into} VALUES ({who}, {values}); END"
        ]
    who = "current_setting('application_name'), CAST(txid_current() AS TEXT)"
    body = f"BEGIN {into} VALUES ({who}, {values}); RETURN NULL; END"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ {body} $body$",
        f"CREATE TRIGGER {name} AFTER {operation}{columns} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    ]
