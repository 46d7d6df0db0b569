"""`monitor retrain`, `monitor rollback` and `monitor retrains`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.acting import by_option
from monitor.cli.common import chosen, config_option, json_option, load, open_store, print_json, table
from monitor.core.window import iso

if TYPE_CHECKING:
    from collections.abc import Callable

    from monitor.core.ports import Clock
    from monitor.core.retrain import RetrainRequest
    from monitor.store.database import Store
    from monitor.watch import Watch

    Asked = Callable[[Store, Clock, Watch], RetrainRequest]


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
    from monitor.approving import approve

    def asked(store: "Store", clock: "Clock", watch: "Watch") -> "RetrainRequest":
        return approve(store, clock, watch, by, reason, dry_run=dry_run)

    _ask(ctx, model, config_path, by, asked, dry_run=dry_run, as_json=as_json)


@click.command(name="rollback")
@click.argument("model")
@config_option
@click.option("--to", help="The version to go back to; by default the one that served before.")
@click.option("--reason", default="", help="Why, for the record.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nothing.")
@by_option
@json_option
@click.pass_context
def rollback_command(
    ctx: click.Context,
    model: str,
    config_path: Path,
    to: str | None,
    reason: str,
    dry_run: bool,
    by: str,
    as_json: bool,
) -> None:
    """Go back to an earlier version of MODEL, or approve the way back that is proposed."""
    from monitor import actions

    def asked(store: "Store", clock: "Clock", watch: "Watch") -> "RetrainRequest":
        with store.write() as connection:
            return actions.roll_back(connection, watch, by, reason, clock.now(), to=to, dry_run=dry_run)

    _ask(ctx, model, config_path, by, asked, dry_run=dry_run, as_json=as_json)


def _ask(
    ctx: click.Context, model: str, config_path: Path, by: str, asked: "Asked", *, dry_run: bool, as_json: bool
) -> None:
    """Make a request and deliver it, or say what would be asked."""
    from monitor.asking import trigger_of
    from monitor.clocks import SystemClock
    from monitor.core.retrain import RetrainState
    from monitor.delivery import Delivery
    from monitor.store import retrains as rows
    from monitor.watch import watches

    config = load(config_path)
    watch = chosen(config, model)[model]
    store = open_store(config)
    clock = SystemClock()
    request = asked(store, clock, watch)
    if dry_run:
        trigger = trigger_of(watch, request)
        assert trigger is not None
        document = {**request.as_json(), "state": "dry run", "note": trigger.fire(request, dry_run=True).note}
        failed = False
    else:
        Delivery(store, clock, f"cli:{by}", config.notifiers, watches(config)).flush(key=request.letter)
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
    """List retrainings and rollbacks, oldest first."""
    from monitor.store import retrains as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        found = rows.listing(connection, model)
    store.close()
    if as_json:
        print_json({"retrains": [retraining.as_json() for retraining in found]})
    elif not found:
        click.echo("nothing has been asked for or proposed")
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
