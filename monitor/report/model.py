"""What a report is given: everything it shows, read from the store by the caller. The report itself reads nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from checks.profile import Profile
from monitor.core.finding import Finding
from monitor.core.incident import Incident
from monitor.core.reference import Reference
from monitor.core.window import Window


@dataclass(frozen=True, slots=True)
class WindowLine:
    """One owed window and what became of it; ``outcome`` is ``done``, ``skipped`` or ``failed``, ``note`` says why."""

    window: Window
    outcome: str
    rows: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class RetrainLine:
    """One retraining that was asked for or refused."""

    at: datetime
    state: str
    reason: str
    by: str = "monitor"
    note: str = ""


@dataclass(frozen=True, slots=True)
class VersionLine:
    """One version of the model: when it served, what began in that time, and whether it helped, in words."""

    version: str
    since: datetime
    until: datetime | None
    windows: int
    rows: int
    incidents: tuple[str, ...] = ()
    helped: str = ""


@dataclass(frozen=True)
class ReportData:
    """One model over one span of time.

    Parameters
    ----------
    generated_at : when the report was asked for.
    config : name of the configuration, for the footer.
    model, version : the model; version None where unknown.
    reference : the snapshot that everything is compared with.
    span : the reported time.
    windows : every owed window in the span, oldest first.
    findings : of all windows in the span, in any order.
    profiles : of the windows that were read, oldest first.
    incidents : those that were open at any time in the span.
    events : the timeline of each incident by its id, oldest line first.
    retrains : oldest first.
    versions : those that served in the span, oldest first.
    settings : schedule, checks, tolerances and the budget of false alarms as name and value, for the colophon.
    """

    generated_at: datetime
    config: str
    model: str
    version: str | None
    reference: Reference
    span: Window
    windows: Sequence[WindowLine] = ()
    findings: Sequence[Finding] = ()
    profiles: Sequence[tuple[Window, Profile]] = ()
    incidents: Sequence[Incident] = ()
    events: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    retrains: Sequence[RetrainLine] = ()
    versions: Sequence[VersionLine] = ()
    settings: Sequence[tuple[str, str]] = ()
