"""Letters from the outbox to their receivers: in order, again after an outage, and by the fallback where one refuses."""

from dataclasses import replace
from datetime import timedelta

import pytest
from notice_factory import DAY, START, incident, notice

from monitor.core.errors import UserError
from monitor.core.incident import Reason, State
from monitor.core.notice import Deferred, Delivered, Notice, Rejected
from monitor.dead_letters import drop, retry
from monitor.delivery import LONGEST_ASKED, LONGEST_WAIT, MOST_ATTEMPTS, Delivery, wait
from monitor.notifiers.slack import Slack
from monitor.notifiers.webhook import Webhook
from monitor.store import bodies, overview
from monitor.store import incidents as incident_rows
from monitor.store import letters as letter_rows
from monitor.store import outbox as outbox_rows
from monitor.store.outbox import Letter
from monitor.store.schema import scratch_store
from monitor.store.tables import outbox as table
from monitor.testing import FakeClock, FakeSlack, FakeWebhook, RecordingNotifier
from monitor.testing.slack import CHANNEL, TOKEN, Fault
from monitor.testing.webhook import Answer

HOUR = timedelta(hours=1)
AWAY = Deferred("no answer in time")


class Desk:
    """A store with incidents and letters, and the delivery from it."""

    def __init__(self, **notifiers):
        self.store, self.clock, self.notifiers = scratch_store(), FakeClock(START + 2 * DAY), notifiers
        self.fallback = None

    def write(self, key, receiver="team", about="churn-1a2b3c4d", reason=Reason.FIRST, **changes):
        told = notice(reason, key=key, of=incident(id=about, **changes))
        with self.store.write() as connection:
            incident_rows.put(connection, told.incident)
            outbox_rows.put(
                connection, key=key, kind="notice", model="churn", receiver=receiver, incident_id=about,
                payload=bodies.dump(told), now=self.clock.now(),
            )  # fmt: skip

    def flush(self):
        return Delivery(self.store, self.clock, "test", self.notifiers, {}, fallback=self.fallback).flush()

    def after(self, span, every=timedelta(seconds=10)):
        """Flush at every tick for a while."""
        for _ in range(span // every):
            self.clock.advance(every)
            self.flush()

    def letters(self):
        with self.store.read() as connection:
            return {letter.key: letter for letter in letter_rows.entries(connection, ended=True)}

    def states(self):
        return {key: letter.state for key, letter in self.letters().items()}

    def timeline(self, about="churn-1a2b3c4d"):
        with self.store.read() as connection:
            return incident_rows.timeline(connection, about)

    def told(self, about="churn-1a2b3c4d"):
        with self.store.read() as connection:
            return set(outbox_rows.told(connection, about))

    def act(self, what, key, by="anna"):
        with self.store.write() as connection:
            what(connection, letter_rows.find(connection, key), by, self.clock.now())


@pytest.fixture
def desk():
    desks = []

    def build(**notifiers):
        desks.append(Desk(**notifiers))
        return desks[-1]

    yield build
    for one in desks:
        one.store.close()


@pytest.fixture
def slack():
    with FakeSlack() as server:
        yield server


def bot_of(slack, **options):
    return Slack(**{"token": TOKEN, "channel": CHANNEL, "base_url": slack.api, "timeout": "20s", **options})


# --- order --------------------------------------------------------------------------------------------------------


def test_a_later_letter_never_overtakes_one_of_its_incident_that_was_put_off(desk):
    team = RecordingNotifier([AWAY, AWAY])
    one = desk(team=team)
    one.write("first")
    one.flush()
    one.write("second", reason=Reason.COLUMNS)
    one.after(5 * timedelta(minutes=1))
    assert [attempt.notice.key for attempt in team.attempts] == ["first"] * 3 + ["second"]


def test_other_incidents_and_other_receivers_do_not_wait(desk):
    team, other = RecordingNotifier([AWAY]), RecordingNotifier()
    one = desk(team=team, other=other)
    one.write("a")
    one.write("a-other", receiver="other")
    one.flush()
    one.write("b", about="churn-b")
    one.flush()
    assert list(other.messages) == ["a-other"]
    assert list(team.messages) == ["b", "a"]  # the delivery of one proves that the other need not wait


def test_a_dead_letter_does_not_hold_back_those_behind_it(desk):
    team = RecordingNotifier([Rejected("no such channel")])
    one = desk(team=team)
    one.write("first")
    one.write("second", reason=Reason.COLUMNS)
    one.flush()
    assert one.states() == {"first": "dead", "second": "delivered"}


# --- outages ------------------------------------------------------------------------------------------------------


def test_after_an_outage_of_an_hour_everything_arrives_within_minutes_of_its_end(desk):
    team = RecordingNotifier([AWAY] * 10_000)
    one = desk(team=team)
    for number in range(8):
        one.write(f"k{number}", about=f"churn-{number}")
    one.flush()
    one.after(HOUR, every=timedelta(seconds=30))
    assert not team.messages
    team._outcomes = iter(())
    one.after(timedelta(seconds=LONGEST_WAIT * 1.25))
    assert len(team.messages) == 8


def test_what_the_receiver_asked_to_hold_back_is_held_back_though_others_arrive(desk):
    team = RecordingNotifier([Deferred("too many messages", retry_after=600.0)])
    one = desk(team=team)
    one.write("held")
    one.flush()
    one.write("other", about="churn-b")
    one.after(timedelta(minutes=9, seconds=50))
    assert one.states() == {"held": "pending", "other": "delivered"}
    one.after(timedelta(seconds=20))
    assert one.states()["held"] == "delivered"


def test_waiting_is_bounded_whatever_a_receiver_asks_for():
    def letter(attempts):
        return Letter(1, "k", "notice", "m", "r", None, "{}", attempts, False, 1)

    assert max(wait(letter(n), None) for n in range(1, 100)) <= LONGEST_WAIT * 1.25
    assert wait(letter(1), 1e300) == LONGEST_ASKED
    assert wait(letter(1), float("inf")) == LONGEST_ASKED
    assert wait(letter(1), 90.0) == 90.0
    assert wait(letter(1), 0.0) >= 15.0


def test_letters_of_one_moment_do_not_all_come_back_at_one_moment():
    waits = {wait(Letter(1, f"k{n}", "notice", "m", "r", None, "{}", 5, False, 1), None) for n in range(50)}
    assert len(waits) == 50


def test_it_is_tried_for_at_least_two_days():
    letters = (Letter(1, "k", "notice", "m", "r", None, "{}", n, False, 1) for n in range(1, MOST_ATTEMPTS))
    assert sum(wait(letter, None) for letter in letters) > 2 * 86_400


def test_a_message_that_no_release_of_here_can_read_waits_and_stops_nobody(desk):
    team = RecordingNotifier()
    one = desk(team=team)
    one.write("strange")
    with one.store.write() as connection:
        connection.execute(table.update().values(payload='{"key": 1}'))
    one.flush()
    one.write("other", about="churn-b")
    one.flush()
    assert one.states() == {"strange": "pending", "other": "delivered"}
    assert "another one wrote it" in one.letters()["strange"].error


# --- fallback -----------------------------------------------------------------------------------------------------


def test_what_one_receiver_refuses_the_fallback_is_told_with_the_reason(desk):
    spare = RecordingNotifier()
    one = desk(team=RecordingNotifier([Rejected("Slack: channel_not_found: invite the bot")]), spare=spare)
    one.fallback = "spare"
    one.write("k")
    one.flush()
    assert one.states() == {"k": "dead", "k-fallback": "delivered"}
    [passed] = spare.messages.values()
    assert (passed.key, passed.reason) == ("k-fallback", Reason.FIRST)
    assert passed.note == "team could not be told: Slack: channel_not_found: invite the bot"


def test_what_was_tried_too_often_is_passed_on_too(desk):
    spare = RecordingNotifier()
    one = desk(team=RecordingNotifier([AWAY]), spare=spare)
    one.fallback = "spare"
    one.write("k")
    with one.store.write() as connection:
        connection.execute(table.update().values(attempts=MOST_ATTEMPTS - 1))
    one.flush()
    assert spare.messages["k-fallback"].note.startswith(
        f"team could not be told: gave up after {MOST_ATTEMPTS} attempts"
    )


def test_what_the_fallback_itself_refuses_goes_no_further(desk):
    one = desk(spare=RecordingNotifier([Rejected("no")] * 2), team=RecordingNotifier([Rejected("no")]))
    one.fallback = "spare"
    one.write("own", receiver="spare")
    one.write("k")
    one.flush()
    assert one.states() == {"own": "dead", "k": "dead", "k-fallback": "dead"}


def test_a_letter_that_dies_twice_is_passed_on_once(desk):
    spare = RecordingNotifier()
    one = desk(team=RecordingNotifier([Rejected("no"), Rejected("no")]), spare=spare)
    one.fallback = "spare"
    one.write("k")
    one.flush()
    one.act(retry, "k")
    one.flush()
    assert one.states()["k"] == "dead"
    assert len(spare.attempts) == 1


def test_the_fallback_is_told_of_the_incident_as_it_is_now(desk):
    spare = RecordingNotifier()
    one = desk(team=RecordingNotifier([Rejected("no")]), spare=spare)
    one.fallback = "spare"
    one.write("k")
    one.write("own", receiver="spare", reason=Reason.RESOLVED, state=State.RESOLVED, resolved_reason="calm again")
    one.flush()
    passed = spare.messages["k-fallback"]
    assert (passed.incident.state, passed.actions) == (State.RESOLVED, ())


def test_a_receiver_for_whom_another_was_told_counts_as_told_so_that_the_end_is_told_too(desk):
    one = desk(team=RecordingNotifier([Rejected("no")]), spare=RecordingNotifier())
    one.write("k")
    one.flush()
    assert one.told() == set()
    one.fallback = "spare"
    one.act(retry, "k")
    one.notifiers["team"] = RecordingNotifier([Rejected("no")])
    one.flush()
    assert one.told() == {"team", "spare"}


@pytest.mark.parametrize("reason", [Reason.FIRST, Reason.COLUMNS, Reason.REPEAT])
def test_people_see_in_slack_for_whom_it_was(slack, reason):
    told = replace(notice(reason), note="team could not be told: Slack: channel_not_found <!channel>")
    from monitor.core.notice import Attempt

    bot = bot_of(slack)
    begun = bot.send(Attempt(notice(key="k0")))
    slack.messages[begun.reference["ts"]].pop("text")
    bot.send(Attempt(told, earlier=begun.reference))
    [post] = slack.posts
    reply = slack.thread(post["ts"])[-1]
    for shown in (post["blocks"][1]["text"]["text"], post["text"], reply["text"]):
        assert "eam could not be told: Slack: channel_not_found" in shown
    assert reply["reply_broadcast"]
    assert slack.mentions == []


def test_people_see_on_a_terminal_and_programs_in_a_webhook_for_whom_it_was(desk, capsys):
    from monitor.notifiers.stdout import Stdout

    with FakeWebhook() as receiver:
        one = desk(team=RecordingNotifier([Rejected("no")] * 2), spare=Stdout())
        one.fallback = "spare"
        one.write("k")
        one.flush()
        assert "Team could not be told: no. " in capsys.readouterr().out
        one.notifiers["spare"] = Webhook(url=receiver.url)
        one.write("k2", about="churn-b")
        one.flush()
        [request] = receiver.requests
    assert request.json["data"]["note"] == "team could not be told: no"
    assert request.headers["webhook-id"] == "k2-fallback"


def test_an_old_message_without_a_note_is_still_read():
    text = bodies.dump(notice()).replace(',"note":""', "")
    assert "note" not in text
    assert bodies.load(Notice, text) == notice()


# --- dead letters -------------------------------------------------------------------------------------------------


def test_a_dead_letter_that_is_put_back_arrives_and_the_incident_says_who_did_it(desk):
    team = RecordingNotifier([Rejected("no such channel")])
    one = desk(team=team)
    one.write("k")
    one.flush()
    one.act(retry, "k")
    one.flush()
    assert one.states() == {"k": "delivered"}
    events = [(event.event, event.actor, event.detail) for event in one.timeline()]
    assert ("delivery retried", "anna", "team: no such channel") in events


def test_a_dead_letter_that_is_put_back_has_all_its_attempts_again(desk):
    one = desk(team=RecordingNotifier([Rejected("no"), AWAY]))
    one.write("k")
    with one.store.write() as connection:
        connection.execute(table.update().values(attempts=MOST_ATTEMPTS))
    one.flush()
    one.act(retry, "k")
    one.flush()
    assert one.states() == {"k": "pending"}


def test_an_old_state_is_not_told_after_a_newer_one(desk):
    one = desk(team=RecordingNotifier([Rejected("no")]))
    one.write("first")
    one.write("second", reason=Reason.COLUMNS)
    one.flush()
    with pytest.raises(UserError, match="out of date: team has a later message"):
        one.act(retry, "first")
    one.act(drop, "first")
    assert one.states()["first"] == "dropped"


@pytest.mark.parametrize("what", [retry, drop])
def test_only_dead_letters_are_acted_on(desk, what):
    one = desk(team=RecordingNotifier([AWAY]))
    one.write("k")
    one.flush()
    with pytest.raises(UserError, match="is pending and will be tried at 2026-"):
        one.act(what, "k")


def test_a_dropped_letter_does_not_count_as_dead_or_told(desk):
    one = desk(team=RecordingNotifier([Rejected("no")]))
    one.write("k")
    one.flush()
    with one.store.read() as connection:
        assert overview.letters(connection, one.clock.now()).dead_lately == 1
        assert overview.letters(connection, one.clock.now() + HOUR).dead_lately == 0
    one.act(drop, "k")
    with one.store.read() as connection:
        assert overview.letters(connection, one.clock.now()).dead_lately == 0
        assert outbox_rows.told(connection, "churn-1a2b3c4d") == {}
    assert one.timeline()[-1].event == "delivery dropped"


def test_a_letter_is_named_by_the_beginning_of_its_key(desk):
    one = desk(team=RecordingNotifier())
    for key in ("a1", "a1-fallback", "b2"):
        one.write(key)
    with one.store.read() as connection:
        assert letter_rows.find(connection, "b").key == "b2"
        assert letter_rows.find(connection, "a1").key == "a1"
        with pytest.raises(UserError, match="2 letters have"):
            letter_rows.find(connection, "a")
        with pytest.raises(UserError, match="no letter has a key beginning 'x'"):
            letter_rows.find(connection, "x")


def test_who_lost_a_letter_to_another_replica_passes_nothing_on(desk):
    one = desk(team=RecordingNotifier([Rejected("no")]), spare=RecordingNotifier())
    one.write("k")
    delivery = Delivery(one.store, one.clock, "slow", one.notifiers, {}, fallback="spare")
    with one.store.write() as connection:
        stale = outbox_rows.claim(connection, "slow", one.clock.now())
        connection.execute(table.update().values(lease_until=0.0))
        outbox_rows.claim(connection, "quick", one.clock.now())
    with one.store.write() as connection:
        delivery._settle(connection, stale, Rejected("no"), one.clock.now())
    assert one.states() == {"k": "sending"}
    assert one.timeline() == []


# --- Slack and webhooks, through the outbox -----------------------------------------------------------------------


def test_a_storm_of_too_many_messages_delays_slack_alone_and_loses_nothing(slack, desk):
    slack.a_second, slack.burst = 1e-9, 3
    other = RecordingNotifier()
    one = desk(team=bot_of(slack), other=other)
    for number in range(6):
        one.write(f"k{number}", about=f"churn-{number}")
        one.write(f"o{number}", receiver="other", about=f"churn-{number}")
    one.flush()
    assert len(other.messages) == 6
    slack.a_second = None
    one.after(timedelta(minutes=1))
    assert len(slack.posts) == 6
    assert set(one.states().values()) == {"delivered"}


def test_retry_after_becomes_the_time_of_the_next_attempt(slack, desk):
    one = desk(team=bot_of(slack))
    slack.plan(Fault("chat.postMessage", "limited", seconds=77))
    one.write("k")
    one.flush()
    assert one.letters()["k"].next_attempt_at == one.clock.now() + timedelta(seconds=77)


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "html"])
def test_a_message_whose_fate_is_unknown_arrives_once(slack, desk, kind):
    one = desk(team=bot_of(slack))
    slack.plan(Fault("chat.postMessage", kind))
    one.write("k")
    one.flush()
    assert one.states() == {"k": "pending"}
    one.after(timedelta(minutes=1))
    assert one.states() == {"k": "delivered"}
    assert len(slack.posts) == 1


@pytest.mark.parametrize("method", ["chat.update", "chat.postMessage"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_an_edit_or_a_reply_whose_fate_is_unknown_is_seen_once(slack, desk, method, kind):
    one = desk(team=bot_of(slack))
    one.write("first")
    one.flush()
    slack.plan(Fault(method, kind))
    one.write("second", reason=Reason.COLUMNS)
    one.flush()
    one.after(timedelta(minutes=1))
    assert one.states() == {"first": "delivered", "second": "delivered"}
    [post] = slack.posts
    assert [reply["metadata"]["event_payload"]["key"] for reply in slack.thread(post["ts"])] == ["first", "second"]


def test_a_broadcast_reply_is_not_taken_for_the_incident_s_message(slack, desk):
    one = desk(team=bot_of(slack))
    one.write("first")
    one.flush()
    slack.plan(Fault("chat.postMessage", "drop_after"))
    one.write("second", reason=Reason.WORSE)
    one.flush()
    slack.messages = {ts: message for ts, message in slack.messages.items() if "thread_ts" in message}
    one.after(timedelta(minutes=1))
    assert one.states()["second"] == "delivered"
    assert [post["metadata"]["event_payload"]["key"] for post in slack.posts] == ["second"]


@pytest.mark.parametrize("method", ["chat.update", "chat.postMessage"])
@pytest.mark.parametrize("code", ["invalid_blocks", "msg_too_long", "msg_blocks_too_long"])
def test_an_edit_or_a_reply_whose_blocks_are_refused_is_sent_once_as_text(slack, desk, method, code):
    one = desk(team=bot_of(slack))
    one.write("first")
    one.flush()
    calls = len(slack.calls)
    slack.plan(Fault(method, "error", code=code))
    one.write("second", reason=Reason.COLUMNS)
    one.flush()
    assert one.states()["second"] == "delivered"
    assert code in one.letters()["second"].error
    again = [arguments for name, arguments in slack.calls[calls:] if name == method]
    assert ["blocks" in arguments for arguments in again] == [False]  # what a fault answered is not among the calls
    assert all(arguments["text"] for arguments in again)


@pytest.mark.parametrize(
    "code", ["invalid_auth", "account_inactive", "not_in_channel", "channel_not_found", "is_archived", "missing_scope"]
)
def test_a_mistake_in_slacks_configuration_is_told_by_the_fallback_with_its_remedy(slack, desk, code):
    spare = RecordingNotifier()
    one = desk(team=bot_of(slack), spare=spare)
    one.fallback = "spare"
    slack.plan(Fault("chat.postMessage", "error", code=code))
    one.write("k")
    one.flush()
    assert one.states() == {"k": "dead", "k-fallback": "delivered"}
    assert spare.messages["k-fallback"].note.startswith(f"team could not be told: Slack: {code}: ")


@pytest.mark.parametrize("code", ["internal_error", "fatal_error", "service_unavailable", "request_timeout"])
def test_what_is_slacks_own_trouble_is_tried_again_and_told_to_nobody_else(slack, desk, code):
    spare = RecordingNotifier()
    one = desk(team=bot_of(slack), spare=spare)
    one.fallback = "spare"
    slack.plan(Fault("chat.postMessage", "error", code=code))
    one.write("k")
    one.flush()
    one.after(timedelta(minutes=1))
    assert one.states() == {"k": "delivered"}
    assert not spare.messages


def test_a_sender_that_was_killed_after_slack_had_stored_the_message_repeats_nothing(slack, desk):
    one = desk(team=bot_of(slack))
    one.write("k")
    with one.store.write() as connection:
        outbox_rows.claim(connection, "killed", one.clock.now())
    bot_of(slack).send(_attempt("k"))
    with one.store.write() as connection:
        connection.execute(table.update().values(lease_until=0.0))
    one.flush()
    assert one.states() == {"k": "delivered"}
    assert len(slack.posts) == 1


def _attempt(key):
    from monitor.core.notice import Attempt

    return Attempt(notice(key=key))


def test_a_webhook_has_the_same_id_at_every_try(desk):
    with FakeWebhook(Answer(503), Answer(dropped=True), Answer(429, {"Retry-After": "1"})) as receiver:
        one = desk(team=Webhook(url=receiver.url, timeout="20s"))
        one.write("k")
        one.flush()
        one.after(timedelta(minutes=3))
        assert [request.headers["webhook-id"] for request in receiver.requests] == ["k"] * 4
    assert one.states() == {"k": "delivered"}


def test_delivered_is_written_once_success_is_known_and_not_before(desk):
    one = desk(team=RecordingNotifier([AWAY, Delivered({"ts": "1"})]))
    one.write("k")
    one.flush()
    assert one.letters()["k"].delivered_at is None
    one.after(timedelta(seconds=20))
    assert one.letters()["k"].delivered_at is not None
