"""Claims: the row of a window is the right to evaluate it, under a lease, and then the result."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.core.versions import Served
from monitor.core.window import Window
from monitor.store import leases, owners
from monitor.store.database import database_now
from monitor.store.runs import FINAL, NOBODY_SAID, Run, as_run, moment_of
from monitor.store.tables import configurations, runs


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to evaluate one window. ``epoch`` rises with every take-over, so that a stale owner changes nothing."""

    run_id: int
    epoch: int
    attempts: int


class StaleClaimError(Exception):
    """The lease ran out and another process took the window over; nothing was written."""


def remember_configuration(connection: sa.Connection, model: str, fingerprint: str, body: str, now: datetime) -> None:
    """Keep what a fingerprint stands for."""
    known = sa.select(configurations.c.fingerprint).where(configurations.c.fingerprint == fingerprint)
    if not connection.execute(known).first():
        connection.execute(
            configurations.insert().values(fingerprint=fingerprint, model=model, body=body, first_seen=now)
        )


def claim(
    connection: sa.Connection, model: str, window: Window, fingerprint: str, owner: str, now: datetime
) -> Claim | None:
    """Claim a window; None when it is done, skipped, held by a living owner, or rests after a failure.

    Replicas may have different configurations while a change is rolled out; a window is evaluated under one of them.
    """
    same = _of(connection, model, window)
    if any(_taken(row, owner) for row in same) or revised_now(connection, model, owner):
        return None
    row = next((row for row in same if row.fingerprint == fingerprint), None)
    if row is not None and row.state == "failed" and _rests(row, now):
        return None
    _fence(connection, model, window, "taken over under another configuration", fingerprint)
    if row is None:
        values = {
            "model": model,
            "window_start": window.start,
            "window_end": window.end,
            "fingerprint": fingerprint,
            "state": "claimed",
            "owner": owner,
            "epoch": 1,
            "attempts": 1,
            "lease_until": leases.until(connection),
            "started_at": now,
            "reason": "",
        }
        inserted = connection.execute(_insert_new(connection, values)).scalar()
        return Claim(inserted, 1, 1) if inserted is not None else None
    updated = connection.execute(
        runs.update()
        .where(runs.c.id == row.id, runs.c.epoch == row.epoch)
        .values(
            state="claimed",
            owner=owner,
            epoch=row.epoch + 1,
            attempts=row.attempts + 1,
            lease_until=leases.until(connection),
            started_at=now,
            reason="",
        )
    )
    return Claim(row.id, row.epoch + 1, row.attempts + 1) if updated.rowcount == 1 else None


def _rests(row: sa.Row[tuple[object, ...]], now: datetime) -> bool:
    # What failed later than now failed before the clock was set back, and has rested for long enough.
    return row.finished_at is not None and row.finished_at <= now < row.finished_at + pause(row.attempts)


def taken(connection: sa.Connection, model: str, window: Window, owner: str) -> bool:
    """Return whether a window is done, skipped or held by another living owner, so that nothing need be got ready."""
    return any(_taken(row, owner) for row in _of(connection, model, window))


def revised_now(connection: sa.Connection, model: str, owner: str) -> bool:
    """Return whether another living owner revises a window of the model: what later ones rest on may change."""
    return _held_by_others(connection, model, owner, runs.c.look_at.is_not(None))


def _held_by_others(connection: sa.Connection, model: str, owner: str, *which: sa.ColumnElement[bool]) -> bool:
    leased = (runs.c.model == model, runs.c.lease_until.is_not(None), *which)
    rows = connection.execute(sa.select(runs.c.owner, _lapsed(connection).label("lapsed")).where(*leased))
    return any(not _free(row, owner) for row in rows)


def reopen(connection: sa.Connection, model: str, owner: str, now: datetime) -> tuple[Run, Claim] | None:
    """Claim the oldest done window whose rows are to be counted again; None where there is none, or not now.

    Nothing else of the model is evaluated meanwhile, since later windows rest on earlier ones.
    """
    if _held_by_others(connection, model, owner):
        return None
    due = sa.select(runs).where(runs.c.model == model, runs.c.state == "done", runs.c.look_at <= now)
    row = connection.execute(due.order_by(runs.c.window_end).limit(1)).first()
    if row is None:
        return None
    connection.execute(
        runs.update()
        .where(runs.c.id == row.id)
        .values(owner=owner, epoch=row.epoch + 1, lease_until=leases.until(connection))
    )
    return as_run(row), Claim(row.id, row.epoch + 1, row.attempts)


def look_again(connection: sa.Connection, held: Claim, look_at: datetime | None, **changed: object) -> None:
    """Give a reopened window back, with what late rows have ``changed`` of its row.

    Raises
    ------
    StaleClaimError
        When the claim is no longer ours.
    """
    ours = (runs.c.id == held.run_id, runs.c.epoch == held.epoch, runs.c.state == "done")
    done = connection.execute(runs.update().where(*ours).values(look_at=look_at, lease_until=None, **changed))
    if done.rowcount != 1:
        raise _stale(held)


def _stale(held: Claim) -> StaleClaimError:
    return StaleClaimError(f"run {held.run_id} was taken over at a later epoch than {held.epoch}")


def _of(connection: sa.Connection, model: str, window: Window) -> Sequence[sa.Row[tuple[object, ...]]]:
    same = sa.and_(runs.c.window_start == window.start, runs.c.window_end == window.end)
    covers = sa.and_(runs.c.window_start <= window.start, runs.c.window_end >= window.end)
    here = (runs.c.model == model, runs.c.window_end >= window.end, sa.or_(same, covers & (runs.c.state == "skipped")))
    return connection.execute(sa.select(runs, _lapsed(connection).label("lapsed")).where(*here)).all()


def _taken(row: sa.Row[tuple[object, ...]], owner: str) -> bool:
    return row.state in FINAL or (row.state == "claimed" and not _free(row, owner))


def _lapsed(connection: sa.Connection) -> sa.ColumnElement[bool]:
    return runs.c.lease_until < database_now(connection)


def _free(row: sa.Row[tuple[object, ...]], owner: str) -> bool:
    # A process works on one window of a model at a time: its own claim is one that the store took no result for.
    return bool(row.lapsed) or row.owner == owner or owners.gone(row.owner)


def pause(attempts: int) -> timedelta:
    """Return how long a window that could not be read rests: half a minute, doubling, an hour at most."""
    return min(timedelta(seconds=30 * 2 ** min(attempts - 1, 10)), timedelta(hours=1))


def _insert_new(connection: sa.Connection, values: dict[str, object]) -> sa.Executable:
    insert: Any  # of the dialect at hand alone: the other brings a module for every driver along
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    statement: sa.Executable = insert(runs).values(values).on_conflict_do_nothing().returning(runs.c.id)
    return statement


def finish(
    connection: sa.Connection,
    held: Claim,
    *,
    state: str,
    now: datetime,
    rows: int | None = None,
    last_event: float | None = None,
    reference_id: str | None = None,
    reason: str = "",
    look_at: datetime | None = None,
    served: Served = NOBODY_SAID,
) -> None:
    """Write the end of a run; ``look_at`` is when late rows are looked for first.

    Raises
    ------
    StaleClaimError
        When the claim is no longer ours.
    """
    done = connection.execute(
        runs.update()
        .where(runs.c.id == held.run_id, runs.c.epoch == held.epoch, runs.c.state == "claimed")
        .values(
            state=state,
            finished_at=now,
            rows=rows,
            last_event=moment_of(last_event),
            reference_id=reference_id,
            reason=reason,
            lease_until=None,
            look_at=look_at,
            version=served.version,
            served=json.dumps(served.rows) if served.rows is not None else None,
        )
    )
    if done.rowcount != 1:
        raise _stale(held)


def skip(
    connection: sa.Connection, model: str, window: Window, fingerprint: str, reason: str, now: datetime, owner: str
) -> bool:
    """Record that windows will not be evaluated, and why; False when another living owner is at one of them."""
    if any(not _free(row, owner) for row in connection.execute(_claimed(connection, model, window))):
        return False
    _fence(connection, model, window, reason)
    values = {
        "model": model,
        "window_start": window.start,
        "window_end": window.end,
        "fingerprint": fingerprint,
        "state": "skipped",
        "epoch": 1,
        "attempts": 0,
        "finished_at": now,
        "reason": reason,
    }
    connection.execute(_insert_new(connection, values))
    return True


def _claimed(connection: sa.Connection, model: str, span: Window) -> sa.Select[Any]:
    within = (runs.c.window_start >= span.start, runs.c.window_end <= span.end)
    return sa.select(runs, _lapsed(connection).label("lapsed")).where(
        runs.c.model == model, runs.c.state == "claimed", *within
    )


def _fence(connection: sa.Connection, model: str, span: Window, reason: str, but: str | None = None) -> None:
    """End what somebody claimed and left of some windows: should the owner come back, its epoch is an old one."""
    lost = _claimed(connection, model, span).where(runs.c.fingerprint != but if but is not None else sa.true())
    for row in connection.execute(lost).all():
        ended = {"state": "failed", "epoch": row.epoch + 1, "lease_until": None, "reason": reason}
        connection.execute(runs.update().where(runs.c.id == row.id).values(**ended))
