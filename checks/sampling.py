"""Bottom-k samples of rows: the rows with the smallest hashes, hence the same rows on every engine and in any order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks import reading
from checks.sketch import hash_text

Hashes = npt.NDArray[np.uint64]
_SLACK = 8_192  # rows that may wait beyond the sample's size before the largest hashes are dropped


@dataclass(frozen=True)
class Sample:
    """The ``size`` rows with the smallest hashes of their id; ties are broken by the hash of the whole row.

    A row without an id, or of a log without ids, is hashed by its values, so that it is drawn as fairly as any other;
    then engines agree only as far as they deliver the same values. At most ``2 * size`` rows and a batch are held.

    Parameters
    ----------
    size : rows to keep.
    row_id : name of the id column; None hashes the values.
    batches, hashes : what is held, in the order of arrival, and the hash of each row.
    """

    size: int
    row_id: str | None = None
    batches: tuple[pa.Table, ...] = ()
    hashes: tuple[Hashes, ...] = ()

    def add(self, batch: pa.RecordBatch | pa.Table) -> "Sample":
        """Return this sample with a batch of rows added."""
        table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
        if not self.size or not table.num_rows:
            return self
        hashes = self._hash(table)
        batches, waiting = (*self.batches, table), (*self.hashes, hashes)
        if sum(map(len, waiting)) > self.size + max(self.size, _SLACK):
            table, hashes = _smallest(batches, waiting, self.size)
            batches, waiting = (table,), (hashes,)
        return replace(self, batches=batches, hashes=waiting)

    def rows(self) -> pa.Table:
        """Return the sampled rows, ordered by their hash; a table without columns where none were added."""
        return _smallest(self.batches, self.hashes, self.size)[0] if self.batches else pa.table({})

    def _hash(self, table: pa.Table) -> Hashes:
        if self.row_id is None or self.row_id not in table.column_names:
            return hash_rows(table)
        read = reading.texts(table.column(self.row_id))
        hashes = np.array([hash_text(text) if text is not None else 0 for text in read.values.tolist()], np.uint64)
        if read.nulls.any():
            hashes[read.nulls] = hash_rows(table.filter(pa.array(read.nulls)))
        return hashes


def _smallest(batches: Sequence[pa.Table], hashed: Sequence[Hashes], size: int) -> tuple[pa.Table, Hashes]:
    hashes, table = np.concatenate(hashed), concat(batches)
    if len(hashes) > size:
        least = np.partition(hashes, size - 1)[size - 1]
        near = np.flatnonzero(hashes <= least)
        hashes, table = hashes[near], table.take(pa.array(near))
    order = np.lexsort((_tie_breakers(table, hashes), hashes))[:size]
    return table.take(pa.array(order)), hashes[order]


def _tie_breakers(table: pa.Table, hashes: Hashes) -> Hashes:
    """Hash the values of those rows alone that share their hash with another."""
    _, places, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    tied = counts[places] > 1
    breakers = np.zeros(len(hashes), np.uint64)
    if tied.any():
        breakers[tied] = hash_rows(table.filter(pa.array(tied)))
    return breakers


def hash_rows(table: pa.Table) -> Hashes:
    """Return a hash of each row's values, whatever the order of the columns; shape (rows,)."""
    if not table.num_rows:
        return np.zeros(0, np.uint64)
    texts = [reading.texts(table.column(name)) for name in sorted(table.column_names)]
    columns = [np.where(read.nulls, "\0", read.values).tolist() for read in texts]
    return np.array([hash_text("\x1f".join(row)) for row in zip(*columns, strict=True)], np.uint64)


def concat(tables: Sequence[pa.Table]) -> pa.Table:
    """Join tables whose columns may be missing here and of another type there; what shares no type becomes text."""
    fields: dict[str, pa.DataType] = {}
    for table in tables:
        for field in table.schema:
            fields[field.name] = _common(fields.get(field.name), field.type)
    schema = pa.schema(list(fields.items()))
    return pa.concat_tables([_conform(table, schema) for table in tables]) if tables else pa.table({})


def _common(one: pa.DataType | None, other: pa.DataType) -> pa.DataType:
    if one is None or one == other or pa.types.is_null(one):
        return other
    if pa.types.is_null(other):
        return one
    families = {reading.family(one), reading.family(other)}
    return pa.float64() if families == {"number"} else pa.string()


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = [
        _cast(table.column(field.name), field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | pa.Array:
    if column.type == kind:
        return column
    if not pa.types.is_string(kind) or pa.types.is_null(column.type):
        return column.cast(kind, safe=False)
    read = reading.texts(column)
    return pa.array(read.values, pa.string(), mask=read.nulls)
