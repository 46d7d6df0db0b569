"""`monitor ack`, `silence`, `expected`, `resolve`: what a Slack button can do too."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.common import Length, chosen, config_option, json_option, load, open_store, person, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from monitor.core.incident import Incident
    from monitor.watch import Watch

    Act = Callable[[sa.Connection, Watch, Incident, datetime], Incident]

by_option = click.option("--by", default=person, show_default="you", help="Who acts, for the record.")
reason_option = click.option("--reason", default="", help="Why, for the record.")


def _act(config_path: Path, incident_id: str, act: "Act", *, as_json: bool) -> None:
    from monitor.clocks import SystemClock
    from monitor.store import incidents as rows

    config = load(config_path)
    store = open_store(config)
    with store.write() as connection:
        incident = rows.get(connection, incident_id)
        watch = chosen(config, incident.model)[incident.model]
        after = act(connection, watch, incident, SystemClock().now())
    store.close()
    if as_json:
        print_json(after.as_json())
    else:
        click.echo(f"{after.id} is {after.state}: {after.diagnosis}")


@click.command(name="ack")
@click.argument("incident_id", metavar="ID")
@config_option
@by_option
@json_option
def ack_command(incident_id: str, config_path: Path, by: str, as_json: bool) -> None:
    """Acknowledge an incident: somebody looks at it."""
    from monitor import actions

    _act(config_path, incident_id, lambda c, w, i, now: actions.acknowledge(c, w, i, by, now), as_json=as_json)


@click.command(name="silence")
@click.argument("incident_id", metavar="ID")
@config_option
@click.option("--for", "length", type=Length(), default="24h", show_default=True, help="How long.")
@by_option
@reason_option
@json_option
def silence_command(
    incident_id: str, config_path: Path, length: timedelta, by: str, reason: str, as_json: bool
) -> None:
    """Hold an incident's messages back for a while."""
    from monitor import actions

    _act(
        config_path,
        incident_id,
        lambda c, w, i, now: actions.silence(c, w, i, by, length, reason, now),
        as_json=as_json,
    )


@click.command(name="expected")
@click.argument("incident_id", metavar="ID")
@config_option
@by_option
@reason_option
@json_option
def expected_command(incident_id: str, config_path: Path, by: str, reason: str, as_json: bool) -> None:
    """Declare an incident's change expected: it stays on record and alarms nobody."""
    from monitor import actions

    _act(config_path, incident_id, lambda c, w, i, now: actions.expect(c, w, i, by, reason, now), as_json=as_json)


@click.command(name="resolve")
@click.argument("incident_id", metavar="ID")
@config_option
@by_option
@reason_option
@json_option
def resolve_command(incident_id: str, config_path: Path, by: str, reason: str, as_json: bool) -> None:
    """End an incident by hand; it opens anew if the trouble is still there."""
    from monitor import actions

    _act(config_path, incident_id, lambda c, w, i, now: actions.resolve(c, w, i, by, reason, now), as_json=as_json)
