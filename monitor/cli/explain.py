"""`monitor explain`: the same verdict again, step by step in plain words."""

import re
import shutil
import textwrap
from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.common import Moment, chosen, clean, config_option, json_option, load, open_store, print_json
from monitor.core.errors import UserError
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.window import iso

if TYPE_CHECKING:
    from monitor.config.models import Config
    from monitor.core.incident import Incident
    from monitor.core.tracing import Trace
    from monitor.cycle import Cycle
    from monitor.recomputing import Again
    from monitor.store.runs import Run

_FINDING = re.compile(r"(?P<model>[^/]+)/(?P<rest>.+?)(?:@(?P<moment>[0-9T:.+Z -]+))?$", re.DOTALL)
WIDEST = 110
LABEL = 14


@dataclass(frozen=True)
class _Wanted:
    """What was asked for: a model, what lies behind it, and a moment of the window."""

    model: str
    rest: str
    moment: datetime | None


@dataclass(frozen=True, eq=False)
class _Explained:
    """A finding with the second judgement of its window and the way to it."""

    finding: Finding
    again: "Again"
    trace: "Trace | None"
    steps: list[tuple[str, str]]


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
        wanted = _wanted(what)
        if wanted is None:
            _incident(config, cycle, what, as_json=as_json)
        else:
            explained = _finding(config, cycle, wanted)
            if as_json:
                print_json(_document(explained))
            else:
                _print_finding(explained)
    finally:
        store.close()


def _wanted(what: str) -> _Wanted | None:
    found = _FINDING.fullmatch(what)
    if found is None:
        return None
    moment = found["moment"]
    return _Wanted(found["model"], found["rest"], Moment().convert(moment, None, None) if moment else None)


def _finding(config: "Config", cycle: "Cycle", wanted: _Wanted) -> _Explained:
    run = _run(config, cycle, wanted.model, wanted.moment)
    again = _again(config, cycle, run)
    return _explained(again, _chosen(again, wanted))


def _run(config: "Config", cycle: "Cycle", model: str, moment: datetime | None) -> "Run":
    from monitor.store import runs as run_rows

    chosen(config, model)
    with cycle.store.read() as connection:
        found = run_rows.newest(connection, model) if moment is None else run_rows.covering(connection, model, moment)
    if found is None:
        when = "yet" if moment is None else f"in which {iso(moment)} lies"
        raise UserError(f"{model} has no window {when} that is done; `monitor status` says how far it is")
    return found


def _again(config: "Config", cycle: "Cycle", run: "Run") -> "Again":
    from monitor.recomputing import again

    return again(cycle, chosen(config, run.model)[run.model], run)


def _chosen(again: "Again", wanted: _Wanted) -> Finding:
    """Return the stored finding that was asked for; of a column the one with the most to say."""
    column, _, check = wanted.rest.rpartition("/")
    found = again.finding(column, check) if column else again.finding(None, check)
    if found is not None:
        return found
    own = [finding for finding in again.stored if finding.column == wanted.rest]
    if own:
        return max(own, key=_telling)
    columns = list(dict.fromkeys(finding.column for finding in again.stored if finding.column is not None))
    checks = [f.check for f in again.stored if f.column == (column or None)]
    known = f"checks {', '.join(checks)}" if checks and column else f"columns {', '.join(columns)}"
    raise UserError(f"window {again.run.window} of {wanted.model} has no finding {wanted.rest!r}; it has {known}")


def _telling(finding: Finding) -> tuple[bool, bool, float]:
    return finding.rule is Rule.EVIDENCE, finding.verdict is Verdict.BREACH, abs(finding.statistic or 0.0)


def _explained(again: "Again", finding: Finding) -> _Explained:
    from monitor.cli.explaining import steps_of
    from monitor.core.tracing import trace

    found = None
    if again.before is not None and again.after is not None and finding.column is not None:
        key = (finding.column, finding.check)
        signal = again.subject.signal
        if finding.rule is Rule.EVIDENCE and signal.rhythm.calendar.excluded(finding.window) is None:
            found = trace(signal, again.before, again.after, again.run.window, again.profile, again.decided, key)
    return _Explained(finding, again, found, steps_of(finding, again, found))


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
        start: _again(config, cycle, _run(config, cycle, incident.model, start))
        for start in dict.fromkeys(finding.window.start for finding in alarms)
    }
    first = _explained(judged[alarms[0].window.start], alarms[0]) if alarms else None
    if as_json:
        document = {"incident": incident.as_json(), "alarms": [_again_json(judged, f) for f in alarms]}
        print_json(document | {"explained": _document(first) if first else None})
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


def _print_finding(explained: _Explained) -> None:
    from monitor.cli.explaining import again_words, heading

    click.secho(clean(heading(explained.finding)), bold=True)
    _print_words([("again", again_words(explained.again, explained.finding)), *explained.steps])


def _print_incident(incident: "Incident", alarms: list[Finding], other: "list[Again]") -> None:
    from monitor.cli.explaining import priced
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
    words.append(("again", f"{windows}: {differ}"))
    if len(alarms) > 1:
        name = "/".join(filter(None, (alarms[1].model, alarms[1].column, alarms[1].check)))
        words.append(("the next one", f"monitor explain '{name}@{iso(alarms[1].window.start)}'"))
    _print_words(words)


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


def _document(explained: _Explained) -> dict[str, Any]:
    """Return the contract's JSON object."""
    return {
        "finding": explained.finding.as_json(),
        "again": _again_as_json(explained.again),
        "steps": [{"step": label, "words": words} for label, words in explained.steps],
        "numbers": _plain(asdict(explained.trace)) if explained.trace else None,
    }


def _again_json(judged: dict[datetime, "Again"], finding: Finding) -> dict[str, Any]:
    return {"finding": finding.as_json(), "again": _again_as_json(judged[finding.window.start])}


def _again_as_json(again: "Again") -> dict[str, Any]:
    return {
        "same": again.same,
        "why": again.obstacle or None,
        "reference": again.subject.reference.id,
        "differences": [asdict(difference) for difference in again.differences],
    }


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: moments as text, infinite numbers as null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return iso(value)
    return None if isinstance(value, float) and not isfinite(value) else value
