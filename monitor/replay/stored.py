"""What the store already has of a past: profiles of windows that were judged before, so that the log is not read again.

Profiles add up and depend on the reference's bins alone. So a window is put together from stored ones that tile it,
hours to days, whatever the checks, tolerances and budget of today.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from operator import add

import sqlalchemy as sa

from checks.profile import Bins, Profile
from checks.sampling import Sample
from monitor import referencing
from monitor.config.models import Model
from monitor.core.ports import Reading
from monitor.core.reference import Reference
from monitor.core.window import Window
from monitor.cycle import from_log
from monitor.store import evidence as evidence_rows
from monitor.store import references as reference_rows
from monitor.store import runs as run_rows
from monitor.store.database import Store
from monitor.store.runs import Run
from monitor.watch import Watch


@dataclass(eq=False)
class Stored:
    """Windows of one model that the store has profiles of.

    Parameters
    ----------
    runs : judged against snapshots of the same rows of the same log, oldest first.
    snapshots : ids of those, the one that the model is judged against today first.
    taken : windows that were put together so far.
    unsampled : how many of them have rows, but no sample of all of them any more.
    """

    store: Store
    watch: Watch
    runs: Sequence[Run]
    snapshots: Sequence[str]
    taken: int = 0
    unsampled: int = 0
    _fitting: dict[str, bool] = field(default_factory=dict)

    def hand_over(self, target: Store, now: datetime) -> str | None:
        """Give another store the snapshot in windows of today's schedule, and what it has taught.

        Returns
        -------
        str | None
            Its id; None where it is to be built from its rows.
        """
        with self.store.read() as source, target.write() as connection:
            for name in self.snapshots:
                whole = all(map(self._ours, reference_rows.windows_of(source, self.watch.name, name)))
                if whole or self.watch.model.reference.pin is not None:
                    reference_rows.copy(source, connection, self.watch.name, name)
                    evidence_rows.copy_taught(source, connection, self.watch.name, *self._keys(name), now)
                    return name
                found = windowed(reference_rows.find(source, self.watch.name, name), self.watch)
                if found is not None:
                    reference_rows.add(connection, found)
                    return found.id
        return None

    def _ours(self, window: Window) -> bool:
        return self.watch.schedule.window_containing(window.start) == window

    def _keys(self, reference_id: str) -> tuple[str, str]:
        return self.watch.audit_key(reference_id), self.watch.learnt_key(reference_id, None)

    def read(self, watch: Watch, window: Window, bins: Mapping[str, Bins]) -> Reading:
        """Return a window from the store where it can be had, else from the log."""
        return self.reading(window, bins) or from_log(watch, window, bins)

    def reading(self, window: Window, bins: Mapping[str, Bins]) -> Reading | None:
        """Return what the store has of a window; None where it does not have all of it, counted in these bins."""
        runs = tiling([run for run in self.runs if self._fits(run.reference_id or "", bins)], window)
        if not runs:
            return None
        with self.store.read() as connection:
            profiles = [run_rows.profile_of(connection, run.id) for run in runs]
            found = [profile for profile in profiles if profile is not None]
            if len(found) < len(runs):
                return None
            samples = run_rows.samples_of(connection, [run.id for run in runs])
        self.taken += 1
        with_rows = sum(profile.rows > 0 for profile in found)
        self.unsampled += self.watch.model.sample > 0 and len(samples) < with_rows
        if len(runs) == 1:
            return Reading(found[0], samples[0] if samples else Sample(0).rows())
        logs = self.watch.model.logs
        time, row_id = (getattr(logs, name, None) for name in ("time", "id"))
        sample = Sample(self.watch.model.sample, row_id, time, (window.start, window.end))
        return Reading(reduce(add, found), reduce(Sample.add, samples, sample).rows())

    def _fits(self, reference_id: str, bins: Mapping[str, Bins]) -> bool:
        if reference_id not in self._fitting:
            with self.store.read() as connection:
                self._fitting[reference_id] = reference_rows.bins_of(connection, self.watch.name, reference_id) == bins
        return self._fitting[reference_id]


def stored(store: Store, watch: Watch, start: datetime, end: datetime) -> Stored:
    """Return what the store has of a model between two moments."""
    with store.read() as connection:
        runs = run_rows.listing(connection, watch.name, since=start, until=end)
        done = [run for run in runs if run.state == "done" and run.reference_id]
        named = _named(connection, watch, done)
    return Stored(store, watch, [run for run in done if run.reference_id in named], named)


def _named(connection: sa.Connection, watch: Watch, runs: Sequence[Run]) -> list[str]:
    """Return the snapshots of the same rows of the same log: first that of today, then those of other schedules."""
    if watch.model.reference.pin is not None:
        return [reference_rows.find(connection, watch.name, watch.model.reference.pin).id]
    active = reference_rows.active_id(connection, watch.name, referencing.origin_of(watch.model))
    origins = {str(row["id"]): str(row["origin"]) for row in reference_rows.listing(connection, watch.name)}
    others = dict.fromkeys(run.reference_id or "" for run in reversed(runs) if run.reference_id != active)
    alike = [name for name in others if origins.get(name) == referencing.origin_of(_every(watch, runs, name))]
    return [*([active] if active else []), *alike]


def _every(watch: Watch, runs: Sequence[Run], reference_id: str) -> Model:
    """Return a model as it was when its windows were as long as those judged against a snapshot."""
    lengths = Counter(run.window.length for run in runs if run.reference_id == reference_id)
    ((every, _),) = lengths.most_common(1)  # a day in which clocks are set is not as long as others
    schedule = watch.model.schedule.model_copy(update={"every": every})
    return watch.model.model_copy(update={"schedule": schedule})


def windowed(reference: Reference, watch: Watch) -> Reference | None:
    """Return a snapshot whose windows are those of the schedule; None where they cannot be put together from its own.

    They cannot where its own are longer, where the oldest were not kept, or where it has no time.
    """
    grouped: dict[Window, list[Profile]] = {}
    for block, profile in reference.blocks:
        window = watch.schedule.window_containing(block.start)
        if block.end > window.end:
            return None
        grouped.setdefault(window, []).append(profile)
    if not 0 < len(reference.blocks) < referencing.MOST_BLOCKS:
        return None
    blocks = tuple((window, reduce(add, profiles)) for window, profiles in grouped.items())
    name = referencing.content_id(reference.bins, reference.profile, blocks)
    return replace(reference, id=name, blocks=blocks)


def tiling(runs: Sequence[Run], window: Window) -> list[Run]:
    """Return runs that cover a window without gap or overlap, oldest first; empty where there are none.

    Parameters
    ----------
    runs : oldest first; of several that begin together, the longest that fits is taken.
    """
    longest: dict[datetime, Run] = {}
    for run in runs:
        start, end = run.window.start, run.window.end
        if window.start <= start and end <= window.end and (start not in longest or end > longest[start].window.end):
            longest[start] = run
    found: list[Run] = []
    moment = window.start
    while moment < window.end and moment in longest:
        found.append(longest[moment])
        moment = longest[moment].window.end
    return found if moment == window.end else []
