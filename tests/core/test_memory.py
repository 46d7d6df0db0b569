"""What is carried from window to window survives being written down, to the last bit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from watched_model import Days, new_plan, plan, reference, rhythm, shift, signal, window

from checks.evidence import Detector, State
from monitor.core.memory import Alarm, Memory, decode
from monitor.core.signal import Terms, learn

DETECTOR = signal().detector


@pytest.fixture(scope="module")
def lived():
    """A memory with evidence, an open alarm, an ended block and a level that somebody accepted."""
    days = Days()
    days.days(5)
    days.alarm(shift(8))
    days.days(2, shift(8))
    state = replace(days.memory.state, accepted=np.linspace(-0.1, 1 / 3, len(DETECTOR.tracks)))
    return replace(days.memory, state=state)


def arrays(state: State) -> list[np.ndarray]:
    parts = [array for scale in state.scales for array in (scale.held, scale.past, scale.sums, scale.rows)]
    return [*parts, state.frozen, state.accepted]


def alike(one: State, other: State) -> bool:
    """Whether two states are the same bit by bit, and of the same types."""
    counts = [[(s.hours, s.years, s.windows, s.block) for s in state.scales] for state in (one, other)]
    return counts[0] == counts[1] and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(arrays(one), arrays(other), strict=True)
    )


def test_evidence_comes_back_to_the_last_bit(lived):
    assert alike(decode(lived.encode(), DETECTOR).state, lived.state)


def test_open_alarms_come_back_as_they_were(lived):
    assert lived.alarms
    assert decode(lived.encode(), DETECTOR).alarms == lived.alarms


def test_a_beginning_comes_back_as_a_beginning():
    memory = Memory(DETECTOR.start())
    again = decode(memory.encode(), DETECTOR)
    assert alike(again.state, memory.state)
    assert again.alarms == ()


def test_what_is_decoded_is_what_was_encoded_once_more(lived):
    assert decode(lived.encode(), DETECTOR).encode() == lived.encode()


def test_a_run_goes_on_from_what_was_written_down_as_if_it_had_never_stopped():
    straight, stopped = Days(), Days()
    for days in (straight, stopped):
        days.days(3, new_plan(0.002))
    stopped.memory = decode(stopped.memory.encode(), DETECTOR)
    for days in (straight, stopped):
        days.days(4, shift(2))
    assert alike(straight.memory.state, stopped.memory.state)
    assert straight.memory.alarms == stopped.memory.alarms


def test_no_number_is_rounded_and_no_word_lost_in_an_alarm():
    moment = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    alarm = Alarm(
        "größe, “cm”", "location", 3, moment - timedelta(days=2), moment, 0.1 + 0.2, -1e-300, 1 / 3, moment,
        "median of größe rose", None, (1e-17, 2.0), (0.3, 0.1), (1 / 7,), 2,
    )  # fmt: skip
    memory = Memory(DETECTOR.start(), (alarm,))
    assert decode(memory.encode(), DETECTOR).alarms == (alarm,)


def other_checks() -> Detector:
    return learn(reference(), plan("location", "null_rate"), rhythm(), Terms(), signal().audit).detector


def other_scales() -> Detector:
    return learn(reference(), plan(), rhythm(timedelta(hours=1)), Terms(), signal().audit).detector


@pytest.mark.parametrize("other", [other_checks, other_scales])
def test_what_a_detector_of_another_shape_wrote_is_nothing_to_go_on_from(lived, other):
    assert decode(lived.encode(), other()) is None


def test_an_alarm_remembers_no_more_blocks_than_its_end_is_looked_for_in():
    alarm = Alarm("age", "location", 0, window(0).start, window(0).end, 0.5, 0.4, 0.6, window(0).end, totals=(0.5,))
    for block in range(40):
        alarm = alarm.after(float(block), 0.1, (1.0,))
    assert alarm.departures == tuple(map(float, range(12, 40)))
    assert (len(alarm.errors), alarm.blocks) == (28, 40)


def test_an_alarm_adds_up_the_departures_of_every_component_of_its_check():
    alarm = Alarm(
        "plan", "category_shift", 7, window(0).start, window(0).end, 0.5, 0.4, 0.6, window(0).end, totals=(1.0, 2.0)
    )
    assert alarm.after(0.5, 0.1, (0.25, -4.0)).totals == (1.25, -2.0)
