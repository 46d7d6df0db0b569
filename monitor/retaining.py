"""How long the store keeps what: the configured policy, and what later verdicts rest on in spite of it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import sqlalchemy as sa
import structlog

from monitor.config.models import Config
from monitor.config.operations import Retention
from monitor.core.alarms import DAYS_BACK
from monitor.core.ports import Clock
from monitor.core.signal import STAGES
from monitor.core.table_faults import LOOKED_BACK, PEERS
from monitor.core.window import iso
from monitor.cycle import HISTORY
from monitor.store import heartbeats as heartbeat_rows
from monitor.store import incidents as incident_rows
from monitor.store import references as reference_rows
from monitor.store import retention
from monitor.store import runs as run_rows
from monitor.store.database import Store
from monitor.store.tables import incidents, outbox, runs
from monitor.watch import Watch, watches

log = structlog.get_logger("monitor.retaining")

EVERY = timedelta(days=1)
FIRST = timedelta(minutes=10)  # after the start of a daemon: what is owed comes first
MOST_SECONDS = 60.0  # of one turn; what is left is for the next
_WEEK = timedelta(weeks=1)
_CLOCKS_SET = timedelta(hours=2)  # by which a day may be longer or shorter than others


@dataclass(frozen=True)
class Pruned:
    """What went, or would go, of one part; ``before`` is the moment that decides, None where age does not."""

    what: str
    model: str
    rows: int
    before: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        before = iso(self.before) if self.before else None
        return {"model": self.model or None, "what": self.what, "rows": self.rows, "before": before}


def limits(
    connection: sa.Connection, name: str, watch: Watch | None, policy: Retention, now: datetime
) -> retention.Limits:
    """Return what may go of a model.

    Time is counted back from the oldest window that is still to be judged, or judged again for late rows: a daemon that
    was down for a year, or that replays a log of the past, finds all that its next window rests on.

    Parameters
    ----------
    watch : None for a model that is no longer configured.
    """
    anchor = min(filter(None, (now, *(_pending(connection, name) if watch is not None else ()))))
    every = watch.schedule.every if watch is not None else timedelta(days=1)
    odd = _CLOCKS_SET if every >= timedelta(days=1) else every / 2  # the last window of a day takes the remainder
    needed = max(HISTORY, DAYS_BACK, LOOKED_BACK * (every + odd), PEERS * _WEEK)
    opened = incident_rows.listing(connection, name)
    profiles = min([anchor - max(policy.profiles, needed), *(incident.onset for incident in opened)])
    cooldown = watch.policy.cooldown if watch is not None else timedelta()
    return retention.Limits(
        model=name,
        samples=anchor - policy.samples,
        profiles=profiles,
        runs=min(profiles, anchor - policy.incidents),
        incidents=anchor - max(policy.incidents, cooldown),
        windows=ceil(HISTORY / (every - odd)),
        rests_on=anchor,
        learning=STAGES[-1],
    )


def _pending(connection: sa.Connection, name: str) -> tuple[datetime | None, datetime | None]:
    """Return where the next window begins, and the oldest that is looked at again for late rows."""
    looked_at = sa.select(sa.func.min(runs.c.window_start)).where(runs.c.model == name, runs.c.look_at.is_not(None))
    return run_rows.last_end(connection, name), connection.execute(looked_at).scalar()


def parts(store: Store, config: Config, now: datetime) -> list[retention.Part]:
    """Return all that may go."""
    known = watches(config)
    with store.read() as connection:
        stored = (connection.execute(sa.select(t.c.model).distinct()).scalars() for t in (runs, incidents, outbox))
        names = dict.fromkeys([*known, *sorted(name for found in stored for name in found)])
        found = [
            part
            for name in names
            for part in retention.of_model(connection, limits(connection, name, known.get(name), config.retention, now))
        ]
        used = [key for watch in known.values() for key in _used(connection, watch)]
        return [*found, *retention.of_no_model(now - config.retention.profiles, used, now)]


def _used(connection: sa.Connection, watch: Watch) -> Iterable[str]:
    """Yield the keys of all that the model's references may have taught under the present configuration."""
    for row in reference_rows.listing(connection, watch.name):
        name = str(row["id"])
        yield watch.audit_key(name)
        yield from (watch.learnt_key(name, span) for span in (None, *STAGES))


def would_prune(store: Store, config: Config, now: datetime) -> list[Pruned]:
    """Return what would go now, part by part, without those that have nothing."""
    chosen = parts(store, config, now)
    with store.read() as connection:
        counted = [Pruned(part.what, part.model, part.count(connection), part.before) for part in chosen]
    return [one for one in counted if one.rows]


def prune(store: Store, config: Config, now: datetime, stopping: Callable[[], bool] = lambda: False) -> list[Pruned]:
    """Remove what the policy does not keep; return what went, part by part, without those that had nothing.

    Parameters
    ----------
    stopping : asked before every transaction; what is left goes the next time.
    """
    removed = []
    for part in parts(store, config, now):
        rows = retention.remove(store, part, stopping)
        if rows:
            removed.append(Pruned(part.what, part.model, rows, part.before))
    if removed:
        retention.give_back(store, stopping)
    return removed


class Daily:
    """When a daemon prunes: some minutes after its start, and once a day from then on; one replica of several."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = clock.now() - EVERY + FIRST

    @property
    def due(self) -> bool:
        """Whether it is time; a clock that was set back does not put it off."""
        now = self._clock.now()
        return now - self._last >= EVERY or now < self._last - EVERY

    def work(self, store: Store, config: Config, owner: str, stopping: Callable[[], bool]) -> None:
        """Prune for a while; what takes longer goes on with the next tick."""
        if not _first_of_those_alive(store, owner):
            self._last = self._clock.now()
            return
        ends = time.monotonic() + MOST_SECONDS
        removed = prune(store, config, self._clock.now(), lambda: stopping() or time.monotonic() > ends)
        if removed:
            log.info("store.pruned", rows={f"{p.model} {p.what}".strip(): p.rows for p in removed})
        if time.monotonic() <= ends:
            self._last = self._clock.now()


def _first_of_those_alive(store: Store, owner: str) -> bool:
    """Return whether no other living process comes before this one; if two prune at once, they only share the work."""
    with store.read() as connection:
        living = heartbeat_rows.alive(heartbeat_rows.processes(connection))
    return owner <= min((process.owner for process in living), default=owner)
