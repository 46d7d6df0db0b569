"""What a reference has taught, as bytes: reading it back takes milliseconds where learning it takes seconds.

Arrays stand as they are behind a header of JSON, all compressed; nothing is pickled. Every number comes back to the
last bit, so that a verdict is the same whether its signal was learnt or read.
"""

import json
import zlib
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

import numpy as np

from checks.budget import Audit
from checks.codec import FormatError
from checks.evidence import Detector, Scale
from checks.layout import Layout
from checks.profile import Volume
from monitor.core.signal import Rhythm, Signal, Terms

VERSION = 2  # of the bytes, and of what is learnt: raise it when the same reference would teach something else
LARGEST = 512 << 20  # bytes after decompression; what 1,000 columns teach takes about 20 MB
_ALIGNED = 64  # bytes, as arrays that were not read from anywhere
_COMPRESSION = 1  # the numbers are noise; more effort saves nothing

# What reading a document of the wrong shape can raise.
_DAMAGE = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError, MemoryError, zlib.error
)  # fmt: skip


def encode(signal: Signal) -> bytes:
    """Return all of a signal that was learnt from rows; layout, rhythm, terms and audit are not in it."""
    parts: list[bytes] = []
    document = {
        "scales": _out(signal.detector.scales, parts),
        "worst": _out(signal.worst, parts),
        "volumes": [[volume.start, volume.end, volume.rows, volume.last_event] for volume in signal.volumes],
        "usual": [[*key, effect] for key, effect in signal.usual.items()],
        "timed": signal.timed,
    }
    header = json.dumps(document).encode()
    return zlib.compress(b"".join([len(header).to_bytes(8), header, *parts]), _COMPRESSION)


def decode(data: bytes, layout: Layout, rhythm: Rhythm, terms: Terms, audit: Audit) -> Signal:
    """Return the signal that :func:`encode` wrote, of a model with this layout, rhythm, terms and audit.

    Raises
    ------
    FormatError
        When the bytes are damaged.
    """
    try:
        return _decoded(_inflated(data), layout, rhythm, terms, audit)
    except _DAMAGE as error:
        raise FormatError(f"damaged learning: {error!r:.200}") from error


def _inflated(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    raw = inflater.decompress(data, LARGEST)
    if inflater.unconsumed_tail or not inflater.eof:
        raise ValueError(f"cut short, or larger than {LARGEST} bytes")
    return raw


def _decoded(raw: bytes, layout: Layout, rhythm: Rhythm, terms: Terms, audit: Audit) -> Signal:
    end = 8 + int.from_bytes(raw[:8])
    document = json.loads(raw[8:end])
    body = np.frombuffer(raw, np.uint8)[end:].copy()
    return Signal(
        layout,
        Detector(layout.tracks, tuple(_in(Scale, item, body) for item in document["scales"])),
        rhythm,
        terms,
        audit,
        _in(np.ndarray, document["worst"], body),
        tuple(Volume(*volume) for volume in document["volumes"]),
        {(column, check): effect for column, check, effect in document["usual"]},
        document["timed"],
    )


def _out(value: Any, parts: list[bytes]) -> Any:
    """Return a value as JSON has it; the bytes of its arrays go to ``parts``."""
    if isinstance(value, np.ndarray):
        place = sum(map(len, parts))
        content = np.ascontiguousarray(value).tobytes()
        parts.append(content + bytes(-len(content) % _ALIGNED))
        return [value.dtype.str, value.shape, place]
    if is_dataclass(value):
        return {item.name: _out(getattr(value, item.name), parts) for item in fields(value)}
    if isinstance(value, tuple):
        return [_out(item, parts) for item in value]
    return value


def _in(kind: Any, item: Any, body: Any) -> Any:
    """Return the value of a type that :func:`_out` wrote."""
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _in(hints[name], part, body) for name, part in item.items()})
    if getattr(kind, "__origin__", None) is tuple:
        kinds = get_args(kind)
        return tuple(_in(kinds[0], part, body) for part in item)  # of one type, whatever their number
    if isinstance(item, list):
        dtype, shape, place = item
        if np.dtype(dtype).hasobject or place < 0:
            raise ValueError("an array of objects, or of nowhere")
        size = np.dtype(dtype).itemsize * int(np.prod(shape))
        return body[place : place + size].view(dtype).reshape(shape)
    return item


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
