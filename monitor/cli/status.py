"""`monitor status`: where every model stands."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.wording import share_text
from monitor.cli.common import (
    chosen,
    clean,
    coloured,
    config_option,
    json_option,
    load,
    number,
    open_store,
    print_json,
    table,
)
from monitor.core.incident import State
from monitor.core.window import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from monitor.config.models import Config
    from monitor.health import Problem
    from monitor.standing import Standing
    from monitor.store.canaries import Proof
    from monitor.store.heartbeats import Process
    from monitor.watch import Watch


@click.command(name="status")
@click.argument("model", required=False)
@config_option
@json_option
def status_command(model: str | None, config_path: Path, as_json: bool) -> None:
    """Show where every model stands, which processes watch, and what is wrong with the monitor itself."""
    from monitor.clocks import SystemClock
    from monitor.store import heartbeats
    from monitor.store import outbox as outbox_rows

    config = load(config_path)
    store = open_store(config)
    now = SystemClock().now()
    with store.read() as connection:
        found = chosen(config, model).values()
        entries = [_entry(connection, watch, now, closely=model is not None) for watch in found]
        letters = outbox_rows.counts(connection)
        processes = heartbeats.processes(connection)
        proof, problems = _health(connection, config, processes, now)
    store.close()
    if as_json:
        for entry in entries:
            entry["budget"] = entry["budget"].as_json()
        document: dict[str, Any] = {"models": entries, "outbox": letters}
        document["processes"] = [process.as_json() for process in processes]
        document["problems"] = [problem.as_json() for problem in problems]
        document["canary"] = {"at": iso(proof.at), "outcome": proof.outcome, "detail": proof.detail} if proof else None
        print_json(document)
        return
    table(
        ("model", "state", "last window", "lag", "open incidents", "reference", "next due"),
        (
            (
                entry["model"],
                coloured(entry["state"]),
                entry["last_window"]["end"] if entry["last_window"] else "never",
                _lag(entry["lag_seconds"]),
                entry["open_incidents"],
                (entry["reference"] or {}).get("id", "–")[:12],
                entry["next_due"],
            )
            for entry in entries
        ),
        right=(3, 4),
    )
    click.echo()
    table(
        ("model", "budget per 30 d", "expected", "told in 30 d", "closest to an alarm", "note"),
        (_budget(entry["model"], entry["budget"]) for entry in entries),
        right=(1, 3),
    )
    click.echo()
    click.echo("; ".join([_watched(processes, now), *([clean(proof.words(now))] if proof else [])]))
    for problem in problems:
        name = click.style(problem.name, fg="red" if problem.red else "yellow", bold=True)
        click.echo(f"{name}: {clean(str(problem))}")
    dead = letters.get("dead", 0)
    if dead:
        click.echo(
            f"{dead} message(s) could not be delivered; `monitor incidents --all` names their incidents", err=True
        )


def _health(
    connection: "sa.Connection", config: "Config", processes: "Sequence[Process]", now: datetime
) -> "tuple[Proof | None, list[Problem]]":
    """Return the newest proof of the alert path, and what is wrong as the store and the living processes have it."""
    from monitor import health
    from monitor.checkup import read_rows

    rows = read_rows(connection, config, now)
    living = [process for process in processes if process.alive]
    every = config.canary.every if config.canary is not None else None
    since = min((process.started_at for process in living), default=None)
    told = [problem for process in living for problem in health.told_by(process.body.get("problems"), process.host)]
    return rows.proof, [*told, *health.of_store(rows, now, every, since)]


def _watched(processes: "Sequence[Process]", now: datetime) -> str:
    from monitor.core.wording import ago

    living = [process for process in processes if process.alive]
    if living:
        seconds = min(process.since_beat for process in living)
        number = len(living)
        return f"watched by {number} process{'es' if number > 1 else ''}; last beat {seconds:.0f} s ago"
    if not processes:
        return "no daemon has run on this store; `monitor run` starts one"
    last = processes[0]
    stopped = "it was stopped" if last.body.get("stopped") else "it did not say why"
    seen = ago(now - timedelta(seconds=last.since_beat), now)
    return f"no daemon is running; the last was seen {seen} on {last.host} ({stopped})"


def _budget(model: str, standing: "Standing") -> tuple[object, ...]:
    spent = standing.spending
    near = ", ".join(f"{column} {share_text(share)}" for column, share in standing.nearest)
    return model, number(spent.allowed), spent.expectation, spent.sent, near or "–", standing.note


def _lag(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds / 86400:.1f} d" if seconds >= 86400 else f"{seconds / 3600:.1f} h"


def _entry(connection: "sa.Connection", watch: "Watch", now: datetime, *, closely: bool) -> dict[str, Any]:
    from monitor.core.own_incidents import BLIND
    from monitor.standing import standing
    from monitor.store import incidents as incident_rows
    from monitor.store import references as reference_rows
    from monitor.store import runs as run_rows

    runs = [run for run in run_rows.listing(connection, watch.name, limit=20) if run.state != "skipped"]
    done = [run for run in runs if run.state == "done"]
    opened = incident_rows.listing(connection, watch.name)
    snapshots = reference_rows.listing(connection, watch.name)
    newest = done[-1] if done else None
    known = {str(entry["id"]): entry for entry in snapshots}
    used = known.get(newest.reference_id or "") if newest else (snapshots[0] if snapshots else None)
    firing = [incident for incident in opened if incident.state is State.FIRING]
    if any(incident.fault == BLIND for incident in firing):
        state = "blind"
    else:
        state = "firing" if firing else "pending" if opened else "ok" if done else "never run"
    last_end = run_rows.last_end(connection, watch.name)
    return {
        "model": watch.name,
        "state": state,
        "last_window": {"start": iso(newest.window.start), "end": iso(newest.window.end)} if newest else None,
        "last_outcome": runs[-1].state if runs else None,
        "last_reason": runs[-1].reason if runs else "",
        "lag_seconds": (now - newest.window.end).total_seconds() if newest else None,
        "open_incidents": len(opened),
        "incidents": [incident.id for incident in opened],
        "version": newest.served.version if newest else None,
        "reference": {"id": used["id"], "version": used["version"], "rows": used["rows"]} if used else None,
        "budget": standing(connection, watch, newest, now, closely=closely),
        "next_due": iso(watch.schedule.next_due(now, last_end)),
    }
