"""Decides who is told what, and why, or why not. Pure: what was sent before comes in as an argument."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from monitor.core.finding import IncidentKind
from monitor.core.incident import Incident, Reason, State, Transition

# An open incident of one of these faults means that drift of the same model cannot be trusted for now.
INHIBITING = frozenset(
    {
        "freshness",
        "row_count",
        "missing_column",
        "type_change",
        "join_broke",
        "replayed_batch",
        "loaded_twice",
        "volume_drop",
    }
)

_REASONS = {
    "fired": Reason.FIRST,
    "columns": Reason.COLUMNS,
    "severity": Reason.SEVERITY,
    "worse": Reason.WORSE,
    "resolved": Reason.RESOLVED,
    "acknowledged": Reason.PERSON,
    "expected": Reason.PERSON,
    "silenced": Reason.PERSON,
    "retrain": Reason.RETRAIN,
    "rollback": Reason.ROLLBACK,
    "revised": Reason.REVISED,
    "proof": Reason.PROOF,
}
_BESIDES = frozenset({"retrain", "rollback", "revised", "proof"})  # besides what an incident's own windows show
_GOES_ON = _BESIDES | {"resolved", "acknowledged", "expected", "silenced"}  # is told to whom the incident was told


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a transition is told to one receiver. ``reason`` is None when not, and ``why_not`` then says why."""

    receiver: str
    key: str
    reason: Reason | None
    why_not: str = ""


def decide(
    step: Transition,
    receivers: Sequence[str],
    told: Mapping[str, datetime],
    others: Sequence[Incident],
    *,
    repeat: timedelta,
) -> list[Decision]:
    """Return one decision a receiver for one step of one incident.

    Parameters
    ----------
    receivers : names of the model's receivers.
    told : when each receiver was last told of this incident; absent for never.
    others : the model's other open incidents; some of them mute drift.
    repeat : a firing incident that nobody acknowledged is told again after this long.
    """
    return [_decide(step, receiver, told.get(receiver), others, repeat) for receiver in receivers]


def _decide(
    step: Transition, receiver: str, last: datetime | None, others: Sequence[Incident], repeat: timedelta
) -> Decision:
    incident = step.after
    key = notice_key(incident.id, receiver, step)
    reason = _REASONS.get(step.event)
    if reason is None and _overdue(step, last, repeat):
        reason = Reason.REPEAT
    if reason is None:
        return Decision(receiver, key, None, f"{step.event}: nothing that a person must know")
    why_not = _muted(step, last, others)
    return Decision(receiver, key, None if why_not else reason, why_not)


def notice_key(incident: str, receiver: str, step: Transition) -> str:
    """Return the idempotency key of a notice: the same step of the same incident always has the same key."""
    # A person may act, and earlier windows be revised, twice within a window; other steps are taken once a window. Runs
    # and proofs go on when the incident's own windows have ended: what they say tells them apart.
    again = step.actor != "monitor" or step.event == "revised"
    moment = step.at if again else step.after.last_window_end
    seed = f"{incident}|{receiver}|{step.event}|{step.after.windows}|{step.after.calm}|{moment.isoformat()}"
    seed += f"|{step.detail}" if step.event in _BESIDES else ""
    return f"{incident}-{sha256(seed.encode()).hexdigest()[:12]}"


def _overdue(step: Transition, last: datetime | None, repeat: timedelta) -> bool:
    incident = step.after
    if step.event != "continues" or incident.state is not State.FIRING or incident.acknowledged_by:
        return False
    return last is not None and step.at - last >= repeat


def _muted(step: Transition, last: datetime | None, others: Sequence[Incident]) -> str:
    incident = step.after
    if step.event in _GOES_ON:
        return "" if last is not None else "nothing was sent about this incident"
    if incident.expected:
        return "a person declared the change expected"
    if incident.silenced_until is not None and step.at < incident.silenced_until:
        return "silenced"
    if incident.kind is IncidentKind.DRIFT:
        for other in others:
            if other.id != incident.id and other.state is State.FIRING and other.fault in INHIBITING:
                return f"muted by {other.id} ({other.diagnosis}): drift cannot be trusted while it lasts"
    return ""
