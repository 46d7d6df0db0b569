"""What pruning removes and what it never touches, on both databases."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from monitor import retaining
from monitor.clocks import SetClock
from monitor.config.operations import Retention
from monitor.config.reading import read
from monitor.daemon import Daemon
from monitor.store import retention
from monitor.store.database import database_now
from monitor.store.schema import open_store
from monitor.store.tables import (
    audits,
    canaries,
    configurations,
    evidence,
    findings,
    heartbeats,
    incident_events,
    incidents,
    learnt,
    outbox,
    profiles,
    retrains,
    revisions,
    runs,
    silences,
)
from monitor.watch import watches
from tests.worlds import CONFIG, world

DAY = timedelta(days=1)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 200
NOW = FIRST + (DAYS + 1) * DAY
POLICY = Retention(samples=10 * DAY, profiles=90 * DAY, incidents=150 * DAY)


@pytest.fixture
def config(tmp_path):
    return read(world(tmp_path, 1)).model_copy(update={"retention": POLICY})


def put(store, table, *rows):
    with store.write() as connection:
        connection.execute(table.insert(), list(rows))


def lived(store, days=DAYS, model="churn", key="k"):
    """Runs of so many days, each with everything; their numbers are those of the days."""
    numbers = range(days)
    first = FIRST.replace(hour=0)
    put(
        store,
        runs,
        *(
            {"id": n, "model": model, "window_start": first + n * DAY, "window_end": first + (n + 1) * DAY,
             "fingerprint": "f", "state": "done", "reason": "", "rows": 5, "epoch": 1, "attempts": 1,
             "reference_id": "r", "finished_at": first + (n + 1) * DAY}
            for n in numbers
        ),
    )  # fmt: skip
    put(store, profiles, *({"run_id": n, "profile": b"p", "sample": b"s"} for n in numbers))
    put(store, evidence, *({"run_id": n, "key": key, "decided": "{}", "body": b"e"} for n in numbers))
    put(
        store,
        findings,
        *(
            {"run_id": n, "place": p, "check_name": "c", "verdict": "pass", "body": "{}"}
            for n in numbers
            for p in (0, 1)
        ),
    )


def incident(day, state="resolved", resolved=None, name=None, onset=None):
    """A row of the table of incidents; its body is what the store reads of an open one."""
    opened = FIRST + day * DAY
    body = {
        "id": name or f"i{day}", "model": "churn", "kind": "drift", "fault": "x", "state": state, "severity": "warning",
        "columns": ["age"], "diagnosis": "d", "summary": "s", "opened_at": opened.isoformat(),
        "onset": (FIRST + (day if onset is None else onset) * DAY).isoformat(),
        "last_window_end": opened.isoformat(), "evidence": [],
    }  # fmt: skip
    return {
        "id": body["id"], "model": "churn", "kind": "drift", "fault": "x", "state": state, "severity": "warning",
        "opened_at": opened, "resolved_at": FIRST + resolved * DAY if resolved is not None else None,
        "body": json.dumps(body),
    }  # fmt: skip


def letter(number, day, incident_id=None, state="delivered"):
    moment = FIRST + day * DAY
    return {
        "id": number, "key": f"k{number}", "kind": "notice", "model": "churn", "receiver": "log",
        "incident_id": incident_id, "payload": "{}", "state": state, "attempts": 1, "uncertain": False, "epoch": 1,
        "created_at": moment, "next_attempt_at": moment, "delivered_at": moment, "error": "",
    }  # fmt: skip


def retraining(key, day, incident_id, state):
    moment = FIRST + day * DAY
    return {
        "key": key, "model": "churn", "incident_id": incident_id, "state": state, "requested_at": moment,
        "requested_by": "ada", "updated_at": moment, "note": "", "body": "{}",
    }  # fmt: skip


def keys(store, column):
    with store.read() as connection:
        return sorted(set(connection.execute(sa.select(column)).scalars()))


def prune(store, config, now=NOW):
    return {(one.model, one.what): one.rows for one in retaining.prune(store, config, now)}


def test_samples_go_first_then_what_was_found_then_the_windows(store, config):
    lived(store)
    prune(store, config)
    with store.read() as connection:
        sampled = connection.execute(sa.select(profiles.c.run_id).where(profiles.c.sample.is_not(None))).scalars().all()
    assert sorted(sampled) == list(range(189, 200))
    assert keys(store, findings.c.run_id) == list(range(109, 200))
    assert keys(store, profiles.c.run_id) == list(range(109, 200))
    assert keys(store, runs.c.id) == list(range(49, 200))


def test_the_newest_of_the_old_evidence_stays_for_the_window_after_it(store, config):
    lived(store)
    prune(store, config)
    assert keys(store, evidence.c.run_id) == list(range(109, 200))
    with store.write() as connection:
        connection.execute(evidence.delete().where(evidence.c.run_id.between(108, 130)))
        connection.execute(evidence.insert(), [{"run_id": 60, "key": "k", "decided": "{}", "body": b"x"}])
        connection.execute(evidence.insert(), [{"run_id": 59, "key": "k", "decided": "{}", "body": b"x"}])
        connection.execute(evidence.insert(), [{"run_id": 58, "key": "other", "decided": "{}", "body": b"x"}])
    prune(store, config)
    assert keys(store, evidence.c.run_id) == [58, 60, *range(131, 200)]


def test_pruning_again_finds_nothing(store, config):
    lived(store)
    assert prune(store, config)
    assert prune(store, config) == {}


def test_what_would_go_is_what_goes(store, config):
    lived(store)
    put(store, incidents, incident(5, resolved=10))
    foreseen = {(one.model, one.what): one.rows for one in retaining.would_prune(store, config, NOW)}
    assert keys(store, runs.c.id) == list(range(200))
    found = prune(store, config)
    assert {key: rows for key, rows in foreseen.items() if key[1] in ("samples", "incidents")}.items() <= found.items()
    assert set(foreseen) <= set(found)


def test_the_end_of_the_newest_window_is_never_forgotten(store, config):
    lived(store, 1, model="gone")
    prune(store, config, NOW + 9999 * DAY)
    assert keys(store, runs.c.id) == [0]


def test_windows_of_a_daemon_that_was_down_for_years_are_as_young_as_when_it_stopped(store, config):
    lived(store)
    prune(store, config, NOW + 9999 * DAY)
    assert keys(store, profiles.c.run_id) == list(range(109, 200))


def test_a_model_that_is_no_longer_configured_is_forgotten_by_the_calendar(store, config):
    lived(store, model="gone")
    prune(store, config, NOW + 9999 * DAY)
    assert keys(store, profiles.c.run_id) == []
    assert keys(store, runs.c.id) == list(range(138, 200))


def test_what_was_found_since_the_onset_of_an_open_incident_stays(store, config):
    lived(store)
    put(store, incidents, incident(160, state="firing", onset=70))
    prune(store, config)
    assert keys(store, findings.c.run_id) == list(range(69, 200))
    assert keys(store, profiles.c.run_id) == list(range(69, 200))


def test_what_rests_on_a_window_that_is_looked_at_again_stays(store, config):
    lived(store)
    with store.write() as connection:
        connection.execute(runs.update().where(runs.c.id == 150).values(look_at=NOW))
    prune(store, config)
    assert keys(store, profiles.c.run_id) == list(range(59, 200))


def test_as_many_windows_as_tell_the_usual_volume_stay_however_old(store, config):
    lived(store, 50)
    with store.write() as connection:
        connection.execute(
            runs.update().where(runs.c.id == 49).values(window_start=NOW - 2 * DAY, window_end=NOW - DAY)
        )
    prune(store, config)
    assert keys(store, runs.c.id) == list(range(50))


def test_a_window_that_is_being_worked_on_is_left_alone(store, config):
    lived(store)
    with store.write() as connection:
        connection.execute(profiles.delete().where(profiles.c.run_id == 3))
        connection.execute(runs.update().where(runs.c.id == 3).values(state="claimed"))
    prune(store, config)
    assert 3 in keys(store, runs.c.id)


def test_a_resolved_incident_goes_with_all_that_belongs_to_it(store, config):
    lived(store)
    put(store, incidents, incident(5, resolved=20), incident(6, resolved=100))
    put(
        store,
        incident_events,
        *({"incident_id": name, "at": FIRST, "event": "fired", "actor": "m", "detail": ""} for name in ("i5", "i6")),
    )
    put(store, outbox, letter(1, 20, "i5"), letter(2, 20, "i5", "dead"), letter(3, 100, "i6"))
    put(
        store,
        silences,
        {"model": "churn", "incident_id": "i5", "until": FIRST, "created_at": FIRST, "created_by": "a", "reason": ""},
    )
    put(store, retrains, retraining("i5-1", 20, "i5", "succeeded"))
    prune(store, config)
    assert keys(store, incidents.c.id) == ["i6"]
    assert keys(store, incident_events.c.incident_id) == ["i6"]
    assert keys(store, outbox.c.id) == [3]
    assert keys(store, silences.c.incident_id) == []
    assert keys(store, retrains.c.key) == []


@pytest.mark.parametrize("state", ["pending", "sending"])
def test_an_incident_with_a_message_under_way_stays_with_all_its_messages(store, config, state):
    lived(store)
    put(store, incidents, incident(5, resolved=20))
    put(store, outbox, letter(1, 20, "i5"), letter(2, 20, "i5", state))
    prune(store, config)
    assert (keys(store, incidents.c.id), keys(store, outbox.c.id)) == (["i5"], [1, 2])


@pytest.mark.parametrize("state", ["proposed", "requested", "accepted", "running", "unknown"])
def test_an_incident_with_a_retraining_under_way_stays(store, config, state):
    lived(store)
    put(store, incidents, incident(5, resolved=20))
    put(store, retrains, retraining("i5-1", 20, "i5", state))
    prune(store, config)
    assert (keys(store, incidents.c.id), keys(store, retrains.c.key)) == (["i5"], ["i5-1"])


@pytest.mark.parametrize("state", ["pending", "firing"])
def test_what_was_told_of_an_open_incident_stays_however_old(store, config, state):
    lived(store)
    put(store, incidents, incident(5, state=state))
    put(store, outbox, letter(1, 5, "i5"))
    prune(store, config)
    assert (keys(store, incidents.c.id), keys(store, outbox.c.id)) == (["i5"], [1])


def test_retrainings_asked_for_by_hand_stay_for_their_number_names_the_next(store, config):
    lived(store)
    put(store, retrains, retraining("churn-by-hand-1", 5, None, "succeeded"))
    prune(store, config)
    assert keys(store, retrains.c.key) == ["churn-by-hand-1"]


def test_a_retraining_within_its_cooldown_is_not_forgotten(store, config):
    model = config.models["churn"]
    slow = model.model_copy(update={"retrain": model.retrain.model_copy(update={"cooldown": 365 * DAY})})
    lived(store)
    put(store, incidents, incident(5, resolved=20))
    put(store, retrains, retraining("i5-1", 20, "i5", "succeeded"))
    prune(store, config.model_copy(update={"models": {"churn": slow}}))
    assert keys(store, retrains.c.key) == ["i5-1"]


def test_old_letters_about_no_incident_go_unless_they_are_under_way(store, config):
    lived(store)
    put(store, outbox, letter(1, 5), letter(2, 5, None, "dead"), letter(3, 5, None, "pending"), letter(4, 190))
    prune(store, config)
    assert keys(store, outbox.c.id) == [3, 4]


def test_what_belongs_to_no_model_goes_when_nobody_uses_it(store, config):
    lived(store, 1)
    watch = watches(config)["churn"]
    put(
        store,
        configurations,
        *({"fingerprint": f, "model": "churn", "body": "{}", "first_seen": FIRST} for f in ("f", "unused")),
        {"fingerprint": "new", "model": "churn", "body": "{}", "first_seen": NOW},
    )
    put(
        store,
        canaries,
        *(
            {"id": n, "at": FIRST, "owner": "a", "model": "churn", "outcome": "proven", "seconds": 1.0, "detail": ""}
            for n in (1, 2)
        ),
    )
    put(store, learnt, {"key": "unused", "body": b"x", "made_at": FIRST})
    put(
        store,
        audits,
        *(
            {"key": key, "model": "churn", "threshold": 1.0, "days": 1, "unfit": "[]", "made_at": FIRST}
            for key in ("unused", watch.audit_key("r"))
        ),
    )
    prune(store, config)
    assert keys(store, configurations.c.fingerprint) == ["f", "new"]
    assert keys(store, canaries.c.id) == [2]
    assert keys(store, learnt.c.key) == []


def test_the_replay_of_a_reference_that_the_store_has_stays(store, config):
    lived(store, 1)
    watch = watches(config)["churn"]
    put(
        store,
        retention.references,
        {"id": "r", "model": "churn", "origin": "o", "added_at": FIRST, "added_by": "a", "rows": 1, "warnings": "[]",
         "bins": b"", "profile": b"", "sample": b""},
    )  # fmt: skip
    put(
        store,
        audits,
        {"key": watch.audit_key("r"), "model": "churn", "threshold": 1.0, "days": 1, "unfit": "[]", "made_at": FIRST},
    )
    prune(store, config)
    assert keys(store, audits.c.key) == [watch.audit_key("r")]
    assert keys(store, retention.references.c.id) == ["r"]


def test_revisions_go_with_what_they_revised(store, config):
    lived(store)
    put(
        store,
        revisions,
        *({"run_id": n, "at": FIRST, "rows_before": 1, "rows_after": 2, "changes": "[]"} for n in (5, 150)),
    )
    prune(store, config)
    assert keys(store, revisions.c.run_id) == [150]


def test_a_large_part_goes_in_transactions_that_grow_and_shrink_with_the_time_they_take(store):
    lived(store)
    sizes = []
    everything = sa.select(findings.c.run_id).distinct()

    def slow(connection, chosen):
        sizes.append(len(chosen))
        connection.execute(findings.delete().where(findings.c.run_id.in_(chosen)))

    part = retention.Part("findings", "churn", None, everything, slow)
    rests = []
    assert retention.remove(store, part, rest=rests.append) == 200
    assert sizes[0] == 20
    assert max(sizes) <= retention.MOST
    assert len(rests) >= len(sizes) - 1
    assert keys(store, findings.c.run_id) == []


def test_pruning_stops_when_it_is_told_to(store, config):
    lived(store)
    assert retaining.prune(store, config, NOW, lambda: True) == []
    assert keys(store, runs.c.id) == list(range(200))


def test_a_sqlite_file_becomes_smaller(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/monitor.db")
    put(store, learnt, *({"key": f"{n}", "body": bytes(20_000), "made_at": FIRST} for n in range(100)))

    def pages():
        with store.read() as connection:
            return connection.exec_driver_sql("PRAGMA page_count").scalar()

    before = pages()
    with store.write() as connection:
        connection.execute(learnt.delete())
    retention.give_back(store)
    assert pages() < before / 4
    store.close()


class Owners:
    """Heartbeats of other processes."""

    def __init__(self, store):
        self.store = store

    def beat(self, owner, age=0.0):
        with self.store.write() as connection:
            values = {"owner": owner, "version": "1", "started_at": NOW, "body": "{}"}
            connection.execute(heartbeats.insert().values(**values, beat=database_now(connection) - age))


def test_a_daemon_prunes_some_minutes_after_its_start_and_then_once_a_day(store, config):
    lived(store)
    clock = SetClock(NOW)
    daily = retaining.Daily(clock)
    assert not daily.due
    clock.set(NOW + retaining.FIRST)
    assert daily.due
    daily.work(store, config, "me", lambda: False)
    assert len(keys(store, profiles.c.run_id)) == 91
    assert not daily.due
    clock.set(clock.now() + DAY)
    assert daily.due


def test_of_several_daemons_one_prunes(store, config):
    lived(store)
    others = Owners(store)
    others.beat("a")
    others.beat("b")
    clock = SetClock(NOW)
    second = retaining.Daily(clock)
    clock.set(NOW + retaining.FIRST)
    second.work(store, config, "b", lambda: False)
    assert len(keys(store, profiles.c.run_id)) == 200
    assert not second.due
    retaining.Daily(clock).work(store, config, "a", lambda: False)
    assert len(keys(store, profiles.c.run_id)) == 91


def test_when_the_one_that_pruned_is_gone_another_does(store, config):
    lived(store)
    Owners(store).beat("a", age=600.0)
    retaining.Daily(SetClock(NOW)).work(store, config, "b", lambda: False)
    assert len(keys(store, profiles.c.run_id)) == 91


def test_the_command_says_what_would_go_and_then_removes_it(tmp_path, run):
    world(tmp_path, 1, None, CONFIG + "retention: {samples: 10d, profiles: 90d, incidents: 150d}\n")
    store = open_store(f"sqlite:///{tmp_path}/monitor.db")
    lived(store)
    code, out, _ = run("prune", "--dry-run", "--json")
    said = json.loads(out)
    assert (code, said["dry_run"]) == (0, True)
    samples = next(one for one in said["pruned"] if one["what"] == "samples")
    assert samples == {"model": "churn", "what": "samples", "rows": 189, "before": "2024-07-09T00:00:00Z"}
    assert len(keys(store, profiles.c.run_id)) == 200
    code, out, _ = run("prune")
    assert code == 0
    assert "2024-04-20" in out
    assert len(keys(store, profiles.c.run_id)) == 91
    assert run("prune")[1] == "nothing is older than `retention` keeps it\n"
    store.close()


def test_a_running_daemon_prunes_beside_its_other_work(store, config):
    lived(store)
    clock = SetClock(NOW)
    daemon = Daemon(store, clock, lambda: config, config.model_copy(update={"models": {}, "canary": None}))
    daemon.tick()
    assert "retention" not in daemon._busy
    clock.set(NOW + retaining.FIRST)
    daemon.tick()
    daemon._busy["retention"].result(30)
    assert keys(store, profiles.c.run_id) == list(range(111, 200))  # of a model that is not configured, by the calendar
    daemon._pool.shutdown()
    daemon._outgoing.shutdown()
