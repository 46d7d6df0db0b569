"""A history as plain data: what the schedule owed, what the store and the receivers have, which faults were injected.

In the manner of Jepsen's analysis for Chronos: :func:`violations` compares what happened with what was owed, in words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Owed:
    """One window that the schedule owed."""

    model: str
    start: datetime
    end: datetime

    def __str__(self) -> str:
        return f"{self.model} {self.start:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class Receipt:
    """What one receiver got: ``post`` a message, ``reply`` one in a thread, ``edit`` a change, ``call`` a request."""

    receiver: str
    key: str
    how: Literal["post", "reply", "edit", "call"] = "post"


@dataclass(frozen=True)
class Fault:
    """What was done to the world.

    ``kind`` is among: ``ambiguous`` (a send of which nobody could know whether it arrived; ``whom`` names the
    receiver), ``dead`` (an owner was killed, frozen or cut off, so that its claims may be taken over), ``clock back``,
    ``person`` (one acted), ``refused`` (a receiver refused for good), ``stale`` (an owner was frozen while it may have been
    in the middle of a send to the receiver ``whom``, and went on with it when another had sent it).
    """

    kind: Literal["ambiguous", "dead", "clock back", "person", "refused", "stale"]
    whom: str = ""


@dataclass(frozen=True)
class Write:
    """One line of the journal that SQL triggers keep: who changed which row, in which transaction."""

    writer: str
    transaction: str
    table: str
    row: str
    operation: Literal["INSERT", "UPDATE"]
    old_state: str | None = None
    new_state: str | None = None
    old_epoch: int | None = None
    new_epoch: int | None = None
    old_owner: str | None = None
    new_owner: str | None = None


@dataclass(frozen=True)
class History:
    """Everything that the checker looks at; rows are those of the store's tables, oldest first.

    Parameters
    ----------
    owed : every window of every model, oldest first within a model.
    receivers : names of the receivers of notices; ``reconciled`` are those that can be asked for a key.
    undisturbed : what the windows of a run without faults found, to be the same to the last bit; None to leave out.
    ledger : keys of the retraining runs that really began.
    """

    owed: Sequence[Owed]
    receivers: Sequence[str]
    reconciled: Sequence[str] = ()
    runs: Sequence[Row] = ()
    found: Mapping[int, Sequence[tuple[str | None, str]]] = field(default_factory=dict)
    digests: Mapping[int, str] = field(default_factory=dict)
    evidence: Sequence[int] = ()
    profiles: Sequence[int] = ()
    incidents: Sequence[Row] = ()
    events: Sequence[Row] = ()
    letters: Sequence[Row] = ()
    retrains: Sequence[Row] = ()
    journal: Sequence[Write] = ()
    received: Sequence[Receipt] = ()
    ledger: Sequence[str] = ()
    faults: Sequence[Fault] = ()
    undisturbed: Mapping[Owed, str] | None = None

    def injected(self, kind: str) -> list[Fault]:
        """Return the faults of one kind."""
        return [fault for fault in self.faults if fault.kind == kind]


def violations(history: History) -> list[str]:
    """Return everything that must not have happened, in words; empty for a history that is right."""
    from tests.faults import rules_of_incidents, rules_of_letters, rules_of_windows, rules_of_writes

    modules = (rules_of_windows, rules_of_incidents, rules_of_letters, rules_of_writes)
    return [words for module in modules for rule in module.RULES for words in rule(history)]
