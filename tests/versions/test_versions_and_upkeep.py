"""What is known of versions outlives pruning, a copy that is put back, and an upgrade; bodies of before are read."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.clocks import SetClock
from monitor.core.proof import Outcome, Proof
from monitor.cycle import Cycle
from monitor.store import bodies, copying
from monitor.store import versions as version_rows
from monitor.store.database import connect
from monitor.store.schema import migrate
from monitor.store.tables import runs
from monitor.tenures import tenures
from tests.versions.housed import BY_COLUMN, House, write_reference_of
from tests.versions.test_proving import served
from tests.worlds import START

DAY = timedelta(days=1)


@pytest.fixture
def lived(house):
    one = house(days=15)
    write_reference_of(one.folder, "8", 8.0)
    one.until(15)
    return one


def told(house):
    with house.store.read() as connection:
        return [(found.version, found.since, found.reference_id, found.proof) for found in tenures(connection, "churn")]


def test_versions_with_their_proofs_survive_pruning(lived, run):
    before = told(lived)
    assert before[1][3].drift.outcome is Outcome.BETTER
    path = lived.folder / "config.yaml"
    path.write_text(path.read_text() + "retention: {samples: 1d, profiles: 60d, incidents: 60d}\n")
    code, _, err = run("prune")
    assert code == 0, err
    assert told(lived) == before


def test_a_proof_goes_on_when_its_incident_is_forgotten(house):
    """The rows of versions stay; a proof may be waited for longer than a resolved incident is kept."""
    one = served(house, v7=0.7, v8=0.9, delay="+3 days", drift=8.0)
    write_reference_of(one.folder, "8", 8.0)
    for day in range(1, 14):
        one.until(day)
    assert one.versions[1].proof.performance.outcome is Outcome.WAITING
    assert one.versions[1].proof.incidents
    with one.store.write() as connection:
        connection.execute(sa.text("DELETE FROM incidents"))
    assert {result.outcome for result in one.until(17)} == {"done"}
    assert one.versions[1].proof.performance.outcome is Outcome.BETTER


def test_a_copy_that_is_put_back_knows_the_versions(lived, tmp_path):
    before, entries = told(lived), lived.versions
    copying.backup(lived.store, tmp_path / "copy.db")
    with lived.store.write() as connection:
        connection.execute(sa.text("DELETE FROM versions"))
    lived.store.close()
    copying.restore(lived.store, tmp_path / "copy.db", lived.clock.now(), force=True)
    assert lived.versions == entries
    assert told(lived) == before
    with lived.store.read() as connection:
        served = connection.execute(sa.select(runs.c.version, runs.c.served).order_by(runs.c.window_end)).all()
    assert [version for version, _ in served] == ["7"] * 10 + ["8"] * 5
    assert served[-1][1] == '{"8": 300}'


def test_windows_of_before_there_were_versions_were_served_by_nobody(house):
    """An upgrade in the middle: what a version is called begins with the next window."""
    one = house(days=8, drift=0.0)
    one.until(4)
    with one.store.write() as connection:
        connection.execute(runs.update().values(version=None, served=None))
        connection.execute(sa.text("DELETE FROM versions"))
    one.until(8)
    assert [run.served.version for run in one.runs] == [None] * 4 + ["7"] * 4
    assert [(entry.version, entry.since) for entry in one.versions] == [("7", START + 4 * DAY)]
    assert one.incidents == []


def test_a_proof_is_read_as_it_was_written(lived):
    proof = lived.versions[1].proof
    assert bodies.load(Proof, bodies.dump(proof)) == proof


def test_a_store_of_either_kind_keeps_versions(store):
    now = START + DAY
    with store.write() as connection:
        first = version_rows.begin(connection, "churn", "7", START, "rows", now)
        version_rows.begin(connection, "churn", None, START + DAY, "reference", now)
        version_rows.begin(connection, "churn", "8", START + 2 * DAY, "mlflow", now)
        version_rows.begin(connection, "other", "1", START, "rows", now)
        version_rows.keep(connection, first, "abc", Proof("7", None, START, now))
    with store.read() as connection:
        found = version_rows.listing(connection, "churn")
        assert [(entry.version, entry.how) for entry in found] == [("7", "rows"), (None, "reference"), ("8", "mlflow")]
        assert (found[0].reference_id, found[0].proof) == ("abc", Proof("7", None, START, now))
        assert version_rows.at(connection, "churn", START) is None  # a window that ends then had none of it
        assert version_rows.at(connection, "churn", START + 2 * DAY).version is None
        assert version_rows.former(connection, "churn", START + 3 * DAY) == "7"
        assert version_rows.former(connection, "churn", START + DAY) is None
        assert [entry.version for entry in version_rows.began(connection, "churn")] == ["7", "8"]
        assert version_rows.latest(connection, "churn", "9") is None
        assert len(version_rows.listing(connection)) == 4


def test_the_schema_of_before_becomes_that_of_versions(tmp_path):
    path = tmp_path / "old.db"
    store = connect(f"sqlite:///{path}")
    migrate(store)
    with store.write() as connection:
        tables = set(sa.inspect(connection).get_table_names())
        columns = {column["name"] for column in sa.inspect(connection).get_columns("runs")}
    store.close()
    assert "versions" in tables
    assert {"version", "served"} <= columns


def test_on_postgresql_versions_are_followed_and_proven_as_on_sqlite(tmp_path, postgres_url):
    (tmp_path / "pg").mkdir()
    write_reference_of(tmp_path / "pg", "8", 8.0)
    one = House(tmp_path / "pg", BY_COLUMN.replace("sqlite:///monitor.db", postgres_url), days=14)
    other = Cycle(one.store, SetClock(START), owner="other")
    for day in range(1, 15):
        one.clock.set(START + day * DAY + timedelta(hours=1))
        other.clock.set(one.clock.now())
        (one.cycle if day % 2 else other).catch_up(one.watch)
    entries, runs_of = one.versions, one.runs
    one.close()
    assert [(entry.version, entry.reference_id) for entry in entries] == [
        ("7", runs_of[0].reference_id), ("8", runs_of[-1].reference_id),
    ]  # fmt: skip
    assert entries[1].proof.drift.outcome is Outcome.BETTER
