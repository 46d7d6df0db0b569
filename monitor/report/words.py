"""What the report says in words: the verdict in a sentence, and how values are written in a column's own units."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor, log10

from checks.profile import Kind
from checks.wording import number_text, share_text
from monitor.core.finding import Severity, Verdict
from monitor.core.incident import Incident, State
from monitor.core.window import Window
from monitor.core.wording import plural, printable
from monitor.report.digest import ColumnDigest
from monitor.report.model import ReportData

MARKS = {"critical": "◆", "warning": "▲", "unknown": "○", "calm": "●"}  # a shape besides the colour
NOTHING = "\u2013"  # where there is no value to show
DAYS_FROM = 72.0  # hours from which an age is written in days
_NAMED = 3  # columns that a sentence names
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Headline:
    """The verdict: ``level`` is critical, warning, unknown or calm; ``sentence`` answers *is anything wrong?*."""

    level: str
    sentence: str
    coverage: str

    @property
    def mark(self) -> str:
        """The level as a shape."""
        return MARKS[self.level]


def headline(data: ReportData, digests: Sequence[ColumnDigest], incidents: Sequence[Incident]) -> Headline:
    """Return the verdict on the end of the span; ``incidents`` are sorted, worst first."""
    level, sentence = _verdict(data, digests, incidents)
    return Headline(level, sentence, _coverage(data))


def _verdict(data: ReportData, digests: Sequence[ColumnDigest], incidents: Sequence[Incident]) -> tuple[str, str]:
    firing = [incident for incident in incidents if incident.state is State.FIRING]
    if firing:
        worst = firing[0]
        where = f" in {listed(worst.columns)}" if placed(worst) else ""
        named = f"{worst.diagnosis}{where}, since {day(worst.onset)}"
        level = "critical" if worst.severity is Severity.CRITICAL else "warning"
        return level, capital(named) + "." if len(firing) == 1 else f"{len(firing)} open incidents; the worst: {named}."
    settled = [line for line in data.windows if line.outcome in _SETTLED]
    if not settled:
        return "unknown", "Nothing has been checked in this time."
    last = settled[-1]
    if last.outcome != "done":
        return (
            "unknown",
            f"No answer for the latest window: it was {last.outcome}{': ' if last.note else ''}{last.note}.",
        )
    verdicts = {finding.verdict for finding in data.findings if finding.window == last.window}
    if not verdicts & {Verdict.PASS, Verdict.BREACH}:
        return "unknown", "No answer for the latest window: not one check could be concluded."
    pending = sum(incident.state is State.PENDING for incident in incidents)
    if pending:
        return "warning", f"No open incident; {plural(pending, 'suspicion')} waiting for another window."
    unsure = sum(bool(one.cells and one.cells[-1] and one.cells[-1].verdict in _SILENT) for one in digests)
    aside = f", {plural(unsure, 'column')} without an answer" if unsure else ""
    if incidents:
        return "calm", f"Calm again: {plural(len(incidents), 'incident')} in this time, none still open{aside}."
    return "calm", f"Calm: nothing to act on{aside}."


_SETTLED = ("done", "skipped", "failed")  # others are being worked on
_SILENT = (Verdict.INCONCLUSIVE, Verdict.FAILED)


def _coverage(data: ReportData) -> str:
    done = [line for line in data.windows if line.outcome == "done"]
    rows = sum(line.rows for line in done)
    others = [
        f"{count} {outcome}"
        for outcome in ("skipped", "failed")
        if (count := sum(line.outcome == outcome for line in data.windows))
    ]
    aside = f" ({', '.join(others)})" if others else ""
    return (
        f"{plural(len(data.reference.bins), 'column')} watched in {plural(len(done), 'window')}{aside}, "
        f"{plural(rows, 'row')}, against {plural(data.reference.rows, 'reference row')}."
    )


def capital(text: str) -> str:
    """Return the text with its first letter in upper case and the others as they are."""
    return text[:1].upper() + text[1:]


def placed(incident: Incident) -> bool:
    """Whether an incident is about columns or the table: some are about a version, or about the monitor itself."""
    return bool(incident.columns or incident.evidence)


def listed(names: Sequence[str]) -> str:
    """Return a few names, and how many more there are."""
    if not names:
        return "the whole table"
    shown = [printable(name) for name in names[:_NAMED]]
    more = len(names) - len(shown)
    if more:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def day(time: datetime) -> str:
    """Return a moment as ``4 May 2013``, with its time where that is not midnight UTC."""
    date = f"{time.day} {time:%b %Y}"
    return date if (time.hour, time.minute) == (0, 0) else f"{date}, {time:%H:%M}"


def when(window: Window) -> str:
    """Return a window of whole days by its first and last day, any other by both its ends."""
    first, last = window.start, window.end - _DAY
    if any(time.hour or time.minute or time.second for time in (first, window.end)):
        if first.date() == window.end.date():
            return f"{first.day} {first:%b %Y}, {first:%H:%M}\u2013{window.end:%H:%M}"
        return f"{day(first)} \u2013 {day(window.end)}"
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}\u2013{day(last)}"
    return f"{first.day} {first:%b}{'' if first.year == last.year else first.strftime(' %Y')} \u2013 {day(last)}"


def value_text(value: float | None, kind: Kind) -> str:
    """Return a value of a column in its own units: hours or days for ages, characters for lengths."""
    if value is None:
        return NOTHING
    if kind == "datetime":
        return f"{number_text(value / 24)} d" if abs(value) >= DAYS_FROM else f"{number_text(value)} h"
    return number_text(value)


def effect_text(effect: float | None, unit: str) -> str:
    """Return an effect as a person reads it; shares in per cent."""
    if effect is None:
        return NOTHING
    return share_text(effect) if unit.startswith("share") else number_text(effect)


def interval_text(interval: tuple[float, float] | None, unit: str) -> str:
    """Return an effect's interval, or nothing where there is none."""
    return f"{effect_text(interval[0], unit)} to {effect_text(interval[1], unit)}" if interval else ""


def times_text(peak: float) -> str:
    """Return an effect in tolerances, with no more digits than it deserves."""
    if peak >= 1000:
        return ">1,000"
    return f"{peak:.0f}" if peak >= 10 else f"{peak:.1f}"


def evidence_text(share: float) -> str:
    """Return evidence as a share of what an alarm costs; one that pays for it holds all."""
    return share_text(share) if share < 1 else "all"


def peak_text(one: ColumnDigest) -> str:
    """Return a column's largest effect in tolerances, as ``3.2\u00d7``; without a breach the evidence, as ``4%``."""
    if one.breaches:
        return f"{times_text(one.peak)}\u00d7"
    return NOTHING if one.evidence is None else evidence_text(one.evidence)


def peak_unit(one: ColumnDigest) -> str:
    """Return what a column's peak is counted in."""
    return "tolerance" if one.breaches else "" if one.evidence is None else "of an alarm"


def round_steps(low: float, high: float, most: int = 5) -> list[float]:
    """Return at most ``most`` + 1 round numbers between two values, for the labels of an axis."""
    reach = high - low
    if not 0 < reach < float("inf"):
        return [low]
    power = 10.0 ** floor(log10(reach / most))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= reach / most * (1 - 1e-9))
    first = -floor(-low / step)
    return [round(index * step, 12) for index in range(int(first), floor(high / step) + 1)]
