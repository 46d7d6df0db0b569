"""What every prediction log has in common: its options, the exact window, the row cap, and the one pass over it."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
from pydantic import Field

from checks.aggregate import Aggregate
from checks.instants import Form, form_of, offset_of
from checks.profile import Bins, Profile
from monitor.core.errors import UserError
from monitor.core.ports import Reading, TableFacts
from monitor.core.window import Window
from monitor.options import Options, TimeZone
from monitor.sources._ahead import ahead
from monitor.sources._arrow import text_of
from monitor.sources._cutting import cut
from monitor.sources._features import Spreading

PEEKED = 100  # values looked at to see how times are kept, and rows to see which keys a JSON column has
CELLS = 1_000_000  # values of a batch, at most: 8 MB as Arrow, some 40 MB as Python's


@dataclass
class Watched:
    """The columns that a pass is for, as far as the log has them.

    Parameters
    ----------
    columns : known to the reference.
    others : columns of the log that are not fetched; filled in when the pass begins.
    """

    columns: frozenset[str]
    others: list[str] = field(default_factory=list)

    def told(self, profile: Profile) -> Profile:
        """Return a profile of the fetched columns that knows of the others, too."""
        extra = dict.fromkeys(self.others, profile.rows) if profile.rows else {}
        return replace(profile, extra={**profile.extra, **extra})


Wanted = Sequence[str] | Watched | None  # None are all columns


class Log(Options):
    """The options that every source has."""

    time: str
    """Column with the time of the prediction."""
    timezone: TimeZone = "UTC"
    """Zone of times that name none."""
    id: str | None = None
    """Column that names a row; the same rows are then sampled wherever they are kept."""
    where: str | None = None
    """An SQL condition that the rows must meet, such as ``model_name = 'churn'``."""
    features: str | None = None
    """A column with a JSON object of features, whose keys are taken as columns."""
    max_rows: Annotated[int, Field(ge=1)] = 5_000_000
    """A window with more rows is refused rather than read; ``mode: auto`` counts it where it is, if it can."""
    batch_rows: Annotated[int, Field(ge=1, le=1_000_000)] = 20_000
    """Rows of a batch, at most; wide tables are read in fewer. Four batches are held in memory at a time."""
    max_bytes: Annotated[int, Field(ge=1)] | None = None
    """A window with more bytes in its watched columns, counted as they are held in memory, is refused too."""

    @abstractmethod
    def batches(self, window: Window, columns: Wanted = None) -> Iterator[pa.RecordBatch]:
        """Stream the window's rows; the time column is a timestamp in UTC."""

    @abstractmethod
    def facts(self) -> TableFacts:
        """Look at the table without reading it all."""

    def read(self, window: Window, bins: Mapping[str, Bins], sample_rows: int) -> Reading:
        """Profile the window and sample its rows by the hash of their id, in one pass.

        Only the columns of ``bins``, the time, the id and the features are fetched, by a thread that reads ahead. In
        memory are at most four batches, of ``CELLS`` values or about ``BATCH_BYTES`` of ADBC each, the cursor's rows
        of one more, and what the profile and the sample keep, whatever the length of the window.
        """
        aggregate = Aggregate.empty(bins, sample_rows, (window.start, window.end), self.time, self.id)
        watched = Watched(frozenset(bins))
        with ahead(self.batches(window, watched)) as batches:
            for batch in batches:
                aggregate = aggregate.add(batch)
        return Reading(watched.told(aggregate.profile), aggregate.sample.rows())

    def rows_at_a_time(self, columns: int) -> int:
        """Return how many rows a batch of so many columns may have."""
        return max(1, min(self.batch_rows, CELLS // max(1, columns)))

    @property
    def zone(self) -> ZoneInfo:
        """The zone of times that name none."""
        return ZoneInfo(self.timezone)

    def needed(self, names: Sequence[str], wanted: Wanted, place: str) -> list[str]:
        """Return which of the table's columns must be fetched, in the table's order.

        A ``Watched`` may be absent, and is told which columns are not fetched.

        Raises
        ------
        UserError
            When a configured or wanted column is not there.
        """
        for option in ("time", "id", "features"):
            name = getattr(self, option)
            if name is not None and name not in names:
                raise UserError(f"logs.{option}: {missing('column', name, names, place)}")
        if wanted is None:
            return list(names)
        if isinstance(wanted, Watched):
            fetched = wanted.columns | {self.time, self.id, self.features}
            wanted.others[:] = [name for name in names if name not in fetched]
            return [name for name in names if name in fetched]
        absent = [name for name in wanted if name not in names]
        if absent and self.features is None:
            raise UserError(missing("column", absent[0], names, place))
        chosen = {*wanted, self.time, *([self.features] if absent and self.features else [])}
        return [name for name in names if name in chosen]

    def time_form(self, values: Sequence[object], place: str) -> Form | None:
        """Return how the times are kept, judged by a few; None for a log without any.

        Raises
        ------
        UserError
            When they are no times.
        """
        readable = [value for value in values if form_of([value]) is not None]
        found = form_of(readable) if 2 * len(readable) > len(values) else None
        if values and found is None:
            shown = ", ".join(dict.fromkeys(str(value)[:40] for value in values[:3]))
            raise UserError(
                f"logs.time: column {self.time!r} of {place} holds no times but values such as {shown}; name a column"
                " of timestamps, of ISO 8601 text such as 2026-01-31T13:00:00Z, or of seconds since 1970"
            )
        return found

    def deliver(
        self, raw: Iterable[pa.RecordBatch], window: Window, wanted: Wanted, place: str
    ) -> Iterator[pa.RecordBatch]:
        """Make raw batches, which may reach beyond the window, what the port promises."""
        spread: Callable[[pa.RecordBatch], pa.RecordBatch] | None = Spreading(self.features) if self.features else None
        rows = held = 0
        for batch in raw:
            kept = cut(batch, self.time, window, self.zone)
            rows += kept.num_rows
            if rows > self.max_rows:
                raise self.too_many(window, place)
            held += kept.nbytes
            if self.max_bytes is not None and held > self.max_bytes:
                raise self.too_large(window, place)
            if not kept.num_rows:
                continue
            if spread is not None and self.features in kept.schema.names:
                kept = spread(kept)
            if wanted is not None and not isinstance(wanted, Watched):
                kept = kept.select([name for name in kept.schema.names if name in wanted or name == self.time])
            yield kept

    def too_many(self, window: Window, place: str) -> UserError:
        """Return the refusal of a window with more rows than may be read."""
        return UserError(
            f"{place} has more than {self.max_rows:,} rows in {window}; make schedule.every shorter, narrow the rows by"
            " logs.where, or raise logs.max_rows"
        )

    def too_large(self, window: Window, place: str) -> UserError:
        """Return the refusal of a window with more bytes than may be read."""
        return UserError(
            f"{place} has more than {self.max_bytes:,} bytes in {window}; watch fewer columns by columns.include, make"
            " schedule.every shorter, or raise logs.max_bytes"
        )

    def feature_types(self, seen: Sequence[object]) -> dict[str, str]:
        """Return the keys found in a few values of the JSON column, with their types."""
        column = str(self.features)
        batch = pa.RecordBatch.from_arrays([pa.array([text_of(value) for value in seen], pa.string())], names=[column])
        return {field.name: f"{field.type} in {column}" for field in Spreading(column)(batch).schema}

    def time_warnings(self, form: Form | None, seen: Sequence[object]) -> list[str]:
        """Return what there is to say about rows whose time is none."""
        odd = next((value for value in seen if form_of([value]) != form), None)
        if odd is None:
            return []
        return [f"some rows hold {str(odd)[:40]!r} in {self.time!r}, which is no time; they are in no window"]

    def zone_warnings(self, form: Form | None, seen: Sequence[object]) -> list[str]:
        """Return what there is to say about times without a zone."""
        wall = form in ("naive", "date") or (form == "text" and any(not offset_of(str(value)) for value in seen))
        if not wall or "timezone" in self.model_fields_set:
            return []
        return [f"the times in {self.time!r} name no zone and are read as UTC; set logs.timezone to say which it is"]


def missing(what: str, name: str, known: Sequence[str], place: str) -> str:
    """Return the sentence for something that is not there, with what is nearest to it."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    if not near:
        lower = {other.lower(): other for other in known}
        near = [lower[match] for match in get_close_matches(name.lower(), list(lower), n=3, cutoff=0.5)]
    if near:
        remedy = f"did you mean {' or '.join(repr(other) for other in near)}?"
    elif known:
        remedy = f"there are {', '.join(map(repr, known[:8]))}{' and more' if len(known) > 8 else ''}"
    else:
        remedy = "there is none"
    return f"there is no {what} {name!r} in {place}; {remedy}"
