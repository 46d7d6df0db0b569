"""Labels decide whether a drift is a reason to retrain, from the log to the timeline, and refusals stay on record."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitor import labelled
from monitor.approving import approve
from monitor.asking import Asking
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.errors import UnavailableError, UserError
from monitor.core.finding import IncidentKind
from monitor.core.retrain import Action, Fired, RetrainState
from monitor.core.window import Window
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store.schema import open_store
from monitor.watch import watches
from tests.worlds import CONFIG, ROWS_A_DAY, START, rows_of, shift, world

DAY = timedelta(days=1)
ASKING = CONFIG.replace(
    "    checks: auto\n",
    "    checks: auto\n"
    "    labels: {table: outcomes, id: id, label: churned, time: known_at}\n"
    "    retrain: {mode: MODE, least_labelled: LEAST, cooldown: 0s,"
    " trigger: {command: {argv: [python3, -c, pass]}}}\n",
)


class House:
    """A world whose log drifts on the sixth day, and whose labels arrive a day after each prediction."""

    def __init__(self, folder, mode="ask", least=1000, share=1.0):
        text = ASKING.replace("MODE", mode).replace("LEAST", str(least))
        self.config = read(world(folder, 14, shift("age", 8.0, 5), text))
        self.log = folder / "logs.db"
        label(self.log, share)
        self.store = open_store(self.config.store.get_secret_value())
        self.clock = SetClock(START)
        self.cycle = Cycle(self.store, self.clock, owner="test")
        self.watches = watches(self.config)
        self.watch = self.watches["churn"]

    def until(self, day):
        self.clock.set(START + day * DAY + timedelta(hours=1))
        return self.cycle.catch_up(self.watch)

    def deliver(self):
        return Delivery(self.store, self.clock, "test", {}, self.watches).flush()

    @property
    def incident(self):
        with self.store.read() as connection:
            return next(i for i in incident_rows.listing(connection, closed=True) if i.columns == ("age",))

    @property
    def retrainings(self):
        with self.store.read() as connection:
            return retrain_rows.listing(connection)

    def timeline(self, event):
        with self.store.read() as connection:
            return [e for e in incident_rows.timeline(connection, self.incident.id) if e.event == event]


def label(log, share):
    """Write outcomes for a share of the predictions, each known a day later."""
    with closing(sqlite3.connect(log)) as connection, connection:
        rows = connection.execute("SELECT id, datetime(ts, '+1 day') FROM predictions ORDER BY id").fetchall()
        connection.execute("CREATE TABLE outcomes (id, churned, known_at)")
        kept = rows[:: round(1 / share)]
        connection.executemany("INSERT INTO outcomes VALUES (?, ?, ?)", [(i, i % 2, at) for i, at in kept])


@pytest.fixture
def house(tmp_path):
    houses = []

    def build(**options):
        houses.append(House(tmp_path, **options))
        return houses[-1]

    yield build
    for one in houses:
        one.store.close()


def test_with_enough_labels_the_proposal_says_how_many(house):
    labelled_well = house(least=1000)
    labelled_well.until(7)
    (proposal,) = labelled_well.retrainings
    assert proposal.state is RetrainState.PROPOSED
    arrived = 6 * DAY + timedelta(hours=1)  # a day before the clock of the catch-up
    assert proposal.request.labelled_rows == pytest.approx(arrived / DAY * ROWS_A_DAY, abs=1)


def test_with_too_few_labels_nothing_is_proposed_and_the_timeline_has_both_numbers(house):
    sparse = house(share=0.1)
    sparse.until(7)
    assert sparse.retrainings == []
    (refused,) = sparse.timeline("retraining refused")
    assert "of the predictions since" in refused.detail
    assert "1,000 are needed" in refused.detail


def test_mode_auto_fires_with_enough_labels(house):
    auto = house(mode="auto")
    auto.until(7)
    auto.deliver()
    assert [r.state for r in auto.retrainings] == [RetrainState.SUCCEEDED]


def test_mode_auto_never_fires_while_labels_cannot_be_counted_and_says_so(house):
    blind = house(mode="auto")
    with closing(sqlite3.connect(blind.log)) as connection, connection:
        connection.execute("DROP TABLE outcomes")
    blind.until(7)
    assert blind.retrainings == []
    (refused,) = blind.timeline("retraining refused")
    assert "the labels could not be counted" in refused.detail
    assert "outcomes" in refused.detail


def test_in_mode_ask_a_person_is_asked_and_told_that_labels_could_not_be_counted(house):
    blind = house()
    with closing(sqlite3.connect(blind.log)) as connection, connection:
        connection.execute("DROP TABLE outcomes")
    blind.until(7)
    (proposed,) = blind.timeline("retraining proposed")
    assert "the labels could not be counted" in proposed.detail


def test_the_database_of_the_labels_may_be_away_without_stopping_an_incident(house, monkeypatch):
    away = house(mode="auto")

    def gone(*_):
        raise UnavailableError("the database cannot be reached")

    monkeypatch.setattr(labelled, "fresh_rows", gone)
    assert [result.outcome for result in away.until(7)] == ["done"] * 7
    (refused,) = away.timeline("retraining refused")
    assert "the database cannot be reached" in refused.detail


def test_who_approved_is_recorded_with_the_retraining_and_in_the_timeline(house):
    asked = house()
    asked.until(7)
    approve(asked.store, asked.clock, asked.watch, "anna")
    (retraining,) = asked.retrainings
    assert (retraining.request.requested_by, retraining.state) == ("anna", RetrainState.REQUESTED)
    (requested,) = asked.timeline("retraining requested")
    assert requested.actor == "anna"


def test_what_a_person_is_refused_is_in_the_timeline_with_their_name(house):
    asked = house()
    asked.until(7)
    with closing(sqlite3.connect(asked.log)) as connection, connection:
        connection.execute("DELETE FROM outcomes WHERE id % 20")
    with pytest.raises(UserError, match=r"no retraining of churn: .* 1,000 are needed"):
        approve(asked.store, asked.clock, asked.watch, "anna", incident_id=asked.incident.id)
    (refused,) = asked.timeline("retraining refused")
    assert (refused.actor, "1,000 are needed" in refused.detail) == ("anna", True)


def test_a_refusal_without_an_incident_is_noted_where_the_proposal_is(house):
    asked = house()
    asked.until(7)
    with closing(sqlite3.connect(asked.log)) as connection, connection:
        connection.execute("DELETE FROM outcomes")
    with pytest.raises(UserError):
        approve(asked.store, asked.clock, asked.watch, "anna")
    assert [event.actor for event in asked.timeline("retraining refused")] == ["anna"]


def test_a_dry_run_leaves_no_trace_of_its_refusal(house):
    asked = house()
    asked.until(7)
    with closing(sqlite3.connect(asked.log)) as connection, connection:
        connection.execute("DELETE FROM outcomes")
    with pytest.raises(UserError):
        approve(asked.store, asked.clock, asked.watch, "anna", dry_run=True)
    assert asked.timeline("retraining refused") == []


def breaks(house):
    """Let a quality incident fire, as the next window might."""
    with house.store.write() as connection:
        broken = replace(house.incident, id="churn-broken", kind=IncidentKind.QUALITY, columns=("amount",), retrains=())
        incident_rows.put(connection, broken)


def test_data_that_break_after_the_approval_stop_it_before_it_is_delivered(house):
    asked = house()
    asked.until(7)
    approve(asked.store, asked.clock, asked.watch, "anna")
    breaks(asked)
    asked.deliver()
    (retraining,) = asked.retrainings
    assert retraining.state is RetrainState.REFUSED
    assert "churn-broken" in retraining.note
    assert any("churn-broken" in event.detail for event in asked.timeline("retrain"))


def test_a_rollback_is_not_held_up_by_broken_data(house):
    asked = house()
    asked.until(7)
    request = approve(asked.store, asked.clock, asked.watch, "anna", dry_run=True)
    back = replace(request, key="churn-back-1", incident=None, action=Action.ROLLBACK, target="6")
    breaks(asked)
    assert Asking(asked.store)._refused(back) is None
    assert Asking(asked.store)._refused(request).state is RetrainState.REFUSED


def test_rows_that_a_model_has_learnt_from_are_fresh_no_more(house):
    asked = house()
    asked.until(7)
    before = labelled.fresh_since(asked.store, asked.watch, asked.clock.now())
    request = approve(asked.store, asked.clock, asked.watch, "anna")
    with asked.store.write() as connection:
        retrain_rows.move(connection, request.key, Fired(RetrainState.SUCCEEDED), asked.clock.now())
    after = labelled.fresh_since(asked.store, asked.watch, asked.clock.now() + DAY)  # nothing since has a label yet
    assert before.since < START + timedelta(minutes=1)
    assert (after.since, after.rows) == (request.requested_at, 0)


def test_a_rollback_teaches_nothing(house):
    asked = house()
    asked.until(7)
    before = labelled.fresh_since(asked.store, asked.watch, asked.clock.now())
    request = approve(asked.store, asked.clock, asked.watch, "anna", dry_run=True)
    back = replace(request, key="churn-back-1", incident=None, action=Action.ROLLBACK)
    with asked.store.write() as connection:
        retrain_rows.put(connection, back, RetrainState.SUCCEEDED, asked.clock.now())
    assert labelled.fresh_since(asked.store, asked.watch, asked.clock.now()) == before


def test_the_labels_of_a_window_are_read_as_configured(house):
    asked = house(share=0.5)
    table = labelled.labelled(asked.watch.model, Window(START, START + DAY), START + 30 * DAY)
    assert (table.num_rows, table.column_names) == (ROWS_A_DAY / 2, ["label"])


def test_the_connection_check_counts_labels(house, run):
    asked = house()
    asked.store.close()
    _, out, _ = run("config", "check", "--connect", "--json")
    lines = {line["what"]: line for line in json.loads(out)["connections"]}
    assert lines["models.churn.labels"]["outcome"] == "ok"
    assert f"{14 * ROWS_A_DAY:,} of the predictions" in lines["models.churn.labels"]["detail"]


def test_the_connection_check_names_a_label_table_that_is_not_there(house, run, tmp_path):
    asked = house()
    asked.store.close()
    path = tmp_path / "config.yaml"
    path.write_text(path.read_text().replace("table: outcomes", "table: outcome"))
    code, out, _ = run("config", "check", "--connect", "--json")
    assert code == 2
    lines = {line["what"]: line for line in json.loads(out)["connections"]}
    assert "did you mean 'outcomes'" in lines["models.churn.labels"]["detail"]


def test_files_of_labels_are_found_from_the_configuration_s_folder(tmp_path):
    (tmp_path / "logs").mkdir()
    pq.write_table(pa.table(rows_of(START, 2, 2)), tmp_path / "logs" / "day.parquet")
    ids = pa.array(range(2_000_000, 2_000_050))
    pq.write_table(pa.table({"id": ids, "churned": pa.array([n % 2 for n in range(50)])}), tmp_path / "truth.parquet")
    text = ASKING.replace("MODE", "ask").replace("LEAST", "10").replace("table: outcomes", "table: truth.parquet")
    text = text.replace("{url: sqlite:///logs.db, table: predictions,", "{path: logs,").replace(
        ", time: known_at}", "}"
    )
    (tmp_path / "config.yaml").write_text(text)
    model = read(tmp_path / "config.yaml").models["churn"]
    assert labelled.fresh_rows(model, START, START + DAY) == 50
