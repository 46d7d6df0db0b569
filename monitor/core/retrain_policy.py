"""When a retraining is asked for. Rather never than twice, and never on broken data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.finding import IncidentKind
from monitor.core.incident import Incident, State
from monitor.core.retrain import RetrainState


class Mode(StrEnum):
    """Who decides."""

    ASK = "ask"
    AUTO = "auto"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of one model's retrainings."""

    mode: Mode
    cooldown: timedelta
    most_per_week: int


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier retraining of the model."""

    key: str
    state: RetrainState
    requested_at: datetime
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no retraining is asked for now, in words."""

    reason: str


UNDER_WAY = frozenset({RetrainState.REQUESTED, RetrainState.ACCEPTED, RetrainState.RUNNING, RetrainState.UNKNOWN})
STARTED = UNDER_WAY | {RetrainState.SUCCEEDED, RetrainState.FAILED}


def refusal(
    policy: Policy, past: Sequence[Past], open_incidents: Sequence[Incident], now: datetime, *, by_hand: bool = False
) -> Refusal | None:
    """Return why a retraining may not start now, or None where it may.

    Parameters
    ----------
    past : every earlier retraining of the model.
    open_incidents : the model's pending and firing incidents.
    by_hand : a person asks; mode ``off`` then does not refuse, the other limits do.
    """
    if policy.mode is Mode.OFF and not by_hand:
        return Refusal("retraining is off for this model")
    for incident in open_incidents:
        broken = incident.kind is IncidentKind.QUALITY or incident.pipeline is True
        if incident.state is State.FIRING and broken and not incident.expected:
            return Refusal(
                f"{incident.id} ({incident.diagnosis}) is open: a model must not learn from broken data; "
                "resolve it first, or declare it expected"
            )
    for earlier in past:
        if earlier.state in UNDER_WAY:
            return Refusal(f"{earlier.key} is under way ({earlier.state})")
    started = [earlier.requested_at for earlier in past if earlier.state in STARTED]
    if started and now - max(started) < policy.cooldown:
        return Refusal(f"the last one was asked for at {max(started):%Y-%m-%d %H:%M} UTC; cooldown {policy.cooldown}")
    recent = sum(now - moment < timedelta(days=7) for moment in started)
    if recent >= policy.most_per_week:
        return Refusal(f"{recent} retrainings in seven days, {policy.most_per_week} allowed")
    return None


def wanted(incident: Incident) -> bool:
    """Whether an incident is a reason to retrain: firing, a change of the world, and nobody expects it to pass."""
    return (
        incident.state is State.FIRING
        and incident.kind in (IncidentKind.DRIFT, IncidentKind.PERFORMANCE)
        and incident.pipeline is not True
        and not incident.expected
    )


def retrain_key(incident: str | None, model: str, attempt: int) -> str:
    """Return the idempotency key of a retraining."""
    return f"{incident or f'{model}-by-hand'}-{attempt}"
