"""alibi-detect's KSDrift on the numeric columns of two Parquet files. Arguments: reference, current."""

import json
import sys
import time

import pandas as pd
from alibi_detect.cd import KSDrift

reference, current = (pd.read_parquet(path).drop(columns=["ts", "id"]) for path in sys.argv[1:3])
numeric = list(reference.select_dtypes("number"))
detector = KSDrift(reference[numeric].fillna(0).to_numpy())
started = time.perf_counter()
detector.predict(current[numeric].fillna(0).to_numpy())
print(json.dumps({"seconds": time.perf_counter() - started, "columns": len(numeric)}))
