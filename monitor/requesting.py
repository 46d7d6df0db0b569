"""Requests to triggers: proposed, asked for, withdrawn. All in the caller's transaction."""

from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from monitor.core.incident import WORSE_VERSION, Incident, Transition
from monitor.core.retrain import Action, RetrainRequest, RetrainState
from monitor.core.retrain_policy import Mode, refusal, retrain_key, uncounted, wanted
from monitor.scene import Scene
from monitor.store import bodies
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import retrains as retrain_rows
from monitor.store import versions as version_rows


def consider(connection: sa.Connection, scene: Scene, incident: Incident) -> None:
    """Propose or ask for what an incident that fired calls for, or note why not."""
    if incident.fault == WORSE_VERSION:
        _consider_rollback(connection, scene, incident)
    else:
        _consider_retraining(connection, scene, incident)


def _consider_rollback(connection: sa.Connection, scene: Scene, incident: Incident) -> None:
    """Propose the way back to the former version."""
    options = scene.watch.model.rollback
    target = version_rows.former(connection, scene.watch.name, scene.now)
    if options.mode == "off" or target is None:
        return
    if options.trigger is None:
        detail = f"version {target} served before; models.{scene.watch.name}.rollback has no trigger that leads back"
        incident_rows.note(connection, incident.id, "no rollback", "monitor", detail, scene.now)
        return
    request = replace(request_for(scene, incident, 1, "monitor", action=Action.ROLLBACK), target=target)
    retrain_rows.put(connection, request, RetrainState.PROPOSED, scene.now)
    detail = f"`monitor rollback {scene.watch.name}` goes back to version {target}"
    incident_rows.note(connection, incident.id, "rollback proposed", "monitor", detail, scene.now)


def _consider_retraining(connection: sa.Connection, scene: Scene, incident: Incident) -> None:
    """Propose or ask for a retraining because of an incident that fired, or note why not."""
    if scene.watch.model.retrain.trigger is None or scene.watch.policy.mode is Mode.OFF:
        return
    if not wanted(incident):
        if incident.pipeline:
            detail = "the fault is in the pipeline: the data must be mended, not the model"
            incident_rows.note(connection, incident.id, "no retraining", "monitor", detail, scene.now)
        return
    earlier = retrain_rows.past(connection, scene.watch.name)
    policy, opened = scene.watch.policy, incident_rows.listing(connection, scene.watch.name)
    why_not = refusal(policy, earlier, opened, scene.now, scene.labelled)
    if why_not is not None:
        incident_rows.note(connection, incident.id, "retraining refused", "monitor", why_not.reason, scene.now)
        return
    request = request_for(scene, incident, sum(past.incident == incident.id for past in earlier) + 1, "monitor")
    if policy.mode is Mode.AUTO:
        ask(connection, request, scene.now)
        return
    retrain_rows.put(connection, request, RetrainState.PROPOSED, scene.now)
    detail = f"`monitor retrain {scene.watch.name}` approves {request.key}"
    if policy.least_labelled is not None and request.labelled_rows is None:
        detail += f"; {uncounted(scene.labelled)}"
    incident_rows.note(connection, incident.id, "retraining proposed", "monitor", detail, scene.now)


def withdraw(connection: sa.Connection, scene: Scene, step: Transition) -> None:
    """Take back a proposal whose reason is gone."""
    if retrain_rows.withdraw(connection, step.after.id, f"the incident is {step.event}", scene.now):
        detail = f"nobody approved it before the incident was {step.event}"
        incident_rows.note(connection, step.after.id, "retraining withdrawn", "monitor", detail, scene.now)


def request_for(
    scene: Scene,
    incident: Incident | None,
    attempt: int,
    who: str,
    reason: str = "",
    action: Action = Action.RETRAIN,
) -> RetrainRequest:
    """Return the request for a retraining of the scene's model, or a way back, because of an incident or by hand."""
    return RetrainRequest(
        key=retrain_key(incident.id if incident else None, scene.watch.name, attempt, action),
        action=action,
        model=scene.watch.name,
        reason=reason or (incident.summary if incident else "asked for by hand"),
        requested_at=scene.now,
        requested_by=who,
        version=scene.served,
        incident=incident.id if incident else None,
        columns=incident.columns if incident else (),
        window=scene.window,
        reference=scene.reference.id if scene.reference else None,
        link=scene.watch.link,
        labels_available=scene.watch.model.labels is not None,
        labelled_rows=scene.labelled.rows if scene.labelled is not None else None,
    )


def ask(connection: sa.Connection, request: RetrainRequest, now: datetime) -> None:
    """Write a request for the trigger into the outbox, turning a proposal with the same key into it."""
    if not retrain_rows.approve(connection, request, now):
        retrain_rows.put(connection, request, RetrainState.REQUESTED, now)
    outbox_rows.put(
        connection,
        key=request.letter,
        kind="retrain",
        model=request.model,
        receiver="trigger",
        incident_id=request.incident,
        payload=bodies.dump(request),
        now=now,
        happened=request.window.end if request.window is not None and request.requested_by == "monitor" else None,
    )
    if request.incident is not None:
        detail = f"{request.key}: {request.reason}"
        event = "rollback requested" if request.action is Action.ROLLBACK else "retraining requested"
        incident_rows.note(connection, request.incident, event, request.requested_by, detail, now)
        incident = incident_rows.get(connection, request.incident)
        incident_rows.put(connection, replace(incident, retrains=(*incident.retrains, request.key)))
