"""Which versions served, since when, what each is judged against, and whether it helped."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from monitor.core.proof import Proof
from monitor.core.versions import Began
from monitor.store import bodies
from monitor.store.tables import runs
from monitor.store.tables import versions as table


@dataclass(frozen=True, slots=True)
class Version:
    """One version that began to serve.

    Parameters
    ----------
    version : None where nobody said which, and only the reference changed.
    how : who said so: ``rows``, ``schedule``, ``mlflow`` or ``reference``.
    reference_id : of the snapshot that its windows were judged against last; None before the first of them.
    proof : whether it helped; None for the first version, which there is nothing to compare with.
    """

    id: int
    model: str
    version: str | None
    since: datetime
    noticed_at: datetime
    how: str
    reference_id: str | None
    proof: Proof | None


def begin(
    connection: sa.Connection, model: str, version: str | None, since: datetime, how: str, now: datetime
) -> Version:
    """Write that a version began to serve."""
    values = {"model": model, "version": version, "since": since, "noticed_at": now, "how": how}
    row = connection.execute(table.insert().values(**values).returning(table)).one()
    return _loaded(row)


def copy(source: sa.Connection, target: sa.Connection, model: str) -> None:
    """Copy into another store when the versions of a followed registry began: nobody can ask it what was then."""
    query = sa.select(table).where(table.c.model == model, table.c.how == "mlflow").order_by(table.c.since, table.c.id)
    for row in source.execute(query):
        begin(target, model, row.version, row.since, row.how, row.noticed_at)


def listing(connection: sa.Connection, model: str | None = None) -> list[Version]:
    """Return versions in the order in which they began, model by model."""
    query = sa.select(table).order_by(table.c.model, table.c.since, table.c.id)
    if model is not None:
        query = query.where(table.c.model == model)
    return [_loaded(row) for row in connection.execute(query)]


def at(connection: sa.Connection, model: str, moment: datetime) -> Version | None:
    """Return the version that began last before a moment."""
    query = sa.select(table).where(table.c.model == model, table.c.since < moment)
    row = connection.execute(query.order_by(table.c.since.desc(), table.c.id.desc()).limit(1)).first()
    return _loaded(row) if row is not None else None


def latest(connection: sa.Connection, model: str, version: str) -> Version | None:
    """Return when a version began for the last time."""
    query = sa.select(table).where(table.c.model == model, table.c.version == version)
    row = connection.execute(query.order_by(table.c.since.desc(), table.c.id.desc()).limit(1)).first()
    return _loaded(row) if row is not None else None


def former(connection: sa.Connection, model: str, moment: datetime) -> str | None:
    """Return the version that served before the one that serves at a moment; None where nobody knows."""
    entries = [entry for entry in began(connection, model) if entry.since <= moment]
    now = entries[-1].version if entries else None
    return next((entry.version for entry in reversed(entries) if entry.version != now), None)


def began(connection: sa.Connection, model: str) -> list[Began]:
    """Return when each version began that is known by name, oldest first."""
    query = sa.select(table.c.version, table.c.since).where(table.c.model == model, table.c.version.is_not(None))
    return [Began(*row) for row in connection.execute(query.order_by(table.c.since, table.c.id))]


def keep(connection: sa.Connection, entry: Version, reference_id: str | None, proof: Proof | None) -> None:
    """Write what a version is judged against, and whether it helped."""
    values = {"reference_id": reference_id, "proof": bodies.dump(proof) if proof is not None else None}
    connection.execute(table.update().where(table.c.id == entry.id).values(values))


def windows_of(connection: sa.Connection, model: str, reference_id: str, since: datetime) -> list[int]:
    """Return the runs since a moment that were judged against a snapshot, oldest first, by their ids."""
    query = sa.select(runs.c.id).where(
        runs.c.model == model, runs.c.state == "done", runs.c.reference_id == reference_id, runs.c.window_start >= since
    )
    return list(connection.execute(query.order_by(runs.c.window_end)).scalars())


def _loaded(row: sa.Row[tuple[object, ...]]) -> Version:
    proof = bodies.load(Proof, row.proof) if row.proof is not None else None
    return Version(row.id, row.model, row.version, row.since, row.noticed_at, row.how, row.reference_id, proof)
