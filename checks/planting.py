"""Faults planted into counts: the profile that a window would have had, if something had broken in it (SIGNAL.md 7.2).

A profile has no rows left to break, but its counts say where the rows lay. A fault is therefore a matrix: the share of
the rows of each bin that it moves to each other bin, or among the nulls.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from checks.components import EXTRAS, count_vector
from checks.profile import KINDS, Bins, Column, ColumnProfile, Kind
from checks.season import Array

POINTS = 64  # at which a bin's values are followed to where they go
SENTINEL = -999.0
_NUMBERS: frozenset[Kind] = frozenset({"numeric"})
_CATEGORIES: frozenset[Kind] = frozenset({"categorical", "boolean"})

Moving = Callable[[Column], Array | None]
Revaluing = Callable[[Array], Array]


@dataclass(frozen=True)
class Fault:
    """Something that may happen to a column.

    Parameters
    ----------
    name : as people read it, with its size.
    kinds : columns that it may happen to.
    moving : gives the moves for a column of the reference; None where it cannot happen to it.
    whole : whether no row stays what it was, so that one window shows it beyond doubt.
    """

    name: str
    kinds: frozenset[Kind]
    moving: Moving
    whole: bool = False

    def moves(self, reference: Column) -> Array | None:
        """Return the share of the rows of each place that moves to each place, shape (places, places).

        Places are those of :func:`checks.components.count_vector`; a row of the matrix adds up to 1. None where the
        fault cannot happen to the column, or would leave its counts as they are.
        """
        if reference.bins.kind not in self.kinds or not reference.profile.present:
            return None
        found = self.moving(reference)
        counts = count_vector(reference.profile)
        return None if found is None or np.allclose(counts @ found, counts) else found


def planted(profile: ColumnProfile, bins: Bins, moves: Array) -> ColumnProfile:
    """Return the profile after a fault that leaves no row what it was: nothing but the counts has survived it.

    Numbers that are still there are taken to be one value, the one that :data:`FAULTS` have them stuck at.
    """
    after = np.rint(count_vector(profile) @ moves).astype(np.int64)
    counts, extras = after[: bins.size], dict(zip(EXTRAS, after[bins.size :].tolist(), strict=True))
    value = bins.centre if counts.any() and not bins.categorical else None
    return ColumnProfile(profile.kind, profile.rows, counts, low=value, high=value, **extras)


def _stays(bins: Bins) -> Array:
    return np.eye(bins.size + len(EXTRAS))


def _everything_to(bins: Bins, place: int) -> Array:
    """Move the rows with a value."""
    moves = _stays(bins)
    moves[: bins.size] = 0.0
    moves[: bins.size, place] = 1.0
    return moves


def _part_to(bins: Bins, place: int, share: float) -> Array:
    return (1 - share) * _stays(bins) + share * _everything_to(bins, place)


def _nulls(points: float) -> Moving:
    def moving(reference: Column) -> Array | None:
        share = points / max(1e-9, 1 - reference.profile.null_share)
        place = reference.bins.size + EXTRAS.index("nulls")
        return _part_to(reference.bins, place, share) if share < 1 else None

    return moving


def _missing(reference: Column) -> Array:
    moves = np.zeros_like(_stays(reference.bins))
    moves[:, reference.bins.size + EXTRAS.index("absent")] = 1.0
    return moves


def _mistyped(reference: Column) -> Array:
    return _everything_to(reference.bins, reference.bins.size + EXTRAS.index("mistyped"))


def _stuck(reference: Column) -> Array | None:
    bins = reference.bins
    if bins.categorical:
        return _everything_to(bins, int(np.argmax(reference.profile.counts[:-2]))) if bins.values else None
    return _everything_to(bins, int(np.searchsorted(bins.edge_array, bins.centre)))


def _ranked(change: Revaluing, fewest: int) -> Moving:
    """Change values by their ranks, as if the column were a normal distribution seen through its own quantiles.

    A shift then stays within the values that the column can have, and means the same whatever its shape. ``change``
    says where a standard normal deviate came from, the inverse of what happens to it. ``fewest`` bins must hold rows.
    """

    def moving(reference: Column) -> Array | None:
        from scipy.special import ndtr, ndtri

        bins, counts = reference.bins, reference.profile.counts
        if np.count_nonzero(counts) < fewest:
            return None
        corners = ndtri(np.concatenate([[0.0], np.cumsum(counts) / counts.sum()]).clip(0.0, 1.0))
        came = change(corners)
        # The share of each bin's mass whose changed values lie in each bin.
        low = np.maximum(corners[:-1, None], came[None, :-1])
        high = np.minimum(corners[1:, None], came[None, 1:])
        masses = ndtr(corners[1:]) - ndtr(corners[:-1])
        moves = _stays(bins)
        held = np.flatnonzero(masses > 0)
        shares = np.maximum(0.0, ndtr(high[held]) - ndtr(low[held]))
        moves[held, : bins.size] = shares / shares.sum(axis=1, keepdims=True)
        return moves

    return moving


def _located(deviations: float) -> Moving:
    return _ranked(lambda values: values - deviations, 2)


def _spread(factor: float) -> Moving:
    return _ranked(lambda values: values / factor, 3)


def _scaled(factor: float) -> Moving:
    """Multiply the values; those of a bin lie evenly in it."""

    def moving(reference: Column) -> Array | None:
        bins, low, high = reference.bins, reference.profile.low, reference.profile.high
        if not bins.edges or low is None or high is None:
            return None
        edges = bins.edge_array
        starts, stops = np.append(min(low, edges[0]), edges), np.append(edges, max(high, edges[-1]))
        with np.errstate(over="ignore", invalid="ignore"):
            values = starts[:, None] + (stops - starts)[:, None] * (np.arange(POINTS) + 0.5) / POINTS
            # An atom has a bin of its own, from just below it; other values lie anywhere in theirs.
            values = np.where((np.nextafter(starts, np.inf) >= stops)[:, None], stops[:, None], values)
            changed = np.searchsorted(edges, np.ceil(values) * factor if bins.integral else values * factor)
        moves = _stays(bins)
        moves[: bins.size, : bins.size] = 0.0
        np.add.at(moves, (np.arange(bins.size)[:, None], changed), 1 / POINTS)
        return moves

    return moving


def _sentinel(share: float) -> Moving:
    def moving(reference: Column) -> Array:
        place = int(np.searchsorted(reference.bins.edge_array, SENTINEL))
        return _part_to(reference.bins, place, share)

    return moving


def _new_category(share: float) -> Moving:
    return lambda reference: _part_to(reference.bins, reference.bins.size - 1, share)


def _more(points: float) -> Moving:
    """Raise the share of the second most frequent value, at the cost of all others alike."""

    def moving(reference: Column) -> Array | None:
        counts = reference.profile.counts[:-2]
        if (counts > 0).sum() < 2:
            return None
        place = int(np.argsort(-counts, kind="stable")[1])
        share = points / (1 - counts[place] / reference.profile.present)
        return _part_to(reference.bins, place, share) if share < 1 else None

    return moving


def _swapped(reference: Column) -> Array:
    """Give the most frequent value the rows of the least frequent one, and so on: codes in the opposite order."""
    counts = reference.profile.counts[:-2]
    ranked = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    moves = _stays(reference.bins)
    moves[ranked] = moves[ranked[::-1]]
    return moves


_ALL: frozenset[Kind] = frozenset(KINDS)

FAULTS: tuple[Fault, ...] = (
    Fault("column missing", _ALL, _missing, whole=True),
    Fault("text instead of numbers", _NUMBERS, _mistyped, whole=True),
    Fault("stuck at one value", _NUMBERS | _CATEGORIES, _stuck, whole=True),
    Fault("nulls +3 points", _ALL, _nulls(0.03)),
    Fault("nulls +20 points", _ALL, _nulls(0.2)),
    Fault("unit \N{MULTIPLICATION SIGN} 1000", _NUMBERS, _scaled(1000.0)),
    Fault("-999 in 5% of rows", _NUMBERS, _sentinel(0.05)),
    Fault("location +0.15 sd", _NUMBERS, _located(0.15)),
    Fault("location +0.3 sd", _NUMBERS, _located(0.3)),
    Fault("location +0.6 sd", _NUMBERS, _located(0.6)),
    Fault("location +1 sd", _NUMBERS, _located(1.0)),
    Fault("spread \N{MULTIPLICATION SIGN} 1.3", _NUMBERS, _spread(1.3)),
    Fault("new category in 3% of rows", _CATEGORIES, _new_category(0.03)),
    Fault("share of a category +5 points", _CATEGORIES, _more(0.05)),
    Fault("share of a category +12 points", _CATEGORIES, _more(0.12)),
    Fault("codes in the opposite order", _CATEGORIES, _swapped),
)
