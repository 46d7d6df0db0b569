"""`monitor migrate`: the store's schema."""

from pathlib import Path

import click

from monitor.cli.common import config_option, json_option, load, print_json


@click.command(name="migrate")
@config_option
@json_option
def migrate_command(config_path: Path, as_json: bool) -> None:
    """Bring the store to this release's schema."""
    from monitor.store.database import connect
    from monitor.store.schema import migrate

    store = connect(load(config_path).store.get_secret_value())
    where = store.name
    before, after = migrate(store)
    store.close()
    if as_json:
        print_json({"store": where, "before": before, "after": after})
    elif before == after:
        click.echo(f"{where} is at {after} already")
    else:
        click.echo(f"{where} went from {before or 'nothing'} to {after}")
