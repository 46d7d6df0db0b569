"""Bottom-k samples of values by hash: exact counts of a deterministic sample, and they add up.

A value that is among the k smallest hashes of a union is among them in every part that holds it, so merging
loses nothing: counts stay exact and the order or size of the batches does not matter.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

_md5: Callable[[bytes], Any]
try:  # CPython's own takes half the time of OpenSSL's for a short text, and a day has millions of ids
    from _md5 import md5 as _md5  # type: ignore[import-not-found,no-redef]
except ImportError:  # a Python built without it
    _md5 = partial(hashlib.md5, usedforsecurity=False)

HASH_SPACE = 1 << 60  # 15 hexadecimal digits of MD5: every SQL engine that has MD5 can compute the same number


def hash_text(text: str) -> int:
    """Return the hash of a value: the first 15 hexadecimal digits of its MD5, in [0, 2**60)."""
    return int(_md5(text.encode("utf-8", "surrogatepass")).hexdigest()[:15], 16)


def hash_texts(texts: Sequence[bytes]) -> npt.NDArray[np.uint64]:
    """Return the hash of each of many texts, given in UTF-8, as :func:`hash_text` does; shape (len(texts),)."""
    digests = np.frombuffer(b"".join([_md5(text).digest() for text in texts]), ">u8")
    return digests[::2].astype(np.uint64) >> np.uint64(4)


@dataclass(frozen=True, slots=True)
class ValueSketch:
    """The ``size`` values with the smallest hashes, with their exact counts.

    Bar-Yossef et al. 2002, *Counting distinct elements in a data stream*: the k-th smallest hash estimates the number
    of distinct values. Of row ids, which nobody needs to read, the hashes alone are kept.
    """

    size: int = 64
    counts: Mapping[int, int] = field(default_factory=dict)
    values: Mapping[int, str] = field(default_factory=dict)

    def add(self, texts: Mapping[str, int]) -> "ValueSketch":
        """Return this sketch with ``texts`` (value to count) added."""
        hashed = [(hash_text(text), text, count) for text, count in texts.items()]
        counts: dict[int, int] = {}
        for number, _, count in hashed:
            counts[number] = counts.get(number, 0) + count
        return self + ValueSketch(self.size, counts, {number: text for number, text, _ in hashed})

    def add_hashes(self, hashes: npt.NDArray[np.uint64]) -> "ValueSketch":
        """Return this sketch with values added of which the hashes alone are known, one a row."""
        found, counts = np.unique(hashes, return_counts=True)
        return self + ValueSketch(
            self.size, dict(zip(found[: self.size].tolist(), counts[: self.size].tolist(), strict=True))
        )

    def __add__(self, other: "ValueSketch") -> "ValueSketch":
        if self.size != other.size:
            raise ValueError(f"sketches of size {self.size} and {other.size} do not add up")
        counts = dict(self.counts)
        for number, count in other.counts.items():
            counts[number] = counts.get(number, 0) + count
        kept = sorted(counts)[: self.size]
        values = {**self.values, **other.values}
        return ValueSketch(
            self.size, {number: counts[number] for number in kept}, {n: values[n] for n in kept if n in values}
        )

    @property
    def full(self) -> bool:
        """Whether there may have been more distinct values than the sketch holds."""
        return len(self.counts) >= self.size

    @property
    def distinct(self) -> int:
        """Number of distinct values: exact until the sketch is full, then an estimate (relative error 1/sqrt(size))."""
        if not self.full:
            return len(self.counts)
        return round((self.size - 1) / (max(self.counts) / HASH_SPACE))

    @property
    def repeated_share(self) -> float:
        """Share of the sampled rows that repeat a value seen before; 0 for no rows."""
        rows = sum(self.counts.values())
        return (rows - len(self.counts)) / rows if rows else 0.0

    def top(self, limit: int = 5) -> list[tuple[str, int]]:
        """Return the heaviest sampled values with their counts, heaviest first."""
        pairs = [(self.values[n], count) for n, count in self.counts.items() if n in self.values]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))[:limit]
