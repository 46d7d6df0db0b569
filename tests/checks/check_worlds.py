"""Columns to try checks on: distributions that stay, that change, and that have nothing to say."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from checks.binning import fit
from checks.profile import UNSEEN_KEPT, Bins, Column, ColumnProfile, Profile, Table, Volume
from checks.sketch import ValueSketch

HOUR, DAY = 3600.0, 86400.0
MONDAY = 1_700_438_400.0  # 2023-11-20, midnight UTC

Draw = Callable[[np.random.Generator, int], np.ndarray]


@dataclass(frozen=True)
class World:
    """A distribution, the same distribution changed, and the bins that a reference of it would fix."""

    name: str
    bins: Bins
    same: Draw
    changed: Draw

    def column(self, rng, rows, draw=None):
        return Column(self.name, self.bins, profile_of(self.bins, (draw or self.same)(rng, rows)))


def profile_of(bins, values):
    """What `profile_column` counts, for values (or places of categories) that are known to be good."""
    rows = len(values)
    if bins.categorical:
        counts = np.bincount(values, minlength=bins.size)
        unseen = ValueSketch(UNSEEN_KEPT).add({"new": int(counts[-1])} if counts[-1] else {})
        return ColumnProfile(bins.kind, rows, counts, unseen=unseen, families={"text": rows})
    return ColumnProfile(
        bins.kind,
        rows,
        np.bincount(np.searchsorted(bins.edge_array, values), minlength=bins.size),
        low=float(values.min()),
        high=float(values.max()),
        families={"number": rows},
    )


def _numbers(name, same, changed, kind="numeric"):
    values = same(np.random.default_rng(5), 20_000)
    return World(name, replace(fit(pa.array(values)), kind=kind), same, changed)


def _places(name, bins, shares, changed):
    shares, changed = np.array(shares) / np.sum(shares), np.array(changed) / np.sum(changed)
    return World(
        name,
        bins,
        lambda rng, rows: rng.choice(shares.size, rows, p=shares),
        lambda rng, rows: rng.choice(changed.size, rows, p=changed),
    )


_EIGHT = [0.4, 0.2, 0.15, 0.1, 0.08, 0.04, 0.02, 0.01]
_FIFTY = 1 / np.arange(1, 51) ** 1.1

WORLDS = {
    world.name: world
    for world in (
        _numbers("normal", lambda rng, n: rng.normal(0, 1, n), lambda rng, n: rng.normal(0.5, 1, n)),
        _numbers("counts", lambda rng, n: rng.poisson(1.2, n) * 1.0, lambda rng, n: rng.poisson(2.0, n) * 1.0),
        _numbers(
            "zeros and a long tail",
            lambda rng, n: np.where(rng.random(n) < 0.6, 0, rng.lognormal(0, 2, n)),
            lambda rng, n: np.where(rng.random(n) < 0.3, 0, rng.lognormal(1.5, 2, n)),
        ),
        _numbers("ages", lambda rng, n: rng.exponential(24, n), lambda rng, n: rng.exponential(48, n), "datetime"),
        _numbers("lengths", lambda rng, n: rng.poisson(30, n) * 1.0, lambda rng, n: rng.poisson(36, n) * 1.0, "text"),
        _places(
            "eight categories",
            Bins("categorical", values=tuple("abcdefgh")),
            [*_EIGHT, 0, 0],
            [*_EIGHT[3:], *_EIGHT[:3], 0, 0],
        ),
        _places(
            "fifty categories and more",
            Bins("categorical", values=tuple(f"v{i}" for i in range(50)), others=frozenset({"rare", "rarer"})),
            [*_FIFTY, 0.2, 0],
            [*_FIFTY[::-1], 0.2, 0],
        ),
        _places("boolean", Bins("boolean", values=("false", "true")), [0.7, 0.3, 0, 0], [0.4, 0.6, 0, 0]),
    )
}


def worlds_for(check):
    return [world for world in WORLDS.values() if world.bins.kind in check.kinds]


def with_defects(rng, column, nulls=0.1, mistyped=0.03, absent=0.02, infinite=0.01):
    """The same column with rows that have no value: every defect independent of time, hence the same in a null world."""
    profile = column.profile
    parts = [int(rng.binomial(profile.rows, share)) for share in (nulls, mistyped, absent)]
    counts, infinities = profile.counts.copy(), 0
    if column.bins.kind == "numeric":
        infinities = int(rng.binomial(profile.rows, infinite))
        counts[-1] += infinities
    return replace(
        column,
        profile=replace(
            profile,
            rows=profile.rows + sum(parts) + infinities,
            counts=counts,
            nulls=parts[0],
            mistyped=parts[1],
            absent=parts[2],
            infinite=infinities,
        ),
    )


def faults(column):
    """One column with each thing that can go wrong with all of its rows, by name."""
    profile, bins = column.profile, column.bins
    rows = profile.rows
    empty = ColumnProfile.empty(bins)
    last = np.zeros(bins.size, np.int64)
    last[-1] = rows
    first = np.zeros(bins.size, np.int64)
    first[1] = rows
    found = {
        "nulls": replace(empty, rows=rows, nulls=rows),
        "absent": replace(empty, rows=rows, absent=rows),
        "mistyped": replace(empty, rows=rows, mistyped=rows, families={"text": rows}),
        "as text": replace(profile, families={"text": rows}),
        "one row": profile_of(bins, np.array([0], int) if bins.categorical else np.array([bins.centre])),
        "no rows": empty,
    }
    if bins.categorical:
        found["unseen"] = replace(empty, rows=rows, counts=last, unseen=ValueSketch(UNSEEN_KEPT).add({"<new>": rows}))
        found["other"] = replace(empty, rows=rows, counts=np.roll(last, -1))
        found["constant"] = replace(empty, rows=rows, counts=first)
    else:
        largest = 1.7e308
        high = bins.edges[-1]
        found["infinite"] = replace(empty, rows=rows, counts=last, infinite=rows)
        found["constant"] = profile_of(bins, np.full(rows, bins.edges[1]))
        found["far"] = profile_of(bins, np.linspace(high + abs(high), 1000 * high + 1, rows))
        found["huge"] = profile_of(bins, np.array([-largest, largest] * (rows // 2)))
    return {name: replace(column, profile=fault) for name, fault in found.items()}


def table(rows=1000, *, start=MONDAY, length=DAY, history=None, last=None, ids=None, extra=None):
    """One window with a calm history of four weeks."""
    if history is None:
        history = tuple(
            Volume(start - k * length, start - (k - 1) * length, 1000 + k % 7, start - (k - 1) * length - 600)
            for k in range(28, 0, -1)
        )
    sketch = ValueSketch(512).add(ids if ids is not None else {f"id{i}": 1 for i in range(rows)})
    last = (start + length - 600 if rows else None) if last is None else last
    return Table(Profile(rows, {}, extra or {}, sketch, start, last), start, start + length, history)


TABLE_FAULTS = {
    "no rows": table(0),
    "twice the rows": table(2000, ids={f"id{i}": 2 for i in range(1000)}),
    "silent since noon": table(500, last=MONDAY + 12 * HOUR),
    "more columns": table(extra={"surprise": 1000}),
}
