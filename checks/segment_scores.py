"""One column's sampled rows, read and scored: means of scores move when the column does.

Every way in which a column can change has a score of its own, in [0, 1]: the rank among the reference's values for a
shift, the distance of the rank from the middle for a spread, and indicators for far values, for each category and for
nulls.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pyarrow as pa

from checks import reading
from checks.binning import measured
from checks.profile import Bins, Edges
from checks.reading import Mask, Read

Aspect = Literal["values", "nulls"]
"""What is asked about: the values of the rows that have one, or how many rows have none."""
Way = Literal["location", "spread", "far", "category", "nulls"]

MOST_CATEGORIES = 10  # further ones are too rare for a segment of them to be seen


@dataclass(frozen=True)
class Rows:
    """Rows of one column: ``values[ok]`` are readable, ``nulls`` have none; shapes (rows,)."""

    values: np.ndarray
    ok: Mask
    nulls: Mask

    @classmethod
    def of(cls, table: pa.Table, column: str, bins: Bins, time: str | None = None) -> "Rows":
        """Read a column as its bins say; a table without the column has nulls."""
        array = table.column(column) if column in table.column_names else pa.nulls(table.num_rows)
        read: Read
        if bins.kind == "boolean":
            read = reading.booleans(array)
        elif bins.categorical:
            read = reading.texts(array)
        else:
            known = time is not None and time in table.column_names
            read = measured(array, bins.kind, reading.instants(table.column(time)).values if known else None)
        return cls(read.values, read.ok, read.nulls)

    def where(self, mask: Mask) -> "Rows":
        """Return these rows alone."""
        return Rows(self.values[mask], self.ok[mask], self.nulls[mask])

    @cached_property
    def finite(self) -> Edges:
        """The finite values of a column of numbers, ascending."""
        values = np.asarray(self.values[self.ok], np.float64)
        return np.sort(values[np.isfinite(values)])


@dataclass(frozen=True)
class Pair:
    """Both sides' rows of one column, and what is asked of them.

    Parameters
    ----------
    bins : the column's.
    reference, current : rows of both sides.
    aspects : see :data:`Aspect`.
    categories : those with an indicator of their own.
    """

    bins: Bins
    reference: Rows
    current: Rows
    aspects: tuple[Aspect, ...]
    categories: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        reference: pa.Table,
        current: pa.Table,
        column: str,
        bins: Bins,
        aspects: tuple[Aspect, ...],
        time: str | None,
    ) -> "Pair":
        """Read a column of two samples; see :meth:`Rows.of`."""
        pair = cls(
            bins, Rows.of(reference, column, bins, time), Rows.of(current, column, bins, time), aspects
        )  # fmt: skip
        return replace(pair, categories=_heaviest((pair.reference, pair.current))) if bins.categorical else pair

    def where(self, before: Mask, after: Mask) -> "Pair":
        """Return the rows of two masks, ranked among themselves."""
        return replace(self, reference=self.reference.where(before), current=self.current.where(after))

    def scores(self) -> "list[Score]":
        """Return the scores of all that is asked; of values none where a side has no values."""
        found: list[Score] = []
        if "values" in self.aspects and self.reference.ok.any() and self.current.ok.any():
            found += self._categories() if self.bins.categorical else self._numbers()
        if "nulls" in self.aspects:
            found.append(Score("nulls", self.reference.nulls.astype(float), self.current.nulls.astype(float)))
        return found

    def _numbers(self) -> "list[Score]":
        known = np.sort(self.reference.values[self.reference.ok])
        before, after = _ranks(self.reference, known), _ranks(self.current, known)
        found = [
            Score("location", before, after),
            Score("spread", np.abs(2 * before - 1), np.abs(2 * after - 1)),
        ]
        if self.bins.tails is not None:
            found.append(Score("far", _far(self.reference, self.bins.tails), _far(self.current, self.bins.tails)))
        return found

    def _categories(self) -> "list[Score]":
        return [
            Score("category", _is(self.reference, value), _is(self.current, value), value) for value in self.categories
        ]


@dataclass(frozen=True)
class Score:
    """One way in which a column can change.

    Parameters
    ----------
    way : what a change of its mean means.
    reference, current : the score of every row, NaN for rows that have none; shapes (rows,).
    category : the category whose indicator this is.
    """

    way: Way
    reference: Edges
    current: Edges
    category: str = ""


def _heaviest(sides: Sequence[Rows]) -> tuple[str, ...]:
    # Chosen by their weight in both and not by their change, so that the choice has no part in the test.
    weights: dict[str, float] = {}
    for side in sides:
        for value, count in Counter(side.values[side.ok].tolist()).items():
            weights[value] = weights.get(value, 0.0) + count / side.ok.sum()
    return tuple(sorted(weights, key=lambda value: (-weights[value], value))[:MOST_CATEGORIES])


def _ranks(side: Rows, known: Edges) -> Edges:
    """Return each value's mid-rank among the known ones, in [0, 1]."""
    ranks = np.full(len(side.values), np.nan)
    values = side.values[side.ok]
    below, upto = np.searchsorted(known, values, side="left"), np.searchsorted(known, values, side="right")
    ranks[side.ok] = (below + upto) / (2 * known.size)
    return ranks


def _far(side: Rows, tails: tuple[float, float]) -> Edges:
    beyond = (side.values < tails[0]) | (side.values > tails[1])
    return np.where(side.ok, beyond.astype(np.float64), np.nan)


def _is(side: Rows, value: str) -> Edges:
    return np.where(side.ok, (side.values == value).astype(np.float64), np.nan)
