"""MLflow's alias, followed: who serves since when, tags that say how it fares, and the way back."""

from datetime import timedelta

import pytest

from monitor import actions
from monitor.core.errors import UnavailableError
from monitor.core.incident import State
from monitor.core.retrain import RetrainState
from monitor.following import Following, follow, tags
from monitor.registries.mlflow import Mlflow
from monitor.testing import FakeMlflow
from monitor.testing.webhook import Answer
from tests.versions.housed import DAY, write_reference_of
from tests.versions.test_proving import LABELLED, label, predicting
from tests.worlds import CONFIG, START, day_of

MADE = START - 9 * DAY
FOLLOWED = CONFIG.replace('{file: reference.parquet, version: "7"}', '{file: "reference-{version}.parquet"}').replace(
    "    checks: auto\n",
    "    versions: {mlflow: {url: URL, name: churn, timeout: 20s, poll: 1m}}\n    checks: auto\n",
)


@pytest.fixture
def server():
    with FakeMlflow() as fake:
        for _ in range(9):
            fake.register("churn", at=MADE.timestamp())
        fake.set_alias("churn", "champion", "7")
        yield fake


def following(house, server, config=FOLLOWED, **options):
    one = house(config=config.replace("URL", server.url), versions=(), **{"days": 16, **options})
    write_reference_of(one.folder, "8", 8.0)
    return one


def registry(server, **options):
    return Mlflow(url=server.url, name="churn", timeout="20s", **options)


def served(house):
    return [(entry.version, entry.since) for entry in house.versions]


# --- the alias ------------------------------------------------------------------------------------------------------


def test_the_first_version_serves_since_it_was_registered(house, server):
    one = following(house, server)
    follow(one.store, "churn", registry(server), START)
    assert served(one) == [("7", MADE)]


def test_a_version_registered_after_now_serves_since_now(house, server):
    """The clocks of two machines differ."""
    one = following(house, server)
    follow(one.store, "churn", registry(server), MADE - DAY)
    assert served(one) == [("7", MADE - DAY)]


def test_an_alias_that_stays_is_no_news(house, server):
    one = following(house, server)
    for hour in range(3):
        follow(one.store, "churn", registry(server), START + timedelta(hours=hour))
    assert len(served(one)) == 1


def test_an_alias_that_moves_is_a_new_version_since_it_was_seen(house, server):
    one = following(house, server)
    follow(one.store, "churn", registry(server), START)
    server.set_alias("churn", "champion", "8")
    follow(one.store, "churn", registry(server), START + DAY)
    server.set_alias("churn", "champion", "7")
    follow(one.store, "churn", registry(server), START + 2 * DAY)
    assert served(one) == [("7", MADE), ("8", START + DAY), ("7", START + 2 * DAY)]


def test_an_alias_that_is_unset_changes_nothing(house, server):
    one = following(house, server)
    follow(one.store, "churn", registry(server), START)
    del server.models["churn"].aliases["champion"]
    follow(one.store, "churn", registry(server), START + DAY)
    assert served(one) == [("7", MADE)]


def test_with_an_alias_that_was_never_set_windows_wait_for_it(house, server):
    one = following(house, server)
    del server.models["churn"].aliases["champion"]
    (result,) = one.until(2)
    assert (result.outcome, "nobody says which version served then" in result.reason) == ("failed", True)
    server.set_alias("churn", "champion", "7")
    assert [found.outcome for found in one.until(3)] == ["done"] * 3


def test_windows_before_the_first_version_was_registered_are_its_own(house, server):
    one = following(house, server)
    server.models["churn"].versions[6]["creation_timestamp"] = int((START + 5 * DAY).timestamp() * 1000)
    one.until(3)
    assert [run.served.version for run in one.runs] == ["7"] * 3
    assert [entry.version for entry in one.versions] == ["7"]


def test_a_move_within_a_window_gives_it_to_the_version_with_the_longer_part(house, server):
    one = following(house, server, drift=0.0)
    write_reference_of(one.folder, "8", 0.1)
    one.until(2)
    follow(one.store, "churn", registry(server), START + 2 * DAY + timedelta(hours=6))
    server.set_alias("churn", "champion", "8")
    follow(one.store, "churn", registry(server), START + 2 * DAY + timedelta(hours=7))
    server.set_alias("churn", "champion", "7")
    follow(one.store, "churn", registry(server), START + 3 * DAY + timedelta(hours=18))
    one.until(5)
    assert [run.served.version for run in one.runs] == ["7", "7", "8", "8", "7"]
    assert [entry.version for entry in one.versions] == ["7", "8", "7"]
    assert {entry.version: entry.reference_id for entry in one.versions}["8"] == one.runs[2].reference_id


# --- how often it is looked at --------------------------------------------------------------------------------------


def asked(server):
    return sum("registered-models/alias" in request.path for request in server.requests)


def test_it_is_looked_at_as_often_as_configured(house, server):
    one = following(house, server)
    follower = Following(one.store, one.clock)
    for seconds in (0, 10, 59, 60, 61, 125):
        one.clock.set(START + timedelta(seconds=seconds))
        follower.work([one.watch])
    assert asked(server) == 3


def test_after_a_webhook_it_is_looked_at_at_once(house, server):
    one = following(house, server)
    follower = Following(one.store, one.clock)
    follower.work([one.watch])
    follower.hasten("churn")
    assert follower.due([one.watch]) == [one.watch]


def test_a_clock_that_is_set_back_stops_nothing(house, server):
    one = following(house, server)
    follower = Following(one.store, one.clock)
    follower.work([one.watch])
    one.clock.sleep(-30 * 86400)
    assert follower.due([one.watch]) == [one.watch]


def test_a_model_without_a_registry_is_never_due(house, server):
    one = house(days=1)
    assert Following(one.store, one.clock).due([one.watch]) == []


def test_one_registry_that_is_away_does_not_stop_the_others(house, server, tmp_path):
    with FakeMlflow() as other:
        other.plan([Answer(503)] * 20)
        text = FOLLOWED.replace("URL", other.url)
        second = FOLLOWED.partition("  churn:\n")[2].partition("notifiers:")[0].replace("URL", server.url)
        one = house(config=text.replace("notifiers:", f"  spend:\n{second}notifiers:"), versions=(), days=1)
        follower = Following(one.store, one.clock)
        with pytest.raises(UnavailableError):
            follower.work(one.watches.values())
        with one.store.read() as connection:
            from monitor.store import versions as rows

            assert [entry.model for entry in rows.listing(connection)] == ["spend"]
        assert follower.due(one.watches.values()) == []  # it, too, is asked again when its time has come
        follower.hasten("spend")
        with pytest.raises(UnavailableError):  # and is away until then, though the other is well
            follower.work(one.watches.values())
        assert follower.owes([one.watches["spend"]])  # when the configuration has the one that is away no more
        follower.work([one.watches["spend"]])
        assert not follower.owes([one.watches["spend"]])


# --- tags -----------------------------------------------------------------------------------------------------------


def tagged(server):
    return [request.json for request in server.requests if request.path.endswith("set-tag")]


def test_nothing_is_tagged_before_a_window_was_judged(house, server):
    one = following(house, server)
    Following(one.store, one.clock).work([one.watch])
    assert (tags(one.store, "churn"), tagged(server)) == (None, [])


def test_a_calm_version_is_tagged_as_that(house, server):
    one = following(house, server)
    one.until(3)
    Following(one.store, one.clock).work([one.watch])
    assert server.tags_of("churn", "7") == {
        "leeway.drift": "no drift seen", "leeway.last_check": "2026-01-08T00:00:00Z", "leeway.incident": "",
    }  # fmt: skip


def test_a_version_that_drifts_is_tagged_with_its_incident(house, server):
    one = following(house, server)
    one.until(8)
    Following(one.store, one.clock).work([one.watch])
    told = server.tags_of("churn", "7")
    assert (told["leeway.drift"], told["leeway.incident"]) == ("drift", one.incident("age").id)
    assert server.tags_of("churn", "8") == {}


def test_tags_are_written_once_for_each_change(house, server):
    one = following(house, server)
    follower = Following(one.store, one.clock)
    one.until(2)
    for minutes in range(5):
        one.clock.set(START + 2 * DAY + timedelta(hours=1, minutes=minutes))
        follower.work([one.watch])
    assert len(tagged(server)) == 3
    one.until(3)
    follower.work([one.watch])
    assert len(tagged(server)) == 6


def test_tags_that_could_not_be_written_are_written_at_the_next_look(house, server):
    one = following(house, server)
    follower = Following(one.store, one.clock)
    one.until(2)
    server.plan([Answer(503)] * 20, path="set-tag")
    with pytest.raises(UnavailableError):
        follower.work([one.watch])
    server._planned.clear()
    one.clock.set(one.clock.now() + timedelta(minutes=2))
    follower.work([one.watch])
    assert server.tags_of("churn", "7")["leeway.drift"] == "no drift seen"


def test_where_tags_are_off_none_is_written(house, server):
    one = following(house, server, FOLLOWED.replace("poll: 1m", "tags: false"))
    one.until(2)
    Following(one.store, one.clock).work([one.watch])
    assert tagged(server) == []


# --- the way back -----------------------------------------------------------------------------------------------------

BACK = LABELLED.replace(
    "    version: model_version\n", "    versions: {mlflow: {url: URL, name: churn, timeout: 20s}}\n"
).replace(
    "    checks: auto\n",
    "    rollback: {trigger: {mlflow: {url: URL, name: churn, timeout: 20s}}}\n    checks: auto\n",
)


def test_the_alias_goes_back_to_the_former_version_and_the_incident_ends(house, server):
    def change(rows):
        rows["model_version"] = ["8" if 6 <= day_of(t) < 11 else "7" for t in rows["ts"]]
        predicting(v7=0.9, v8=0.6)(rows)

    one = following(house, server, BACK, change=change, drift=0.0)
    write_reference_of(one.folder, "8", 0.05)
    label(one)
    for day in range(1, 7):
        one.until(day)
    server.set_alias("churn", "champion", "8")
    follow(one.store, "churn", registry(server), START + 6 * DAY)
    for day in range(7, 12):
        one.until(day)
    worse = one.incident("worse_version")
    assert worse.state is State.FIRING
    with one.store.write() as connection:
        actions.roll_back(connection, one.watch, "anna", "", one.clock.now(), incident=worse)
    one.deliver()
    assert [request.state for request in one.requests] == [RetrainState.SUCCEEDED]
    assert server.models["churn"].aliases["champion"] == "7"
    assert [event.event for event in one.timeline(worse)][-1] == "rollback"
    for day in range(12, 15):
        one.until(day)
    assert one.incident("worse_version").resolved_reason == "version 7 serves now"
    assert [entry.version for entry in one.versions] == ["7", "8", "7"]
    assert one.runs[-1].reference_id == one.runs[0].reference_id
