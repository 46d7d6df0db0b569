"""Samples of parts of a window as bytes, to be added up elsewhere: Arrow IPC, compressed. Data, never code."""

import numpy as np
import pyarrow as pa

from checks.sampling import Sample

_SEEN = b"seen"  # rows of each slice of the window, sampled or not
_CODEC = "zstd"


def encode_sample(sample: Sample) -> bytes:
    """Return what a sample holds as bytes; its size and window are known to the reader."""
    table, strata, hashes = sample.flat()
    columns = [*table.columns, pa.array(strata, pa.int64()), pa.array(hashes, pa.uint64())]
    # By place and not by name, for any name may be that of a column.
    fields = [*table.schema, pa.field("slice", pa.int64()), pa.field("hash", pa.uint64())]
    schema = pa.schema(fields, metadata={_SEEN: ",".join(map(str, sample.seen.tolist()))})
    return encode_table(pa.table(columns, schema=schema))


def decode_sample(data: bytes, empty: Sample) -> Sample:
    """Return the sample that :func:`encode_sample` wrote; ``empty`` is one of its size and window."""
    table = decode_table(data)
    width = table.num_columns - 2
    strata, hashes = (column.to_numpy() for column in table.columns[width:])
    seen = np.array([int(count) for count in table.schema.metadata[_SEEN].split(b",")], np.int64)
    rows = table.select(range(width)).replace_schema_metadata(None)
    return empty.of_flat(rows, strata.astype(np.int64), hashes.astype(np.uint64), seen)


def encode_table(table: pa.Table | pa.RecordBatch) -> bytes:
    """Return rows as a compressed Arrow IPC stream."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=_CODEC)) as writer:
        writer.write(table)
    return bytes(sink.getvalue())


def decode_table(data: bytes) -> pa.Table:
    """Return the rows that :func:`encode_table` wrote."""
    with pa.ipc.open_stream(data) as reader:
        return reader.read_all()
