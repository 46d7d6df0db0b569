"""What follows from the steps of incidents: rows, notices, retrainings. All in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import sqlalchemy as sa

from monitor.core.incident import Incident, State, Transition
from monitor.core.notice import Notice, Series
from monitor.core.noticing import Decision, decide
from monitor.core.reference import Reference
from monitor.core.retrain import RetrainRequest, RetrainState
from monitor.core.retrain_policy import Mode, refusal, retrain_key, wanted
from monitor.core.window import Window
from monitor.store import bodies
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import references as reference_rows
from monitor.store import retrains as retrain_rows
from monitor.store import runs as run_rows
from monitor.watch import Watch

CHARTED = 3  # columns whose effect over time is drawn in the thread
CHART_WINDOWS = 60


@dataclass(frozen=True)
class Scene:
    """Where a step happened; ``reference`` and ``window`` are None where there is none."""

    watch: Watch
    reference: Reference | None
    window: Window | None
    rows: int
    now: datetime


def scene_now(connection: sa.Connection, watch: Watch, now: datetime) -> Scene:
    """Return the scene of something that happens between windows: the model's newest window and its reference."""
    run = run_rows.newest(connection, watch.name)
    if run is None or run.reference_id is None:
        return Scene(watch, None, None, 0, now)
    reference = reference_rows.find(connection, watch.name, run.reference_id)
    return Scene(watch, reference, run.window, run.rows or 0, now)


def follow(connection: sa.Connection, scene: Scene, steps: Sequence[Transition]) -> list[Transition]:
    """Write steps with everything that follows from them; return them as they were written."""
    steps = [_of_its_own(connection, step) for step in steps]
    for step in steps:
        incident_rows.record(connection, step)
    for step in steps:
        if step.event == "fired":
            _consider_retraining(connection, scene, step.after)
        elif step.event in ("resolved", "expected"):
            _withdraw(connection, scene, step)
    for step in steps:
        _notify(connection, scene, step)
    return steps


def _of_its_own(connection: sa.Connection, step: Transition) -> Transition:
    """Give a new incident an id that no earlier one has.

    Ids depend on what and when alone. A person may have closed the same one, or a revision of late rows, and what is
    resolved stays so: a second one about the same window is another.
    """
    if step.before is not None:
        return step
    name, number = step.after.id, 1
    while incident_rows.known(connection, name):
        number += 1
        name = f"{step.after.id}-{number}"
    return replace(step, after=replace(step.after, id=name))


def _notify(connection: sa.Connection, scene: Scene, step: Transition) -> None:
    others = incident_rows.listing(connection, scene.watch.name)
    told = outbox_rows.told(connection, step.after.id)
    repeat = scene.watch.model.alerts.repeat
    for decision in decide(step, scene.watch.receivers, told, others, repeat=repeat):
        if decision.reason is None:
            if decision.why_not and step.event in ("fired", "columns", "severity"):
                detail = f"{decision.receiver} was not told: {decision.why_not}"
                incident_rows.note(connection, step.after.id, "muted", "monitor", detail, scene.now)
            continue
        notice = _notice(connection, scene, step, decision)
        outbox_rows.put(
            connection,
            key=decision.key,
            kind="notice",
            model=scene.watch.name,
            receiver=decision.receiver,
            incident_id=step.after.id,
            payload=bodies.dump(notice),
            now=scene.now,
            happened=scene.window.end if scene.window is not None and step.actor == "monitor" else None,
        )


def _notice(connection: sa.Connection, scene: Scene, step: Transition, decision: Decision) -> Notice:
    assert decision.reason is not None
    incident, reference = step.after, scene.reference
    return Notice(
        key=decision.key,
        reason=decision.reason,
        incident=incident,
        at=scene.now,
        window=scene.window,
        version=reference.version if reference else None,
        watched=len(reference.bins) if reference else 0,
        rows=scene.rows,
        reference_rows=reference.rows if reference else 0,
        reference=reference.short if reference else "",
        timeline=incident_rows.lines(incident_rows.timeline(connection, incident.id)),
        actions=_actions(scene.watch, incident),
        link=f"{scene.watch.link.rstrip('/')}#{incident.id}" if scene.watch.link else None,
        series=_series(connection, incident),
        detail=step.detail,
    )


def _actions(watch: Watch, incident: Incident) -> tuple[str, ...]:
    if incident.state is State.RESOLVED:
        return ()
    acts = [] if incident.acknowledged_by else ["ack"]
    acts += ["silence", "expected"]
    if watch.model.retrain.trigger is not None and watch.policy.mode is Mode.ASK and wanted(incident):
        acts.append("retrain")
    return tuple(acts)


def _series(connection: sa.Connection, incident: Incident) -> tuple[Series, ...]:
    drawn = []
    for item in incident.evidence[:CHARTED]:
        found = run_rows.effects(connection, incident.model, item.column, item.check, CHART_WINDOWS)
        points = [(f.window.end, f.effect) for f in found if f.effect is not None]
        if len(points) > 1:
            times, effects = zip(*points, strict=True)
            drawn.append(Series(item.column or incident.diagnosis, item.unit, times, effects, item.threshold or 0.0))
    return tuple(drawn)


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
    why_not = refusal(scene.watch.policy, earlier, incident_rows.listing(connection, scene.watch.name), scene.now)
    if why_not is not None:
        incident_rows.note(connection, incident.id, "retraining refused", "monitor", why_not.reason, scene.now)
        return
    request = request_for(scene, incident, sum(past.incident == incident.id for past in earlier) + 1, "monitor")
    if scene.watch.policy.mode is Mode.AUTO:
        ask(connection, request, scene.now)
        return
    retrain_rows.put(connection, request, RetrainState.PROPOSED, scene.now)
    detail = f"`monitor retrain {scene.watch.name}` approves {request.key}"
    incident_rows.note(connection, incident.id, "retraining proposed", "monitor", detail, scene.now)


def _withdraw(connection: sa.Connection, scene: Scene, step: Transition) -> None:
    """Take back a proposal whose reason is gone."""
    if retrain_rows.withdraw(connection, step.after.id, f"the incident is {step.event}", scene.now):
        detail = f"nobody approved it before the incident was {step.event}"
        incident_rows.note(connection, step.after.id, "retraining withdrawn", "monitor", detail, scene.now)


def request_for(scene: Scene, incident: Incident | None, attempt: int, who: str, reason: str = "") -> RetrainRequest:
    """Return the request for a retraining of the scene's model, because of an incident or by hand."""
    return RetrainRequest(
        key=retrain_key(incident.id if incident else None, scene.watch.name, attempt),
        model=scene.watch.name,
        reason=reason or (incident.summary if incident else "asked for by hand"),
        requested_at=scene.now,
        requested_by=who,
        version=scene.reference.version if scene.reference else None,
        incident=incident.id if incident else None,
        columns=incident.columns if incident else (),
        window=scene.window,
        reference=scene.reference.id if scene.reference else None,
        link=scene.watch.link,
        labels_available=scene.watch.model.labels is not None,
    )


def letter_key(request: RetrainRequest) -> str:
    """Return the key of the outbox's letter that carries a request."""
    return f"retrain-{request.key}"


def ask(connection: sa.Connection, request: RetrainRequest, now: datetime) -> None:
    """Write a request for the trigger into the outbox, turning a proposal with the same key into it."""
    if not retrain_rows.approve(connection, request, now):
        retrain_rows.put(connection, request, RetrainState.REQUESTED, now)
    outbox_rows.put(
        connection,
        key=letter_key(request),
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
        incident_rows.note(connection, request.incident, "retraining requested", request.requested_by, detail, now)
        incident = incident_rows.get(connection, request.incident)
        incident_rows.put(connection, replace(incident, retrains=(*incident.retrains, request.key)))
