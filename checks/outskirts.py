"""Rows beyond the central 99% of the reference: the only places where bins say that a value is unusual."""

import numpy as np

from checks.profile import Column


def below(column: Column) -> int:
    """Return the rows below the reference's central 99%; its lower end belongs to the centre where it is an atom."""
    bins = column.bins
    if bins.tails is None:
        return 0
    edge = bins.tails[0]
    return rows_up_to(column, float(np.nextafter(edge, -np.inf)) if edge in bins.atoms else edge)


def above(column: Column) -> int:
    """Return the rows above the reference's central 99%."""
    return rows_beyond(column, column.bins.tails[1]) if column.bins.tails else 0


def rows_up_to(column: Column, edge: float) -> int:
    """Return the rows at or below an edge of the bins; below the highest edge under it for any other value."""
    place = int(np.searchsorted(column.bins.edge_array, edge, side="right"))
    return int(column.profile.counts[:place].sum())


def rows_beyond(column: Column, edge: float) -> int:
    """Return the rows above an edge of the bins; above the lowest edge over it for any other value."""
    place = int(np.searchsorted(column.bins.edge_array, edge, side="left"))
    return int(column.profile.counts[place + 1 :].sum())
