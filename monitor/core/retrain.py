"""Retraining: when to ask for one, and everything the user's pipeline is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.core.window import Window, iso


class RetrainState(StrEnum):
    """proposed (waits for a person) → requested → accepted → running → succeeded, failed or unknown.

    A request may be refused; a proposal is withdrawn when its incident ends before a person has approved it.
    """

    PROPOSED = "proposed"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Action(StrEnum):
    """What is asked for: a new model, or the way back to one that served before."""

    RETRAIN = "retrain"
    ROLLBACK = "rollback"


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """A request for one retraining, or for the way back to an earlier version; ``key`` makes it happen at most once.

    ``target`` is the version to go back to. ``labelled_rows`` are the predictions with a label that no model has learnt
    from yet; None where nobody counted them.
    """

    key: str
    model: str
    reason: str
    requested_at: datetime
    requested_by: str
    version: str | None = None
    incident: str | None = None
    columns: tuple[str, ...] = ()
    window: Window | None = None
    reference: str | None = None
    link: str | None = None
    labels_available: bool = False
    action: Action = Action.RETRAIN
    target: str | None = None
    labelled_rows: int | None = None

    @property
    def letter(self) -> str:
        """Key of the outbox's letter that carries it."""
        return f"retrain-{self.key}"

    def as_json(self) -> dict[str, Any]:
        """Return what is sent to the trigger."""
        return {
            "key": self.key,
            "action": str(self.action),
            "model": self.model,
            "version": self.version,
            "reason": self.reason,
            "incident": self.incident,
            "columns": list(self.columns),
            "window": {"start": iso(self.window.start), "end": iso(self.window.end)} if self.window else None,
            "reference": self.reference,
            "link": self.link,
            "labels_available": self.labels_available,
            "labelled_rows": self.labelled_rows,
            "target": self.target,
            "requested_at": iso(self.requested_at),
            "requested_by": self.requested_by,
        }


@dataclass(frozen=True, slots=True)
class Fired:
    """The trigger's answer: the state reached, the run's id and page where there is one, and a note for people.

    ``retry_after``, in seconds, says that it is not settled: what cannot have arrived (state ``requested``) is asked
    again then, anything else is looked up.
    """

    state: RetrainState
    run: str | None = None
    url: str | None = None
    note: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None
