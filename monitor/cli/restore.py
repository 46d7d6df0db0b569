"""`monitor restore`: a copy of the store, put in its place."""

from pathlib import Path

import click

from monitor.cli.common import config_option, json_option, load, print_json
from monitor.core.errors import UserError
from monitor.core.window import iso


@click.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@config_option
@click.option("--force", is_flag=True, help="Move a store that holds something aside.")
@click.option("--mark", "mark_alone", is_flag=True, help="Only note that the store was put back, by pg_restore.")
@json_option
def restore_command(file: Path | None, config_path: Path, force: bool, mark_alone: bool, as_json: bool) -> None:
    """Put FILE, a copy made by `monitor backup`, in the store's place; no daemon may run meanwhile.

    Windows since the copy are owed again. What was told about them is looked up before it is told again, where the
    receiver can be asked.
    """
    from monitor.clocks import SystemClock
    from monitor.store import copying
    from monitor.store.database import connect
    from monitor.store.schema import migrate

    if (file is None) is not mark_alone:
        raise UserError("name the FILE to restore, or give --mark after pg_restore")
    now = SystemClock().now()
    store = connect(load(config_path).store.get_secret_value())
    where, aside = store.name, None
    try:
        if file is None:
            living = copying.busy(store)
            if living:
                raise UserError(f"{', '.join(living)} work with the store {where}; stop them first")
            migrate(store)
            copying.mark(store, now)
        elif store.engine.dialect.name == "postgresql":
            raise UserError(_by_its_own_tools(store.engine.url, file))
        else:
            _, aside = copying.restore(store, file, now, force=force)
    finally:
        store.close()
    if as_json:
        print_json({"store": where, "file": str(file) if file else None, "aside": str(aside) if aside else None,
                    "at": iso(now)})  # fmt: skip
        return
    click.echo(f"{where} is {file or 'noted as put back'}; windows since then are owed again")
    if aside is not None:
        click.echo(f"what was there before is {aside}")


def _by_its_own_tools(url: object, file: Path) -> str:
    import shlex

    from monitor.cli.backup import address

    load_it = f"pg_restore --no-owner --exit-on-error --single-transaction --dbname={shlex.quote(address(url))}"
    return (
        "a store in PostgreSQL is put back by its own tools, into an empty database and while no daemon runs:\n\n"
        f"  {load_it} {shlex.quote(str(file))}\n  monitor restore --mark"
    )
