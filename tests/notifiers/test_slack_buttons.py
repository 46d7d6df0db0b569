"""Buttons in Slack: when they are shown, who hears them, and what happens when the connection is lost."""

import threading
from time import monotonic, sleep

import pytest
from notice_factory import first, hostile, incident, notice
from pydantic import ValidationError
from structlog.testing import capture_logs

from monitor.core.errors import UnavailableError, UserError
from monitor.core.incident import Reason
from monitor.core.notice import Attempt
from monitor.notifiers._blocks import render_slack
from monitor.notifiers._slack_socket import presses
from monitor.notifiers.slack import Slack
from monitor.testing import FakeSlack
from monitor.testing._slack_blocks import faults
from monitor.testing.slack import APP_TOKEN, CHANNEL, TOKEN, Fault
from tests.waiting import until

ID = "churn-1a2b3c4d"
OPEN = "apps.connections.open"


@pytest.fixture
def slack():
    with FakeSlack() as server:
        yield server


@pytest.fixture
def listening(slack):
    """Begin to listen; the presses that are heard are in the list that is returned."""
    sockets = []

    def listen(**options):
        heard = []
        socket = bot_of(slack, **options).listen(heard.append)
        socket.first_wait = 0.05
        socket.start()
        sockets.append(socket)
        return heard

    yield listen
    for socket in sockets:
        socket.stop()


def bot_of(slack, **options):
    given = {"token": TOKEN, "channel": CHANNEL, "app_token": APP_TOKEN, "base_url": slack.api, "timeout": "20s"}
    return Slack(**{**given, **options})


def calls_of(slack, method):
    return [arguments for called, arguments in slack.calls if called == method]


def buttons(message):
    shown = [block["elements"] for block in message["blocks"] if block["type"] == "actions"]
    return [button["action_id"] for elements in shown for button in elements]


def context(message):
    [block] = [block for block in message["blocks"] if block["type"] == "context"]
    return [element["text"] for element in block["elements"]]


# --- the message -------------------------------------------------------------------------------------------------


def test_buttons_are_shown_where_somebody_listens(slack):
    bot_of(slack).send(first())
    assert buttons(slack.posts[0]) == [
        "leeway_ack", "leeway_silence", "leeway_expected", "leeway_retrain", "leeway_open",
    ]  # fmt: skip


def test_without_an_app_token_no_button_but_the_link_is_shown(slack):
    bot_of(slack, app_token=None).send(first())
    assert buttons(slack.posts[0]) == ["leeway_open"]


def test_without_an_app_token_the_context_names_the_commands(slack):
    bot_of(slack, app_token=None).send(first())
    assert context(slack.posts[0])[1] == f"monitor ack {ID} · monitor retrain churn"


def test_where_buttons_are_shown_no_command_is_named(slack):
    bot_of(slack).send(first())
    assert len(context(slack.posts[0])) == 1


def test_an_edit_keeps_the_way_of_the_first_message(slack):
    bot = bot_of(slack, app_token=None)
    delivered = bot.send(first())
    bot.send(Attempt(notice(Reason.PERSON, key="second", actions=("silence",)), earlier=delivered.reference))
    assert context(slack.posts[0])[1] == f"monitor silence {ID}"


def test_nothing_to_do_names_no_command():
    assert len(context(render_slack(notice(actions=()), buttons=False))) == 1


@pytest.mark.parametrize("built", [hostile(), notice(of=incident(model="m" * 3000, id="i" * 3000))])
def test_hostile_and_endless_names_make_a_good_message(built):
    assert faults(render_slack(built, buttons=False)["blocks"]) == []


# --- options and probe -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [({"app_token": "xoxb-1"}, "xapp-…"),
     ({"app_token": "xapp-1\n"}, "one word"),
     ({"app_token": None, "may_press": ["U0ANNA"]}, "may_press needs app_token"),
     ({"may_press": ["anna"]}, "ids of users"),
     ({"token": None, "channel": None, "webhook_url": "https://x.example/y"}, "has no buttons")],
)  # fmt: skip
def test_wrong_options_are_explained(options, words):
    with pytest.raises(ValidationError, match=words):
        Slack(**{"token": TOKEN, "channel": CHANNEL, "app_token": APP_TOKEN, **options})


def test_the_app_token_stands_in_no_repr(slack):
    bot = bot_of(slack)
    assert APP_TOKEN not in repr(bot) + repr(bot.listen(print))


def test_the_probe_says_that_socket_mode_can_be_opened(slack):
    assert "buttons by Socket Mode" in bot_of(slack).probe()
    assert slack.sockets.opened == 0


@pytest.mark.parametrize(
    ("code", "remedy"),
    [("invalid_auth", "app_token is not valid"), ("not_allowed_token_type", "no app-level token"),
     ("missing_scope", "connections:write"), ("something_new", "turn on Socket Mode")],
)  # fmt: skip
def test_the_probe_says_why_socket_mode_cannot_be_opened(slack, code, remedy):
    slack.plan(Fault(OPEN, "error", code=code))
    with pytest.raises(UserError, match=remedy):
        bot_of(slack).probe()


def test_the_probe_calls_slacks_own_troubles_by_their_name(slack):
    slack.plan(Fault(OPEN, "html"))
    with pytest.raises(UnavailableError, match="HTTP 500"):
        bot_of(slack).probe()


# --- the connection ----------------------------------------------------------------------------------------------


def test_a_press_is_heard_with_who_pressed_what(slack, listening):
    heard = listening()
    assert slack.press("leeway_ack", ID, "U0BERT")
    until(lambda: heard)
    press = heard[0]
    assert (press.action, press.incident, press.user, press.who) == ("ack", ID, "U0BERT", "0bert (U0BERT)")
    assert (press.channel, press.channel_name) == (CHANNEL, "alerts")


def test_a_press_is_acknowledged_before_the_work_is_done(slack):
    finish = threading.Event()
    socket = bot_of(slack).listen(lambda _: finish.wait(20))
    socket.start()
    acknowledged = slack.press("leeway_ack", ID)
    finish.set()
    socket.stop()
    assert acknowledged


def test_a_press_that_opens_the_report_is_acknowledged_and_does_nothing(slack, listening):
    heard = listening()
    assert slack.press("leeway_open", "")
    assert slack.press("another_apps_button", ID)
    assert heard == []


def test_a_press_delivered_twice_has_one_key_and_two_presses_have_two(slack, listening):
    heard = listening()
    slack.press("leeway_ack", ID)
    slack.press_again()
    slack.press("leeway_ack", ID)
    until(lambda: len(heard) == 3)
    assert len({press.key for press in heard}) == 2


def test_a_payload_of_another_kind_holds_no_press():
    assert presses({"type": "view_submission", "user": None}) == []


@pytest.mark.parametrize("way", ["closed", "warned", "dropped"])
def test_a_lost_connection_comes_back_by_itself(slack, listening, way):
    heard = listening()
    slack.press("leeway_ack", ID)
    slack.disconnect(way)
    assert slack.sockets.wait(lambda: slack.sockets.opened == 2, 10)
    assert slack.press("leeway_silence", ID)
    until(lambda: [press.action for press in heard] == ["ack", "silence"])


def test_a_slack_that_is_away_at_first_is_reached_later(slack, listening):
    slack.plan(Fault(OPEN, "html"), Fault(OPEN, "drop_before"), Fault(OPEN, "limited", seconds=0.1))
    heard = listening()
    assert slack.press("leeway_ack", ID)
    until(lambda: heard)


# slack_sdk drops a connection whose handshake failed without closing it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_websocket_that_cannot_be_opened_is_tried_again(slack, listening):
    slack.sockets.ticket, right = lambda: "forged", slack.sockets.ticket
    with capture_logs() as lines:
        listening()
        until(lambda: len(calls_of(slack, OPEN)) >= 2)
    slack.sockets.ticket = right
    assert slack.press("leeway_ack", ID)
    assert [line["reason"] for line in lines if line["event"] == "buttons.unheard"] == [
        "Slack: the WebSocket could not be opened"
    ]


def test_a_wrong_app_token_is_logged_once_with_a_remedy_and_without_the_token(slack, listening):
    with capture_logs() as lines:
        listening(app_token="xapp-wrong")
        until(lambda: calls_of(slack, OPEN))
        sleep(0.3)
    [line] = lines
    assert "app_token is not valid" in line["reason"]
    assert "xapp-wrong" not in str(lines)
    assert len(calls_of(slack, OPEN)) == 1


def test_stopping_is_quick_and_leaves_no_connection(slack):
    socket = bot_of(slack).listen(lambda _: None)
    socket.start()
    slack.sockets.wait(lambda: slack.sockets.opened == 1, 10)
    began = monotonic()
    socket.stop()
    assert monotonic() - began < 5
    assert not socket._thread.is_alive()
