"""`monitor explain`: the same verdict again, step by step in plain words."""

import shutil
import textwrap
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.common import clean, config_option, json_option, load, open_store, print_json
from monitor.cli.explained import (
    Explained,
    again_as_json,
    asked_for,
    document,
    explained,
    finding_of,
    judged_again,
    run_of,
)
from monitor.core.finding import Finding, Rule
from monitor.core.window import iso

if TYPE_CHECKING:
    from monitor.config.models import Config
    from monitor.core.incident import Incident
    from monitor.cycle import Cycle
    from monitor.recomputing import Again

WIDEST = 110
LABEL = 14


@click.command(name="explain")
@click.argument("what", metavar="INCIDENT|FINDING")
@config_option
@json_option
def explain_command(what: str, config_path: Path, as_json: bool) -> None:
    """Say step by step how an incident or a finding came about, judging it again from what the store has.

    An INCIDENT is an id or its beginning. A FINDING is MODEL/COLUMN/CHECK@WINDOW-START; without a window it is the
    newest, MODEL/COLUMN means the column's check with the most evidence, MODEL/CHECK one of the whole table.
    """
    from monitor.clocks import SystemClock
    from monitor.cycle import Cycle

    config = load(config_path)
    store = open_store(config)
    cycle = Cycle(store, SystemClock())
    try:
        wanted = asked_for(what)
        if wanted is None:
            _incident(config, cycle, what, as_json=as_json)
        else:
            found = finding_of(config, cycle, wanted)
            if as_json:
                print_json(document(found))
            else:
                _print_finding(found)
    finally:
        store.close()


def _incident(config: "Config", cycle: "Cycle", prefix: str, *, as_json: bool) -> None:
    """Explain an incident: when each column alarmed, and how the first of them came to it."""
    from monitor.store import incidents as incident_rows
    from monitor.store import runs as run_rows

    with cycle.store.read() as connection:
        incident = incident_rows.get(connection, prefix)
        breaches = run_rows.breaches(
            connection, incident.model, incident.columns, incident.opened_at, incident.last_window_end
        )
    alarms = _alarms(incident, breaches)
    judged = {
        start: judged_again(config, cycle, run_of(config, cycle, incident.model, start))
        for start in dict.fromkeys(finding.window.start for finding in alarms)
    }
    first = explained(judged[alarms[0].window.start], alarms[0]) if alarms else None
    if as_json:
        whole = {"incident": incident.as_json(), "alarms": [_again_json(judged, f) for f in alarms]}
        print_json(whole | {"explained": document(first) if first else None})
    else:
        _print_incident(incident, alarms, [found for found in judged.values() if not found.same])
        if first is not None:
            click.echo()
            _print_finding(first)


def _alarms(incident: "Incident", breaches: list[Finding]) -> list[Finding]:
    """Return the finding with which each column of an incident came into it, oldest first, most telling first."""
    checks = {(item.column, item.check) for item in incident.evidence}
    found: dict[str | None, Finding] = {}
    for finding in breaches:
        if finding.rule is Rule.DESCRIPTION or (finding.rule is Rule.EVIDENCE and not finding.fresh):
            continue
        if finding.column is None and (None, finding.check) not in checks:
            continue
        known = found.get(finding.column)
        better = known is not None and known.window == finding.window and _rank(finding, checks) > _rank(known, checks)
        if known is None or better:
            found[finding.column] = finding
    return list(found.values())


def _rank(finding: Finding, checks: set[tuple[str | None, str]]) -> tuple[bool, float]:
    return (finding.column, finding.check) in checks, abs(finding.statistic or 0.0)


def _print_finding(explained: Explained) -> None:
    from monitor.cli.explaining import again_words, heading

    click.secho(clean(heading(explained.finding)), bold=True)
    _print_words([("again", again_words(explained.again, explained.finding)), *explained.steps])


def _print_incident(incident: "Incident", alarms: list[Finding], other: "list[Again]") -> None:
    from monitor.cli.explaining_evidence import priced
    from monitor.core.wording import moment, plural, span

    click.secho(clean(f"{incident.id}  {incident.state}  {incident.severity}  {incident.kind}"), bold=True)
    words = [
        ("what", f"{incident.diagnosis}: {incident.summary}"),
        ("began", f"{moment(incident.onset)}: the beginning for which a lasting change explains the windows best"),
        ("points", _points(incident.pipeline)),
    ]
    for finding in alarms:
        cost = f", with {priced(finding.evidence)}" if finding.evidence else ""
        name = finding.column or "(table)"
        words.append((name, f"{finding.check}, in the window {span(finding.window)}{cost}: {finding.reason}"))
    windows = f"{plural(len({finding.window for finding in alarms}), 'window')} in which it alarmed, judged again"
    differ = f"{len(other)} not the same ({other[0].obstacle})" if other else "the same to the last bit"
    words.append(("again", f"{windows}: {differ}" if alarms else _nothing_left(incident)))
    if len(alarms) > 1:
        name = "/".join(filter(None, (alarms[1].model, alarms[1].column, alarms[1].check)))
        words.append(("the next one", f"monitor explain '{name}@{iso(alarms[1].window.start)}'"))
    _print_words(words)


def _nothing_left(incident: "Incident") -> str:
    if incident.evidence:
        return "its findings are older than `retention.profiles` keeps them; what is said above was written at the time"
    return "no finding raised it, so there is nothing to judge again"


def _points(pipeline: bool | None) -> str:
    if pipeline is None:
        return "neither to the pipeline nor to the world"
    return "to the pipeline: a retraining would not help" if pipeline else "to the world, not to the pipeline"


def _print_words(words: list[tuple[str, str]]) -> None:
    """Print labels and sentences, wrapped under each other."""
    width = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    for label, sentence in words:
        head = clean(label).ljust(LABEL)
        lines = textwrap.wrap(clean(sentence), max(40, width - LABEL - 2), break_on_hyphens=False) or [""]
        click.echo(f"  {click.style(head, dim=True)}{lines[0]}")
        for line in lines[1:]:
            click.echo(f"  {' ' * LABEL}{line}")


def _again_json(judged: dict[datetime, "Again"], finding: Finding) -> dict[str, Any]:
    return {"finding": finding.as_json(), "again": again_as_json(judged[finding.window.start])}
