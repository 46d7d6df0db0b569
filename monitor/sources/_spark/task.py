"""What Spark's executors run: the profile and the sample of a partition, and their sum. Needs NumPy and Arrow alone."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pyarrow as pa

from checks.aggregate import Aggregate
from checks.codec import decode_bins, decode_profile, encode_profile
from checks.sample_codec import decode_sample, encode_sample, encode_table
from monitor.core.window import Window
from monitor.sources._arrow import plain
from monitor.sources._cutting import cut
from monitor.sources._features import Spreading

Batches = Iterator[pa.RecordBatch]

PART_SCHEMA = "part int, bytes long, profile binary, sample binary"
ROWS_SCHEMA = "rows binary"
_PART = pa.schema([("part", pa.int32()), ("bytes", pa.int64()), ("profile", pa.binary()), ("sample", pa.binary())])
_ROWS = pa.schema([("rows", pa.binary())])


@dataclass(frozen=True)
class Task:
    """What is asked of the executors.

    Parameters
    ----------
    columns : names of the columns, which travel by their place.
    time, zone, row_id, features : as the options of a log.
    window : half-open.
    bins : the reference's, encoded.
    sample_rows : of the whole window.
    most_rows, most_bytes : beyond which no more is counted, since the window is refused anyway; None for no limit.
    """

    columns: tuple[str, ...]
    time: str
    zone: str
    window: Window
    row_id: str | None = None
    features: str | None = None
    bins: bytes = b""
    sample_rows: int = 0
    most_rows: int = 0
    most_bytes: int | None = None

    def empty(self) -> Aggregate:
        """Return the profile and the sample of no rows."""
        window = (self.window.start, self.window.end)
        return Aggregate.empty(decode_bins(self.bins), self.sample_rows, window, self.time, self.row_id)

    def inside(self, batches: Batches) -> Batches:
        """Yield the rows of the window, in the types that profiles read."""
        zone = ZoneInfo(self.zone)
        for batch in batches:
            named = pa.RecordBatch.from_arrays(batch.columns, names=list(self.columns))
            kept = cut(plain(named), self.time, self.window, zone)
            if kept.num_rows:
                yield kept


@dataclass(frozen=True)
class Part:
    """What was found in some partitions.

    Parameters
    ----------
    aggregate : of their rows in the window.
    held : bytes of those rows in memory.
    """

    aggregate: Aggregate
    held: int = 0

    def __add__(self, other: "Part") -> "Part":
        return Part(self.aggregate + other.aggregate, self.held + other.held)

    def beyond(self, task: Task) -> bool:
        """Return whether this is more than may be read."""
        return self.aggregate.profile.rows > task.most_rows or (
            task.most_bytes is not None and self.held > task.most_bytes
        )

    def encoded(self, place: int) -> Batches:
        """Yield one row, none for no rows of the log."""
        if not self.aggregate.profile.rows:
            return
        profile, sample = encode_profile(self.aggregate.profile), encode_sample(self.aggregate.sample)
        values = [[place], [self.held], [profile], [sample]]
        columns = [pa.array(value, field.type) for value, field in zip(values, _PART, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=_PART)


def counting(task: Task) -> Callable[[Batches], Batches]:
    """Return the function that makes a partition one row: its profile and its sample."""

    def run(batches: Batches) -> Batches:
        from pyspark import TaskContext

        spread = Spreading(task.features) if task.features else None
        found = Part(task.empty())
        for kept in task.inside(batches):
            if found.beyond(task):
                continue  # and not stop, for Spark throws away an executor's Python that leaves rows unread
            rows = spread(kept) if spread is not None else kept
            found = Part(found.aggregate.add(rows), found.held + kept.nbytes)
        context = TaskContext.get()
        yield from found.encoded(context.partitionId() if context else 0)

    return run


def adding(task: Task) -> Callable[[Batches], Batches]:
    """Return the function that makes the rows of several partitions one."""

    def run(batches: Batches) -> Batches:
        yield from total(task, batches).encoded(0)

    return run


def total(task: Task, batches: Iterable[pa.RecordBatch]) -> Part:
    """Add up what :func:`counting` or :func:`adding` yielded."""
    nothing = task.empty()
    found = Part(nothing)
    for batch in batches:
        for row in batch.to_pylist():
            profile, sample = decode_profile(row["profile"]), decode_sample(row["sample"], nothing.sample)
            found += Part(Aggregate(nothing.bins, profile, sample), row["bytes"])
    return found


def packing(task: Task) -> Callable[[Batches], Batches]:
    """Return the function that makes every batch of the window's rows one row of bytes."""

    def run(batches: Batches) -> Batches:
        for kept in task.inside(batches):
            yield pa.RecordBatch.from_arrays([pa.array([encode_table(kept)], pa.binary())], schema=_ROWS)

    return run
