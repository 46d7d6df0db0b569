"""The Slack notifier against a stand-in that keeps Slack's rules."""

from dataclasses import replace
from datetime import timedelta

import pytest
from notice_factory import evidence, first, hostile, incident, monster, notice, series
from pydantic import ValidationError

from monitor.core.errors import UnavailableError, UserError
from monitor.core.finding import Rule, Severity
from monitor.core.incident import Reason, State
from monitor.core.notice import Attempt, Deferred, Delivered, Rejected
from monitor.notifiers import _png
from monitor.notifiers._blocks import LARGEST_JSON, LARGEST_TEXT, render_slack
from monitor.notifiers.slack import Slack
from monitor.testing import FakeSlack, FakeWebhook
from monitor.testing._slack_blocks import characters, faults
from monitor.testing.slack import CHANNEL, HOOK, TOKEN, Fault
from monitor.testing.webhook import Answer

POST, UPDATE, HISTORY, REPLIES = "chat.postMessage", "chat.update", "conversations.history", "conversations.replies"


@pytest.fixture
def slack():
    with FakeSlack() as server:
        yield server


@pytest.fixture
def bot(slack):
    return bot_of(slack)


def bot_of(slack, **options):
    return Slack(**{"token": TOKEN, "channel": CHANNEL, "base_url": slack.api, "timeout": "20s", **options})


def hook_of(slack, **options):
    return Slack(webhook_url=slack.hook, timeout="20s", **options)


def follow_up(delivered, reason=Reason.RESOLVED, **changes):
    return Attempt(notice(reason, key=f"churn-1a2b3c4d-{reason.name}", **changes), earlier=delivered.reference)


def resolved():
    return incident(state=State.RESOLVED, resolved_reason="calm again", resolved_at=notice().at)


# --- the message -------------------------------------------------------------------------------------------------


def test_the_first_notice_becomes_one_message_in_the_channel(slack, bot):
    outcome = bot.send(first())
    [post] = slack.posts
    assert outcome == Delivered({"channel": CHANNEL, "ts": post["ts"]})


def test_the_header_names_kind_model_version_and_columns():
    header = render_slack(notice())["blocks"][0]
    assert header["text"]["text"] == "DRIFT · churn v7 · 3 of 42 columns"


def test_the_sentence_holds_effect_tolerance_and_window():
    sentence = render_slack(notice())["blocks"][1]["text"]["text"]
    assert "amount 0.62 standard deviations of the reference, tolerance 0.2" in sentence
    assert "2026-03-02" in sentence


def test_evidence_is_told_first_in_native_units_and_without_the_effect_of_one_window():
    words = "median of amount rose from 733 to 1,180 (+61%, 90% interval +58% to +64%), since 2026-03-01 00:00 UTC"
    shown = replace(evidence("amount", words), rule=Rule.EVIDENCE)
    text = render_slack(notice(of=incident(evidence=(shown,))))["blocks"][1]["text"]["text"]
    assert text.startswith(f"M{words[1:]}. Shifted values in amount, age, tenure: ")
    assert "0.62" not in text


def test_a_change_that_has_grown_is_said_with_its_words(slack, bot):
    begun = bot.send(first())
    bot.send(follow_up(begun, Reason.WORSE, detail="median of amount rose from 733 to 2,400"))
    said = slack.thread(begun.reference["ts"])[-1]["text"]
    assert said == "The change has grown: median of amount rose from 733 to 2,400"


def test_every_message_has_a_top_level_text_for_notifications(slack, bot):
    bot.send(first(series=(series(),)))
    assert all(arguments["text"] for method, arguments in slack.calls if method in (POST, UPDATE))


def test_a_broken_pipeline_says_not_to_retrain():
    words = render_slack(notice(of=incident(pipeline=True)))["blocks"][1]["text"]["text"]
    assert "do not retrain" in words


def test_at_most_five_columns_are_named_and_the_rest_is_counted():
    blocks = render_slack(monster())["blocks"]
    rich = next(block for block in blocks if block["type"] == "rich_text")
    assert len(rich["elements"][0]["elements"]) == 5
    assert rich["elements"][1]["elements"][0]["text"] == "+195 more"


def test_buttons_are_those_that_the_notice_offers():
    blocks = render_slack(notice(actions=("ack", "retrain"), link=None))["blocks"]
    actions = [button["action_id"] for button in blocks[-1]["elements"]]
    assert actions == ["leeway_ack", "leeway_retrain"]


def test_a_message_without_actions_and_link_has_no_buttons():
    kinds = {block["type"] for block in render_slack(notice(actions=(), link=None))["blocks"]}
    assert "actions" not in kinds


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "report.html", "https://x.example/" + "a" * 3000, "https://x|y>"]
)
def test_a_link_that_slack_would_refuse_makes_no_button(link):
    assert not [b for b in render_slack(notice(actions=(), link=link))["blocks"] if b["type"] == "actions"]


def test_block_ids_are_new_with_every_notice_and_the_same_on_every_attempt():
    def ids(key):
        return {block["block_id"] for block in render_slack(notice(key=key))["blocks"]}

    assert ids("a") == ids("a")
    assert not ids("a") & ids("b")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"acknowledged_by": "anna"}, "firing, acknowledged by anna"), ({"silenced_until": notice().at}, "firing, silenced until 2026-03-03 00:00 UTC"),
     ({"expected": True}, "firing, declared expected")],
)  # fmt: skip
def test_the_state_says_what_a_person_did(changes, words):
    fields = render_slack(notice(of=incident(**changes)))["blocks"][2]["fields"]
    assert any(field["text"].endswith(words) for field in fields)


def test_a_change_that_is_expected_is_titled_so():
    assert render_slack(notice(of=incident(expected=True)))["text"].startswith("EXPECTED · DRIFT")


def test_a_notice_without_numbers_is_a_message_all_the_same(slack, bot):
    bare = notice(
        of=incident(evidence=(), columns=(), summary=""),
        window=None,
        version=None,
        reference="",
        rows=0,
        timeline=(),
        actions=(),
        link=None,
    )
    assert bot.send(Attempt(bare)).note == ""
    assert slack.posts[0]["blocks"][1]["text"]["text"].startswith("Shifted values.\n")


def test_a_name_with_emphasis_in_it_stays_plain():
    fields = render_slack(notice(of=incident(acknowledged_by="*anna*")))["blocks"][2]["fields"]
    assert {"type": "plain_text", "text": "State\nfiring, acknowledged by *anna*", "emoji": False} in fields


# --- the thread --------------------------------------------------------------------------------------------------


def test_the_thread_begins_with_the_timeline(slack, bot):
    bot.send(first())
    [reply] = slack.thread(slack.posts[0]["ts"])
    assert "2026-03-03 00:00 fired" in str(reply["blocks"])


def test_the_chart_is_uploaded_into_the_thread_as_a_png(slack, bot):
    bot.send(first(series=(series(), series("age"))))
    shared = slack.thread(slack.posts[0]["ts"])[-1]["files"]
    contents = [slack.files[name]["content"] for name in shared]
    assert len(contents) == 2
    assert all(content.startswith(b"\x89PNG") for content in contents)


def test_a_chart_that_cannot_be_drawn_leaves_a_note_and_the_message(slack, bot, monkeypatch):
    monkeypatch.setattr(_png, "_has_font", lambda: False)
    outcome = bot.send(first(series=(series(),)))
    assert len(slack.posts) == 1
    assert "no font" in outcome.note


def test_a_token_without_permission_for_files_still_delivers(slack, bot):
    slack.scopes = "chat:write,channels:history"
    outcome = bot.send(first(series=(series(),)))
    assert isinstance(outcome, Delivered)
    assert "missing_scope" in outcome.note


def test_a_thread_that_fails_does_not_repeat_the_message(slack):
    slack.a_second, slack.burst = 0.001, 1
    outcome = bot_of(slack).send(first())
    assert isinstance(outcome, Delivered)
    assert "too many messages" in outcome.note
    assert len(slack.posts) == 1


# --- what follows ------------------------------------------------------------------------------------------------


def test_a_resolution_edits_the_message_in_place(slack, bot):
    begun = bot.send(first())
    ended = bot.send(follow_up(begun, of=resolved()))
    [post] = slack.posts
    assert post["blocks"][0]["text"]["text"].startswith("RESOLVED · DRIFT · churn")
    assert ended.reference == begun.reference
    assert not slack.refused


def test_a_change_is_said_in_the_thread_with_its_reason(slack, bot):
    begun = bot.send(first())
    bot.send(follow_up(begun, Reason.COLUMNS, detail="tenure"))
    assert slack.thread(begun.reference["ts"])[-1]["text"] == "New columns in the incident: tenure"


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_of_its_own(slack, bot, reason):
    begun = bot.send(first())
    assert isinstance(bot.send(follow_up(begun, reason)), Delivered)
    assert slack.thread(begun.reference["ts"])[-1]["text"]


@pytest.mark.parametrize(
    ("reason", "shown"),
    [(Reason.REPEAT, True), (Reason.SEVERITY, True), (Reason.WORSE, True), (Reason.PERSON, False)],
)
def test_loud_replies_show_in_the_channel_since_edits_notify_nobody(slack, bot, reason, shown):
    begun = bot.send(first())
    bot.send(follow_up(begun, reason))
    assert slack.thread(begun.reference["ts"])[-1].get("reply_broadcast", False) is shown


@pytest.mark.parametrize("code", ["cant_update_message", "edit_window_closed", "is_archived"])
def test_a_message_that_cannot_be_edited_is_posted_afresh(slack, bot, code):
    begun = bot.send(first())
    slack.plan(Fault(UPDATE, "error", code=code))
    ended = bot.send(follow_up(begun, of=resolved()))
    assert ended.reference["ts"] != begun.reference["ts"]
    assert len(slack.posts) == 2


def test_a_deleted_message_is_posted_afresh(slack, bot):
    begun = bot.send(first())
    slack.delete(begun.reference["ts"])
    ended = bot.send(follow_up(begun, of=resolved()))
    assert [post["ts"] for post in slack.posts] == [ended.reference["ts"]]


# --- doubt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_dropped_connection_ends_in_exactly_one_message(slack, bot, kind):
    slack.plan(Fault(POST, kind))
    outcome = bot.send(first())
    assert isinstance(outcome, Deferred)
    assert outcome.uncertain
    again = bot.send(Attempt(notice(), number=2, uncertain=True))
    assert isinstance(again, Delivered)
    assert [post["ts"] for post in slack.posts] == [again.reference["ts"]]
    assert len(slack.thread(again.reference["ts"])) == 1


def test_an_attempt_that_had_arrived_with_its_thread_is_left_alone(slack, bot):
    begun = bot.send(first())
    again = bot.send(Attempt(notice(), 2, uncertain=True))
    assert again == Delivered(begun.reference, "an earlier attempt had arrived")
    assert len(slack.messages) == 2


def test_an_edit_that_fails_keeps_an_earlier_doubt(slack, bot):
    begun = bot.send(first())
    slack.plan(Fault(UPDATE, "limited"))
    assert bot.send(Attempt(notice(key="k2"), 2, uncertain=True, earlier=begun.reference)).uncertain


def test_a_channel_name_that_is_nowhere_is_looked_up_in_vain_and_rejected(slack):
    outcome = bot_of(slack, channel="#nowhere").send(Attempt(notice(), 2, uncertain=True))
    assert isinstance(outcome, Rejected)


def test_one_call_is_made_for_one_attempt_though_the_connection_drops(slack, bot):
    slack.plan(Fault(POST, "drop_after"))
    bot.send(first())
    assert len(slack.posts) == 1


def test_a_channel_given_by_name_is_looked_up_too(slack):
    bot = bot_of(slack, channel="#alerts")
    slack.plan(Fault(POST, "drop_after"))
    bot.send(first())
    bot.send(Attempt(notice(), uncertain=True))
    assert len(slack.posts) == 1


def test_the_key_is_found_behind_many_other_messages(slack, bot):
    slack.plan(Fault(POST, "drop_after"))
    bot.send(first())
    for number in range(350):
        slack.call(POST, {"channel": CHANNEL, "text": f"chat {number}"})
    bot.send(Attempt(notice(), uncertain=True))
    assert len(slack.posts) == 351


def test_a_lookup_that_fails_keeps_the_doubt(slack, bot):
    slack.plan(Fault(HISTORY, "limited", seconds=7))
    assert bot.send(Attempt(notice(), uncertain=True)) == Deferred("Slack: too many messages", 7.0, uncertain=True)


def test_without_permission_to_look_a_repeat_is_better_than_silence(slack, bot):
    slack.scopes = "chat:write,files:write"
    outcome = bot.send(Attempt(notice(), uncertain=True))
    assert "perhaps a repeat" in outcome.note


def test_a_reply_in_doubt_is_said_once(slack, bot):
    begun = bot.send(first())
    slack.plan(Fault(POST, "drop_after"))
    attempt = follow_up(begun, Reason.COLUMNS, detail="tenure")
    assert bot.send(attempt).uncertain
    again = bot.send(Attempt(attempt.notice, 2, uncertain=True, earlier=attempt.earlier))
    assert isinstance(again, Delivered)
    assert len(slack.thread(begun.reference["ts"])) == 2


def test_a_failing_lookup_of_replies_keeps_the_doubt(slack, bot):
    begun = bot.send(first())
    attempt = follow_up(begun)
    slack.plan(Fault(REPLIES, "html"))
    assert bot.send(Attempt(attempt.notice, 2, uncertain=True, earlier=attempt.earlier)).uncertain


# --- failures ----------------------------------------------------------------------------------------------------


def test_too_many_messages_wait_as_long_as_slack_asks(slack, bot):
    slack.plan(Fault(POST, "limited", seconds=42))
    assert bot.send(first()) == Deferred("Slack: too many messages", 42.0)


def test_a_burst_beyond_the_limit_is_deferred_not_lost(slack):
    slack.a_second = 0.01
    bot = bot_of(slack)
    outcomes = [bot.send(first(key=f"k{number}")) for number in range(4)]
    assert isinstance(outcomes[-1], Deferred)
    assert len(slack.posts) == sum(isinstance(outcome, Delivered) for outcome in outcomes)


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
def test_slacks_own_troubles_are_deferred(slack, bot, code):
    slack.plan(Fault(POST, "error", code=code))
    assert isinstance(bot.send(first()), Deferred)


def test_a_page_in_place_of_an_answer_is_deferred_in_doubt(slack, bot):
    slack.plan(Fault(POST, "html"))
    assert bot.send(first()) == Deferred("Slack: HTTP 500", None, uncertain=True)


def test_an_answer_that_does_not_come_is_deferred_in_doubt(slack):
    slack.plan(Fault(POST, "slow", seconds=3))
    outcome = bot_of(slack, timeout="1s").send(first())
    assert outcome == Deferred("Slack: no answer in time", None, uncertain=True)


def test_a_server_that_is_away_is_deferred_without_doubt():
    bot = Slack(token=TOKEN, channel=CHANNEL, base_url="http://127.0.0.1:1/api/")
    outcome = bot.send(first())
    assert isinstance(outcome, Deferred)
    assert not outcome.uncertain


@pytest.mark.parametrize(
    ("code", "remedy"),
    [("not_in_channel", "/invite"), ("channel_not_found", "channel's details"), ("is_archived", "another"),
     ("account_inactive", "install"), ("missing_scope", "chat:write"), ("brand_new_error", "reference")],
)  # fmt: skip
def test_a_mistake_in_the_configuration_is_rejected_with_a_remedy(slack, bot, code, remedy):
    slack.plan(Fault(POST, "error", code=code))
    outcome = bot.send(first())
    assert isinstance(outcome, Rejected)
    assert code in outcome.reason
    assert remedy in outcome.reason


def test_a_bot_outside_the_channel_is_rejected(slack, bot):
    slack.joined.clear()
    assert "not_in_channel" in bot.send(first()).reason


def test_a_wrong_token_is_rejected_without_showing_it(slack):
    outcome = bot_of(slack, token="xoxb-wrong-secret").send(first())
    assert "invalid_auth" in outcome.reason
    assert "wrong-secret" not in repr(outcome)


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
def test_refused_blocks_fall_back_to_text_once(slack, bot, code):
    slack.plan(Fault(POST, "error", code=code))
    outcome = bot.send(first())
    [post] = slack.posts
    assert "blocks" not in post
    assert code in outcome.note
    assert "churn v7" in post["text"]


def test_text_that_is_refused_too_is_rejected(slack, bot):
    slack.plan(Fault(POST, "error", code="msg_too_long", times=2))
    assert isinstance(bot.send(first()), Rejected)


# --- hostile and large -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [bot_of, hook_of])
def test_words_from_users_tables_ping_nobody_and_forge_no_link(slack, way):
    begun = way(slack).send(Attempt(hostile()))
    way(slack).send(Attempt(hostile(), earlier=begun.reference))
    assert slack.mentions == []
    assert set(slack.links) <= {"https://leeway.example.org/x"}
    assert not slack.refused


def test_the_text_fallback_pings_nobody_either(slack, bot):
    slack.plan(Fault(POST, "error", code="invalid_blocks"))
    bot.send(Attempt(hostile()))
    assert slack.mentions == []


def test_a_monster_fits_slacks_limits(slack, bot):
    begun = bot.send(Attempt(monster()))
    bot.send(Attempt(monster(), earlier=begun.reference))
    assert slack.refused == []
    assert begun.note == ""


def test_a_monster_stays_below_the_sizes_that_slack_refuses():
    import json

    blocks = render_slack(monster())["blocks"]
    assert faults(blocks) == []
    assert len(json.dumps(blocks)) <= LARGEST_JSON
    assert characters(blocks) <= LARGEST_TEXT


def test_an_incident_of_the_whole_table_needs_no_columns(slack, bot):
    whole = incident(
        columns=(),
        evidence=(incident().evidence[0].__class__(None, "row_count", "12 rows, usually 1,200", None, None, None, ""),),
    )
    assert isinstance(bot.send(first(of=whole)), Delivered)
    assert slack.posts[0]["blocks"][0]["text"]["text"] == "DRIFT · churn v7"


# --- mentions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mention", "pinged"), [("S0TEAM", "<!subteam^S0TEAM>"), ("U0ANNA", "<@U0ANNA>"), ("here", "<!here>")]
)
def test_a_critical_incident_pings_whom_the_configuration_names(slack, mention, pinged):
    critical = incident(severity=Severity.CRITICAL)
    bot_of(slack, mention=mention).send(first(of=critical))
    assert slack.mentions == [pinged]


def test_a_warning_pings_nobody(slack):
    bot_of(slack, mention="here").send(first())
    assert slack.mentions == []


def test_a_raised_severity_pings_from_the_thread(slack):
    bot = bot_of(slack, mention="S0TEAM")
    begun = bot.send(first())
    bot.send(follow_up(begun, Reason.SEVERITY, of=incident(severity=Severity.CRITICAL)))
    assert slack.mentions == ["<!subteam^S0TEAM>"]


def test_a_resolution_pings_nobody(slack):
    bot = bot_of(slack, mention="here")
    begun = bot.send(first())
    bot.send(follow_up(begun, of=incident(severity=Severity.CRITICAL, state=State.RESOLVED)))
    assert slack.mentions == []


# --- incoming webhooks -------------------------------------------------------------------------------------------


def test_an_incoming_webhook_posts_without_buttons_but_the_link(slack):
    outcome = hook_of(slack).send(first(series=(series(),)))
    buttons = [button["action_id"] for button in slack.posts[0]["blocks"][-1]["elements"]]
    assert outcome == Delivered()
    assert buttons == ["leeway_open"]


def test_an_incoming_webhook_posts_every_notice_anew(slack):
    hook = hook_of(slack)
    begun = hook.send(first())
    hook.send(follow_up(begun, of=resolved()))
    assert len(slack.posts) == 2


def test_an_incoming_webhook_falls_back_to_text(slack, monkeypatch):
    monkeypatch.setattr(
        "monitor.notifiers.slack.render_slack", lambda *_, **__: {"text": "x", "blocks": [{"type": "no"}]}
    )
    outcome = hook_of(slack).send(first())
    assert "invalid_blocks" in outcome.note
    assert len(slack.posts) == 1


@pytest.mark.parametrize(
    ("fault", "expected"),
    [(Fault("hook", "limited", seconds=9), Deferred("Slack: HTTP 429", 9.0)),
     (Fault("hook", "html"), Deferred("Slack: HTTP 500", None, uncertain=True)),
     (Fault("hook", "drop_after"), Deferred("Slack: connection failed (RemoteDisconnected)", None, uncertain=True))],
)  # fmt: skip
def test_an_incoming_webhook_that_fails_is_deferred(slack, fault, expected):
    slack.plan(fault)
    assert hook_of(slack).send(first()) == expected


def test_the_address_of_an_incoming_webhook_is_never_shown(slack):
    secret = HOOK.rpartition("/")[2]
    hook = hook_of(slack)
    slack.plan(Fault("hook", "drop_before"))
    gone = Slack(webhook_url=f"http://127.0.0.1:1/{secret}").send(first())
    assert secret not in repr(hook) + repr(hook.send(first())) + repr(gone) + hook.probe()


# --- configuration and probe -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [({}, "set one of the two"),
     ({"token": "xoxb-1", "channel": "C012345", "webhook_url": "https://x.example/y"}, "set one of the two"),
     ({"token": "xoxb-1"}, "channel is missing"),
     ({"channel": "C012345"}, "token is missing"),
     ({"token": "xoxb-1\n", "channel": "C012345"}, "one word"),
     ({"token": "xoxb-1", "channel": "alerts"}, "#alerts"),
     ({"webhook_url": "file:///etc/passwd"}, "https://"),
     ({"webhook_url": "https://user:pw@x.example/y"}, "must not hold"),
     ({"webhook_url": "https://x.example/y", "mention": "@anna"}, "user group")],
)  # fmt: skip
def test_wrong_options_are_explained(options, words):
    with pytest.raises(ValidationError, match=words):
        Slack(**options)


def test_no_secret_stands_in_the_repr():
    assert "xoxb" not in repr(Slack(token="xoxb-1", channel="C012345"))


def test_the_probe_names_channel_bot_and_team(bot):
    assert bot.probe() == f"Slack channel {CHANNEL} as leeway of Fake Team"


def test_the_probe_names_the_permissions_that_lack(slack, bot):
    slack.scopes = "chat:write,channels:history"
    assert "files:write (to show charts)" in bot.probe()


def test_the_probe_asks_whether_an_incoming_webhook_is_still_there(slack):
    with FakeWebhook(Answer(404, body="no_service")) as gone, pytest.raises(UserError, match="create a new one"):
        Slack(webhook_url=gone.url).probe()
    slack.plan(Fault("hook", "html"))
    with pytest.raises(UnavailableError, match="HTTP 500"):
        hook_of(slack).probe()


def test_an_incoming_webhook_that_was_removed_is_rejected_with_a_remedy():
    with FakeWebhook(Answer(404, body="no_service")) as gone:
        outcome = Slack(webhook_url=gone.url).send(first())
    assert outcome == Rejected(
        "Slack: no_service: the incoming webhook was removed; create a new one in the app's settings"
    )


def test_the_probe_posts_nothing(slack, bot):
    bot.probe()
    hook_of(slack).probe()
    assert slack.messages == {}


@pytest.mark.parametrize(
    ("options", "words"), [({"token": "xoxb-no"}, "invalid_auth"), ({"channel": "C0NOWHERE"}, "channel_not_found")]
)
def test_the_probe_explains_what_is_wrong(slack, options, words):
    with pytest.raises(UserError, match=words):
        bot_of(slack, **options).probe()


def test_a_token_that_may_not_post_fails_the_probe(slack, bot):
    slack.scopes = "files:write"
    with pytest.raises(UserError, match="chat:write"):
        bot.probe()


def test_the_probe_of_a_server_that_is_away_says_unavailable():
    with pytest.raises(UnavailableError):
        Slack(token=TOKEN, channel=CHANNEL, base_url="http://127.0.0.1:1/").probe()
    with pytest.raises(UnavailableError):
        Slack(webhook_url="http://127.0.0.1:1/x").probe()


def test_the_default_timeout_is_ten_seconds():
    assert Slack(token="xoxb-1", channel="C012345").timeout == timedelta(seconds=10)
