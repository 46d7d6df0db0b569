"""Which snapshot a window is judged against: that of the version which served it, as far as it has one."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from monitor import referencing
from monitor.config.calendars import Period
from monitor.config.models import Model
from monitor.core.errors import UserError
from monitor.core.incident import Incident
from monitor.core.ports import Clock
from monitor.core.window import Window
from monitor.store import incidents as incident_rows
from monitor.store import references as reference_rows
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows
from monitor.store.database import Store
from monitor.watch import Watch

log = structlog.get_logger("monitor.choosing")


@dataclass(frozen=True)
class Chosen:
    """A snapshot.

    Parameters
    ----------
    own : whether it is the version's own, rather than that of the one before, or of all.
    lacking : why the version has none of its own though it should have, in words.
    """

    reference_id: str
    own: bool = True
    lacking: str | None = None


@dataclass(frozen=True)
class Choosing:
    """Chooses among the snapshots of one store, and builds what it has not yet.

    Parameters
    ----------
    who : in whose name a snapshot is added.
    """

    store: Store
    clock: Clock
    who: str

    def chosen(self, watch: Watch, version: str | None, window: Window | None = None) -> Chosen:
        """Return what the rows of a version are judged against.

        Parameters
        ----------
        version : None where nobody says which served.
        window : that is to be judged; None for now.

        Raises
        ------
        LeewayError
            When there is no snapshot at all, or none can be had for now.
        """
        where = watch.model.reference
        if where.pin is not None:
            with self.store.read() as connection:
                return Chosen(reference_rows.id_of(connection, watch.name, where.pin), own=False)
        if version is None:
            return Chosen(self._configured(watch, referencing.of_version(watch.model, None)))
        now = window.end if window is not None else self.clock.now()
        with self.store.read() as connection:
            entry = version_rows.at(connection, watch.name, now)
            since = entry.since if entry is not None and entry.version == version else None
            pinned = reference_rows.pinned_for(connection, watch.name, version, since)
        if pinned is not None:
            return Chosen(pinned)
        return self._of(watch, version, since or (window.start if window is not None else now), window)

    def _of(self, watch: Watch, version: str, since: datetime, window: Window | None) -> Chosen:
        """Return the snapshot of a version that serves since a moment, wherever there is one."""
        where, lacking = watch.model.reference, None
        if where.by_version or where.version == version:
            try:
                return Chosen(self._configured(watch, referencing.of_version(watch.model, version)))
            except UserError as error:
                if not where.by_version:
                    raise
                lacking = f"version {version} has no reference of its own: {error}"
        with self.store.read() as connection:
            added = reference_rows.newest_of(connection, watch.name, version)
        if added is not None:
            return Chosen(added)
        if not where.by_version and where.settle is None:
            return Chosen(self._configured(watch, watch.model), own=False)
        if where.settle is not None:
            try:
                lacking = None
                settled = self._settled(watch, version, since, window.start if window is not None else self.clock.now())
                if settled is not None:
                    return Chosen(settled)
            except UserError as error:
                lacking = f"version {version} has no reference of its own: {error}"
        return self._lent(watch, version, window, lacking)

    def _lent(self, watch: Watch, version: str, window: Window | None, lacking: str | None) -> Chosen:
        """Return the snapshot of the version before, or before the first window that of the configuration."""
        former = self._former(watch, window)
        if former is None and not watch.model.reference.by_version:
            former = self._configured(watch, watch.model)
        if former is None:
            raise UserError(lacking or f"version {version} has no reference yet, and neither had one before it")
        return Chosen(former, own=False, lacking=lacking)

    def _configured(self, watch: Watch, model: Model) -> str:
        """Return the snapshot of what the configuration names, building it when the store has none yet."""
        with self.store.read() as connection:
            look = reference_rows.newest_from if watch.model.reference.by_version else reference_rows.active_id
            known = look(connection, watch.name, referencing.origin_of(model))
        return known or self._add(watch, model)

    def _add(self, watch: Watch, model: Model) -> str:
        log.info("reference.build", model=watch.name, version=model.reference.version)
        built = referencing.snapshot(model, watch.name, now=self.clock.now(), who=self.who)
        with self.store.write() as connection:
            reference_rows.add(connection, built)
        return built.id

    def _settled(self, watch: Watch, version: str, since: datetime, until: datetime) -> str | None:
        """Return the reference that a version's own log has become; None while it settles, or its data are broken."""
        assert watch.model.reference.settle is not None
        length = watch.model.reference.settle
        with self.store.read() as connection:
            told = incident_rows.listing(connection, watch.name, closed=True)
        for incident in sorted((i for i in told if _broken(i)), key=lambda incident: incident.onset):
            if incident.onset < since + length and (incident.resolved_at is None or incident.resolved_at > since):
                if incident.resolved_at is None:
                    return None  # nobody learns from broken data
                since = max(since, incident.last_window_end)
        if until < since + length:
            return None
        own = Period(start=since, end=since + length)
        where = watch.model.reference.model_copy(
            update={"file": None, "query": None, "mlflow": None, "dvc": None, "period": own, "version": version}
        )
        return self._add(watch, watch.model.model_copy(update={"reference": where}))

    def _former(self, watch: Watch, window: Window | None) -> str | None:
        with self.store.read() as connection:
            run = run_rows.before(connection, watch.name, window.start if window is not None else self.clock.now())
            used = run.reference_id if run is not None else None
            return used or reference_rows.newest(connection, watch.name)


def _broken(incident: Incident) -> bool:
    return incident.pipeline is True and not incident.expected and incident.told
