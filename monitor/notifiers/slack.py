"""Slack, by a bot's token or by an incoming webhook."""

import json
import re
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, SecretStr, model_validator

from monitor.core.errors import UnavailableError, UserError
from monitor.core.notice import Attempt, Deferred, Delivered, Notice, Outcome, Rejected
from monitor.notifiers._blocks import minimal, pinged, render_slack
from monitor.notifiers._slack_bot import Bot, asked
from monitor.notifiers._slack_errors import Kind, RefusedError, refusal
from monitor.options import Duration, Options, reveal
from monitor.outbound import Reply, SecretUrl, UnansweredError, exchange

_WANTED_SCOPES = {
    "chat:write": "to post",
    "files:write": "to show charts",
    "channels:history": "to look whether a message arrived before sending it again",
}


def _mention(value: str) -> str:
    if not re.fullmatch(r"here|channel|everyone|[SUW][A-Z0-9]{2,}", value):
        raise ValueError("mention is the id of a user group (S…) or user (U…), or one of here, channel, everyone")
    return value


def _channel(value: str) -> str:
    if not re.fullmatch(r"[CGD][A-Z0-9]{2,}|#[^\s#]+", value):
        raise ValueError("channel is an id such as C0123456789, from the channel's details, or a name such as #alerts")
    return value


def _token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", value.get_secret_value()):
        raise ValueError("a token is one word such as xoxb-…; is the variable empty, or does it hold a line break?")
    return value


class Slack(Options):
    """One Slack message an incident, edited in place, with its history and charts in the thread.

    An incoming webhook (``webhook_url``) can do less: every notice is a message of its own, without buttons and charts.
    """

    token: Annotated[SecretStr, AfterValidator(_token)] | None = None
    """The app's Bot User OAuth Token (xoxb-…), with chat:write, files:write and channels:history."""
    channel: Annotated[str, AfterValidator(_channel)] | None = None
    """Where a bot posts: the channel's id, such as C0123456789, or its name, such as #alerts."""
    webhook_url: SecretUrl | None = None
    """An incoming webhook's address, in place of token and channel."""
    mention: Annotated[str, AfterValidator(_mention)] | None = None
    """Who is pinged when a critical incident opens: the id of a user group or user, or here, channel, everyone."""
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
        return self

    def send(self, attempt: Attempt) -> Outcome:
        """Deliver one notice."""
        if self.webhook_url is not None:
            return self._hook(attempt.notice, self.webhook_url)
        return Bot(self._client(), str(self.channel), self.mention).deliver(attempt)

    def probe(self) -> str:
        """Ask Slack who we are and whether the channel is there, without posting."""
        try:
            return self._probe_hook(self.webhook_url) if self.webhook_url is not None else self._probe_bot()
        except RefusedError as refused:
            kind = UnavailableError if refused.kind is Kind.TRANSIENT else UserError
            raise kind(refused.reason) from refused
        except UnansweredError as unanswered:
            raise UnavailableError(f"Slack: {unanswered.reason}") from unanswered

    def _probe_bot(self) -> str:
        client = self._client()
        who = asked(client.auth_test)
        granted = {name.lower(): value for name, value in dict(who.headers).items()}.get("x-oauth-scopes")
        scopes = set(granted.replace(" ", "").split(",")) if granted else set(_WANTED_SCOPES)
        lacking = [f"{scope} ({why})" for scope, why in _WANTED_SCOPES.items() if scope not in scopes]
        if "chat:write" not in scopes:
            raise refusal("missing_scope")
        if not str(self.channel).startswith("#"):
            try:
                asked(client.conversations_info, channel=self.channel)
            except RefusedError as refused:
                if refused.code != "missing_scope":  # not being allowed to look says nothing about the channel
                    raise
        hint = f"; the app lacks {', '.join(lacking)}" if lacking else ""
        return f"Slack channel {self.channel} as {who.get('user')} of {who.get('team')}{hint}"

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
        from slack_sdk import WebClient

        # The default retry handler sends twice when a connection drops after Slack stored the message.
        return WebClient(
            token=reveal(self.token),
            base_url=self.base_url,
            timeout=max(1, round(self.timeout.total_seconds())),
            retry_handlers=[],
        )
