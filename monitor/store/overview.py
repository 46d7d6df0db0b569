"""What the whole store says at once, for health and metrics: a handful of statements, however many models there are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from checks import codec
from monitor.core.incident import Incident, State
from monitor.core.spending import PERIOD, within
from monitor.store import bodies
from monitor.store.canaries import FAILED, PROVEN
from monitor.store.tables import canaries, findings, incident_events, incidents, outbox, profiles, runs

_WAITING = ("pending", "sending")


@dataclass(frozen=True, slots=True)
class Letters:
    """What the outbox holds.

    Parameters
    ----------
    waiting : letters that are not delivered yet.
    oldest : when the oldest of them was written.
    dead : letters that were given up; ``dead_lately`` those whose last attempt was in the last day.
    """

    waiting: int
    oldest: datetime | None
    dead: int
    dead_lately: int


@dataclass(frozen=True, slots=True)
class Newest:
    """A model's newest window that is done."""

    run_id: int
    revision: int
    finished_at: datetime
    window_end: datetime
    rows: int
    last_event: datetime | None


@dataclass(frozen=True)
class Detail:
    """What one window shows of its columns.

    Parameters
    ----------
    effects : column, check, effect, and whether it was a breach.
    nulls : share of rows without a value, by column.
    """

    effects: tuple[tuple[str, str, float, bool], ...]
    nulls: dict[str, float]


def letters(connection: sa.Connection, since: datetime) -> Letters:
    """Return what the outbox holds; ``since`` is when lately begins."""
    held = outbox.c.state
    query = sa.select(
        held,
        sa.func.count().label("letters"),
        sa.func.min(outbox.c.created_at).label("oldest"),
        # The time of the last attempt, or a little before: a letter is tried when it is due.
        sa.func.count(sa.case((outbox.c.next_attempt_at >= since, 1))).label("lately"),
    ).where(held.in_((*_WAITING, "dead")))
    rows = {row.state: row for row in connection.execute(query.group_by(held))}
    waiting = [rows[state] for state in _WAITING if state in rows]
    dead = rows.get("dead")
    return Letters(
        sum(row.letters for row in waiting),
        min((row.oldest for row in waiting), default=None),
        dead.letters if dead is not None else 0,
        dead.lately if dead is not None else 0,
    )


def told(connection: sa.Connection, models: Collection[str], now: datetime) -> int:
    """Return how many incidents of these models people were told of in the budget's period, as far as they count."""
    query = (
        sa.select(incidents.c.body)
        .join(incident_events, incident_events.c.incident_id == incidents.c.id)
        .where(incident_events.c.event == "fired", incident_events.c.at > now - PERIOD, incident_events.c.at <= now)
    )
    found = [bodies.load(Incident, row.body) for row in connection.execute(query)]
    return sum(incident.model in models and within(incident) for incident in found)


def open_incidents(connection: sa.Connection) -> dict[tuple[str, str, str], int]:
    """Return how many open incidents there are, by model, state and fault."""
    columns = (incidents.c.model, incidents.c.state, incidents.c.fault)
    query = sa.select(*columns, sa.func.count().label("number")).where(incidents.c.state != str(State.RESOLVED))
    return {(row.model, row.state, row.fault): row.number for row in connection.execute(query.group_by(*columns))}


def proofs(connection: sa.Connection) -> dict[str, datetime]:
    """Return when the alert path was last proven, and when a proof last failed, by outcome."""
    ended = canaries.c.outcome.in_((PROVEN, FAILED))
    query = sa.select(canaries.c.outcome, sa.func.max(canaries.c.at).label("at")).where(ended)
    return {row.outcome: row.at for row in connection.execute(query.group_by(canaries.c.outcome))}


def newest(connection: sa.Connection, models: Sequence[str]) -> dict[str, Newest]:
    """Return the newest done window of many models, in one statement; those that have none are left out."""
    as_rows = sa.func.json_array_elements_text if connection.dialect.name == "postgresql" else sa.func.json_each
    names = as_rows(sa.bindparam("names", list(models), sa.JSON)).table_valued("value")
    own = runs.alias("own")
    last = (
        sa.select(own.c.id)
        .where(own.c.model == names.c.value, own.c.state == "done")
        .order_by(own.c.window_end.desc())
        .limit(1)
        .correlate(names)
        .scalar_subquery()
    )
    rows = connection.execute(sa.select(runs).select_from(names).join(runs, runs.c.id == last))
    return {
        row.model: Newest(
            row.id, row.revision, row.finished_at or row.window_end, row.window_end, row.rows or 0, row.last_event
        )
        for row in rows
    }


def details(connection: sa.Connection, run_ids: Sequence[int], checks: Collection[str]) -> dict[int, Detail]:
    """Return what some windows show of their columns by some checks; two statements."""
    if not run_ids:
        return {}
    shown: dict[int, list[tuple[str, str, float, bool]]] = {number: [] for number in run_ids}
    measured = sa.select(
        findings.c.run_id, findings.c.column_name, findings.c.check_name, findings.c.effect, findings.c.verdict
    ).where(
        findings.c.run_id.in_(run_ids),
        findings.c.check_name.in_(checks),
        findings.c.column_name.is_not(None),
        findings.c.effect.is_not(None),
    )
    for row in connection.execute(measured):
        shown[row.run_id].append((row.column_name, row.check_name, row.effect, row.verdict == "breach"))
    kept = sa.select(profiles.c.run_id, profiles.c.profile).where(profiles.c.run_id.in_(run_ids))
    nulls = {
        row.run_id: {name: column.null_share for name, column in codec.decode_profile(row.profile).columns.items()}
        for row in connection.execute(kept)
    }
    return {number: Detail(tuple(effects), nulls.get(number, {})) for number, effects in shown.items()}
