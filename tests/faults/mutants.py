"""Planted faults of the code: each takes away one of the guarantees, as a careless change might."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

import monitor.consequences
import monitor.cycle
from monitor.core.notice import Delivered
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.failpoints import PLACES
from monitor.store import claims as claim_rows
from monitor.store import incidents as incident_rows
from monitor.store import leases
from monitor.store import outbox as outbox_rows
from monitor.store import runs as run_rows
from monitor.store.leases import Leases
from monitor.store.tables import runs
from tests.faults import scenarios
from tests.faults.receivers import Ledger

Patch = pytest.MonkeyPatch
assert "letter.sent" in PLACES


def finish_without_epoch(patch: Patch) -> None:
    """The end of a run is written whoever holds it."""

    def finish(connection: Any, held: Any, *, state: str, now: Any, **values: Any) -> None:
        event = values.pop("last_event", None)
        values.pop("served", None)
        ended = {"state": state, "finished_at": now, "lease_until": None, "last_event": run_rows.moment_of(event)}
        connection.execute(runs.update().where(runs.c.id == held.run_id).values(**ended, **values))

    patch.setattr(claim_rows, "finish", finish)


def claim_without_unique_row(patch: Patch) -> None:
    """Every replica makes a row of its own for a window."""
    real = claim_rows.claim

    def claim(connection: Any, model: str, window: Any, fingerprint: str, owner: str, now: Any) -> Any:
        return real(connection, model, window, f"{fingerprint} {owner}", owner, now)

    patch.setattr(claim_rows, "claim", claim)
    patch.setattr(claim_rows, "_taken", lambda row, owner: False)
    patch.setattr(claim_rows, "_fence", lambda *_: None)


def doubt_is_forgotten(patch: Patch) -> None:
    """A letter that may have arrived is put back as if it had not."""
    real = outbox_rows.deferred

    def deferred(*arguments: Any, uncertain: bool, **more: Any) -> bool:
        return real(*arguments, uncertain=False, **more)

    patch.setattr(outbox_rows, "deferred", deferred)


def delivered_before_sending(patch: Patch) -> None:
    """A letter is marked first and sent then."""

    def deliver(self: Delivery, letter: Any) -> bool:
        with self.store.write() as connection:
            self._settle(connection, letter, Delivered({}), self.clock.now())
        monitor.delivery.reach("letter.sent")
        self._send(letter)
        return False

    patch.setattr(Delivery, "_deliver", deliver)


def letters_in_a_transaction_of_their_own(patch: Patch) -> None:
    """Notices are written after the commit of what they tell."""
    later: list[tuple[Any, Any]] = []
    real, conclude = monitor.consequences._notify, Cycle._conclude
    patch.setattr(monitor.consequences, "_notify", lambda _connection, scene, step: later.append((scene, step)))

    def concluded(self: Cycle, *arguments: Any) -> Any:
        later.clear()
        result = conclude(self, *arguments)
        with self.store.write() as connection:
            for scene, step in later:
                real(connection, scene, step)
        return result

    patch.setattr(Cycle, "_conclude", concluded)


def retraining_asked_again(patch: Patch) -> None:
    """What became of a retraining is not looked up before it is asked for again."""
    patch.setattr(Ledger, "find", lambda _self, _request: None)


def skips_are_not_recorded(patch: Patch) -> None:
    """Windows that are too old are left out without a word."""
    patch.setattr(claim_rows, "skip", lambda *_: True)


def leases_are_not_renewed(patch: Patch) -> None:
    """Long work loses its claim."""
    patch.setattr(Leases, "renew", lambda _self, _store: None)


def resolved_incidents_go_on(patch: Patch) -> None:
    """What is resolved is continued like what is open."""
    real = incident_rows.listing

    def listing(connection: Any, model: str | None = None, *, closed: bool = True) -> Any:
        return real(connection, model, closed=True)

    patch.setattr(incident_rows, "listing", listing)


def letters_are_not_rechecked(patch: Patch) -> None:
    """Who was stopped for long sends what another has sent meanwhile."""
    patch.setattr(Delivery, "_is_ours", lambda _self, _letter: True)


def other_configurations_are_not_fenced(patch: Patch) -> None:
    """A claim under another configuration stays good when the window is taken over."""
    patch.setattr(claim_rows, "_fence", lambda *_: None)


def claims_keep_their_epoch(patch: Patch) -> None:
    """Taking a window over does not raise its epoch, so that its former owner is not noticed."""
    real = claim_rows.claim

    def claim(connection: Any, *arguments: Any) -> Any:
        found = real(connection, *arguments)
        if found is not None and found.epoch > 1:
            connection.execute(runs.update().where(runs.c.id == found.run_id).values(epoch=1))
            return claim_rows.Claim(found.run_id, 1, found.attempts)
        return found

    patch.setattr(claim_rows, "claim", claim)


def leases_are_forever_free(patch: Patch) -> None:
    """A lease is over as soon as it begins."""
    patch.setattr(leases, "until", lambda _connection: sa.literal(0.0))
    patch.setattr(claim_rows.leases, "until", lambda _connection: sa.literal(0.0))


Mutant = tuple[Callable[[Patch], None], Callable[[Any], None]]
MUTANTS: tuple[Mutant, ...] = (
    (finish_without_epoch, scenarios.overtaken_while_reading),
    (claim_without_unique_row, scenarios.frozen_while_reading),
    (doubt_is_forgotten, scenarios.dropped_after_storing),
    (delivered_before_sending, scenarios.killed_between_claim_and_answer),
    (letters_in_a_transaction_of_their_own, scenarios.killed_after_committing),
    (retraining_asked_again, scenarios.trigger_in_doubt),
    (skips_are_not_recorded, scenarios.away_for_long),
    (leases_are_not_renewed, scenarios.long_work),
    (resolved_incidents_go_on, scenarios.killed_after_committing),
    (letters_are_not_rechecked, scenarios.frozen_with_a_letter),
    (other_configurations_are_not_fenced, scenarios.frozen_under_another_configuration),
    (claims_keep_their_epoch, scenarios.overtaken_while_reading),
    (leases_are_forever_free, scenarios.at_work_over_a_skip),
)
