"""What a cron job does: pandas.read_sql, then Evidently's preset for data drift. Arguments: URL, table, reference."""

import json
import sys

import pandas as pd
import sqlalchemy as sa
from evidently import Report
from evidently.presets import DataDriftPreset

engine = sa.create_engine(sys.argv[1].replace("postgresql://", "postgresql+psycopg://", 1))
with engine.connect() as connection:
    current = pd.read_sql(sa.text(f"SELECT * FROM {sys.argv[2]}"), connection).drop(columns=["ts", "id"])
reference = pd.read_parquet(sys.argv[3]).drop(columns=["ts", "id"])
found = Report([DataDriftPreset()]).run(current, reference)
print(json.dumps({"metrics": len(json.loads(found.json())["metrics"])}))
