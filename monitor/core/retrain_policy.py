"""When a retraining is asked for. Rather never than twice, and never on broken data."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from monitor.core.finding import IncidentKind
from monitor.core.incident import UNREFERENCED, WORSE_VERSION, Incident, State
from monitor.core.labels import Fresh
from monitor.core.retrain import Action, RetrainState


class Mode(StrEnum):
    """Who decides."""

    ASK = "ask"
    AUTO = "auto"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of one model's retrainings.

    ``least_labelled`` is how many predictions that no model has learnt from need a label; None asks for none.
    """

    mode: Mode
    cooldown: timedelta
    most_per_week: int
    least_labelled: int | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """An earlier retraining of the model.

    ``followed`` says whether its end will be known; of what a receiver has only taken nobody hears any more.
    """

    key: str
    state: RetrainState
    requested_at: datetime
    incident: str | None = None
    action: Action = Action.RETRAIN
    followed: bool = True

    @property
    def under_way(self) -> bool:
        """Whether it may still run. What nobody follows counts for the cooldown alone, or it would for ever."""
        taken = self.state in (RetrainState.ACCEPTED, RetrainState.RUNNING)
        return self.state in UNDER_WAY and (self.followed or not taken)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no retraining is asked for now, in words."""

    reason: str


UNDER_WAY = frozenset({RetrainState.REQUESTED, RetrainState.ACCEPTED, RetrainState.RUNNING, RetrainState.UNKNOWN})
STARTED = UNDER_WAY | {RetrainState.SUCCEEDED, RetrainState.FAILED}


def refusal(
    policy: Policy,
    past: Sequence[Past],
    open_incidents: Sequence[Incident],
    now: datetime,
    labelled: Fresh | None = None,
    *,
    by_hand: bool = False,
) -> Refusal | None:
    """Return why a retraining may not start now, or None where it may.

    Parameters
    ----------
    past : every earlier retraining of the model.
    open_incidents : the model's pending and firing incidents.
    labelled : the predictions with a label that no model has learnt from; None where nobody has counted them.
    by_hand : a person asks; mode ``off`` then does not refuse, the other limits do.
    """
    if policy.mode is Mode.OFF and not by_hand:
        return Refusal("retraining is off for this model")
    if (why_not := broken(open_incidents)) is not None:
        return why_not
    for earlier in past:
        if earlier.under_way:
            return Refusal(f"{earlier.key} is under way ({earlier.state})")
    started = [e.requested_at for e in past if e.state in STARTED and e.action is Action.RETRAIN]
    if started and now - max(started) < policy.cooldown:
        return Refusal(f"the last one was asked for at {max(started):%Y-%m-%d %H:%M} UTC; cooldown {policy.cooldown}")
    recent = sum(now - moment < timedelta(days=7) for moment in started)
    if recent >= policy.most_per_week:
        return Refusal(f"{recent} retrainings in seven days, {policy.most_per_week} allowed")
    return _unlabelled(policy, labelled, by_hand=by_hand)


def broken(open_incidents: Iterable[Incident]) -> Refusal | None:
    """Return the refusal that an open incident of broken, missing or late data is; None where there is none.

    It is looked for once more right before anything is asked: data may break between an approval and its delivery.
    """
    for incident in open_incidents:
        unsound = incident.kind in (IncidentKind.QUALITY, IncidentKind.OPERATIONS) or incident.pipeline is True
        if incident.fault == UNREFERENCED:
            continue  # which says nothing of the data
        if incident.state is State.FIRING and unsound and not incident.expected:
            return Refusal(
                f"{incident.id} ({incident.diagnosis}) is open: a model must not learn from broken data; "
                "resolve it first, or declare it expected"
            )
    return None


def _unlabelled(policy: Policy, labelled: Fresh | None, *, by_hand: bool) -> Refusal | None:
    """Return the refusal for too few labels; labels that nobody could count let the monitor propose, and no more."""
    if policy.least_labelled is None:
        return None
    if labelled is None or labelled.rows is None:
        if policy.mode is Mode.ASK and not by_hand:
            return None
        return Refusal(f"{uncounted(labelled)}; {policy.least_labelled:,} are needed")
    if labelled.rows >= policy.least_labelled:
        return None
    return Refusal(
        f"{labelled.rows:,} of the predictions since {labelled.since:%Y-%m-%d} have a label,"
        f" {policy.least_labelled:,} are needed"
    )


def uncounted(labelled: Fresh | None) -> str:
    """Say that labels could not be counted, and why."""
    return f"the labels could not be counted ({labelled.reason if labelled and labelled.reason else 'nobody did'})"


def wanted(incident: Incident) -> bool:
    """Whether an incident is a reason to retrain: firing, a change of the world, and nobody expects it to pass."""
    return (
        incident.state is State.FIRING
        and incident.kind in (IncidentKind.DRIFT, IncidentKind.PERFORMANCE)
        and incident.pipeline is not True
        and not incident.expected
        and incident.fault != WORSE_VERSION  # for which the way is back
    )


def retrain_key(incident: str | None, model: str, attempt: int, action: Action = Action.RETRAIN) -> str:
    """Return the idempotency key of a retraining, or of a way back."""
    back = "-rollback" if action is Action.ROLLBACK else ""
    return f"{incident or f'{model}-by-hand'}{back}-{attempt}"
