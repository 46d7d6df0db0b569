"""Killed anywhere between decision and acceptance: in mode auto exactly one run begins at the orchestrator.

Real processes of the daemon on both stores; the orchestrators are stand-ins that keep what began. The webhook's starts a
run at every request, and GitHub lists its runs late: with these only looking first keeps a second one from beginning.
"""

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.cycle import Cycle
from monitor.delivery import Delivery
from monitor.store import incidents as incident_rows
from monitor.store import outbox as outbox_rows
from monitor.store import retrains as retrain_rows
from monitor.store.database import connect
from monitor.testing._server import Server
from monitor.testing.github import TOKEN, FakeGithub
from monitor.testing.kubernetes import FakeKubernetes
from monitor.watch import watches
from tests.faults import journal
from tests.faults.deployment import DAY, DRIFT
from tests.faults.history import violations
from tests.triggers.howto import blocks
from tests.waiting import until

# Each place, and how a process that is killed there leaves the letter to the trigger.
PLACES = {
    "window.judged": None,
    "window.written": None,
    "window.committed": "pending",
    "letter.claimed": "sending",
    "letter.sent": "sending",
    "letter.settled": "sending",
    "letter.committed": "pending",  # the run is looked at again, until its end
}
STORES = ("sqlite", "postgresql")
FIRES = DRIFT[1]  # the day whose window decides: the second with the drift


class Runs(Server):
    """A receiver that starts a run at every request, whatever its id, and says what became of it."""

    def __init__(self) -> None:
        super().__init__()
        self.began: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Start a run, or say what became of one."""
        if request.method == "POST":
            self.began.append(request.headers["webhook-id"])
            return web.json_response({"id": f"run-{len(self.began)}"}, status=202)
        known = request.path.rpartition("/")[2] in self.began
        return web.json_response({"id": "run-1", "state": "succeeded"}, status=200 if known else 404)


@dataclass(frozen=True)
class Orchestrator:
    """A stand-in: what the configuration says of it, the keys of what began there, and how that goes on."""

    trigger: str
    began: Callable[[], Sequence[str]]
    work: Callable[[], object] = lambda: None


@contextmanager
def webhook() -> Iterator[Orchestrator]:
    with Runs() as runs:
        yield Orchestrator(
            f'webhook: {{url: "{runs.url}/runs", lookup: "{runs.url}/runs/{{key}}"}}', lambda: runs.began
        )


@contextmanager
def github() -> Iterator[Orchestrator]:
    with FakeGithub(lag=0.5) as hub:
        hub.add("train.yml", blocks("github.md", "yml")[0])
        yield Orchestrator(
            f'github: {{url: "{hub.url}", repository: acme/models, workflow: train.yml, token: {TOKEN}, listing: 2s}}',
            lambda: [run.inputs["leeway_key"] for run in hub.runs],
            lambda: [hub.finish(run.id) for run in hub.runs],
        )


@contextmanager
def kubernetes() -> Iterator[Orchestrator]:
    with FakeKubernetes() as cluster:
        cluster.apply(blocks("kubernetes.md", "yml")[0])
        token = cluster.token("ml", "leeway")
        yield Orchestrator(
            f'kubernetes: {{url: "{cluster.url}", cronjob: train, namespace: ml, token: {token}}}',
            lambda: [job["metadata"]["annotations"]["leeway/key"] for job in cluster.made],
            lambda: [cluster.finish(job["metadata"]["name"]) for job in cluster.jobs],
        )


ORCHESTRATORS = (webhook, github, kubernetes)
EVERYTHING = [*itertools.product(PLACES, ORCHESTRATORS, STORES, (1, 2))]
# Without `make faults`: each place with the strictest of them and another one, the stores and one or two processes in turn.
SAMPLE = [
    (place, kind, STORES[(number + other) % 2], 1 + (number // 2 + other) % 2)
    for number, place in enumerate(PLACES)
    for other, kind in enumerate((webhook, (github, kubernetes)[number % 2]))
]
CASES = EVERYTHING if os.environ.get("LEEWAY_FAULTS") == "all" else SAMPLE


@pytest.mark.faults
@pytest.mark.parametrize(("place", "orchestrator", "kind", "replicas"), CASES)
def test_whoever_is_killed_wherever_one_run_begins(deploy, place, orchestrator, kind, replicas, record_property):
    with orchestrator() as asked:
        town = deploy(kind)
        about_to_decide(town, asked.trigger)
        victims = [town.start(place) for _ in range(replicas)]
        until(lambda: any(victim.killed for victim in victims), what=f"reaching {place}")
        if replicas == 1:
            assert left(town) == PLACES[place], "it was killed where it was meant to be"
        until(lambda: town.nobody_is_dead(victims) and (asked.work(), town.settled())[1], what="the end")
        town.end()
        began = asked.began()
    history = replace(town.history(), ledger=began)
    assert violations(history) == [], town.words()
    [request] = look(town, retrain_rows.listing)
    assert (began, str(request.state)) == ([request.request.key], "succeeded"), town.words()
    assert request.run is not None
    record_property("processes killed", len(history.injected("dead")))


@pytest.mark.faults
@pytest.mark.parametrize("kind", STORES)
def test_a_request_that_broken_data_overtake_is_not_lost_but_refused_and_said(deploy, kind):
    with webhook() as asked:
        town = deploy(kind)
        about_to_decide(town, asked.trigger, broken=True)
        victim = town.start("letter.claimed")
        until(lambda: victim.killed, what="reaching letter.claimed")
        with judging(town, FIRES + 2) as deliver:
            deliver()
    [request] = look(town, retrain_rows.listing)
    assert (asked.began(), str(request.state)) == ([], "refused")
    said = look(town, incident_rows.timeline, incident_id=request.request.incident)
    [told] = [event.detail for event in said if event.event == "retrain"]
    assert told.startswith(f"{request.request.key} refused: ")
    assert "a model must not learn from broken data" in told
    assert any(f"Retraining: {told}" in message["text"] for message in town.slack.messages.values())


def about_to_decide(town: Any, trigger: str, *, broken: bool = False) -> None:
    """Configure the trigger, and judge the windows before the one in which the drift fires; ``broken`` is the next."""
    text = town.config.read_text()
    command = next(line for line in text.splitlines() if "trigger:" in line)
    town.config.write_text(text.replace(command, f"    retrain: {{mode: auto, trigger: {{{trigger}}}}}"))
    if broken:
        with closing(sqlite3.connect(town.logs)) as log, log:
            next_day = f"{town.world.first + (FIRES + 1) * DAY:%Y-%m-%d}"
            log.execute("UPDATE predictions SET age = NULL WHERE date(ts) = ?", [next_day])
    with judging(town, FIRES) as deliver:
        deliver()  # what the broken data before the drift had to say
        assert left(town) is None


@contextmanager
def judging(town: Any, days: int) -> Iterator[Callable[[], int]]:
    """Judge the windows until a day in this process; gives what delivers letters from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGAPPNAME", "here")  # under which PostgreSQL's journal knows it
        store = connect(town.url)
        journal.sign(store.engine, lambda: "here")
        clock, config = SetClock(town.world.first + timedelta(days=days, minutes=1)), read(town.config)
        known = watches(config)
        Cycle(store, clock, owner="here").catch_up(known["churn"])
        yield Delivery(store, clock, "here", config.notifiers, known).flush
        store.close()
    assert town.done() == days


def left(town: Any) -> str | None:
    """Return in which state the letter to the trigger is; None where there is none."""
    found = [str(letter["state"]) for letter in look(town, outbox_rows.listing, kind="retrain")]
    assert len(found) <= 1
    return found[0] if found else None


def look(town: Any, how: Callable[..., Any], **options: Any) -> Any:
    """Look into the store."""
    with town.store.read() as connection:
        return how(connection, **options)
