"""What MLflow calls when an alias moves: signed, over real HTTP, and no more than a hint."""

import http.client
from urllib.parse import urlsplit

import pytest

from monitor.clocks import SystemClock
from monitor.testing import FakeMlflow
from monitor.testing.mlflow import event, signed
from tests.test_daemon import Running, config, model
from tests.worlds import world

SECRET = "a-secret-of-the-webhook"
REST = "notifiers: {log: stdout}\ntick: 0.1s\ncanary: off\nweb: {port: 0}\n"
ALIAS = {"name": "delays", "alias": "champion", "version": "2"}


@pytest.fixture
def hooked(tmp_path):
    """A port that answers for a daemon that does nothing but note which model's alias has moved; and its registry."""
    with FakeMlflow() as registry:
        for _ in range(2):
            registry.register("delays")
        registry.set_alias("delays", "champion", "1")
        followed = f"versions: {{mlflow: {{url: '{registry.url}', name: delays, webhook_secret: {SECRET}}}}}"
        one = model("churn").rstrip() + f"\n    {followed}\n"
        running = Running(world(tmp_path, 1, None, config(one, rest=REST)), clock=SystemClock())
        running.daemon.signs.start()
        running.daemon._following.work(running.daemon.watches.values())
        yield running, registry
        running.daemon.signs.stop()
        running.store.close()


def post(running, body, headers=(), method="POST"):
    address = urlsplit(running.daemon.signs.web.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request(method, "/hooks/mlflow", body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


def due(running):
    return [watch.name for watch in running.daemon._following.due(running.daemon.watches.values())]


def test_a_signed_move_of_the_alias_makes_it_be_looked_at_at_once(hooked):
    running, registry = hooked
    assert due(running) == []
    status = registry.send(
        f"{running.daemon.signs.web.url}/hooks/mlflow", SECRET, "model_version_alias", "created", **ALIAS
    )
    assert (status, due(running)) == (204, ["churn"])


def test_what_another_secret_has_signed_is_refused_and_changes_nothing(hooked):
    running, _ = hooked
    headers, body = signed("another-secret", event("model_version_alias", "created", **ALIAS))
    assert (post(running, body, headers), due(running)) == (401, [])


def test_what_nobody_has_signed_is_refused(hooked):
    running, _ = hooked
    assert post(running, event("model_version_alias", "created", **ALIAS)) == 401


def test_an_event_of_another_model_is_taken_and_means_nothing(hooked):
    running, _ = hooked
    headers, body = signed(SECRET, event("model_version_alias", "created", **{**ALIAS, "name": "others"}))
    assert (post(running, body, headers), due(running)) == (204, [])


def test_a_body_that_is_too_large_is_not_read_to_its_end(hooked):
    running, _ = hooked
    assert post(running, b"x" * 100_000) == 413


def test_the_hook_takes_posts_alone(hooked):
    running, _ = hooked
    assert post(running, b"", method="GET") == 405
