"""What a person does to an incident, from the command line or a button: each is a step of its own with its author."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from monitor.consequences import follow
from monitor.core.errors import UserError
from monitor.core.incident import Incident, State, Transition
from monitor.core.labels import Fresh
from monitor.core.retrain import Action, RetrainRequest, RetrainState
from monitor.core.retrain_policy import Past, refusal, wanted
from monitor.requesting import ask, request_for
from monitor.scene import Scene, scene_now
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store import versions as version_rows
from monitor.watch import Watch


class RefusedError(UserError):
    """The policy refuses a retraining that a person asks for; ``why`` is its reason alone."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


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
    labelled: Fresh | None = None,
    dry_run: bool = False,
) -> RetrainRequest:
    """Ask for a retraining by hand: approve the open proposal, or make a new request.

    Parameters
    ----------
    incident : because of which; None approves whatever is proposed.
    labelled : what :func:`monitor.labelled.fresh_since` counted before this transaction began.

    Raises
    ------
    RefusedError
        When the policy refuses.
    UserError
        When no trigger is configured, or the incident is no reason to retrain.
    """
    if watch.model.retrain.trigger is None:
        raise UserError(f"models.{watch.name}.retrain has no trigger; `monitor list triggers` shows what there is")
    if incident is not None:
        _open(incident)
        if not wanted(incident):
            raise UserError(f"{incident.id} ({incident.diagnosis}) is no reason to retrain; nothing was asked")
    past = retrain_rows.past(connection, watch.name)
    opened = incident_rows.listing(connection, watch.name)
    why_not = refusal(watch.policy, past, opened, now, labelled, by_hand=True)
    if why_not is not None:
        raise RefusedError(f"no retraining of {watch.name}: {why_not.reason}", why_not.reason)
    scene = replace(scene_now(connection, watch, now), labelled=labelled)
    request = _approved(connection, scene, past, incident, who, reason, Action.RETRAIN)
    request = replace(request, labelled_rows=labelled.rows if labelled is not None else None)
    if not dry_run:
        ask(connection, request, now)
    return request


def roll_back(
    connection: sa.Connection,
    watch: Watch,
    who: str,
    reason: str,
    now: datetime,
    *,
    to: str | None = None,
    incident: Incident | None = None,
    dry_run: bool = False,
) -> RetrainRequest:
    """Ask for the way back to an earlier version: approve the open proposal, or make a new request.

    Parameters
    ----------
    to : the version; by default the one that served before.
    incident : because of which.

    Raises
    ------
    UserError
        When no trigger leads back, there is no such version, or another run is under way.
    """
    if watch.model.rollback.trigger is None:
        raise UserError(f"models.{watch.name}.rollback has no trigger; `monitor list triggers` shows what there is")
    if incident is not None:
        _open(incident)
    known = [entry.version for entry in version_rows.listing(connection, watch.name) if entry.version is not None]
    target = to if to is not None else version_rows.former(connection, watch.name, now)
    if target is None:
        raise UserError(f"no version of {watch.name} is known to have served before; name one with --to")
    if known and target not in known:
        raise UserError(f"version {target!r} of {watch.name} has never served; {', '.join(dict.fromkeys(known))} have")
    if known and target == known[-1]:
        raise UserError(f"version {target} of {watch.name} is the one that serves; nothing was asked")
    past = retrain_rows.past(connection, watch.name)
    under_way = [entry for entry in past if entry.under_way]
    if under_way:
        raise UserError(f"no rollback of {watch.name}: {under_way[0].key} is under way ({under_way[0].state})")
    scene = scene_now(connection, watch, now)
    request = _approved(connection, scene, past, incident, who, reason, Action.ROLLBACK)
    request = replace(request, target=target)
    if not dry_run:
        ask(connection, request, now)
    return request


def _approved(
    connection: sa.Connection,
    scene: Scene,
    past: Sequence[Past],
    incident: Incident | None,
    who: str,
    reason: str,
    action: Action,
) -> RetrainRequest:
    """Return the proposal that a person approves now, or a request of their own where nothing is proposed."""
    about = incident.id if incident is not None else None
    own = [entry for entry in past if entry.action is action]
    proposals = [p for p in own if p.state is RetrainState.PROPOSED and (incident is None or p.incident == about)]
    if proposals:
        proposed = retrain_rows.get(connection, proposals[-1].key).request
        return replace(proposed, requested_at=scene.now, requested_by=who, reason=reason or proposed.reason)
    number = sum(entry.incident == about for entry in own) + 1
    return request_for(scene, incident, number, who, reason, action)
