"""What an Arrow IPC stream claims to grow to, read before it is decompressed: a short body may ask for gigabytes."""

import struct
from collections.abc import Iterator

import pyarrow as pa

_DICTIONARY, _BATCH = 2, 3  # of the union MessageHeader
_STORED = -1  # written before a buffer that is not compressed


def claimed(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the rows and the decompressed bytes that each message of a stream claims to hold.

    Field numbers are those of Arrow's ``Message.fbs``.

    Raises
    ------
    ValueError, struct.error, IndexError, pyarrow.ArrowException, OSError
        Where the stream is damaged.
    """
    for message in pa.ipc.MessageReader.open_stream(data):
        metadata = bytes(message.metadata)
        root = _offset(metadata, 0)
        header = _field(metadata, root, 2)
        kind = _field(metadata, root, 1)
        if header is None or kind is None or metadata[kind] not in (_DICTIONARY, _BATCH):
            continue
        table = _offset(metadata, header)
        if metadata[kind] == _DICTIONARY:
            inner = _field(metadata, table, 1)
            if inner is None:
                raise ValueError("a dictionary without values")
            table = _offset(metadata, inner)
        yield _batch(metadata, table, message.body)


def _batch(metadata: bytes, table: int, body: pa.Buffer | None) -> tuple[int, int]:
    length, buffers, compression = (_field(metadata, table, number) for number in (0, 2, 3))
    rows = struct.unpack_from("<q", metadata, length)[0] if length is not None else 0
    if buffers is None or compression is None or body is None:
        return rows, len(body or b"")
    content, start, total = memoryview(body), _offset(metadata, buffers), 0
    for place in range(struct.unpack_from("<I", metadata, start)[0]):
        offset, size = struct.unpack_from("<qq", metadata, start + 4 + 16 * place)
        if size:
            (grown,) = struct.unpack_from("<q", content, offset)
            total += size if grown == _STORED else abs(grown)
    return rows, total


def _offset(metadata: bytes, place: int) -> int:
    """Follow an offset, which counts from where it stands."""
    return place + int(struct.unpack_from("<I", metadata, place)[0])


def _field(metadata: bytes, table: int, number: int) -> int | None:
    """Return where a field of a table stands; None where it has its default."""
    slots = table - struct.unpack_from("<i", metadata, table)[0]
    if slots < 0 or 4 + 2 * number >= struct.unpack_from("<H", metadata, slots)[0]:
        return None
    place = struct.unpack_from("<H", metadata, slots + 4 + 2 * number)[0]
    return table + place if place else None
