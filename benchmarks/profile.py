"""What a profile costs: counting rows in the reference's bins, beside NumPy's cheapest histogram of the same arrays.

Both run in this process, one after the other, several times; the ratio of the best times is the figure. `--rows` and
`--columns` size the table.
"""

import argparse
import platform

import numpy as np
import pyarrow as pa
from timing import best

from checks.binning import fit_table, profile_batch


def main() -> None:
    """Measure and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=60)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    arrays = {f"c{i}": rng.normal(size=options.rows) for i in range(options.columns)}
    table = pa.table(arrays)
    bins = fit_table(table.slice(0, 20_000))
    ours = best(lambda: profile_batch(table, bins))
    floor = best(lambda: [np.histogram(values, bins=36) for values in arrays.values()])
    print(
        f"{options.rows:,} rows x {options.columns} columns: profile {ours:.3f} s, np.histogram {floor:.3f} s, "
        f"ratio {ours / floor:.2f} (Python {platform.python_version()}, NumPy {np.__version__})"
    )


if __name__ == "__main__":
    main()
