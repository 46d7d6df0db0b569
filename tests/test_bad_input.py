"""What bad input gets: a clear sentence or a finding, the exit code that fits, never a traceback, never a secret."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.notice import Attempt, Delivered, Notice
from monitor.cycle import Cycle
from monitor.notifiers._blocks import render_slack
from monitor.notifiers.stdout import Stdout
from monitor.store import bodies
from monitor.store import outbox as outbox_rows
from monitor.store.schema import open_store
from monitor.watch import watches
from tests.worlds import CONFIG, REFERENCE_DAYS, START, rows_of, world

DAY = "2026-01-05/2026-01-06"


@pytest.fixture
def judged(run, tmp_path):
    """Judge the first day of a log that ``change`` has broken, against a reference that ``before`` has."""

    def judge(change=None, before=None, config=CONFIG, days=1):
        world(tmp_path, days, change, config)
        if before is not None:
            rows = rows_of(START - timedelta(days=REFERENCE_DAYS), REFERENCE_DAYS, 1)
            before(rows)
            pq.write_table(pa.table(rows), tmp_path / "reference.parquet")
        return found(run("check", "--window", DAY, "--json"))

    return judge


def found(result):
    """Exit code, the breaching or failed (column, check) pairs, and the whole document."""
    code, out, _ = result
    document = json.loads(out)
    pairs = {(f["column"], f["check"]) for f in document["findings"] if f["verdict"] in ("breach", "failed")}
    assert not [f["reason"] for f in document["findings"] if f["verdict"] == "failed"]
    return code, pairs, document


def put(column, value, every=1):
    """Write a value into every so many rows of a column."""

    def change(rows):
        size = len(rows["id"])
        old = rows.get(column, [None] * size)
        rows[column] = [value if place % every == 0 else old[place] for place in range(size)]

    return change


def each(column, make):
    """Replace every value of a column by what ``make`` makes of it."""

    def change(rows):
        rows[column] = [make(value) for value in rows[column]]

    return change


def statements(folder, *sql):
    with closing(sqlite3.connect(folder / "logs.db")) as connection, connection:
        for statement in sql:
            connection.execute(statement)


# --- the configuration -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "place", "said"),
    [
        ("    checks: auto", "    chekcs: auto", "7:5", "did you mean 'checks'?"),
        ("checks: auto", "checks: [kss]", "7:14", "there is no check 'kss'; did you mean 'ks'?"),
        ("every: 1d", "every: 1 fortnight", "6:23", "such as 15m, 6h, 1d or 2w"),
        ("every: 1d", "every: 3600", "6:23", "write the unit too"),
        ("sqlite:///logs.db", "${LEEWAY_NO_SUCH}", "4:17", "the environment variable LEEWAY_NO_SUCH is not set"),
        ("delay: 1h", "delay: 1h, timezone: Mars/Olympus", "6:48", "'Mars/Olympus' is no time zone"),
        ("sqlite:///monitor.db", "monitor.db", "1:8", "SQLAlchemy URL"),
        ("table: predictions", 'query: "DELETE FROM predictions"', "4:11", "must be a SELECT"),
    ],
)
def test_a_mistake_in_the_configuration_is_shown_with_its_place_and_a_remedy(run, tmp_path, old, new, place, said):
    world(tmp_path, 1, config=CONFIG.replace(old, new))
    for command in (("check",), ("config", "check", "--connect"), ("run",), ("status",)):
        code, out, err = run(*command)
        assert (code, out) == (2, "")
        assert f"config.yaml:{place}" in err
        assert said in err
        assert "Nothing was started" in err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"- a\n- b\n", b"a: [1\nb: {", b"models: {}\n"])
def test_a_file_that_is_no_configuration_is_the_users_mistake(run, tmp_path, content):
    (tmp_path / "config.yaml").write_bytes(content)
    code, _, err = run("check")
    assert code == 2
    assert "1 problem in config.yaml" in err


def test_a_configuration_that_is_a_directory_is_named(run, tmp_path):
    code, _, err = run("check", "-c", str(tmp_path))
    assert code == 2
    assert "directory" in err


# --- the log -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("table: predictions", "table: prediction", "no table or view 'prediction' in the database; did you mean"),
        ("time: ts", "time: tss", "logs.time: there is no column 'tss' in table 'predictions'; did you mean 'ts'?"),
        ("id: id", "id: idd", "logs.id: there is no column 'idd'"),
        ("sqlite:///logs.db", "sqlite:///nowhere.db", "nowhere.db; look at logs.url"),
        ("table: predictions", 'query: "SELECT * FORM predictions"', "syntax error"),
        ("sqlite:///logs.db", "oracle://u:hunter2@h/db", "the driver oracledb, which is not installed"),
        ("reference.parquet", "nope.parquet", "there is no file nope.parquet"),
        ("reference.parquet", "config.yaml", "neither a .parquet nor a .csv file"),
        ("sqlite:///monitor.db", "sqlite:////nowhere/monitor.db", "the folder /nowhere does not exist"),
        ("sqlite:///monitor.db", "mysql://u:hunter2@h/db", "mysql is not supported"),
    ],
)
def test_what_is_not_there_is_the_users_mistake_and_is_named(run, tmp_path, old, new, said):
    world(tmp_path, 1, config=CONFIG.replace(old, new))
    code, out, err = run("check", "--window", DAY)
    assert code == 2
    assert said in err.replace(f"{tmp_path}/", "")
    connected, shown, _ = run("config", "check", "--connect")
    assert connected == 2
    assert said in shown.replace(f"{tmp_path}/", "")
    assert "hunter2" not in out + err + shown


@pytest.mark.parametrize("key", ["logs", "store"])
def test_a_database_that_is_away_exits_with_3_and_keeps_its_password(run, tmp_path, key):
    old = {"logs": "sqlite:///logs.db", "store": "sqlite:///monitor.db"}[key]
    world(tmp_path, 1, config=CONFIG.replace(old, "postgresql://u:hunter2@127.0.0.1:1/db"))
    for command in (("check", "--window", DAY), ("config", "check", "--connect")):
        code, out, err = run(*command)
        assert code == 3
        assert "127.0.0.1" in out + err
        assert "hunter2" not in out + err


@pytest.mark.parametrize("column", ["plan", "age", "flag"])
def test_a_time_column_that_holds_no_times_is_said_with_what_it_holds(run, tmp_path, column):
    world(tmp_path, 1, config=CONFIG.replace("time: ts", f"time: {column}"))
    code, out, _ = run("config", "check", "--connect", "--json")
    assert code == 2
    (line,) = [line for line in json.loads(out)["connections"] if line["outcome"] == "error"]
    assert f"column {column!r}" in line["detail"]
    assert "ISO 8601" in line["detail"]
    assert run("check", "--window", DAY)[0] == 2


def test_times_without_a_zone_are_read_as_utc_and_that_is_said(run, tmp_path):
    world(tmp_path, 1)
    code, out, _ = run("config", "check", "--connect")
    assert code == 0
    assert "name no zone and are read as UTC; set logs.timezone" in out


def test_rows_whose_time_is_none_do_not_stop_the_others_and_are_said(run, tmp_path):
    world(tmp_path, 1)
    statements(tmp_path, "DROP INDEX predictions_ts", "UPDATE predictions SET ts = 'soon' WHERE id % 3 = 1")
    code, document = run("check", "--window", DAY, "--json")[:2]
    assert code == 0
    assert max(finding["rows"] for finding in json.loads(document)["findings"]) == 200
    assert "some rows hold 'soon' in 'ts', which is no time" in run("config", "check", "--connect")[1]


@pytest.mark.parametrize("stray", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "99999-01-01"])
def test_times_at_the_ends_of_the_calendar_do_not_hide_the_last_window(run, tmp_path, stray):
    world(tmp_path, 1)
    statements(tmp_path, f"UPDATE predictions SET ts = '{stray}' WHERE id % 2")
    code, out, err = run("check", "--json")
    assert code == 0
    assert json.loads(out)["window"]["start"] == "2026-01-05T00:00:00Z"
    assert "ends at 2026-01-05" in err


def test_a_log_without_rows_is_not_calm(run, tmp_path):
    world(tmp_path, 0)
    code, out, err = run("check", "--json")
    assert code == 3
    assert {finding["verdict"] for finding in json.loads(out)["findings"]} == {"inconclusive"}
    assert "nothing can be concluded" in err
    code, out, _ = run("config", "check", "--connect")
    assert code == 0
    assert "has no rows with a time yet" in out


def test_an_empty_window_far_in_the_future_says_that_nothing_can_be_concluded(run, tmp_path):
    world(tmp_path, 1)
    code, out, err = run("check", "--window", "2199-01-01/2199-01-02", "--json")
    assert code == 3
    assert {finding["verdict"] for finding in json.loads(out)["findings"]} == {"inconclusive"}
    assert "0 rows of churn" in err


def test_an_empty_window_after_full_ones_is_a_breach(run, tmp_path):
    world(tmp_path, 5)
    backtest = json.loads(run("backtest", "--from", "2026-01-05", "--to", "2026-01-12", "--json")[1])
    assert {"row_count", "freshness"} <= {finding["check"] for finding in backtest["findings"]}


@pytest.mark.parametrize("window", ["0001-01-01/0001-01-02", "9999-12-30/9999-12-31", "2026-02-31/2026-03-01", "/"])
def test_a_window_outside_of_the_calendar_is_a_mistake(run, tmp_path, window):
    world(tmp_path, 1)
    assert run("check", "--window", window)[0] == 2
    start, _, end = window.partition("/")
    assert run("backtest", "--from", start, "--to", end)[0] == 2


# --- the reference -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pa.table({"x": [1.0] * 300}), "has none of the log's columns; it has 'x', the log has 'id', 'ts', 'age'"),
        (pa.table({"age": pa.array([], pa.float64())}), "is empty; a reference needs rows"),
        (b"no Parquet at all", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_a_reference_that_cannot_be_used_is_the_users_mistake(run, tmp_path, content, said):
    world(tmp_path, 1)
    if isinstance(content, bytes):
        (tmp_path / "reference.parquet").write_bytes(content)
    else:
        pq.write_table(content, tmp_path / "reference.parquet")
    code, _, err = run("check", "--window", DAY)
    assert code == 2
    assert said in err


@pytest.mark.parametrize("text", ["some prose\nand more, of it\n", "age,amount\n", 'a,"b\n'])
def test_a_csv_that_is_none_or_empty_is_the_users_mistake(run, tmp_path, text):
    world(tmp_path, 1, config=CONFIG.replace("reference.parquet", "reference.csv"))
    (tmp_path / "reference.csv").write_text(text)
    code, _, err = run("check", "--window", DAY)
    assert code == 2
    assert "reference" in err


def test_reference_times_at_the_ends_of_the_calendar_are_in_no_window(judged):
    def strays(rows):
        rows["ts"][:2] = [rows["ts"][0].replace(year=1), rows["ts"][0].replace(year=9999)]

    code, pairs, _ = judged(before=strays)
    assert (code, pairs) == (0, set())


# --- values ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [
        ("age", None, "null_rate"),
        ("plan", None, "null_rate"),
        ("age", 40.0, "constant"),
        ("plan", "basic", "category_shift"),
        ("age", float("inf"), "non_finite"),
        ("age", "forty", "type_change"),
        ("age", "2026-01-01", "type_change"),
        ("age", "1e400", "non_finite"),
        ("flag", "perhaps", "type_change"),
        ("plan", b"\xff\xfe", "unseen_category"),
        ("id", 9223372036854775807, "duplicate_ids"),
    ],
)
def test_a_column_full_of_one_odd_value_is_a_finding(judged, column, value, check):
    code, pairs, document = judged(put(column, value))
    assert code == 1
    assert (None if column == "id" else column, check) in pairs
    assert document["incidents"]


@pytest.mark.parametrize("column", ["age", "plan"])
def test_a_column_that_is_null_in_the_reference_too_is_no_finding(judged, run, column):
    code, pairs, _ = judged(put(column, None), put(column, None))
    assert (code, pairs) == (0, set())
    assert f"no finite value in '{column}'" in run("config", "check", "--connect")[1]


def test_a_column_that_was_null_in_the_reference_alone_is_a_finding(judged):
    code, pairs, _ = judged(before=put("age", None))
    assert code == 1
    assert ("age", "null_rate") in pairs


def test_a_column_that_was_constant_in_the_reference_alone_is_a_finding(judged):
    code, pairs, _ = judged(before=put("age", 40.0))
    assert code == 1
    assert {column for column, _ in pairs} == {"age"}


def test_a_column_that_is_constant_in_both_is_no_finding(judged):
    assert judged(put("age", 40.0), put("age", 40.0))[:2] == (0, set())


def test_a_few_infinities_are_a_finding_and_spoil_no_other_number(judged):
    code, _, document = judged(put("age", float("-inf"), every=10))
    assert code == 1
    by_check = {f["check"]: f for f in document["findings"] if f["column"] == "age"}
    assert by_check["non_finite"]["effect"] == pytest.approx(0.1)
    assert by_check["null_rate"]["effect"] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("value", [1e308, -1.7e308])
def test_numbers_at_the_end_of_the_floats_are_counted_without_overflow(judged, value):
    code, pairs, _ = judged(put("age", value, every=10), put("age", -value, every=10))
    assert code == 1
    assert {column for column, _ in pairs} == {"age"}


def test_duplicated_ids_are_a_finding(judged):
    def twice(rows):
        rows["id"] = [place // 2 for place in rows["id"]]

    code, pairs, document = judged(twice)
    assert (code, pairs) == (1, {(None, "duplicate_ids")})
    assert document["incidents"][0]["diagnosis"] == "duplicated rows"


def test_ten_thousand_categories_in_both_are_watched_without_a_false_alarm(judged):
    def many(rows):
        rows["plan"] = [f"v{place % 10_000}" for place in range(len(rows["plan"]))]

    assert judged(many, many)[:2] == (0, set())


def test_a_renamed_column_is_missing_and_its_new_name_is_new(judged, run):
    def rename(rows):
        rows["Age"] = rows.pop("age")

    code, pairs, document = judged(rename, config=CONFIG.replace("checks: auto", "checks: [auto, new_column]"))
    assert code == 1
    assert ("age", "missing_column") in pairs
    assert "'age'" in run("config", "check", "--connect")[1]
    assert not [finding for finding in document["findings"] if finding["column"] == "Age"]


def test_numbers_that_arrive_as_text_are_compared_and_said(judged):
    code, pairs, document = judged(each("age", str))
    assert (code, pairs) == (1, {("age", "type_change")})
    location = next(f for f in document["findings"] if (f["column"], f["check"]) == ("age", "location"))
    assert location["verdict"] == "pass"


@pytest.mark.parametrize("spelled", [int, lambda flag: "Y" if flag else "N", lambda flag: str(flag).lower()])
def test_booleans_may_come_as_0_and_1_or_as_words(judged, spelled):
    assert judged(each("flag", spelled))[:2] == (0, set())


# --- JSON features -----------------------------------------------------------------------------------------------

FEATURES = CONFIG.replace("id: id}", "id: id, features: features}")


def features(spell):
    """Put the features into one JSON column, spelled row by row by ``spell(place, features)``."""

    def change(rows):
        names = ("age", "amount", "plan", "flag")
        columns = [rows.pop(name) for name in names]
        rows["features"] = [
            spell(place, dict(zip(names, values, strict=True)))
            for place, values in enumerate(zip(*columns, strict=True))
        ]

    return change


def test_a_json_column_is_read_like_columns(judged):
    assert judged(features(lambda _, row: json.dumps(row)), config=FEATURES)[:2] == (0, set())


def test_broken_json_in_some_rows_costs_those_rows_alone(judged):
    code, pairs, document = judged(features(lambda place, row: "{" if place % 2 else json.dumps(row)), config=FEATURES)
    assert code == 1
    assert {(name, "null_rate") for name in ("age", "amount", "plan", "flag")} <= pairs
    assert max(finding["rows"] for finding in document["findings"]) == 300


@pytest.mark.parametrize(
    ("change", "pair"),
    [
        ({"plan": "\ud800"}, ("plan", "unseen_category")),
        ({"plan": "a\x00b"}, ("plan", "unseen_category")),
        ({"plan": {"nested": [1]}}, ("plan", "unseen_category")),
        ({"age": 10**30}, ("age", "out_of_range")),
        ({"age": float("nan")}, ("age", "null_rate")),
    ],
)
def test_json_values_that_no_column_holds_are_findings(judged, change, pair):
    code, pairs, _ = judged(features(lambda _, row: json.dumps({**row, **change})), config=FEATURES)
    assert code == 1
    assert pair in pairs


@pytest.mark.parametrize("text", ["[" * 100_000, '{"age": ' + "1" * 5_000 + "}", "[1]", None])
def test_a_json_column_without_any_object_is_the_users_mistake(run, tmp_path, text):
    world(tmp_path, 1, features(lambda _, __: text), FEATURES)
    code, _, err = run("check", "--window", DAY)
    assert code == 2
    assert "none of the log's columns" in err


def test_a_json_key_that_cannot_be_encoded_spoils_nothing(judged):
    assert judged(features(lambda _, row: json.dumps({**row, "\ud800": 1})), config=FEATURES)[:2] == (0, set())


# --- hostile words -----------------------------------------------------------------------------------------------

NAMES = [
    'a "quoted" \'name\'', "with  spaces", "\U0001f600 smile", "<script>alert(1)</script>", "; DROP TABLE predictions",
    "per%cent", "back\\slash", "two\nlines", "\x1b[31mred", "colon:name", "q?mark", "{brace}", "dot.name",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_column_may_have_any_name(judged, run, name):
    def add(rows):
        rows[name] = list(rows["age"])

    code, pairs, _ = judged(put(name, None), add)
    assert (code, pairs) == (1, {(name, "null_rate")})
    code, out, err = run("check", "--window", DAY)
    assert code == 1
    assert "\x1b" not in out + err
    assert run("init", "--logs", "sqlite:///logs.db", "--table", "predictions", "--time", "ts", "--reference",
               "reference.parquet", "-o", "second.yaml")[0] == 0  # fmt: skip
    assert run("config", "check", "--connect", "-c", "second.yaml")[0] == 0


VALUES = [
    "<!channel>", "<script>alert(1)</script>", "*bold* _it_ `code` <@U1> &amp;", "a\x00b", "\x1b[31mred\x1b[0m", "\x9b31m",
    "\x07", "\u202egnp.exe", "one\ntwo", "\"'\\,;", "=1+1",
]  # fmt: skip


@pytest.fixture
def told(tmp_path, run, capsys):
    """Let the daemon's cycle see a hostile category; gives what every reader gets: commands, report, Slack, a log."""

    def tell(value, every=2):
        config = CONFIG.replace("    checks: auto\n", "    checks: auto\n    alerts: {open_after: 1}\n")
        path = world(tmp_path, 1, put("plan", value, every), config)
        config = read(path)
        store = open_store(config.store.get_secret_value())
        Cycle(store, SetClock(START + timedelta(days=1, hours=1))).catch_up(watches(config)["churn"])
        with store.read() as connection:
            notices = [bodies.load(Notice, letter["payload"]) for letter in outbox_rows.listing(connection)
                       if letter["kind"] == "notice"]  # fmt: skip
        store.close()
        capsys.readouterr()
        assert isinstance(Stdout().send(Attempt(notices[0])), Delivered)
        log = capsys.readouterr().out
        return {
            "json": run("check", "--window", DAY, "--json")[1],
            "tables": run("check", "--window", DAY)[1] + run("incidents")[1],
            "page": (run("report", "-o", "page.html"), (tmp_path / "page.html").read_text(encoding="utf-8"))[1],
            "slack": json.dumps(render_slack(notices[0])),
            "log": log,
        }

    return tell


@pytest.mark.parametrize("value", VALUES)
def test_a_category_says_nothing_to_terminal_browser_or_slack(told, value):
    everywhere = told(value)
    document = json.loads(everywhere["json"])
    unseen = next(f for f in document["findings"] if f["check"] == "unseen_category")
    assert unseen["verdict"] == "breach"
    assert unseen["reason"].startswith("share of unseen values of plan rose from 0% to 50% ")
    assert value in document["incidents"][0]["summary"]
    for where in ("json", "tables", "log"):
        controls = {character for character in everywhere[where] if not character.isprintable()} - {"\n"}
        assert not controls, where
    assert "<script>alert" not in everywhere["page"]
    assert not {"\x00", "\x1b", "\x9b", "\x07"} & set(everywhere["page"])
    slack = json.loads(everywhere["slack"])
    assert value not in slack["text"] or not set(value) & set("<>&")
    marked = [text for text in texts(slack["blocks"]) if text["type"] == "mrkdwn"]
    assert not [text for text in marked if value in text["text"]]


def texts(part):
    if isinstance(part, list):
        return [text for item in part for text in texts(item)]
    if not isinstance(part, dict):
        return []
    own = [part] if isinstance(part.get("text"), str) else []
    return own + [text for item in part.values() for text in texts(item)]


def test_a_category_of_five_megabytes_stays_small_wherever_it_goes(told, tmp_path):
    everywhere = told("x" * 5_000_000, every=15)
    assert {name: len(text) < 1_000_000 for name, text in everywhere.items()} == dict.fromkeys(everywhere, True)
    assert len(everywhere["tables"]) < 10_000
    assert (tmp_path / "monitor.db").stat().st_size < 3_000_000


def test_a_text_that_is_no_utf8_costs_no_other_row(run, tmp_path):
    world(tmp_path, 1)
    statements(tmp_path, "UPDATE predictions SET plan = cast(x'fffe' AS text) WHERE id % 10 = 0")
    code, pairs, document = found(run("check", "--window", DAY, "--json"))
    assert (code, ("plan", "unseen_category") in pairs) == (1, True)
    assert max(finding["rows"] for finding in document["findings"]) == 300


# --- PostgreSQL --------------------------------------------------------------------------------------------------


@pytest.fixture
def postgres_log(run, tmp_path, postgres_url):
    """Load a day into PostgreSQL with the given types, then change it by SQL; gives the URL."""

    def load(*sql, ts="timestamptz", age="double precision"):
        world(tmp_path, 0, config=CONFIG.replace("sqlite:///logs.db", f"'{postgres_url}'"))
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(
                f"CREATE TABLE predictions (id bigint, ts {ts}, age {age}, amount real, plan text, flag boolean)"
            )
            with connection.cursor().copy("COPY predictions FROM STDIN") as copy:
                for row in zip(*rows_of(START, 1, 2).values(), strict=True):
                    copy.write_row(row)
            for statement in sql:
                connection.execute(statement)
        return postgres_url

    return load


def test_a_role_without_select_is_told_what_to_grant(run, tmp_path, postgres_log):
    url = postgres_log("DROP ROLE IF EXISTS blind", "CREATE ROLE blind LOGIN PASSWORD 'sesame'")
    seen = url.replace("postgres:", "blind:sesame")
    assert seen != url
    (tmp_path / "config.yaml").write_text(CONFIG.replace("sqlite:///logs.db", f"'{seen}'"))
    for command in (("check", "--window", DAY), ("config", "check", "--connect")):
        code, out, err = run(*command)
        assert code == 2
        assert "grant it SELECT" in out + err
        assert "sesame" not in out + err


@pytest.mark.parametrize("stray", ["infinity", "-infinity", "4713-01-01 BC", "20000-01-01"])
@pytest.mark.parametrize("kind", ["timestamptz", "timestamp"])
def test_event_times_that_python_has_no_year_for_are_in_no_window(run, postgres_log, kind, stray):
    postgres_log(f"UPDATE predictions SET ts = '{stray}' WHERE id % 2 = 0", ts=kind)
    code, out, err = run("check", "--json")
    document = json.loads(out)
    assert (code, document["window"]["start"]) == (0, "2026-01-05T00:00:00Z"), err
    assert max(finding["rows"] for finding in document["findings"]) == 150
    assert run("config", "check", "--connect")[0] == 0


@pytest.mark.parametrize("kind", ["timestamptz", "timestamp", "date"])
def test_a_feature_with_such_times_costs_no_other_column(run, tmp_path, postgres_log, kind):
    postgres_log(
        f"ALTER TABLE predictions ADD COLUMN born {kind}",
        f"UPDATE predictions SET born = CASE id % 3 WHEN 0 THEN 'infinity'::{kind} WHEN 1 THEN '4713-01-01 BC'::{kind}"
        " ELSE '2020-01-01' END",
    )
    rows = rows_of(START - timedelta(days=REFERENCE_DAYS), REFERENCE_DAYS, 1)
    rows["born"] = [moment - timedelta(days=2000) for moment in rows["ts"]]
    pq.write_table(pa.table(rows), tmp_path / "reference.parquet")
    code, pairs, document = found(run("check", "--window", DAY, "--json"))
    assert code == 1
    assert ("born", "null_rate") in pairs
    assert {column for column, _ in pairs} == {"born"}
    assert max(finding["rows"] for finding in document["findings"]) == 300


def test_decimals_are_numbers(run, postgres_log):
    postgres_log(age="numeric(12, 3)")
    assert found(run("check", "--window", DAY, "--json"))[:2] == (0, set())


def test_decimals_beyond_the_floats_are_infinities(run, postgres_log):
    postgres_log("UPDATE predictions SET age = 1e500 WHERE id % 3 = 0", age="numeric")
    code, pairs, _ = found(run("check", "--window", DAY, "--json"))
    assert code == 1
    assert ("age", "non_finite") in pairs


def test_types_that_no_profile_reads_do_not_disturb(run, postgres_log):
    postgres_log(
        "ALTER TABLE predictions ADD a int[] DEFAULT '{1}', ADD j jsonb DEFAULT '{}', ADD u uuid DEFAULT"
        " gen_random_uuid(), ADD i interval DEFAULT '1 day', ADD b bytea DEFAULT '\\x00ff', ADD p point, ADD n inet"
    )
    assert found(run("check", "--window", DAY, "--json"))[:2] == (0, set())
    assert run("config", "check", "--connect")[0] == 0


# --- the store and the places that are written -------------------------------------------------------------------


@pytest.fixture
def established(run, tmp_path):
    """A world whose store has its reference already."""
    world(tmp_path, 1)
    assert run("check", "--window", DAY)[0] == 0
    return run


def test_a_store_with_a_newer_schema_is_left_alone(established, tmp_path):
    with closing(sqlite3.connect(tmp_path / "monitor.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in (("check", "--window", DAY), ("status",), ("migrate",), ("incidents",)):
        code, out, err = established(*command)
        assert (code, out) == (2, "")
        assert "is newer than this release knows" in err
        assert "upgrade Leeway" in err
    with closing(sqlite3.connect(tmp_path / "monitor.db")) as connection:
        assert connection.execute("SELECT count(*) FROM reference_snapshots").fetchone() == (1,)


@pytest.mark.parametrize("url", ["sqlite:////proc/monitor.db", "sqlite:///config.yaml", "sqlite:///"])
def test_a_store_that_cannot_be_opened_exits_with_3_and_touches_nothing(run, tmp_path, url):
    if url.endswith("///"):
        (tmp_path / "folder").mkdir()
        url += "folder"
    config = CONFIG.replace("sqlite:///monitor.db", url)
    path = world(tmp_path, 1, config=config)
    code, _, err = run("check", "--window", DAY)
    assert code == 3
    assert "the store" in err
    assert path.read_text(encoding="utf-8") == config


def test_a_store_that_cannot_be_written_is_still_read(established, tmp_path):
    read_only = f"sqlite:///file:{tmp_path}/monitor.db?mode=ro&uri=true"
    (tmp_path / "config.yaml").write_text(CONFIG.replace("sqlite:///monitor.db", f"'{read_only}'"))
    assert established("check", "--window", DAY)[0] == 0
    assert established("status")[0] == 0
    pq.write_table(pq.read_table(tmp_path / "reference.parquet").slice(0, 9000), tmp_path / "other.parquet")
    code, _, err = established("reference", "add", "churn", "--file", "other.parquet")
    assert code == 3
    assert "readonly" in err


@pytest.mark.parametrize("place", ["nowhere/page.html", "/proc/page.html", "folder"])
def test_a_place_that_cannot_be_written_exits_with_3_and_is_named(run, tmp_path, place):
    (tmp_path / "folder").mkdir()
    store = open_store(read(world(tmp_path, 2)).store.get_secret_value())
    watch = watches(read(tmp_path / "config.yaml"))["churn"]
    Cycle(store, SetClock(START + timedelta(days=1, hours=1))).catch_up(watch)
    store.close()
    code, _, err = run("report", "-o", place)
    assert code == 3
    assert place in err
    code, _, err = run("init", "--logs", "sqlite:///logs.db", "--table", "predictions", "--time", "ts", "--reference",
                       "reference.parquet", "--force", "-o", place)  # fmt: skip
    assert code == 3
    assert f"{place} cannot be written" in err
