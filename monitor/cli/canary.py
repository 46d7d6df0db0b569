"""`monitor canary`: prove now that an alert would get through."""

from dataclasses import asdict
from pathlib import Path

import click

from monitor.cli.common import clean, config_option, json_option, load, open_store, person, print_json


@click.command(name="canary")
@config_option
@json_option
@click.pass_context
def canary_command(ctx: click.Context, config_path: Path, as_json: bool) -> None:
    """Prove now that an alert would get through; nobody is sent a message.

    A fault in a copy of sampled rows takes the way of every window to a test receiver, and the receivers are asked
    whether a message would reach them. Exit code 0 where it is proven, 3 where it is not.
    """
    from monitor.canary import Canary
    from monitor.clocks import SystemClock
    from monitor.core.window import iso
    from monitor.cycle import Cycle

    config = load(config_path)
    store = open_store(config)
    proof = Canary(Cycle(store, SystemClock(), who=person()), config).prove()
    store.close()
    assert proof is not None  # it was asked for, whether it is due or not
    if as_json:
        print_json({**asdict(proof), "at": iso(proof.at)})
    else:
        with_what = f" in {proof.seconds:.1f} s with {proof.model}" if proof.model else ""
        click.echo(clean(f"{proof.outcome}{with_what}: {proof.detail}"))
    ctx.exit(0 if proof.proven else 3)
