"""From rows to profiles: the reference fixes the bins, every batch of rows is counted in them.

The edges follow Neyman's smooth tests' needs (SIGNAL.md 2.1): 32 quantile bins, 0.5% tails, two far edges, and a bin
of its own for every value that holds more than 1/64 of the rows.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from checks import reading
from checks.identity import Ids, hash_ids
from checks.profile import IDS_KEPT, SENTINELS, UNSEEN_KEPT, Bins, ColumnProfile, Edges, Kind, Profile
from checks.sketch import ValueSketch

QUANTILE_BINS = 32
TAIL_SHARE = 0.005
ATOM_SHARE = 1 / (2 * QUANTILE_BINS)
FAR_RANGES = 1.5  # far edges lie this many central ranges beyond the tails
TOP_VALUES = 50
KNOWN_VALUES = 10_000  # beyond, a text column is an identifier in all but name and only its length is watched
DISTINCT_SHARE = 0.5  # likewise where more than half of at least DISTINCT_ROWS rows differ
DISTINCT_ROWS = 200
SECONDS_PER_HOUR = 3600.0


def infer_kind(array: pa.ChunkedArray | pa.Array) -> Kind:
    """Return how a reference column is read best; all-null columns without a type are numeric."""
    kind = reading.family(array.type)
    if kind == "boolean":
        return "boolean"
    if kind == "time":
        return "datetime"
    if kind in ("number", "null"):
        return "numeric"
    found = reading.words(array).tally()
    rows, distinct = sum(found.values()), len(found)
    if distinct > KNOWN_VALUES or (rows >= DISTINCT_ROWS and distinct > DISTINCT_SHARE * rows):
        return "text"
    return "categorical"


def fit(array: pa.ChunkedArray | pa.Array, kind: Kind | None = None, times: Edges | None = None) -> Bins:
    """Fix the bins of one column.

    Parameters
    ----------
    array : the reference's values, shape (rows,).
    kind : how to read them; inferred where None.
    times : event time of every row in seconds, shape (rows,); the age of a datetime is measured from it.
    """
    kind = kind or infer_kind(array)
    if kind == "boolean":
        return Bins(kind, values=("false", "true"))
    if kind == "categorical":
        found = reading.words(array).tally()
        ranked = sorted(found, key=found.__getitem__, reverse=True)[:KNOWN_VALUES]
        return Bins(kind, values=tuple(ranked[:TOP_VALUES]), others=frozenset(ranked[TOP_VALUES:]))
    read = measured(array, kind, times)
    values = read.values[read.ok]
    return _fit_numbers(values[np.isfinite(values)], kind)


def _fit_numbers(values: Edges, kind: Kind) -> Bins:
    if not values.size:
        return Bins(kind)
    ranks = np.concatenate([[TAIL_SHARE], np.arange(1, QUANTILE_BINS) / QUANTILE_BINS, [1 - TAIL_SHARE]])
    # 'lower' picks real values, so that an edge never falls between two representations of one number.
    quantiles = np.quantile(values, ranks, method="lower")
    low, high = float(quantiles[0]), float(quantiles[-1])
    reach = max(high - low, abs(high) * 1e-9, 1e-9)
    distinct, counts = np.unique(values, return_counts=True)
    atoms = distinct[counts > ATOM_SHARE * values.size]
    far = [low - FAR_RANGES * reach, high + FAR_RANGES * reach]
    with np.errstate(over="ignore"):
        edges = np.unique(np.concatenate([far, quantiles, atoms, np.nextafter(atoms, -np.inf)]))
    edges = edges[np.isfinite(edges)]
    return Bins(
        kind,
        edges=tuple(edges.tolist()),
        tails=(low, high),
        atoms=tuple(atoms.tolist()),
        centre=float(quantiles[QUANTILE_BINS // 2]),
        integral=bool((values == np.round(values)).all()),
    )


def fit_table(
    table: pa.Table, kinds: Mapping[str, Kind] | None = None, *, time: str | None = None, skip: Iterable[str] = ()
) -> dict[str, Bins]:
    """Fix the bins of every column of a reference but ``time`` and ``skip``.

    Parameters
    ----------
    table : the reference's rows, or a sample of them.
    kinds : how to read columns, where inference should not decide.
    time : name of the event time, as a timestamp.
    """
    times = reading.instants(table.column(time)).values if time else None
    left_out = {time, *skip}
    return {
        name: fit(table.column(name), (kinds or {}).get(name), times)
        for name in table.column_names
        if name not in left_out
    }


def measured(array: pa.Array, kind: Kind, times: Edges | None) -> reading.Read:
    """Read the number that is binned: the value, a text's length, or a datetime's age in hours at the event."""
    if kind == "text":
        return reading.lengths(array)
    if kind == "datetime":
        return _ages(reading.instants(array), times)
    return reading.numbers(array)


def _ages(read: reading.Read, times: Edges | None) -> reading.Read:
    """Return the hours that lie between points in time and the events."""
    origin = times if times is not None else np.zeros(len(read.values))
    # Without an event time there is no age: as good as a null.
    nulls = read.nulls | (np.isnan(origin) & ~read.mistyped)
    return reading.Read((origin - read.values) / SECONDS_PER_HOUR, nulls, read.mistyped)


def profile_column(
    array: pa.Array, bins: Bins, times: Edges | None = None, scratch: Edges | None = None
) -> ColumnProfile:
    """Count one column of one batch in the reference's bins.

    Parameters
    ----------
    array : the values, shape (rows,).
    times : event time of every row in seconds, shape (rows,).
    scratch : memory to work in, shape (2, rows); fresh memory for each column costs as much as counting it.
    """
    rows = len(array)
    families = {reading.family(array.type): rows} if rows else {}
    if bins.categorical:
        return _profile_categories(array, bins, families)
    hours = np.zeros(24, np.int64)
    if bins.kind == "datetime":
        moments = reading.instants(array)
        hours = np.bincount((moments.values[moments.ok] // SECONDS_PER_HOUR).astype(np.int64) % 24, minlength=24)
        read = _ages(moments, times)
    else:
        read = measured(array, bins.kind, times)
    ordered, shifted = np.empty((2, rows)) if scratch is None else scratch
    np.copyto(ordered, read.values)
    ordered.sort()  # one sort answers every question about order: half the time of a search for each value's bin
    nulls, mistyped = int(np.count_nonzero(read.nulls)), int(np.count_nonzero(read.mistyped))
    present = rows - nulls - mistyped
    ordered = ordered[:present]  # what is null or mistyped is NaN, which comes last
    first, last = np.searchsorted(ordered, -np.inf, side="right"), np.searchsorted(ordered, np.inf, side="left")
    finite = ordered[first:last]
    with np.errstate(over="ignore", invalid="ignore"):  # values near the largest double; the sums then say so
        shifted = np.subtract(finite, bins.centre, out=shifted[: len(finite)])
        total = float(shifted.sum())
        squares = float(np.square(shifted, out=shifted).sum())  # not a product: threads of BLAS fight for the cores
    below = np.searchsorted(ordered, bins.edge_array, side="right")
    return ColumnProfile(
        kind=bins.kind,
        rows=rows,
        counts=np.diff(below, prepend=0, append=present),
        nulls=nulls,
        mistyped=mistyped,
        infinite=present - len(finite),
        low=float(finite[0]) if finite.size else None,
        high=float(finite[-1]) if finite.size else None,
        total=total,
        squares=squares,
        sentinels=np.searchsorted(finite, SENTINELS, side="right") - np.searchsorted(finite, SENTINELS, side="left"),
        hours=hours,
        families=families,
    )


def _profile_categories(array: pa.Array, bins: Bins, families: Mapping[str, int]) -> ColumnProfile:
    read = reading.words(array)
    return profile_words(read.tally(), bins, int(np.count_nonzero(read.nulls)), families)


def profile_words(found: Mapping[str, int], bins: Bins, nulls: int, families: Mapping[str, int]) -> ColumnProfile:
    """Count categories in the reference's bins.

    Parameters
    ----------
    found : how often each text occurs.
    nulls : rows without one.
    families : rows by type as it arrived.
    """
    rows, mistyped = sum(found.values()) + nulls, 0
    if bins.kind == "boolean":
        found, mistyped = _as_truth(found)
    counts = np.zeros(bins.size, np.int64)
    unseen: dict[str, int] = {}
    for value, count in found.items():
        place = bins.places.get(value)
        if place is None:
            unseen[value] = count
            place = bins.size - 1
        counts[place] += count
    return ColumnProfile(
        kind=bins.kind,
        rows=rows,
        counts=counts,
        nulls=nulls,
        mistyped=mistyped,
        unseen=ValueSketch(UNSEEN_KEPT).add(unseen),
        families=families,
    )


def _as_truth(found: Mapping[str, int]) -> tuple[dict[str, int], int]:
    """Return how often true and false occur among words, and how many rows hold another word."""
    counts: dict[str, int] = {}
    mistyped = 0
    for word, count in found.items():
        meant = reading.truth(word)
        if meant is None:
            mistyped += count
        else:
            counts[meant] = counts.get(meant, 0) + count
    return counts, mistyped


def profile_batch(
    batch: pa.RecordBatch | pa.Table,
    bins: Mapping[str, Bins],
    *,
    time: str | None = None,
    row_id: str | None = None,
    ids: Ids | None = None,
) -> Profile:
    """Profile one batch of rows.

    Parameters
    ----------
    batch : rows; columns beyond ``bins``, ``time`` and ``row_id`` are counted as extra.
    bins : the reference's bins by column.
    time : name of the event time, already a timestamp in UTC.
    row_id : name of the id column.
    ids : those of the batch, where they are hashed already.
    """
    names = set(batch.schema.names)
    rows = batch.num_rows
    times = reading.instants(batch.column(time)).values if time else None
    scratch = np.empty((2, rows))
    columns = {
        name: profile_column(batch.column(name), column, times, scratch)
        if name in names
        else ColumnProfile(column.kind, rows, np.zeros(column.size, np.int64), absent=rows)
        for name, column in bins.items()
    }
    if ids is None and row_id is not None and row_id in names:
        ids = hash_ids(batch.column(row_id))
    sketch = ValueSketch(IDS_KEPT)
    seen = times[np.isfinite(times)] if times is not None else np.zeros(0)
    return Profile(
        rows=rows,
        columns=columns,
        extra=dict.fromkeys(sorted(names - bins.keys() - {time, row_id}), rows) if rows else {},
        ids=sketch if ids is None else sketch.add_hashes(ids.hashes[~ids.nulls]),
        first_event=float(seen.min()) if seen.size else None,
        last_event=float(seen.max()) if seen.size else None,
    )
