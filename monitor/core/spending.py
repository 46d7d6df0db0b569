"""The budget of false notifications: what a model may cost, what it is expected to cost, and what it has told. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from checks.budget import DAYS_A_PERIOD, Audit
from monitor.core.finding import Finding, IncidentKind, Rule, Verdict
from monitor.core.incident import Incident
from monitor.core.wording import plural

PERIOD = timedelta(days=DAYS_A_PERIOD)
NEAREST = 3  # columns named as the closest to an alarm


@dataclass(frozen=True)
class Spending:
    """A model's part of the budget, all per 30 days.

    Parameters
    ----------
    allowed : false notifications that the configuration gives the model.
    expected : false notifications that a replay of the reference raised; None where none could be made.
    replayed_days : of that replay; 0 where none was made.
    sent : incidents that people were told of in the latest 30 days, right and wrong ones, which nobody can tell apart
        beforehand. Those of fixed thresholds and of a log that cannot be read are outside of the budget.
    """

    allowed: float
    expected: float | None
    replayed_days: int
    sent: int

    @property
    def expectation(self) -> str:
        """What the replay says, as a clause: ``0.3 times per 30 days``, ``0 times in 720 replayed days``."""
        if self.expected is None:
            return "unknown: nothing could be replayed"
        if self.expected == 0:
            return f"0 times in {plural(self.replayed_days, 'replayed day')}"
        return f"{self.expected:.2g} times per 30 days"

    def as_json(self) -> dict[str, Any]:
        """Return the contract's JSON object."""
        return asdict(self)


def spending(allowed: float, audit: Audit | None, told: Iterable[Incident]) -> Spending:
    """Return what a model may cost, is expected to cost and has told.

    Parameters
    ----------
    allowed : the model's share of the deployment's false notifications per 30 days.
    audit : what the replay of the reference said; None where it was not made yet.
    told : incidents that people were told of in the latest 30 days.
    """
    return Spending(
        allowed,
        audit.rate if audit is not None else None,
        audit.days if audit is not None else 0,
        sum(within(incident) for incident in told),
    )


def within(incident: Incident) -> bool:
    """Whether an incident is one that the budget speaks of."""
    ruled = not incident.evidence or any(item.rule is not Rule.THRESHOLD for item in incident.evidence)
    return ruled and incident.kind is not IncidentKind.OPERATIONS


def total(parts: Sequence[Spending]) -> Spending:
    """Return the budget of the whole deployment: expectations add up, whatever depends on what.

    Where one model could not be replayed, nothing is known of the sum.
    """
    known = [part.expected for part in parts if part.expected is not None]
    return Spending(
        sum(part.allowed for part in parts),
        sum(known) if len(known) == len(parts) else None,
        min((part.replayed_days for part in parts), default=0),
        sum(part.sent for part in parts),
    )


def nearest(findings: Iterable[Finding], most: int = NEAREST) -> list[tuple[str, float]]:
    """Return the columns closest to an alarm, with the share of its price that they hold; open alarms are past that.

    Parameters
    ----------
    findings : of one window.
    """
    held: dict[str, float] = {}
    alarmed = set()
    for finding in findings:
        if finding.column is None or finding.rule is not Rule.EVIDENCE:
            continue
        if finding.verdict is Verdict.BREACH:
            alarmed.add(finding.column)
        held[finding.column] = max(held.get(finding.column, 0.0), finding.evidence or 0.0)
    ranked = sorted(held.items(), key=lambda item: -item[1])
    return [(column, share) for column, share in ranked if column not in alarmed and share > 0][:most]
