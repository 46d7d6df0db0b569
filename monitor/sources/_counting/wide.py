"""Numbers counted by an engine that keeps columns: one statement and one row, in which every column has a histogram.

A branch a column would read the time as often as there are columns, and group where adding up will do.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from monitor.sources._counting.numbers import Answer, Measured
from monitor.sources._counting.sql import LARGEST, Exact, Histogram

DIALECTS = ("clickhouse",)
_EACH = 6  # results of a column


def wide(columns: Sequence[Measured], rows: sa.Select[Any]) -> sa.Select[Any]:
    """Return one statement for all columns, which have no infinities and no times."""
    inner = rows.with_only_columns(
        *[column.value.label(f"v{column.place}") for column in columns], maintain_column_froms=True
    ).subquery("held")
    shown: list[Any] = []
    for column in columns:
        value: Any = inner.c[f"v{column.place}"]
        shifted = value - Exact(column.bins.centre)
        edges = [Exact(edge) for edge in column.edges]
        shown += [
            sa.func.count(value), sa.func.min(value), sa.func.max(value), sa.func.sum(shifted),
            sa.func.sum(shifted * shifted), Histogram(value, *edges),
        ]  # fmt: skip
    return sa.select(*[expression.label(f"f{place}") for place, expression in enumerate(shown)])


def unfolded(columns: Sequence[Measured], row: Sequence[Any]) -> Iterator[tuple[Measured, list[Answer] | None]]:
    """Return the answers of each column, as a statement of branches gives them; None where it holds infinities."""
    for column in columns:
        count, low, high, total, squares, cells = row[_EACH * column.place : _EACH * (column.place + 1)]
        if not count:
            yield column, []
        elif not -LARGEST <= low <= high <= LARGEST:
            yield column, None
        else:
            yield column, list(_answers(column.place, (low, high, total, squares), cells))


def _answers(place: int, sums: tuple[float, float, float, float], cells: Iterable[int]) -> Iterator[Answer]:
    for number, cell in enumerate(cells):
        if cell:
            yield (place, number, int(cell), *sums)
            sums = (*sums[:2], 0.0, 0.0)
