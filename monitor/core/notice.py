"""Notices: what a receiver is told, why, and under which key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.incident import Incident, Reason
from monitor.core.window import Window


@dataclass(frozen=True, slots=True)
class Series:
    """The effect of one column over time, for the chart in the thread. Times are window ends; gaps are left out."""

    column: str
    unit: str
    times: tuple[datetime, ...]
    effects: tuple[float, ...]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Notice:
    """One message about one incident.

    Parameters
    ----------
    key : idempotency key; the same for every attempt.
    reason : why it is sent.
    incident : its state at the time.
    window : the window in which it changed.
    version : the model's version; None where unknown.
    watched : number of columns watched.
    rows, reference_rows : rows of the window and of the reference.
    reference : id of the reference.
    at : when the notice was decided.
    timeline : the incident's events so far, oldest first, one line each.
    actions : what a person may do now, among ack, silence, expected, retrain, resolve.
    link : where to read more, a URL or None.
    series : charts for the thread.
    detail : what has changed.
    note : what people must know of how the message came to them, such as for whom it was; empty as a rule.
    """

    key: str
    reason: Reason
    incident: Incident
    at: datetime
    window: Window | None = None
    version: str | None = None
    watched: int = 0
    rows: int = 0
    reference_rows: int = 0
    reference: str = ""
    timeline: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    link: str | None = None
    series: tuple[Series, ...] = ()
    detail: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to deliver a notice.

    ``earlier`` is what the receiver returned for the incident's latest delivered notice (for Slack: channel and ts),
    empty when nothing was delivered yet; ``uncertain`` says that an earlier attempt may have arrived without our
    knowing, so the notifier must look for the key before it sends again.
    """

    notice: Notice
    number: int = 1
    uncertain: bool = False
    earlier: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has it. ``reference`` finds it again; ``note`` says what was left out, if anything."""

    reference: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now. ``retry_after`` in seconds, None for the outbox's own backoff; ``uncertain`` if it may have arrived."""

    reason: str
    retry_after: float | None = None
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never: trying again would not help until a person changes something."""

    reason: str


Outcome = Delivered | Deferred | Rejected
