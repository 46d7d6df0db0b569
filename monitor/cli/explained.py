"""What `monitor explain` is asked for, found in the store and judged again."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from monitor.cli.common import Moment, chosen
from monitor.core.errors import UserError
from monitor.core.finding import Finding, Rule, Verdict
from monitor.core.window import iso

if TYPE_CHECKING:
    from monitor.config.models import Config
    from monitor.core.tracing import Trace
    from monitor.cycle import Cycle
    from monitor.recomputing import Again
    from monitor.store.runs import Run

_FINDING = re.compile(r"(?P<model>[^/]+)/(?P<rest>.+?)(?:@(?P<moment>[0-9T:.+Z -]+))?$", re.DOTALL)


@dataclass(frozen=True)
class Wanted:
    """What was asked for: a model, what lies behind it, and a moment of the window."""

    model: str
    rest: str
    moment: datetime | None


@dataclass(frozen=True, eq=False)
class Explained:
    """A finding with the second judgement of its window and the way to it."""

    finding: Finding
    again: "Again"
    trace: "Trace | None"
    steps: list[tuple[str, str]]


def asked_for(what: str) -> Wanted | None:
    """Return the finding that is asked for; None where it is an incident."""
    found = _FINDING.fullmatch(what)
    if found is None:
        return None
    moment = found["moment"]
    return Wanted(found["model"], found["rest"], Moment().convert(moment, None, None) if moment else None)


def finding_of(config: "Config", cycle: "Cycle", wanted: Wanted) -> Explained:
    """Find a finding and explain it.

    Raises
    ------
    UserError
        Where there is no such model, window or finding.
    """
    run = run_of(config, cycle, wanted.model, wanted.moment)
    again = judged_again(config, cycle, run)
    return explained(again, _chosen(again, wanted))


def run_of(config: "Config", cycle: "Cycle", model: str, moment: datetime | None) -> "Run":
    """Return the run of the window that a moment lies in, without one the newest.

    Raises
    ------
    UserError
        Where there is none that is done.
    """
    from monitor.store import runs as run_rows

    chosen(config, model)
    with cycle.store.read() as connection:
        found = run_rows.newest(connection, model) if moment is None else run_rows.covering(connection, model, moment)
    if found is None:
        when = "yet" if moment is None else f"in which {iso(moment)} lies"
        raise UserError(f"{model} has no window {when} that is done; `monitor status` says how far it is")
    return found


def judged_again(config: "Config", cycle: "Cycle", run: "Run") -> "Again":
    """Judge a window again."""
    from monitor.recomputing import again

    return again(cycle, chosen(config, run.model)[run.model], run)


def _chosen(again: "Again", wanted: Wanted) -> Finding:
    """Return the stored finding that was asked for; of a column the one with the most to say."""
    column, _, check = wanted.rest.rpartition("/")
    found = again.finding(column, check) if column else again.finding(None, check)
    if found is not None:
        return found
    own = [finding for finding in again.stored if finding.column == wanted.rest]
    if own:
        return max(own, key=_telling)
    columns = list(dict.fromkeys(finding.column for finding in again.stored if finding.column is not None))
    of = column if column in columns else None
    checks = [f.check for f in again.stored if f.column == of]
    tables = f"columns {', '.join(columns)}, and of the whole table {', '.join(checks)}"
    known = f"checks {', '.join(checks)}" if of else tables
    raise UserError(f"window {again.run.window} of {wanted.model} has no finding {wanted.rest!r}; it has {known}")


def _telling(finding: Finding) -> tuple[bool, bool, float]:
    return finding.rule is Rule.EVIDENCE, finding.verdict is Verdict.BREACH, abs(finding.statistic or 0.0)


def explained(again: "Again", finding: Finding) -> Explained:
    """Return the way to a finding of a window that was judged again."""
    from monitor.cli.explaining import steps_of
    from monitor.core.tracing import trace

    found = None
    if again.before is not None and again.after is not None and finding.column is not None:
        key = (finding.column, finding.check)
        signal = again.subject.signal
        if finding.rule is Rule.EVIDENCE and signal.rhythm.calendar.excluded(finding.window) is None:
            found = trace(signal, again.before, again.after, again.run.window, again.profile, again.decided, key)
    return Explained(finding, again, found, steps_of(finding, again, found))


def document(explained: Explained) -> dict[str, Any]:
    """Return the contract's JSON object."""
    return {
        "finding": explained.finding.as_json(),
        "again": again_as_json(explained.again),
        "steps": [{"step": label, "words": words} for label, words in explained.steps],
        "numbers": _plain(asdict(explained.trace)) if explained.trace else None,
    }


def again_as_json(again: "Again") -> dict[str, Any]:
    """Return the contract's JSON object."""
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
