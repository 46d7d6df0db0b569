"""Profiles: what is kept of a set of rows. Kilobytes, and they add up: hour + hour = day.

A profile counts rows in bins that the reference has fixed (see :mod:`checks.binning`). ``empty`` and ``+`` form a
commutative monoid, so the same profile can be computed from batches, partitions or replicas in any order. Counts,
extremes and sketches add up exactly; the two sums to the rounding of floating-point addition.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import sqrt
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from checks.interpolation import GRID_RANKS, interpolated
from checks.sketch import ValueSketch

Kind = Literal["numeric", "categorical", "boolean", "datetime", "text"]
KINDS: tuple[Kind, ...] = get_args(Kind)

Counts = npt.NDArray[np.int64]
Edges = npt.NDArray[np.float64]
Starts = npt.NDArray[np.intp]

# Values that pipelines write when they have none (SIGNAL.md 2.10); counted exactly, so that a flood of them has a name.
SENTINELS = (0.0, -1.0, -9.0, -99.0, -999.0, -9999.0, 99.0, 999.0, 9999.0, 99999.0)
UNSEEN_KEPT = 64  # distinct unseen values kept a column
IDS_KEPT = 512  # sampled row ids kept a window: sees repeats of 1% of the rows with near certainty


@dataclass(frozen=True)
class Bins:
    """The bins of one column, fixed by the reference.

    Numbers (also ages of datetimes in hours, and lengths of texts) fall into right-closed intervals between ``edges``;
    the first and last bin are open tails. Categories fall on their place in ``values``, then *other* (a value that the
    reference knows), then *unseen*.

    Parameters
    ----------
    kind : how the column is read.
    edges : ascending, finite; ``len(edges) + 1`` bins. Empty for categories.
    tails : the first and last edge of the reference's central 99%; beyond the outermost edges lie *far* values.
    atoms : values with so much mass of their own that they have a bin of their own.
    centre : subtracted before summing, so that sums of squares stay accurate.
    integral : whether every reference value was a whole number.
    values : the reference's most frequent categories, most frequent first.
    others : further categories that the reference knows.
    """

    kind: Kind
    edges: tuple[float, ...] = ()
    tails: tuple[float, float] | None = None
    atoms: tuple[float, ...] = ()
    centre: float = 0.0
    integral: bool = False
    values: tuple[str, ...] = ()
    others: frozenset[str] = frozenset()

    @cached_property
    def edge_array(self) -> Edges:
        """The edges as an array, shape (len(edges),)."""
        return np.asarray(self.edges, dtype=np.float64)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Category to bin: listed values, then every other known value; an unknown one is not in the mapping."""
        places = {value: place for place, value in enumerate(self.values)}
        places.update(dict.fromkeys(self.others, len(self.values)))
        return MappingProxyType(places)

    @property
    def categorical(self) -> bool:
        """Whether bins are categories rather than intervals."""
        return self.kind in ("categorical", "boolean")

    @property
    def size(self) -> int:
        """Number of bins."""
        return len(self.values) + 2 if self.categorical else len(self.edges) + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """One readable name a bin."""
        if self.categorical:
            return (*self.values, "other known values", "unseen values")
        if not self.edges:
            return ("all values",)
        bounds = [f"{edge:.6g}" for edge in self.edges]
        inner = [f"{low} to {high}" for low, high in zip(bounds, bounds[1:], strict=False)]
        return (f"up to {bounds[0]}", *inner, f"above {bounds[-1]}")


@dataclass(frozen=True)
class ColumnProfile:
    """What is kept of one column of a set of rows.

    Parameters
    ----------
    kind : how the column was read.
    rows : all rows, whatever they held.
    counts : rows in each bin, shape (bins.size,); sums to ``present``.
    absent : rows of batches that did not have the column at all.
    nulls : rows with NULL or NaN.
    mistyped : rows with a value that cannot be read as ``kind``.
    infinite : rows with an infinity; they are counted in the open tails too, and left out of every sum.
    low, high : extremes of the finite values; None without any.
    total, squares : sums of (value - centre) and its square over finite values.
    sentinels : rows that hold each of ``SENTINELS``, shape (len(SENTINELS),); zeros for categories.
    hours : rows by UTC hour of the value, shape (24,); zeros unless ``kind`` is ``datetime``.
    unseen : sample of category values that the reference does not know.
    families : rows by type as it arrived (number, text, boolean, time, other).
    """

    kind: Kind
    rows: int
    counts: Counts
    absent: int = 0
    nulls: int = 0
    mistyped: int = 0
    infinite: int = 0
    low: float | None = None
    high: float | None = None
    total: float = 0.0
    squares: float = 0.0
    sentinels: Counts = field(default_factory=lambda: np.zeros(len(SENTINELS), np.int64))
    hours: Counts = field(default_factory=lambda: np.zeros(24, np.int64))
    unseen: ValueSketch = field(default_factory=lambda: ValueSketch(UNSEEN_KEPT))
    families: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def empty(cls, bins: Bins) -> "ColumnProfile":
        """Return the profile of no rows: the neutral element of ``+``."""
        return cls(bins.kind, 0, np.zeros(bins.size, np.int64))

    def __add__(self, other: "ColumnProfile") -> "ColumnProfile":
        if self.kind != other.kind or self.counts.shape != other.counts.shape:
            raise ValueError("profiles made with different bins do not add up")
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        families = dict(self.families)
        for family, count in other.families.items():
            families[family] = families.get(family, 0) + count
        return ColumnProfile(
            kind=self.kind,
            rows=self.rows + other.rows,
            counts=self.counts + other.counts,
            absent=self.absent + other.absent,
            nulls=self.nulls + other.nulls,
            mistyped=self.mistyped + other.mistyped,
            infinite=self.infinite + other.infinite,
            low=min(lows, default=None),
            high=max(highs, default=None),
            total=self.total + other.total,
            squares=self.squares + other.squares,
            sentinels=self.sentinels + other.sentinels,
            hours=self.hours + other.hours,
            unseen=self.unseen + other.unseen,
            families=families,
        )

    def __eq__(self, other: object) -> bool:
        """Equal in every count; the two sums may differ by rounding."""
        if not isinstance(other, ColumnProfile):
            return NotImplemented
        return (
            self._exact() == other._exact()
            and np.array_equal(self.counts, other.counts)
            and np.array_equal(self.sentinels, other.sentinels)
            and np.array_equal(self.hours, other.hours)
            and self._sums_agree(other)
        )

    __hash__ = None  # type: ignore[assignment]

    def _sums_agree(self, other: "ColumnProfile") -> bool:
        if not np.isfinite([self.squares, other.squares]).all():  # what overflows depends on the order
            return bool(np.isfinite(self.squares) == np.isfinite(other.squares))
        # A sum may cancel; the bound of its rounding, the root of rows times squares, does not (Cauchy and Schwarz).
        # Squares of values below 1e-154 vanish, their sum does not.
        rounding = 1e-9 * (sqrt(self.rows) * sqrt(self.squares) + self.rows * 1e-154)
        return bool(
            np.isclose(self.total, other.total, rtol=0, atol=rounding)
            and np.isclose(self.squares, other.squares, rtol=1e-9, atol=self.rows * 1e-307)
        )

    def _exact(self) -> tuple[object, ...]:
        return (
            self.kind, self.rows, self.absent, self.nulls, self.mistyped, self.infinite, self.low, self.high,
            self.unseen, dict(self.families),
        )  # fmt: skip

    @property
    def present(self) -> int:
        """Rows with a value that could be read, infinities included."""
        return self.rows - self.absent - self.nulls - self.mistyped

    @property
    def finite(self) -> int:
        """Rows with a finite value."""
        return self.present - self.infinite

    @property
    def null_share(self) -> float:
        """Share of null or NaN among the rows that had the column; 0 without rows."""
        had = self.rows - self.absent
        return self.nulls / had if had else 0.0

    def mean(self, bins: Bins) -> float | None:
        """Mean of the finite values; None without any, for categories, or where the sum overflowed."""
        if not self.finite or bins.categorical or not np.isfinite(self.total):
            return None
        return bins.centre + self.total / self.finite

    def deviation(self, bins: Bins) -> float | None:
        """Return the standard deviation (ddof 0) of the finite values; None without any, or where sums overflowed."""
        if not self.finite or bins.categorical or not np.isfinite(self.squares):
            return None
        return sqrt(max(0.0, self.squares / self.finite - (self.total / self.finite) ** 2))

    @property
    def distinct(self) -> int | None:
        """Distinct values where they can be counted: categories without *other*; else None."""
        if self.kind not in ("categorical", "boolean") or self.counts[-2]:
            return None
        return int((self.counts[:-2] > 0).sum()) + self.unseen.distinct


@dataclass(frozen=True)
class Profile:
    """What is kept of a set of rows of a log: a profile a column, and what concerns whole rows.

    Parameters
    ----------
    rows : number of rows.
    columns : profile by name of every column that the reference knows.
    extra : rows that had a column which the reference does not know, by name.
    ids : sample of row ids; empty where the log has no id column.
    first_event, last_event : extremes of the event time, seconds since 1970 UTC; None without rows or time.
    """

    rows: int
    columns: Mapping[str, ColumnProfile]
    extra: Mapping[str, int] = field(default_factory=dict)
    ids: ValueSketch = field(default_factory=lambda: ValueSketch(IDS_KEPT))
    first_event: float | None = None
    last_event: float | None = None

    @classmethod
    def empty(cls, bins: Mapping[str, Bins]) -> "Profile":
        """Return the profile of no rows: the neutral element of ``+``."""
        return cls(0, {name: ColumnProfile.empty(column) for name, column in bins.items()})

    def __add__(self, other: "Profile") -> "Profile":
        if self.columns.keys() != other.columns.keys():
            raise ValueError("profiles made with different references do not add up")
        extra = dict(self.extra)
        for name, rows in other.extra.items():
            extra[name] = extra.get(name, 0) + rows
        firsts = [time for time in (self.first_event, other.first_event) if time is not None]
        lasts = [time for time in (self.last_event, other.last_event) if time is not None]
        return Profile(
            rows=self.rows + other.rows,
            columns={name: column + other.columns[name] for name, column in self.columns.items()},
            extra=extra,
            ids=self.ids + other.ids,
            first_event=min(firsts, default=None),
            last_event=max(lasts, default=None),
        )

    @cached_property
    def cells(self) -> tuple[Edges, Starts]:
        """Counts of all bins, nulls and unreadable values, and where each column's begin.

        Without datetimes: their ages change with the time of logging.
        """
        columns = [column for column in self.columns.values() if column.kind != "datetime"]
        if not columns:
            return np.zeros(0), np.zeros(0, np.intp)
        beside = np.array([(column.nulls, column.mistyped) for column in columns], np.int64)
        parts = [part for column, more in zip(columns, beside, strict=True) for part in (column.counts, more)]
        sizes = [column.counts.size + beside.shape[1] for column in columns]
        return np.concatenate(parts).astype(np.float64), np.cumsum([0, *sizes])[:-1].astype(np.intp)

    def only(self, names: Iterable[str]) -> "Profile":
        """Return this profile with these columns alone."""
        return replace(self, columns={name: self.columns[name] for name in names})


@dataclass(frozen=True)
class Column:
    """One column of one set of rows, as a check sees it: its bins and what fell into them."""

    name: str
    bins: Bins
    profile: ColumnProfile

    @cached_property
    def corners(self) -> tuple[Edges, Edges] | None:
        """The corners of the piecewise linear distribution function that the profile pins down.

        Values and shares, both ascending, shape (edges + 2,); ``shares[i]`` of the rows are at or below ``values[i]``.
        Exact at the edges, linear between; None for categories or without a finite value.
        """
        low, high = self.profile.low, self.profile.high
        if self.bins.categorical or low is None or high is None:
            return None
        values = np.concatenate([[low], np.clip(self.bins.edge_array, low, high), [high]])
        return values, np.concatenate([[0.0], np.cumsum(self.profile.counts) / self.profile.present])

    @cached_property
    def grid(self) -> Edges | None:
        """``GRID`` equally weighted values that stand for the distribution, ascending; None where ``corners`` is."""
        return None if self.corners is None else interpolated(*self.corners, GRID_RANKS)


@dataclass(frozen=True)
class Volume:
    """How many rows an earlier window of the same log had. Times are seconds since 1970 UTC."""

    start: float
    end: float
    rows: int
    last_event: float | None = None


@dataclass(frozen=True)
class Table:
    """All rows of a window, as a check of a whole table sees them.

    Parameters
    ----------
    profile : of the window's rows.
    start, end : the half-open window, seconds since 1970 UTC.
    history : earlier windows of the same log, oldest first; of a reference its own, empty where it has no time.
    """

    profile: Profile
    start: float
    end: float
    history: tuple[Volume, ...] = ()
