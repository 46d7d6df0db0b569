"""Numbers counted in a database: one branch a column, grouped by bin; every answer becomes a column's profile.

A bin of the statement is finer than one of the reference: each sentinel has a bin of its own, and so has each infinity.
One pass thus gives counts, extremes, sums, sentinels and infinities.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sqlalchemy as sa

from checks.profile import SENTINELS, Bins, ColumnProfile
from monitor.sources._counting.sql import LARGEST, AsDouble, Exact, Whole, tree

HUGE = 1e150  # the square of a larger value may be none, which some engines call an error
_TINY = 1e-160
_MINUS_INFINITY = -1
Answer = tuple[int, int, int, float | None, float | None, float | None, float | None]


@dataclass(frozen=True)
class Measured:
    """A column that is counted as numbers.

    Parameters
    ----------
    place : number of the column in the statement.
    value : double, null for NaN.
    hours : the hour in UTC of a time, 0 to 23; None for other kinds.
    family : of the type as it arrives.
    """

    place: int
    name: str
    bins: Bins
    value: Any
    family: str
    hours: Any = None

    @cached_property
    def edges(self) -> list[float]:
        """Edges of the statement's bins, the largest double last; right-closed like those of the reference."""
        sentinels = np.asarray(SENTINELS)
        parts = [self.bins.edge_array, sentinels, np.nextafter(sentinels, -np.inf), [LARGEST]]
        return [float(edge) for edge in np.unique(np.concatenate(parts))]


def hour_of(seconds: Any) -> Any:
    """Return the hour of the day of seconds since 1970, 0 to 23."""
    hours = Whole(seconds / Exact(3600.0))
    return ((hours % sa.literal_column("24")) + sa.literal_column("24")) % sa.literal_column("24")


def stacked(columns: Sequence[Measured], rows: sa.Select[Any]) -> sa.CompoundSelect[Any] | sa.Select[Any]:
    """Return one statement for all columns, each counted by a branch of its own."""
    branches = []
    for column in columns:
        branches.append(_bins(column, rows))
        if column.hours is not None:
            branches.append(hours_of(column, rows))
    return sa.union_all(*branches) if len(branches) > 1 else branches[0]


def _bins(column: Measured, rows: sa.Select[Any]) -> sa.Select[Any]:
    inner = rows.with_only_columns(column.value.label("v"), maintain_column_froms=True).subquery("held")
    value: Any = inner.c.v
    binned = sa.case(
        (value < Exact(-LARGEST), sa.literal_column(str(_MINUS_INFINITY))), else_=tree(value, column.edges)
    )
    finer = sa.select(value, binned.label("b")).where(value.is_not(None)).subquery("binned")
    return sa.select(
        sa.literal_column(str(column.place)).label("c"), finer.c.b, *sums(finer.c.v, Exact(column.bins.centre))
    ).group_by(finer.c.b)


def sums(value: Any, centre: Any) -> list[Any]:
    """Return rows, extremes and the two sums of a bin, none of which can overflow."""
    shifted = value - centre
    zero = Exact(0.0)
    held = sa.func.abs(value) <= Exact(HUGE)
    square = sa.case((sa.func.abs(shifted) < Exact(_TINY), zero), (held, shifted * shifted), else_=zero)
    return [
        sa.func.count().label("n"),
        sa.func.min(value).label("low"),
        sa.func.max(value).label("high"),
        sa.func.sum(sa.case((held, shifted), else_=zero)).label("total"),
        sa.func.sum(square).label("squares"),
    ]


def hours_of(column: Measured, rows: sa.Select[Any]) -> sa.Select[Any]:
    """Return the branch that counts the hours of a column of times."""
    inner = rows.with_only_columns(column.hours.label("b"), maintain_column_froms=True).subquery("held")
    nothing = [AsDouble(sa.null()).label(name) for name in ("low", "high", "total", "squares")]
    return (
        sa.select(sa.literal_column(str(-1 - column.place)).label("c"), inner.c.b, sa.func.count().label("n"), *nothing)
        .where(inner.c.b.is_not(None))
        .group_by(inner.c.b)
    )


def profiles(columns: Sequence[Measured], answers: Iterable[Answer], rows: int) -> dict[str, ColumnProfile]:
    """Return what the statement's answers say of each column.

    Parameters
    ----------
    answers : number of the column, or -1 minus it for hours; its bin, or the hour; rows; low, high and the two sums.
    rows : of the window.
    """
    found: Mapping[int, list[Answer]] = {column.place: [] for column in columns}
    hours = {column.place: np.zeros(24, np.int64) for column in columns}
    for answer in answers:
        if answer[0] < 0:
            hours[-1 - answer[0]][int(answer[1])] += int(answer[2])
        else:
            found[answer[0]].append(answer)
    return {column.name: _profile(column, found[column.place], hours[column.place], rows) for column in columns}


def _profile(column: Measured, answers: Sequence[Answer], hours: Any, rows: int) -> ColumnProfile:
    edges, bins = np.asarray(column.edges), column.bins
    counts, sentinels, infinite = np.zeros(bins.size, np.int64), np.zeros(len(SENTINELS), np.int64), 0
    finite = []
    for answer in answers:
        finer, held = int(answer[1]), int(answer[2])
        if finer in (_MINUS_INFINITY, len(edges)):
            infinite += held
            counts[0 if finer == _MINUS_INFINITY else -1] += held
            continue
        finite.append(answer)
        counts[np.searchsorted(bins.edge_array, edges[finer], side="left")] += held
        if edges[finer] in SENTINELS:
            sentinels[SENTINELS.index(edges[finer])] += held
    return ColumnProfile(
        kind=bins.kind,
        rows=rows,
        counts=counts,
        nulls=rows - int(counts.sum()),
        infinite=infinite,
        low=min((float(answer[3]) for answer in finite if answer[3] is not None), default=None),
        high=max((float(answer[4]) for answer in finite if answer[4] is not None), default=None),
        total=sum(float(answer[5] or 0) for answer in finite),
        squares=sum(float(answer[6] or 0) for answer in finite),
        sentinels=sentinels,
        hours=hours,
        families={column.family: rows} if rows else {},
    )


def beyond(profile: ColumnProfile) -> bool:
    """Return whether some values are too large for sums that every engine makes alike."""
    return max(abs(profile.low or 0), abs(profile.high or 0)) > HUGE
