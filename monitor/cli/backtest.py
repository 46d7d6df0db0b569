"""`monitor backtest`: which incidents would there have been. The daemon's own cycle, a store that is thrown away."""

import tempfile
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.common import Moment, chosen, coloured, config_option, json_option, load, print_json, table
from monitor.core.errors import UserError
from monitor.core.window import iso

if TYPE_CHECKING:
    from monitor.watch import Watch


@click.command(name="backtest")
@click.argument("model", required=False)
@config_option
@click.option("--from", "start", type=Moment(), required=True, help="First moment to replay.")
@click.option("--to", "end", type=Moment(), required=True, help="First moment not to replay.")
@click.option("--all", "everything", is_flag=True, help="With --json: list every finding, not the breaches alone.")
@json_option
@click.pass_context
def backtest_command(
    ctx: click.Context,
    model: str | None,
    config_path: Path,
    start: datetime,
    end: datetime,
    everything: bool,
    as_json: bool,
) -> None:
    """Replay the schedule over the past: which incidents would there have been? Sends nothing."""
    if end <= start:
        raise UserError("--to must be after --from")
    config = load(config_path)
    documents = []
    for watch in chosen(config, model).values():
        documents.append(_replayed(watch, start, end, everything=everything))
        if not as_json:
            _print(documents[-1])
    if as_json:
        print_json(documents[0] if len(documents) == 1 else {"models": documents})
    breached = any(finding["verdict"] == "breach" for entry in documents for finding in entry["findings"])
    ctx.exit(1 if breached else 3 if any(entry["failed"] for entry in documents) else 0)


def _replayed(watch: "Watch", start: datetime, end: datetime, *, everything: bool) -> dict[str, Any]:
    from dataclasses import replace

    from monitor.cli.progress import progress
    from monitor.clocks import SetClock
    from monitor.core.finding import Verdict
    from monitor.cycle import Cycle
    from monitor.replay import replay, windows_between
    from monitor.store import incidents as incident_rows
    from monitor.store.schema import open_store

    quiet = replace(watch, receivers=(), model=watch.model.model_copy(update={"retrain": _off(watch)}))
    windows = windows_between(watch, start, end)
    findings: list[dict[str, Any]] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="leeway-backtest-") as folder:
        store = open_store(f"sqlite:///{folder}/scratch.db")
        clock = SetClock(start)
        for result in progress(
            replay(Cycle(store, clock), clock, quiet, windows), len(windows), f"{watch.name} replay"
        ):
            if result.outcome == "failed":
                failed.append(f"{result.window}: {result.reason}")
            findings += [f.as_json() for f in result.findings if everything or f.verdict is Verdict.BREACH]
        with store.read() as connection:
            incidents = [incident.as_json() for incident in incident_rows.listing(connection, closed=True)]
        store.close()
    return {
        "model": watch.name,
        "from": iso(start),
        "to": iso(end),
        "windows": len(windows),
        "failed": failed,
        "findings": findings,
        "incidents": incidents,
    }


def _off(watch: "Watch") -> Any:
    return watch.model.retrain.model_copy(update={"mode": "off", "trigger": None})


def _print(document: dict[str, Any]) -> None:
    told = [i for i in document["incidents"] if i["resolved_reason"] != "did not last"]
    click.echo(
        f"{document['model']}: {document['windows']} windows from {document['from']} to {document['to']}; "
        f"{len(told)} incidents, {len(document['incidents']) - len(told)} more that did not last"
    )
    for line in document["failed"]:
        click.echo(f"failed  {line}", err=True)
    if told:
        table(
            ("state", "since", "until", "severity", "what", "columns", "in words"),
            (
                (
                    coloured(i["state"]), i["onset"][:16], (i["resolved_at"] or "")[:16], coloured(i["severity"]),
                    i["diagnosis"], ", ".join(i["columns"]), i["summary"],
                )
                for i in told
            ),
        )  # fmt: skip
