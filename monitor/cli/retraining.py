"""`monitor retrain` and `monitor retrains`."""

from pathlib import Path

import click

from monitor.cli.acting import by_option
from monitor.cli.common import chosen, config_option, json_option, load, open_store, print_json, table
from monitor.core.window import iso


@click.command(name="retrain")
@click.argument("model")
@config_option
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nothing.")
@by_option
@json_option
@click.pass_context
def retrain_command(
    ctx: click.Context, model: str, config_path: Path, reason: str, dry_run: bool, by: str, as_json: bool
) -> None:
    """Ask for a retraining of MODEL, or approve the one that is proposed."""
    from monitor import actions
    from monitor.clocks import SystemClock
    from monitor.consequences import letter_key
    from monitor.core.retrain import RetrainState
    from monitor.delivery import Delivery
    from monitor.store import retrains as rows
    from monitor.watch import watches

    config = load(config_path)
    watch = chosen(config, model)[model]
    store = open_store(config)
    clock = SystemClock()
    with store.write() as connection:
        request = actions.retrain(connection, watch, by, reason, clock.now(), dry_run=dry_run)
    if dry_run:
        assert watch.model.retrain.trigger is not None
        fired = watch.model.retrain.trigger.fire(request, dry_run=True)
        document = {**request.as_json(), "state": "dry run", "note": fired.note}
        failed = False
    else:
        Delivery(store, clock, f"cli:{by}", config.notifiers, watches(config)).flush(key=letter_key(request))
        with store.read() as connection:
            retraining = rows.get(connection, request.key)
        document = retraining.as_json()
        failed = retraining.state in (RetrainState.FAILED, RetrainState.REFUSED, RetrainState.UNKNOWN)
    store.close()
    if as_json:
        print_json(document)
    else:
        click.echo(f"{document['key']}  {document['state']}  {document['note']}".rstrip())
    ctx.exit(3 if failed else 0)


@click.command(name="retrains")
@click.argument("model", required=False)
@config_option
@json_option
def retrains_command(model: str | None, config_path: Path, as_json: bool) -> None:
    """List retrainings, oldest first."""
    from monitor.store import retrains as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        found = rows.listing(connection, model)
    store.close()
    if as_json:
        print_json({"retrains": [retraining.as_json() for retraining in found]})
    elif not found:
        click.echo("no retraining has been asked for or proposed")
    else:
        table(
            ("key", "model", "state", "asked", "by", "why", "run", "note"),
            (
                (
                    r.request.key, r.request.model, r.state, iso(r.request.requested_at)[:16], r.request.requested_by,
                    r.request.reason, r.run or "", r.note.strip().splitlines()[-1] if r.note.strip() else "",
                )
                for r in found
            ),
        )  # fmt: skip
