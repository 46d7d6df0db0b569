"""What follows from the steps of incidents: rows, notices, requests. All in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from monitor.core.incident import WORSE_VERSION, Incident, State, Transition
from monitor.core.notice import Notice, Series
from monitor.core.noticing import Decision, decide
from monitor.core.retrain_policy import Mode, wanted
from monitor.requesting import consider, withdraw
from monitor.scene import Scene
from monitor.store import bodies
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import runs as run_rows
from monitor.watch import Watch

CHARTED = 3  # columns whose effect over time is drawn in the thread
CHART_WINDOWS = 60


def follow(connection: sa.Connection, scene: Scene, steps: Sequence[Transition]) -> list[Transition]:
    """Write steps with everything that follows from them; return them as they were written."""
    steps = [_of_its_own(connection, step) for step in steps]
    for step in steps:
        incident_rows.record(connection, step)
    for step in steps:
        if step.event == "fired":
            consider(connection, scene, step.after)
        elif step.event in ("resolved", "expected"):
            withdraw(connection, scene, step)
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
        version=scene.served,
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
    if incident.fault == WORSE_VERSION and watch.model.rollback.trigger is not None:
        acts.append("rollback")
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
