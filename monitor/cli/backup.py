"""`monitor backup`: a copy of the store, made while the daemon writes."""

import shlex
from pathlib import Path

import click

from monitor.cli.common import config_option, json_option, load, print_json
from monitor.core.errors import UserError


@click.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path))
@config_option
@click.option("--force", is_flag=True, help="Replace the file if it is there already.")
@json_option
def backup_command(file: Path, config_path: Path, force: bool, as_json: bool) -> None:
    """Copy the store into FILE, as it is at one moment; the daemon may go on writing.

    A store in PostgreSQL is copied by its own tools; the command that does it is printed.
    """
    from monitor.store.copying import backup
    from monitor.store.database import connect

    store = connect(load(config_path).store.get_secret_value())  # with the schema that it has: a copy changes nothing
    try:
        if store.engine.dialect.name == "postgresql":
            raise UserError(f"a store in PostgreSQL is copied by its own tools:\n\n  {dump(store.engine.url, file)}")
        made = backup(store, file, force=force)
    finally:
        store.close()
    if as_json:
        print_json({"file": str(made.file), "bytes": made.size, "schema": made.revision})
    else:
        click.echo(f"{made.file}  {made.size / 1000:,.0f} kB, schema {made.revision}, whole")


def dump(url: object, file: Path) -> str:
    """Return the command that copies a store in PostgreSQL; the password is asked for, or read from ~/.pgpass."""
    return f"pg_dump --format=custom --no-owner --file={shlex.quote(str(file))} {shlex.quote(address(url))}"


def address(url: object) -> str:
    """Return a database's address as PostgreSQL's own tools take it, without the password."""
    import sqlalchemy as sa

    assert isinstance(url, sa.URL)
    plain = sa.URL.create(
        "postgresql", username=url.username, host=url.host, port=url.port, database=url.database, query=url.query
    )
    return plain.render_as_string(hide_password=False)
