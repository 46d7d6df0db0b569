"""`monitor outbox`: messages that wait or could not be delivered, and what a person does about them."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.acting import by_option
from monitor.cli.common import clean, coloured, config_option, json_option, load, open_store, print_json, table
from monitor.core.errors import UserError
from monitor.core.window import iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import sqlalchemy as sa

    from monitor.store.letters import Entry

    Act = Callable[[sa.Connection, Entry, str, datetime], None]


@click.group(name="outbox", invoke_without_command=True)
@config_option
@click.option("--all", "everything", is_flag=True, help="Delivered and dropped ones too.")
@json_option
@click.pass_context
def outbox_command(ctx: click.Context, config_path: Path, everything: bool, as_json: bool) -> None:
    """List messages and retrain requests that wait or are dead, oldest first."""
    if ctx.invoked_subcommand is not None:
        ctx.default_map = {ctx.invoked_subcommand: {"config_path": config_path}}  # -c may stand before it, too
        return
    from monitor.store import letters as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        found = rows.entries(connection, ended=everything)
    store.close()
    if as_json:
        print_json({"letters": [_as_json(letter) for letter in found]})
    elif not found:
        click.echo("nothing waits, and nothing is dead" if not everything else "nothing has been written yet")
    else:
        table(
            ("key", "state", "receiver", "incident", "attempts", "next attempt", "said"),
            (
                (
                    letter.key, coloured(letter.state), letter.receiver, letter.incident_id or "–", letter.attempts,
                    iso(letter.next_attempt_at)[:19] if letter.state == "pending" else "–", letter.error or "–",
                )
                for letter in found
            ),
            right=(4,),
        )  # fmt: skip


key_argument = click.argument("key", required=False)
dead_option = click.option("--dead", "every", is_flag=True, help="All dead ones.")


@outbox_command.command(name="retry")
@key_argument
@dead_option
@config_option
@by_option
def retry_command(key: str | None, every: bool, config_path: Path, by: str) -> None:
    """Put the dead message KEY back, once what kept it from its receiver is mended; the daemon delivers it."""
    from monitor import dead_letters

    _each(config_path, key, by, dead_letters.retry, "put back; a running daemon delivers it at its next tick", every)


@outbox_command.command(name="drop")
@key_argument
@dead_option
@config_option
@by_option
def drop_command(key: str | None, every: bool, config_path: Path, by: str) -> None:
    """Let the dead message KEY be: you know of it, and health is no longer red for it."""
    from monitor import dead_letters

    _each(config_path, key, by, dead_letters.drop, "dropped", every)


def _each(config_path: Path, key: str | None, by: str, act: "Act", done: str, every: bool) -> None:
    """Do something with one dead letter, or with each; say of each what became of it."""
    from monitor.clocks import SystemClock
    from monitor.store import letters as rows

    if every == (key is not None):
        raise click.UsageError("name one message by KEY, or all dead ones by --dead; `monitor outbox` lists them")
    store, now = open_store(load(config_path)), SystemClock().now()
    with store.write() as connection:
        if key is not None:
            letters = [rows.find(connection, key)]
        else:
            letters = [letter for letter in rows.entries(connection) if letter.state == "dead"]
        for letter in letters:
            try:
                act(connection, letter, by, now)
            except UserError as refused:
                if key is not None:
                    raise
                click.echo(clean(str(refused)))
            else:
                click.echo(clean(f"{letter.key} for {letter.receiver}: {done}"))
    store.close()
    if not letters:
        click.echo("no message is dead")


def _as_json(letter: "Entry") -> dict[str, Any]:
    waits = letter.state == "pending"
    return {
        "key": letter.key,
        "kind": letter.kind,
        "state": letter.state,
        "model": letter.model,
        "receiver": letter.receiver,
        "incident": letter.incident_id,
        "attempts": letter.attempts,
        "created_at": iso(letter.created_at),
        "next_attempt_at": iso(letter.next_attempt_at) if waits else None,
        "delivered_at": iso(letter.delivered_at) if letter.delivered_at else None,
        "error": letter.error,
    }
