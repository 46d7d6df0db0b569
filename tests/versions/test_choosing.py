"""What a version is judged against: every rung of the ladder, from what a person has pinned to the version before."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from monitor.choosing import Choosing
from monitor.core.errors import UserError
from monitor.core.incident import State
from monitor.store import references as reference_rows
from monitor.testing import FakeMlflow
from monitor.testing.webhook import Answer
from tests.versions.housed import BY_COLUMN, REFERENCE_DAYS, rows_of, write_reference_of
from tests.worlds import CONFIG, START, drop, shift

DAY = timedelta(days=1)
CHANGE = ((0, "7"), (2, "8"))
BY_ROWS = "    version: model_version\n    checks: auto\n"
PLAIN = CONFIG.replace("    checks: auto\n", BY_ROWS)  # one reference, that of version 7


def references(house):
    """The snapshots by id: (version, where it comes from)."""
    with house.store.read() as connection:
        found = reference_rows.listing(connection, "churn")
    return {row["id"]: (row["version"], str(row["origin"]).partition(" [")[0]) for row in found}


def used(house):
    """What each window was judged against, in words."""
    known = references(house)
    return [known[run.reference_id] for run in house.runs if run.reference_id is not None]


def ids(house):
    return [run.reference_id for run in house.runs]


# --- by the configuration -----------------------------------------------------------------------------------------


def test_every_version_is_judged_against_the_file_with_its_name(house):
    one = house(days=4, versions=CHANGE)
    write_reference_of(one.folder, "8", 1.0)
    one.until(4)
    assert used(one) == [("7", "file reference-7.parquet")] * 2 + [("8", "file reference-8.parquet")] * 2


def test_a_folder_may_be_named_by_the_version(house):
    config = BY_COLUMN.replace("reference-{version}.parquet", "trained/{version}/*.parquet")
    one = house(config=config, days=4, versions=CHANGE)
    for version, by in (("7", 0.0), ("8", 1.0)):
        (one.folder / "trained" / version).mkdir(parents=True)
        write_reference_of(one.folder, version, by).rename(one.folder / "trained" / version / "part.parquet")
    one.until(4)
    assert [version for version, _ in used(one)] == ["7", "7", "8", "8"]


def test_a_version_that_comes_back_is_judged_against_its_own_reference_again(house):
    one = house(days=6, versions=((0, "7"), (2, "8"), (4, "7")))
    write_reference_of(one.folder, "8", 1.0)
    one.until(6)
    first, second = dict.fromkeys(ids(one))
    assert ids(one) == [first, first, second, second, first, first]
    assert [(entry.version, entry.reference_id) for entry in one.versions] == [
        ("7", first), ("8", second), ("7", first),
    ]  # fmt: skip


def training(connection, number):
    """Make a table of training rows of two versions, of which the second is three years older."""
    for version, by in (("7", 0.0), ("8", 3.0)):
        rows = rows_of(START - REFERENCE_DAYS * DAY, REFERENCE_DAYS, 1, rows_a_day=number)
        times = [t.strftime("%Y-%m-%d %H:%M:%S") for t in rows["ts"]]
        ages, plans = [age + by for age in rows["age"]], rows["plan"]
        columns = zip(times, ages, rows["amount"], plans, rows["flag"], strict=True)
        connection.execute(
            sa.text("INSERT INTO training VALUES (:v, :ts, :age, :amount, :plan, :flag)"),
            [dict(zip(("v", "ts", "age", "amount", "plan", "flag"), (version, *row), strict=True)) for row in columns],
        )


QUERY = "SELECT ts, age, amount, plan, flag FROM training WHERE v = '{version}'"
BY_QUERY = PLAIN.replace('{file: reference.parquet, version: "7"}', f'{{query: "{QUERY}"}}')


def test_a_query_names_the_version_in_sqlite(house):
    one = house(config=BY_QUERY, days=4, versions=CHANGE)
    engine = sa.create_engine(f"sqlite:///{one.folder}/logs.db")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE training (v, ts, age, amount, plan, flag)"))
        training(connection, 100)
    engine.dispose()
    one.until(4)
    assert [version for version, _ in used(one)] == ["7", "7", "8", "8"]
    assert _ages(one) == pytest.approx([40, 43], abs=0.5)


def test_a_query_names_the_version_in_postgresql(house, postgres_url):
    engine = sa.create_engine(postgres_url)
    types = "ts timestamptz, age double precision, amount double precision, plan text, flag boolean"
    with engine.begin() as connection:
        connection.execute(sa.text(f"CREATE TABLE training (v text, {types})"))
        connection.execute(sa.text(f"CREATE TABLE predictions (id bigint, {types}, model_version integer)"))
        training(connection, 100)
        rows = rows_of(START, 3, 2)
        found = [dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]
        serving = [{**row, "model_version": 7 if row["ts"] < START + 2 * DAY else 8} for row in found]
        connection.execute(
            sa.text("INSERT INTO predictions VALUES (:id, :ts, :age, :amount, :plan, :flag, :model_version)"), serving
        )
    engine.dispose()
    one = house(config=BY_QUERY.replace("sqlite:///logs.db", postgres_url), days=1, versions=())
    one.until(3)
    assert [run.served.version for run in one.runs] == ["7", "7", "8"]
    assert _ages(one) == pytest.approx([40, 43], abs=0.5)


def _ages(house):
    """The mean age of each reference that was used."""
    with house.store.read() as connection:
        found = [reference_rows.outline(connection, "churn", name) for name in dict.fromkeys(ids(house))]
    return [each.profile.columns["age"].mean(each.bins["age"]) for each in found]


def test_a_query_that_finds_no_row_of_a_version_leaves_it_without_a_reference(house):
    one = house(config=BY_QUERY, days=4, versions=((0, "7"), (2, "9")))
    engine = sa.create_engine(f"sqlite:///{one.folder}/logs.db")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE training (v, ts, age, amount, plan, flag)"))
        training(connection, 100)
    engine.dispose()
    assert [result.outcome for result in one.until(4)] == ["done"] * 4
    assert "is empty" in one.incident("unreferenced").summary


def test_one_reference_for_all_versions_is_no_gap(house):
    one = house(config=PLAIN, days=4, versions=CHANGE)
    one.until(4)
    assert len(set(ids(one))) == 1
    assert one.incidents == []


def test_a_snapshot_that_the_configuration_pins_is_that_of_every_version(house, run):
    one = house(days=4, versions=CHANGE)
    write_reference_of(one.folder, "8", 1.0)
    one.until(1)
    pinned = ids(one)[0]
    text = BY_COLUMN.replace('{file: "reference-{version}.parquet"}', f"{{pin: {pinned[:12]}}}")
    (one.folder / "config.yaml").write_text(text)
    one.reload()
    one.until(4)
    assert ids(one) == [pinned] * 4


# --- by hand -------------------------------------------------------------------------------------------------------


def add(run, *more):
    code, out, _ = run("reference", "add", "churn", *more)
    assert code == 0
    return out


def test_what_was_added_for_a_version_is_its_reference_where_the_configuration_has_none(house, run):
    one = house(days=4, versions=CHANGE)
    write_reference_of(one.folder, "other", 1.0)
    add(run, "--file", "reference-other.parquet", "--version", "8")
    one.until(4)
    assert used(one)[2:] == [("8", "file reference-other.parquet")] * 2
    assert one.incidents == []


def test_it_is_so_beside_a_single_reference_too(house, run):
    one = house(config=PLAIN, days=4, versions=CHANGE)
    write_reference_of(one.folder, "other", 1.0)
    add(run, "--file", "reference-other.parquet", "--version", "8")
    one.until(4)
    assert used(one) == [("7", "file reference.parquet")] * 2 + [("8", "file reference-other.parquet")] * 2


def test_the_configured_reference_of_a_version_comes_before_an_added_one(house, run):
    one = house(days=4, versions=CHANGE)
    write_reference_of(one.folder, "8", 1.0)
    write_reference_of(one.folder, "other", 2.0)
    add(run, "--file", "reference-other.parquet", "--version", "8")
    one.until(4)
    assert used(one)[2:] == [("8", "file reference-8.parquet")] * 2


def test_a_pinned_one_comes_before_the_configured_one(house, run):
    one = house(days=4, versions=CHANGE)
    write_reference_of(one.folder, "8", 1.0)
    write_reference_of(one.folder, "other", 2.0)
    add(run, "--file", "reference-other.parquet", "--version", "8", "--pin")
    one.until(4)
    assert used(one) == [("7", "file reference-7.parquet")] * 2 + [("8", "file reference-other.parquet")] * 2


def pin_at(house, version, by, moment):
    """Add a snapshot in the name of a version, or of none, and pin it at a moment."""
    path = write_reference_of(house.folder, "pinned", by)
    where = type(house.watch.model.reference)(file=str(path), version=version)
    built = house.build(house.watch.model.model_copy(update={"reference": where}))
    with house.store.write() as connection:
        reference_rows.add(connection, built)
        reference_rows.pin(connection, "churn", built.id, moment)
    return built.id


def test_one_pinned_without_a_version_is_meant_for_the_version_that_served_then(house):
    one = house(days=6, versions=((0, "7"), (2, "8"), (4, "9")))
    write_reference_of(one.folder, "8", 1.0)
    write_reference_of(one.folder, "9", 2.0)
    one.until(3)
    pinned = pin_at(one, None, 3.0, START + 3 * DAY + timedelta(hours=2))
    one.until(6)
    assert [name == pinned for name in ids(one)] == [False, False, False, True, False, False]


def test_one_pinned_for_the_version_before_is_not_for_the_next(house):
    one = house(days=4, versions=CHANGE)
    write_reference_of(one.folder, "8", 1.0)
    pinned = pin_at(one, "7", 3.0, START)
    one.until(4)
    assert [name == pinned for name in ids(one)] == [True, True, False, False]


def test_adding_the_configured_one_by_hand_fills_in_the_version(house, run):
    one = house(days=4, versions=CHANGE)
    write_reference_of(one.folder, "8", 1.0)
    assert "added" in add(run, "--version", "8")
    assert references(one) == {next(iter(references(one))): ("8", "file reference-8.parquet")}
    one.until(4)
    assert len(references(one)) == 2


def test_adding_it_without_the_version_asks_for_it(house, run):
    house(days=1, versions=())
    code, _, err = run("reference", "add", "churn")
    assert code == 2
    assert "--version" in err


# --- from its own log ------------------------------------------------------------------------------------------------

SETTLING = PLAIN.replace('version: "7"}', 'version: "7", settle: 3d}')


def test_a_new_version_is_judged_by_its_own_log_once_that_has_settled(house):
    one = house(config=SETTLING, days=9, versions=CHANGE, drift=0.0)
    one.until(9)
    before, own = ("7", "file reference.parquet"), ("8", f"log from {START + 2 * DAY:%Y-%m-%d}")
    assert [(version, where[: len(own[1])]) for version, where in used(one)] == [(before[0], before[1][:19])] * 5 + [
        own
    ] * 4
    assert one.incidents == []


def test_the_version_that_the_configuration_knows_has_no_need_to_settle(house):
    one = house(config=SETTLING, days=5, versions=((0, "7"),))
    one.until(5)
    assert used(one) == [("7", "file reference.parquet")] * 5


@pytest.mark.parametrize("named", ['version: "7", ', ""], ids=["of another version", "of no version"])
def test_a_first_version_that_settles_is_judged_by_the_configured_reference_until_then(house, named):
    one = house(config=SETTLING.replace('version: "7", ', named), days=5, versions=((0, "8"),), drift=0.0)
    assert [result.outcome for result in one.until(5)] == ["done"] * 5
    assert [where for _, where in used(one)][:3] == ["file reference.parquet"] * 3
    assert [version for version, _ in used(one)][3:] == ["8"] * 2


def test_a_version_that_began_before_the_log_did_settles_in_what_there_is_or_says_so(house):
    schedule = '    versions: {schedule: [{version: "8", since: 2025-12-01}]}\n    checks: auto\n'
    one = house(config=SETTLING.replace(BY_ROWS, schedule), days=3, versions=(), drift=0.0)
    assert [result.outcome for result in one.until(3)] == ["done"] * 3
    assert [where for _, where in used(one)] == ["file reference.parquet"] * 3
    assert "version 8 has no reference of its own" in one.incident("unreferenced").summary


def period_of(house, version="8"):
    (where,) = [origin for known, origin in references(house).values() if known == version]
    return where.removeprefix("log from ").replace("T00:00:00+00:00", "").split(" to ")


def test_data_that_break_meanwhile_make_it_begin_anew_once_they_are_mended(house):
    one = house(config=SETTLING, days=14, versions=CHANGE, change=drop("plan", 3, 5), drift=0.0)
    for day in range(1, 15):
        one.until(day)
    first, last = period_of(one)
    mended = one.incident("plan").last_window_end
    assert mended >= START + 5 * DAY
    assert (first, last) == (f"{mended:%Y-%m-%d}", f"{mended + 3 * DAY:%Y-%m-%d}")


def test_while_data_are_broken_nothing_is_learnt_from_them(house):
    one = house(config=SETTLING, days=14, versions=CHANGE, change=drop("plan", 3, 99), drift=0.0)
    one.until(14)
    assert set(used(one)) == {("7", "file reference.parquet")}
    assert one.incident("plan").state is State.FIRING


def test_data_that_broke_and_were_mended_before_it_began_are_no_matter(house):
    one = house(config=SETTLING, days=12, versions=((0, "7"), (7, "8")), change=drop("plan", 1, 3), drift=0.0)
    one.until(12)  # at once, so that the incident is resolved later than the version began by the clock
    assert period_of(one) == [f"{START + 7 * DAY:%Y-%m-%d}", f"{START + 10 * DAY:%Y-%m-%d}"]


# --- from the version before -----------------------------------------------------------------------------------------


def test_a_version_without_a_reference_is_judged_by_the_one_before_and_that_is_told_once(house):
    one = house(days=6, versions=CHANGE, drift=0.0)
    one.until(6)
    assert len(set(ids(one))) == 1
    (incident,) = one.incidents
    assert (incident.fault, incident.state) == ("unreferenced", State.FIRING)
    assert "version 8 has no reference of its own" in incident.summary
    assert "reference-8.parquet" in incident.summary
    assert "judged by the reference of the version before" in incident.summary
    assert [notice.incident.id for notice in one.deliver()] == [incident.id]


def test_as_soon_as_the_file_is_there_the_version_has_its_own_and_the_incident_ends(house):
    one = house(days=6, versions=CHANGE, drift=0.0)
    one.until(4)
    write_reference_of(one.folder, "8", 0.1)
    one.until(6)
    assert [version for version, _ in used(one)] == ["7"] * 4 + ["8"] * 2
    incident = one.incident("unreferenced")
    assert (incident.state, incident.resolved_reason) == (State.RESOLVED, "it has a reference")


def test_the_next_version_with_a_reference_ends_it_too(house):
    one = house(days=6, versions=((0, "7"), (2, "8"), (4, "9")), drift=0.0)
    write_reference_of(one.folder, "9", 0.1)
    one.until(6)
    assert [version for version, _ in used(one)] == ["7"] * 4 + ["9"] * 2
    assert one.incident("unreferenced").state is State.RESOLVED


def test_a_first_version_without_a_reference_has_nothing_to_be_judged_by(house):
    one = house(days=2, versions=((0, "6"),))
    (result,) = one.until(2)
    assert result.outcome == "failed"
    assert "version 6 has no reference of its own" in result.reason
    assert "reference-6.parquet" in result.reason
    assert one.incident("blind").state is State.FIRING


# --- from MLflow -----------------------------------------------------------------------------------------------------

MLFLOW = PLAIN.replace('{file: reference.parquet, version: "7"}', "{mlflow: {KEPT}}").replace(
    BY_ROWS, "    versions: {mlflow: {url: URL, name: churn, timeout: 20s, tags: false}}\n    checks: auto\n"
)


@pytest.fixture
def server():
    with FakeMlflow() as fake:
        yield fake


def register(server, folder, by):
    """Register a version whose run has kept its training rows."""
    version = server.register("churn", at=(START - 9 * DAY).timestamp())
    path = write_reference_of(folder, f"run-{version}", by)
    run = server.run_of("churn", version)
    server.put_artifact(run, "data/train.parquet", path.read_bytes())
    server.put_dataset(run, "people", "local", {"uri": str(path)})
    return version


def following(house, server, kept="artifact: data/train.parquet", days=6):
    one = house(config=MLFLOW.replace("KEPT", kept).replace("URL", server.url), days=days, versions=(), drift=0.0)
    register(server, one.folder, 0.0)
    register(server, one.folder, 1.0)
    server.set_alias("churn", "champion", "1")
    return one


@pytest.mark.parametrize(
    "kept", ["artifact: data/train.parquet", "artifact: data", "dataset: people", "dataset: training"]
)
def test_the_run_behind_a_version_has_its_reference(house, server, kept):
    one = following(house, server, kept)
    one.until(2)
    server.set_alias("churn", "champion", "2")
    for day in (3, 4, 5):
        one.until(day)
    assert [version for version, _ in used(one)] == ["1", "1", "1", "2", "2"]
    assert _ages(one) == pytest.approx([40, 41], abs=0.3)


def test_a_version_whose_run_has_kept_nothing_is_judged_by_the_one_before(house, server):
    one = following(house, server)
    server.register("churn")
    one.until(1)
    server.set_alias("churn", "champion", "3")
    one.until(2)
    assert [result.outcome for result in one.until(4)] == ["done"] * 2
    assert "data/train.parquet" in one.incident("unreferenced").summary
    assert [run.served.version for run in one.runs][-1] == "3"


def test_while_mlflow_is_away_before_anything_is_known_windows_wait_and_none_is_lost(house, server):
    one = following(house, server)
    server.plan([Answer(503)] * 40)
    assert [result.outcome for result in one.until(2)] == ["failed"]
    server._planned.clear()
    assert [result.outcome for result in one.until(4)] == ["done"] * 4
    assert [version for version, _ in used(one)] == ["1"] * 4


def test_while_mlflow_is_away_the_version_known_last_is_judged_on(house, server):
    one = following(house, server)
    one.until(2)
    server.plan([Answer(503)] * 40)
    assert [result.outcome for result in one.until(4)] == ["done"] * 2
    assert [version for version, _ in used(one)] == ["1"] * 4


def test_an_artifact_that_mlflow_cannot_send_for_now_is_waited_for(house, server):
    one = following(house, server)
    one.until(2)
    server.set_alias("churn", "champion", "2")
    one.until(3)
    server.plan([Answer(503)] * 40, path="artifact")
    (result,) = one.until(4)
    assert (result.outcome, one.incidents) == ("failed", [])
    server._planned.clear()
    one.until(6)
    assert [version for version, _ in used(one)] == ["1"] * 3 + ["2"] * 3
    assert one.incidents == []


# --- all of them ---------------------------------------------------------------------------------------------------


def test_what_is_chosen_says_whether_it_is_the_versions_own(house):
    one = house(days=2, versions=((0, "7"),))
    one.until(2)
    choosing = Choosing(one.store, one.clock, "test")
    own, lent = choosing.chosen(one.watch, "7"), choosing.chosen(one.watch, "8")
    assert (own.own, own.lacking) == (True, None)
    assert (lent.own, lent.reference_id) == (False, own.reference_id)
    assert lent.lacking.startswith("version 8 has no reference of its own: ")


def test_a_single_reference_is_nobodys_own_but_that_of_the_version_that_it_names(house):
    one = house(config=PLAIN, days=2, versions=((0, "7"),))
    choosing = Choosing(one.store, one.clock, "test")
    assert choosing.chosen(one.watch, "7").own
    assert not choosing.chosen(one.watch, "8").own


def test_without_any_version_a_path_with_one_cannot_be_filled(house):
    one = house(days=2, versions=())
    with pytest.raises(UserError, match="nobody says which version served then"):
        Choosing(one.store, one.clock, "test").chosen(one.watch, None)


def test_a_shift_that_a_person_did_not_ask_for_is_seen_by_both_references(house):
    one = house(days=6, versions=CHANGE, change=shift("amount", 40.0, 4), drift=0.0)
    write_reference_of(one.folder, "8", 0.0)
    pq.write_table(
        pa.table(rows_of(START - REFERENCE_DAYS * DAY, REFERENCE_DAYS, 9)), one.folder / "reference-8.parquet"
    )
    one.until(6)
    assert one.incident("amount").reference == ids(one)[-1] != ids(one)[0]


def test_the_log_is_only_read(house):
    one = house(days=3, versions=((0, "7"),))
    before = (one.folder / "logs.db").read_bytes()
    one.until(3)
    with closing(sqlite3.connect(one.folder / "logs.db")) as connection:
        assert connection.execute("SELECT count(*) FROM predictions").fetchone() == (900,)
    assert (one.folder / "logs.db").read_bytes() == before
