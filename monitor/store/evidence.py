"""Evidence in the store: what was held after each run, and what each reference has taught."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from checks.budget import Audit
from monitor.core.alarms import Decided
from monitor.store import bodies
from monitor.store.tables import audits, evidence, learnt, runs

LEARNT_FOR = timedelta(days=90)  # what belongs to past configurations and releases goes; the rest is learnt again


@dataclass(frozen=True, slots=True)
class Kept:
    """Evidence after a run: with which reference and checks it was gathered, what people had decided, and itself."""

    key: str
    decided: Decided
    body: bytes


def keep(connection: sa.Connection, run_id: int, kept: Kept) -> None:
    """Keep the evidence after a run."""
    connection.execute(evidence.delete().where(evidence.c.run_id == run_id))
    connection.execute(
        evidence.insert().values(run_id=run_id, key=kept.key, decided=bodies.dump(kept.decided), body=kept.body)
    )


def before(connection: sa.Connection, model: str, key: str, moment: datetime) -> bytes | None:
    """Return the evidence after the newest run that ended by a moment; None where there is none of this key."""
    query = (
        sa.select(evidence.c.body)
        .join(runs, runs.c.id == evidence.c.run_id)
        .where(runs.c.model == model, runs.c.state == "done", runs.c.window_end <= moment, evidence.c.key == key)
        .order_by(runs.c.window_end.desc(), runs.c.id.desc())
    )
    row = connection.execute(query.limit(1)).first()
    return bytes(row.body) if row else None


def after(connection: sa.Connection, run_id: int) -> Kept | None:
    """Return the evidence after a run; None where the run kept none."""
    row = connection.execute(sa.select(evidence).where(evidence.c.run_id == run_id)).first()
    if row is None:
        return None
    return Kept(row.key, bodies.load(Decided, row.decided), bytes(row.body))


def audit_of(connection: sa.Connection, key: str) -> Audit | None:
    """Return what a replay said; None where it has not been made."""
    row = connection.execute(sa.select(audits).where(audits.c.key == key)).first()
    return Audit(row.threshold, row.rate, row.days, tuple(json.loads(row.unfit))) if row else None


def keep_audit(connection: sa.Connection, key: str, model: str, found: Audit, now: datetime) -> None:
    """Keep what a replay said."""
    connection.execute(audits.delete().where(audits.c.key == key))
    connection.execute(
        audits.insert().values(
            key=key,
            model=model,
            threshold=found.threshold,
            rate=found.rate,
            days=found.days,
            unfit=json.dumps(found.unfit),
            made_at=now,
        )
    )


def learnt_of(connection: sa.Connection, key: str) -> bytes | None:
    """Return what a reference has taught; None where nobody has learnt it yet."""
    row = connection.execute(sa.select(learnt.c.body).where(learnt.c.key == key)).first()
    return bytes(row.body) if row else None


def keep_learnt(connection: sa.Connection, key: str, body: bytes, now: datetime) -> None:
    """Keep what a reference has taught, and no longer what was learnt long ago."""
    connection.execute(learnt.delete().where(sa.or_(learnt.c.key == key, learnt.c.made_at < now - LEARNT_FOR)))
    connection.execute(learnt.insert().values(key=key, body=body, made_at=now))


def copy_taught(
    source: sa.Connection, target: sa.Connection, model: str, audit_key: str, learnt_key: str, now: datetime
) -> None:
    """Copy what a reference has taught from one store into another, as far as it is known."""
    audit, body = audit_of(source, audit_key), learnt_of(source, learnt_key)
    if audit is not None:
        keep_audit(target, audit_key, model, audit, now)
    if body is not None:
        keep_learnt(target, learnt_key, body, now)
