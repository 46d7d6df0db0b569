"""Reports to test with: made by the real checks and the real judge from rows, with a fault or two planted in them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.binning import fit_table, profile_batch
from checks.catalogue import ColumnCheck, catalogue
from checks.profile import Profile, Table, Volume
from monitor.core.calibration import calibrate
from monitor.core.finding import Finding, IncidentKind, Severity, Verdict
from monitor.core.incident import Evidence, Incident, State
from monitor.core.judge import judge
from monitor.core.measuring import Planned, measure
from monitor.core.reference import Reference
from monitor.core.window import Window
from monitor.report.model import ReportData, RetrainLine, WindowLine

START = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>"


def plan() -> list[Planned]:
    return [Planned(name, entry.family, entry.check()) for name, entry in catalogue().items()
            if isinstance(entry.check(), ColumnCheck) or entry.check.default]  # fmt: skip


def windows_between(start: datetime, count: int, length: timedelta) -> list[Window]:
    return [Window(start + length * place, start + length * (place + 1)) for place in range(count)]


def split(table: pa.Table, time: str, windows: Sequence[Window]) -> list[pa.Table]:
    stamps = table.column(time)
    return [
        table.filter(
            pc.and_(
                pc.greater_equal(stamps, pa.scalar(window.start, stamps.type)),
                pc.less(stamps, pa.scalar(window.end, stamps.type)),
            )
        )
        for window in windows
    ]


def reference_of(
    table: pa.Table, time: str, blocks: Sequence[Window], *, row_id: str | None = None, kinds=None
) -> Reference:
    bins = fit_table(table, kinds, time=time, skip=[row_id] if row_id else [])
    profiles = [profile_batch(part, bins, time=time, row_id=row_id) for part in split(table, time, blocks)]
    return Reference(
        id="4f1c2ab09de7" * 5,
        model="delays",
        bins=bins,
        profile=profile_batch(table, bins, time=time, row_id=row_id),
        blocks=tuple(zip(blocks, profiles, strict=True)),
        sample=table.slice(0, 200),
        origin="reference.parquet",
        added_at=START,
        added_by="ada",
        version="7",
        span=Window(blocks[0].start, blocks[-1].end),
    )


def judged(reference: Reference, windows: Sequence[Window], profiles: Sequence[Profile]) -> list[Finding]:
    calibration = calibrate(reference, plan())
    findings: list[Finding] = []
    history: list[Volume] = []
    for window, profile in zip(windows, profiles, strict=True):
        start, end = window.start.timestamp(), window.end.timestamp()
        current = Table(profile, start, end, tuple(history))
        findings += judge(
            reference.model, window, measure(reference.bins, reference.profile, current, plan()), calibration, 0.01
        )
        history.append(Volume(start, end, profile.rows, profile.last_event))
    return findings


def report(
    reference: Reference, windows: Sequence[Window], tables: Sequence[pa.Table], *, time: str, row_id: str | None = None
) -> ReportData:
    profiles = [profile_batch(table, reference.bins, time=time, row_id=row_id) for table in tables]
    findings = judged(reference, windows, profiles)
    incidents = incidents_of(findings)
    return ReportData(
        generated_at=windows[-1].end + timedelta(hours=1),
        config="config.yaml",
        model=reference.model,
        version="7",
        reference=reference,
        span=Window(windows[0].start, windows[-1].end),
        windows=[WindowLine(window, "done", profile.rows) for window, profile in zip(windows, profiles, strict=True)],
        findings=findings,
        profiles=list(zip(windows, profiles, strict=True)),
        incidents=incidents,
        events={one.id: (f"{one.onset:%Y-%m-%d %H:%M} UTC  pending: waits for 2 windows in a row", f"{one.opened_at:%Y-%m-%d %H:%M} UTC  fired: {one.summary}") for one in incidents},
        retrains=[RetrainLine(windows[-1].end, "proposed", "population shift in temp", note="waits for a person")],
        settings=[("windows", "every 1w, read 1h later"), ("time zone", "UTC"), ("opens after", "2 windows"), ("false alarms", "0.01 a window")],
    )  # fmt: skip


def incidents_of(findings: Sequence[Finding]) -> list[Incident]:
    """One incident for each column that ever breached by far, still open where the last window breaches too."""
    last = max(finding.window for finding in findings)
    incidents = []
    for name in sorted(
        {finding.column for finding in findings if finding.verdict is Verdict.BREACH and finding.column}
    ):
        own = [f for f in findings if f.column == name and f.verdict is Verdict.BREACH]
        worst = max(own, key=lambda f: abs(f.effect or 0) / (f.threshold or 1))
        null = any(f.check == "null_rate" for f in own)
        latest = max(f.window for f in own)
        closed = latest != last
        incidents.append(
            Incident(
                id=f"delays-{abs(hash(name)) % 16**8:08x}",
                model="delays",
                kind=IncidentKind.QUALITY if null else IncidentKind.DRIFT,
                fault="null_flood" if null else "location_shift",
                state=State.RESOLVED if closed else State.FIRING,
                severity=Severity.CRITICAL if null else Severity.WARNING,
                columns=(name,),
                diagnosis="null flood" if null else "population shift",
                summary=worst.reason,
                opened_at=min(f.window for f in own).end,
                onset=min(f.window for f in own).start,
                last_window_end=latest.end,
                windows=len({f.window for f in own}),
                resolved_at=latest.end + timedelta(days=14) if closed else None,
                resolved_reason="calm again" if closed else None,
                evidence=tuple(
                    Evidence(name, f.check, f.reason, f.effect, f.effect_ci, f.threshold, f.unit) for f in [worst]
                ),
                pipeline=null,
            )
        )
    return incidents


def rows(
    seed: int, count: int, start: datetime, length: timedelta, *, shift: float = 0.0, nulls: float = 0.0
) -> pa.Table:
    """Rows of every kind; ``shift`` moves ``amount`` by standard deviations, ``nulls`` is the null rate of ``wind``."""
    random = np.random.default_rng(seed)
    seconds = np.sort(random.uniform(0, length.total_seconds(), count))
    stamps = pa.array([start + timedelta(seconds=float(value)) for value in seconds], pa.timestamp("us", "UTC"))
    booked = [
        start + timedelta(seconds=float(a - b))
        for a, b in zip(seconds, random.exponential(86400 * 5, count), strict=True)
    ]
    wind = random.gamma(4, 3, count)
    return pa.table({
        "ts": stamps,
        "amount": random.lognormal(4 + 0.5 * shift, 0.5, count),
        "hour": random.integers(0, 24, count),
        "rain": np.where(random.random(count) < 0.85, 0.0, random.exponential(0.2, count)),
        "wind": pa.array(wind, mask=random.random(count) < nulls),
        "carrier": random.choice(["UA", "B6", "EV", "DL", "AA", "MQ"], count, p=[0.3, 0.2, 0.2, 0.15, 0.1, 0.05]),
        "member": random.random(count) < 0.3,
        "booked": pa.array(booked, pa.timestamp("us", "UTC")),
        "comment": [f"{'word ' * int(n)}{i}" for i, n in enumerate(random.integers(1, 9, count))],
        "empty": pa.nulls(count, pa.float64()),
        HOSTILE: random.choice(["<b>bold</b>", "a & b", '"quoted"'], count),
    })  # fmt: skip


def small_report(count: int = 8, per_window: int = 400) -> ReportData:
    """Weeks of rows; ``amount`` shifts in the second half, ``wind`` goes null in the second last week."""
    week = timedelta(days=7)
    before = windows_between(START - 10 * week, 10, week)
    table = rows(0, 4000, before[0].start, 10 * week)
    reference = reference_of(table, "ts", before)
    windows = windows_between(START, count, week)
    tables = [
        rows(place + 1, per_window, window.start, week, shift=1.5 if place >= count // 2 else 0.0, nulls=0.6 if place == count - 2 else 0.0)
        for place, window in enumerate(windows)
    ]  # fmt: skip
    return report(reference, windows, tables, time="ts")


def flights(folder, *, planted: bool = True) -> ReportData:
    """Real flights by the week; with two faults planted: a column in other units, and nulls for two weeks."""
    import pyarrow.parquet as pq

    week = timedelta(days=7)
    table = pq.read_table(folder / "reference.parquet").drop(["label"])
    stream = pq.read_table(folder / "stream.parquet")
    before = windows_between(datetime(2013, 3, 1, tzinfo=UTC), 6, week)
    kinds = {"prediction": "categorical"}
    reference = reference_of(table, "ts", before, row_id="prediction_id", kinds=kinds)
    windows = windows_between(datetime(2013, 4, 15, tzinfo=UTC), 20, week)
    tables = split(stream, "ts", windows)
    if planted:
        for place in (10, 11):
            column = tables[place].column("humid").to_numpy()
            half = np.arange(len(column)) % 5 != 0
            tables[place] = tables[place].set_column(
                tables[place].column_names.index("humid"), "humid", pa.array(column, mask=half)
            )
        for place in range(17, 20):
            part = tables[place]
            values = (part.column("distance").to_numpy() - 1000.0) / 700.0
            tables[place] = part.set_column(part.column_names.index("distance"), "distance", pa.array(values))
    return report(reference, windows, tables, time="ts", row_id="prediction_id")


def huge_report(columns: int = 500, windows: int = 90, checks: int = 4) -> ReportData:
    """Every cell an effect of its own, so that nothing can be merged: the worst that the page can meet."""
    from dataclasses import replace

    random = np.random.default_rng(5)
    day = timedelta(days=1)
    before = windows_between(START - 10 * day, 10, day)
    table = pa.table({"ts": rows(3, 800, before[0].start, 10 * day).column("ts"), "x": random.normal(size=800)})
    one = reference_of(table, "ts", before)
    names = [f"feature_{place:03d}" for place in range(columns)]
    profile = replace(one.profile, columns=dict.fromkeys(names, one.profile.columns["x"]))
    reference = replace(one, bins=dict.fromkeys(names, one.bins["x"]), profile=profile, blocks=())
    spans = windows_between(START, windows, day)
    sizes = random.lognormal(-2.5, 1.5, (columns, windows, checks))
    findings = [
        Finding(
            "delays", name, f"check_{number}", IncidentKind.DRIFT, window,
            Verdict.BREACH if sizes[i, j, number] > 0.3 else Verdict.PASS,
            effect=float(sizes[i, j, number]), effect_ci=(float(sizes[i, j, number]) * 0.8, float(sizes[i, j, number]) * 1.2),
            threshold=0.1, unit="share of rows", rows=1000, reference_rows=800, reason="median 0.012 to 0.345",
        )
        for i, name in enumerate(names) for j, window in enumerate(spans) for number in range(checks)
    ]  # fmt: skip
    return ReportData(
        spans[-1].end, "config.yaml", "delays", "7", reference, Window(spans[0].start, spans[-1].end),
        windows=[WindowLine(window, "done", 1000) for window in spans], findings=findings,
        profiles=[(window, profile) for window in spans],
    )  # fmt: skip
