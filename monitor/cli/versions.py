"""`monitor versions`: which version served when, and how it did."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.common import chosen, config_option, json_option, load, open_store, print_json, table
from monitor.core.window import Window

if TYPE_CHECKING:
    from checks.performance import Performance
    from monitor.tenures import Tenure
    from monitor.watch import Watch


@click.command(name="versions")
@click.argument("model", required=False)
@config_option
@click.option(
    "--performance/--no-performance", default=True, help="Read labels, where they are configured; the default."
)
@json_option
def versions_command(model: str | None, config_path: Path, performance: bool, as_json: bool) -> None:
    """Show which version served when, with its incidents, its performance, and whether it helped."""
    from monitor.clocks import SystemClock
    from monitor.tenures import tenures

    config = load(config_path)
    store = open_store(config)
    now, entries = SystemClock().now(), []
    for name, watch in chosen(config, model).items():
        with store.read() as connection:
            found = tenures(connection, name)
        entries += [(name, tenure, _measured(watch, tenure, now) if performance else ()) for tenure in found]
    store.close()
    if as_json:
        print_json({"versions": [_document(*entry) for entry in entries]})
    elif not entries:
        click.echo("no version is known; say which serves by the column version, versions.schedule or versions.mlflow")
    else:
        _print(entries)


def _measured(watch: "Watch", tenure: "Tenure", now: datetime) -> "tuple[Performance, ...]":
    from monitor.core.errors import LeewayError
    from monitor.proving import measured

    if watch.model.labels is None:
        return ()
    try:
        return measured(watch, Window(tenure.since, tenure.until or now), now)
    except LeewayError as error:
        click.echo(f"warning: {watch.name}: {error}", err=True)
        return ()


def _document(model: str, tenure: "Tenure", found: "tuple[Performance, ...]") -> dict[str, Any]:
    measures = [
        {"metric": item.metric, "value": item.value, "ci": [item.low, item.high], "rows": item.rows} for item in found
    ]
    return {"model": model, **tenure.as_json(), "performance": measures}


def _print(entries: "list[tuple[str, Tenure, tuple[Performance, ...]]]") -> None:
    from monitor.proving import told

    def cells(model: str, tenure: "Tenure", found: "tuple[Performance, ...]") -> tuple[object, ...]:
        proof = tenure.proof
        return (
            model,
            tenure.version or "–",
            f"{tenure.since:%Y-%m-%d %H:%M}",
            f"{tenure.until:%Y-%m-%d %H:%M}" if tenure.until is not None else "now",
            tenure.windows,
            f"{tenure.rows:,}",
            (tenure.reference_id or "–")[:12],
            ", ".join(incident.id for incident in tenure.incidents) or "–",
            f"{found[0].metric} {told(found[0])}" if found else "–",
            proof.summary if proof is not None else "–",
        )

    times = ("model", "version", "since", "until", "windows", "rows")
    table(
        (*times, "reference", "incidents", "performance", "helped"), (cells(*entry) for entry in entries), right=(4, 5)
    )
    for model, tenure, _ in entries:
        if tenure.proof is not None and tenure.proof.words:
            click.echo(f"\n{model} {tenure.version or ''}: {tenure.proof.words}")
