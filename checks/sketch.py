"""Bottom-k samples of values by hash: exact counts of a deterministic sample, and they add up.

A value that is among the k smallest hashes of a union is among them in every part that holds it, so merging
loses nothing: counts stay exact and the order or size of the batches does not matter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import md5

HASH_SPACE = 1 << 60  # 15 hexadecimal digits of MD5: every SQL engine that has MD5 can compute the same number


def hash_text(text: str) -> int:
    """Return the hash of a value: the first 15 hexadecimal digits of its MD5, in [0, 2**60)."""
    return int(md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()[:15], 16)


@dataclass(frozen=True, slots=True)
class ValueSketch:
    """The ``size`` values with the smallest hashes, with their exact counts.

    Bar-Yossef et al. 2002, *Counting distinct elements in a data stream*: the k-th smallest hash estimates the number
    of distinct values. ``keep_values=False`` keeps the hashes only (for row ids, which nobody needs to read).
    """

    size: int = 64
    counts: Mapping[int, int] = field(default_factory=dict)
    values: Mapping[int, str] = field(default_factory=dict)

    def add(self, texts: Mapping[str, int], *, keep_values: bool = True) -> "ValueSketch":
        """Return this sketch with ``texts`` (value to count) added."""
        hashed = [(hash_text(text), text, count) for text, count in texts.items()]
        counts: dict[int, int] = {}
        for number, _, count in hashed:
            counts[number] = counts.get(number, 0) + count
        values = {number: text for number, text, _ in hashed} if keep_values else {}
        return self + ValueSketch(self.size, counts, values)

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


def tally(texts: Iterable[str]) -> dict[str, int]:
    """Return how often each text occurs."""
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = counts.get(text, 0) + 1
    return counts
