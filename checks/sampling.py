"""Bottom-k samples of rows: the rows with the smallest hashes, hence the same rows on every engine and in any order.

The window is cut into equal slices of time, and each gives its share of the sample: a window's start and its end are
both seen, however the hashes fall, and the sample is as its rows are (proportional allocation, Cochran 1977, ch. 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks import reading
from checks.identity import Hashes, Ids, hash_ids, hash_rows
from checks.joining import concat

STRATA = 8  # slices of the window
_SLACK = 8_192  # rows that may wait before the largest hashes are dropped
_LARGEST = np.iinfo(np.uint64).max

Counts = npt.NDArray[np.int64]


def cuts(start: datetime, end: datetime) -> tuple[datetime, ...]:
    """Return where the slices of a half-open window meet, ``STRATA - 1`` moments; each begins a slice."""
    return tuple(start + (end - start) * place // STRATA for place in range(1, STRATA))


def allot(rows: Sequence[int], size: int) -> list[int]:
    """Return how many rows of each slice are sampled.

    Each slice gives in proportion to its rows, rounded by largest remainders, and at least one row while there are
    enough to give.

    Parameters
    ----------
    rows : of each slice.
    size : of the sample.
    """
    total = sum(rows)
    if total <= size:
        return list(rows)
    shares = [max(size * count // total, min(count, 1)) for count in rows]
    by_remainder = sorted(range(len(rows)), key=lambda place: (-(size * rows[place] % total), place))
    for place in by_remainder[: max(0, size - sum(shares))]:
        shares[place] += 1
    while sum(shares) > size:
        shares[max(range(len(shares)), key=lambda place: (shares[place], place))] -= 1
    return shares


@dataclass(frozen=True)
class _Held:
    """Rows that may be sampled, with the slice and the hash of each."""

    table: pa.Table
    strata: npt.NDArray[np.int64]
    hashes: Hashes

    def where(self, chosen: npt.NDArray[np.int64] | reading.Mask) -> "_Held":
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return _Held(self.table.take(pa.array(places)), self.strata[places], self.hashes[places])


@dataclass(frozen=True)
class Sample:
    """The rows with the smallest hashes of their id; ties are broken by the hash of the whole row.

    A row without an id, or of a log without ids, is hashed by its values, so that it is drawn as fairly as any other;
    then engines agree only as far as they deliver the same values. Samples of parts of a window add up.

    Parameters
    ----------
    size : rows to keep. At most ``STRATA * size`` rows, ``2 * 8192`` more and a batch are held.
    row_id : name of the id column; None hashes the values.
    time : name of the time column, a timestamp in UTC; None, as without ``window``, makes no slices.
    window : half-open, that all rows lie in.
    parts : rows held.
    seen : rows added, of each slice.
    largest : hash in each slice beyond which no row can be sampled.
    """

    size: int
    row_id: str | None = None
    time: str | None = None
    window: tuple[datetime, datetime] | None = None
    parts: tuple[_Held, ...] = ()
    seen: Counts = field(default_factory=lambda: np.zeros(STRATA, np.int64))
    largest: Hashes = field(default_factory=lambda: np.full(STRATA, _LARGEST, np.uint64))

    def add(self, batch: pa.RecordBatch | pa.Table, ids: Ids | None = None) -> "Sample":
        """Return this sample with a batch of rows added; ``ids`` are those of the batch, where known already."""
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        if not self.size or not table.num_rows:
            return self
        rows = _Held(table, self._strata(table), self._hash(table, ids))
        seen = self.seen + np.bincount(rows.strata, minlength=STRATA)
        largest = _largest(self, rows)
        near = rows.hashes <= largest[rows.strata]
        parts = (*self.parts, rows if near.all() else rows.where(near))
        return _compact(replace(self, parts=parts, seen=seen, largest=largest))

    def __add__(self, other: "Sample") -> "Sample":
        if (self.size, self.row_id, self.time, self.window) != (other.size, other.row_id, other.time, other.window):
            raise ValueError("samples of different windows or sizes do not add up")
        return _compact(replace(self, parts=(*self.parts, *other.parts), seen=self.seen + other.seen))

    @property
    def held(self) -> int:
        """Rows that are held now."""
        return sum(len(rows.hashes) for rows in self.parts)

    def rows(self) -> pa.Table:
        """Return the sampled rows, ordered by their hash; a table without columns where none were added."""
        if not self.parts:
            return pa.table({})
        shares = np.array(allot(self.seen.tolist(), self.size), np.int64)
        chosen = _smallest(self.parts, shares)
        return chosen.table.take(pa.array(np.lexsort((_tie_breakers(chosen), chosen.hashes))))

    def flat(self) -> tuple[pa.Table, npt.NDArray[np.int64], Hashes]:
        """Return the rows that may yet be sampled, with the slice and the hash of each."""
        if not self.parts:
            return pa.table({}), np.zeros(0, np.int64), np.zeros(0, np.uint64)
        rows = _smallest(self.parts, np.full(STRATA, self.size))
        return rows.table, rows.strata, rows.hashes

    def of_flat(self, table: pa.Table, strata: npt.NDArray[np.int64], hashes: Hashes, seen: Counts) -> "Sample":
        """Return the sample of this size and window whose rows :meth:`flat` returned; ``seen`` is what it had seen."""
        return replace(self, parts=(_Held(table, strata, hashes),) if len(hashes) else (), seen=seen)

    def _strata(self, table: pa.Table) -> npt.NDArray[np.int64]:
        if self.time is None or self.window is None or self.time not in table.column_names:
            return np.zeros(table.num_rows, np.int64)
        seconds = reading.instants(table.column(self.time)).values
        return np.searchsorted([moment.timestamp() for moment in cuts(*self.window)], seconds, side="right")

    def _hash(self, table: pa.Table, ids: Ids | None) -> Hashes:
        if self.row_id is None or self.row_id not in table.column_names:
            return hash_rows(table)
        ids = ids or hash_ids(table.column(self.row_id))
        if not ids.nulls.any():
            return ids.hashes
        hashes = ids.hashes.copy()
        hashes[ids.nulls] = hash_rows(table.filter(pa.array(ids.nulls)))
        return hashes


def _compact(sample: Sample) -> Sample:
    """Drop what cannot be sampled any more, once enough of it waits."""
    waiting = sample.held - sum(min(int(rows), sample.size) for rows in sample.seen)
    if waiting <= max(sample.size, _SLACK):
        return sample
    kept = _smallest(sample.parts, np.full(STRATA, sample.size))
    return replace(sample, parts=(kept,), largest=_largest(sample, kept))


def _largest(sample: Sample, rows: _Held) -> Hashes:
    """Return the hash in each slice beyond which no row can be sampled, with what these rows say of it."""
    largest = sample.largest.copy()
    for stratum in np.unique(rows.strata):
        hashes = rows.hashes[rows.strata == stratum]
        if len(hashes) >= sample.size:
            largest[stratum] = min(largest[stratum], np.partition(hashes, sample.size - 1)[sample.size - 1])
    return largest


def _smallest(held: Sequence[_Held], shares: Counts) -> _Held:
    """Return the rows with the smallest hashes of every slice, as many as it may give; shares of shape (STRATA,)."""
    rows = _Held(
        concat([part.table for part in held]),
        np.concatenate([part.strata for part in held]),
        np.concatenate([part.hashes for part in held]),
    )
    near = np.zeros(len(rows.hashes), bool)
    for stratum, share in enumerate(shares):
        places = np.flatnonzero(rows.strata == stratum)
        if len(places) > share > 0:
            places = places[rows.hashes[places] <= np.partition(rows.hashes[places], share - 1)[share - 1]]
        near[places if share else places[:0]] = True
    rows = rows if near.all() else rows.where(near)
    order = np.lexsort((_tie_breakers(rows), rows.hashes, rows.strata))
    firsts = np.searchsorted(rows.strata[order], np.arange(STRATA))
    ranks = np.arange(len(order)) - firsts[rows.strata[order]]
    return rows.where(order[ranks < shares[rows.strata[order]]])


def _tie_breakers(rows: _Held) -> Hashes:
    """Hash the values of those rows alone that share their hash with another."""
    _, places, counts = np.unique(rows.hashes, return_inverse=True, return_counts=True)
    tied = counts[places] > 1
    breakers = np.zeros(len(rows.hashes), np.uint64)
    if tied.any():
        breakers[tied] = hash_rows(rows.table.filter(pa.array(tied)))
    return breakers
