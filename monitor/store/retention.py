"""What the store no longer needs, chosen by queries and removed in short transactions, so that no writer waits long."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.core.retrain import RetrainState
from monitor.store.database import Store
from monitor.store.evidence import LEARNT_FOR
from monitor.store.tables import (
    audits,
    canaries,
    configurations,
    evidence,
    findings,
    incidents,
    learnt,
    outbox,
    profiles,
    references,
    retrains,
    revisions,
    runs,
    silences,
)

FEWEST, MOST = 1, 1000  # rows, or windows with all their findings, that one transaction removes
HELD_SECONDS = 0.1  # for which one transaction is to keep other writers waiting
BETWEEN_SECONDS = 0.05  # in which others have their turn
PAGES = 500  # of a SQLite file that are given back at a time
UNUSED_FOR = timedelta(days=1)  # a configuration is written just before its first run
ENDED = (RetrainState.SUCCEEDED, RetrainState.FAILED, RetrainState.REFUSED, RetrainState.WITHDRAWN)


@dataclass(frozen=True)
class Limits:
    """What goes of one model: whatever ended before these moments, unless something rests on it.

    Parameters
    ----------
    windows : newest windows whose row counts tell the usual volume; they stay, however old.
    rests_on : start of the oldest window that is still to be judged, or judged again.
    learning : how much of a log's own beginning a reference without time learns from.
    """

    model: str
    samples: datetime
    profiles: datetime
    runs: datetime
    incidents: datetime
    windows: int
    rests_on: datetime
    learning: timedelta


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows that may go.

    Parameters
    ----------
    what, model : for people; the model is empty where rows belong to none.
    before : what is older goes; None where age is not what decides.
    chosen : selects their keys.
    remove : removes the rows with these keys.
    """

    what: str
    model: str
    before: datetime | None
    chosen: sa.Select[Any]
    remove: Callable[[sa.Connection, Sequence[Any]], object]

    def count(self, connection: sa.Connection) -> int:
        """Return how many there are."""
        return connection.execute(sa.select(sa.func.count()).select_from(self.chosen.subquery())).scalar_one()


def _deleting(*columns: sa.Column[Any]) -> Callable[[sa.Connection, Sequence[Any]], None]:
    def remove(connection: sa.Connection, keys: Sequence[Any]) -> None:
        for column in columns:
            connection.execute(sa.delete(column.table).where(column.in_(keys)))

    return remove


def _forget_samples(connection: sa.Connection, keys: Sequence[Any]) -> None:
    connection.execute(profiles.update().where(profiles.c.run_id.in_(keys)).values(sample=None))


def of_model(connection: sa.Connection, limits: Limits) -> list[Part]:
    """Return what may go of one model: rows of windows before the windows, incidents last."""
    name, old = limits.model, limits.profiles

    def kept(what: str, column: sa.Column[Any], before: datetime, *conditions: Any) -> Part:
        ended = (runs.c.model == name, runs.c.window_end < before, *conditions)
        chosen = sa.select(column).distinct().join(runs, runs.c.id == column).where(*ended)
        return Part(what, name, before, chosen, _deleting(column))

    sampled = profiles.c.sample.is_not(None)
    samples = kept("samples", profiles.c.run_id, limits.samples, sampled)
    return [
        Part("samples", name, limits.samples, samples.chosen, _forget_samples),
        kept("findings", findings.c.run_id, old),
        kept("evidence", evidence.c.run_id, old, _outdone(name, old)),
        kept("revisions", revisions.c.run_id, old),
        kept("profiles", profiles.c.run_id, old, *_not_learnt_from(connection, limits)),
        _windows(connection, limits),
        _incidents(limits),
        _letters(limits),
    ]


def _outdone(model: str, before: datetime) -> sa.ColumnElement[bool]:
    """Whether evidence of the same key is newer, and old as well: every later moment goes on from as much as ever."""
    other, run = evidence.alias("other"), runs.alias("run")
    newer = sa.or_(
        run.c.window_end > runs.c.window_end, sa.and_(run.c.window_end == runs.c.window_end, run.c.id > runs.c.id)
    )
    return sa.exists().where(
        other.c.run_id == run.c.id,
        other.c.key == evidence.c.key,
        run.c.model == model,
        run.c.state == "done",
        run.c.window_end <= before,
        newer,
    )


def _not_learnt_from(connection: sa.Connection, limits: Limits) -> Iterable[sa.ColumnElement[bool]]:
    """Keep the first windows judged against a reference without time, for what it teaches is learnt from them."""
    own = (runs.c.model == limits.model, runs.c.state == "done")
    untimed = sa.select(references.c.id).where(references.c.model == limits.model, references.c.span_start.is_(None))
    used = sa.select(runs.c.reference_id).where(*own, runs.c.window_end >= limits.profiles).distinct()
    both = used.where(runs.c.reference_id.in_(untimed))
    for (reference_id,) in connection.execute(both).all():
        first = sa.select(sa.func.min(runs.c.window_start)).where(*own, runs.c.reference_id == reference_id)
        start = connection.execute(first).scalar_one()
        yield sa.or_(runs.c.reference_id != reference_id, runs.c.window_start >= start + limits.learning)


def _windows(connection: sa.Connection, limits: Limits) -> Part:
    own = runs.c.model == limits.model
    final = sa.select(runs.c.window_end).where(own, runs.c.state.in_(("done", "skipped")))
    newest = connection.execute(final.order_by(runs.c.window_end.desc()).limit(1)).scalar()
    counted = final.where(runs.c.state == "done", runs.c.window_end <= limits.rests_on)
    floor = connection.execute(counted.order_by(runs.c.window_end.desc()).offset(limits.windows - 1).limit(1)).scalar()
    spoken_for = [sa.exists().where(t.c.run_id == runs.c.id) for t in (profiles, findings, evidence, revisions)]
    chosen = sa.select(runs.c.id).where(
        own,
        runs.c.state.in_(("done", "skipped", "failed")),
        runs.c.look_at.is_(None),
        runs.c.window_end < limits.runs,
        # The end of the newest window says which are done: without it they would be owed again.
        runs.c.window_end < newest if newest is not None else sa.false(),
        sa.or_(runs.c.state != "done", runs.c.window_end < floor if floor is not None else sa.false()),
        *(~found for found in spoken_for),
    )
    return Part("windows", limits.model, limits.runs, chosen, _deleting(runs.c.id))


def _incidents(limits: Limits) -> Part:
    """Choose resolved incidents that nothing is under way for; what belongs to them goes with them."""
    waiting = sa.exists().where(outbox.c.incident_id == incidents.c.id, outbox.c.state.in_(("pending", "sending")))
    asked = sa.exists().where(retrains.c.incident_id == incidents.c.id, retrains.c.state.not_in(map(str, ENDED)))
    chosen = sa.select(incidents.c.id).where(
        incidents.c.model == limits.model,
        incidents.c.state == "resolved",
        incidents.c.resolved_at < limits.incidents,
        ~waiting,
        ~asked,
    )
    own = _deleting(outbox.c.incident_id, silences.c.incident_id, retrains.c.incident_id, incidents.c.id)
    return Part("incidents", limits.model, limits.incidents, chosen, own)


def _letters(limits: Limits) -> Part:
    """Choose letters about no incident that have been delivered or given up."""
    chosen = sa.select(outbox.c.id).where(
        outbox.c.model == limits.model,
        outbox.c.incident_id.is_(None),
        outbox.c.state.in_(("delivered", "dead", "dropped")),
        sa.func.coalesce(outbox.c.delivered_at, outbox.c.created_at) < limits.incidents,
    )
    return Part("letters", limits.model, limits.incidents, chosen, _deleting(outbox.c.id))


def of_no_model(canaries_before: datetime, used: Iterable[str], now: datetime) -> list[Part]:
    """Return what may go of what belongs to no model.

    Parameters
    ----------
    used : keys of what references have taught that the configuration uses now.
    """
    keys, learnt_before, seen_before = list(used), now - LEARNT_FOR, now - UNUSED_FOR
    newest = sa.select(sa.func.max(canaries.c.id)).group_by(canaries.c.model, canaries.c.outcome)
    named = sa.exists().where(runs.c.fingerprint == configurations.c.fingerprint)

    def aged(what: str, column: sa.Column[Any], before: datetime | None, *conditions: Any) -> Part:
        return Part(what, "", before, sa.select(column).where(*conditions), _deleting(column))

    return [
        aged("configurations", configurations.c.fingerprint, None, configurations.c.first_seen < seen_before, ~named),
        aged("canaries", canaries.c.id, canaries_before, canaries.c.at < canaries_before, canaries.c.id.not_in(newest)),
        *(
            aged(what, table.c.key, learnt_before, table.c.made_at < learnt_before, table.c.key.not_in(keys))
            for what, table in (("replays", audits), ("learnt", learnt))
        ),
    ]


def gaps(connection: sa.Connection, model: str, since: datetime, before: datetime) -> bool:
    """Return whether windows in ``[since, before)`` were done whose profiles are no longer kept."""
    kept = sa.exists().where(profiles.c.run_id == runs.c.id)
    inside = (runs.c.window_start >= since, runs.c.window_end <= before)
    query = sa.select(runs.c.id).where(runs.c.model == model, runs.c.state == "done", *inside, ~kept)
    return connection.execute(query.limit(1)).first() is not None


def remove(
    store: Store,
    part: Part,
    stopping: Callable[[], bool] = lambda: False,
    rest: Callable[[float], object] = time.sleep,
) -> int:
    """Remove a part in as many short transactions as it takes; return how many keys went.

    Parameters
    ----------
    stopping : asked before every transaction.
    rest : waits between two of them.
    """
    size, removed = 20, 0
    while not stopping():
        with store.write() as connection:
            began = time.monotonic()  # from here on others wait
            keys = connection.execute(part.chosen.limit(size)).scalars().all()
            if keys:
                part.remove(connection, keys)
        removed += len(keys)
        if len(keys) < size:
            break
        taken = max(time.monotonic() - began, 1e-4)
        size = max(FEWEST, min(MOST, 2 * size, round(size * HELD_SECONDS / taken)))
        rest(BETWEEN_SECONDS)
    return removed


def give_back(store: Store, stopping: Callable[[], bool] = lambda: False) -> None:
    """Give a SQLite file's free pages back to the system, some at a time; PostgreSQL's autovacuum does it by itself.

    A file that was made before Leeway asked for that keeps its size and uses the pages again.
    """
    if store.engine.dialect.name != "sqlite":
        return
    while not stopping():
        with store.read() as connection:
            mode = connection.exec_driver_sql("PRAGMA auto_vacuum").scalar()
            free = connection.exec_driver_sql("PRAGMA freelist_count").scalar()
        if mode != 2 or not free:  # 2: incremental
            break
        with store.write() as connection:
            _driver(connection).execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()  # it frees a page a row
    with store.engine.connect() as connection:
        _driver(connection).execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.driver_connection
