"""`monitor backtest`: which incidents would there have been. The daemon's own cycle, a store that is thrown away."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.common import Moment, chosen, coloured, config_option, json_option, load, open_store, print_json, table
from monitor.core.errors import UserError
from monitor.core.window import iso
from monitor.core.wording import days, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.config.models import Config
    from monitor.core.comparison import Comparison
    from monitor.core.planted import Noticed
    from monitor.report.backtest import Backtest
    from monitor.store.database import Store
    from monitor.watch import Watch


@click.command(name="backtest")
@click.argument("model", required=False)
@config_option
@click.option("--from", "start", type=Moment(), required=True, help="First moment to replay.")
@click.option("--to", "end", type=Moment(), required=True, help="First moment not to replay.")
@click.option("--compare", metavar="TOOLS", help="Tools to put beside it: evidently,ks,nannyml,psi or all.")
@click.option("--plant/--no-plant", default=True, show_default=True, help="Say how soon planted faults would be seen.")
@click.option("--from-log", is_flag=True, help="Read every window from the log, also those that the store has.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write an HTML page of it all.")
@click.option("--all", "everything", is_flag=True, help="With --json: list every finding, not the breaches alone.")
@json_option
@click.pass_context
def backtest_command(
    ctx: click.Context,
    model: str | None,
    config_path: Path,
    start: datetime,
    end: datetime,
    compare: str | None,
    plant: bool,
    from_log: bool,
    output: Path | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Replay the schedule over the past: which incidents would there have been? Sends nothing."""
    if end <= start:
        raise UserError("--to must be after --from")
    from monitor.cli.progress import progress
    from monitor.clocks import SystemClock
    from monitor.replay.backtest import Wanted, backtest, rules_named

    config = load(config_path)
    if output is not None and (output.is_dir() or not output.absolute().parent.is_dir()):
        raise UserError(f"{output} is no place for a file; choose another one with -o")
    page = (config_path, SystemClock().now()) if output is not None else None
    wanted = Wanted(everything, from_log, plant, rules_named(compare) if compare is not None else (), page)
    found, watches = [], chosen(config, model)
    store = _store(config, list(watches.values()), from_log=from_log)
    for watch in watches.values():
        found.append(backtest(watch, start, end, wanted, progress, store))
        if not as_json:
            _print(found[-1])
    if store is not None:
        store.close()
    if as_json:
        print_json(found[0].as_json() if len(found) == 1 else {"models": [one.as_json() for one in found]})
    if output is not None:
        from monitor.cli.report import write
        from monitor.report.backtest_page import render

        write(output, render(found))
        click.echo(f"{output}  {output.stat().st_size / 1000:,.0f} kB", err=as_json)
    ctx.exit(1 if any(one.breached for one in found) else 3 if any(one.failed for one in found) else 0)


def _store(config: "Config", watches: "Sequence[Watch]", *, from_log: bool) -> "Store | None":
    """Open the daemon's store for what it knows of the past; None where there is none, or nothing is asked of it."""
    from monitor.store.schema import existing_store

    if any(watch.model.reference.pin is not None for watch in watches):
        return open_store(config)
    return None if from_log else existing_store(config.store.get_secret_value())


def _print(found: "Backtest") -> None:
    told = found.told
    click.echo(
        f"{found.model}: {len(found.windows)} windows from {iso(found.start)} to {iso(found.end)}; "
        f"{plural(len(told), 'incident')}, {len(found.incidents) - len(told)} more that did not last"
    )
    if found.stored:
        read = len(found.windows) - found.stored
        click.echo(f"{plural(found.stored, 'window')} from the store's profiles, {read} read from the log")
    if found.unsampled:
        click.echo(
            f"the sampled rows of {found.unsampled} of them are older than `retention.samples` keeps: which segment "
            "carries a change is told from fewer rows; --from-log reads them again"
        )
    for window, reason in found.failed.items():
        click.echo(f"failed  {window}: {reason}", err=True)
    if told:
        table(
            ("state", "since", "until", "severity", "what", "columns", "in words"),
            (
                (
                    coloured(str(i.state)), _short(i.onset), _short(i.resolved_at), coloured(str(i.severity)),
                    i.diagnosis, ", ".join(i.columns), i.summary,
                )
                for i in told
            ),
        )  # fmt: skip
    if found.false_alarms is not None:
        click.echo(f"\nfalse alarms to expect in {found.false_alarms.days:,.3g} days: {found.false_alarms.words}")
    if found.planted:
        _print_planted(found.planted)
    if found.comparison is not None:
        _print_comparison(found.comparison)


def _short(moment: datetime | None) -> str:
    return iso(moment)[:16] if moment else ""


def _print_planted(planted: "Sequence[Noticed]") -> None:
    within = max(fault.within for fault in planted)
    click.echo(f"\ntime until a planted fault would have been noticed, of {days(within)}")
    table(
        ("fault in one column", "columns", "noticed", "median", "nine in ten"),
        ((f.fault, f.columns, f"{f.noticed} of {f.tried}", days(f.median), days(f.slow)) for f in planted),
        right=(1, 2, 3, 4),
    )


def _print_comparison(comparison: "Comparison") -> None:
    click.echo("\ntools at their defaults, on the same windows")
    table(
        ("tool", "alerts", "notices", "in 30 days", "outside incidents", "incident columns seen", "before", "days"),
        (
            (
                t.title, f"{t.alerts:,}", len(t.told), f"{t.per_30_days:.1f}", t.elsewhere,
                f"{t.seen} of {len(t.sights)}", t.before, days(t.median_days),
            )
            for t in comparison.tools
        ),
        right=(1, 2, 3, 4, 5, 6, 7),
    )  # fmt: skip
    for note in comparison.notes:
        click.echo(f"note: {note}")
