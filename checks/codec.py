"""Profiles and bins as bytes: versioned JSON, zlib-compressed. Data, never code: nothing here runs what it reads."""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from checks.profile import Bins, ColumnProfile, Counts, Profile
from checks.sketch import ValueSketch

VERSION = 1
LARGEST = 64 << 20  # bytes after decompression; a profile of 1,000 columns takes about 1 MB


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
        return Profile(
            rows=int(document["rows"]),
            columns={name: _column_in(column) for name, column in document["columns"].items()},
            extra={name: int(rows) for name, rows in document["extra"].items()},
            ids=_sketch_in(document["ids"]),
            first_event=first,
            last_event=last,
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise FormatError(f"damaged profile: {error!r}") from error


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
    try:
        return {name: _bins_in(column) for name, column in _unpack(data).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"damaged bins: {error!r}") from error


def _pack(body: Mapping[str, Any]) -> bytes:
    document = json.dumps({"version": VERSION, "body": body}, separators=(",", ":"), allow_nan=False, sort_keys=True)
    return zlib.compress(document.encode("utf-8", "surrogatepass"), 6)


def _unpack(data: bytes) -> dict[str, Any]:
    try:
        inflater = zlib.decompressobj()
        text = inflater.decompress(data, LARGEST)
        if inflater.unconsumed_tail:
            raise FormatError(f"larger than {LARGEST} bytes")
        document = json.loads(text.decode("utf-8", "surrogatepass"))
        version, body = document["version"], document["body"]
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise FormatError(f"not a stored profile: {error!r}") from error
    if version != VERSION:
        raise FormatError(f"format version {version}, this release reads {VERSION}: use a newer release")
    if not isinstance(body, dict):
        raise FormatError("not a stored profile: its body is no mapping")
    return body


def _sparse(counts: Counts) -> list[Any]:
    """Zeros are most of many arrays: [size, [[place, count], …]]."""
    places = np.flatnonzero(counts)
    return [int(counts.size), [[int(place), int(counts[place])] for place in places]]


def _dense(pair: Sequence[Any]) -> Counts:
    size, filled = pair
    if not 0 <= int(size) <= 1_000_000:
        raise ValueError(f"impossible number of bins {size}")
    counts = np.zeros(int(size), np.int64)
    for place, count in filled:
        counts[int(place)] = int(count)
    return counts


def _sketch_out(sketch: ValueSketch) -> list[Any]:
    rows = [[number, count, sketch.values.get(number)] for number, count in sorted(sketch.counts.items())]
    return [sketch.size, rows]


def _sketch_in(pair: Sequence[Any]) -> ValueSketch:
    size, rows = pair
    return ValueSketch(
        int(size),
        {int(number): int(count) for number, count, _ in rows},
        {int(number): str(text) for number, _, text in rows if text is not None},
    )


_ARRAYS = ("counts", "sentinels", "hours")


def _finite(value: object) -> object:
    # Sums of squares may overflow; JSON has no infinity, so it travels as text.
    return repr(value) if isinstance(value, float) and not np.isfinite(value) else value


def _column_out(column: ColumnProfile) -> dict[str, Any]:
    out: dict[str, Any] = {field.name: _finite(getattr(column, field.name)) for field in fields(column)}
    out.update({name: _sparse(getattr(column, name)) for name in _ARRAYS})
    out["unseen"] = _sketch_out(column.unseen)
    out["families"] = dict(column.families)
    return out


def _column_in(row: Mapping[str, Any]) -> ColumnProfile:
    known = {**row, "unseen": _sketch_in(row["unseen"]), "total": float(row["total"]), "squares": float(row["squares"])}
    known.update({name: _dense(row[name]) for name in _ARRAYS})
    return ColumnProfile(**known)


def _bins_out(bins: Bins) -> dict[str, Any]:
    out = {field.name: getattr(bins, field.name) for field in fields(bins)}
    out["others"] = sorted(bins.others)
    return out


def _bins_in(row: Mapping[str, Any]) -> Bins:
    tails = row["tails"]
    return Bins(
        **{
            **row,
            "edges": tuple(float(edge) for edge in row["edges"]),
            "tails": (float(tails[0]), float(tails[1])) if tails else None,
            "atoms": tuple(float(atom) for atom in row["atoms"]),
            "values": tuple(row["values"]),
            "others": frozenset(row["others"]),
        }
    )
