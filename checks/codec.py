"""Profiles and bins as bytes: versioned JSON, zlib-compressed. Data, never code: nothing here runs what it reads."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np

from checks.profile import KINDS, SENTINELS, Bins, ColumnProfile, Counts, Kind, Profile
from checks.sketch import ValueSketch

VERSION = 1
_NOT_FINITE = ("inf", "-inf", "nan")
_LARGEST_SKETCH = 1_000_000
LARGEST = 64 << 20  # bytes after decompression; a profile of 1,000 columns takes about 1 MB
_MOST_BINS = 10_000_000  # of all columns of a profile: 80 MB
_MOST = 2**63 - 1  # that arrays can hold


# What reading a document of the wrong shape can raise.
_DAMAGE = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


class FormatError(ValueError):
    """The bytes are no profile, are damaged, or come from a newer release."""


def encode_profile(profile: Profile) -> bytes:
    """Return a profile as bytes."""
    return _pack(
        {
            "rows": profile.rows,
            "columns": {name: _column_out(column) for name, column in profile.columns.items()},
            "extra": dict(profile.extra),
            "ids": _sketch_out(profile.ids),
            "events": [profile.first_event, profile.last_event],
        }
    )


def decode_profile(data: bytes) -> Profile:
    """Return the profile that :func:`encode_profile` wrote.

    Raises
    ------
    FormatError
        When the bytes are damaged or of a version that this release does not know.
    """
    document = _unpack(data)
    try:
        first, last = document["events"]
        if sum(_count(column["counts"][0]) for column in document["columns"].values()) > _MOST_BINS:
            raise ValueError(f"more than {_MOST_BINS:,} bins")
        return Profile(
            rows=_count(document["rows"]),
            columns={name: _column_in(column) for name, column in document["columns"].items()},
            extra={name: _count(rows) for name, rows in document["extra"].items()},
            ids=_sketch_in(document["ids"]),
            first_event=_number_or_none(first),
            last_event=_number_or_none(last),
        )
    except _DAMAGE as error:
        raise FormatError(f"damaged profile: {error!r:.200}") from error


def encode_bins(bins: Mapping[str, Bins]) -> bytes:
    """Return the bins of a reference as bytes."""
    return _pack({name: _bins_out(column) for name, column in bins.items()})


def decode_bins(data: bytes) -> dict[str, Bins]:
    """Return the bins that :func:`encode_bins` wrote.

    Raises
    ------
    FormatError
        As for :func:`decode_profile`.
    """
    document = _unpack(data)
    try:
        return {name: _bins_in(column) for name, column in document.items()}
    except _DAMAGE as error:
        raise FormatError(f"damaged bins: {error!r:.200}") from error


def _pack(body: Mapping[str, Any]) -> bytes:
    document = json.dumps({"version": VERSION, "body": body}, separators=(",", ":"), allow_nan=False)
    return zlib.compress(document.encode("utf-8", "surrogatepass"), 6)


def _unpack(data: bytes) -> dict[str, Any]:
    try:
        inflater = zlib.decompressobj()
        text = inflater.decompress(data, LARGEST)
        if inflater.unconsumed_tail:
            raise ValueError(f"larger than {LARGEST} bytes")
        if not inflater.eof or inflater.unused_data:
            raise ValueError("cut short, or longer than it was written")
        document = json.loads(text.decode("utf-8", "surrogatepass"))
        version, body = document["version"], document["body"]
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"not a stored profile: {error!r:.200}") from error
    if version != VERSION:
        raise FormatError(f"format version {version!r:.40}, this release reads {VERSION}: use a newer release")
    if not isinstance(body, dict):
        raise FormatError("not a stored profile: its body is no mapping")
    return body


def _sparse(counts: Counts) -> list[Any]:
    """Zeros are most of many arrays: [size, [[place, count], …]]."""
    places = np.flatnonzero(counts)
    return [int(counts.size), [[int(place), int(counts[place])] for place in places]]


def _dense(pair: Sequence[Any], size: int | None = None) -> Counts:
    found, filled = pair
    found = _count(found)
    if found > 1_000_000 or (size is not None and found != size):
        raise ValueError(f"impossible number of bins {found}")
    counts = np.zeros(found, np.int64)
    if filled:
        pairs = np.array(filled)
        if pairs.dtype != np.int64 or pairs.shape != (len(filled), 2) or pairs.min() < 0:
            raise ValueError("counts are no counts")
        counts[pairs[:, 0]] = pairs[:, 1]
    return counts


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MOST:
        raise ValueError(f"{value!r} is no count")
    return value


def _number(value: object) -> float:
    # Infinity and NaN travel as text, for JSON has neither.
    if isinstance(value, bool) or not (isinstance(value, int | float) or value in _NOT_FINITE):
        raise ValueError(f"{value!r} is no number")
    return float(value)


def _finite_number(value: object) -> float:
    number = _number(value)
    if not isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return number


def _number_or_none(value: object) -> float | None:
    return None if value is None else _finite_number(value)


def _sketch_out(sketch: ValueSketch) -> list[Any]:
    rows = [[number, count, sketch.values.get(number)] for number, count in sorted(sketch.counts.items())]
    return [sketch.size, rows]


def _sketch_in(pair: Sequence[Any]) -> ValueSketch:
    size, rows = pair
    if not 0 < _count(size) <= _LARGEST_SKETCH or len(rows) > size:
        raise ValueError(f"impossible sketch of size {size}")
    return ValueSketch(
        size,
        {_count(number): _count(count) for number, count, _ in rows},
        {number: _text(text) for number, _, text in rows if text is not None},
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


_ARRAYS = {"counts": None, "sentinels": len(SENTINELS), "hours": 24}  # lengths, where they are fixed
_COUNTED = ("rows", "absent", "nulls", "mistyped", "infinite")


def _finite(value: object) -> object:
    # Sums of squares may overflow; JSON has no infinity, so it travels as text.
    return repr(float(value)) if isinstance(value, float) and not isfinite(value) else value


def _column_out(column: ColumnProfile) -> dict[str, Any]:
    out: dict[str, Any] = {field.name: _finite(getattr(column, field.name)) for field in fields(column)}
    out.update({name: _sparse(getattr(column, name)) for name in _ARRAYS})
    out["unseen"] = _sketch_out(column.unseen)
    out["families"] = dict(column.families)
    return out


def _column_in(row: Mapping[str, Any]) -> ColumnProfile:
    known: dict[str, Any] = {
        **row,
        "kind": _kind(row["kind"]),
        "low": _number_or_none(row["low"]),
        "high": _number_or_none(row["high"]),
        "total": _number(row["total"]),
        "squares": _number(row["squares"]),
        "unseen": _sketch_in(row["unseen"]),
        "families": {name: _count(rows) for name, rows in row["families"].items()},
    }
    known.update({name: _count(row[name]) for name in _COUNTED})
    known.update({name: _dense(row[name], size) for name, size in _ARRAYS.items()})
    return ColumnProfile(**known)


def _kind(value: object) -> Kind:
    for kind in KINDS:
        if kind == value:
            return kind
    raise ValueError(f"{value!r} is no kind of column")


def _bins_out(bins: Bins) -> dict[str, Any]:
    out = {field.name: getattr(bins, field.name) for field in fields(bins)}
    out["others"] = sorted(bins.others)
    return out


def _bins_in(row: Mapping[str, Any]) -> Bins:
    edges = tuple(_finite_number(edge) for edge in row["edges"])
    if any(low >= high for low, high in pairwise(edges)):
        raise ValueError("edges do not ascend")
    tails = row["tails"]
    if tails is not None:
        low, high = tails
        tails = (_finite_number(low), _finite_number(high))
    return Bins(
        **{
            **row,
            "kind": _kind(row["kind"]),
            "edges": edges,
            "tails": tails,
            "atoms": tuple(_finite_number(atom) for atom in row["atoms"]),
            "centre": _finite_number(row["centre"]),
            "integral": bool(row["integral"]),
            "values": tuple(_text(value) for value in row["values"]),
            "others": frozenset(_text(value) for value in row["others"]),
        }
    )
