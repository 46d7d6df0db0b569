"""The outbox: messages and retrain requests are written with what made them true, and delivered afterwards."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.store import leases, owners
from monitor.store.database import database_now
from monitor.store.tables import outbox, restores

_SENDING = outbox.c.state == "sending"
_FARTHEST = timedelta(hours=8)  # no letter is put off for longer; what is later was written before a clock went back
_GIVEN_UP = ("dead", "dropped")


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


def passed_on(key: str) -> str:
    """Return the key under which the fallback receiver is told what another one could not be told."""
    return f"{key}-fallback"


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
    happened: datetime | None = None,
) -> bool:
    """Write a letter; False when its key is there already.

    Parameters
    ----------
    happened : when what it tells had happened; now by default. If the store was put back from a copy since, the same
        letter may have been sent by the store that was lost, and is looked up by its key before it is sent.
    """
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
            uncertain=_restored_since(connection, happened or now),
            created_at=now,
            next_attempt_at=now,
            epoch=0,
        )
    )
    return True


def _restored_since(connection: sa.Connection, moment: datetime) -> bool:
    return connection.execute(sa.select(restores.c.id).where(restores.c.at > moment).limit(1)).first() is not None


def anything(connection: sa.Connection, now: datetime) -> bool:
    """Return whether it is worth to claim, without the lock of a transaction that writes."""
    query = sa.select(outbox.c.id).where(sa.or_(_is_due(now), _SENDING))
    return connection.execute(query.limit(1)).first() is not None


def _is_due(now: datetime) -> sa.ColumnElement[bool]:
    reached = sa.or_(outbox.c.next_attempt_at <= now, outbox.c.next_attempt_at > now + _FARTHEST)
    return sa.and_(outbox.c.state == "pending", reached)


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
    due = sa.or_(_is_due(now), abandoned)
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


def is_held(connection: sa.Connection, letter: Letter) -> bool:
    """Return whether a claim stands and its lease has not run out."""
    ours = (outbox.c.id == letter.id, outbox.c.epoch == letter.epoch, outbox.c.lease_until >= database_now(connection))
    return connection.execute(sa.select(outbox.c.id).where(_SENDING, *ours)).first() is not None


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


def deferred(
    connection: sa.Connection,
    letter: Letter,
    reason: str,
    again_at: datetime,
    *,
    uncertain: bool,
    held: bool = False,
) -> bool:
    """Put a letter back until ``again_at``; ``held`` says that the receiver has asked for so long."""
    return _settle(
        connection,
        letter,
        state="pending",
        next_attempt_at=again_at,
        error=reason,
        uncertain=letter.uncertain or uncertain,
        held=held,
    )


def dead(connection: sa.Connection, letter: Letter, reason: str, now: datetime) -> bool:
    """Give a letter up: a person must look."""
    return _settle(connection, letter, state="dead", error=reason, next_attempt_at=now)


def wake(connection: sa.Connection, receiver: str, now: datetime) -> None:
    """Let a receiver's notices be tried now that it takes some again, but for those that it asked to hold back."""
    sleeping = (outbox.c.receiver == receiver, outbox.c.kind == "notice", outbox.c.state == "pending")
    connection.execute(
        outbox.update().where(*sleeping, ~outbox.c.held, outbox.c.next_attempt_at > now).values(next_attempt_at=now)
    )


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
    """Return when a notice about an incident was last written, by receiver.

    Letters that were given up do not count, unless somebody was told on the receiver's behalf: it will be over, too.
    """
    other = outbox.alias("other")
    passed = sa.exists().where(other.c.key == outbox.c.key + passed_on(""), other.c.state.not_in(_GIVEN_UP))
    counts_as_told = sa.or_(outbox.c.state.not_in(_GIVEN_UP), passed)
    query = (
        sa.select(outbox.c.receiver, sa.func.max(outbox.c.created_at).label("at"))
        .where(outbox.c.incident_id == incident_id, outbox.c.kind == "notice", counts_as_told)
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
