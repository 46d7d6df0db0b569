"""The fake Slack is as strict as the facts say that Slack is."""

import json
import warnings
from urllib.request import Request, urlopen

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from monitor.testing import FakeSlack
from monitor.testing._slack_blocks import faults, mentions
from monitor.testing.slack import ANNA, APP_TOKEN, CHANNEL, TOKEN


@pytest.fixture
def slack():
    with FakeSlack() as server:
        yield server


@pytest.fixture
def client(slack):
    return client_of(slack)


def client_of(slack, token=TOKEN):
    return WebClient(token=token, base_url=slack.api, retry_handlers=[], timeout=5)


def refused(call, **arguments):
    with pytest.raises(SlackApiError) as caught:
        call(**arguments)
    return caught.value.response.data


def section(text="words", **more):
    return {"type": "section", "text": {"type": "plain_text", "text": text}, **more}


def button(text="Ack", **more):
    return {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": text}, **more}


def actions(*buttons):
    return {"type": "actions", "elements": list(buttons)}


def header(text, **more):
    return {"type": "header", "text": {"type": "plain_text", "text": text, **more}}


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x" * 3001)],
        [section()] * 51,
        [header("x" * 151)],
        [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [section(colour="red")],
        [header("x", colour="red")],
        [{"type": "table"}],
        [{"type": "section"}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
        [{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}],
        [actions(button("x" * 76))],
        [actions(button(value="x" * 2001))],
        [actions(button(url="https://x.example/" + "x" * 3000))],
        [actions(button(), button())],
        [actions(button(confirm={"title": {"type": "plain_text", "text": "x"}}))],
        [actions(*(button(action_id=str(number)) for number in range(26)))],
        [section(block_id="x" * 256)],
        [section(block_id="same"), section(block_id="same")],
        [section("")],
        [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "sound"}]}]}],
        [{"type": "image", "alt_text": "x", "slack_file": {"id": "F0"}}],
        "no list",
    ],
)
def test_blocks_against_the_rules_are_invalid(client, blocks):
    answer = refused(client.chat_postMessage, channel=CHANNEL, text="x", blocks=blocks)
    assert answer["error"] == "invalid_blocks"
    assert answer["response_metadata"]["messages"]


@pytest.mark.parametrize(
    "blocks",
    [
        [section("x" * 3000)],
        [header("x" * 150)],
        [actions(button("x" * 75, value="x" * 2000))],
        [{"type": "divider"}] * 50,
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x"}] * 10}],
    ],
)
def test_blocks_at_the_limits_are_taken(blocks):
    assert faults(blocks) == []


def test_very_large_messages_are_refused(client):
    assert (
        refused(client.chat_postMessage, channel=CHANNEL, text="x", blocks=[section("x" * 3000)] * 4)["error"]
        == "msg_blocks_too_long"
    )
    assert refused(client.chat_postMessage, channel=CHANNEL, text="x" * 40_001)["error"] == "msg_too_long"


def test_an_update_of_what_is_not_there_is_refused(client):
    assert refused(client.chat_update, channel=CHANNEL, ts="1.2", text="x")["error"] == "message_not_found"


def test_text_without_blocks_removes_the_blocks(slack, client):
    ts = client.chat_postMessage(channel=CHANNEL, text="x", blocks=[section()])["ts"]
    client.chat_update(channel=CHANNEL, ts=ts, text="y")
    assert "blocks" not in slack.messages[ts]


def test_a_reused_block_id_is_noted(slack, client):
    ts = client.chat_postMessage(channel=CHANNEL, text="x", blocks=[section(block_id="b")])["ts"]
    client.chat_update(channel=CHANNEL, ts=ts, text="y", blocks=[section("new", block_id="b")])
    assert slack.refused


def test_strangers_tokens_and_channels_are_refused(slack, client):
    assert refused(client_of(slack, "xoxb-no").auth_test)["error"] == "invalid_auth"
    assert refused(client.chat_postMessage, channel="C0NOWHERE", text="x")["error"] == "channel_not_found"
    slack.channels["C0OTHER"] = "other"
    assert refused(client.chat_postMessage, channel="C0OTHER", text="x")["error"] == "not_in_channel"
    assert refused(client.chat_postMessage, channel=CHANNEL, text="x", thread_ts="1.2")["error"] == "thread_not_found"
    assert refused(client.api_call, api_method="no.such")["error"] == "unknown_method"


def test_an_empty_message_is_refused(client):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert refused(client.chat_postMessage, channel=CHANNEL)["error"] == "no_text"


def test_metadata_is_shown_only_to_those_who_ask(client):
    client.chat_postMessage(channel=CHANNEL, text="x", metadata={"event_type": "e", "event_payload": {"key": "k"}})
    assert "metadata" not in client.conversations_history(channel=CHANNEL)["messages"][0]
    shown = client.conversations_history(channel=CHANNEL, include_all_metadata=True)["messages"][0]
    assert shown["metadata"]["event_payload"] == {"key": "k"}


def test_history_is_newest_first_and_in_pages(client):
    for number in range(5):
        client.chat_postMessage(channel=CHANNEL, text=str(number))
    page = client.conversations_history(channel=CHANNEL, limit=3)
    assert [message["text"] for message in page["messages"]] == ["4", "3", "2"]
    rest = client.conversations_history(channel=CHANNEL, limit=3, cursor=page["response_metadata"]["next_cursor"])
    assert [message["text"] for message in rest["messages"]] == ["1", "0"]


def test_more_than_a_burst_is_limited():
    with FakeSlack(a_second=0.01, burst=2) as slack:
        client = client_of(slack)
        for _ in range(2):
            client.chat_postMessage(channel=CHANNEL, text="x")
        with pytest.raises(SlackApiError) as caught:
            client.chat_postMessage(channel=CHANNEL, text="x")
        assert caught.value.response.status_code == 429
        assert caught.value.response.headers["Retry-After"] == "1"


def test_a_file_is_not_ready_at_once():
    with FakeSlack(file_ready_after=60) as slack:
        client = client_of(slack)
        file = client.files_upload_v2(content=b"png", filename="a.png", title="A", channel=CHANNEL)["file"]["id"]
        image = [{"type": "image", "alt_text": "a", "slack_file": {"id": file}}]
        assert refused(client.chat_postMessage, channel=CHANNEL, text="x", blocks=image)["error"] == "invalid_blocks"
        slack.files[file]["ready"] = 0.0
        assert client.chat_postMessage(channel=CHANNEL, text="x", blocks=image)["ok"]


def test_an_upload_that_was_not_announced_is_refused(slack, client):
    answer = refused(client.files_completeUploadExternal, files=[{"id": "F0", "title": "x"}], channel_id=CHANNEL)
    assert answer["error"] == "file_not_found"
    assert not slack.receive("F0", b"")


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [(b'{"text": "hi"}', 200, "ok"), (b"{}", 400, "no_text"), (b"{", 400, "invalid_payload")],
)
def test_the_incoming_webhook_answers_in_plain_words(slack, body, status, said):
    from urllib.error import HTTPError

    try:
        with urlopen(Request(slack.hook, data=body)) as answer:
            found = answer.status, answer.read().decode()
    except HTTPError as refusal:
        with refusal:
            found = refusal.code, refusal.read().decode()
    assert found == (status, said)


@pytest.mark.parametrize(
    ("text", "part", "count"),
    [
        ("<!channel> and <@U1>", None, 2),
        ("<!subteam^S1|team>", None, 1),
        ("@channel", None, 0),
        ("&lt;!channel&gt;", None, 0),
        ("", {"type": "mrkdwn", "text": "<!here>"}, 1),
        ("", {"type": "mrkdwn", "text": "hi @here"}, 1),
        ("", {"type": "mrkdwn", "text": "hi @here", "verbatim": True}, 0),
        ("", {"type": "plain_text", "text": "<!here> @here"}, 0),
    ],
)
def test_mentions_are_counted_where_slack_would_make_them(text, part, count):
    blocks = [{"type": "section", "text": part}] if part else []
    assert len(mentions(text, blocks)) == count


def test_rich_text_pings_by_elements_and_not_by_words():
    words = [{"type": "text", "text": "<!here>"}, {"type": "broadcast", "range": "here"}]
    assert (
        len(mentions("", [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": words}]}])) == 1
    )


def test_calls_are_kept_with_their_arguments_as_sent(slack, client):
    client.chat_postMessage(channel=CHANNEL, text="x", blocks=[section()])
    method, arguments = slack.calls[-1]
    assert (method, json.dumps(arguments["blocks"])) == ("chat.postMessage", json.dumps([section()]))


def test_only_an_app_level_token_opens_connections(client):
    assert client.apps_connections_open(app_token=APP_TOKEN)["url"].startswith("ws://127.0.0.1:")
    assert refused(client.apps_connections_open, app_token=TOKEN)["error"] == "not_allowed_token_type"
    assert refused(client.apps_connections_open, app_token="xapp-no")["error"] == "invalid_auth"


def test_a_press_that_nobody_hears_is_an_error(slack):
    with pytest.raises(TimeoutError, match="nobody has opened"):
        slack.press("leeway_ack", "churn-1", seconds=0.01)


def test_a_whisper_reaches_one_person_and_is_no_message(slack, client):
    client.chat_postEphemeral(channel=CHANNEL, user=ANNA, text="<@U1>")
    assert slack.whispers == [(ANNA, "<@U1>")]
    assert slack.mentions == ["<@U1>"]
    assert slack.messages == {}
    assert refused(client.chat_postEphemeral, channel="C0NOWHERE", user=ANNA, text="x")["error"] == "channel_not_found"
