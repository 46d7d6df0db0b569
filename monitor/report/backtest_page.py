"""Renders a backtest: one HTML file with the incidents on an axis of time, and everything else that it showed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.core.comparison import OURS, Tool
from monitor.core.finding import Severity
from monitor.core.incident import Incident
from monitor.core.window import Window
from monitor.core.wording import days, plural, printable
from monitor.report.backtest import Backtest
from monitor.report.heat import LEGEND, ticks
from monitor.report.lanes import bar_lane, tick_lane
from monitor.report.page import templates
from monitor.report.quality import HEADINGS
from monitor.report.views import ModelView, model_view
from monitor.report.words import MARKS, capital, day, listed

MOST_LANES = 60  # incidents on the axis of time


@dataclass(frozen=True)
class Lane:
    """One row of the axis of time."""

    name: str
    where: str
    strip: str
    figure: str


@dataclass(frozen=True)
class Seen:
    """One column of an incident, and what each tool made of it."""

    incident: str
    column: str
    cells: Sequence[tuple[str, bool]]


@dataclass(frozen=True)
class BacktestView:
    """The section of one model."""

    key: str
    found: Backtest
    span: Window
    level: str
    mark: str
    sentence: str
    coverage: str
    lanes: Sequence[Lane]
    more: int
    tools: Sequence[Lane]
    dates: Sequence[str]
    seen: Sequence[Seen]
    model: ModelView | None
    failed: Sequence[str]


def render(found: Sequence[Backtest]) -> str:
    """Return the page of one model, or of several one after the other.

    Raises
    ------
    ValueError
        Without any model.
    """
    if not found:
        raise ValueError("a page needs at least one backtest")
    views = [_view(one, f"b{place}") for place, one in enumerate(found)]
    reports = [one.report for one in found if one.report is not None]
    return (
        templates()
        .get_template("backtest.html.j2")
        .render(
            views=views,
            many=len(views) > 1,
            legend=LEGEND,
            headings=HEADINGS,
            config=printable(reports[0].config) if reports else "",
            made=reports[0].generated_at if reports else None,
            days=days,
        )
    )


def _view(found: Backtest, key: str) -> BacktestView:
    span = Window(found.start, found.end)
    told = sorted(found.told, key=lambda incident: incident.onset)
    level = _level(found, told)
    tools = found.comparison.tools if found.comparison else ()
    model = model_view(found.report, key) if found.report is not None else None
    edges = [found.start + (found.end - found.start) * place / 4 for place in ticks(5)]
    return BacktestView(
        key=key,
        found=found,
        span=span,
        level=level,
        mark=MARKS[level],
        sentence=_sentence(found, told),
        coverage=_coverage(found),
        lanes=[_lane(incident, span) for incident in told[:MOST_LANES]],
        more=max(0, len(told) - MOST_LANES),
        tools=[_tool_lane(tool, span) for tool in tools],
        dates=[day(edge.replace(hour=0, minute=0, second=0, microsecond=0)) for edge in edges],
        seen=_seen(tools, {incident.id: incident for incident in told}),
        model=model,
        failed=[printable(f"{window}: {reason}") for window, reason in found.failed.items()],
    )


def _level(found: Backtest, told: Sequence[Incident]) -> str:
    if not found.judged:
        return "unknown"
    if any(incident.severity is Severity.CRITICAL for incident in told):
        return "critical"
    return "warning" if told else "calm"


def _sentence(found: Backtest, told: Sequence[Incident]) -> str:
    if not found.judged:
        return "Not one window could be evaluated."
    if not told:
        return f"Nobody would have been told of anything in {plural(len(found.judged), 'window')}."
    if len(told) == 1:
        return capital(f"{told[0].diagnosis} in {listed(told[0].columns)}, since {day(told[0].onset)}.")
    return f"{plural(len(told), 'incident')} in {plural(len(found.judged), 'window')}."


def _coverage(found: Backtest) -> str:
    passed = len(found.incidents) - len(found.told)
    parts = [f"{plural(len(found.windows), 'window')} replayed by the daemon's own judge"]
    if passed:
        parts.append(f"{plural(passed, 'suspicion')} did not last")
    if found.failed:
        parts.append(f"{plural(len(found.failed), 'window')} could not be evaluated")
    return f"{', '.join(parts)}."


def _lane(incident: Incident, span: Window) -> Lane:
    until = incident.resolved_at or span.end
    name = capital(printable(incident.diagnosis))
    words = f"{name} in {listed(incident.columns)}: {day(incident.onset)} to {day(until)}"
    strip = bar_lane(span, incident.onset, until, incident.opened_at, str(incident.severity), words)
    return Lane(name, listed(incident.columns), strip, days((until - incident.onset).total_seconds() / 86_400))


def _tool_lane(tool: Tool, span: Window) -> Lane:
    words = f"{tool.title}: {plural(len(tool.told), 'notice')}"
    return Lane(tool.title, "", tick_lane(span, tool.told, words, ours=tool.name == OURS), f"{len(tool.told):,}")


def _seen(tools: Sequence[Tool], incidents: Mapping[str, Incident]) -> list[Seen]:
    rows = []
    for sights in zip(*(tool.sights for tool in tools), strict=True):
        incident = incidents[sights[0].incident]
        title = f"{capital(printable(incident.diagnosis))}, since {day(incident.onset)}"
        rows.append(Seen(title, printable(sights[0].column), [(days(sight.days), sight.before) for sight in sights]))
    return rows
