"""Random histories: whatever is done to some replicas, once everything has healed the history is right."""

import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, seed, settings
from hypothesis import strategies as st

from tests.faults.history import violations
from tests.faults.simulation import Simulation

EXAMPLES = int(os.environ.get("LEEWAY_HISTORIES", "30"))
PIECES = 2 if EXAMPLES < 100 else 20  # so that several workers share them
HELD = ("window.written", "letter.settled", "revision.written")  # inside of a transaction that others wait for
OUTSIDE = (
    "window.owed", "window.claimed", "window.read", "window.judged", "window.committed",
    "letter.claimed", "letter.sent", "letter.committed", "revision.claimed",
)  # fmt: skip

_who = st.integers(0, 3)
_times = st.integers(1, 3)


def _step(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.tuples(st.just(name), *arguments)


_turn = _step("turn", _who, st.sampled_from([1, 6, 24, 24, 30]))
_fault = st.one_of(
    _step("crash", _who, st.sampled_from(OUTSIDE + HELD), _times),
    _step("crash", _who, st.sampled_from(OUTSIDE + HELD), _times),
    _step("freeze", _who, st.sampled_from(OUTSIDE), _times),
    _step("freeze", _who, st.sampled_from(OUTSIDE), _times),
    _step("thaw", _who),
    _step("lapse"),
    _step("linger", _who, st.sampled_from(OUTSIDE)),
    _step("time", st.sampled_from([-72, -30, -1, 72, 100])),
    _step("slack", st.lists(st.sampled_from(["before", "after", "limited", "html", ""]), min_size=1, max_size=6)),
    _step("hook", _times),
    _step("trigger"),
    _step("cut", _who, st.sampled_from(["before", "after"]), st.integers(0, 3)),
    _step("blind", _who),
    _step("reconfigure", _who, st.sampled_from(["first", "second"])),
    _step("act", st.sampled_from(["resolve", "expect", "acknowledge"])),
    _step("late", st.integers(0, 5)),
    _step("arrive"),
)
_histories = st.lists(st.one_of(_turn, _turn, _fault), min_size=5, max_size=25)


def play(simulation: Simulation, step: tuple[Any, ...]) -> None:
    """Take one step of a drawn history."""
    name, *arguments = step
    if name in ("turn", "crash", "freeze", "linger", "thaw", "cut", "blind", "reconfigure"):
        arguments[0] %= simulation.replicas
    if name == "turn":
        simulation.pass_time(timedelta(hours=arguments[1]))
        simulation.work(arguments[0])
        simulation.deliver(arguments[0])
    elif name == "time":
        simulation.pass_time(timedelta(hours=arguments[0]))
    elif name == "slack":
        simulation.slack.client.faults.extend(arguments[0])
    elif name == "hook":
        simulation.hook.doubts = arguments[0]
    elif name == "trigger":
        simulation.trigger.doubts = 1
    else:
        names = {"late": "delay_rows", "arrive": "rows_arrive"}
        getattr(simulation, names.get(name, name))(*arguments)


@pytest.mark.parametrize("piece", range(PIECES))
def test_whatever_is_done_to_the_replicas_nothing_is_lost_and_nothing_twice(house, piece, record_property):
    played = 0

    @seed(piece)
    @settings(
        max_examples=-(-EXAMPLES // PIECES),
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(replicas=st.integers(1, 4), steps=_histories)
    def histories(replicas, steps):
        nonlocal played
        played += 1
        with Simulation(house, replicas) as simulation:
            for step in steps:
                play(simulation, step)
            simulation.heal()
            found = violations(simulation.history())
            note(f"{len(steps)} steps, faults: {simulation.faults}")
        assert found == []

    histories()
    record_property("random histories", played)
