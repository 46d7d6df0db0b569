"""`monitor init`: a configuration from a look at a table and a reference."""

import os
import re
from pathlib import Path

import click
from pydantic import ValidationError

from monitor.core.errors import UnavailableError, UserError


@click.command(name="init")
@click.option("--logs", required=True, help="SQLAlchemy URL of the database with the log, or a path of Parquet or CSV.")
@click.option("--table", help="Table or view with the log.")
@click.option("--time", required=True, help="Column with the time of the prediction.")
@click.option("--id", "row_id", help="Column that names a row.")
@click.option("--timezone", help="Zone of times that name none.")
@click.option("--reference", required=True, help="Parquet or CSV file of the training data.")
@click.option("--model", default="model", show_default=True, help="Name of the model.")
@click.option("--score", help="Column with the score.")
@click.option("--prediction", help="Column with the prediction.")
@click.option("--version", help="Column with the model version.")
@click.option("--labels-table", help="Table with the truth.")
@click.option("--label", default="label", show_default=True, help="Column of the truth in it.")
@click.option("--labels-id", help="Column that joins it; by default the log's id.")
@click.option("--labels-time", help="Column with the time at which the truth arrived.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="config.yaml", show_default=True)
@click.option("--force", is_flag=True, help="Overwrite.")
def init_command(
    logs: str,
    table: str | None,
    time: str,
    row_id: str | None,
    timezone: str | None,
    reference: str,
    model: str,
    score: str | None,
    prediction: str | None,
    version: str | None,
    labels_table: str | None,
    label: str,
    labels_id: str | None,
    labels_time: str | None,
    output: Path,
    force: bool,
) -> None:
    """Look at a table and a reference, and write a commented configuration."""
    from monitor.config.drafting import draft
    from monitor.config.extensions import discover
    from monitor.config.models import Labels

    if output.exists() and not force:
        raise UserError(f"{output} exists already; choose another place with -o, or add --force")
    if labels_table and not (labels_id or row_id):
        raise UserError("--labels-table needs --labels-id or --id: the column that joins a label with its prediction")
    options = {"time": time, "id": row_id, **({"timezone": timezone} if timezone else {})}
    kind = "sql" if "://" in logs else "parquet"
    place = {"url": logs, "table": table} if kind == "sql" else {"path": logs}
    if kind == "sql" and not table:
        raise UserError("--logs names a database; name the table in it too: --table predictions")
    try:
        source = discover().sources[kind].model_validate({**options, **place}, context={"folder": Path()})
    except ValidationError as error:
        raise UserError("; ".join(str(problem["msg"]) for problem in error.errors(include_input=False))) from error
    facts = source.facts()  # type: ignore[attr-defined]
    for name in (row_id, score, prediction, version):
        if name is not None and name not in facts.columns:
            raise UserError(f"the log has no column {name!r}; it has {', '.join(facts.columns)}")
    labels = (
        Labels(table=labels_table, label=label, id=labels_id or row_id or "", time=labels_time)
        if labels_table
        else None
    )
    text = draft(
        logs_url=_moved(logs, output.parent),
        table=table,
        time=time,
        timezone=timezone,
        id=row_id,
        reference_file=_moved_path(reference, output.parent),
        reference_columns=_columns_of(reference),
        facts=facts,
        model=model,
        score=score,
        prediction=prediction,
        version=version,
        labels=labels,
    )
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UnavailableError(f"{output} cannot be written: {error.strerror}") from error
    for warning in facts.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{output} is written; look at it, then: monitor config check --connect -c {output}")


def _columns_of(path: str) -> dict[str, str]:
    """Return name and type of every column of the reference."""
    from monitor.sources._files import Files

    files = Files(path)
    with files.connect() as connection:
        found = files.relation(connection)
        return dict(zip(found.columns, map(str, found.types), strict=True))


def _moved(url: str, folder: Path) -> str:
    """Return a URL or path that means the same when it is read from the configuration's folder."""
    if "://" not in url:
        return _moved_path(url, folder)
    match = re.fullmatch(r"((?:sqlite(?:\+\w+)?|duckdb):///)(?!/)([^?]+)(\?.*)?", url)
    return f"{match[1]}{_moved_path(match[2], folder)}{match[3] or ''}" if match else url


def _moved_path(path: str, folder: Path) -> str:
    return path if Path(path).is_absolute() or "://" in path else os.path.relpath(path, folder)
