"""Late rows: a window that had its verdict is counted again, read anew where that differs, and its verdict revised.

Every later window rests on it (its evidence, its volume, the onset of what it alarmed), so that all of them are judged
again from their stored profiles, as they would have been had the rows come in time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import sqlalchemy as sa
import structlog

from checks.profile import Profile, Volume
from monitor.consequences import follow
from monitor.core.alarms import Decided, Past
from monitor.core.errors import LeewayError
from monitor.core.evaluation import Subject
from monitor.core.own_incidents import watched
from monitor.core.ports import Reading
from monitor.core.revision import Rejudged, Revision, steps
from monitor.core.window import Window
from monitor.cycle import Cycle, held_before, judged, looked_at
from monitor.failpoints import reach
from monitor.locating import located
from monitor.scene import Scene
from monitor.serving import teller
from monitor.store import claims as claim_rows
from monitor.store import evidence as evidence_rows
from monitor.store import incidents as incident_rows
from monitor.store import revisions as revision_rows
from monitor.store import runs as run_rows
from monitor.store.claims import Claim
from monitor.store.database import StoreAwayError
from monitor.store.runs import Run
from monitor.store.shelf import Shelf, Shown
from monitor.store.tables import runs as run_table
from monitor.watch import Watch

if TYPE_CHECKING:
    from monitor.core.memory import Memory

log = structlog.get_logger("monitor.revising")


def revise(cycle: Cycle, watch: Watch, most: int, stopping: Callable[[], bool] = lambda: False) -> int:
    """Look for late rows in a model's windows whose time for that has come; return how many windows were looked at.

    Parameters
    ----------
    most : windows to look at.
    stopping : asked before every window.

    Raises
    ------
    StoreAwayError
        When the store cannot be used; the looks stay due.
    """
    looked = 0
    while looked < most and not stopping() and _due(cycle, watch):
        with cycle.store.write() as connection:
            found = claim_rows.reopen(connection, watch.name, cycle.owner, cycle.clock.now())
        if found is None:
            break
        reach("revision.claimed")
        looked += 1
        look = _Look(cycle, watch, *found)
        held = cycle.leases.holding(run_table, look.claim.run_id, look.claim.epoch)
        with held, cycle.pulse.working(watch.name) as outcome:
            outcome.append(look.take())
    return looked


def _due(cycle: Cycle, watch: Watch) -> bool:
    """Whether it is worth to claim, without the lock of a transaction that writes."""
    with cycle.store.read() as connection:
        come = run_rows.progress(connection, [watch.name]).get(watch.name)
    return come is not None and come.look_at is not None and come.look_at <= cycle.clock.now()


@dataclass(frozen=True, eq=False)
class _Again:
    """A window judged again, with what is needed to keep it; ``key`` is of the evidence that it belongs to."""

    run: Run
    reading: Reading
    rejudged: Rejudged
    key: str
    decided: Decided

    @property
    def shown(self) -> Shown:
        outcome = self.rejudged.outcome
        return Shown(self.run.window, self.reading, outcome.findings, self.key, self.decided, outcome.memory)


@dataclass(frozen=True, eq=False)
class _Look:
    """One window that is ours to look at again."""

    cycle: Cycle
    watch: Watch
    run: Run
    claim: Claim

    def take(self) -> str:
        """Look for late rows; whatever goes wrong but for the store itself, the window is given back.

        Returns what came of it: unchanged, revised, lost (to another process) or failed.
        """
        facts = {"model": self.watch.name, "window": str(self.run.window)}
        try:
            revision = self._revised()
        except StoreAwayError:
            raise
        except claim_rows.StaleClaimError as error:
            log.warning("revision.lost", reason=str(error), **facts)
            return "lost"
        except LeewayError as error:
            log.warning("revision.failed", reason=str(error), **facts)
        except Exception:
            log.exception("revision.failed", **facts)  # a defect anywhere must be told, and must not stop other models
        else:
            if revision is None:
                return "unchanged"
            changed = {"before": revision.rows_before, "after": revision.rows_after}
            log.info("window.revised", verdicts=len(revision.changes), **changed, **facts)
            return "revised"
        self._give_back(self._next() or self._later())
        return "failed"

    def _revised(self) -> Revision | None:
        if self.cycle.reader(self.watch, self.run.window, {}).profile.rows == self.run.rows:
            self._give_back(self._next())
            return None
        subject = self._subject(self.run)
        with self.cycle.store.read() as connection:
            comparable = self._kept(connection, self.run, subject) is not None
        if not comparable:
            reason = "it was judged with another reference or other checks than today's"
            log.warning("window.late_rows_ignored", model=self.watch.name, window=str(self.run.window), reason=reason)
            self._give_back(None)
            return None
        return self._write(
            subject, self._judged(self.cycle.reader(self.watch, self.run.window, subject.reference.bins))
        )

    def _subject(self, run: Run) -> Subject:
        """Return what a run is judged against: its version's reference; learnt no more than it had learnt then."""
        versioned = teller(self.watch.model) != "reference"
        return self.cycle.subject(self.watch, run.window.start, run.reference_id if versioned else None)

    def _next(self) -> datetime | None:
        return looked_at(self.watch, self.run.window, self.cycle.clock.now())

    def _later(self) -> datetime | None:
        """Return when a failed last look is made up for; None when the log has been away for too long."""
        options, now = self.watch.model.schedule, self.cycle.clock.now()
        over = self.run.window.end + options.delay + 2 * options.allowed_lateness
        return now + options.allowed_lateness / 8 if now < over else None

    def _give_back(self, look_at: datetime | None) -> None:
        with self.cycle.store.write() as connection:
            claim_rows.look_again(connection, self.claim, look_at)

    def _kept(self, connection: sa.Connection, run: Run, subject: Subject) -> evidence_rows.Kept | None:
        """Return the evidence after a run; None where today's configuration would not have reached its verdict."""
        kept = evidence_rows.after(connection, run.id)
        return kept if kept is not None and kept.key == self.watch.evidence_key(subject.reference.id) else None

    def _judged(self, reading: Reading) -> list[_Again]:
        """Judge the window and all after it, each with what people had decided before it.

        Every reference has evidence of its own, which goes on where a version comes back.
        """
        cycle, watch = self.cycle, self.watch
        shelf = _Overlaid(self.run.window, reading.profile)
        chain: list[_Again] = []
        held: dict[str, Memory] = {}
        with cycle.store.read() as connection:
            runs = run_rows.listing(connection, watch.name, since=self.run.window.start)
            opened = incident_rows.listing(connection, watch.name)
        for run in (run for run in runs if run.state == "done"):
            subject = self._subject(run)
            with cycle.store.read() as connection:
                kept = self._kept(connection, run, subject)
                own = reading if run.id == self.run.id else _stored(connection, run)
                if kept is None or own is None:
                    break  # from here on evidence was gathered anew, and owes nothing to the windows before
                before = held.get(kept.key) or held_before(connection, watch, subject, run.window)
                found = judged(connection, watch, subject, run.window, own.profile, before, kept.decided, shelf)
                found = located(connection, shelf, watch, subject, run.window, own.sample, found, opened)
                stored = run_rows.findings_of(connection, [run.id])
            chain.append(_Again(run, own, Rejudged(run.window, stored, found), kept.key, kept.decided))
            held[kept.key] = found.memory
        return chain

    def _write(self, subject: Subject, chain: Sequence[_Again]) -> Revision:
        """Write the revision and everything that follows from it in one transaction."""
        cycle, watch, run = self.cycle, self.watch, self.run
        keeps = [(again.run.id, cycle.shelf.keeping(again.shown)) for again in chain]
        profile, rejudged = chain[0].reading.profile, [again.rejudged for again in chain]
        changed = {"rows": profile.rows, "last_event": run_rows.moment_of(profile.last_event)}
        with cycle.store.write() as connection:
            now = cycle.clock.now()
            revision = Revision(run.window, now, run.rows or 0, profile.rows, rejudged[0].changes)
            claim_rows.look_again(connection, self.claim, self._next(), revision=run.revision + 1, **changed)
            for run_id, keep in keeps:
                keep(connection, run_id)
            revision_rows.put(connection, run.id, revision)
            opened = watched(incident_rows.listing(connection, watch.name))
            taken = steps(opened, rejudged, revision, run.finished_at, subject.holding)
            follow(connection, Scene(watch, subject.reference, run.window, profile.rows, now), taken)
            reach("revision.written")
        return revision


def _stored(connection: sa.Connection, run: Run) -> Reading | None:
    profile = run_rows.profile_of(connection, run.id)
    sample = next(iter(run_rows.samples_of(connection, [run.id])), pa.table({}))
    return Reading(profile, sample) if profile is not None else None


@dataclass(frozen=True)
class _Overlaid(Shelf):
    """The store as it will be when a window has its new profile."""

    window: Window
    profile: Profile

    def volumes(self, connection: sa.Connection, model: str, before: datetime, limit: int) -> tuple[Volume, ...]:
        """Return how many rows the windows before a moment had, oldest first."""
        start, last = self.window.start.timestamp(), run_rows.moment_of(self.profile.last_event)
        event = last.timestamp() if last is not None else None
        return tuple(
            replace(volume, rows=self.profile.rows, last_event=event) if volume.start == start else volume
            for volume in super().volumes(connection, model, before, limit)
        )

    def past(self, connection: sa.Connection, model: str, reference_id: str, before: datetime) -> Past:
        """Return what gives the windows before a moment with their profiles."""
        stored = super().past(connection, model, reference_id, before)
        return lambda since: [
            (window, self.profile if window == self.window else profile) for window, profile in stored(since)
        ]
