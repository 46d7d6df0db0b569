"""The whole middle on a real store: windows in, incidents and messages out."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.finding import Verdict
from monitor.core.incident import State
from monitor.core.notice import Deferred, Delivered, Notice, Rejected
from monitor.cycle import FAILURES_TOLERATED, Cycle
from monitor.delivery import Delivery, wait
from monitor.store import bodies
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import retrains as retrain_rows
from monitor.store import runs as run_rows
from monitor.store.outbox import Letter
from monitor.store.schema import open_store
from monitor.watch import watches
from tests.worlds import CONFIG, START, drop, shift, world

DAY = timedelta(days=1)


class Receiver:
    """Answers what it is told to, and keeps what it was sent."""

    def __init__(self, *answers):
        self.answers, self.attempts = list(answers), []

    def send(self, attempt):
        self.attempts.append(attempt)
        answer = self.answers.pop(0) if self.answers else Delivered({"ts": "1"})
        if isinstance(answer, Exception):
            raise answer
        return answer

    def probe(self):
        return "a test"


class House:
    """A world with its store, its clock and its cycle."""

    def __init__(self, folder: Path, change=None, days=12, config=CONFIG):
        self.config = read(world(folder, days, change, config))
        self.store = open_store(self.config.store.get_secret_value())
        self.clock = SetClock(START)
        self.cycle = Cycle(self.store, self.clock, owner="test")
        self.watches = watches(self.config)
        self.watch = next(iter(self.watches.values()))

    def until(self, day, watch=None):
        """Let the clock reach a day and do what is owed."""
        self.clock.set(START + day * DAY + timedelta(hours=1))
        return self.cycle.catch_up(watch or self.watch)

    def incidents(self):
        with self.store.read() as connection:
            return incident_rows.listing(connection, closed=True)

    def letters(self):
        with self.store.read() as connection:
            return outbox_rows.listing(connection)

    def notices(self):
        return [bodies.load(Notice, letter["payload"]) for letter in self.letters() if letter["kind"] == "notice"]

    def flush(self, receiver, watches=None):
        return Delivery(self.store, self.clock, "test", {"log": receiver}, watches or self.watches).flush()

    def timeline(self, incident):
        with self.store.read() as connection:
            return [event.event for event in incident_rows.timeline(connection, incident.id)]


@pytest.fixture
def house(tmp_path):
    houses = []

    def build(*args, **kwargs):
        houses.append(House(tmp_path, *args, **kwargs))
        return houses[-1]

    yield build
    for one in houses:
        one.store.close()


def test_calm_days_make_no_incident(house):
    calm = house()
    results = calm.until(10)
    assert [result.outcome for result in results] == ["done"] * 10
    assert calm.incidents() == []
    assert not any(f.verdict is Verdict.FAILED for result in results for f in result.findings)


def test_every_owed_window_has_exactly_one_result_however_often_it_is_asked(house):
    calm = house()
    calm.until(5)
    assert calm.until(5) == []
    with calm.store.read() as connection:
        windows = [run.window for run in run_rows.listing(connection, "churn")]
    assert [window.start for window in windows] == [START + n * DAY for n in range(5)]


def test_a_null_flood_fires_in_its_first_window_is_named_and_resolves(house):
    broken = house(drop("age", 5, 7))
    broken.until(6)
    (incident,) = broken.incidents()
    assert (incident.columns, incident.fault, incident.state) == (("age",), "null_flood", State.FIRING)
    assert incident.onset == START + 5 * DAY
    broken.until(10)
    (incident,) = broken.incidents()
    assert incident.state is State.RESOLVED


def test_a_large_shift_is_told_in_its_first_window_with_its_onset(house):
    moved = house(shift("age", 8.0, 5))
    moved.until(6)
    (incident,) = moved.incidents()
    assert (incident.state, incident.columns, incident.onset) == (State.FIRING, ("age",), START + 5 * DAY)
    assert incident.evidence[0].words.startswith("median of age rose from 39.9 to ")


def test_a_small_shift_is_told_when_its_evidence_has_gathered_and_says_when_it_began(house):
    moved = house(shift("age", 3.0, 3), days=14)
    moved.until(5)
    assert moved.incidents() == []
    moved.until(13)
    (incident,) = moved.incidents()
    assert abs(incident.onset - (START + 3 * DAY)) <= DAY
    assert incident.opened_at > START + 6 * DAY


def test_a_fixed_threshold_waits_for_a_second_window(house):
    moved = house(shift("age", 8.0, 3), config=CONFIG.replace("checks: auto", "checks: [{ks: {threshold: 0.15}}]"))
    moved.until(4)
    assert [incident.state for incident in moved.incidents()] == [State.PENDING]
    moved.until(5)
    assert [incident.state for incident in moved.incidents()] == [State.FIRING]


def test_a_message_is_written_with_the_incident_that_it_is_about(house):
    broken = house(drop("age", 5, 7))
    broken.until(6)
    (notice,) = broken.notices()
    assert notice.incident == broken.incidents()[0]
    assert (notice.version, notice.rows, notice.reference_rows) == ("7", 300, 12000)
    assert notice.actions == ("ack", "silence", "expected")


def test_the_end_is_told_and_the_chart_carries_the_effect_over_time(house):
    broken = house(drop("age", 5, 7))
    receiver = Receiver()
    for day in range(1, 11):
        broken.until(day)
        broken.flush(receiver)
    reasons = [attempt.notice.reason.value for attempt in receiver.attempts]
    assert reasons == ["first notification", "resolved"]
    assert receiver.attempts[1].earlier == {"ts": "1"}
    assert max(receiver.attempts[1].notice.series[0].effects) > 0.9


def test_a_deferred_message_is_tried_again_later_and_delivered_once(house):
    broken = house(drop("age", 5, 12))
    broken.until(6)
    receiver = Receiver(Deferred("busy", retry_after=120), Delivered({"ts": "9"}))
    assert broken.flush(receiver) == 1
    assert broken.flush(receiver) == 0
    broken.clock.set(broken.clock.now() + timedelta(minutes=3))
    assert broken.flush(receiver) == 1
    assert [letter["state"] for letter in broken.letters()] == ["delivered"]
    assert receiver.attempts[1].number == 2


def test_a_rejected_message_is_dead_and_the_incident_says_so(house):
    broken = house(drop("age", 5, 12))
    broken.until(6)
    broken.flush(Receiver(Rejected("no such channel; invite the bot")))
    assert [letter["state"] for letter in broken.letters()] == ["dead"]
    assert "undeliverable" in broken.timeline(broken.incidents()[0])


def test_a_notifier_that_raises_is_tried_again_as_uncertain(house):
    broken = house(drop("age", 5, 12))
    broken.until(6)
    receiver = Receiver(RuntimeError("defect"))
    broken.flush(receiver)
    broken.clock.set(broken.clock.now() + timedelta(hours=1))
    broken.flush(receiver)
    assert receiver.attempts[1].uncertain


def test_a_receiver_that_left_the_configuration_is_a_dead_letter(house):
    broken = house(drop("age", 5, 12))
    broken.until(6)
    Delivery(broken.store, broken.clock, "test", {}, broken.watches).flush()
    assert "no receiver 'log'" in broken.letters()[0]["error"]


def test_waiting_doubles_is_bounded_and_honours_what_the_receiver_asks():
    def letter(attempts):
        return Letter(1, "k", "notice", "m", "r", None, "{}", attempts, False, 1)

    waits = [wait(letter(n), None) for n in range(1, 12)]
    assert waits[:7] == sorted(waits[:7])
    assert 15 <= waits[0] < 19
    assert max(waits) <= 3600 * 1.25
    assert wait(letter(1), 300.0) == 300.0


def test_a_log_that_cannot_be_read_is_told_at_once_when_it_is_a_mistake(house):
    lost = house()
    lost.until(2)
    (Path(lost.config.store.get_secret_value().removeprefix("sqlite:///")).parent / "logs.db").unlink()
    (result,) = lost.until(3)
    assert result.outcome == "failed"
    (incident,) = lost.incidents()
    assert (incident.fault, incident.kind.value) == ("blind", "operations")


def test_a_log_that_is_away_is_told_after_several_attempts_and_recovers_by_itself(house, monkeypatch):
    from monitor.core.errors import UnavailableError

    away = house()
    away.until(2)
    real = type(away.watch.model.logs).read

    def refuse(*_args, **_kwargs):
        raise UnavailableError("the database is away")

    monkeypatch.setattr(type(away.watch.model.logs), "read", refuse)
    for attempt in range(FAILURES_TOLERATED):
        away.clock.set(START + 3 * DAY + timedelta(hours=2 + 2 * attempt))
        away.cycle.catch_up(away.watch)
        assert len(away.incidents()) == (1 if attempt == FAILURES_TOLERATED - 1 else 0)
    monkeypatch.setattr(type(away.watch.model.logs), "read", real)
    away.clock.set(START + 4 * DAY)
    assert [r.outcome for r in away.cycle.catch_up(away.watch)] == ["done"]
    assert away.incidents()[0].state is State.RESOLVED


def test_windows_too_old_after_downtime_are_skipped_and_the_skip_is_recorded(house):
    late = house(config=CONFIG.replace("delay: 1h", "delay: 1h, catch_up: 3d"))
    results = late.until(10)
    assert [result.window.start for result in results] == [START + n * DAY for n in (6, 7, 8, 9)]
    with late.store.read() as connection:
        first = run_rows.listing(connection, "churn")[0]
    assert (first.state, first.window.start, first.window.end) == ("skipped", START, START + 6 * DAY)
    assert "6 windows older than catch_up" in first.reason


def test_a_model_that_is_seen_for_the_first_time_shows_its_newest_window(house):
    fresh = house(config=CONFIG.replace(", start: 2026-01-05T00:00:00Z", ""))
    assert [result.window.start for result in fresh.until(6)] == [START + 5 * DAY]


def test_one_bad_column_never_stops_the_others(house, monkeypatch):
    from checks.catalogue import catalogue

    calm = house(config=CONFIG.replace("checks: auto", "checks: [auto, ks]"))
    ks = catalogue()["ks"].check
    real = ks.measure

    def broken(self, reference, current):
        if reference.name == "age":
            raise ZeroDivisionError("division by zero")
        return real(self, reference, current)

    monkeypatch.setattr(ks, "measure", broken)
    (result,) = calm.until(1)
    failed = [f for f in result.findings if f.verdict is Verdict.FAILED]
    assert {f.column for f in failed} == {"age"}
    assert any(f.column == "amount" and f.check == "ks" and f.verdict is Verdict.PASS for f in result.findings)


RETRAIN = CONFIG.replace(
    "    checks: auto\n",
    "    checks: auto\n    retrain: {mode: MODE, trigger: {command: {argv: [python3, -c, pass]}}}\n",
)


def test_a_change_of_the_world_proposes_a_retraining_and_asks_nobody_s_pipeline(house):
    moved = house(shift("age", 8.0, 5), config=RETRAIN.replace("MODE", "ask"))
    moved.until(7)
    with moved.store.read() as connection:
        (proposal,) = retrain_rows.listing(connection)
    assert proposal.state.value == "proposed"
    assert proposal.request.columns == ("age",)
    assert "retraining proposed" in moved.timeline(moved.incidents()[0])
    assert "retrain" in moved.notices()[0].actions
    assert {letter["kind"] for letter in moved.letters()} == {"notice"}


def test_a_proposal_is_withdrawn_when_its_incident_ends(house):
    moved = house(shift("age", 8.0, 5, 8), days=14, config=RETRAIN.replace("MODE", "ask"))
    moved.until(12)
    assert moved.incidents()[0].state is State.RESOLVED
    with moved.store.read() as connection:
        (proposal,) = retrain_rows.listing(connection)
    assert proposal.state.value == "withdrawn"
    assert "retraining withdrawn" in moved.timeline(moved.incidents()[0])


def test_in_mode_auto_the_trigger_runs_once_and_the_thread_says_so(house):
    moved = house(shift("age", 8.0, 5), config=RETRAIN.replace("MODE", "auto"))
    moved.until(7)
    receiver = Receiver()
    moved.flush(receiver)
    moved.flush(receiver)
    with moved.store.read() as connection:
        (retraining,) = retrain_rows.listing(connection)
    assert retraining.state.value == "succeeded"
    assert [a.notice.reason.value for a in receiver.attempts] == ["first notification", "retraining"]


def test_broken_data_never_lead_to_a_retraining(house):
    broken = house(drop("age", 5, 12), config=RETRAIN.replace("MODE", "auto"))
    broken.until(7)
    with broken.store.read() as connection:
        assert retrain_rows.listing(connection) == []
    assert "no retraining" in broken.timeline(broken.incidents()[0])


def test_a_drift_while_the_data_are_broken_is_refused_with_a_reason(house):
    def both(rows):
        drop("amount", 4, 12)(rows)
        shift("age", 8.0, 5)(rows)

    broken = house(both, config=RETRAIN.replace("MODE", "auto"))
    broken.until(8)
    drift = next(i for i in broken.incidents() if i.columns == ("age",))
    assert "retraining refused" in broken.timeline(drift)


def test_an_empty_window_is_a_result_and_silence_is_noticed(house):
    def gap(rows):
        keep = [i for i, t in enumerate(rows["ts"]) if (t - START).days != 9]
        for name in rows:
            rows[name] = [rows[name][i] for i in keep]

    silent = house(gap, days=12)
    silent.until(10)
    incidents = silent.incidents()
    assert {incident.fault for incident in incidents} & {"row_count", "freshness"}
    with silent.store.read() as connection:
        assert run_rows.listing(connection, "churn")[-1].rows == 0
