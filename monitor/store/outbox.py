"""The outbox: messages and retrain requests are written with what made them true, and delivered afterwards."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from monitor.store import leases, owners
from monitor.store.database import database_now
from monitor.store.tables import outbox

_SENDING = outbox.c.state == "sending"


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of the outbox, claimed for one attempt."""

    id: int
    key: str
    kind: str
    model: str
    receiver: str
    incident_id: str | None
    payload: str
    attempts: int
    uncertain: bool
    epoch: int


def put(
    connection: sa.Connection,
    *,
    key: str,
    kind: str,
    model: str,
    receiver: str,
    incident_id: str | None,
    payload: str,
    now: datetime,
) -> bool:
    """Write a letter; False when its key is there already."""
    if connection.execute(sa.select(outbox.c.id).where(outbox.c.key == key)).first():
        return False
    connection.execute(
        outbox.insert().values(
            key=key,
            kind=kind,
            model=model,
            receiver=receiver,
            incident_id=incident_id,
            payload=payload,
            state="pending",
            attempts=0,
            uncertain=False,
            created_at=now,
            next_attempt_at=now,
            epoch=0,
        )
    )
    return True


def anything(connection: sa.Connection, now: datetime) -> bool:
    """Return whether it is worth to claim, without the lock of a transaction that writes."""
    waiting = sa.and_(outbox.c.state == "pending", outbox.c.next_attempt_at <= now)
    return connection.execute(sa.select(outbox.c.id).where(sa.or_(waiting, _SENDING)).limit(1)).first() is not None


def claim(
    connection: sa.Connection, owner: str, now: datetime, key: str | None = None, skip: Collection[str] = ()
) -> Letter | None:
    """Claim the oldest letter that is due, in order within each incident and receiver; None when nothing is due.

    With ``key`` only that letter is claimed, and none for the receivers in ``skip``. One that was being sent when its
    owner died is claimed again as *uncertain*: it may have arrived.
    """
    senders = connection.execute(sa.select(outbox.c.owner).where(_SENDING).distinct()).scalars()
    dead = [sender for sender in senders if owners.gone(sender)]
    abandoned = sa.and_(_SENDING, sa.or_(outbox.c.lease_until < database_now(connection), outbox.c.owner.in_(dead)))
    due = sa.or_(sa.and_(outbox.c.state == "pending", outbox.c.next_attempt_at <= now), abandoned)
    earlier = outbox.alias("earlier")
    waits = sa.exists().where(
        earlier.c.incident_id == outbox.c.incident_id,
        earlier.c.receiver == outbox.c.receiver,
        earlier.c.kind == outbox.c.kind,
        earlier.c.id < outbox.c.id,
        earlier.c.state.in_(("pending", "sending")),
    )
    wanted = outbox.c.key == key if key is not None else sa.true()
    query = sa.select(outbox).where(due, ~waits, wanted, outbox.c.receiver.not_in(skip))
    row = connection.execute(query.order_by(outbox.c.next_attempt_at, outbox.c.id).limit(1)).first()
    if row is None:
        return None
    uncertain = bool(row.uncertain) or row.state == "sending"
    taken = connection.execute(
        outbox.update()
        .where(outbox.c.id == row.id, outbox.c.epoch == row.epoch)
        .values(
            state="sending",
            owner=owner,
            epoch=row.epoch + 1,
            attempts=row.attempts + 1,
            uncertain=uncertain,
            lease_until=leases.until(connection),
        )
    )
    if taken.rowcount != 1:
        return None
    return Letter(
        row.id, row.key, row.kind, row.model, row.receiver, row.incident_id, row.payload,
        row.attempts + 1, uncertain, row.epoch + 1,
    )  # fmt: skip


def _settle(connection: sa.Connection, letter: Letter, **values: object) -> bool:
    done = connection.execute(
        outbox.update()
        .where(outbox.c.id == letter.id, outbox.c.epoch == letter.epoch, outbox.c.state == "sending")
        .values(lease_until=None, **values)
    )
    return done.rowcount == 1


def delivered(
    connection: sa.Connection, letter: Letter, reference: Mapping[str, str], note: str, now: datetime
) -> bool:
    """Mark a letter delivered; False when it is no longer ours."""
    return _settle(
        connection, letter, state="delivered", delivered_at=now, reference=json.dumps(dict(reference)), error=note
    )


def deferred(connection: sa.Connection, letter: Letter, reason: str, again_at: datetime, *, uncertain: bool) -> bool:
    """Put a letter back until ``again_at``."""
    return _settle(
        connection,
        letter,
        state="pending",
        next_attempt_at=again_at,
        error=reason,
        uncertain=letter.uncertain or uncertain,
    )


def dead(connection: sa.Connection, letter: Letter, reason: str) -> bool:
    """Give a letter up: a person must look."""
    return _settle(connection, letter, state="dead", error=reason)


def latest_reference(connection: sa.Connection, incident_id: str, receiver: str) -> dict[str, str]:
    """Return where the receiver has the incident: its answer to the latest delivered notice; empty for none.

    A channel that edits one message answers every notice alike, unless that message was deleted and posted afresh.
    """
    query = (
        sa.select(outbox.c.reference)
        .where(
            outbox.c.incident_id == incident_id,
            outbox.c.receiver == receiver,
            outbox.c.kind == "notice",
            outbox.c.state == "delivered",
        )
        .order_by(outbox.c.id.desc())
        .limit(1)
    )
    text = connection.execute(query).scalar()
    return dict(json.loads(text)) if text else {}


def told(connection: sa.Connection, incident_id: str) -> dict[str, datetime]:
    """Return when a notice about an incident was last written, by receiver; dead letters do not count."""
    query = (
        sa.select(outbox.c.receiver, sa.func.max(outbox.c.created_at).label("at"))
        .where(outbox.c.incident_id == incident_id, outbox.c.kind == "notice", outbox.c.state != "dead")
        .group_by(outbox.c.receiver)
    )
    return {row.receiver: row.at for row in connection.execute(query)}


def counts(connection: sa.Connection) -> dict[str, int]:
    """Return how many letters are in each state."""
    query = sa.select(outbox.c.state, sa.func.count().label("letters")).group_by(outbox.c.state)
    return {row.state: row.letters for row in connection.execute(query)}


def listing(connection: sa.Connection, *, kind: str | None = None) -> list[dict[str, object]]:
    """Return every letter, oldest first."""
    query = sa.select(outbox).order_by(outbox.c.id)
    if kind is not None:
        query = query.where(outbox.c.kind == kind)
    return [dict(row._mapping) for row in connection.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name
