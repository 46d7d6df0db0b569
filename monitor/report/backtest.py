"""What a backtest showed: one replay of one model. Its JSON, its page and what the command prints are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.core.comparison import Comparison
from monitor.core.false_alarms import FalseAlarms
from monitor.core.finding import Finding, Verdict
from monitor.core.incident import Incident
from monitor.core.planted import Noticed
from monitor.core.window import Window, iso
from monitor.report.model import ReportData


@dataclass(frozen=True)
class Backtest:
    """What a replay of one model showed.

    Parameters
    ----------
    windows : that the schedule has in the time, oldest first.
    failed : those that could not be evaluated, and why.
    findings : breaches, or everything if that is wanted.
    stored : windows that were put together from the daemon's own profiles, without a look at the log.
    unsampled : those of them whose sampled rows are no longer kept.
    report : if a page is wanted and a window could be judged.
    """

    model: str
    start: datetime
    end: datetime
    windows: tuple[Window, ...]
    failed: Mapping[Window, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    incidents: tuple[Incident, ...] = ()
    false_alarms: FalseAlarms | None = None
    planted: tuple[Noticed, ...] = ()
    comparison: Comparison | None = None
    report: ReportData | None = None
    stored: int = 0
    unsampled: int = 0

    @property
    def judged(self) -> list[Window]:
        """The windows that could be evaluated, oldest first."""
        return [window for window in self.windows if window not in self.failed]

    @property
    def told(self) -> list[Incident]:
        """The incidents that people would have been told of."""
        return [incident for incident in self.incidents if incident.told]

    @property
    def breached(self) -> bool:
        """Whether anything breached."""
        return any(finding.verdict is Verdict.BREACH for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the contract's JSON object."""
        return {
            "model": self.model,
            "from": iso(self.start),
            "to": iso(self.end),
            "windows": len(self.windows),
            "stored": self.stored,
            "unsampled": self.unsampled,
            "failed": [f"{window}: {reason}" for window, reason in self.failed.items()],
            "findings": [finding.as_json() for finding in self.findings],
            "incidents": [incident.as_json() for incident in self.incidents],
            "false_alarms": self.false_alarms.as_json() if self.false_alarms else None,
            "planted": [fault.as_json() for fault in self.planted],
            "compare": self.comparison.as_json() if self.comparison else None,
        }
