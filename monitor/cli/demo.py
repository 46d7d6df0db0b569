"""`monitor demo`: the whole thing on real bundled data. No network, no Slack, no questions."""

import json
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.common import clean, table
from monitor.core.retrain import RetrainState

if TYPE_CHECKING:
    from monitor.core.notice import Notice
    from monitor.demo.story import Story


@click.command(name="demo")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default="leeway-demo", show_default=True)
def demo_command(folder: Path) -> None:
    """Build a log of real flights, replay eleven weeks of it, and show what Leeway says."""
    import structlog

    from monitor.cli.common import load, open_store
    from monitor.cli.progress import progress
    from monitor.cli.report import write
    from monitor.clocks import SystemClock
    from monitor.demo import building, story
    from monitor.report.page import render
    from monitor.reporting import gather

    # The story is told below, window by window logs would drown it.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    started = time.monotonic()
    building.build(folder)
    click.echo(f"{folder}/logs.db holds the predictions of a model of flight delays, New York, 2013.")
    for fault in building.PLANTED:
        until = f"{fault.start:%d %B} to {fault.end:%d %B}"
        click.echo(f"Planted into a copy of it, on purpose: {fault.column} {fault.words}, {until}.")
    config = load(folder / "config.yaml")
    store = open_store(config)
    replay = story.Replay(config, store)
    rows = 0
    for result in progress(replay.run(), len(replay.owed), "replaying"):
        rows += result.rows
    told = replay.story()
    click.echo(f"Replayed {len(replay.owed)} windows, {rows:,} predictions, in {time.monotonic() - started:.0f} s.\n")
    _tell(told)
    data = [gather(store, watch, folder / "config.yaml", SystemClock().now()) for watch in replay.watches.values()]
    write(folder / "report.html", render(data))
    store.close()
    click.echo(f"\nReport   {folder / 'report.html'}")
    click.echo(f"Go on    cd {shlex.quote(str(folder))} && monitor incidents --all && monitor status")


def _tell(told: "Story") -> None:
    shown = [incident for incident in told.incidents if incident.told]
    short = len(told.incidents) - len(shown)
    click.secho(
        f"{len(shown)} incidents" + (f" ({short} more did not last a second window)" if short else ""), bold=True
    )
    table(
        ("model", "from", "until", "what", "columns", "in words"),
        (
            (
                i.model,
                f"{i.onset:%d %b}",
                f"{i.resolved_at:%d %b}" if i.resolved_at else "open",
                i.diagnosis,
                ", ".join(i.columns) or "(table)",
                i.summary,
            )
            for i in shown
        ),
    )
    notice = _most_telling(told)
    if notice is not None:
        from monitor.notifiers._blocks import render_slack

        click.secho(f"\nSlack would have received {len(told.notices)} messages. One of them, as JSON:", bold=True)
        click.echo(json.dumps(render_slack(notice), indent=2, ensure_ascii=False))
    _tell_retrains(told)


def _tell_retrains(told: "Story") -> None:
    if not told.retrains:
        return
    withdrawn = sum(retraining.state is RetrainState.WITHDRAWN for retraining in told.retrains)
    click.secho(f"\n{len(told.retrains)} retrainings were proposed to a person", bold=True, nl=False)
    click.echo(f" (mode ask); {withdrawn} withdrawn when their incident ended. The last, as the trigger gets it:")
    click.echo(clean(json.dumps(told.retrains[-1].request.as_json(), ensure_ascii=False)))


def _most_telling(told: "Story") -> "Notice | None":
    """Return the first message about a fault of the pipeline, else the first of all."""
    broken = [notice for notice in told.notices if notice.incident.pipeline]
    return next(iter(broken or told.notices), None)
