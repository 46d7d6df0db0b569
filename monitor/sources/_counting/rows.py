"""Sampled rows and ids from a database: those with the smallest hashes are asked for, and no others are sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import sqrt
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from checks.profile import IDS_KEPT
from checks.sampling import Sample, allot
from checks.sketch import HASH_SPACE, ValueSketch
from monitor.sources._counting.columns import Stored
from monitor.sources._counting.sql import AsText, Digest

_NULLS = 10_000  # rows without an id that are all fetched, as the stream's sample looks at each of them
_HASHED = 2  # columns that a row without an id goes by, beside its time: text of a double is dear


@dataclass(frozen=True)
class Drawing:
    """Which rows of a window are sampled.

    Parameters
    ----------
    size : rows to sample.
    seen : rows of each slice of the window.
    digest : MD5 of what a row goes by.
    row_id : the id in SQL; None where rows have none.
    nulls : rows without an id.
    event : microseconds since 1970 of the row's time.
    """

    size: int
    seen: Sequence[int]
    digest: Any
    row_id: Any
    nulls: int
    event: Any

    def share(self) -> float:
        """Return the share of rows to ask for, so that each slice gives enough with near certainty."""
        needed = allot(list(self.seen), self.size)
        shares = [(need + 5 * sqrt(need) + 10) / rows for need, rows in zip(needed, self.seen, strict=True) if rows]
        return min(1.0, max(shares, default=1.0))

    def condition(self, share: float) -> list[Any]:
        """Return the condition of the rows with the smallest hashes, this share of all."""
        if share >= 1:
            return []
        least: Any = sa.literal_column(f"'{int(share * HASH_SPACE):015x}'")
        if self.row_id is None:
            return [self.digest < least]
        nameless = self.row_id.is_(None)
        if self.nulls > _NULLS:
            nameless = sa.and_(nameless, Digest(AsText(self.event)) < least)
        return [sa.or_(self.digest < least, nameless) if self.nulls else self.digest < least]

    def sample(self, batches: Iterable[pa.RecordBatch], time: str, row_id: str | None,
               window: tuple[datetime, datetime]) -> Sample | None:  # fmt: skip
        """Return the sample of fetched rows as if all had been seen; None where some slice gave too few."""
        sample = Sample(self.size, row_id, time, window)
        for batch in batches:
            sample = sample.add(batch)
        needed = np.array(allot(list(self.seen), self.size))
        if (sample.seen < needed).any():
            return None
        return replace(sample, seen=np.array(self.seen, np.int64))


def digest_of_id(column: Stored) -> Any | None:
    """Return the MD5 of an id as :func:`checks.identity.hash_ids` makes it; None where SQL spells it otherwise."""
    if column.whole or column.family == "text":
        return Digest(AsText(column.column))
    return None


def digest_of_row(event: Any, columns: Sequence[Stored]) -> Any:
    """Return the MD5 of some of a row's values, the same on every run."""
    text: Any = AsText(event)
    for column in [column for column in columns if column.family in ("number", "text")][:_HASHED]:
        text = text + sa.literal_column("'|'", sa.String()) + sa.func.coalesce(
            AsText(column.column), sa.literal_column("''", sa.String()), type_=sa.String()
        )  # fmt: skip
    return Digest(text)


def ids(rows: sa.Select[Any], digest: Any, share: float) -> sa.Select[Any]:
    """Return the statement for the smallest hashes of ids: each hash and its rows."""
    inner = rows.with_only_columns(digest.label("d"), maintain_column_froms=True).subquery("held")
    grouped = sa.select(inner.c.d, sa.func.count().label("n")).where(inner.c.d.is_not(None)).group_by(inner.c.d)
    if share < 1:
        grouped = grouped.where(inner.c.d < sa.literal_column(f"'{int(share * HASH_SPACE):015x}'"))
    return grouped.order_by(inner.c.d).limit(IDS_KEPT)


def sketch(answers: Iterable[tuple[str, int]]) -> ValueSketch:
    """Return the sketch of ids from the answers to :func:`ids`."""
    counts: dict[int, int] = {}
    for digest, count in answers:
        number = int(digest[:15], 16)
        counts[number] = counts.get(number, 0) + int(count)
    return ValueSketch(IDS_KEPT) + ValueSketch(IDS_KEPT, counts)
