"""Reads a store into a history: rows as they are, digests of what each window found, and the journal."""

import json
from collections import defaultdict
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from monitor.store.database import Store
from monitor.store.tables import evidence, findings, incident_events, incidents, outbox, profiles, retrains, runs
from tests.faults import journal
from tests.faults.history import Fault, History, Owed, Receipt


def gather(
    store: Store,
    owed: Sequence[Owed],
    *,
    receivers: Sequence[str],
    reconciled: Sequence[str] = (),
    received: Sequence[Receipt] = (),
    ledger: Sequence[str] = (),
    faults: Sequence[Fault] = (),
    undisturbed: dict[Owed, str] | None = None,
) -> History:
    """Return the history that a store has, with what receivers and triggers got."""
    with store.read() as connection:
        found, digests = _found(connection)
        return History(
            owed,
            receivers,
            reconciled,
            runs=_rows(connection, runs, runs.c.id),
            found=found,
            digests=digests,
            evidence=[row.run_id for row in connection.execute(sa.select(evidence.c.run_id))],
            profiles=[row.run_id for row in connection.execute(sa.select(profiles.c.run_id))],
            incidents=_rows(connection, incidents, incidents.c.opened_at),
            events=_rows(connection, incident_events, incident_events.c.id),
            letters=[_with_reason(row) for row in _rows(connection, outbox, outbox.c.id)],
            retrains=_rows(connection, retrains, retrains.c.key),
            journal=journal.read(connection),
            received=received,
            ledger=ledger,
            faults=faults,
            undisturbed=undisturbed,
        )


def digests_of(history: History) -> dict[Owed, str]:
    """Return what each window of a history found, as one digest a window."""
    return {
        Owed(row["model"], row["window_start"], row["window_end"]): history.digests[row["id"]]
        for row in history.runs
        if row["state"] == "done"
    }


def _rows(connection: sa.Connection, table: sa.Table, order: Any) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in connection.execute(sa.select(table).order_by(order))]


def _with_reason(letter: dict[str, Any]) -> dict[str, Any]:
    content = json.loads(letter["payload"])
    return {**letter, "reason": content.get("reason", "")}


def _found(connection: sa.Connection) -> tuple[dict[int, list[tuple[str | None, str]]], dict[int, str]]:
    found: dict[int, list[tuple[str | None, str]]] = defaultdict(list)
    seals: dict[int, Any] = defaultdict(sha256)
    for row in connection.execute(sa.select(findings).order_by(findings.c.run_id, findings.c.place)):
        found[row.run_id].append((row.column_name, row.check_name))
        seals[row.run_id].update(row.body.encode())
    for held in connection.execute(sa.select(evidence.c.run_id, evidence.c.body)):
        seals[held.run_id].update(bytes(held.body))
    return dict(found), {number: seal.hexdigest() for number, seal in seals.items()}
