"""What a command does not load: processes are started for one window, and daemons stay."""

import sqlite3
import subprocess
import sys

import pytest

COMMAND = """
import sys
from monitor.cli import main
try:
    main(sys.argv[1:])
finally:
    print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""
CONFIG = """
store: sqlite:///monitor.db
models:
  m:
    logs: {url: "sqlite:///logs.db", table: log, time: ts}
    reference: {query: "SELECT * FROM log WHERE ts < '2026-03-02'"}
    schedule: {every: 1d}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.yaml").write_text(CONFIG)
    with sqlite3.connect(tmp_path / "logs.db") as connection:
        connection.execute("CREATE TABLE log (ts TEXT, x REAL)")
        rows = [(f"2026-03-{1 + place % 3:02d} 12:00:00", place / 7) for place in range(900)]
        connection.executemany("INSERT INTO log VALUES (?, ?)", rows)
    connection.close()
    return tmp_path


def loaded(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1, 3), done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("package", ["pandas", "rich", "duckdb", "jinja2", "evidently", "slack_sdk", "holidays"])
def test_judging_one_window_loads_no(folder, package):
    assert package not in loaded(folder, "check", "m", "--window", "2026-03-02/2026-03-03", "--json")


def test_pandas_is_there_for_whoever_asks_arrow_for_a_frame():
    script = """
from monitor.cli.light import start_light
start_light()
import pyarrow as pa
print(pa.table({"a": [1]}).to_pandas()["a"].tolist())
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[1]\n"
