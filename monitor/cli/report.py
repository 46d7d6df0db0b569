"""`monitor report`: the HTML report, or Evidently's own."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.common import Moment, chosen, config_option, load, open_store
from monitor.core.errors import UnavailableError, UserError

if TYPE_CHECKING:
    from monitor.report.model import ReportData
    from monitor.store.database import Store


@click.command(name="report")
@click.argument("model", required=False)
@config_option
@click.option("--from", "start", type=Moment(), help="First moment; by default the newest 90 windows.")
@click.option("--to", "end", type=Moment(), help="First moment after the report.")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="report.html", show_default=True)
@click.option("--engine", type=click.Choice(["leeway", "evidently"]), default="leeway", show_default=True)
def report_command(
    model: str | None, config_path: Path, start: datetime | None, end: datetime | None, output: Path, engine: str
) -> None:
    """Write the HTML report: one file that works offline."""
    from monitor.clocks import SystemClock
    from monitor.reporting import gather

    config = load(config_path)
    store = open_store(config)
    watches = chosen(config, model)
    now = SystemClock().now()
    data, missing = [], []
    for watch in watches.values():
        try:
            data.append(gather(store, watch, config_path, now, start, end))
        except UserError as error:
            missing.append(error)
    if not data:
        raise missing[0]
    for problem in missing:
        click.echo(f"warning: {problem}", err=True)
    if engine == "evidently":
        if len(data) != 1:
            raise UserError("Evidently renders one model at a time; name one: monitor report MODEL --engine evidently")
        _evidently(store, data[0], output)
    else:
        from monitor.report.page import render

        write(output, render(data))
    store.close()
    click.echo(f"{output}  {output.stat().st_size / 1000:,.0f} kB")


def write(output: Path, page: str) -> None:
    """Write a page, all of it or nothing."""
    if output.is_dir():
        raise UnavailableError(f"{output.absolute()} is a folder; choose a file in it with -o")
    partial = output.with_name(f".{output.name}.partial")
    try:
        partial.unlink(missing_ok=True)  # of a run that was ended
        with partial.open("x", encoding="utf-8") as made:  # and nobody's link to another file
            made.write(page)
        partial.replace(output)
    except OSError as error:
        raise UnavailableError(f"{output} cannot be written: {error.strerror}; choose another place with -o") from error


def _evidently(store: "Store", data: "ReportData", output: Path) -> None:
    import pyarrow as pa

    from monitor.report.evidently import render_evidently
    from monitor.reporting import samples

    tables = samples(store, data)
    if not tables:
        raise UserError(
            f"the store has no sampled rows of {data.model} in that time, and Evidently needs some: they are kept for "
            f"`retention.samples`, and none are taken while models.{data.model}.sample is 0"
        )
    current = pa.concat_tables(tables, promote_options="permissive")
    kinds = {name: bins.kind for name, bins in data.reference.bins.items()}
    for note in render_evidently(data.reference.sample, current, output, kinds):
        click.echo(f"note: {note}", err=True)
