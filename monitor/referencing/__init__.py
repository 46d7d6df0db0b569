"""Reference snapshots, built: from rows to bins, profiles by window of the schedule, and a sample."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from zlib import decompress

import pyarrow as pa

from checks.binning import fit_table, profile_batch
from checks.codec import encode_bins, encode_profile
from checks.profile import Bins, Profile
from checks.sampling import Sample
from monitor.config.models import Model
from monitor.core.errors import UserError
from monitor.core.reference import Reference
from monitor.core.schedule import Schedule
from monitor.core.versions import filled
from monitor.core.window import Window, iso
from monitor.referencing.columns import column_warnings, watched_columns
from monitor.referencing.rows import BATCH, described, reference_rows, windows_of
from monitor.sources._log import Log

REFERENCE_SAMPLE = 5_000  # rows
MOST_BLOCKS = 2_500  # windows kept with a profile each, the newest: 100 days of hours; 1,000 of 30 columns take 10 MB


def snapshot(model: Model, name: str, *, now: datetime, who: str) -> Reference:
    """Build the snapshot that a model's configuration describes.

    Bins are fixed by all its rows, or by a sample of 2,000,000. With an event time, rows are also profiled by window of
    the model's schedule; the first and last window may be partly covered.

    Raises
    ------
    UserError
        When the reference is missing, empty, unreadable, or shares no column with the log.
    UnavailableError
        When a database is away.
    """
    log = _log(model)
    table, time, warnings = reference_rows(model, log)
    known = list(log.facts().columns)
    watched = watched_columns(table.column_names, known, model, log, name)
    warnings += column_warnings(table, watched, known)
    rows = table.select([*watched, *(column for column in (log.time, log.id) if column in table.column_names)])
    kinds = {column: kind for column, kind in model.columns.kinds.items() if column in watched}
    bins = fit_table(rows, kinds, time=time, skip=[log.id or ""])
    # What is known but not watched is no new column when a window has it.
    unwatched = (set(known) | set(table.column_names)) - {*watched, log.time, log.id}
    profile = replace(_profile(rows, bins, time, log.id), extra=dict.fromkeys(sorted(unwatched), rows.num_rows))
    blocks, skipped = _blocks(rows, bins, model, log) if time else ((), 0)
    if skipped:
        warnings.append(f"only the newest {MOST_BLOCKS:,} windows are kept one by one; {skipped:,} older are not")
    # A change of a small segment shows in thousands of rows only; 0 means that no row may be kept.
    sample = Sample(max(model.sample, REFERENCE_SAMPLE) if model.sample else 0, log.id).add(rows).rows()
    return Reference(
        id=content_id(bins, profile, blocks),
        model=name,
        bins=bins,
        profile=profile,
        blocks=blocks,
        sample=sample if sample.num_columns else rows.slice(0, 0),
        origin=origin_of(model),
        added_at=now,
        added_by=who,
        version=model.reference.version,
        span=_span(profile),
        warnings=tuple(warnings),
    )


def of_version(model: Model, version: str | None) -> Model:
    """Return a model whose reference is that of one of its versions.

    Raises
    ------
    UserError
        When a path or query names the version, and nobody said which it is.
    """
    where = model.reference
    named = {name: filled(text, version) for name in ("file", "query") if (text := getattr(where, name)) is not None}
    changed: dict[str, object] = {**named, "version": version if version is not None else where.version}
    if where.dvc is not None:
        own = {
            name: filled(text, version) for name in ("path", "rev") if (text := getattr(where.dvc, name)) is not None
        }
        changed["dvc"] = where.dvc.model_copy(update=own)
    return model.model_copy(update={"reference": where.model_copy(update=changed)})


def origin_of(model: Model) -> str:
    """Return where the configuration takes the reference from, in words without secrets.

    The short fingerprint at the end changes with all that decides how the same rows would be read.
    """
    where, log = model.reference, _log(model)
    unused = {name for name in ("mlflow", "dvc") if getattr(where, name) is None}  # which earlier releases had not
    settings = (
        where.model_dump(mode="json", exclude={"version", "settle", *unused}),
        model.columns.model_dump(mode="json"),
        [model.schedule.timezone, str(model.schedule.every), model.version, str(model.labels), model.sample],
        log.model_dump(mode="json", include={"time", "timezone", "id", "features", "table", "path", "where"}),
    )
    return f"{described(model)} [{sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]}]"


def _log(model: Model) -> Log:
    if not isinstance(model.logs, Log):
        raise UserError("a reference is built beside logs whose time and id columns are known, which these do not tell")
    return model.logs


def _profile(table: pa.Table, bins: Mapping[str, Bins], time: str | None, row_id: str | None) -> Profile:
    profile = Profile.empty(bins)
    for batch in table.to_batches(max_chunksize=BATCH):
        profile += profile_batch(batch, bins, time=time, row_id=row_id)
    return profile


def _blocks(
    table: pa.Table, bins: Mapping[str, Bins], model: Model, log: Log
) -> tuple[tuple[tuple[Window, Profile], ...], int]:
    """Profile the rows, which are in order of time, window by window; windows without rows are left out."""
    options = model.schedule
    schedule = Schedule(options.every, options.delay, options.timezone, options.catch_up)
    found = windows_of(table.column(log.time), schedule)
    kept = found[-MOST_BLOCKS:]
    return tuple(
        (window, _profile(table.slice(first, last - first), bins, log.time, log.id)) for window, first, last in kept
    ), len(found) - len(kept)


def _span(profile: Profile) -> Window | None:
    if profile.first_event is None or profile.last_event is None:
        return None
    first, last = (datetime.fromtimestamp(seconds, UTC) for seconds in (profile.first_event, profile.last_event))
    return Window(first, last) if last > first else None


def content_id(bins: Mapping[str, Bins], profile: Profile, blocks: Sequence[tuple[Window, Profile]]) -> str:
    """Return a snapshot's id: the hash of what the codec writes before compression, which differs between zlibs."""
    digest = sha256(decompress(encode_bins(bins)))
    digest.update(decompress(encode_profile(profile)))
    for window, block in blocks:
        digest.update(f"{iso(window.start)}/{iso(window.end)}".encode())
        digest.update(decompress(encode_profile(block)))
    return digest.hexdigest()
