"""Categories counted in a database: it groups, and what a value is called is said by the code that reads streams."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from checks import reading
from checks.binning import profile_words
from checks.profile import Bins, ColumnProfile
from monitor.sources._arrow import text_of
from monitor.sources._counting.columns import Stored
from monitor.sources._counting.sql import Word

_AT_A_TIME = 20_000  # distinct values held; a category may turn out to be an id
Group = tuple[int, Any, int]


def texts(columns: Sequence[Stored], rows: sa.Select[Any]) -> sa.CompoundSelect[Any] | sa.Select[Any]:
    """Return one statement for all columns of texts: the number of the column, a value, and its rows."""
    branches = [_grouped(place, Word(column.column), rows) for place, column in enumerate(columns)]
    return sa.union_all(*branches) if len(branches) > 1 else branches[0]


def _grouped(place: int, value: Any, rows: sa.Select[Any]) -> sa.Select[Any]:
    inner = rows.with_only_columns(value.label("v"), maintain_column_froms=True).subquery("held")
    counted = sa.func.count().label("n")
    return sa.select(sa.literal_column(str(place)).label("c"), inner.c.v, counted).group_by(inner.c.v)


def values(column: Stored, rows: sa.Select[Any]) -> sa.Select[Any]:
    """Return the statement for a column of another type: a value under the column's name, and its rows."""
    inner = rows.with_only_columns(column.column.label("v"), maintain_column_froms=True).subquery("held")
    return sa.select(inner.c.v.label(column.name), sa.func.count().label("n")).group_by(inner.c.v)


def of_texts(columns: Sequence[Stored], bins: Mapping[str, Bins], answers: Iterable[Group]) -> dict[str, ColumnProfile]:
    """Return the profiles of columns of texts, from the answers to :func:`texts`."""
    found = {column.name: ColumnProfile.empty(bins[column.name]) for column in columns}
    for chunk in _chunks(answers):
        for place, column in enumerate(columns):
            groups = [(text_of(value), count) for number, value, count in chunk if int(number) == place]
            if groups:
                held, counts = zip(*groups, strict=True)
                profile = of_values(pa.array(held, pa.string()), counts, bins[column.name])
                found[column.name] += profile
    return found


def of_values(array: pa.Array, counts: Sequence[int], bins: Bins) -> ColumnProfile:
    """Return the profile of rows that hold these values so often; of every value at most one entry is needed."""
    words = reading.words(array)
    tally: dict[str, int] = {}
    nulls = 0
    for code, count in zip(words.codes.tolist(), map(int, counts), strict=True):
        if code == len(words.spelled):
            nulls += count
        else:
            tally[words.spelled[code]] = tally.get(words.spelled[code], 0) + count
    return profile_words(tally, bins, nulls, {reading.family(array.type): int(np.sum(counts, dtype=np.int64))})


def _chunks(answers: Iterable[Group]) -> Iterator[list[Group]]:
    waiting = iter(answers)
    while chunk := list(islice(waiting, _AT_A_TIME)):
        yield chunk
