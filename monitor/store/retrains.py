"""Retrainings: asked for, refused, under way, ended."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from monitor.core.errors import UserError
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.retrain_policy import Past
from monitor.store import bodies
from monitor.store.tables import outbox, retrains


@dataclass(frozen=True, slots=True)
class Retraining:
    """One retraining as the store has it."""

    request: RetrainRequest
    state: RetrainState
    updated_at: datetime
    run: str | None
    url: str | None
    note: str

    def as_json(self) -> dict[str, object]:
        """Return a JSON object."""
        from monitor.core.window import iso

        return {
            **self.request.as_json(),
            "state": str(self.state),
            "updated_at": iso(self.updated_at),
            "run": self.run,
            "url": self.url,
            "note": self.note,
        }


def put(connection: sa.Connection, request: RetrainRequest, state: RetrainState, now: datetime, note: str = "") -> None:
    """Write a new retraining."""
    connection.execute(
        retrains.insert().values(
            key=request.key,
            model=request.model,
            incident_id=request.incident,
            state=str(state),
            requested_at=request.requested_at,
            requested_by=request.requested_by,
            updated_at=now,
            note=note,
            body=bodies.dump(request),
        )
    )


def move(connection: sa.Connection, key: str, fired: Fired, now: datetime) -> None:
    """Write what became of a retraining."""
    values: dict[str, object] = {"state": str(fired.state), "updated_at": now, "note": fired.note}
    if fired.run is not None:
        values["run"] = fired.run
    if fired.url is not None:
        values["url"] = fired.url
    connection.execute(retrains.update().where(retrains.c.key == key).values(values))


def approve(connection: sa.Connection, request: RetrainRequest, now: datetime) -> bool:
    """Turn a proposal into a request; False when it is no longer a proposal."""
    changed = connection.execute(
        retrains.update()
        .where(retrains.c.key == request.key, retrains.c.state == str(RetrainState.PROPOSED))
        .values(
            state=str(RetrainState.REQUESTED),
            requested_at=request.requested_at,
            requested_by=request.requested_by,
            updated_at=now,
            body=bodies.dump(request),
        )
    )
    return changed.rowcount == 1


def withdraw(connection: sa.Connection, incident_id: str, note: str, now: datetime) -> int:
    """Withdraw the proposals that an incident made and nobody has approved; return how many there were."""
    changed = connection.execute(
        retrains.update()
        .where(retrains.c.incident_id == incident_id, retrains.c.state == str(RetrainState.PROPOSED))
        .values(state=str(RetrainState.WITHDRAWN), updated_at=now, note=note)
    )
    return changed.rowcount


def listing(connection: sa.Connection, model: str | None = None) -> list[Retraining]:
    """Return retrainings, oldest first."""
    query = sa.select(retrains).order_by(retrains.c.requested_at, retrains.c.key)
    if model is not None:
        query = query.where(retrains.c.model == model)
    return [
        Retraining(
            bodies.load(RetrainRequest, row.body), RetrainState(row.state), row.updated_at, row.run, row.url, row.note
        )
        for row in connection.execute(query)
    ]


def get(connection: sa.Connection, key: str) -> Retraining:
    """Return one retraining.

    Raises
    ------
    UserError
        When there is none with this key.
    """
    for retraining in listing(connection):
        if retraining.request.key == key:
            return retraining
    raise UserError(f"no retraining has the key {key!r}; `monitor retrains` shows what there is")


def past(connection: sa.Connection, model: str) -> list[Past]:
    """Return what the policy needs to know of earlier retrainings."""
    waiting = (outbox.c.kind == "retrain", outbox.c.state.in_(("pending", "sending")))
    letters = set(connection.execute(sa.select(outbox.c.key).where(outbox.c.model == model, *waiting)).scalars())
    return [
        Past(
            r.request.key,
            r.state,
            r.request.requested_at,
            r.request.incident,
            r.request.action,
            followed=r.request.letter in letters,
        )
        for r in listing(connection, model)
    ]
