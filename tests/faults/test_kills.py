"""Killed at every failpoint: real processes, both stores, one to four replicas; the rest is done by those that live."""

import itertools
import os

import pytest

from monitor.failpoints import PLACES
from tests.faults.deployment import DAYS
from tests.faults.history import violations
from tests.waiting import until

STORES, REPLICAS = ("sqlite", "postgresql"), (1, 2, 4)
EVERYTHING = list(itertools.product(PLACES, STORES, REPLICAS))
# Without `make faults`: each place once, the stores in turn.
SAMPLE = [(place, STORES[number % 2], 2) for number, place in enumerate(PLACES)]
CASES = EVERYTHING if os.environ.get("LEEWAY_FAULTS") == "all" else SAMPLE


@pytest.mark.faults
@pytest.mark.parametrize(("place", "kind", "replicas"), CASES)
def test_whoever_is_killed_wherever_nothing_is_lost_and_nothing_twice(deploy, place, kind, replicas, record_property):
    late = place.startswith("revision.")
    town = deploy(kind, late=late)
    # Each victim dies at its own visit of the place, so that several windows and letters are hit.
    victims = [town.start(f"{place}:{1 if late else number}") for number in range(1, max(replicas, 2))]
    if late:
        until(lambda: town.done() == DAYS)
        town.rows_arrive()
    until(lambda: any(victim.killed for victim in victims), what=f"reaching {place}")
    if replicas > 1:
        town.start()
    until(lambda: town.nobody_is_dead(victims) and (not late or town.revised()) and town.settled())
    town.end()
    history = town.history()
    assert violations(history) == [], town.words()
    assert (len(history.incidents), len(history.ledger)) == (2, 1), town.words()  # the story took place
    record_property("processes killed", len(history.injected("dead")))
