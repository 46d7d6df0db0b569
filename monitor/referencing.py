"""Reference snapshots, built: from a file, a query or a past period of the log to bins, profiles by window and a sample."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast
from zlib import decompress
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.binning import fit_table, profile_batch
from checks.codec import encode_bins, encode_profile
from checks.instants import column_to_utc
from checks.profile import Bins, Profile
from checks.sampling import Sample, concat
from monitor.config.models import Model, Period
from monitor.core.errors import UserError
from monitor.core.reference import Reference
from monitor.core.schedule import Schedule
from monitor.core.window import Window, iso
from monitor.sources._features import Spreading
from monitor.sources._files import Files, stream
from monitor.sources._log import Log, missing

MOST_ROWS = 2_000_000  # held in memory while a snapshot is built; of more rows, this many are sampled by hash
MOST_BLOCKS = 1_000  # windows kept with a profile each, the newest; 1,000 profiles of 30 columns take about 10 MB
_BATCH = 65_536


def snapshot(model: Model, name: str, *, now: datetime, who: str) -> Reference:
    """Build the snapshot that a model's configuration describes.

    Bins are fixed by all its rows, or by ``MOST_ROWS`` of them. With an event time, rows are also profiled by window of the
    model's schedule; the first and last window may be partly covered.

    Raises
    ------
    UserError
        When the reference is missing, empty, unreadable, or shares no column with the log.
    UnavailableError
        When a database is away.
    """
    log = _log(model)
    table, warnings = _gather(_batches(model, log), log.id)
    if not table.num_rows:
        raise UserError(f"the reference of {name} ({_words(model)}) is empty; a reference needs rows")
    if log.features is not None and log.features in table.column_names:
        table = pa.Table.from_batches([Spreading(log.features)(table.combine_chunks().to_batches()[0])])
    table, time = _timed(table, model, log)
    known = list(log.facts().columns)
    watched = _watched(table.column_names, known, model, log, name)
    warnings += _warnings(table, watched, known)
    others = [column for column in (log.time, log.id) if column in table.column_names and column not in watched]
    rows = table.select([*watched, *others])
    kinds = {column: kind for column, kind in model.columns.kinds.items() if column in watched}
    bins = fit_table(rows.select([*watched, *([time] if time else [])]), kinds, time=time)
    unwatched = (set(known) | set(table.column_names)) - {*watched, log.time, log.id}
    profile = replace(_profile(rows, bins, time, log.id), extra=dict.fromkeys(sorted(unwatched), table.num_rows))
    blocks, skipped = _blocks(rows, bins, model, log) if time else ((), 0)
    if skipped:
        warnings.append(f"only the newest {MOST_BLOCKS:,} windows are kept one by one; {skipped:,} older are not")
    sample = Sample(model.sample, log.id).add(rows).rows()
    return Reference(
        id=_content(bins, profile, blocks),
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


def origin_of(model: Model) -> str:
    """Return where the configuration takes the reference from, in words without secrets.

    The short fingerprint at the end changes with all that decides how the same rows would be read.
    """
    where, log = model.reference, _log(model)
    settings = (
        where.model_dump(mode="json", exclude={"version"}),
        model.columns.model_dump(mode="json"),
        [model.schedule.timezone, str(model.schedule.every), model.version, str(model.labels), model.sample],
        log.model_dump(mode="json", include={"time", "timezone", "id", "features", "table", "path", "where"}),
    )
    return f"{_words(model)} [{sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]}]"


def _words(model: Model) -> str:
    where = model.reference
    if where.file is not None:
        return f"file {Path(where.file).name}"
    if where.query is not None:
        return f"query {' '.join(where.query.split())[:80]}"
    if where.period is not None:
        return f"log from {where.period.start.isoformat()} to {where.period.end.isoformat()}"
    return "pinned snapshot"


def _log(model: Model) -> Log:
    # The port promises rows alone; time, zone and id are options which every source has.
    return cast("Log", model.logs)


def _batches(model: Model, log: Log) -> Iterator[pa.RecordBatch]:
    where = model.reference
    if where.file is not None:
        return _file_rows(where.file)
    if where.query is not None:
        select: Callable[[str], Iterator[pa.RecordBatch]] | None = getattr(log, "select", None)
        if select is None:
            raise UserError("reference.query needs logs in a database; name a reference.file or a reference.period")
        return select(where.query)
    if where.period is not None:
        return log.batches(_period(where.period, log.zone))
    raise UserError("the configuration pins a snapshot; it names no file, query or period to build one from")


def _file_rows(path: str) -> Iterator[pa.RecordBatch]:
    files = Files(path)
    with files.connect() as connection:
        yield from stream(files.relation(connection), _BATCH)


def _period(period: Period, zone: ZoneInfo) -> Window:
    start, end = (m if m.tzinfo else m.replace(tzinfo=zone) for m in (period.start, period.end))
    return Window(start, end)


def _gather(batches: Iterable[pa.RecordBatch], row_id: str | None) -> tuple[pa.Table, list[str]]:
    """Hold all rows, or of too many a sample by hash."""
    held: list[pa.Table] = []
    sample, rows = Sample(MOST_ROWS, row_id), 0
    for batch in batches:
        rows += batch.num_rows
        held.append(pa.Table.from_batches([batch]))
        if rows > MOST_ROWS:
            for table in held:
                sample = sample.add(table)
            held.clear()
    if rows <= MOST_ROWS:
        return concat(held), []
    return sample.rows(), [
        f"the reference has {rows:,} rows, of which {MOST_ROWS:,} are taken; its volume is not compared"
    ]


def _timed(table: pa.Table, model: Model, log: Log) -> tuple[pa.Table, str | None]:
    """Return the rows in order of time, with the time as an instant under the log's name for it; None without one."""
    named = model.reference.time if model.reference.period is None else None
    if named is not None and named not in table.column_names:
        raise UserError(f"reference.time: {missing('column', named, table.column_names, 'the reference')}")
    time = named or log.time
    if time not in table.column_names:
        return table, None
    times = column_to_utc(table.column(time), log.zone)
    if times.null_count == len(times):
        raise UserError(
            f"column {time!r} of the reference holds no times; name another as reference.time, or rename it if the"
            " reference has no time"
        )
    columns = {name: table.column(name) for name in table.column_names if name not in (time, log.time)}
    table = pa.table({log.time: times, **columns})
    order = [(log.time, "ascending"), *([(log.id, "ascending")] if log.id in columns else [])]
    return table.sort_by(order), log.time


def _watched(names: Sequence[str], known: Sequence[str], model: Model, log: Log, model_name: str) -> list[str]:
    """Return the columns to watch, in the reference's order."""
    options, place = model.columns, "the reference"
    for option, wanted in (("include", options.include or ()), ("kinds", options.kinds)):
        for name in wanted:
            if name not in names:
                raise UserError(f"columns.{option} of {model_name}: {missing('column', name, names, place)}")
    roles = {log.time, log.id, log.features, model.version, *options.exclude}
    if model.labels is not None:
        roles.add(model.labels.label)
    if model.labels is not None or "label" not in known:
        roles.add("label")
    if options.include is not None:
        roles = (roles - {"label"}) | (set(names) - set(options.include))
    watched = [name for name in names if name not in roles]
    if not watched:
        raise UserError(f"nothing of {model_name} is left to watch; look at columns.include and columns.exclude")
    if not set(watched) & set(known):
        raise UserError(
            f"the reference of {model_name} has none of the log's columns; it has {_listed(watched)}, the log has"
            f" {_listed(known)}"
        )
    return watched


def _warnings(table: pa.Table, watched: Sequence[str], known: Sequence[str]) -> list[str]:
    found = []
    absent = [name for name in watched if name not in known]
    if absent:
        found.append(
            f"the log does not have {_listed(absent)}; where that is as it should be, put it under columns.exclude"
        )
    empty = [name for name in watched if pc.all(pc.is_null(table.column(name), nan_is_null=True)).as_py()]
    if empty:
        found.append(f"the reference has only nulls in {_listed(empty)}, so any value there is unlike it")
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:8])) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _profile(table: pa.Table, bins: Mapping[str, Bins], time: str | None, row_id: str | None) -> Profile:
    profile = Profile.empty(bins)
    for batch in table.to_batches(max_chunksize=_BATCH):
        profile += profile_batch(batch, bins, time=time, row_id=row_id)
    return profile


def _blocks(
    table: pa.Table, bins: Mapping[str, Bins], model: Model, log: Log
) -> tuple[tuple[tuple[Window, Profile], ...], int]:
    """Profile the rows, which are in order of time, window by window; windows without rows are left out."""
    options = model.schedule
    schedule = Schedule(options.every, options.delay, options.timezone, options.catch_up)
    times = table.column(log.time).drop_null().cast(pa.int64()).to_numpy()
    found: list[tuple[Window, int, int]] = []
    place = 0
    while place < len(times):
        window = schedule.window_containing(_moment(int(times[place])))
        end = int(np.searchsorted(times, round(window.end.timestamp() * 1_000_000), side="left"))
        found.append((window, place, end))
        place = end
    kept = found[-MOST_BLOCKS:]
    return tuple(
        (window, _profile(table.slice(first, last - first), bins, log.time, log.id)) for window, first, last in kept
    ), len(found) - len(kept)


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(microsecond=microseconds % 1_000_000)


def _span(profile: Profile) -> Window | None:
    if profile.first_event is None or profile.last_event is None:
        return None
    first, last = (datetime.fromtimestamp(seconds, UTC) for seconds in (profile.first_event, profile.last_event))
    return Window(first, last) if last > first else None


def _content(bins: Mapping[str, Bins], profile: Profile, blocks: Sequence[tuple[Window, Profile]]) -> str:
    """Hash what the codec writes before compression, which may differ from one zlib to the next."""
    digest = sha256(decompress(encode_bins(bins)))
    digest.update(decompress(encode_profile(profile)))
    for window, block in blocks:
        digest.update(f"{iso(window.start)}/{iso(window.end)}".encode())
        digest.update(decompress(encode_profile(block)))
    return digest.hexdigest()
