"""The canary: from time to time it proves that an alert would get through, and says which part would not let it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from monitor.broken_rows import broken, sampled
from monitor.config.models import Config
from monitor.core.errors import LeewayError, defect
from monitor.cycle import Cycle
from monitor.rehearsal import BrokenWayError, rehearse
from monitor.store import canaries
from monitor.store.canaries import FAILED, PROVEN, WAITS, Proof
from monitor.store.database import StoreAwayError
from monitor.watch import Watch, watches

log = structlog.get_logger("monitor.canary")

_PATIENCE = timedelta(minutes=1)  # until it is looked again whether there is a model to prove it with
WAITED_FOR = (
    "no model has a window yet with sampled rows, judged under this configuration, and a check of nulls or of "
    "missing columns"
)


@dataclass
class Canary:
    """Proves the way of an alert, at most once in a time over all replicas of one store.

    Parameters
    ----------
    cycle : whose store, clock and references are used.
    config : names models, receivers, and how often.
    """

    cycle: Cycle
    config: Config
    _quiet_until: datetime | None = None
    _waits: bool = False

    @property
    def due(self) -> bool:
        """Whether it is time to ask the store whether a proof is due."""
        options, now = self.config.canary, self.cycle.clock.now()
        if options is None:
            return False
        # What lies further ahead was written down before the clock was set back.
        return self._quiet_until is None or not now < self._quiet_until <= now + max(options.every, _PATIENCE)

    def prove_if_due(self, stopping: Callable[[], bool] = lambda: False) -> Proof | None:
        """Make a proof where one is due; between proofs the store is not asked.

        Parameters
        ----------
        stopping : asked before every receiver; a proof that is stopped is taken back.
        """
        options, now = self.config.canary, self.cycle.clock.now()
        if options is None or not self.due:
            return None
        with self.cycle.store.read() as connection:
            due = canaries.next_due(connection, options.every)
        if due is not None and now < due <= now + options.every:
            self._quiet_until = due
            return None
        proof = self.prove(options.every, stopping)
        waits = proof is None or proof.outcome == WAITS
        self._quiet_until = proof.good_until(options.every) if proof and not waits else now + _PATIENCE
        return proof

    def prove(self, every: timedelta | None = None, stopping: Callable[[], bool] = lambda: False) -> Proof | None:
        """Make a proof and write it down; None where another process is at it, none is due, or it was stopped.

        Parameters
        ----------
        every : how long a proof is good for; None makes one whether it is due or not.
        """
        store, began = self.cycle.store, self.cycle.clock.now()
        with store.write() as connection:
            number = canaries.begin(connection, self.cycle.owner, began, every)
        if number is None:
            return None
        with structlog.contextvars.bound_contextvars(canary=True):
            proof = self._proof(began, stopping)
        with store.write() as connection:
            if stopping():
                canaries.give_up(connection, number)
                return None
            canaries.end(connection, number, proof)
        return proof

    def _proof(self, began: datetime, stopping: Callable[[], bool]) -> Proof:
        model = ""
        try:
            shown, watched = None, watches(self.config)
            for model in self._turns():
                shown = self._rehearsed(watched[model])
                if shown is not None:
                    break
            if shown is None:
                return self._wait()
            outcome, detail = PROVEN, f"{shown}; {self._reached(stopping)}"
        except BrokenWayError as error:
            outcome, detail = FAILED, str(error)
        except StoreAwayError:
            raise  # nothing could be written down either
        except LeewayError as error:
            outcome, detail = FAILED, f"canary: {error}"
        except Exception as error:  # noqa: BLE001 - whatever fails on the way is what the canary is for
            outcome, detail = FAILED, f"canary: {defect(error)}"
        self._waits = False
        now = self.cycle.clock.now()
        proof = Proof(now, outcome, model, detail, (now - began).total_seconds())
        tell = log.info if proof.proven else log.error
        tell(f"canary.{outcome}", model=model, detail=detail, seconds=proof.seconds)
        return proof

    def _turns(self) -> list[str]:
        sampling = [name for name, model in self.config.models.items() if model.sample]
        with self.cycle.store.read() as connection:
            return canaries.turns(connection, sampling)

    def _rehearsed(self, watch: Watch) -> str | None:
        """Rehearse with the rows of a model, and say with what; None where it has none that will do."""
        with self.cycle.store.read() as connection:
            given = sampled(connection, watch)
        if given is None:
            return None
        subject = self.cycle.subject(given.watch, given.run.window.start, given.run.reference_id)
        fault = broken(given, subject)
        if fault is None:
            return None
        rehearse(self.cycle.store, self.cycle.clock, self.cycle.owner, given, fault, subject)
        return f"{fault.fault.replace('_', ' ')} of {fault.column} in a copy of {given.run.window} was told"

    def _reached(self, stopping: Callable[[], bool]) -> str:
        """Ask the receivers whether a message would reach them, and say which; none is sent.

        Raises
        ------
        BrokenWayError
            Naming every receiver that would not be reached.
        """
        options = self.config.canary
        chosen = options.notify if options is not None and options.notify else tuple(self.config.notifiers)
        lost = []
        for name in chosen:
            if stopping():
                break
            try:
                self.config.notifiers[name].probe()
            except LeewayError as error:
                lost.append(f"{name} would not be reached: {error}")
            except Exception as error:  # noqa: BLE001 - a defect in one notifier
                lost.append(f"{name} would not be reached: {defect(error)}")
        if lost:
            raise BrokenWayError("receivers", "; ".join(lost))
        return f"{', '.join(chosen)} can be reached" if chosen else "no receiver is configured"

    def _wait(self) -> Proof:
        if not self._waits:
            log.info("canary.waits", reason=WAITED_FOR)
        self._waits = True
        return Proof(self.cycle.clock.now(), WAITS, "", WAITED_FOR, 0.0)
