"""Evidently's preset for data drift on two Parquet files. Arguments: reference, current. Prints the seconds it took."""

import json
import sys
import time

import pandas as pd
from evidently import Report
from evidently.presets import DataDriftPreset

reference, current = (pd.read_parquet(path).drop(columns=["ts", "id"]) for path in sys.argv[1:3])
started = time.perf_counter()
Report([DataDriftPreset()]).run(current, reference).json()
print(json.dumps({"seconds": time.perf_counter() - started}))
