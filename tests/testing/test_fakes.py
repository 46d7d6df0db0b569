"""The shipped fakes keep the promises of what they stand for."""

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from checks.binning import fit_table
from monitor.core.errors import UnavailableError, UserError
from monitor.core.incident import Reason
from monitor.core.notice import Attempt, Deferred, Delivered
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.window import Window
from monitor.testing import FakeClock, MemorySource, RecordingNotifier, RecordingTrigger

if TYPE_CHECKING:
    from monitor.core.ports import Clock, Notifier, Source, Trigger

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def log(hours=48):
    return pa.table(
        {
            "id": [f"row-{number}" for number in range(hours)],
            "ts": pa.array([START + HOUR * number for number in range(hours)], pa.timestamp("us", "UTC")),
            "x": pa.array([float(number) if number % 7 else None for number in range(hours)]),
        }
    )


def source(**options):
    return MemorySource(log(), "ts", "id", **options)


def test_every_fake_fits_its_port():
    clock: Clock = FakeClock()
    notifier: Notifier = RecordingNotifier()
    trigger: Trigger = RecordingTrigger()
    memory: Source = source()
    assert all((clock.now(), notifier.probe(), trigger.probe(), memory.facts()))


def test_the_clock_stands_still_until_it_is_moved():
    clock = FakeClock(START)
    assert clock.now() == clock.now() == START
    clock.sleep(30)
    assert clock.advance(HOUR) == START + HOUR + timedelta(seconds=30)
    assert clock.slept == [30]


def test_the_clock_is_in_utc():
    assert FakeClock(datetime(2026, 1, 1, tzinfo=timezone(2 * HOUR))).now().utcoffset() == timedelta()


def test_a_window_is_half_open():
    [batch] = source().batches(Window(START, START + 3 * HOUR))
    assert batch.column("id").to_pylist() == ["row-0", "row-1", "row-2"]


def test_nulls_are_kept():
    [batch] = source().batches(Window(START, START + HOUR))
    assert batch.column("x").to_pylist() == [None]


def test_naive_times_are_read_in_the_given_zone():
    naive = pa.table({"ts": pa.array([datetime(2026, 3, 1, 1)], pa.timestamp("us")), "x": [1.0]})  # noqa: DTZ001
    east = MemorySource(naive, "ts", zone=timezone(HOUR))
    assert sum(batch.num_rows for batch in east.batches(Window(START, START + HOUR))) == 1


def test_wanted_columns_come_with_the_time():
    [batch] = source().batches(Window(START, START + HOUR), ["x"])
    assert batch.schema.names == ["ts", "x"]


def test_the_same_rows_are_sampled_whatever_the_batches():
    window, bins = Window(START, START + 48 * HOUR), fit_table(log(), time="ts", skip=["id"])
    one, many = source().read(window, bins, 5), source(batch_rows=3).read(window, bins, 5)
    assert one.sample.column("id") == many.sample.column("id")
    assert one.sample.num_rows == 5
    assert one.profile == many.profile


def test_late_rows_arrive():
    memory = source()
    memory.append(log(1))
    assert sum(batch.num_rows for batch in memory.batches(Window(START, START + HOUR))) == 2


def test_facts_name_columns_rows_and_extremes():
    facts = source().facts()
    assert (list(facts.columns), facts.rows) == (["id", "ts", "x"], 48)
    assert (facts.first_event, facts.last_event) == (START, START + 47 * HOUR)


def test_a_source_may_be_away():
    with pytest.raises(UnavailableError, match="on holiday"):
        list(source(unavailable="on holiday").batches(Window(START, START + HOUR)))


@pytest.mark.parametrize(("memory", "columns"), [(source(), ["y"]), (MemorySource(log(), "when"), None)])
def test_a_column_that_is_not_there_is_the_users_mistake(memory, columns):
    with pytest.raises(UserError, match="has no column"):
        list(memory.batches(Window(START, START + HOUR), columns))


def test_the_notifier_answers_as_planned_and_keeps_what_arrived(a_notice):
    notifier = RecordingNotifier([Deferred("busy"), Delivered()])
    assert [type(notifier.send(Attempt(a_notice))) for _ in range(3)] == [Deferred, Delivered, Delivered]
    assert list(notifier.messages) == [a_notice.key]
    assert len(notifier.attempts) == 3


@pytest.fixture
def a_notice():
    from monitor.core.finding import IncidentKind, Severity
    from monitor.core.incident import Incident, State
    from monitor.core.notice import Notice

    incident = Incident(
        "m-1", "m", IncidentKind.DRIFT, "f", State.FIRING, Severity.WARNING, ("x",), "d", "s", START, START, START
    )
    return Notice("k", Reason.FIRST, incident, START)


def request(key="k"):
    return RetrainRequest(key, "m", "because", START, "anna")


def test_the_trigger_runs_a_key_once():
    trigger = RecordingTrigger()
    assert trigger.fire(request()) == trigger.fire(request()) == trigger.find(request())
    assert list(trigger.runs) == ["k"]


def test_the_trigger_answers_as_planned():
    trigger = RecordingTrigger([Fired(RetrainState.FAILED)])
    assert [trigger.fire(request(key)).state for key in "ab"] == [RetrainState.FAILED, RetrainState.SUCCEEDED]


def test_a_dry_run_of_the_trigger_does_nothing():
    trigger = RecordingTrigger()
    assert trigger.fire(request(), dry_run=True).state is RetrainState.PROPOSED
    assert (trigger.requests, trigger.find(request())) == ([], None)
