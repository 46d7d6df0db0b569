"""Runs: one row for every window of every model, and what it found. :mod:`monitor.store.claims` writes the rows."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
import sqlalchemy as sa

from checks import codec
from checks.profile import Profile, Volume
from checks.sample_codec import decode_table, encode_table
from monitor.core.finding import Finding
from monitor.core.versions import Served
from monitor.core.window import Window
from monitor.store import bodies
from monitor.store.tables import findings, profiles, runs

FINAL = ("done", "skipped")
NOBODY_SAID = Served()


@dataclass(frozen=True, slots=True)
class Run:
    """One window of one model as the store has it."""

    id: int
    model: str
    window: Window
    state: str
    rows: int | None
    reason: str
    reference_id: str | None
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    fingerprint: str = ""
    revision: int = 0
    served: Served = NOBODY_SAID


def moment_of(timestamp: float | None) -> datetime | None:
    """Return the moment of a time in seconds since 1970."""
    return datetime.fromtimestamp(timestamp, UTC) if timestamp is not None else None


@dataclass(frozen=True, eq=False)
class Found:
    """What a run found, as the tables have it: packing takes longer than writing, so that no transaction waits for it.

    Parameters
    ----------
    profile, sample : the columns of the table ``profiles``.
    findings : rows of the table ``findings`` without the run's number.
    """

    profile: bytes
    sample: bytes | None
    findings: tuple[dict[str, object], ...]

    @classmethod
    def packed(cls, profile: Profile, sample: pa.Table, results: Sequence[Finding]) -> "Found":
        """Pack a run's profile, its sample and its findings."""
        return cls(
            codec.encode_profile(profile),
            encode_table(sample) if sample.num_rows else None,
            tuple(
                {
                    "place": place,
                    "column_name": finding.column,
                    "check_name": finding.check,
                    "verdict": str(finding.verdict),
                    "effect": finding.effect,
                    "body": bodies.dump(finding),
                }
                for place, finding in enumerate(results)
            ),
        )


def keep(connection: sa.Connection, run_id: int, found: Found) -> None:
    """Keep what a run found."""
    connection.execute(findings.delete().where(findings.c.run_id == run_id))
    connection.execute(profiles.delete().where(profiles.c.run_id == run_id))
    connection.execute(profiles.insert().values(run_id=run_id, profile=found.profile, sample=found.sample))
    if found.findings:
        connection.execute(findings.insert(), [{"run_id": run_id, **row} for row in found.findings])


def last_end(connection: sa.Connection, model: str) -> datetime | None:
    """Return the end of the newest window that is done or skipped."""
    final = sa.select(runs.c.window_end).where(runs.c.model == model, runs.c.state.in_(FINAL))
    # An index gives the newest first; an aggregate would read every run of the model, at every tick.
    return connection.execute(final.order_by(runs.c.window_end.desc()).limit(1)).scalar()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a model has come: the end of its newest window that is done or skipped, and when one is due a look."""

    last_end: datetime | None
    look_at: datetime | None


def progress(connection: sa.Connection, models: Sequence[str]) -> dict[str, Progress]:
    """Return how far many models have come, in one statement; those that have no window yet are left out."""
    as_rows = sa.func.json_array_elements_text if connection.dialect.name == "postgresql" else sa.func.json_each
    names = as_rows(sa.bindparam("names", list(models), sa.JSON)).table_valued("value")
    final = sa.select(runs.c.window_end).where(runs.c.model == names.c.value, runs.c.state.in_(FINAL))
    newest = final.order_by(runs.c.window_end.desc()).limit(1).scalar_subquery()
    looks = sa.select(runs.c.look_at).where(runs.c.model == names.c.value, runs.c.look_at.is_not(None))
    soonest = looks.order_by(runs.c.look_at).limit(1).scalar_subquery()
    rows = connection.execute(sa.select(names.c.value, newest, soonest))
    return {name: Progress(end, look_at) for name, end, look_at in rows if end is not None}


def as_run(row: sa.Row[tuple[object, ...]]) -> Run:
    """Return a row of the table as a run."""
    return Run(
        row.id, row.model, Window(row.window_start, row.window_end), row.state, row.rows, row.reason,
        row.reference_id, row.started_at, row.finished_at, row.attempts, row.fingerprint, row.revision,
        Served(row.version, json.loads(row.served) if row.served is not None else None),
    )  # fmt: skip


def listing(
    connection: sa.Connection,
    model: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
) -> list[Run]:
    """Return a model's runs that lie in ``[since, until)``, oldest first; with ``limit`` the newest that many."""
    query = sa.select(runs).where(runs.c.model == model).order_by(runs.c.window_end.desc(), runs.c.id.desc())
    if since is not None:
        query = query.where(runs.c.window_start >= since)
    if until is not None:
        query = query.where(runs.c.window_end <= until)
    return [as_run(row) for row in reversed(connection.execute(query.limit(limit)).all())]


def newest(connection: sa.Connection, model: str) -> Run | None:
    """Return the run of a model's newest window that is done."""
    query = sa.select(runs).where(runs.c.model == model, runs.c.state == "done").order_by(runs.c.window_end.desc())
    row = connection.execute(query.limit(1)).first()
    return as_run(row) if row else None


def before(connection: sa.Connection, model: str, moment: datetime) -> Run | None:
    """Return the run of the newest window that is done and ended by a moment."""
    query = sa.select(runs).where(runs.c.model == model, runs.c.state == "done", runs.c.window_end <= moment)
    row = connection.execute(query.order_by(runs.c.window_end.desc(), runs.c.id.desc()).limit(1)).first()
    return as_run(row) if row else None


def version_before(connection: sa.Connection, model: str, moment: datetime) -> str | None:
    """Return the version of the newest window that ended by a moment and had one; None where none had."""
    known = (runs.c.model == model, runs.c.state == "done", runs.c.window_end <= moment, runs.c.version.is_not(None))
    query = sa.select(runs.c.version).where(*known).order_by(runs.c.window_end.desc(), runs.c.id.desc())
    return connection.execute(query.limit(1)).scalar()


def volume(connection: sa.Connection, model: str, since: datetime, until: datetime | None) -> tuple[int, int]:
    """Return how many windows that begin in ``[since, until)`` were judged, and how many rows they had."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(runs.c.rows), 0)).where(
        runs.c.model == model, runs.c.state == "done", runs.c.window_start >= since
    )
    windows, rows = connection.execute(query if until is None else query.where(runs.c.window_start < until)).one()
    return int(windows), int(rows)


def covering(connection: sa.Connection, model: str, moment: datetime) -> Run | None:
    """Return the run of a model's window that a moment lies in and that is done."""
    query = sa.select(runs).where(
        runs.c.model == model, runs.c.state == "done", runs.c.window_start <= moment, runs.c.window_end > moment
    )
    row = connection.execute(query.order_by(runs.c.window_start.desc()).limit(1)).first()
    return as_run(row) if row else None


def breaches(
    connection: sa.Connection, model: str, columns: Sequence[str], judged: datetime, until: datetime
) -> list[Finding]:
    """Return the breaches of some columns, and of the whole table, oldest first.

    Parameters
    ----------
    judged : when the first of their windows was judged.
    until : end of the last window.
    """
    query = (
        sa.select(findings.c.body)
        .join(runs, runs.c.id == findings.c.run_id)
        .where(
            runs.c.model == model,
            runs.c.finished_at >= judged,
            runs.c.window_end <= until,
            findings.c.verdict == "breach",
            sa.or_(findings.c.column_name.in_(columns), findings.c.column_name.is_(None)),
        )
        .order_by(runs.c.window_end, findings.c.place)
    )
    return [bodies.load(Finding, row.body) for row in connection.execute(query)]


def findings_of(connection: sa.Connection, run_ids: Sequence[int]) -> list[Finding]:
    """Return the findings of these runs, in order."""
    if not run_ids:
        return []
    query = (
        sa.select(findings.c.body).where(findings.c.run_id.in_(run_ids)).order_by(findings.c.run_id, findings.c.place)
    )
    return [bodies.load(Finding, row.body) for row in connection.execute(query)]


def findings_about(
    connection: sa.Connection, run_ids: Sequence[int], spots: Collection[tuple[str | None, str]]
) -> list[list[Finding]]:
    """Return what some checks found of some columns, run by run in the order given.

    Parameters
    ----------
    spots : columns (None for the whole table) and checks.
    """
    query = sa.select(findings.c.run_id, findings.c.column_name, findings.c.body).where(
        findings.c.run_id.in_(run_ids), findings.c.check_name.in_({check for _, check in spots})
    )
    found: dict[int, list[Finding]] = {run_id: [] for run_id in run_ids}
    columns = {column for column, _ in spots}
    for row in connection.execute(query):
        if row.column_name in columns:
            found[row.run_id].append(bodies.load(Finding, row.body))
    return list(found.values())


def effects(connection: sa.Connection, model: str, column: str | None, check: str, limit: int) -> list[Finding]:
    """Return the newest findings of one check on one column, oldest first."""
    same = findings.c.column_name.is_(None) if column is None else findings.c.column_name == column
    query = (
        sa.select(findings.c.body)
        .join(runs, runs.c.id == findings.c.run_id)
        .where(runs.c.model == model, same, findings.c.check_name == check)
        .order_by(runs.c.window_end.desc())
        .limit(limit)
    )
    return [bodies.load(Finding, row.body) for row in reversed(connection.execute(query).all())]


def profile_of(connection: sa.Connection, run_id: int) -> Profile | None:
    """Return the profile of a run; None where it kept none."""
    row = connection.execute(sa.select(profiles.c.profile).where(profiles.c.run_id == run_id)).first()
    return codec.decode_profile(row.profile) if row else None


def first_start(connection: sa.Connection, model: str, reference_id: str) -> datetime | None:
    """Return the start of the first window that was judged against a reference."""
    query = sa.select(runs.c.window_start).where(
        runs.c.model == model, runs.c.reference_id == reference_id, runs.c.state == "done"
    )
    return connection.execute(query.order_by(runs.c.window_start).limit(1)).scalar()


def profiles_between(
    connection: sa.Connection, model: str, reference_id: str, since: datetime, before: datetime
) -> list[tuple[Window, Profile]]:
    """Return windows in ``[since, before)`` that were judged against a reference, with their profiles, oldest first."""
    query = (
        sa.select(runs.c.window_start, runs.c.window_end, profiles.c.profile)
        .join(profiles, profiles.c.run_id == runs.c.id)
        .where(
            runs.c.model == model,
            runs.c.reference_id == reference_id,
            runs.c.state == "done",
            runs.c.window_start >= since,
            runs.c.window_end <= before,
        )
        .order_by(runs.c.window_end)
    )
    return [
        (Window(row.window_start, row.window_end), codec.decode_profile(row.profile))
        for row in connection.execute(query)
    ]


def samples_of(connection: sa.Connection, run_ids: Sequence[int]) -> list[pa.Table]:
    """Return the samples of these runs, without those that kept none."""
    query = sa.select(profiles.c.sample).where(profiles.c.run_id.in_(run_ids)).order_by(profiles.c.run_id)
    return [decode_table(row.sample) for row in connection.execute(query) if row.sample]


def samples_between(connection: sa.Connection, model: str, since: datetime, before: datetime) -> list[pa.Table]:
    """Return the samples of the windows in ``[since, before)``, oldest first, without those that kept none."""
    query = (
        sa.select(profiles.c.sample)
        .join(runs, runs.c.id == profiles.c.run_id)
        .where(runs.c.model == model, runs.c.state == "done", runs.c.window_start >= since, runs.c.window_end <= before)
        .order_by(runs.c.window_end)
    )
    return [decode_table(row.sample) for row in connection.execute(query) if row.sample]


def volumes(connection: sa.Connection, model: str, before: datetime, limit: int) -> tuple[Volume, ...]:
    """Return how many rows the windows before a moment had, oldest first."""
    query = (
        sa.select(runs.c.window_start, runs.c.window_end, runs.c.rows, runs.c.last_event)
        .where(runs.c.model == model, runs.c.state == "done", runs.c.window_end <= before)
        .order_by(runs.c.window_end.desc())
        .limit(limit)
    )
    return tuple(
        Volume(
            row.window_start.timestamp(),
            row.window_end.timestamp(),
            row.rows or 0,
            row.last_event.timestamp() if row.last_event else None,
        )
        for row in reversed(connection.execute(query).all())
    )
