"""Delivers the outbox: claim a letter, send it, write down what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

import sqlalchemy as sa
import structlog

from monitor.asking import Asking, trigger_of
from monitor.consequences import follow
from monitor.core.errors import defect
from monitor.core.incident import Transition
from monitor.core.notice import Attempt, Deferred, Delivered, Notice, Outcome, Rejected
from monitor.core.ports import Clock, Notifier
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.dead_letters import pass_on
from monitor.failpoints import reach
from monitor.pulse import FLUSHED, Pulse
from monitor.scene import scene_now
from monitor.store import bodies
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import retrains as retrain_rows
from monitor.store.database import Store
from monitor.store.leases import Leases
from monitor.store.outbox import Letter
from monitor.store.tables import outbox as outbox_table
from monitor.watch import Watch

log = structlog.get_logger("monitor.delivery")

FIRST_WAIT = 15.0  # seconds before the second attempt; doubles every time
LONGEST_WAIT = 300.0  # so that everything arrives within minutes of the end of an outage
LONGEST_ASKED = 6 * 3600.0  # of Retry-After: nobody may silence a message for good
MOST_ATTEMPTS = 720  # at about five minutes each: two days and a half


@dataclass(frozen=True)
class Delivery:
    """Delivers from one store to the configured receivers and triggers.

    ``fallback`` is the receiver that is told what another one cannot be told.
    """

    store: Store
    clock: Clock
    owner: str
    notifiers: Mapping[str, Notifier]
    watches: Mapping[str, Watch]
    leases: Leases = field(default_factory=Leases)
    fallback: str | None = None
    pulse: Pulse = field(default_factory=Pulse)

    def flush(self, most: int = 100, key: str | None = None, stopping: Callable[[], bool] = lambda: False) -> int:
        """Deliver what is due, or the one letter with this key; return how many letters were tried.

        A receiver that puts a letter off is not asked again before the next time: waiting for one that is away must
        not hold up what is for others.

        Parameters
        ----------
        most : letters to try.
        key : of the only letter to try.
        stopping : asked before every letter.
        """
        tried = 0
        away: set[str] = set()
        with self.store.read() as connection:
            if not outbox_rows.anything(connection, self.clock.now()):
                return tried
        while tried < most and not stopping():
            with self.store.write() as connection:
                letter = outbox_rows.claim(connection, self.owner, self.clock.now(), key, away)
            if letter is None:
                break
            tried += 1
            reach("letter.claimed")
            with self.leases.holding(outbox_table, letter.id, letter.epoch):
                if not self._is_ours(letter):
                    log.warning("letter.lost", key=letter.key, receiver=letter.receiver)
                elif letter.kind == "retrain":
                    self._fire(letter)
                elif self._deliver(letter):
                    away.add(letter.receiver)
            self.pulse.mark(FLUSHED)
        return tried

    def _is_ours(self, letter: Letter) -> bool:
        """Whether nobody can have taken a letter over since: who was stopped for long must not send it as well."""
        with self.store.read() as connection:
            return outbox_rows.is_held(connection, letter)

    def _deliver(self, letter: Letter) -> bool:
        """Send a notice; return whether it was put off."""
        outcome = self._send(letter)
        reach("letter.sent")
        with self.store.write() as connection:
            self._settle(connection, letter, outcome, self.clock.now())
            reach("letter.settled")
        reach("letter.committed")
        return isinstance(outcome, Deferred)

    def _send(self, letter: Letter) -> Outcome:
        notifier = self.notifiers.get(letter.receiver)
        if notifier is None:
            return Rejected(f"the configuration has no receiver {letter.receiver!r} any more")
        with self.store.read() as connection:
            earlier = outbox_rows.latest_reference(connection, letter.incident_id or "", letter.receiver)
        try:
            notice = bodies.load(Notice, letter.payload)
        except ValueError:
            return Deferred("this release cannot read the message; another one wrote it")
        try:
            return notifier.send(Attempt(notice, letter.attempts, letter.uncertain, earlier))
        except Exception as error:  # noqa: BLE001 - a defect in one notifier must not stop the others
            return Deferred(f"the notifier failed: {defect(error)}", uncertain=True)

    def _settle(self, connection: sa.Connection, letter: Letter, outcome: Outcome, now: datetime) -> None:
        facts = {"key": letter.key, "receiver": letter.receiver, "incident": letter.incident_id}
        if isinstance(outcome, Deferred) and letter.attempts >= MOST_ATTEMPTS:
            outcome = Rejected(f"gave up after {letter.attempts} attempts: {outcome.reason}")
        self.pulse.notices[letter.receiver, type(outcome).__name__.lower()] += 1
        if isinstance(outcome, Delivered):
            if outbox_rows.delivered(connection, letter, outcome.reference, outcome.note, now):
                outbox_rows.wake(connection, letter.receiver, now)
            log.info("notice.delivered", **facts)
        elif isinstance(outcome, Deferred):
            again = now + timedelta(seconds=wait(letter, outcome.retry_after))
            held = outcome.retry_after is not None
            outbox_rows.deferred(connection, letter, outcome.reason, again, uncertain=outcome.uncertain, held=held)
            log.warning("notice.deferred", reason=outcome.reason, again_at=again.isoformat(), **facts)
        else:
            log.error("notice.dead", reason=outcome.reason, **facts)
            self._give_up(connection, letter, outcome.reason, now)

    def _give_up(self, connection: sa.Connection, letter: Letter, reason: str, now: datetime) -> None:
        if not outbox_rows.dead(connection, letter, reason, now):
            return  # whoever took it over decides
        if letter.incident_id is not None:
            detail = f"{letter.receiver} could not be told: {reason}"
            incident_rows.note(connection, letter.incident_id, "undeliverable", "monitor", detail, now)
        if self.fallback is not None and pass_on(connection, letter, reason, self.fallback, now):
            log.info("notice.passed_on", key=letter.key, receiver=letter.receiver, fallback=self.fallback)

    def _fire(self, letter: Letter) -> None:
        """Ask the model's trigger; look an unknown outcome up before anything is asked twice."""
        try:
            request = bodies.load(RetrainRequest, letter.payload)
        except bodies.DamagedRowError as error:  # who knows what it would ask for
            with self.store.write() as connection:
                self._give_up(connection, letter, str(error), self.clock.now())
            return
        watch = self.watches.get(letter.model)
        trigger = trigger_of(watch, request)
        fired = Asking(self.store).outcome(trigger, request, uncertain=letter.uncertain)
        reach("letter.sent")
        if trigger is not None:
            self.pulse.retrains[type(trigger).__name__.lower(), str(fired.state)] += 1
        log.info("retrain.fired", key=request.key, state=str(fired.state), note=fired.note)
        with self.store.write() as connection:
            now = self.clock.now()  # asked when it is our turn to write, so that timelines are in order
            unsettled = fired.state is RetrainState.UNKNOWN or fired.retry_after is not None
            if unsettled and letter.attempts < MOST_ATTEMPTS:
                again = now + timedelta(seconds=wait(letter, fired.retry_after))
                # Only what cannot have arrived is asked again without looking it up first.
                uncertain = fired.state is not RetrainState.REQUESTED
                ours = outbox_rows.deferred(connection, letter, fired.note, again, uncertain=uncertain)
            else:
                ours = outbox_rows.delivered(connection, letter, {"run": fired.run or ""}, fired.note, now)
                unsettled = False
            if not ours:
                return  # whoever took it over looks its outcome up, and writes that
            retrain_rows.move(connection, request.key, fired, now)
            if not unsettled and request.incident is not None and watch is not None:
                self._tell(connection, watch, request, fired, now)
            reach("letter.settled")
        reach("letter.committed")

    def _tell(
        self, connection: sa.Connection, watch: Watch, request: RetrainRequest, fired: Fired, now: datetime
    ) -> None:
        assert request.incident is not None
        incident = incident_rows.get(connection, request.incident)
        detail = f"{request.key} {fired.state}" + (f": {fired.note}" if fired.note else "")
        detail += f" ({fired.url})" if fired.url is not None else ""
        ended = Transition(incident, incident, str(request.action), now, detail)
        follow(connection, scene_now(connection, watch, now), [ended])


def wait(letter: Letter, retry_after: float | None) -> float:
    """Return the seconds until the next attempt: doubling with jitter, and no less than what the receiver asked for.

    The jitter of up to a quarter comes from the key, so that a replay waits as long.
    """
    base: float = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(letter.attempts - 1, 20))
    jittered = base * (1 + crc32(f"{letter.key}{letter.attempts}".encode()) / 2**32 / 4)
    return max(jittered, min(retry_after, LONGEST_ASKED)) if retry_after is not None else jittered
