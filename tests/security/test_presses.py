"""Presses of buttons: by whom, where and of what. Slack says who pressed; nothing else in a press is to be believed."""

import pytest
from pydantic import SecretStr

from monitor.buttons import _allow
from monitor.core.errors import UserError
from monitor.notifiers._slack_socket import presses
from monitor.notifiers.slack import Slack

OWN, OTHER, ANNA, BOB = "C0OWN1234", "C0OTHER12", "U0ANNA", "U0BOB"


def receiver(channel=OWN, may_press=(ANNA,)) -> Slack:
    return Slack(
        token=SecretStr("xoxb-1"), app_token=SecretStr("xapp-1"), channel=channel, may_press=may_press, base_url="http://127.0.0.1:1/"
    )  # fmt: skip


def payload(user=ANNA, channel=OWN, action="leeway_ack", value="churn-1", **more):
    actions = [{"action_id": action, "value": value, "action_ts": "1.0"}]
    container = {"message_ts": "1.0", "channel_id": channel}
    return {
        "user": {"id": user, "username": "anna"},
        "channel": {"id": channel},
        "container": container,
        "actions": actions,
        **more,
    }


@pytest.mark.parametrize(
    ("action", "value"),
    [("ack", "churn-1"), ("other_leeway_ack", "churn-1"), ("LEEWAY_ack", "churn-1"), ("leeway_ack", ""), ("", "x"), ("leeway_open", None)],
)  # fmt: skip
def test_an_action_that_is_not_ours_is_no_press(action, value):
    assert presses(payload(action=action, value=value)) == []


def test_who_pressed_is_whom_slack_says_and_no_name_hides_it():
    (press,) = presses(payload(user={"id": BOB, "username": "anna (U0ANNA)\n\x1b[2J"}["id"]))
    assert press.user == BOB
    assert press.who.endswith(f"({BOB})")
    (press,) = presses({**payload(), "user": {"id": BOB, "username": "x\n\x1b[2J" + "y" * 500}})
    assert press.who.isprintable()
    assert len(press.who) < 100


@pytest.mark.parametrize(
    ("user", "channel", "allowed"), [(ANNA, OWN, True), (BOB, OWN, False), (BOB, OTHER, False), ("", OWN, False), (ANNA.lower(), OWN, False)]
)  # fmt: skip
def test_only_those_who_are_named_may_press_wherever_they_do(user, channel, allowed):
    (press,) = presses(payload(user, channel))
    if allowed:
        _allow([receiver()], press)
    else:
        with pytest.raises(UserError, match="may not press"):
            _allow([receiver()], press)


def test_a_press_in_a_channel_that_nobody_posts_to_needs_the_leave_of_every_receiver():
    (press,) = presses(payload(BOB, "C0NOWHERE"))
    open_to_all, named = receiver(OTHER, ()), receiver(OWN, (ANNA,))
    with pytest.raises(UserError):
        _allow([open_to_all, named], press)


@pytest.mark.parametrize(
    "broken",
    [{}, {"actions": None}, {"user": None, "actions": []}, {"actions": [{}]}, {"actions": [{"action_id": None}]}],
)
def test_a_payload_that_is_none_is_no_press(broken):
    assert presses(broken) == []
