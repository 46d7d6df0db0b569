"""Which version served a window: as the rows say, or a schedule, or nobody."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.incident import State
from monitor.core.versions import Served
from tests.versions.housed import BY_COLUMN, versioned, write_reference_of
from tests.worlds import CONFIG, START, day_of, rows_of

DAY = timedelta(days=1)
SCHEDULED = CONFIG.replace('{file: reference.parquet, version: "7"}', '{file: "reference-{version}.parquet"}').replace(
    "    checks: auto\n",
    '    versions: {schedule: [{version: "7", since: 2026-01-01}, {version: "8", since: SINCE}]}\n    checks: auto\n',
)


def sql(house, *statements):
    with closing(sqlite3.connect(house.folder / "logs.db")) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def told(house):
    return [run.served.version for run in house.runs if run.state == "done"]


def of_day(day):
    return f"ts >= '{START + day * DAY:%Y-%m-%d}' AND ts < '{START + (day + 1) * DAY:%Y-%m-%d}'"


# --- by a column of the log ----------------------------------------------------------------------------------------


def test_rows_say_which_version_served_and_how_many_there_were(house):
    one = house(days=4, versions=((0, "7"), (2, "8")))
    write_reference_of(one.folder, "8", 1.0)
    one.until(3)
    assert [run.served for run in one.runs] == [Served("7", {"7": 300})] * 2 + [Served("8", {"8": 300})]


def test_a_window_of_two_versions_belongs_to_the_one_with_most_rows(house):
    one = house(days=3, versions=((0, "7"),))
    write_reference_of(one.folder, "8", 1.0)
    sql(one, f"UPDATE predictions SET model_version = '8' WHERE {of_day(1)} AND id % 10 < 6")
    one.until(2)
    assert one.runs[1].served == Served("8", {"7": 120, "8": 180})
    assert one.runs[1].reference_id != one.runs[0].reference_id


def test_rows_that_name_no_version_do_not_count(house):
    one = house(days=3, versions=((0, "7"),))
    sql(one, f"UPDATE predictions SET model_version = NULL WHERE {of_day(1)} AND id % 10 < 9")
    one.until(2)
    assert one.runs[1].served == Served("7", {"7": 30})


def test_versions_may_be_numbers(house):
    one = house(days=2, versions=((0, 7), (1, 8)))
    write_reference_of(one.folder, "8", 1.0)
    one.until(2)
    assert told(one) == ["7", "8"]


def test_numbers_among_which_some_are_missing_are_the_same_versions(house):
    one = house(days=2, versions=((0, 7),))
    sql(one, "UPDATE predictions SET model_version = NULL WHERE id % 2 = 0")
    one.until(2)
    assert told(one) == ["7", "7"]


def test_a_window_without_rows_is_judged_as_the_version_before(house):
    one = house(days=4, versions=((0, "7"),))
    sql(one, f"DELETE FROM predictions WHERE {of_day(1)}")
    results = one.until(4)
    assert [result.outcome for result in results] == ["done"] * 4
    assert told(one) == ["7"] * 4
    assert len({run.reference_id for run in one.runs}) == 1
    assert [entry.version for entry in one.versions] == ["7"]


def test_a_log_that_begins_with_windows_without_rows_is_judged_by_the_version_of_today(house):
    one = house(days=4, versions=((0, "7"),))
    sql(one, f"DELETE FROM predictions WHERE {of_day(0)} OR {of_day(1)}")
    assert [result.outcome for result in one.until(4)] == ["done"] * 4
    assert told(one) == ["7"] * 4


def test_a_log_without_any_row_names_no_version_and_waits_for_one(house):
    one = house(days=3, versions=((0, "7"),))
    sql(one, "CREATE TABLE later AS SELECT * FROM predictions", "DELETE FROM predictions")
    (result,) = one.until(2)
    assert (result.outcome, "nobody says which version served then" in result.reason) == ("failed", True)
    sql(one, "INSERT INTO predictions SELECT * FROM later")
    assert [result.outcome for result in one.until(3)] == ["done"] * 3


def test_a_window_whose_rows_all_name_no_version_is_judged_as_the_version_before(house):
    one = house(days=4, versions=((0, "7"),))
    sql(one, f"UPDATE predictions SET model_version = NULL WHERE {of_day(1)}")
    assert [result.outcome for result in one.until(4)] == ["done"] * 4
    assert told(one) == ["7"] * 4


def test_a_column_that_the_log_lacks_is_told_by_name_and_makes_the_monitor_blind(house):
    one = house(days=2, versions=())
    (result,) = one.until(2)
    assert result.outcome == "failed"
    assert result.reason == "version: the log has no column 'model_version'"
    blind = one.incident("blind")
    assert (blind.state, result.reason in blind.summary) == (State.FIRING, True)


def test_once_the_log_has_the_column_the_monitor_sees_again(house):
    one = house(days=3, versions=())
    one.until(1)
    sql(one, "ALTER TABLE predictions ADD COLUMN model_version", "UPDATE predictions SET model_version = '7'")
    one.until(2)
    assert told(one) == ["7", "7"]
    assert one.incident("blind").state is State.RESOLVED


def test_the_column_of_the_version_is_not_watched(house):
    one = house(days=4, versions=((0, "7"), (2, "8")))
    write_reference_of(one.folder, "8")
    findings = [finding for result in one.until(4) for finding in result.findings]
    assert findings
    assert not [f for f in findings if "model_version" in (f.column, *f.columns)]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.int64(), pa.int8(), pa.float64(), pa.dictionary(pa.int32(), pa.string())]
)
def test_a_log_in_files_says_it_too(house, tmp_path, kind):
    rows = rows_of(START, 2, 2)
    numbers = [7 + day_of(t) for t in rows["ts"]]
    text = pa.types.is_string(kind) or pa.types.is_dictionary(kind)
    column = pa.array([str(n) if text else n for n in numbers])
    (tmp_path / "logs").mkdir()
    pq.write_table(pa.table({**rows, "model_version": column.cast(kind)}), tmp_path / "logs" / "days.parquet")
    files = BY_COLUMN.replace("{url: sqlite:///logs.db, table: predictions,", "{path: logs,")
    one = house(tmp_path, files, days=2)
    write_reference_of(tmp_path, "8", 1.0)
    one.until(2)
    assert told(one) == ["7", "8"]


def test_a_file_of_the_log_that_lacks_the_column_is_told(house, tmp_path):
    (tmp_path / "logs").mkdir()
    pq.write_table(pa.table(rows_of(START, 2, 2)), tmp_path / "logs" / "days.parquet")
    one = house(tmp_path, BY_COLUMN.replace("{url: sqlite:///logs.db, table: predictions,", "{path: logs,"), days=2)
    (result,) = one.until(2)
    assert result.reason == "version: the log has no column 'model_version'"


def test_a_version_with_a_name_that_no_path_may_have_is_told_and_judged_as_the_one_before(house):
    one = house(days=3, versions=((0, "7"), (2, "../../etc/passwd")))
    assert [result.outcome for result in one.until(3)] == ["done"] * 3
    assert len({run.reference_id for run in one.runs}) == 1
    assert "monitor reference add --version" in one.incident("unreferenced").summary


# --- by a schedule ---------------------------------------------------------------------------------------------------


def scheduled(house, since, zone="UTC"):
    text = SCHEDULED.replace("SINCE", since).replace("delay: 1h,", f"delay: 1h, timezone: {zone},")
    one = house(config=text, days=6, versions=())
    write_reference_of(one.folder, "8", 1.0)
    one.until(5)
    return one


def test_a_schedule_says_which_version_served(house):
    one = scheduled(house, "2026-01-07")
    assert told(one) == ["7", "7", "8", "8", "8"]
    assert [(entry.version, entry.since, entry.how) for entry in one.versions] == [
        ("7", START - 4 * DAY, "schedule"),
        ("8", START + 2 * DAY, "schedule"),
    ]


@pytest.mark.parametrize(("hour", "first"), [("11:00", "8"), ("13:00", "7")])
def test_a_change_within_a_window_gives_it_to_the_version_with_the_longer_part(house, hour, first):
    one = scheduled(house, f"2026-01-07T{hour}:00Z")
    assert told(one) == ["7", "7", first, "8", "8"]
    assert [entry.version for entry in one.versions] == ["7", "8"]
    assert one.versions[1].since.strftime("%H:%M") == hour


def test_a_moment_without_a_zone_is_meant_in_that_of_the_schedule(house):
    one = scheduled(house, "2026-01-07T00:00:00", "Asia/Tokyo")
    assert one.versions[1].since == START + 2 * DAY - timedelta(hours=9)


# --- by nobody ---------------------------------------------------------------------------------------------------


def test_where_nobody_says_it_there_are_no_versions(house):
    one = house(config=CONFIG, days=3, versions=())
    one.until(3)
    assert told(one) == [None] * 3
    assert one.versions == []


def test_a_new_reference_is_an_entry_without_a_name(house, run):
    one = house(config=CONFIG, days=4, versions=())
    one.until(2)
    write_reference_of(one.folder, "new", 3.0)
    assert run("reference", "add", "churn", "--file", "reference-new.parquet", "--pin")[0] == 0
    one.until(4)
    assert [(entry.version, entry.since, entry.how) for entry in one.versions] == [(None, START + 2 * DAY, "reference")]


def test_versioned_rows_are_what_they_say():
    rows = {"ts": [START, START + DAY]}
    versioned((0, "7"), (1, "8"))(rows)
    assert rows["model_version"] == ["7", "8"]
