"""Late rows: what the log got after a window was judged is found, read, and changes the verdict as if it had been there."""

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
import sqlalchemy as sa

from monitor.core.errors import UnavailableError
from monitor.core.incident import State
from monitor.core.lateness import LOOKS, next_look
from monitor.cycle import Cycle, from_log
from monitor.reporting import gather
from monitor.revising import revise
from monitor.store import bodies
from monitor.store import claims as claim_rows
from monitor.store import incidents as incident_rows
from monitor.store import revisions as revision_rows
from monitor.store import runs as run_rows
from monitor.store.tables import evidence, runs
from tests.test_cycle import House
from tests.worlds import CONFIG, START, drop

DAY = timedelta(days=1)
LATENESS = timedelta(days=2)


class Late(House):
    """A house whose log gets some rows later than others."""

    def hold_back(self, day, condition="id % 2 = 0"):
        """Take rows of a day out of the log, to come later."""
        first, last = (f"{START + n * DAY:%Y-%m-%d %H:%M:%S}" for n in (day, day + 1))
        self.sql(
            "CREATE TABLE IF NOT EXISTS late AS SELECT * FROM predictions WHERE 0",
            f"INSERT INTO late SELECT * FROM predictions WHERE ts >= '{first}' AND ts < '{last}' AND {condition}",
            "DELETE FROM predictions WHERE id IN (SELECT id FROM late)",
        )

    def arrive(self):
        """Let what was held back arrive."""
        self.sql("INSERT INTO predictions SELECT * FROM late", "DELETE FROM late")

    def sql(self, *statements):
        with closing(sqlite3.connect(self.folder / "logs.db")) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    def daily(self, first, last):
        """Let day after day go by, each window read in time."""
        for day in range(first, last + 1):
            self.until(day)

    def look(self, day, hours=1.0, most=100):
        """Let the clock reach an hour of a day and look for late rows."""
        self.clock.set(START + day * DAY + timedelta(hours=hours))
        return revise(self.cycle, self.watch, most)

    def state(self):
        """Findings and evidence of every window, as the store has them."""
        with self.store.read() as connection:
            done = run_rows.listing(connection, "churn")
            kept = dict(connection.execute(sa.select(evidence.c.run_id, evidence.c.body)).all())
            return [
                (run.window, run.rows, [*map(bodies.dump, run_rows.findings_of(connection, [run.id]))], kept[run.id])
                for run in done
            ]

    def revisions(self):
        with self.store.read() as connection:
            return revision_rows.listing(connection, "churn", START, START + 60 * DAY)

    def events(self):
        with self.store.read() as connection:
            return [
                (event.event, event.detail)
                for incident in incident_rows.listing(connection, closed=True)
                for event in incident_rows.timeline(connection, incident.id)
            ]


@pytest.fixture
def late(tmp_path):
    houses = []

    def build(name="late", **kwargs):
        folder = tmp_path / name
        folder.mkdir()
        houses.append(Late(folder, **kwargs))
        houses[-1].folder = folder
        return houses[-1]

    yield build
    for one in houses:
        one.store.close()


def test_looks_come_at_ever_longer_intervals_and_end_with_the_period():
    due, found = START, []
    moment = START
    while (moment := next_look(due, LATENESS, moment)) is not None:
        found.append((moment - due) / LATENESS)
    assert found == list(LOOKS)
    assert next_look(due, LATENESS, due + LATENESS) is None


def test_looks_that_were_missed_are_not_made_up_for_one_by_one():
    assert next_look(START, LATENESS, START + 0.6 * LATENESS) == START + LATENESS


def test_without_lateness_nothing_is_looked_at_again():
    assert next_look(START, timedelta(), START) is None


def test_windows_end_up_as_if_their_rows_had_come_in_time(late):
    punctual = late("punctual")
    punctual.daily(1, 7)
    tardy = late("tardy")
    tardy.hold_back(5)
    tardy.daily(1, 7)
    assert tardy.state() != punctual.state()
    tardy.arrive()
    assert tardy.look(7, 8) > 0
    assert tardy.state() == punctual.state()


def test_the_windows_after_go_on_as_if_the_rows_had_come_in_time(late):
    punctual = late("punctual")
    punctual.daily(1, 11)
    tardy = late("tardy")
    tardy.hold_back(5)
    tardy.daily(1, 7)
    tardy.arrive()
    tardy.look(7, 8)
    tardy.daily(8, 11)
    assert tardy.state() == punctual.state()


def test_a_revision_says_which_verdicts_became_others(late):
    tardy = late()
    tardy.hold_back(5, "id % 10 > 0")
    tardy.until(6)
    tardy.arrive()
    tardy.look(6, 8)
    (revision,) = tardy.revisions()
    assert (revision.window.start, revision.rows_before, revision.rows_after) == (START + 5 * DAY, 30, 300)
    assert [(c.column, c.check, c.before) for c in revision.changes if c.check == "row_count"] == [
        (None, "row_count", "breach")
    ]


def test_an_incident_that_was_the_missing_rows_doing_ends_with_them_and_people_are_told(late):
    tardy = late()
    tardy.hold_back(5, "id % 10 > 0")
    tardy.until(6)
    (incident,) = tardy.incidents()
    assert incident.state is State.FIRING
    tardy.arrive()
    tardy.look(6, 8)
    (incident,) = tardy.incidents()
    assert (incident.state, incident.resolved_reason) == (State.RESOLVED, "late rows revised the verdict")
    assert [notice.reason for notice in tardy.notices()] == ["first notification", "resolved"]
    assert "300 rows instead of 30" in tardy.notices()[-1].detail


def test_a_fault_that_only_the_late_rows_have_opens_an_incident(late):
    tardy = late(change=drop("age", 5, 6))
    tardy.hold_back(5, "id % 2 = 0")
    tardy.sql(f"UPDATE predictions SET age = 40 + id % 7 WHERE ts >= '{START + 5 * DAY:%Y-%m-%d}' AND age IS NULL")
    tardy.until(6)
    before = len(tardy.incidents())
    tardy.arrive()
    tardy.look(6, 8)
    found = tardy.incidents()[before:]
    assert [(incident.columns, incident.state) for incident in found] == [(("age",), State.FIRING)]


def test_an_incident_that_was_open_before_is_told_of_the_revision_and_stays(late):
    tardy = late()
    tardy.hold_back(5, "id % 10 > 0")
    tardy.daily(5, 6)
    tardy.sql("DELETE FROM late")
    tardy.hold_back(6, "id % 10 > 0")
    tardy.daily(7, 7)
    tardy.arrive()
    tardy.look(7, 8)
    (incident,) = tardy.incidents()
    assert incident.state is State.FIRING
    assert any(
        event == "revised" and "row_count breached and no longer does" in words for event, words in tardy.events()
    )


def test_the_report_says_which_windows_were_read_again(late):
    tardy = late()
    tardy.hold_back(5, "id % 10 > 0")
    tardy.until(6)
    tardy.arrive()
    tardy.look(6, 8)
    found = gather(tardy.store, tardy.watch, tardy.folder / "config.yaml", tardy.clock.now())
    assert "late rows: 30 before 2026-01-11 08:00 UTC" in found.windows[-1].note
    assert ("late rows", "taken in until 2d after that") in found.settings


def test_equal_numbers_of_rows_change_nothing(late):
    calm = late()
    calm.until(4)
    before = calm.state()
    assert calm.look(4, 8) > 0
    assert (calm.state(), calm.revisions()) == (before, [])


def test_a_window_is_looked_at_as_often_as_the_looks_say(late):
    calm = late()
    calm.until(1)
    assert [calm.look(1, 1 + hours) for hours in (5.9, 6, 7, 12, 24, 47, 48, 100)] == [0, 1, 0, 1, 1, 0, 1, 0]


def test_with_lateness_off_late_rows_stay_out(late):
    strict = late(config=CONFIG.replace("delay: 1h", "delay: 1h, allowed_lateness: 0s"))
    strict.hold_back(3)
    strict.until(4)
    strict.arrive()
    assert strict.look(6) == 0
    assert strict.revisions() == []


def test_rows_that_vanish_are_noticed_too(late):
    shrinking = late()
    shrinking.until(4)
    shrinking.hold_back(3)
    shrinking.look(4, 8)
    (revision,) = shrinking.revisions()
    assert (revision.rows_before, revision.rows_after) == (300, 150)


def test_a_log_that_is_away_at_the_last_look_is_asked_again_later(late):
    tardy = late()
    tardy.hold_back(0)
    tardy.until(1)
    tardy.arrive()

    def away(watch, window, bins):
        raise UnavailableError("the log is away")

    tardy.cycle.reader = away
    assert tardy.look(3) == 1
    assert tardy.revisions() == []
    tardy.cycle.reader = from_log
    assert tardy.look(3, 8) == 1
    assert len(tardy.revisions()) == 1


def test_a_defect_in_a_look_is_logged_and_the_window_given_back(late):
    calm = late()
    calm.until(1)

    def broken(watch, window, bins):
        raise ZeroDivisionError

    calm.cycle.reader = broken
    assert calm.look(1, 8) == 1
    with calm.store.read() as connection:
        (row,) = connection.execute(sa.select(runs)).all()
    assert (row.state, row.lease_until) == ("done", None)
    assert row.look_at is not None


def test_a_window_judged_by_other_checks_is_left_as_it_is(late, tmp_path):
    tardy = late()
    tardy.hold_back(3)
    tardy.until(4)
    tardy.arrive()
    before = tardy.state()
    other = Late.__new__(Late)
    (tardy.folder / "config.yaml").write_text(CONFIG.replace("checks: auto", "checks: [psi, null_rate]"), "utf-8")
    from monitor.config.reading import read
    from monitor.watch import watches

    other.watch = watches(read(tardy.folder / "config.yaml"))["churn"]
    tardy.clock.set(START + 6 * DAY)
    assert revise(tardy.cycle, other.watch, 10) > 0
    assert (tardy.state(), tardy.revisions()) == (before, [])


def test_while_one_replica_revises_no_other_evaluates_the_model(late):
    tardy = late()
    tardy.until(4)
    tardy.clock.set(START + 6 * DAY)
    with tardy.store.write() as connection:
        assert claim_rows.reopen(connection, "churn", "first:1:1", tardy.clock.now()) is not None
        assert claim_rows.reopen(connection, "churn", "second:1:1", tardy.clock.now()) is None
    other = Cycle(tardy.store, tardy.clock, owner="second:1:1")
    assert [result.outcome for result in other.catch_up(tardy.watch)] == ["taken"]


def test_while_one_replica_evaluates_none_revises(late):
    tardy = late()
    tardy.until(4)
    tardy.clock.set(START + 6 * DAY)
    (window,) = tardy.cycle.owed(tardy.watch, 1)
    with tardy.store.write() as connection:
        claim_rows.claim(connection, "churn", window, "f", "first:1:1", tardy.clock.now())
        assert claim_rows.reopen(connection, "churn", "second:1:1", tardy.clock.now()) is None


def test_a_revision_whose_claim_was_taken_over_writes_nothing(late):
    tardy = late()
    tardy.hold_back(3)
    tardy.until(4)
    tardy.arrive()
    before = tardy.state()

    def slow(watch, window, bins):
        with tardy.store.write() as connection:
            connection.execute(runs.update().values(epoch=runs.c.epoch + 1))
        return from_log(watch, window, bins)

    tardy.cycle.reader = slow
    tardy.look(4, 8, most=1)
    assert (tardy.state(), tardy.revisions()) == (before, [])


def test_a_model_whose_windows_are_due_a_look_is_owing(late):
    calm = late()
    calm.until(2)
    assert calm.cycle.owing([calm.watch]) == []
    calm.clock.set(START + 2 * DAY + timedelta(hours=8))
    assert calm.cycle.owing([calm.watch]) == [calm.watch]


def test_two_revisions_of_an_open_incident_are_both_told(late):
    tardy = late()
    tardy.hold_back(5, "id % 10 > 0")
    tardy.daily(5, 6)
    tardy.sql("DELETE FROM late")
    tardy.hold_back(6, "id % 10 > 0")
    tardy.hold_back(7, "id % 10 > 0")
    tardy.daily(7, 8)
    tardy.arrive()
    tardy.look(8, 9)
    assert [notice.reason for notice in tardy.notices()] == ["first notification", *["late rows revised a window"] * 2]


def test_what_one_revision_withdrew_another_opens_under_an_id_of_its_own(late):
    tardy = late()
    tardy.hold_back(5, "id % 10 > 0")
    tardy.until(6)
    tardy.arrive()
    tardy.look(6, 8)
    tardy.hold_back(5, "id % 10 > 0")
    tardy.look(6, 14)
    first, second = tardy.incidents()
    assert (first.state, second.state) == (State.RESOLVED, State.FIRING)
    assert second.id == f"{first.id}-2"
