"""Incidents and their timelines. Every change of an incident is an event that stays."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from monitor.core.errors import UserError
from monitor.core.incident import Incident, State, Transition
from monitor.core.window import Window
from monitor.store import bodies
from monitor.store.tables import incident_events, incidents, silences

QUIET_EVENTS = frozenset({"continues", "calm"})  # state moves on, but the timeline of a person need not show it


@dataclass(frozen=True, slots=True)
class Event:
    """One line of an incident's timeline."""

    at: datetime
    event: str
    actor: str
    detail: str


def put(connection: sa.Connection, incident: Incident) -> None:
    """Write an incident's present state."""
    values = {
        "model": incident.model,
        "kind": str(incident.kind),
        "fault": incident.fault,
        "state": str(incident.state),
        "severity": str(incident.severity),
        "opened_at": incident.opened_at,
        "resolved_at": incident.resolved_at,
        "body": bodies.dump(incident),
    }
    changed = connection.execute(incidents.update().where(incidents.c.id == incident.id).values(values))
    if not changed.rowcount:
        connection.execute(incidents.insert().values(id=incident.id, **values))


def record(connection: sa.Connection, step: Transition) -> None:
    """Write a step: the incident as it is now, and the event."""
    put(connection, step.after)
    if step.event not in QUIET_EVENTS:
        note(connection, step.after.id, step.event, step.actor, step.detail, step.at)


def note(connection: sa.Connection, incident_id: str, event: str, actor: str, detail: str, at: datetime) -> None:
    """Write one line into a timeline."""
    connection.execute(
        incident_events.insert().values(incident_id=incident_id, at=at, event=event, actor=actor, detail=detail)
    )


def listing(connection: sa.Connection, model: str | None = None, *, closed: bool = False) -> list[Incident]:
    """Return incidents, oldest first: the open ones, or with ``closed`` all of them."""
    query = sa.select(incidents.c.body).order_by(incidents.c.opened_at, incidents.c.id)
    if model is not None:
        query = query.where(incidents.c.model == model)
    if not closed:
        query = query.where(incidents.c.state != str(State.RESOLVED))
    return [bodies.load(Incident, row.body) for row in connection.execute(query)]


def known(connection: sa.Connection, incident_id: str) -> bool:
    """Return whether there is, or was, an incident of this id."""
    return connection.execute(sa.select(incidents.c.id).where(incidents.c.id == incident_id)).first() is not None


def get(connection: sa.Connection, prefix: str) -> Incident:
    """Return the incident whose id is, or begins with, ``prefix``.

    Raises
    ------
    UserError
        When there is none, or several.
    """
    query = sa.select(incidents.c.id, incidents.c.body).where(incidents.c.id.startswith(prefix, autoescape=True))
    rows = connection.execute(query).all()
    exact = [row for row in rows if row.id == prefix]
    rows = exact or rows
    if len(rows) != 1 or not prefix:
        problem = "no incident has" if not rows else f"{len(rows)} incidents have"
        raise UserError(
            f"{problem} an id beginning {prefix!r}; `monitor incidents --all` shows what there is, and those resolved "
            "for longer than `retention.incidents` are gone"
        )
    return bodies.load(Incident, rows[0].body)


def timeline(connection: sa.Connection, incident_id: str) -> list[Event]:
    """Return an incident's events, oldest first."""
    query = (
        sa.select(incident_events).where(incident_events.c.incident_id == incident_id).order_by(incident_events.c.id)
    )
    return [Event(row.at, row.event, row.actor, row.detail) for row in connection.execute(query)]


def fired(connection: sa.Connection, model: str, span: Window) -> list[tuple[datetime, Incident]]:
    """Return the incidents of a model that people were told of in a span, with the moment, oldest first."""
    query = (
        sa.select(incident_events.c.at, incidents.c.body)
        .join(incidents, incidents.c.id == incident_events.c.incident_id)
        .where(
            incidents.c.model == model,
            incident_events.c.event == "fired",
            incident_events.c.at > span.start,
            incident_events.c.at <= span.end,
        )
        .order_by(incident_events.c.id)
    )
    return [(row.at, bodies.load(Incident, row.body)) for row in connection.execute(query)]


def lines(events: Sequence[Event]) -> tuple[str, ...]:
    """Return a timeline as text, one line an event."""
    return tuple(
        f"{event.at:%Y-%m-%d %H:%M} UTC  {event.event}"
        + (f" by {event.actor}" if event.actor != "monitor" else "")
        + (f": {event.detail}" if event.detail else "")
        for event in events
    )


def silence(
    connection: sa.Connection, model: str, incident_id: str, until: datetime, who: str, reason: str, now: datetime
) -> None:
    """Record a silence."""
    connection.execute(
        silences.insert().values(
            model=model, incident_id=incident_id, until=until, created_at=now, created_by=who, reason=reason
        )
    )
