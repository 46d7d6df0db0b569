"""Proofs that an alert would get through, one row each; the table decides which replica makes the next one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.core.wording import ago
from monitor.store import owners
from monitor.store.tables import canaries

PROVEN, FAILED, WAITS = "proven", "failed", "waits"
_RUNNING = "running"
SOON_AGAIN = timedelta(minutes=10)  # after a failure, so that health is green again soon after the cause is gone
_LOST = timedelta(minutes=10)  # a proof that has run for so long will not end any more
_TRIED = canaries.c.outcome.in_((PROVEN, FAILED))


@dataclass(frozen=True, slots=True)
class Proof:
    """How a proof ended.

    Parameters
    ----------
    outcome : proven, failed, or waits: there is no model yet to make it with, which is no failure.
    model : whose rows were used; empty where none was come to.
    detail : what was shown, the part that failed and why, or what is waited for.
    """

    at: datetime
    outcome: str
    model: str
    detail: str
    seconds: float

    @property
    def proven(self) -> bool:
        """Whether an alert would have got through."""
        return self.outcome == PROVEN

    @property
    def failed(self) -> bool:
        """Whether it would not have got through."""
        return self.outcome == FAILED

    def good_until(self, every: timedelta) -> datetime:
        """Return when the next one is due; ``every`` is how long one is good for that has proven it."""
        return self.at + (every if self.proven else min(every, SOON_AGAIN))

    def words(self, now: datetime) -> str:
        """Return it for people, such as ``alert path proven 2 h ago``."""
        if self.proven:
            return f"alert path proven {ago(self.at, now)}"
        if not self.failed:
            return f"alert path not proven yet: {self.detail}"
        return f"alert path NOT proven {ago(self.at, now)}: {self.detail}"


def latest(connection: sa.Connection) -> Proof | None:
    """Return the newest proof that has ended; None where there is none."""
    return _newest(connection, canaries.c.outcome != _RUNNING)


def _newest(connection: sa.Connection, which: sa.ColumnElement[bool]) -> Proof | None:
    row = connection.execute(sa.select(canaries).where(which).order_by(canaries.c.id.desc()).limit(1)).first()
    return Proof(row.at, row.outcome, row.model, row.detail, row.seconds) if row else None


def next_due(connection: sa.Connection, every: timedelta) -> datetime | None:
    """Return when the next proof is due; None for at once, since there is none."""
    last = _newest(connection, _TRIED)
    return last.good_until(every) if last is not None else None


def turns(connection: sa.Connection, models: Collection[str]) -> list[str]:
    """Return models in the order in which it is their turn: those that were never proven, then the longest ago.

    One that failed keeps its turn, lest another one's success hides it.
    """
    newest = sa.func.max(canaries.c.id).label("newest")
    used = connection.execute(
        sa.select(canaries.c.model, newest).where(canaries.c.outcome == PROVEN).group_by(canaries.c.model)
    )
    order = {row.model: row.newest for row in used}
    return sorted(models, key=lambda model: order.get(model, 0))


def begin(connection: sa.Connection, owner: str, now: datetime, every: timedelta | None) -> int | None:
    """Begin a proof; None where another process is at one, or none is due.

    Parameters
    ----------
    every : how long a proof is good for; None makes one whether it is due or not.
    """
    for row in connection.execute(sa.select(canaries).where(canaries.c.outcome == _RUNNING)).all():
        if every is not None and not owners.gone(row.owner) and abs(now - row.at) < _LOST:
            return None
        if every is not None:
            connection.execute(canaries.delete().where(canaries.c.id == row.id))
    due = next_due(connection, every) if every is not None else None
    # A proof of the future was made before the clock was set back.
    if every is not None and due is not None and now < due and due - now <= every:
        return None
    begun = canaries.insert().values(at=now, owner=owner, model="", outcome=_RUNNING, seconds=0.0, detail="")
    key = connection.execute(begun).inserted_primary_key
    assert key is not None
    return int(key[0])


def end(connection: sa.Connection, number: int, proof: Proof) -> None:
    """Write how a proof ended; of those that waited for a model only the newest is kept."""
    connection.execute(canaries.delete().where(canaries.c.outcome == WAITS))
    values = {"at": proof.at, "model": proof.model, "outcome": proof.outcome, "seconds": proof.seconds}
    connection.execute(canaries.update().where(canaries.c.id == number).values(**values, detail=proof.detail))


def give_up(connection: sa.Connection, number: int) -> None:
    """Take back a proof that there is nothing to make of."""
    connection.execute(canaries.delete().where(canaries.c.id == number))
