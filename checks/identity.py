"""What a row goes by: a hash of its id, or of its values where it has none. Samples and duplicates rest on it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from checks import reading
from checks.sketch import HASH_SPACE, hash_texts

Hashes = npt.NDArray[np.uint64]

_ODD = np.uint64(0x9E3779B97F4A7C15)  # 2**64 over the golden ratio, as in SplitMix64
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_NULL = np.uint64(0xD6E8FEB86659FD93)  # what stands for no value


@dataclass(frozen=True)
class Ids:
    """The ids of a batch of rows.

    Parameters
    ----------
    hashes : of each id, in [0, 2**60); 0 where it is null; shape (rows,).
    nulls : shape (rows,).
    """

    hashes: Hashes
    nulls: reading.Mask


def hash_ids(array: pa.Array | pa.ChunkedArray) -> Ids:
    """Hash row ids by their text, as every SQL engine that has MD5 can: 3, 3.0 and ``'3'`` are one id."""
    array = reading.plain(array)
    if pa.types.is_integer(array.type):
        array = array.cast(pa.string())
    elif reading.family(array.type) != "text":
        read = reading.texts(array)
        array = pa.array(read.values, pa.string(), mask=read.nulls)
    nulls = np.asarray(array.is_null())
    hashes = hash_texts(array.fill_null("").cast(pa.large_binary()).to_pylist())
    hashes[nulls] = 0
    return Ids(hashes, nulls)


def hash_rows(table: pa.Table) -> Hashes:
    """Return a hash of each row's values, in [0, 2**60), whatever the order of the columns; shape (rows,).

    Numbers go by their bits and texts by their MD5, chained over the columns and mixed at the end (SplitMix64, Steele
    et al. 2014): some nanoseconds a value, where text of every value would cost more than reading it.
    """
    total: Hashes = np.zeros(table.num_rows, np.uint64)
    for name in sorted(table.column_names):
        bits = _bits(table.column(name))
        bits ^= bits >> np.uint64(32)
        bits *= _FIRST
        total *= _ODD
        total += bits
    total ^= total >> np.uint64(30)
    total *= _FIRST
    total ^= total >> np.uint64(27)
    total *= _SECOND
    total ^= total >> np.uint64(31)
    return total % np.uint64(HASH_SPACE)


def _bits(column: pa.ChunkedArray) -> Hashes:
    """Return 64 bits for each value, equal for equal values; a new array."""
    array = reading.plain(column)
    if reading.family(array.type) in ("number", "boolean", "null"):
        values = reading.numbers(array).values + 0.0  # a copy, in which -0.0 is 0.0
        nulls = np.isnan(values)
        bits: Hashes = values.view(np.uint64)
    elif pa.types.is_timestamp(array.type):
        nulls = np.asarray(pc.is_null(array))
        micros = array.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).fill_null(0)
        bits = micros.to_numpy(zero_copy_only=False).astype(np.uint64)
    else:
        words = reading.words(array)
        nulls = words.nulls
        bits = hash_texts([word.encode() for word in (*words.spelled, "")])[words.codes]
    bits[nulls] = _NULL
    return bits
