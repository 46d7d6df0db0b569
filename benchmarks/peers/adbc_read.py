"""The floor: fetch the window's columns by ADBC and drop them. Arguments: URL, table."""

import json
import sys

import adbc_driver_postgresql.dbapi as adbc

rows = 0
with adbc.connect(sys.argv[1]) as connection, connection.cursor() as cursor:
    cursor.execute(f"SELECT * FROM {sys.argv[2]}")
    for batch in cursor.fetch_record_batch():
        rows += batch.num_rows
print(json.dumps({"rows": rows}))
