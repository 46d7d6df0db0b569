"""What late rows change: verdicts that become others, incidents that begin, go on, or were never there. Pure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from monitor.core.evaluation import Evaluation
from monitor.core.finding import Finding, Verdict
from monitor.core.incident import Incident, State, Transition
from monitor.core.lifecycle import Holding, advance
from monitor.core.window import Window, iso
from monitor.core.wording import plural, span

NAMED = 3  # checks that a message names
_ENDING = frozenset({"calm", "dropped", "resolved"})  # steps that only the newest window can take

Spot = tuple[str | None, str]  # a column, None for the whole table, and a check


@dataclass(frozen=True, slots=True)
class Change:
    """A verdict that became another; None where one judgement has no finding of that column and check."""

    column: str | None
    check: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One window read anew because its rows had become others in number, and the verdicts that changed with it."""

    window: Window
    at: datetime
    rows_before: int
    rows_after: int
    changes: tuple[Change, ...]

    @property
    def words(self) -> str:
        """What happened, for people."""
        rows = f"{self.rows_after:,} rows instead of {self.rows_before:,}"
        return f"the window of {span(self.window)} was read again with {rows}"

    @property
    def note(self) -> str:
        """The same for a list of windows: what changed the numbers beside it, and when."""
        changed = plural(len(self.changes), "verdict")
        return f"late rows: {self.rows_before:,} before {self.at:%Y-%m-%d %H:%M} UTC; {changed} changed"

    def as_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return {
            "window": {"start": iso(self.window.start), "end": iso(self.window.end)},
            "at": iso(self.at),
            "rows_before": self.rows_before,
            "rows_after": self.rows_after,
            "changes": [asdict(change) for change in self.changes],
        }


@dataclass(frozen=True, eq=False)
class Rejudged:
    """A window judged again: the findings that it had, and what it shows now."""

    window: Window
    stored: Sequence[Finding]
    outcome: Evaluation

    @property
    def begun(self) -> frozenset[Spot]:
        """What breaches now and did not."""
        return breaching(self.outcome.findings) - breaching(self.stored)

    @property
    def gone(self) -> frozenset[Spot]:
        """What breached and does not any more."""
        return breaching(self.stored) - breaching(self.outcome.findings)

    @property
    def changes(self) -> tuple[Change, ...]:
        """The verdicts that are others now."""
        before, after = (
            {(found.column, found.check): str(found.verdict) for found in findings}
            for findings in (self.stored, self.outcome.findings)
        )
        return tuple(
            Change(column, check, before.get((column, check)), after.get((column, check)))
            for column, check in dict.fromkeys([*before, *after])
            if before.get((column, check)) != after.get((column, check))
        )


def breaching(findings: Sequence[Finding]) -> frozenset[Spot]:
    """Return what breaches."""
    return frozenset((found.column, found.check) for found in findings if found.verdict is Verdict.BREACH)


def steps(
    opened: Sequence[Incident],
    chain: Sequence[Rejudged],
    revision: Revision,
    judged_at: datetime | None,
    holding: Holding,
) -> list[Transition]:
    """Return the steps that a revision makes incidents take.

    Parameters
    ----------
    opened : the model's pending and firing incidents.
    chain : the revised window and all after it.
    judged_at : when the window had its first verdict. What was opened since, and nothing shows any more, was the doing
        of the rows that were missing, and is resolved; what was open before, or still shows, is told of the revision.
    """
    taken: list[Transition] = []
    held = {incident.id: incident for incident in opened}
    for each in chain:
        causes = [c for c in each.outcome.causes if any((item.column, item.check) in each.begun for item in c.evidence)]
        seen = each.outcome
        found = advance([*held.values()], causes, seen.findings, each.window, revision.at, holding, seen.reference)
        taken += [step for step in found if causes and step.event not in _ENDING]
        held |= {step.after.id: step.after for step in taken}
    gone = frozenset[Spot]().union(*(each.gone for each in chain))
    still = frozenset[Spot]().union(*(breaching(each.outcome.findings) for each in chain))
    for incident in opened:
        shown = {(item.column, item.check) for item in incident.evidence}
        if not shown & gone or held[incident.id] is not incident:
            continue
        never = judged_at is not None and incident.opened_at >= judged_at and not shown & still
        taken.append(_withdrawn(incident, revision) if never else _noted(incident, revision, shown & gone))
    return taken


def _withdrawn(incident: Incident, revision: Revision) -> Transition:
    reason = "late rows revised the verdict"
    ended = replace(incident, state=State.RESOLVED, resolved_at=revision.at, resolved_reason=reason)
    return Transition(incident, ended, "resolved", revision.at, f"{revision.words}; with them nothing is wrong")


def _noted(incident: Incident, revision: Revision, spots: set[Spot]) -> Transition:
    named = sorted(f"{column}: {check}" if column is not None else check for column, check in spots)
    words = ", ".join(named[:NAMED]) + (f" and {len(named) - NAMED} more" if len(named) > NAMED else "")
    detail = f"{revision.words}; {words} breached and no longer does"
    return Transition(incident, incident, "revised", revision.at, detail)
