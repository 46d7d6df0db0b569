"""Late rows around a change of versions: every window keeps its own reference, and the evidence that belongs to it."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.revising import revise
from monitor.store import bodies
from monitor.store import revisions as revision_rows
from monitor.store import runs as run_rows
from monitor.store.tables import evidence
from tests.versions.housed import BY_COLUMN, House, write_reference_of
from tests.worlds import START

DAY = timedelta(days=1)
CHANGES = ((0, "7"), (4, "8"), (7, "7"))
LATENESS = BY_COLUMN.replace("delay: 1h,", "delay: 1h, allowed_lateness: 2d,")


class Late(House):
    """A house whose log gets some rows of a day later than others."""

    def __init__(self, folder, **options):
        folder.mkdir(exist_ok=True)
        super().__init__(folder, LATENESS, days=9, versions=CHANGES, drift=3.0, **options)
        write_reference_of(folder, "8", 3.0)

    def sql(self, *statements):
        with closing(sqlite3.connect(self.folder / "logs.db")) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def hold_back(self, day):
        first, last = (f"{START + n * DAY:%Y-%m-%d %H:%M:%S}" for n in (day, day + 1))
        self.sql(
            f"CREATE TABLE late AS SELECT * FROM predictions WHERE ts >= '{first}' AND ts < '{last}' AND id % 2 = 0",
            "DELETE FROM predictions WHERE id IN (SELECT id FROM late)",
        )

    def daily(self, last):
        for day in range(1, last + 1):
            self.until(day)

    def look(self, day):
        self.clock.set(START + day * DAY + timedelta(hours=1))
        return revise(self.cycle, self.watch, 100)

    def state(self):
        """Reference, findings and evidence of every window, as the store has them."""
        with self.store.read() as connection:
            kept = {row.run_id: (row.key, row.body) for row in connection.execute(sa.select(evidence))}
            return [
                (
                    run.window, run.rows, run.reference_id, run.served.version,
                    [*map(bodies.dump, run_rows.findings_of(connection, [run.id]))], kept[run.id],
                )
                for run in run_rows.listing(connection, "churn")
            ]  # fmt: skip

    def revisions(self):
        with self.store.read() as connection:
            return revision_rows.listing(connection, "churn", START, START + 60 * DAY)


@pytest.fixture
def late(tmp_path):
    built = []

    def build(name):
        built.append(Late(tmp_path / name))
        return built[-1]

    yield build
    for one in built:
        one.close()


@pytest.mark.parametrize("day", [2, 3, 4, 6, 7])
def test_windows_end_up_as_if_their_rows_had_come_in_time(late, day):
    punctual, tardy = late("punctual"), late("tardy")
    punctual.daily(9)
    tardy.hold_back(day)
    tardy.daily(8)
    tardy.sql("INSERT INTO predictions SELECT * FROM late")
    tardy.look(8.5)
    tardy.until(9)
    assert [revision.window.start for revision in tardy.revisions()] == [START + day * DAY]
    assert tardy.state() == punctual.state()


def test_every_window_keeps_the_evidence_of_its_own_reference(late):
    tardy = late("tardy")
    tardy.hold_back(3)
    tardy.daily(8)
    before = [(reference, kept[0]) for *_, reference, _, _, kept in tardy.state()]
    tardy.sql("INSERT INTO predictions SELECT * FROM late")
    tardy.look(8.5)
    assert len(tardy.revisions()) == 1
    assert [(reference, kept[0]) for *_, reference, _, _, kept in tardy.state()] == before
    assert len(set(before)) == 2


def test_a_window_that_late_rows_would_give_to_another_version_keeps_its_own(late):
    tardy = late("tardy")
    tardy.sql(f"UPDATE predictions SET model_version = '8' WHERE ts >= '{START + 3 * DAY:%Y-%m-%d}' AND id % 3 > 0"
              f" AND ts < '{START + 4 * DAY:%Y-%m-%d}'")  # fmt: skip
    first = f"ts >= '{START + 3 * DAY:%Y-%m-%d}' AND ts < '{START + 4 * DAY:%Y-%m-%d}' AND model_version = '8'"
    tardy.sql(f"CREATE TABLE late AS SELECT * FROM predictions WHERE {first}", f"DELETE FROM predictions WHERE {first}")
    tardy.daily(4)
    tardy.sql("INSERT INTO predictions SELECT * FROM late")
    tardy.look(4.5)
    assert (tardy.runs[3].served.version, tardy.runs[3].rows) == ("7", 300)
    assert tardy.runs[3].reference_id == tardy.runs[2].reference_id
