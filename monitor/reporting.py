"""Gathers from the store what a report shows."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from checks.budget import Audit
from monitor.core.errors import UserError
from monitor.core.false_alarms import FalseAlarms
from monitor.core.incident import Incident
from monitor.core.window import Window, iso
from monitor.options import format_duration
from monitor.report.model import ReportData, RetrainLine, VersionLine, WindowLine
from monitor.store import evidence as evidence_rows
from monitor.store import incidents as incident_rows
from monitor.store import references as reference_rows
from monitor.store import retrains as retrain_rows
from monitor.store import revisions as revision_rows
from monitor.store import runs as run_rows
from monitor.store.database import Store
from monitor.tenures import tenures
from monitor.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from monitor.store.runs import Run

DEFAULT_WINDOWS = 90


def gather(
    store: Store, watch: Watch, config: Path, now: datetime, start: datetime | None = None, end: datetime | None = None
) -> ReportData:
    """Return what a report of one model shows, by default of its newest windows.

    Raises
    ------
    UserError
        When the store has no run of the model in that time.
    """
    with store.read() as connection:
        limit = None if start else DEFAULT_WINDOWS
        runs = run_rows.listing(connection, watch.name, since=start, until=end, limit=limit)
        judged = [run for run in runs if run.reference_id]
        if not judged:
            raise UserError(
                f"the store has no result of {watch.name} in that time; `monitor run` evaluates every window, "
                "`monitor backtest` the past"
            )
        reference = reference_rows.find(connection, watch.name, judged[-1].reference_id or "")
        same = [run for run in judged if run.reference_id == reference.id]
        found = [(run, run_rows.profile_of(connection, run.id)) for run in same]
        pruned = [run for run, profile in found if profile is None]
        if pruned:  # from the newest of them on the report is whole
            runs = [run for run in runs if run.window.start >= pruned[-1].window.end]
            same = [run for run in same if run.window.start >= pruned[-1].window.end]
        if not same:
            raise UserError(
                f"the results of {watch.name} in that time are older than `retention.profiles` keeps them; "
                "`monitor backtest` judges them again from the log"
            )
        profiles = [(run.window, profile) for run, profile in found if run in same]
        span = Window(runs[0].window.start, runs[-1].window.end)
        revised = {r.window: r.note for r in revision_rows.listing(connection, watch.name, span.start, span.end)}
        incidents = [
            incident
            for incident in incident_rows.listing(connection, watch.name, closed=True)
            if _during(incident, span)
        ]
        return ReportData(
            generated_at=now,
            config=config.name,
            model=watch.name,
            version=judged[-1].served.version or reference.version,
            reference=reference,
            span=span,
            windows=[
                WindowLine(run.window, run.state, run.rows or 0, run.reason or revised.get(run.window, ""))
                for run in runs
            ],
            findings=run_rows.findings_of(connection, [run.id for run in same]),
            profiles=[(window, profile) for window, profile in profiles if profile is not None],
            incidents=incidents,
            events={i.id: incident_rows.lines(incident_rows.timeline(connection, i.id)) for i in incidents},
            retrains=[
                RetrainLine(r.request.requested_at, str(r.state), r.request.reason, r.request.requested_by, r.note)
                for r in retrain_rows.listing(connection, watch.name)
            ],
            versions=_versions(connection, watch.name, span),
            settings=[
                *settings(watch, span, evidence_rows.audit_of(connection, watch.audit_key(reference.id))),
                *_left_out(pruned),
            ],
        )


def _versions(connection: sa.Connection, model: str, span: Window) -> list[VersionLine]:
    return [
        VersionLine(
            tenure.version or "not said",
            tenure.since,
            tenure.until,
            tenure.windows,
            tenure.rows,
            tuple(incident.id for incident in tenure.incidents),
            tenure.proof.words if tenure.proof is not None else "",
        )
        for tenure in tenures(connection, model)
        if tenure.since < span.end and (tenure.until is None or tenure.until > span.start)
    ]


def _left_out(pruned: "Sequence[Run]") -> list[tuple[str, str]]:
    if not pruned:
        return []
    return [("left out", f"windows before {iso(pruned[-1].window.end)}, older than retention.profiles keeps them")]


def samples(store: Store, data: ReportData) -> "Sequence[pa.Table]":
    """Return the stored samples of a report's windows."""
    with store.read() as connection:
        runs = run_rows.listing(connection, data.model, since=data.span.start, until=data.span.end)
        return run_rows.samples_of(connection, [run.id for run in runs])


def _during(incident: Incident, span: Window) -> bool:
    """Whether an incident that people were told of was open in the span."""
    return (
        incident.told
        and incident.onset < span.end
        and (incident.resolved_at is None or incident.last_window_end > span.start)
    )


def settings(watch: Watch, span: Window, audit: Audit | None) -> list[tuple[str, str]]:
    """Return what was checked and how, as name and value; ``audit`` is what the replay of the reference said."""
    model = watch.model
    checks = ", ".join(f"{planned.name} (tolerance {planned.check.tolerance:g})" for planned in watch.plan)
    return [
        (
            "windows",
            f"every {format_duration(model.schedule.every)}, read {format_duration(model.schedule.delay)} later",
        ),
        ("late rows", _lateness(model.schedule.allowed_lateness)),
        ("time zone", model.schedule.timezone),
        ("checks", checks),
        ("budget", f"{watch.rate:.2g} false alarms in 30 days, {'calibrated' if watch.calibrated else 'strict'}"),
        ("false alarms in this time", _expected(watch, span, audit)),
        ("retraining", model.retrain.mode),
        ("first window", iso(model.schedule.start) if model.schedule.start else "the first one seen"),
    ]


def _lateness(allowed: timedelta) -> str:
    return f"taken in until {format_duration(allowed)} after that" if allowed else "not taken in"


def _expected(watch: Watch, span: Window, audit: Audit | None) -> str:
    rate, days = (audit.rate, audit.days) if audit else (None, 0)
    return FalseAlarms(span.length / timedelta(days=1), watch.rate, rate, days).words
