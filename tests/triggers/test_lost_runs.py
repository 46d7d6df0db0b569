"""What delivery makes of a run that is lost: by a kill, by GitHub's late list, by a person who deletes it."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from howto import blocks
from retrain_factory import asked

from monitor.core.retrain import RetrainState
from monitor.delivery import Delivery
from monitor.requesting import ask
from monitor.store import retrains as retrain_rows
from monitor.store.schema import scratch_store
from monitor.testing import FakeClock
from monitor.testing.github import TOKEN, FakeGithub, Fault
from monitor.testing.kubernetes import FakeKubernetes
from monitor.triggers.github import Github
from monitor.triggers.kubernetes import Kubernetes


class Killed(BaseException):
    """A process that ends without a word."""


class House:
    """A store with one request for a retraining, and deliveries from it, each as if by a process of its own."""

    def __init__(self):
        self.store, self.clock = scratch_store(), FakeClock(datetime.now(UTC))
        self.request = asked(incident=None, requested_at=self.clock.now())
        with self.store.write() as connection:
            ask(connection, self.request, self.clock.now())

    def deliver(self, trigger, after=timedelta(minutes=6)):
        model = SimpleNamespace(retrain=SimpleNamespace(trigger=trigger))
        self.clock.advance(after)
        Delivery(self.store, self.clock, "test", {}, {"churn": SimpleNamespace(model=model)}).flush()
        with self.store.read() as connection:
            return retrain_rows.get(connection, self.request.key)

    def die_before_writing(self, trigger, monkeypatch):
        """Let a process be killed when the request has been made, and be known to be dead."""
        with monkeypatch.context() as patched:
            patched.setattr("monitor.delivery.reach", _die_when_sent)
            with pytest.raises(Killed):
                self.deliver(trigger)
        monkeypatch.setattr("monitor.store.owners.gone", lambda _: True)


def _die_when_sent(place):
    if place == "letter.sent":
        raise Killed


@pytest.fixture
def house():
    one = House()
    yield one
    one.store.close()


@pytest.fixture
def cluster():
    with FakeKubernetes() as server:
        server.apply(blocks("kubernetes.md", "yml")[0])
        yield server


@pytest.fixture
def hub():
    with FakeGithub() as server:
        server.add("train.yml", blocks("github.md", "yml")[0])
        yield server


def kubernetes(cluster):
    return Kubernetes(url=cluster.url, cronjob="train", namespace="ml", token=cluster.token("ml", "leeway"))


def github(hub, listing="5s"):
    return Github(url=hub.url, repository="acme/models", workflow="train.yml", token=TOKEN, listing=listing)


def test_a_job_that_somebody_deletes_is_not_made_again(house, cluster):
    assert house.deliver(kubernetes(cluster)).state is RetrainState.ACCEPTED
    cluster.delete(cluster.jobs[0]["metadata"]["name"])
    lost = house.deliver(kubernetes(cluster))
    assert (lost.state, lost.run is not None) == (RetrainState.UNKNOWN, True)
    assert "the trigger finds the run no more that it has begun; it is not asked again" in lost.note
    assert house.deliver(kubernetes(cluster)).state is RetrainState.UNKNOWN
    assert len(cluster.made) == 1


def test_a_run_of_github_that_somebody_deletes_is_not_begun_again_by_another_process(house, hub):
    assert house.deliver(github(hub)).state is RetrainState.ACCEPTED
    hub.delete(hub.runs[0].id)
    assert house.deliver(github(hub, "0.2s")).state is RetrainState.UNKNOWN
    assert hub.runs == []


def test_a_run_that_github_took_and_does_not_list_is_not_begun_again_by_another_process(house, hub):
    hub.details, hub.lag = "ignored", 3600.0
    assert house.deliver(github(hub)).state is RetrainState.ACCEPTED
    assert house.deliver(github(hub, "0.2s")).state is RetrainState.UNKNOWN
    hub.catch_up()
    assert house.deliver(github(hub)).run == str(hub.runs[0].id)
    assert len(hub.runs) == 1


def test_killed_after_the_job_was_made_the_successor_follows_it(house, cluster, monkeypatch):
    house.die_before_writing(kubernetes(cluster), monkeypatch)
    cluster.finish(cluster.jobs[0]["metadata"]["name"])
    assert house.deliver(kubernetes(cluster)).state is RetrainState.SUCCEEDED
    assert len(cluster.made) == 1


def test_killed_after_the_run_was_begun_the_successor_waits_until_it_is_listed(house, hub, monkeypatch):
    hub.lag = 0.5
    house.die_before_writing(github(hub), monkeypatch)
    assert house.deliver(github(hub)).run == str(hub.runs[0].id)
    assert len(hub.runs) == 1


@pytest.mark.parametrize("kind", ["drop_before", "error_before", "drop_after", "error_after"])
def test_whenever_the_connection_is_cut_there_is_one_run_in_the_end(house, hub, kind):
    hub.faults.plan(Fault("dispatch", kind))
    assert house.deliver(github(hub)).state is RetrainState.UNKNOWN
    assert house.deliver(github(hub, "0.2s")).state is RetrainState.ACCEPTED
    assert len(hub.runs) == 1


@pytest.mark.parametrize("kind", ["drop_before", "error_before", "drop_after", "error_after"])
def test_whenever_the_connection_is_cut_there_is_one_job_in_the_end(house, cluster, kind):
    cluster.faults.plan(Fault("create jobs", kind))
    assert house.deliver(kubernetes(cluster)).state is RetrainState.UNKNOWN
    assert house.deliver(kubernetes(cluster)).state is RetrainState.ACCEPTED
    assert len(cluster.made) == 1


def test_followed_to_its_end_it_is_looked_at_no_more(house, cluster):
    house.deliver(kubernetes(cluster))
    cluster.finish(cluster.jobs[0]["metadata"]["name"], "BackoffLimitExceeded")
    assert house.deliver(kubernetes(cluster)).state is RetrainState.FAILED
    calls = len(cluster.calls)
    house.deliver(kubernetes(cluster))
    assert len(cluster.calls) == calls
