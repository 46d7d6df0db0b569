"""`monitor status`: where every model stands."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from checks.wording import share_text
from monitor.cli.common import chosen, coloured, config_option, json_option, load, number, open_store, print_json, table
from monitor.core.incident import State
from monitor.core.window import iso

if TYPE_CHECKING:
    import sqlalchemy as sa

    from monitor.standing import Standing
    from monitor.watch import Watch


@click.command(name="status")
@click.argument("model", required=False)
@config_option
@json_option
def status_command(model: str | None, config_path: Path, as_json: bool) -> None:
    """Show where every model stands."""
    from monitor.clocks import SystemClock
    from monitor.store import outbox as outbox_rows

    config = load(config_path)
    store = open_store(config)
    now = SystemClock().now()
    with store.read() as connection:
        found = chosen(config, model).values()
        entries = [_entry(connection, watch, now, closely=model is not None) for watch in found]
        letters = outbox_rows.counts(connection)
    store.close()
    if as_json:
        for entry in entries:
            entry["budget"] = entry["budget"].as_json()
        print_json({"models": entries, "outbox": letters})
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
    dead = letters.get("dead", 0)
    if dead:
        click.echo(
            f"{dead} message(s) could not be delivered; `monitor incidents --all` names their incidents", err=True
        )


def _budget(model: str, standing: "Standing") -> tuple[object, ...]:
    spent = standing.spending
    near = ", ".join(f"{column} {share_text(share)}" for column, share in standing.nearest)
    return model, number(spent.allowed), spent.expectation, spent.sent, near or "–", standing.note


def _lag(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds / 86400:.1f} d" if seconds >= 86400 else f"{seconds / 3600:.1f} h"


def _entry(connection: "sa.Connection", watch: "Watch", now: datetime, *, closely: bool) -> dict[str, Any]:
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
    if any(incident.fault == "blind" for incident in firing):
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
        "reference": {"id": used["id"], "version": used["version"], "rows": used["rows"]} if used else None,
        "budget": standing(connection, watch, newest, now, closely=closely),
        "next_due": iso(watch.schedule.next_due(now, last_end)),
    }
