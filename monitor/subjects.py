"""What windows are judged against: a model's reference and what it teaches, learnt once and kept in the store.

A process holds a few in memory, up to a bound: with a thousand models all of them would be gigabytes, and the store has
one in a few hundredths of a second.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache

import structlog

from checks.budget import Audit
from checks.codec import FormatError
from checks.layout import Layout
from monitor.choosing import Choosing, Chosen
from monitor.core.evaluation import Subject
from monitor.core.learnt import decode, encode
from monitor.core.ports import Clock
from monitor.core.reference import Reference
from monitor.core.signal import Rhythm, Signal, Terms, audited, layout_of, learn, stage
from monitor.core.window import Window
from monitor.serving import Reader, served
from monitor.store import evidence as evidence_rows
from monitor.store import references as reference_rows
from monitor.store import runs as run_rows
from monitor.store import versions as version_rows
from monitor.store.database import Store
from monitor.watch import Watch

log = structlog.get_logger("monitor.subjects")

MOST_HELD = 4 << 20  # bytes of subjects that a process keeps: two of 50 columns; a larger one is kept alone
COLUMN_BYTES = 4_000  # that bins and profile of a column take, about


@dataclass
class Subjects:
    """Prepares and remembers what the models of one store are judged against.

    Parameters
    ----------
    who : in whose name a snapshot is added that the store has not yet.
    reader : reads a window, to see which version served it.
    most : bytes to hold, about; the one used last is held whatever its size.
    """

    store: Store
    clock: Clock
    who: str
    reader: Reader
    most: int = MOST_HELD
    _held: OrderedDict[str, tuple[str, Subject]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def subject(self, watch: Watch, moment: datetime | None = None, reference_id: str | None = None) -> Subject:
        """Return the model's reference and what it teaches, building the snapshot when the store has none yet.

        The reference comes without its windows and its sample.

        Parameters
        ----------
        moment : up to which the log itself may have taught what a reference without time does not; by default now.
        reference_id : of the snapshot; by default that which the model is judged against now.

        Raises
        ------
        LeewayError
            When the reference cannot be had.
        """
        reference_id = reference_id or self._now(watch)
        held = self._held.get(watch.name)
        with self.store.read() as connection:
            if held is not None and held[1].reference.id == reference_id:
                reference = held[1].reference
            else:
                reference = reference_rows.outline(connection, watch.name, reference_id)
            first = run_rows.first_start(connection, watch.name, reference_id) if reference.span is None else None
        span = stage(reference, first, moment or self.clock.now())
        fingerprint = f"{watch.fingerprint(reference_id)} {span}"
        if held is not None and held[0] == fingerprint:
            self._hold(watch.name, *held)
            return held[1]
        signal = self._signal(watch, reference, first, span)
        subject = Subject(watch.name, reference, watch.plan, signal, watch.holding)
        self._hold(watch.name, fingerprint, subject)
        return subject

    def reference(self, watch: Watch) -> Reference:
        """Return the whole snapshot that the model is judged against now."""
        reference_id = self._now(watch)
        with self.store.read() as connection:
            return reference_rows.find(connection, watch.name, reference_id)

    def forget(self) -> bool:
        """Let go of everything that is held; return whether there was anything."""
        with self._lock:
            anything = bool(self._held)
            self._held.clear()
        return anything

    def chosen(self, watch: Watch, version: str | None, window: Window) -> Chosen:
        """Return the snapshot that a window of a version is judged against; see :class:`monitor.choosing.Choosing`."""
        return self._choosing.chosen(watch, version, window)

    def _now(self, watch: Watch) -> str:
        """Return the snapshot that the model is judged against now, by the version that served last."""
        with self.store.read() as connection:
            entry = version_rows.at(connection, watch.name, self.clock.now())
        if entry is not None:
            version = entry.version
        else:  # nothing has been judged yet
            now = self.clock.now()
            version = served(self.store, watch, watch.schedule.newest_due(now), self.reader, now).version
        return self._choosing.chosen(watch, version).reference_id

    @property
    def _choosing(self) -> Choosing:
        return Choosing(self.store, self.clock, self.who)

    def _signal(self, watch: Watch, reference: Reference, first: datetime | None, span: timedelta | None) -> Signal:
        """Return what a reference teaches, from the store; learnt and kept where the store has it not.

        It is read back in either case, so that how it was come by makes no difference to a single bit.
        """

        @cache
        def whole() -> Reference:
            with self.store.read() as connection:
                return reference_rows.find(connection, watch.name, reference.id)

        audit = self._audit(watch, reference, whole)
        shape = (layout_of(reference, watch.plan), watch.rhythm, watch.terms, audit)
        key = watch.learnt_key(reference.id, span)
        with self.store.read() as connection:
            body = evidence_rows.learnt_of(connection, key)
        known = _read(body, shape) if body is not None else None
        if known is not None:
            return known
        with self.store.read() as connection:
            lived = (
                run_rows.profiles_between(connection, watch.name, reference.id, first, first + span)
                if first is not None and span is not None
                else []
            )
        body = encode(learn(whole(), watch.plan, watch.rhythm, watch.terms, audit, lived))
        with self.store.write() as connection:
            evidence_rows.keep_learnt(connection, key, body, self.clock.now())
        return decode(body, *shape)

    def _audit(self, watch: Watch, reference: Reference, whole: Callable[[], Reference]) -> Audit:
        """Return what the replay of the reference says an alarm must cost; made once and kept."""
        key = watch.audit_key(reference.id)
        with self.store.read() as connection:
            known = evidence_rows.audit_of(connection, key)
        if known is not None:
            return known
        found = audited(whole(), watch.plan, watch.rhythm, watch.terms)
        log.info("reference.replayed", model=watch.name, days=found.days, false_alarms_per_30d=found.rate)
        with self.store.write() as connection:
            evidence_rows.keep_audit(connection, key, watch.name, found, self.clock.now())
        return found

    def _hold(self, name: str, fingerprint: str, subject: Subject) -> None:
        """Keep a subject as the one used last, and let go of those used longest ago that there is no room for."""
        with self._lock:
            self._held[name] = fingerprint, subject
            self._held.move_to_end(name)
            room = self.most
            for other in reversed(list(self._held)):
                room -= weight(self._held[other][1])
                if room < 0 and other != name:
                    del self._held[other]


def _read(body: bytes, shape: tuple[Layout, Rhythm, Terms, Audit]) -> Signal | None:
    """Return what was learnt; None where the row is damaged, for it can be learnt anew."""
    try:
        return decode(body, *shape)
    except FormatError as error:
        log.warning("learnt.damaged", reason=str(error), remedy="learnt anew")
        return None


def weight(subject: Subject) -> int:
    """Return about how many bytes a subject takes."""
    return subject.signal.size + COLUMN_BYTES * len(subject.reference.bins)
