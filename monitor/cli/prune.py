"""`monitor prune`: removes from the store what the policy does not keep."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.common import config_option, json_option, load, open_store, print_json, table
from monitor.core.window import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.retaining import Pruned


@click.command(name="prune")
@config_option
@click.option("--dry-run", is_flag=True, help="Remove nothing; say what would go.")
@json_option
def prune_command(config_path: Path, dry_run: bool, as_json: bool) -> None:
    """Remove from the store what `retention` does not keep; the daemon does so once a day by itself.

    Windows count as one row each, whatever they hold; incidents go with their timelines, messages and retrainings.
    """
    from monitor import retaining
    from monitor.clocks import SystemClock

    config = load(config_path)
    store = open_store(config)
    now = SystemClock().now()
    found = retaining.would_prune(store, config, now) if dry_run else retaining.prune(store, config, now)
    store.close()
    if as_json:
        print_json({"dry_run": dry_run, "at": iso(now), "pruned": [one.as_json() for one in found]})
    else:
        _print(found, dry_run=dry_run)


def _print(found: "Sequence[Pruned]", *, dry_run: bool) -> None:
    if not found:
        click.echo("nothing is older than `retention` keeps it")
        return
    table(
        ("model", "what", "would go" if dry_run else "went", "older than"),
        ((one.model or "–", one.what, one.rows, iso(one.before)[:16] if one.before else "unused") for one in found),
        right=(2,),
    )
