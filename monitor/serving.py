"""Which version served a window: as its rows say, or the schedule of versions, or the registry that is followed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import structlog

from checks.profile import Bins
from monitor.config.models import Model
from monitor.core.errors import LeewayError, UserError
from monitor.core.ports import Reading
from monitor.core.versions import Began, Served, by_rows, by_time
from monitor.core.window import Window
from monitor.following import follow
from monitor.registries.mlflow import Mlflow
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows
from monitor.store.database import Store
from monitor.watch import Watch

Reader = Callable[[Watch, Window, Mapping[str, Bins]], Reading]


log = structlog.get_logger("monitor.serving")


def served(store: Store, watch: Watch, window: Window, reader: Reader, now: datetime) -> Served:
    """Return which version served a window; one that nobody names where nobody says.

    Raises
    ------
    LeewayError
        When the log cannot be read, or has no such column, or MLflow has never said which version serves.
    """
    model = watch.model
    if model.version is not None:
        return _named(store, watch, window, reader, now)
    if model.versions.schedule:
        return by_time(scheduled(model), window)
    if model.versions.mlflow is not None:
        return _aliased(store, watch, model.versions.mlflow, window, now)
    return Served()


def _named(store: Store, watch: Watch, window: Window, reader: Reader, now: datetime) -> Served:
    """Return the version that most rows name; where none does, the one before, and where there was none, today's."""
    column, today = str(watch.model.version), watch.schedule.newest_due(now)
    with store.read() as connection:
        version = run_rows.version_before(connection, watch.name, window.start)
    found = by_rows(_rows(watch, window, reader, column), version)
    if found.version is not None:
        return found
    if version is None and window != today:
        version = by_rows(_rows(watch, today, reader, column)).version
    return replace(found, version=version)


def _aliased(store: Store, watch: Watch, registry: Mlflow, window: Window, now: datetime) -> Served:
    """Return the version that the alias pointed at; before it was looked at for the first time, what it was then."""
    with store.read() as connection:
        began = version_rows.began(connection, watch.name)
    if not began or window.start >= watch.schedule.newest_due(now).start:  # what it says now is no news of the past
        try:
            follow(store, watch.name, registry, now)
        except LeewayError as error:
            if not began:
                raise
            log.warning("registry.away", model=watch.name, reason=str(error), remedy="the version known last is taken")
        with store.read() as connection:
            began = version_rows.began(connection, watch.name)
    found = by_time(began, window)
    return found if found.version is not None or not began else Served(began[0].version)


def teller(model: Model) -> str:
    """Return who says which version serves: ``rows``, ``schedule``, ``mlflow``, or ``reference`` where nobody does."""
    if model.version is not None:
        return "rows"
    if model.versions.schedule:
        return "schedule"
    return "mlflow" if model.versions.mlflow is not None else "reference"


def scheduled(model: Model) -> list[Began]:
    """Return the configured versions, oldest first."""
    zone = ZoneInfo(model.schedule.timezone)

    def aware(moment: datetime) -> datetime:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)

    return [Began(entry.version, aware(entry.since)) for entry in model.versions.schedule]


def _rows(watch: Watch, window: Window, reader: Reader, column: str) -> dict[str, int]:
    """Count the rows of each version: a category that no reference knows is kept by name, with its count."""
    profile = reader(watch, window, {column: Bins("categorical")}).profile.columns[column]
    if profile.rows and profile.absent == profile.rows:
        raise UserError(f"version: the log has no column {column!r}")
    return {profile.unseen.values[number]: count for number, count in profile.unseen.counts.items()}
