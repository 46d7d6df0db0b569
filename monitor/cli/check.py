"""`monitor check`: evaluates one window now. Nothing is written but the reference snapshot; nobody is told."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.common import (
    Span,
    chosen,
    clean,
    coloured,
    config_option,
    json_option,
    load,
    number,
    open_store,
    print_json,
    table,
)  # fmt: skip
from monitor.core.finding import Verdict
from monitor.core.window import Window, iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.core.finding import Finding
    from monitor.core.incident import Incident
    from monitor.cycle import Cycle
    from monitor.watch import Watch


_CONCLUDED = (Verdict.PASS, Verdict.BREACH, Verdict.FAILED)


@click.command(name="check")
@click.argument("model", required=False)
@config_option
@click.option("--window", type=Span(), help="START/END; by default the newest window that is due.")
@click.option("--all", "everything", is_flag=True, help="Print passing findings too.")
@json_option
@click.pass_context
def check_command(
    ctx: click.Context, model: str | None, config_path: Path, window: Window | None, everything: bool, as_json: bool
) -> None:
    """Evaluate a window now and print the findings."""
    config = load(config_path)
    from monitor.clocks import SystemClock
    from monitor.cycle import Cycle

    store = open_store(config)
    cycle = Cycle(store, SystemClock())
    documents: list[dict[str, Any]] = []
    failed = unable = False
    for watch in chosen(config, model).values():
        from monitor.core.errors import LeewayError

        try:
            findings, incidents, judged = evaluated(cycle, watch, window)
        except LeewayError as error:
            if model is not None or len(config.models) == 1:
                raise
            click.echo(clean(f"error: {watch.name}: {error}"), err=True)
            documents.append({"model": watch.name, "error": str(error), "findings": [], "incidents": []})
            failed = True
            continue
        documents.append(document(watch.name, judged, findings, incidents))
        if not as_json:
            print_findings(watch.name, judged, findings, everything=everything)
        if not any(finding.verdict in _CONCLUDED for finding in findings):
            rows = max((finding.rows for finding in findings), default=0)
            click.echo(f"warning: {rows:,} rows of {watch.name} in {judged}: nothing can be concluded", err=True)
            unable = True
    store.close()
    if as_json:
        print_json(documents[0] if len(documents) == 1 else {"models": documents})
    verdicts = {finding["verdict"] for entry in documents for finding in entry["findings"]}
    ctx.exit(3 if failed else 1 if "breach" in verdicts else 3 if unable or "failed" in verdicts else 0)


def evaluated(
    cycle: "Cycle", watch: "Watch", window: Window | None
) -> "tuple[Sequence[Finding], Sequence[Incident], Window]":
    """Judge one window of one model without writing the result."""
    from monitor.core.own_incidents import watched
    from monitor.cycle import decided_by_people, held_before
    from monitor.cycle import judged as judge_window
    from monitor.store import incidents as incident_rows

    judged = window or newest(cycle, watch)
    subject = cycle.ready(watch, judged).subject
    reading = watch.model.logs.read(judged, subject.reference.bins, 0)
    with cycle.store.read() as connection:
        opened = watched(incident_rows.listing(connection, watch.name))
        before = held_before(connection, watch, subject, judged)
        decided = decided_by_people(before, opened)
        outcome = judge_window(connection, watch, subject, judged, reading.profile, before, decided)
    steps = outcome.steps(opened, judged, cycle.clock.now(), subject.holding)
    return outcome.findings, [step.after for step in steps], judged


def newest(cycle: "Cycle", watch: "Watch") -> Window:
    """Return the newest window that is due; where the log ends earlier, its last window with rows, and say so."""
    due = watch.schedule.newest_due(cycle.clock.now())
    last = watch.model.logs.facts().last_event
    if last is None or last >= due.start:
        return due
    click.echo(
        f"warning: the log of {watch.name} ends at {iso(last)}; judging its last window. "
        "A daemon would report the silence. Choose another one with --window START/END.",
        err=True,
    )
    return watch.schedule.window_containing(last)


def document(
    model: str, window: Window, findings: "Sequence[Finding]", incidents: "Sequence[Incident]"
) -> dict[str, Any]:
    """Return the contract's JSON object."""
    return {
        "model": model,
        "window": {"start": iso(window.start), "end": iso(window.end)},
        "windows": 1,
        "findings": [finding.as_json() for finding in findings],
        "incidents": [incident.as_json() for incident in incidents],
    }


def print_findings(model: str, window: Window, findings: "Sequence[Finding]", *, everything: bool) -> None:
    """Print a summary and a table, worst first."""
    from monitor.core.finding import summary_of

    counts = summary_of(findings)
    rows = max((finding.rows for finding in findings), default=0)
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    click.echo(f"{model}  {window}  {rows:,} rows  {said or 'nothing was checked'}")
    order = [Verdict.BREACH, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.PASS]
    shown = [f for f in findings if everything or f.verdict in (Verdict.BREACH, Verdict.FAILED)]
    if shown:
        ranked = sorted(shown, key=lambda f: order.index(f.verdict))
        table(
            ("verdict", "column", "check", "effect", "tolerance", "would see", "why"),
            (
                (
                    coloured(str(f.verdict)),
                    f.column if f.column is not None else "(table)",
                    f.check,
                    f"{number(f.effect)} {f.unit}" if f.effect is not None else "–",
                    number(f.threshold),
                    number(f.minimum_detectable),
                    (f"{f.diagnosis}: " if f.diagnosis else "") + f.reason,
                )
                for f in ranked
            ),
            right=(3, 4, 5),
        )
