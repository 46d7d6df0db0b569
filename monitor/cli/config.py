"""`monitor config`: check, show, schema."""

from pathlib import Path

import click

from monitor.cli.common import clean, config_option, json_option, load, print_json


@click.group(name="config")
def config_command() -> None:
    """Check, show or describe the configuration."""


@config_command.command()
@config_option
@click.option("--connect", is_flag=True, help="Also look at tables, references, store and receivers.")
@json_option
@click.pass_context
def check(ctx: click.Context, config_path: Path, connect: bool, as_json: bool) -> None:
    """Validate the configuration; all problems at once."""
    from monitor.config.errors import ConfigError

    try:
        config = load(config_path)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"valid": False, "problems": [problem.as_json() for problem in error.problems]})
        ctx.exit(2)
    lines: list[dict[str, str]] = []
    if connect:
        from monitor.cli.connecting import connect as look

        lines = look(config)
    wrong = [line for line in lines if line["outcome"] == "error"]
    if as_json:
        print_json({"valid": True, "models": list(config.models), "connections": lines})
    else:
        names = ", ".join(config.models)
        click.echo(f"{config_path} is valid: {len(config.models)} model(s), {names}")
        for line in lines:
            mark = {"ok": "ok     ", "warning": "warning", "error": "error  "}[line["outcome"]]
            click.echo(f"{mark}  {line['what']}: {clean(line['detail'])}")
    if wrong:
        ctx.exit(3 if all(line["kind"] == "unavailable" for line in wrong) else 2)


@config_command.command()
@config_option
def show(config_path: Path) -> None:
    """Print the effective configuration with every default; secrets are hidden."""
    from monitor.config.showing import as_yaml

    click.echo(as_yaml(load(config_path)), nl=False)


@config_command.command()
def schema() -> None:
    """Print the JSON schema, for editors."""
    from monitor.config.schema import schema as described

    print_json(described())
