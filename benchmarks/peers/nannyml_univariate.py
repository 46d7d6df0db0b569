"""NannyML's univariate drift calculator on two Parquet files. Arguments: reference, current. Prints what it took."""

import json
import sys
import time

import nannyml
import pandas as pd

reference, current = (pd.read_parquet(path).drop(columns=["ts", "id"]) for path in sys.argv[1:3])
flags = [name for name in reference if reference[name].dtype == bool]
for frame in (reference, current):
    frame[flags] = frame[flags].astype("category")
calculator = nannyml.UnivariateDriftCalculator(
    column_names=list(reference), continuous_methods=["kolmogorov_smirnov", "jensen_shannon"],
    categorical_methods=["chi2", "jensen_shannon"], chunk_number=10,
)  # fmt: skip
started = time.perf_counter()
calculator.fit(reference)
fitted = time.perf_counter()
calculator.calculate(current)
print(json.dumps({"seconds": time.perf_counter() - fitted, "fit": fitted - started}))
