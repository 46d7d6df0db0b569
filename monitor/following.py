"""MLflow's registry, followed: which version the alias points at, and tags that say how each version fares."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from monitor.core.errors import LeewayError
from monitor.core.finding import IncidentKind
from monitor.core.incident import State
from monitor.core.ports import Clock
from monitor.core.window import iso
from monitor.registries.mlflow import Mlflow
from monitor.store import incidents as incident_rows
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows
from monitor.store.database import Store, StoreAwayError
from monitor.watch import Watch

log = structlog.get_logger("monitor.following")


def follow(store: Store, name: str, registry: Mlflow, now: datetime) -> None:
    """Look which version the alias points at, and write down when it is another one.

    Raises
    ------
    LeewayError
        When MLflow cannot say it.
    """
    found = registry.serving()
    if found is None:
        log.warning("alias.unset", model=name, alias=registry.alias)
        return
    with store.read() as connection:  # most looks bring nothing new: no writer has to wait for them
        known = version_rows.began(connection, name)
    if known and known[-1].version == found.version:
        return
    with store.write() as connection:
        entries = version_rows.listing(connection, name)
        if entries and entries[-1].version == found.version:
            return  # another replica was first
        # Since when the first one serves nobody remembers; since it was made, at the earliest.
        since = now if entries else min(found.created_at, now)
        version_rows.begin(connection, name, found.version, since, "mlflow", now)
    log.info("version.began", model=name, version=found.version, since=iso(since))


def tags(store: Store, name: str) -> tuple[str, dict[str, str]] | None:
    """Return the version that was judged last, and what its tags say; None where none has been judged."""
    with store.read() as connection:
        run = run_rows.newest(connection, name)
        opened = incident_rows.listing(connection, name)
    if run is None or run.served.version is None:
        return None
    firing = [incident for incident in opened if incident.state is State.FIRING]
    drifting = any(incident.kind is IncidentKind.DRIFT for incident in firing)
    return run.served.version, {
        "leeway.drift": "drift" if drifting else "no drift seen",
        "leeway.last_check": iso(run.window.end),
        "leeway.incident": ", ".join(incident.id for incident in firing),
    }


@dataclass
class Following:
    """Follows the registries of all models, each as often as it is configured to be looked at."""

    store: Store
    clock: Clock
    _looked: dict[str, datetime] = field(default_factory=dict)
    _away: dict[str, LeewayError] = field(default_factory=dict)
    _tagged: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def due(self, watches: Iterable[Watch]) -> list[Watch]:
        """Return the models whose alias is to be looked at now."""
        now = self.clock.now()
        return [
            watch
            for watch in watches
            if (registry := watch.model.versions.mlflow) is not None
            and not (watch.name in self._looked and abs(now - self._looked[watch.name]) < registry.poll)
        ]

    def owes(self, watches: Collection[Watch]) -> bool:
        """Return whether a model is due, or one whose registry is away is watched no more, which is to be forgotten."""
        return bool(self.due(watches) or self._gone(watches))

    def _gone(self, watches: Iterable[Watch]) -> set[str]:
        return self._away.keys() - {watch.name for watch in watches}

    def hasten(self, name: str) -> None:
        """Look at a model's alias as soon as possible, for it has moved."""
        self._looked.pop(name, None)

    def work(self, watches: Collection[Watch]) -> None:
        """Follow the models that are due; one whose registry is away does not stop the others.

        Raises
        ------
        StoreAwayError
            When the store cannot be used.
        LeewayError
            What one of those said that could not be followed the last time, be they due now or not.
        """
        for name in self._gone(watches):
            del self._away[name]
        for watch in self.due(watches):
            registry = watch.model.versions.mlflow
            assert registry is not None
            self._looked[watch.name] = self.clock.now()
            try:
                follow(self.store, watch.name, registry, self.clock.now())
                self._tag(watch.name, registry)
            except StoreAwayError:
                raise
            except LeewayError as error:
                self._away[watch.name] = error
            else:
                self._away.pop(watch.name, None)
        if self._away:
            raise next(iter(self._away.values())).with_traceback(None)  # of many raises it would be a long one

    def _tag(self, name: str, registry: Mlflow) -> None:
        wanted = tags(self.store, name) if registry.tags else None
        if wanted is None or self._tagged.get(name) == wanted:
            return
        registry.tag(*wanted)
        self._tagged[name] = wanted
