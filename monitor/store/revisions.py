"""Revisions in the store: what late rows changed in windows that had their verdict already."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from monitor.core.revision import Change, Revision
from monitor.core.window import Window
from monitor.store.tables import revisions, runs


def put(connection: sa.Connection, run_id: int, revision: Revision) -> None:
    """Record a revision."""
    connection.execute(
        revisions.insert().values(
            run_id=run_id,
            at=revision.at,
            rows_before=revision.rows_before,
            rows_after=revision.rows_after,
            changes=json.dumps([asdict(change) for change in revision.changes]),
        )
    )


def listing(connection: sa.Connection, model: str, since: datetime, until: datetime) -> Sequence[Revision]:
    """Return the revisions of a model's windows in ``[since, until)``, oldest first."""
    query = (
        sa.select(revisions, runs.c.window_start, runs.c.window_end)
        .join(runs, runs.c.id == revisions.c.run_id)
        .where(runs.c.model == model, runs.c.window_start >= since, runs.c.window_end <= until)
        .order_by(revisions.c.id)
    )
    return [
        Revision(
            Window(row.window_start, row.window_end),
            row.at,
            row.rows_before,
            row.rows_after,
            tuple(Change(**change) for change in json.loads(row.changes)),
        )
        for row in connection.execute(query)
    ]
