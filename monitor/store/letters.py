"""The outbox as people see it: what waits, what is dead, and what a person does about a dead letter."""

from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa

from monitor.core.errors import UserError
from monitor.store.tables import outbox


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the outbox, for people to look at; ``error`` is what its last attempt said."""

    id: int
    key: str
    kind: str
    model: str
    receiver: str
    incident_id: str | None
    state: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime
    delivered_at: datetime | None
    error: str


_ENTRIES = sa.select(*(outbox.c[field.name] for field in fields(Entry)))


def entries(connection: sa.Connection, *, ended: bool = False) -> list[Entry]:
    """Return the letters that are not delivered, oldest first; with ``ended`` the delivered and dropped ones too."""
    query = _ENTRIES.order_by(outbox.c.id)
    if not ended:
        query = query.where(outbox.c.state.not_in(("delivered", "dropped")))
    return [Entry(*row) for row in connection.execute(query)]


def find(connection: sa.Connection, prefix: str) -> Entry:
    """Return the letter whose key is, or begins with, ``prefix``.

    Raises
    ------
    UserError
        When there is none, or several.
    """
    rows = connection.execute(_ENTRIES.where(outbox.c.key.startswith(prefix, autoescape=True))).all()
    rows = [row for row in rows if row.key == prefix] or rows
    if len(rows) != 1 or not prefix:
        problem = "no letter has" if not rows else f"{len(rows)} letters have"
        raise UserError(f"{problem} a key beginning {prefix!r}; `monitor outbox --all` shows what there is")
    return Entry(*rows[0])


def superseded(connection: sa.Connection, letter: Entry) -> bool:
    """Return whether the receiver has a later notice of the same incident already."""
    query = sa.select(outbox.c.id).where(
        outbox.c.incident_id == letter.incident_id,
        outbox.c.receiver == letter.receiver,
        outbox.c.kind == letter.kind,
        outbox.c.id > letter.id,
        outbox.c.state == "delivered",
    )
    return connection.execute(query.limit(1)).first() is not None


def revive(connection: sa.Connection, letter: Entry, now: datetime) -> bool:
    """Put a dead letter back, with all its attempts before it; False when it is dead no longer."""
    return _change(connection, letter, state="pending", attempts=0, next_attempt_at=now, held=False)


def drop(connection: sa.Connection, letter: Entry) -> bool:
    """Let a dead letter be; False when it is dead no longer."""
    return _change(connection, letter, state="dropped")


def _change(connection: sa.Connection, letter: Entry, **values: object) -> bool:
    changed = outbox.update().where(outbox.c.id == letter.id, outbox.c.state == "dead").values(**values)
    return connection.execute(changed).rowcount == 1
