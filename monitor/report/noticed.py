"""What a report says of its own sight: the evidence that was gathered on a column, and what would have been noticed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from monitor.core.finding import IncidentKind
from monitor.core.wording import printable
from monitor.report.digest import ColumnDigest
from monitor.report.model import ReportData
from monitor.report.words import NOTHING, evidence_text, when

_VERB = "would notice "
_NAMED = 3  # windows whose evidence paid for an alarm


@dataclass(frozen=True)
class SightRow:
    """The smallest changes of one column that would be noticed."""

    name: str
    anchor: str
    values: str
    nulls: str


def sight_rows(digests: Sequence[ColumnDigest], anchors: Mapping[str | None, str]) -> list[SightRow]:
    """Return a row for every column that says what would be noticed of it, in the order of the digests."""
    found = [
        SightRow(
            name=printable(one.name),
            anchor=anchors.get(one.name, ""),
            values=seen(one, IncidentKind.DRIFT).removeprefix(_VERB) or NOTHING,
            nulls=_said(one, "null_rate").removeprefix(_VERB) or NOTHING,
        )
        for one in digests
        if one.name is not None
    ]
    return [row for row in found if (row.values, row.nulls) != (NOTHING, NOTHING)]


def seen(one: ColumnDigest, kind: IncidentKind) -> str:
    """Return what would be noticed of a column by the first of its checks of a kind that says so; empty without one."""
    said = (_said(one, check) for check, found in one.checks.items() if found[0].kind is kind)
    return next((words for words in said if words), "")


def _said(one: ColumnDigest, check: str) -> str:
    """Return what a check said last would be noticed; while an alarm is open it says nothing new."""
    return next((finding.detectable for finding in reversed(one.checks.get(check, ())) if finding.detectable), "")


def evidence_line(data: ReportData, one: ColumnDigest) -> str:
    """Return what the column's account held at most and holds now."""
    held = [
        (cell.evidence, line.window)
        for cell, line in zip(one.cells, data.windows, strict=True)
        if cell is not None and cell.evidence is not None
    ]
    if not held:
        return ""
    paid = [when(window) for share, window in held if share >= 1]
    if paid:
        return f"Its evidence paid for an alarm in the window of {', of '.join(paid[:_NAMED])}."
    most, window = max(held)
    return (
        f"Evidence gathered on it: {evidence_text(held[-1][0])} of what an alarm costs in the latest window, "
        f"at most {evidence_text(most)} ({when(window)})."
    )
