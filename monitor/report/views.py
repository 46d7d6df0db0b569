"""From a report's data to what its page says, part by part, worst first. Pure; the templates only arrange it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from monitor.core.finding import Rule, Verdict
from monitor.core.wording import moment, printable
from monitor.report.columns import ColumnView, column_view
from monitor.report.digest import ColumnDigest, digest
from monitor.report.heat import strip, ticks
from monitor.report.incidents import IncidentView, incident_view, urgency
from monitor.report.model import ReportData, VersionLine
from monitor.report.noticed import SightRow, sight_rows
from monitor.report.quality import QualityRow, Unanswered, quality_rows, unanswered
from monitor.report.words import Headline, day, headline, peak_text, when

MOST_DETAILS, FEWEST_DETAILS, DETAIL_POINTS = 60, 12, 2500  # sections of columns; columns times windows
MOST_STRIPS, FEWEST_STRIPS, STRIP_CELLS = 150, 20, 15_000  # rows of the map; rows times windows
ALL_STRIPS = 40  # with no more columns than this, all are on the map
OPENED = 3  # sections that are open at first


@dataclass(frozen=True)
class StripRow:
    """One row of the map."""

    name: str
    anchor: str
    strip: str
    peak: str
    breaches: int


@dataclass(frozen=True)
class WindowRow:
    """One window of the account of what was checked."""

    label: str
    outcome: str
    rows: int
    share: float
    counts: Mapping[str, int]
    note: str


@dataclass(frozen=True)
class ModelView:
    """The section of one model."""

    key: str
    data: ReportData
    headline: Headline
    incidents: Sequence[IncidentView]
    strips: Sequence[StripRow]
    dates: Sequence[str]
    calm: Sequence[str]
    columns: Sequence[ColumnView]
    undetailed: int
    quality: Sequence[QualityRow]
    sight: Sequence[SightRow]
    unanswered: Sequence[Unanswered]
    windows: Sequence[WindowRow]
    totals: Mapping[str, int]
    extra: Sequence[str]
    reference: Sequence[tuple[str, str]]
    checks: Sequence[tuple[str, int]]
    versions: Sequence[VersionLine]


def model_view(data: ReportData, key: str) -> ModelView:
    """Lay out one model; ``key`` begins the anchors of its parts."""
    digests = digest(data)
    windows = max(1, len(data.windows))
    detailed = _detailed(digests, max(FEWEST_DETAILS, min(MOST_DETAILS, DETAIL_POINTS // windows)))
    anchors = {one.name: f"{key}c{place}" for place, one in enumerate(detailed)}
    mapped, calm = _mapped(digests, max(FEWEST_STRIPS, min(MOST_STRIPS, STRIP_CELLS // windows)))
    incidents = sorted(data.incidents, key=urgency)
    urgent = sum(bool(one.alarm or one.breaches) for one in detailed)
    return ModelView(
        key=key,
        data=data,
        headline=headline(data, digests, incidents),
        incidents=[incident_view(incident, data, anchors) for incident in incidents],
        strips=[
            StripRow(
                name=printable(one.name) if one.name is not None else "whole table",
                anchor=anchors.get(one.name, ""),
                strip=strip(one),
                peak=peak_text(one),
                breaches=one.breaching,
            )
            for one in mapped
        ],
        dates=[day(data.windows[place].window.start) for place in ticks(len(data.windows))],
        calm=[printable(one.name) for one in calm if one.name is not None],
        columns=[
            column_view(data, one, anchors[one.name], opened=place < min(OPENED, max(1, urgent)))
            for place, one in enumerate(detailed)
        ],
        undetailed=len(digests) - len(detailed),
        quality=quality_rows(data, digests, anchors),
        sight=sight_rows(digests, anchors),
        unanswered=unanswered(data),
        windows=_windows(data),
        totals=_totals(data),
        extra=sorted({printable(name) for _, profile in data.profiles for name in profile.extra}),
        reference=_reference(data),
        checks=_checks(data),
        versions=[replace(one, version=printable(one.version), helped=printable(one.helped)) for one in data.versions],
    )


def _totals(data: ReportData) -> dict[str, int]:
    """Count verdicts; what only describes follows the verdict of its column and would count it twice."""
    counts = Counter(finding.verdict for finding in data.findings if finding.rule is not Rule.DESCRIPTION)
    return {str(verdict): counts[verdict] for verdict in Verdict}


def _detailed(digests: Sequence[ColumnDigest], most: int) -> Sequence[ColumnDigest]:
    if len(digests) <= most:
        return digests
    notable = sum(one.notable for one in digests)
    return digests[: min(most, max(FEWEST_DETAILS, notable))]


def _mapped(digests: Sequence[ColumnDigest], most: int) -> tuple[Sequence[ColumnDigest], Sequence[ColumnDigest]]:
    """Return the columns with a row on the map, and the others."""
    if len(digests) <= ALL_STRIPS:
        return digests, ()
    notable = [one for one in digests if one.notable]
    kept = (notable or list(digests[:FEWEST_DETAILS]))[:most]
    names = {one.name for one in kept}
    return kept, [one for one in digests if one.name not in names]


def _windows(data: ReportData) -> list[WindowRow]:
    counts = {line.window.start: dict.fromkeys(map(str, Verdict), 0) for line in data.windows}
    for (start, verdict), count in Counter(
        (finding.window.start, finding.verdict) for finding in data.findings if finding.rule is not Rule.DESCRIPTION
    ).items():
        if start in counts:
            counts[start][str(verdict)] = count
    most = max((line.rows for line in data.windows), default=0) or 1
    return [
        WindowRow(
            when(line.window),
            line.outcome,
            line.rows,
            line.rows / most,
            counts[line.window.start],
            printable(line.note),
        )
        for line in sorted(data.windows, key=attrgetter("window"), reverse=True)
    ]


def _checks(data: ReportData) -> list[tuple[str, int]]:
    columns: dict[str, set[str | None]] = {}
    for finding in data.findings:
        columns.setdefault(finding.check, set()).add(finding.column)
    return sorted((check, len(names)) for check, names in columns.items())


def _reference(data: ReportData) -> list[tuple[str, str]]:
    reference = data.reference
    facts = [
        ("model", data.model),
        ("model version", data.version or "unknown"),
        ("reference", reference.short),
        ("trained version", reference.version or "not said"),
        ("reference rows", f"{reference.rows:,}"),
        ("reference time", when(reference.span) if reference.span else "without time"),
        ("windows of its own", f"{len(reference.blocks):,}"),
        ("origin", reference.origin),
        ("added", f"{moment(reference.added_at)} by {reference.added_by}"),
    ]
    return [(name, printable(value)) for name, value in facts]
