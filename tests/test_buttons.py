"""Buttons end to end: a press in Slack, the incident in the store, the edited message, and who was told what."""

import signal
import threading
from dataclasses import replace
from datetime import timedelta
from shutil import copytree
from time import monotonic

import pytest
from structlog.testing import capture_logs

from monitor.buttons import Buttons
from monitor.clocks import SetClock
from monitor.config.reading import read
from monitor.core.errors import UnavailableError
from monitor.core.finding import IncidentKind
from monitor.core.incident import State
from monitor.core.retrain import Fired, RetrainState
from monitor.cycle import Cycle
from monitor.daemon import Daemon
from monitor.delivery import Delivery
from monitor.notifiers._slack_socket import Press
from monitor.store import incidents as incident_rows
from monitor.store import retrains as retrain_rows
from monitor.store.schema import open_store
from monitor.testing import FakeSlack, RecordingTrigger
from monitor.testing.slack import ANNA, APP_TOKEN, CHANNEL, TOKEN, Fault
from monitor.watch import watches
from tests.waiting import until
from tests.worlds import CONFIG, START, shift, world

DAY = timedelta(days=1)
WHO = "0anna (U0ANNA)"
SEEN = START + 7 * DAY + timedelta(hours=1)
TRIGGER = "    retrain: {mode: ask, cooldown: 0s, trigger: {command: {argv: [python3, -c, pass]}}}\n"
SLACK = CONFIG.replace("    checks: auto\n", f"    checks: auto\n{TRIGGER}").replace(
    "  log: stdout\n",
    f"  team: {{slack: {{token: {TOKEN}, channel: {CHANNEL}, app_token: {APP_TOKEN}, base_url: URL, MORE}}}}\n",
)


class Desk:
    """A model whose age has shifted, its message in a fake Slack, and somebody who listens to the buttons."""

    def __init__(self, folder, slack, more="timeout: 20s"):
        path = folder / "config.yaml"
        path.write_text(SLACK.replace("URL", slack.api).replace("MORE", more), encoding="utf-8")
        self.slack, self.config = slack, read(path)
        self.store = open_store(self.config.store.get_secret_value())
        self.clock = SetClock(SEEN)
        self.trigger = RecordingTrigger()
        self.watches = {
            name: replace(watch, model=watch.model.model_copy(update={"retrain": watch.model.retrain.model_copy(
                update={"trigger": self.trigger})}))
            for name, watch in watches(self.config).items()
        }  # fmt: skip
        self.buttons = Buttons(self.store, self.clock, self.config.notifiers, self.watches, self.flush)
        self.flush()

    def flush(self):
        Delivery(self.store, self.clock, "test", self.config.notifiers, self.watches).flush()

    @property
    def incident(self):
        with self.store.read() as connection:
            return incident_rows.listing(connection, closed=True)[0]

    @property
    def retrainings(self):
        with self.store.read() as connection:
            return [
                (found.request.key, found.state, found.request.requested_by)
                for found in retrain_rows.listing(connection)
            ]

    def events(self, name):
        with self.store.read() as connection:
            found = incident_rows.timeline(connection, self.incident.id)
        return [event.actor for event in found if event.event == name]

    def put(self, **changes):
        with self.store.write() as connection:
            incident_rows.put(connection, replace(self.incident, **changes))

    def tap(self, action, user=ANNA, *, key=None, incident=None, channel=CHANNEL):
        """Let a press arrive as if it had come through Slack."""
        name = user[1:].lower()
        press = Press(key or f"{action}-{monotonic()}", action, incident or self.incident.id, user, f"{name} ({user})",
                      channel, "privategroup" if channel != CHANNEL else "alerts")  # fmt: skip
        self.buttons.pressed(list(self.config.notifiers.values()), press)

    def told(self, user=ANNA):
        return [words for whom, words in self.slack.whispers if whom == user]


@pytest.fixture
def slack():
    with FakeSlack() as server:
        yield server


@pytest.fixture(scope="module")
def drifted(tmp_path_factory):
    """A folder whose store has the incident, with its message still to be sent."""
    folder = tmp_path_factory.mktemp("drifted")
    text = SLACK.replace("URL", "http://127.0.0.1:1/").replace(", MORE", "")
    config = read(world(folder, 10, shift("age", 8.0, 5), text))
    store = open_store(config.store.get_secret_value())
    Cycle(store, SetClock(SEEN), owner="test").catch_up(watches(config)["churn"])
    store.close()
    return folder


@pytest.fixture
def desk(tmp_path, drifted, slack):
    built = []

    def build(**options):
        copytree(drifted, tmp_path, dirs_exist_ok=True)
        built.append(Desk(tmp_path, slack, **options))
        return built[-1]

    yield build
    for one in built:
        one.buttons.stop()
        one.store.close()


def words_of(message):
    return str(message.get("blocks", ""))  # a chart in the thread has none


# --- through Slack -----------------------------------------------------------------------------------------------


def said_in_thread(slack, message, words):
    return any(words in words_of(reply) for reply in slack.thread(message["ts"]))


def test_a_press_of_ack_acknowledges_edits_the_message_in_place_and_says_who_in_the_thread(desk, slack):
    desk = desk()
    desk.buttons.start()
    assert slack.press("leeway_ack", desk.incident.id)
    [message] = slack.posts
    until(lambda: "edited" in message and said_in_thread(slack, message, f"acknowledged by {WHO}"))
    assert desk.incident.acknowledged_by == WHO
    assert f"acknowledged by {WHO}" in words_of(message)
    assert "leeway_ack" not in words_of(message)
    assert slack.posts == [message]
    assert slack.mentions == slack.whispers == []


def test_a_retraining_pressed_twice_and_delivered_again_is_asked_for_once(desk, slack):
    desk = desk()
    desk.buttons.start()
    slack.press("leeway_retrain", desk.incident.id)
    slack.press_again()
    slack.press("leeway_retrain", desk.incident.id)
    until(lambda: len(slack.whispers) == 2)
    again, asked = sorted(desk.told())  # each by a call of its own: either may come first
    assert asked.startswith("it is asked for now")
    assert "was asked for already (succeeded)" in again
    assert desk.retrainings == [(f"{desk.incident.id}-1", RetrainState.SUCCEEDED, WHO)]
    assert len(desk.trigger.requests) == 1


# --- one press ---------------------------------------------------------------------------------------------------


def test_silence_holds_notices_back_for_a_day(desk):
    desk = desk()
    desk.tap("silence")
    assert desk.incident.silenced_until == desk.clock.now() + timedelta(hours=24)
    assert desk.events("silenced") == [WHO]


def test_expected_declares_the_change_expected(desk):
    desk = desk()
    desk.tap("expected")
    assert desk.incident.expected
    assert desk.events("expected") == [WHO]


def test_resolve_ends_the_incident(desk):
    desk = desk()
    desk.tap("resolve")
    assert desk.incident.state is State.RESOLVED


def test_the_retraining_that_is_asked_for_is_that_of_the_incident(desk):
    desk = desk()
    [(proposed, state, _)] = desk.retrainings
    assert state is RetrainState.PROPOSED
    desk.tap("retrain")
    assert [request.key for request in desk.trigger.requests] == [proposed]
    assert desk.trigger.requests[0].requested_by == WHO


def test_a_retraining_that_failed_can_be_asked_for_again(desk):
    desk = desk()
    desk.trigger._answers = iter([Fired(RetrainState.FAILED, note="no memory")])
    desk.tap("retrain")
    desk.tap("retrain")
    assert [state for _, state, _ in desk.retrainings] == [RetrainState.FAILED, RetrainState.SUCCEEDED]


@pytest.mark.parametrize(("action", "event"), [("ack", "acknowledged"), ("expected", "expected")])
def test_a_second_person_is_told_that_it_is_done_already(desk, action, event):
    desk = desk()
    desk.tap(action)
    desk.tap(action, "U0BERT")
    assert desk.events(event) == [WHO]
    assert "already; nothing was changed" in desk.told("U0BERT")[0]
    assert desk.told() == []


def test_a_press_that_is_delivered_again_does_and_says_nothing(desk):
    desk = desk()
    desk.tap("silence", key="one")
    desk.tap("silence", key="one")
    assert desk.events("silenced") == [WHO]
    assert desk.told() == []


def test_only_so_many_presses_are_remembered(desk, monkeypatch):
    monkeypatch.setattr("monitor.buttons._REMEMBERED", 2)
    desk = desk()
    for key in ("a", "b", "c", "b", "a"):
        desk.tap("silence", key=key)
    assert len(desk.events("silenced")) == 4


# --- refusals ----------------------------------------------------------------------------------------------------


def test_who_is_not_named_may_not_press_and_is_told_so_alone(desk, slack):
    desk = desk(more="may_press: [U0BERT]")
    desk.tap("ack")
    assert desk.incident.acknowledged_by is None
    assert "may_press" in desk.told()[0]
    assert len(slack.posts) == 1


def test_who_is_named_may_press(desk):
    desk = desk(more="may_press: [U0BERT, U0ANNA]")
    desk.tap("ack")
    assert desk.incident.acknowledged_by == WHO


def test_a_channel_whose_name_slack_hides_does_not_open_the_button_to_strangers(desk, slack):
    desk = desk(more="may_press: [U0BERT]")
    slack.channels["C0SECRET"] = "secret"
    slack.joined.add("C0SECRET")
    desk.tap("ack", channel="C0SECRET")
    assert desk.incident.acknowledged_by is None


def test_an_incident_that_nobody_knows_is_said_to_be_unknown(desk):
    desk = desk()
    desk.tap("ack", incident="churn-00000000")
    assert "no incident has" in desk.told()[0]


def test_an_incident_that_is_over_is_said_to_be_resolved(desk):
    desk = desk()
    desk.put(state=State.RESOLVED, resolved_reason="calm again")
    for action in ("ack", "silence", "expected", "retrain"):
        desk.tap(action)
    assert len(desk.told()) == 4
    assert all("is resolved already (calm again)" in words for words in desk.told())


def test_a_model_that_left_the_configuration_is_said_to_be_gone(desk):
    desk = desk()
    desk.watches.clear()
    desk.tap("ack")
    assert "has no model 'churn' any more" in desk.told()[0]


def test_a_button_of_another_version_is_said_to_be_unknown(desk):
    desk = desk()
    desk.tap("promote")
    assert "'promote' is not known" in desk.told()[0]


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"kind": IncidentKind.QUALITY, "pipeline": True}, "no reason to retrain"), ({"expected": True}, "no reason")],
)
def test_a_retraining_without_a_reason_is_refused(desk, changes, words):
    desk = desk()
    desk.put(**changes)
    desk.tap("retrain")
    assert words in desk.told()[0]
    assert desk.trigger.requests == []


def test_the_policys_own_words_are_passed_on(desk):
    desk = desk()
    desk.watches["churn"].__dict__["policy"] = replace(desk.watches["churn"].policy, most_per_week=0)
    desk.tap("retrain")
    assert "0 retrainings in seven days, 0 allowed" in desk.told()[0]


def test_words_of_an_incident_ping_nobody(desk, slack):
    desk = desk()
    desk.put(state=State.RESOLVED, resolved_reason="<!channel> <@U1>")
    desk.tap("ack")
    assert len(desk.told()) == 1
    assert slack.mentions == []


@pytest.mark.parametrize(
    ("error", "words"), [(UnavailableError("the store is away"), "store is away"), (ValueError("odd"), "log says why")]
)
def test_trouble_is_told_and_the_next_press_works(desk, monkeypatch, error, words):
    desk = desk()

    def fail(*_):
        raise error

    with monkeypatch.context() as broken, capture_logs():
        broken.setattr("monitor.buttons.actions.acknowledge", fail)
        desk.tap("ack")
    assert words in desk.told()[0]
    desk.tap("ack")
    assert desk.incident.acknowledged_by == WHO


def test_an_answer_that_slack_does_not_take_is_logged(desk, slack):
    desk = desk()
    slack.plan(Fault("chat.postEphemeral", "error", code="user_not_in_channel"))
    with capture_logs() as lines:
        desk.tap("ack", incident="churn-00000000")
    assert [line["event"] for line in lines] == ["button.refused", "button.unanswered"]


# --- the daemon --------------------------------------------------------------------------------------------------


@pytest.fixture
def running(desk):
    """A daemon at work, and the desk whose message it serves."""
    desk = desk()
    daemon = Daemon(open_store(desk.config.store.get_secret_value()), desk.clock, lambda: desk.config, desk.config)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    yield daemon, desk
    daemon.ask(signal.SIGTERM)
    thread.join(30)
    assert not thread.is_alive()


def test_the_daemon_listens_delivers_and_listens_anew_after_a_reload(running, slack):
    daemon, desk = running
    [message] = slack.posts
    slack.press("leeway_ack", desk.incident.id)
    until(lambda: f"acknowledged by {WHO}" in words_of(message))
    daemon.ask(signal.SIGHUP)
    assert slack.sockets.wait(lambda: slack.sockets.opened == 2, 20)
    slack.press("leeway_silence", desk.incident.id)
    until(lambda: "silenced until" in words_of(message))
    assert len(slack.posts) == 1


def test_a_wrong_app_token_does_not_stop_the_daemon(slack, running):
    daemon, _ = running
    slack.plan(Fault("apps.connections.open", "error", code="invalid_auth"))
    slack.disconnect()
    until(lambda: not slack._faults)
    assert not daemon.stopping.is_set()


def test_two_receivers_of_one_app_share_one_connection(desk, slack):
    desk = desk()
    team = desk.config.notifiers["team"]
    shared = {"team": team, "again": team.model_copy(update={"channel": "#others"})}
    buttons = Buttons(desk.store, desk.clock, shared, desk.watches, desk.flush)
    buttons.start()
    assert slack.sockets.wait(lambda: slack.sockets.opened == 1, 10)
    buttons.stop()
    assert slack.sockets.opened == 1
