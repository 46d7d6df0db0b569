"""Samples of parts of a window as bytes, to be added up elsewhere: Arrow IPC, compressed. Data, never code."""

import struct

import numpy as np
import pyarrow as pa

from checks.codec import FormatError
from checks.ipc_sizes import claimed
from checks.sampling import Sample

LARGEST = 512 << 20  # bytes after decompression; 100,000 rows of 100 columns take about 80 MB
MOST_ROWS = 10_000_000
_SEEN = b"seen"  # rows of each slice of the window, sampled or not
_CODEC = "zstd"

# What reading damaged rows can raise.
_DAMAGE = (pa.ArrowException, OSError, ValueError, LookupError, TypeError, MemoryError, struct.error)


def encode_sample(sample: Sample) -> bytes:
    """Return what a sample holds as bytes; its size and window are known to the reader."""
    table, strata, hashes = sample.flat()
    columns = [*table.columns, pa.array(strata, pa.int64()), pa.array(hashes, pa.uint64())]
    # By place and not by name, for any name may be that of a column.
    fields = [*table.schema, pa.field("slice", pa.int64()), pa.field("hash", pa.uint64())]
    schema = pa.schema(fields, metadata={_SEEN: ",".join(map(str, sample.seen.tolist()))})
    return encode_table(pa.table(columns, schema=schema))


def decode_sample(data: bytes, empty: Sample) -> Sample:
    """Return the sample that :func:`encode_sample` wrote; ``empty`` is one of its size and window.

    Raises
    ------
    FormatError
        As for :func:`decode_table`.
    """
    table = decode_table(data)
    width = table.num_columns - 2
    try:
        strata, hashes = (column.to_numpy() for column in table.columns[width:])
        seen = np.array([int(count) for count in table.schema.metadata[_SEEN].split(b",")], np.int64)
        if strata.dtype != np.int64 or hashes.dtype != np.uint64 or seen.shape != empty.seen.shape or seen.min() < 0:
            raise ValueError("hashes, slices or their counts are none")
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise FormatError(f"damaged sample: {error!s:.200}") from error
    rows = table.select(range(width)).replace_schema_metadata(None)
    return empty.of_flat(rows, strata.astype(np.int64), hashes.astype(np.uint64), seen)


def encode_table(table: pa.Table | pa.RecordBatch) -> bytes:
    """Return rows as a compressed Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=_CODEC)) as writer:
        writer.write(table)
    return bytes(sink.getvalue())


def decode_table(data: bytes) -> pa.Table:
    """Return the rows that :func:`encode_table` wrote.

    Raises
    ------
    FormatError
        When the bytes are damaged, would grow beyond all measure, or hold a type that brings code of its own.
    """
    try:
        sizes = list(claimed(data))
        if sum(size for _, size in sizes) > LARGEST or sum(rows for rows, _ in sizes) > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS:,} rows or {LARGEST >> 20} MB")
        with pa.ipc.open_stream(data) as reader:
            _refuse_extensions(reader.schema)
            table = reader.read_all()
        table.validate(full=True)  # or an offset may point anywhere in memory
    except _DAMAGE as error:
        raise FormatError(f"damaged rows: {error!s:.200}") from error
    return table


def _refuse_extensions(schema: pa.Schema) -> None:
    """Refuse types that a library has registered, and those that would be if it were there."""
    waiting = list(schema)
    for field in waiting:
        if isinstance(field.type, pa.BaseExtensionType) or b"ARROW:extension:name" in (field.metadata or {}):
            raise ValueError(f"{field.name!r} is of an extension type")
        waiting += [field.type.field(place) for place in range(field.type.num_fields)]
