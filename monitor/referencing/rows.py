"""The rows of a reference: from files, a query or a period of the log to one table, in order of time."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checks.instants import INSTANT, column_to_utc
from checks.joining import concat
from checks.sampling import Sample
from monitor.config.calendars import Period
from monitor.config.models import Model
from monitor.core.errors import UserError
from monitor.core.schedule import Schedule
from monitor.core.window import PLAUSIBLE, Window
from monitor.referencing.dvc import fetch_dvc
from monitor.sources._features import Spreading
from monitor.sources._files import Files, stream
from monitor.sources._log import Log, missing

MOST_ROWS = 2_000_000  # held in memory while a snapshot is built; of more rows, this many are sampled by hash
BATCH = 65_536


def reference_rows(model: Model, log: Log) -> tuple[pa.Table, str | None, list[str]]:
    """Return the rows, the name of their event time (None where they have none), and warnings.

    The time is an instant under the log's name for it, and the rows are in its order.

    Raises
    ------
    UserError
        When there are no rows, or what is configured is not there.
    """
    with _batches(model, log) as batches:
        table, warnings = _gather(batches, log.id)
    if not table.num_rows:
        raise UserError(f"the reference ({described(model)}) is empty; a reference needs rows")
    if log.features is not None and log.features in table.column_names:
        table = pa.Table.from_batches([Spreading(log.features)(table.combine_chunks().to_batches()[0])])
    table, time = _timed(table, model, log)
    return table, time, warnings


def described(model: Model) -> str:
    """Return in words where the configuration takes the reference from, without secrets."""
    where = model.reference
    if where.file is not None:
        return f"file {Path(where.file).name}"
    if where.query is not None:
        return f"query {' '.join(where.query.split())[:80]}"
    if where.period is not None:
        return f"log from {where.period.start.isoformat()} to {where.period.end.isoformat()}"
    if where.mlflow is not None:
        kept = where.mlflow.artifact or f"data set {where.mlflow.dataset}"
        return f"{kept} of version {where.version} in MLflow"
    if where.dvc is not None:
        return f"{where.dvc.path} in DVC" + (f" at {where.dvc.rev}" if where.dvc.rev is not None else "")
    return "pinned snapshot"


@contextmanager
def _batches(model: Model, log: Log) -> Iterator[Iterator[pa.RecordBatch]]:
    where = model.reference
    if where.file is not None:
        yield _file_rows(where.file)
    elif where.query is not None:
        select: Callable[[str], Iterator[pa.RecordBatch]] | None = getattr(log, "select", None)
        if select is None:
            raise UserError("reference.query needs logs in a database; name a reference.file or a reference.period")
        yield select(where.query)
    elif where.period is not None:
        yield log.batches(_period(where.period, log.zone))
    elif where.pin is not None:
        raise UserError("the configuration pins a snapshot; it names no file, query or period to build one from")
    else:
        with TemporaryDirectory(prefix="leeway-reference-") as folder:
            yield _file_rows(str(_fetched(model, Path(folder))))


def _fetched(model: Model, folder: Path) -> Path | str:
    """Fetch the reference from where versions are kept."""
    where, registry = model.reference, model.versions.mlflow
    if where.dvc is not None:
        return fetch_dvc(where.dvc.repo, where.dvc.path, where.dvc.rev, folder, where.dvc.timeout.total_seconds())
    if where.version is None:
        raise UserError("nobody says which version served: the alias in MLflow points at none")
    assert registry is not None and where.mlflow is not None  # noqa: PT018 - the configuration has both or neither
    if where.mlflow.artifact is not None:
        return registry.fetch_artifact(where.version, where.mlflow.artifact, folder)
    return registry.fetch_dataset(where.version, str(where.mlflow.dataset), folder)


def _file_rows(path: str) -> Iterator[pa.RecordBatch]:
    files = Files(path)
    with files.connect() as connection:
        yield from stream(files.relation(connection), BATCH)


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


def _believed(times: pa.Array) -> pa.Array:
    """Return times without those that no schedule reaches; their rows count, but in no window."""
    known = pc.and_(
        pc.greater_equal(times, pa.scalar(PLAUSIBLE.start, INSTANT)), pc.less(times, pa.scalar(PLAUSIBLE.end, INSTANT))
    )
    return pc.if_else(known, times, pa.scalar(None, INSTANT))


def _timed(table: pa.Table, model: Model, log: Log) -> tuple[pa.Table, str | None]:
    """Return the rows in order of time, with the time as an instant under the log's name for it; None without one."""
    named = model.reference.time if model.reference.period is None else None
    if named is not None and named not in table.column_names:
        raise UserError(f"reference.time: {missing('column', named, table.column_names, 'the reference')}")
    time = named or log.time
    if time not in table.column_names:
        return table, None
    times = _believed(column_to_utc(table.column(time), log.zone))
    if times.null_count == len(times):
        raise UserError(
            f"column {time!r} of the reference holds no times; name another as reference.time, or rename it if the"
            " reference has no time"
        )
    columns = {name: table.column(name) for name in table.column_names if name not in (time, log.time)}
    table = pa.table({log.time: times, **columns})
    order = [(log.time, "ascending"), *([(log.id, "ascending")] if log.id in columns else [])]
    return table.sort_by(order), log.time


def windows_of(times: pa.ChunkedArray, schedule: Schedule) -> list[tuple[Window, int, int]]:
    """Return the windows that rows lie in, oldest first, with the places of each one's first row and of the next one's.

    Parameters
    ----------
    times : in order, those that are null last; they lie in no window.
    """
    micros = times.drop_null().cast(INSTANT).cast(pa.int64()).to_numpy()
    found: list[tuple[Window, int, int]] = []
    place = 0
    while place < len(micros):
        window = schedule.window_containing(_moment(int(micros[place])))
        end = int(np.searchsorted(micros, round(window.end.timestamp() * 1_000_000), side="left"))
        found.append((window, place, end))
        place = end
    return found


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds // 1_000_000, UTC).replace(microsecond=microseconds % 1_000_000)
