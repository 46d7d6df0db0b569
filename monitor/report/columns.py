"""One column as the report shows it: reference against current, effects over time, and what every check said."""

from collections.abc import Sequence
from dataclasses import dataclass

from checks.profile import Bins, ColumnProfile, Kind
from checks.wording import share_text
from monitor.core.finding import IncidentKind, Verdict
from monitor.core.window import Window
from monitor.core.wording import printable
from monitor.report.charts import fan_svg, histogram_svg
from monitor.report.check_rows import CheckRow, check_rows, effects_over_time
from monitor.report.digest import ColumnDigest
from monitor.report.distribution import QUANTILES, Share, histogram, quantiles, shares
from monitor.report.model import ReportData
from monitor.report.noticed import evidence_line, seen
from monitor.report.words import NOTHING, peak_text, peak_unit, value_text, when

_FAN = (0.05, 0.5, 0.95)
_TAIL_SAID = 0.0005  # share beyond the drawn range from which it is said


@dataclass(frozen=True)
class Pair:
    """A fact with its value in the reference and in the current window."""

    label: str
    reference: str
    current: str


@dataclass(frozen=True)
class ColumnView:
    """Everything that the section of one column shows; pictures are SVG text."""

    anchor: str
    name: str
    kind: str
    level: str
    peak: str
    unit: str
    line: str
    open: bool
    evidence: str = ""
    current: str = ""
    picture: str = ""
    picture_note: str = ""
    shares: Sequence[Share] = ()
    widest: float = 1.0
    pairs: Sequence[Pair] = ()
    fan: str = ""
    effects: Sequence[tuple[str, str, str]] = ()
    checks: Sequence[CheckRow] = ()


_UNITS: dict[Kind, str] = {
    "numeric": "number",
    "categorical": "category",
    "boolean": "boolean",
    "datetime": "time, shown as its age at the event",
    "text": "text, shown as its length in characters",
}


def level_of(one: ColumnDigest) -> str:
    """Return the column's level, as in the headline."""
    if one.alarm:
        return "critical" if one.alarm == 2 else "warning"
    if one.breaches:
        return "warning"
    answered = any(cell is not None and cell.verdict is Verdict.PASS for cell in one.cells)
    return "calm" if answered else "unknown"


def column_view(data: ReportData, one: ColumnDigest, anchor: str, *, opened: bool) -> ColumnView:
    """Lay out one column."""
    bins = data.reference.bins.get(one.name) if one.name is not None else None
    base = ColumnView(
        anchor=anchor,
        name=printable(one.name) if one.name is not None else "whole table",
        kind=_UNITS[bins.kind] if bins else "all rows of a window" if one.name is None else "not in the reference",
        level=level_of(one),
        peak=peak_text(one),
        unit=peak_unit(one),
        line=printable(_line(one)),
        open=opened,
        evidence=evidence_line(data, one),
        effects=effects_over_time(data, one),
        checks=check_rows(one),
    )
    chosen = _current(data, one)
    if bins is None or one.name is None or chosen is None:
        return base
    window, profile = chosen
    return _with_distribution(data, base, one.name, bins, window, profile)


def _line(one: ColumnDigest) -> str:
    """Return what a column shows in a line: its largest breach, else what would have been noticed of it."""
    if one.worst is not None and one.worst.verdict is Verdict.BREACH:
        return one.worst.reason
    return seen(one, IncidentKind.DRIFT) or next((found[-1].reason for found in one.checks.values() if found), "")


def _current(data: ReportData, one: ColumnDigest) -> tuple[Window, ColumnProfile] | None:
    """Return the window of the worst breach, or the latest with rows where nothing is wrong."""
    have = [(window, profile) for window, profile in data.profiles if profile.rows and one.name in profile.columns]
    if one.worst is not None and one.worst.verdict is Verdict.BREACH:
        have = [pair for pair in have if pair[0] == one.worst.window] or have
    return (have[-1][0], have[-1][1].columns[one.name]) if have and one.name is not None else None


def _with_distribution(
    data: ReportData, base: ColumnView, name: str, bins: Bins, window: Window, now: ColumnProfile
) -> ColumnView:
    before = data.reference.profile.columns[name]
    listed = shares(bins, before, now) if bins.categorical else []
    shown = histogram(bins, before, now)
    picture = note = fan = ""
    if shown is not None:
        picture = histogram_svg(name, bins.kind, shown, ("reference", when(window)))
        beyond = [
            f"{share_text(pair[1])} {side} (reference {share_text(pair[0])})"
            for side, pair in (("below", shown.below), ("above", shown.above))
            if max(pair) > _TAIL_SAID
        ]
        low, high = (value_text(float(edge), bins.kind) for edge in bins.tails or (0.0, 0.0))
        note = f"Drawn from {low} to {high}; beyond it lie {' and '.join(beyond)}." if beyond else ""
        fan = _fan(data, name, bins, before)
    return ColumnView(
        **{
            **vars(base),
            "current": when(window),
            "picture": picture,
            "picture_note": note,
            "shares": listed,
            "widest": max([max(one.reference, one.current) for one in listed], default=1.0) or 1.0,
            "pairs": _pairs(bins, before, now),
            "fan": fan,
        }
    )


def _fan(data: ReportData, name: str, bins: Bins, before: ColumnProfile) -> str:
    reference = quantiles(bins, before, _FAN)
    points = [
        (window, found)
        for window, profile in data.profiles
        if name in profile.columns and (found := quantiles(bins, profile.columns[name], _FAN)) is not None
    ]
    if reference is None or len(points) < 2:
        return ""
    fans = [(window, (found[0], found[1], found[2])) for window, found in points]
    return fan_svg(name, bins.kind, fans, (reference[0], reference[1], reference[2]), data.span)


def _pairs(bins: Bins, before: ColumnProfile, now: ColumnProfile) -> list[Pair]:
    """Return rows, nulls and, for numbers, moments and quantiles of both sides."""
    sides = (before, now)
    pairs = [
        Pair("rows", *(f"{side.rows:,}" for side in sides)),
        Pair("nulls", *(share_text(side.null_share) for side in sides)),
    ]
    if any(side.mistyped for side in sides):
        pairs.append(Pair("wrong type", *(share_text(side.mistyped / max(1, side.rows)) for side in sides)))
    if bins.categorical:
        counts = [NOTHING if side.distinct is None else f"{side.distinct:,}" for side in sides]
        return [*pairs, Pair("distinct values", *counts)] if set(counts) != {NOTHING} else pairs

    def of(values: Sequence[float | None], label: str) -> Pair:
        return Pair(label, *(value_text(value, bins.kind) for value in values))

    pairs.append(of([side.low for side in sides], "lowest"))
    found = [quantiles(bins, side) or (None,) * len(QUANTILES) for side in sides]
    names = [f"{rank:.0%}" if rank != 0.5 else "median" for rank in QUANTILES]
    pairs += [of([side[place] for side in found], label) for place, label in enumerate(names)]
    pairs.append(of([side.high for side in sides], "highest"))
    pairs.append(of([side.mean(bins) for side in sides], "mean"))
    pairs.append(of([side.deviation(bins) for side in sides], "standard deviation"))
    return pairs
