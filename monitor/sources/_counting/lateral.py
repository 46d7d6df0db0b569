"""Numbers counted by PostgreSQL: one pass that makes a row of every value, and its binary search for the bin.

One scan where a branch a column makes one each.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from monitor.sources._counting.numbers import Measured, hours_of, sums
from monitor.sources._counting.sql import LARGEST, Exact, Exacts


def lateral(columns: Sequence[Measured], rows: sa.Select[Any]) -> sa.CompoundSelect[Any] | sa.Select[Any]:
    """Return one statement for all columns, answered as :func:`monitor.sources._counting.numbers.stacked` is."""
    held = rows.with_only_columns(
        *[column.value.label(f"v{column.place}") for column in columns], maintain_column_froms=True
    ).subquery("held")
    names: list[Any] = [sa.column("c", sa.Integer()), sa.column("v", sa.Double()), sa.column("centre", sa.Double())]
    unfolded = (
        sa.values(*names, sa.column("edges"), name="u")
        .data(
            [
                (
                    sa.literal_column(str(column.place)),
                    held.c[f"v{column.place}"],
                    Exact(column.bins.centre),
                    Exacts(_from_below(column)),
                )
                for column in columns
            ]
        )
        .lateral("u")
    )
    value, bucket = unfolded.c.v, sa.func.width_bucket(unfolded.c.v, unfolded.c.edges) - sa.literal_column("1")
    counted = (
        sa.select(unfolded.c.c, bucket.label("b"), *sums(value, unfolded.c.centre))
        .select_from(held.join(unfolded, sa.true()))
        .where(value.is_not(None))
        .group_by(unfolded.c.c, bucket)
    )
    hours = [hours_of(column, rows) for column in columns if column.hours is not None]
    return sa.union_all(counted, *hours) if hours else counted


def _from_below(column: Measured) -> list[float]:
    """Return the edges as the least values of the bins above them, since PostgreSQL's are closed on the left."""
    return [-LARGEST, *np.nextafter(column.edges[:-1], np.inf).tolist(), np.inf]
