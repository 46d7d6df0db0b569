"""Slack, by a bot's token or by an incoming webhook."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Self

from pydantic import SecretStr, model_validator

from monitor.core.errors import UnavailableError, UserError
from monitor.core.notice import Attempt, Deferred, Delivered, Notice, Outcome, Rejected
from monitor.core.wording import printable, shorten
from monitor.notifiers._blocks import SECTION, escape, minimal, pinged, render_slack
from monitor.notifiers._slack_bot import Bot, asked
from monitor.notifiers._slack_client import web_client
from monitor.notifiers._slack_errors import Kind, RefusedError, refusal
from monitor.notifiers._slack_options import AppToken, Channel, Mention, Person, Token
from monitor.notifiers._slack_probe import probe_bot
from monitor.notifiers._slack_socket import Press, Socket
from monitor.options import Duration, Options, reveal
from monitor.outbound import Reply, SecretUrl, UnansweredError, exchange


class Slack(Options):
    """One Slack message an incident, edited in place, with its history and charts in the thread.

    An incoming webhook (``webhook_url``) can do less: every notice is a message of its own, without buttons and charts.
    Buttons need ``app_token`` and a running daemon; without it the message names the command that does the same.
    """

    token: Token | None = None
    """The app's Bot User OAuth Token (xoxb-…), with chat:write, files:write and channels:history."""
    channel: Channel | None = None
    """Where a bot posts: the channel's id, such as C0123456789, or its name, such as #alerts."""
    webhook_url: SecretUrl | None = None
    """An incoming webhook's address, in place of token and channel."""
    mention: Mention | None = None
    """Who is pinged when a critical incident opens: the id of a user group or user, or here, channel, everyone."""
    app_token: AppToken | None = None
    """The app-level token (xapp-…) with connections:write, by which the daemon hears buttons through Socket Mode."""
    may_press: tuple[Person, ...] = ()
    """The ids of the users whose presses count; by default everybody in the channel may press."""
    base_url: str = "https://slack.com/api/"
    """Slack's Web API."""
    timeout: Duration = timedelta(seconds=10)
    """How long to wait for an answer."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        bot = self.token is not None or self.channel is not None
        if bot == (self.webhook_url is not None):
            raise ValueError("Slack is reached either by token and channel or by webhook_url: set one of the two")
        if bot and (self.token is None or self.channel is None):
            raise ValueError(f"token and channel belong together; {'channel' if self.token else 'token'} is missing")
        if self.app_token is not None and not bot:
            raise ValueError("app_token needs token and channel: an incoming webhook has no buttons")
        if self.may_press and self.app_token is None:
            raise ValueError("may_press needs app_token: without it there are no buttons to press")
        return self

    def send(self, attempt: Attempt) -> Outcome:
        """Deliver one notice."""
        if self.webhook_url is not None:
            return self._hook(attempt.notice, self.webhook_url)
        return Bot(self._client(), str(self.channel), self.mention, self.app_token is not None).deliver(attempt)

    def listen(self, pressed: Callable[[Press], None]) -> Socket:
        """Return a connection, not yet started, that tells which buttons of the app are pressed."""
        return Socket(self._client(), str(reveal(self.app_token)), pressed)

    def serves(self, press: Press) -> bool:
        """Whether a button was pressed in the channel to which this receiver posts."""
        return self.channel in (press.channel, f"#{press.channel_name}")

    def whisper(self, press: Press, words: str) -> str:
        """Say something that only the person who pressed sees; return what went wrong, or nothing."""
        text = escape(shorten(printable(words), SECTION))
        try:
            asked(self._client().chat_postEphemeral, channel=press.channel, user=press.user, text=text, parse="none")
        except RefusedError as refused:
            return refused.reason
        return ""

    def probe(self) -> str:
        """Ask Slack who we are and whether the channel is there, without posting."""
        try:
            if self.webhook_url is not None:
                return self._probe_hook(self.webhook_url)
            return probe_bot(self._client(), str(self.channel), reveal(self.app_token))
        except RefusedError as refused:
            kind = UnavailableError if refused.kind is Kind.TRANSIENT else UserError
            raise kind(refused.reason) from refused
        except UnansweredError as unanswered:
            raise UnavailableError(f"Slack: {unanswered.reason}") from unanswered

    def _probe_hook(self, url: SecretStr) -> str:
        reply = self._post(url, {})  # Slack checks the address before it complains about the missing text
        if reply.transient:
            raise UnavailableError(f"Slack: HTTP {reply.status}")
        if reply.status in (403, 404, 410):
            raise refusal(reply.text.strip())
        return "the channel of a Slack incoming webhook (plain messages: no edits, threads, buttons or charts)"

    def _hook(self, notice: Notice, url: SecretStr) -> Outcome:
        """Post to an incoming webhook, once more as text alone where the blocks are refused."""
        mention = pinged(notice, self.mention)
        contents = (render_slack(notice, buttons=False, mention=mention), minimal(notice, mention=mention))
        why = ""
        for content in contents:
            try:
                reply = self._post(url, content)
            except UnansweredError as unanswered:
                return Deferred(f"Slack: {unanswered.reason}", uncertain=unanswered.uncertain)
            if reply.ok:
                return Delivered(note=f"as text alone, since {why}" if why else "")
            if reply.transient:
                return Deferred(f"Slack: HTTP {reply.status}", reply.retry_after, uncertain=reply.status >= 500)
            refused = refusal(reply.text.strip()) if reply.text else refusal(f"HTTP {reply.status}")
            why = refused.reason
            if reply.status != 400:
                break
        return Rejected(why)

    def _post(self, url: SecretStr, content: dict[str, Any]) -> Reply:
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        return exchange(url, body, headers, timeout=self.timeout.total_seconds())

    def _client(self) -> Any:
        return web_client(
            token=reveal(self.token), base_url=self.base_url, timeout=max(1, round(self.timeout.total_seconds()))
        )
