"""What is particular to files: folders, globs, schemas that grow, and files that are none."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor.core.errors import UserError
from monitor.core.window import Window
from monitor.sources.parquet import Parquet

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY_ONE = Window(START, START + timedelta(days=1))


def part(first, count, **columns):
    moments = pa.array(
        [START + timedelta(hours=hour) for hour in range(first, first + count)], pa.timestamp("us", "UTC")
    )
    return pa.table({"ts": moments, "n": range(first, first + count), **columns})


def delivered(path, **options):
    batches = Parquet(path=str(path), time="ts", **options).batches(DAY_ONE)
    return pa.concat_tables([pa.Table.from_batches([batch]) for batch in batches]).sort_by("n")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    pq.write_table(part(0, 5), tmp_path / "a.parquet")
    pq.write_table(part(5, 5), tmp_path / "deep" / "b.parquet")
    pq.write_table(part(10, 5), tmp_path / "deep" / "er" / "c.parquet")
    return tmp_path


def test_a_folder_is_read_to_its_depth(folder):
    assert delivered(folder)["n"].to_pylist() == list(range(15))


def test_a_glob_chooses_files(folder):
    assert delivered(folder / "deep" / "*.parquet")["n"].to_pylist() == list(range(5, 10))


def test_a_folder_of_csv_is_read(tmp_path):
    (tmp_path / "a.csv").write_text("ts,n\n2026-03-01T01:00:00Z,1\n")
    (tmp_path / "b.csv").write_text("ts,n\n2026-03-01T02:00:00Z,2\n")
    assert delivered(tmp_path)["n"].to_pylist() == [1, 2]


def test_a_column_that_later_files_have_is_null_in_earlier_ones(tmp_path):
    pq.write_table(part(0, 2), tmp_path / "a.parquet")
    pq.write_table(part(2, 2, extra=["x", "y"]), tmp_path / "b.parquet")
    assert delivered(tmp_path)["extra"].to_pylist() == [None, None, "x", "y"]


def test_nested_and_decimal_columns_are_read_as_what_profiles_know(tmp_path):
    columns = {
        "price": pa.array([1, 2], pa.decimal128(9, 2)),
        "body": pa.array([{"b": 1}, None]),
        "day": pa.array(["a", "b"]).dictionary_encode(),
        "raw": pa.array([b"hi", b"\xff"]),
    }
    pq.write_table(part(0, 2, **columns), tmp_path / "a.parquet")
    table = delivered(tmp_path)
    assert [str(table.schema.field(name).type) for name in columns] == ["double", "string", "string", "string"]
    assert (table["body"].to_pylist(), table["raw"].to_pylist()) == (['{"b": 1}', None], ["hi", "ff"])


def test_a_file_whose_name_looks_like_a_glob_is_read(tmp_path):
    pq.write_table(part(0, 2), tmp_path / "a[1].parquet")
    assert delivered(tmp_path / "a[1].parquet").num_rows == 2


def test_the_facts_count_the_rows_and_those_without_a_time(tmp_path):
    pq.write_table(pa.table({"ts": pa.array([START, None], pa.timestamp("us", "UTC"))}), tmp_path / "a.parquet")
    facts = Parquet(path=str(tmp_path / "a.parquet"), time="ts").facts()
    assert (facts.rows, facts.reader) == (
        2,
        "DuckDB Arrow (files are local, where reading and counting cost about the same)",
    )
    assert facts.warnings == ("1 rows have no 'ts'; they are in no window",)


def test_reading_changes_no_file(folder):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    delivered(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize("name", ["gone.parquet", "gone-*.parquet"])
def test_a_missing_file_is_the_users_mistake(tmp_path, name):
    with pytest.raises(UserError, match=r"there is no file .*gone.*name a .parquet or .csv file, a folder or a glob"):
        delivered(tmp_path / name)


def test_an_empty_folder_is_the_users_mistake(tmp_path):
    with pytest.raises(UserError, match=r"has no .parquet and no .csv file"):
        delivered(tmp_path)


def test_another_kind_of_file_is_the_users_mistake(tmp_path):
    (tmp_path / "log.xlsx").write_text("x")
    with pytest.raises(UserError, match=r"neither a .parquet nor a .csv file"):
        delivered(tmp_path / "log.xlsx")


def test_a_damaged_file_is_the_users_mistake(tmp_path):
    (tmp_path / "log.parquet").write_text("this is no parquet")
    with pytest.raises(UserError, match=r"log.parquet cannot be read \("):
        delivered(tmp_path / "log.parquet")


def test_a_wrong_condition_is_the_users_mistake(folder):
    with pytest.raises(UserError, match=r'cannot be read .*"city" not found'):
        delivered(folder, where="city = 1")
