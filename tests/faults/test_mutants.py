"""The code passes every scenario, and each planted fault of the code is caught by the checker in one of them."""

import pytest
from slack_sdk import WebClient

from monitor.notifiers.slack import Slack
from monitor.testing.slack import CHANNEL, TOKEN, Fault
from tests.faults.history import violations
from tests.faults.mutants import MUTANTS
from tests.faults.receivers import ToldSlack
from tests.faults.scenarios import SCENARIOS, dropped_after_storing
from tests.faults.simulation import Simulation


def played(house, scenario):
    with Simulation(house, 2) as simulation:
        scenario(simulation)
        simulation.heal()
        return violations(simulation.history())


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_the_code_as_it_is_passes(house, scenario):
    assert played(house, scenario) == []


@pytest.mark.parametrize(("mutant", "scenario"), MUTANTS, ids=lambda one: one.__name__)
def test_a_planted_fault_is_caught(house, mutant, scenario, monkeypatch):
    mutant(monkeypatch)
    assert played(house, scenario) != []


@pytest.mark.parametrize("retries", [False, True], ids=["as it is", "with the SDK's own retries"])
def test_the_sdk_retrying_by_itself_is_caught(house, monkeypatch, retries):
    if retries:
        plain = Slack._client
        monkeypatch.setattr(Slack, "_client", lambda self: WebClient(TOKEN, base_url=plain(self).base_url))
    with ToldSlack() as fake, Simulation(house, 2) as simulation:
        simulation.slack.workspace.receipts = fake.receipts
        simulation.notifiers["slack"] = Slack(token=TOKEN, channel=CHANNEL, base_url=fake.api)
        fake.plan(Fault("chat.postMessage", "drop_after"))
        dropped_after_storing(simulation)
        simulation.heal()
        found = violations(simulation.history())
    assert fake.receipts
    assert (found != []) is retries
