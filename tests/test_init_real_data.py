"""`monitor init` on logs that it has never seen, in three places: the same rows must give the same findings everywhere."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

DATA = Path(__file__).parents[1].parent / "shared/data"
PLACES = ("sqlite", "postgresql", "parquet")
SQL_TYPES = {
    "int64": "bigint", "int16": "smallint", "int8": "smallint", "double": "double precision", "float": "real",
    "bool": "boolean", "large_string": "text", "timestamp[ms, tz=UTC]": "timestamptz",
}  # fmt: skip

# Window to whether it must breach, by the data set's own truth.json: carloan is calm at first; a surcharge begins with
# the taxis' stream, then comes the pandemic, and the last window holds their gross distance.
WINDOWS = {
    "carloan": {"2019-01-01/2019-02-01": False},
    "nyc_taxi": {"2019-02-04/2019-02-08": True, "2020-05-01/2020-05-08": True, "2020-11-27/2020-11-29": True},
}

# What 17 rows a day show only as evidence gathers: by truth.json the cars are worth more from 31 March 2019 on.
GATHERED = ("2019-04-08", "2019-05-08", "car_value")


def carloan():
    folder = DATA / "carloan/small"
    return pq.read_table(folder / "reference.parquet"), pq.read_table(folder / "stream.parquet")


def nyc_taxi():
    """A fifth of the reference; of the stream the windows, and the trips from another year."""
    folder = DATA / "nyc_taxi"
    reference = pq.read_table(folder / "reference.parquet")
    stream = pq.read_table(folder / "stream.parquet")
    days = pc.strftime(stream["ts"], "%Y-%m-%d")
    wanted = pc.or_(pc.less(days, "2019-01-01"), pc.greater(days, "2021-01-01"))
    for window in WINDOWS["nyc_taxi"]:
        start, end = window.split("/")
        wanted = pc.or_(wanted, pc.and_(pc.greater_equal(days, start), pc.less(days, end)))
    return reference.take(list(range(0, reference.num_rows, 5))), stream.filter(wanted)


def spelled(rows):
    """Rows for a driver, times as ISO text."""
    columns = rows.set_column(1, "ts", pc.strftime(rows["ts"].cast(pa.timestamp("ms")), "%Y-%m-%dT%H:%M:%SZ"))
    return list(zip(*(column.to_pylist() for column in columns.itercolumns()), strict=True))


def fill_sqlite(rows, folder):
    columns = ", ".join(f'"{field.name}" {SQL_TYPES[str(field.type)]}' for field in rows.schema)
    with closing(sqlite3.connect(folder / "logs.db")) as connection, connection:
        connection.execute(f"CREATE TABLE predictions ({columns})".replace("timestamptz", "text"))
        marks = ", ".join("?" * rows.num_columns)
        connection.executemany(f"INSERT INTO predictions VALUES ({marks})", spelled(rows))
        connection.execute("CREATE INDEX by_time ON predictions (ts)")


def fill_postgresql(rows, url):
    columns = ", ".join(f'"{field.name}" {SQL_TYPES[str(field.type)]}' for field in rows.schema)
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        connection.execute(f"CREATE TABLE predictions ({columns})")
        with connection.cursor().copy("COPY predictions FROM STDIN") as copy:
            for row in spelled(rows):
                copy.write_row(row)
        connection.execute("CREATE INDEX by_time ON predictions (ts)")


@pytest.fixture(params=["carloan", "nyc_taxi"])
def configured(request, tmp_path, postgres_url, monkeypatch, run):
    """One data set in three places with the configurations that `monitor init` wrote: windows, place to config."""
    if not DATA.is_dir():
        pytest.skip("the shared data sets are not here")
    reference, stream = {"carloan": carloan, "nyc_taxi": nyc_taxi}[request.param]()
    pq.write_table(reference, tmp_path / "reference.parquet")
    monkeypatch.setenv("LEEWAY_LOGS_URL", postgres_url)
    configs = {}
    for place in PLACES:
        folder = tmp_path / place
        folder.mkdir()
        if place == "sqlite":
            fill_sqlite(stream, folder)
            logs = ["--logs", f"sqlite:///{folder}/logs.db", "--table", "predictions"]
        elif place == "postgresql":
            fill_postgresql(stream, postgres_url)
            logs = ["--logs", postgres_url, "--table", "predictions"]
        else:
            pq.write_table(stream, folder / "stream.parquet")
            logs = ["--logs", str(folder / "stream.parquet")]
        configs[place] = str(folder / "config.yaml")
        code, _, err = run("init", *logs, "--time", "ts", "--id", "prediction_id", "--model", request.param,
                            "--reference", str(tmp_path / "reference.parquet"), "--prediction", "prediction",
                            "-o", configs[place])  # fmt: skip
        assert code == 0, err
    return WINDOWS[request.param], configs


def test_what_init_writes_is_accepted_and_judges_alike_wherever_the_rows_are(configured, run):
    windows, configs = configured
    for path in configs.values():
        code, out, _ = run("config", "check", "--connect", "-c", path, "--json")
        assert (code, json.loads(out)["connections"][-1]["outcome"]) == (0, "ok"), out
    for window, breaks in windows.items():
        findings, _ = alike(run, configs, breaks, "check", "--window", window)
        verdicts = {finding["verdict"] for finding in findings}
        assert ("breach" in verdicts, "failed" in verdicts) == (breaks, False)


@pytest.mark.parametrize("configured", ["carloan"], indirect=True)
def test_evidence_gathers_alike_wherever_the_rows_are(configured, run):
    start, end, column = GATHERED
    _, incidents = alike(run, configured[1], 1, "backtest", "--from", start, "--to", end)
    (incident,) = incidents
    assert column in incident["columns"]
    assert incident["onset"] < "2019-04-15"


def alike(run, configs, code, *command):
    """Run a command on every place; gives the findings and incidents, which must be the same everywhere."""
    answers = []
    for path in configs.values():
        ended, out, err = run(*command, "-c", path, "--json")
        assert ended == code, err
        document = json.loads(out)
        incidents = [{**incident, "opened_at": "when it is looked at"} for incident in document["incidents"]]
        answers.append((document["findings"], incidents))
    assert answers[0] == answers[1] == answers[2]
    return answers[0]
