"""Reports to test with: made from rows by the real checks, evidence and incidents, with a fault or two planted."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.binning import fit_table, profile_batch
from checks.catalogue import ColumnCheck, catalogue
from checks.profile import Profile, Volume
from monitor.core.calendar import Calendar
from monitor.core.evaluation import Subject, evaluate
from monitor.core.finding import Finding, IncidentKind, Verdict
from monitor.core.incident import Incident, State
from monitor.core.lifecycle import Holding
from monitor.core.measuring import Planned
from monitor.core.reference import Reference
from monitor.core.schedule import Schedule
from monitor.core.signal import Rhythm, Terms, audited, learn
from monitor.core.window import Window
from monitor.report.model import ReportData, RetrainLine, WindowLine

START = datetime(2026, 3, 2, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>"


def plan() -> list[Planned]:
    """What `checks: [auto, ks, wasserstein, total_variation]` takes."""
    listed = ("ks", "wasserstein", "total_variation")
    return [
        Planned(name, entry.family, entry.check(), auto=name not in listed)
        for name, entry in catalogue().items()
        if isinstance(entry.check(), ColumnCheck) or entry.check.default
    ]


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


def subject_of(reference: Reference, length: timedelta) -> Subject:
    """The reference with what is learnt from it, as a model with windows of this length has it."""
    rhythm, terms = Rhythm(Schedule(length, timedelta(hours=1), "UTC", timedelta(days=30)), Calendar("UTC")), Terms()
    found = audited(reference, plan(), rhythm, terms)
    return Subject(reference.model, reference, plan(), learn(reference, plan(), rhythm, terms, found), Holding())


def judged(
    reference: Reference, windows: Sequence[Window], profiles: Sequence[Profile]
) -> tuple[list[Finding], list[Incident], dict[str, tuple[str, ...]]]:
    """Findings, incidents and timelines of windows in order, as the monitor would have them."""
    subject = subject_of(reference, windows[0].length)
    memory, incidents, seen = subject.start(), {}, []
    findings: list[Finding] = []
    history: list[Volume] = []
    events: dict[str, tuple[str, ...]] = {}
    for window, profile in zip(windows, profiles, strict=True):
        earlier = tuple(seen)
        result = evaluate(
            subject,
            memory,
            window,
            profile,
            tuple(history),
            lambda since, own=earlier: [p for p in own if p[0].start >= since],
        )
        memory = result.memory
        findings += result.findings
        running = [one for one in incidents.values() if one.state is not State.RESOLVED]
        for step in result.steps(running, window, window.end, subject.holding):
            incidents[step.after.id] = step.after
            line = f"{step.at:%Y-%m-%d %H:%M} UTC  {step.event}: {step.detail}"
            events[step.after.id] = (*events.get(step.after.id, ()), line)
        seen.append((window, profile))
        history.append(Volume(window.start.timestamp(), window.end.timestamp(), profile.rows, profile.last_event))
    return findings, list(incidents.values()), events


def report(
    reference: Reference, windows: Sequence[Window], tables: Sequence[pa.Table], *, time: str, row_id: str | None = None
) -> ReportData:
    profiles = [profile_batch(table, reference.bins, time=time, row_id=row_id) for table in tables]
    findings, incidents, events = judged(reference, windows, profiles)
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
        events=events,
        retrains=[RetrainLine(windows[-1].end, "proposed", "population shift in temp", note="waits for a person")],
        settings=[("windows", "every 1w, read 1h later"), ("time zone", "UTC"), ("budget", "1 false alarm in 30 days, calibrated")],
    )  # fmt: skip


def rows(
    seed: int, count: int, start: datetime, length: timedelta, *, shift: float = 0.0, nulls: float = 0.0
) -> pa.Table:
    """Rows of every kind; ``shift`` moves ``amount`` by about as many standard deviations, ``nulls`` is the null rate of ``wind``."""
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
        "amount": random.lognormal(4, 0.5, count) + 30 * shift,
        "hour": random.integers(0, 24, count),
        "rain": np.where(random.random(count) < 0.85, 0.0, random.exponential(0.2, count)),
        "wind": pa.array(wind, mask=random.random(count) < nulls),
        "carrier": random.choice(["UA", "B6", "EV", "DL", "AA", "MQ"], count, p=[0.3, 0.2, 0.2, 0.15, 0.1, 0.05]),
        "member": random.random(count) < 0.3,
        "booked": pa.array(booked, pa.timestamp("us", "UTC")),
        "comment": [f"{'word ' * int(n)}{i % 900 + 100}" for i, n in enumerate(random.integers(1, 9, count))],
        "empty": pa.nulls(count, pa.float64()),
        HOSTILE: random.choice(["<b>bold</b>", "a & b", '"quoted"'], count),
    })  # fmt: skip


def small_report(count: int = 8, per_window: int = 400) -> ReportData:
    """Weeks of rows; ``amount`` shifts in the second half, ``wind`` goes null in the third."""
    week = timedelta(days=7)
    before = windows_between(START - 10 * week, 10, week)
    table = rows(0, 4000, before[0].start, 10 * week)
    reference = reference_of(table, "ts", before)
    windows = windows_between(START, count, week)
    tables = [
        rows(place + 1, per_window, window.start, week, shift=1.5 if place >= count // 2 else 0.0, nulls=0.6 if place == 2 else 0.0)
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
