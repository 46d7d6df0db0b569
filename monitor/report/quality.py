"""The data quality table: what is wrong with the values themselves, for every column, added up over the span."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checks.profile import Bins, ColumnProfile
from checks.wording import share_text
from monitor.core.finding import Finding, Verdict
from monitor.core.wording import plural, printable
from monitor.report.digest import ColumnDigest
from monitor.report.model import ReportData
from monitor.report.words import NOTHING, peak_text, when

_RISE = 0.02  # share of nulls above the reference's from which a cell is emphasised
_WORTH = 0.001  # share of odd values from which a cell is emphasised


ZERO = "0"


@dataclass(frozen=True)
class Figure:
    """One cell: what it says, whether it is emphasised, and more in a tooltip."""

    text: str
    loud: bool = False
    more: str = ""


@dataclass(frozen=True)
class QualityRow:
    """One column of the data."""

    name: str
    anchor: str
    kind: str
    figures: Sequence[Figure]
    effect: Figure


HEADINGS = (
    ("nulls, reference", "share of null values in the reference"),
    ("nulls, all windows", "share of null values in all windows together"),
    ("nulls, highest", "share of null values in the window with most"),
    ("wrong type", "share of values that cannot be read as the reference's kind"),
    ("unseen or far", "categories the reference does not know, or numbers far outside its range"),
    ("infinite", "share of infinite values"),
    ("missing", "share of rows without the column"),
)


def quality_rows(
    data: ReportData, digests: Sequence[ColumnDigest], anchors: Mapping[str | None, str]
) -> list[QualityRow]:
    """Return a row for every column of the reference, in the order of the digests."""
    return [
        QualityRow(
            name=printable(one.name),
            anchor=anchors.get(one.name, ""),
            kind=data.reference.bins[one.name].kind,
            figures=_figures(data, one.name, data.reference.bins[one.name]),
            effect=Figure(peak_text(one), bool(one.breaches)),
        )
        for one in digests
        if one.name is not None and one.name in data.reference.bins
    ]


def _figures(data: ReportData, name: str, bins: Bins) -> list[Figure]:
    found = [(window, profile.columns[name]) for window, profile in data.profiles if name in profile.columns]
    columns = [column for _, column in found if column.rows]
    before = data.reference.profile.columns[name].null_share
    rows = sum(column.rows for column in columns)
    present = sum(column.present for column in columns)
    had = rows - sum(column.absent for column in columns)
    nulls = sum(column.nulls for column in columns)
    highest = max(found, key=lambda pair: pair[1].null_share, default=None)
    peak = highest[1].null_share if highest else 0.0
    return [
        Figure(share_text(before) if before else ZERO),
        _share(nulls, had, before + _RISE),
        Figure(share_text(peak) if peak else ZERO, peak > before + _RISE, when(highest[0]))
        if highest
        else Figure(NOTHING),
        _share(sum(column.mistyped for column in columns), rows),
        _share(sum(_strange(column, bins) for column in columns), present),
        _share(sum(column.infinite for column in columns), rows),
        _share(sum(column.absent for column in columns), rows),
    ]


def _strange(column: ColumnProfile, bins: Bins) -> int:
    if bins.categorical:
        return int(column.counts[-1])
    return int(column.counts[0] + column.counts[-1]) if bins.edges else 0


def _share(count: int, total: int, loud: float = _WORTH) -> Figure:
    if not total:
        return Figure(NOTHING)
    return Figure(share_text(count / total) if count else ZERO, count / total > loud)


@dataclass(frozen=True)
class Unanswered:
    """One check of one column that had no answer in some windows."""

    column: str
    check: str
    verdict: str
    windows: str
    reason: str


def unanswered(data: ReportData) -> list[Unanswered]:
    """Return what failed and then what was inconclusive, the most frequent first; one row a column and check."""
    groups: dict[tuple[Verdict, str, str], list[Finding]] = {}
    for finding in data.findings:
        if finding.verdict in (Verdict.FAILED, Verdict.INCONCLUSIVE):
            name = "whole table" if finding.column is None else printable(finding.column)
            groups.setdefault((finding.verdict, name, finding.check), []).append(finding)
    ranked = sorted(groups.items(), key=lambda item: (item[0][0] is Verdict.INCONCLUSIVE, -len(item[1]), item[0][1:]))
    return [
        Unanswered(
            column=name,
            check=check,
            verdict=str(verdict),
            windows=plural(len(found), "window"),
            reason=printable(max(found, key=lambda finding: finding.window.start).reason),
        )
        for (verdict, name, check), found in ranked
    ]
