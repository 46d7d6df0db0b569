"""Heartbeats: one row for each process that watches, written anew at every beat, by the database's clock."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from monitor.core.window import iso
from monitor.store import owners
from monitor.store.database import database_now
from monitor.store.leases import LEASE_SECONDS
from monitor.store.tables import heartbeats

FRESH_SECONDS = LEASE_SECONDS  # who has not been heard of for so long may have its work taken over
LONG_GONE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Process:
    """One process that watches, or did.

    Parameters
    ----------
    since_beat : seconds since its last beat, by the database's clock.
    body : what it said of itself.
    """

    owner: str
    version: str
    started_at: datetime
    since_beat: float
    body: Mapping[str, Any]

    @property
    def alive(self) -> bool:
        """Whether it still watches, as far as is known."""
        return self.since_beat < FRESH_SECONDS and not self.body.get("stopped") and not owners.gone(self.owner)

    @property
    def host(self) -> str:
        """The machine that it runs on."""
        return self.owner.split("/")[0].split(":")[0]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "owner": self.owner,
            "host": self.host,
            "version": self.version,
            "alive": self.alive,
            "started_at": iso(self.started_at),
            "seconds_since_beat": round(self.since_beat, 1),
            **{name: self.body.get(name) for name in ("models", "web", "stopped")},
        }


def beat(connection: sa.Connection, owner: str, version: str, started_at: datetime, body: Mapping[str, Any]) -> float:
    """Write a process's row, and forget those long gone; return the database's clock, in seconds since 1970."""
    now = database_now(connection)
    values = {"version": version, "started_at": started_at, "beat": now, "body": json.dumps(dict(body))}
    written = connection.execute(heartbeats.update().where(heartbeats.c.owner == owner).values(values))
    if not written.rowcount:
        connection.execute(heartbeats.insert().values(owner=owner, **values))
    connection.execute(heartbeats.delete().where(heartbeats.c.beat < now - LONG_GONE.total_seconds()))
    return float(connection.execute(sa.select(now)).scalar_one())


def processes(connection: sa.Connection) -> list[Process]:
    """Return the processes that there are rows of, the one heard of last first."""
    age = (database_now(connection) - heartbeats.c.beat).label("age")
    rows = connection.execute(sa.select(heartbeats, age).order_by(heartbeats.c.beat.desc()))
    return [Process(row.owner, row.version, row.started_at, max(0.0, row.age), _body(row.body)) for row in rows]


def alive(found: Sequence[Process]) -> list[Process]:
    """Return those that still watch."""
    return [process for process in found if process.alive]


def _body(text: str) -> dict[str, Any]:
    """Read what another release may have written."""
    try:
        body = json.loads(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
