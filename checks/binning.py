"""From rows to profiles: the reference fixes the bins, every batch of rows is counted in them.

The edges follow Neyman's smooth tests' needs (SIGNAL.md 2.1): 32 quantile bins, 0.5% tails, two far edges, and a bin
of its own for every value that holds more than 1/64 of the rows.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa

from checks import reading
from checks.profile import IDS_KEPT, SENTINELS, UNSEEN_KEPT, Bins, ColumnProfile, Edges, Kind, Profile
from checks.sketch import ValueSketch, tally

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
    values = reading.texts(array)
    seen = values.values[~values.nulls]
    distinct = len(set(seen))
    if distinct > KNOWN_VALUES or (len(seen) >= DISTINCT_ROWS and distinct > DISTINCT_SHARE * len(seen)):
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
        read = reading.texts(array)
        ranked = [value for value, _ in Counter(read.values[read.ok]).most_common(KNOWN_VALUES)]
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
        read = reading.instants(array)
        origin = times if times is not None else np.zeros(len(read.values))
        # Without an event time there is no age: as good as a null.
        nulls = read.nulls | (np.isnan(origin) & ~read.mistyped)
        return reading.Read((origin - read.values) / SECONDS_PER_HOUR, nulls, read.mistyped)
    return reading.numbers(array)


def profile_column(array: pa.Array, bins: Bins, times: Edges | None = None) -> ColumnProfile:
    """Count one column of one batch in the reference's bins."""
    rows = len(array)
    families = {reading.family(array.type): rows} if rows else {}
    if bins.categorical:
        return _profile_categories(array, bins, families)
    read = measured(array, bins.kind, times)
    values = read.values[read.ok]
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore", invalid="ignore"):  # values near the largest double; the sums then say so
        shifted = finite - bins.centre
        total, squares = float(shifted.sum()), float(shifted @ shifted)
    hours = np.zeros(24, np.int64)
    if bins.kind == "datetime":
        moments = reading.instants(array)
        hours = np.bincount((moments.values[moments.ok] // SECONDS_PER_HOUR % 24).astype(int), minlength=24)
    return ColumnProfile(
        kind=bins.kind,
        rows=rows,
        counts=np.bincount(np.searchsorted(bins.edge_array, values, side="left"), minlength=bins.size),
        nulls=int(read.nulls.sum()),
        mistyped=int(read.mistyped.sum()),
        infinite=int(values.size - finite.size),
        low=float(finite.min()) if finite.size else None,
        high=float(finite.max()) if finite.size else None,
        total=total,
        squares=squares,
        sentinels=np.array([np.count_nonzero(finite == sentinel) for sentinel in SENTINELS], np.int64),
        hours=hours,
        families=families,
    )


def _profile_categories(array: pa.Array, bins: Bins, families: Mapping[str, int]) -> ColumnProfile:
    read = reading.booleans(array) if bins.kind == "boolean" else reading.texts(array)
    counts = np.zeros(bins.size, np.int64)
    unseen: dict[str, int] = {}
    for value, count in tally(read.values[read.ok]).items():
        place = bins.places.get(value)
        if place is None:
            unseen[value] = count
            place = bins.size - 1
        counts[place] += count
    return ColumnProfile(
        kind=bins.kind,
        rows=len(array),
        counts=counts,
        nulls=int(read.nulls.sum()),
        mistyped=int(read.mistyped.sum()),
        unseen=ValueSketch(UNSEEN_KEPT).add(unseen),
        families=families,
    )


def profile_batch(
    batch: pa.RecordBatch | pa.Table, bins: Mapping[str, Bins], *, time: str | None = None, row_id: str | None = None
) -> Profile:
    """Profile one batch of rows.

    Parameters
    ----------
    batch : rows; columns beyond ``bins``, ``time`` and ``row_id`` are counted as extra.
    bins : the reference's bins by column.
    time : name of the event time, already a timestamp in UTC.
    row_id : name of the id column.
    """
    names = set(batch.schema.names)
    rows = batch.num_rows
    times = reading.instants(batch.column(time)).values if time else None
    columns = {
        name: profile_column(batch.column(name), column, times)
        if name in names
        else ColumnProfile(column.kind, rows, np.zeros(column.size, np.int64), absent=rows)
        for name, column in bins.items()
    }
    ids = ValueSketch(IDS_KEPT)
    if row_id is not None and row_id in names:
        read = reading.texts(batch.column(row_id))
        ids = ids.add(tally(read.values[~read.nulls]), keep_values=False)
    seen = times[np.isfinite(times)] if times is not None else np.zeros(0)
    return Profile(
        rows=rows,
        columns=columns,
        extra=dict.fromkeys(sorted(names - bins.keys() - {time, row_id}), rows) if rows else {},
        ids=ids,
        first_event=float(seen.min()) if seen.size else None,
        last_event=float(seen.max()) if seen.size else None,
    )
