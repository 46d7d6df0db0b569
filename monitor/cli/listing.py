"""`monitor list checks|sources|notifiers|triggers`."""

import click

from monitor.cli.common import json_option, print_json, table

KINDS = ("checks", "sources", "notifiers", "triggers")


@click.command(name="list")
@click.argument("what", type=click.Choice(KINDS))
@json_option
def list_command(what: str, as_json: bool) -> None:
    """List what exists, one line each."""
    rows = _checks() if what == "checks" else _extensions(what)
    if as_json:
        print_json({what: rows})
    else:
        table(tuple(rows[0]), (tuple(row.values()) for row in rows))


def _checks() -> list[dict[str, str]]:
    from checks.catalogue import catalogue

    return [
        {
            "name": entry.name,
            "family": entry.family,
            "kinds": ", ".join(sorted(entry.check.kinds)) if hasattr(entry.check, "kinds") else "whole table",
            "summary": entry.summary,
        }
        for entry in catalogue().values()
    ]


def _extensions(what: str) -> list[dict[str, str]]:
    from monitor.config.extensions import discover, first_line

    return [{"name": name, "summary": first_line(cls)} for name, cls in getattr(discover(), what).items()]
