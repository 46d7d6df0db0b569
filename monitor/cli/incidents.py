"""`monitor incidents` and `monitor incident ID`."""

from pathlib import Path

import click

from monitor.cli.common import clean, coloured, config_option, json_option, load, open_store, print_json, table
from monitor.core.window import iso


@click.command(name="incidents")
@click.argument("model", required=False)
@config_option
@click.option("--all", "everything", is_flag=True, help="Resolved ones too.")
@json_option
@click.pass_context
def incidents_command(
    ctx: click.Context, model: str | None, config_path: Path, everything: bool, as_json: bool
) -> None:
    """List incidents, oldest first."""
    from monitor.store import incidents as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        found = rows.listing(connection, model, closed=everything)
    store.close()
    if as_json:
        print_json({"incidents": [incident.as_json() for incident in found]})
    elif not found:
        click.echo("no incident is open" if not everything else "there has been no incident")
    else:
        table(
            ("id", "state", "severity", "since", "what", "columns", "in words"),
            (
                (
                    i.id,
                    coloured(str(i.state)),
                    coloured(str(i.severity)),
                    iso(i.onset)[:16],
                    i.diagnosis,
                    ", ".join(i.columns) or "(table)",
                    i.summary,
                )
                for i in found
            ),
        )
    ctx.exit(0)


@click.command(name="incident")
@click.argument("incident_id", metavar="ID")
@config_option
@json_option
def incident_command(incident_id: str, config_path: Path, as_json: bool) -> None:
    """Show one incident with its timeline; the beginning of the id is enough."""
    from monitor.store import incidents as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        incident = rows.get(connection, incident_id)
        events = rows.timeline(connection, incident.id)
    store.close()
    if as_json:
        timeline = [
            {"at": iso(event.at), "event": event.event, "actor": event.actor, "detail": event.detail}
            for event in events
        ]
        print_json({**incident.as_json(), "timeline": timeline})
        return
    click.echo(clean(f"{incident.id}  {incident.state}  {incident.severity}  {incident.kind}"))
    click.echo(clean(f"{incident.diagnosis}: {incident.summary}"))
    click.echo(clean(f"columns  {', '.join(incident.columns) or '(the whole table)'}"))
    click.echo(f"since    {iso(incident.onset)}, {incident.windows} windows")
    for item in incident.evidence:
        click.echo(clean(f"  {item.column or '(table)'}  {item.check}  {item.words}"))
    for line in rows.lines(events):
        click.echo(clean(line))
