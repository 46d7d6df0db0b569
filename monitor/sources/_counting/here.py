"""Numbers of an engine that runs in this process: it reads few columns at a time, and the stream's code counts them.

DuckDB's `histogram` takes some 40 ns a value beside the reading, Arrow and one sort in NumPy some 30; grouping by cells
of a grid costs as much as either, since every step of an expression takes 2 to 5 ns.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from checks.binning import profile_column
from checks.profile import Bins, ColumnProfile
from monitor.sources._ahead import ahead

DIALECTS = ("duckdb",)
_AT_ONCE = 10  # columns that are read together: DuckDB holds a group of rows of each for every thread


def profiles(
    names: Sequence[str], bins: Mapping[str, Bins], batches: Callable[[Sequence[str]], Iterator[pa.RecordBatch]]
) -> dict[str, ColumnProfile]:
    """Return the profiles of columns that hold numbers, or texts that go by their length.

    Parameters
    ----------
    batches : reads columns of the window's rows.
    """
    found = {name: ColumnProfile.empty(bins[name]) for name in names}
    for start in range(0, len(names), _AT_ONCE):
        scratch = np.empty((2, 0))
        with ahead(batches(names[start : start + _AT_ONCE])) as read:
            for batch in read:
                if batch.num_rows > scratch.shape[1]:
                    scratch = np.empty((2, batch.num_rows))
                for name, array in zip(batch.schema.names, batch.columns, strict=True):
                    found[name] += profile_column(array, bins[name], scratch=scratch[:, : len(array)])
    return found
