"""`monitor reference`: versioned snapshots of what a model was trained on."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from monitor.cli.common import (
    chosen,
    config_option,
    json_option,
    load,
    number,
    open_store,
    person,
    print_json,
    table,
)  # fmt: skip
from monitor.core.window import iso


@click.group(name="reference")
def reference_command() -> None:
    """Add, list, show, pin or compare reference snapshots."""


@reference_command.command()
@click.argument("model")
@config_option
@click.option(
    "--file", "path", type=click.Path(path_type=Path), help="A Parquet or CSV file, instead of the configured."
)
@click.option("--version", help="The model version that was trained on it.")
@click.option("--pin", "pinned", is_flag=True, help="Judge by it from now on.")
@json_option
def add(model: str, config_path: Path, path: Path | None, version: str | None, pinned: bool, as_json: bool) -> None:
    """Add a snapshot for MODEL from where the configuration says, or from a file."""
    from monitor import referencing
    from monitor.clocks import SystemClock
    from monitor.config.references import Reference as Where
    from monitor.core.errors import UserError
    from monitor.store import references as rows

    config = load(config_path)
    options = chosen(config, model)[model].model
    if path is not None:
        options = options.model_copy(
            update={"reference": Where(file=str(path.absolute()), time=options.reference.time)}
        )
    if version is None and options.reference.by_version:
        raise UserError(f"every version of {model} has a reference of its own; say with --version whose this is")
    options = referencing.of_version(options, version)
    store = open_store(config)
    now = SystemClock().now()
    built = referencing.snapshot(options, model, now=now, who=person())
    with store.write() as connection:
        new = rows.add(connection, built)
        if pinned:
            rows.pin(connection, model, built.id, now)
    store.close()
    for warning in built.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        print_json({"id": built.id, "model": model, "new": new, "rows": built.rows, "columns": len(built.bins)})
    else:
        click.echo(
            f"{'added' if new else 'known already'}: {built.short}, {built.rows:,} rows, {len(built.bins)} columns"
        )


@reference_command.command(name="list")
@click.argument("model", required=False)
@config_option
@json_option
def list_(model: str | None, config_path: Path, as_json: bool) -> None:
    """List snapshots, newest first."""
    from monitor.store import references as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        found = rows.listing(connection, model)
    store.close()
    plain = [{key: iso(value) if isinstance(value, datetime) else value for key, value in row.items()} for row in found]
    if as_json:
        print_json({"references": plain})
    elif not plain:
        click.echo("there is no reference yet; `monitor reference add MODEL` adds one")
    else:
        names = ("id", "model", "version", "rows", "added_at", "added_by", "pinned_at", "origin")
        table(names, ((str(row["id"])[:12], *(row[name] or "" for name in names[1:])) for row in plain))


@reference_command.command()
@click.argument("model")
@click.argument("reference_id", metavar="ID")
@config_option
@json_option
def show(model: str, reference_id: str, config_path: Path, as_json: bool) -> None:
    """Show one snapshot, column by column."""
    from monitor.store import references as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        reference = rows.find(connection, model, reference_id)
    store.close()
    columns = [_column(name, reference) for name in reference.bins]
    if as_json:
        span = {"start": iso(reference.span.start), "end": iso(reference.span.end)} if reference.span else None
        print_json(
            {
                "id": reference.id, "model": model, "version": reference.version, "rows": reference.rows, "span": span,
                "origin": reference.origin, "added_at": iso(reference.added_at), "added_by": reference.added_by,
                "windows": len(reference.blocks), "warnings": list(reference.warnings), "columns": columns,
            }
        )  # fmt: skip
        return
    click.echo(f"{reference.id}\n{reference.origin}, {reference.rows:,} rows, {len(reference.blocks)} windows")
    table(tuple(columns[0]), (tuple(_said(v) for v in c.values()) for c in columns), right=(2, 3, 4, 5, 6))


def _said(value: object) -> str:
    return value if isinstance(value, str) else number(float(value)) if isinstance(value, int | float) else "–"


def _column(name: str, reference: Any) -> dict[str, Any]:
    bins, profile = reference.bins[name], reference.profile.columns[name]
    return {
        "column": name,
        "kind": bins.kind,
        "null_share": profile.null_share,
        "mean": profile.mean(bins),
        "sd": profile.deviation(bins),
        "low": profile.low,
        "high": profile.high,
    }


@reference_command.command()
@click.argument("model")
@click.argument("reference_id", metavar="ID")
@config_option
def pin(model: str, reference_id: str, config_path: Path) -> None:
    """Judge MODEL by this snapshot from now on."""
    from monitor.clocks import SystemClock
    from monitor.store import references as rows

    store = open_store(load(config_path))
    with store.write() as connection:
        reference = rows.find(connection, model, reference_id)
        rows.pin(connection, model, reference.id, SystemClock().now())
    store.close()
    click.echo(f"{model} is judged by {reference.short} from now on")


@reference_command.command()
@click.argument("model")
@click.argument("first", metavar="ID")
@click.argument("second", metavar="ID")
@config_option
@json_option
def diff(model: str, first: str, second: str, config_path: Path, as_json: bool) -> None:
    """Compare two snapshots column by column, as a window would be compared."""
    from monitor.store import references as rows

    store = open_store(load(config_path))
    with store.read() as connection:
        before, after = rows.find(connection, model, first), rows.find(connection, model, second)
    store.close()
    named = [
        {"column": name, "only_in": "the first" if name in before.bins else "the second"}
        for name in dict.fromkeys([*before.bins, *after.bins])
        if (name in before.bins) != (name in after.bins)
    ]
    both: list[dict[str, Any]] = [
        {"column": name, "first": _column(name, before), "second": _column(name, after)}
        for name in before.bins
        if name in after.bins
    ]
    if as_json:
        print_json({"first": before.id, "second": after.id, "one_sided": named, "columns": both})
        return
    for entry in named:
        click.echo(f"{entry['column']} is only in {entry['only_in']}")
    table(
        ("column", "kind", "nulls", "nulls then", "mean", "mean then", "sd", "sd then"),
        (
            (
                c["column"], c["first"]["kind"],
                *(_said(c[side][key]) for key in ("null_share", "mean", "sd") for side in ("first", "second")),
            )
            for c in both
        ),
    )  # fmt: skip
