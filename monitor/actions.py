"""What a person does to an incident, from the command line or a button: each is a step of its own with its author."""

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.consequences import ask, follow, request_for, scene_now
from monitor.core.errors import UserError
from monitor.core.incident import Incident, State, Transition
from monitor.core.retrain import RetrainRequest, RetrainState
from monitor.core.retrain_policy import refusal, wanted
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.watch import Watch


def _open(incident: Incident) -> None:
    if incident.state is State.RESOLVED:
        raise UserError(f"{incident.id} is resolved already ({incident.resolved_reason}); nothing was changed")


def acknowledge(connection: sa.Connection, watch: Watch, incident: Incident, who: str, now: datetime) -> Incident:
    """Say that somebody looks at it: it is not told again until it changes."""
    _open(incident)
    return _step(connection, watch, incident, replace(incident, acknowledged_by=who), "acknowledged", who, "", now)


def expect(
    connection: sa.Connection, watch: Watch, incident: Incident, who: str, reason: str, now: datetime
) -> Incident:
    """Declare the change expected: it stays on record, alarms nobody any more and asks for no retraining."""
    _open(incident)
    after = replace(incident, expected=True, acknowledged_by=incident.acknowledged_by or who)
    return _step(connection, watch, incident, after, "expected", who, reason, now)


def silence(
    connection: sa.Connection, watch: Watch, incident: Incident, who: str, length: timedelta, reason: str, now: datetime
) -> Incident:
    """Hold notices back for a while."""
    _open(incident)
    until = now + length
    incident_rows.silence(connection, incident.model, incident.id, until, who, reason, now)
    after = replace(incident, silenced_until=until)
    detail = f"until {until:%Y-%m-%d %H:%M} UTC" + (f": {reason}" if reason else "")
    return _step(connection, watch, incident, after, "silenced", who, detail, now)


def resolve(
    connection: sa.Connection, watch: Watch, incident: Incident, who: str, reason: str, now: datetime
) -> Incident:
    """End it by hand; it opens anew if the trouble is still there."""
    _open(incident)
    words = f"by {who}" + (f": {reason}" if reason else "")
    after = replace(incident, state=State.RESOLVED, resolved_at=now, resolved_reason=words)
    return _step(connection, watch, incident, after, "resolved", who, reason, now)


def _step(
    connection: sa.Connection,
    watch: Watch,
    before: Incident,
    after: Incident,
    event: str,
    who: str,
    detail: str,
    now: datetime,
) -> Incident:
    follow(connection, scene_now(connection, watch, now), [Transition(before, after, event, now, detail, who)])
    return after


def retrain(
    connection: sa.Connection,
    watch: Watch,
    who: str,
    reason: str,
    now: datetime,
    *,
    incident: Incident | None = None,
    dry_run: bool = False,
) -> RetrainRequest:
    """Ask for a retraining by hand: approve the open proposal, or make a new request.

    Parameters
    ----------
    incident : because of which; None approves whatever is proposed.

    Raises
    ------
    UserError
        When no trigger is configured, the incident is no reason to retrain, or the policy refuses.
    """
    if watch.model.retrain.trigger is None:
        raise UserError(f"models.{watch.name}.retrain has no trigger; `monitor list triggers` shows what there is")
    if incident is not None:
        _open(incident)
        if not wanted(incident):
            raise UserError(f"{incident.id} ({incident.diagnosis}) is no reason to retrain; nothing was asked")
    past = retrain_rows.past(connection, watch.name)
    opened = incident_rows.listing(connection, watch.name)
    why_not = refusal(watch.policy, past, opened, now, by_hand=True)
    if why_not is not None:
        raise UserError(f"no retraining of {watch.name}: {why_not.reason}")
    scene = scene_now(connection, watch, now)
    about = incident.id if incident is not None else None
    proposals = [p for p in past if p.state is RetrainState.PROPOSED and (incident is None or p.incident == about)]
    if proposals:
        proposed = retrain_rows.get(connection, proposals[-1].key).request
        request = replace(proposed, requested_at=now, requested_by=who, reason=reason or proposed.reason)
    else:
        number = sum(entry.incident == about for entry in past) + 1
        request = request_for(scene, incident, number, who, reason)
    if not dry_run:
        ask(connection, request, now)
    return request
