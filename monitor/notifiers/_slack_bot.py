"""A bot's way to tell an incident: one message, edited in place, with its history and charts in the thread."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.core.chart import describe, series_svg
from monitor.core.incident import Reason
from monitor.core.notice import Attempt, Delivered, Notice, Outcome
from monitor.notifiers._blocks import minimal, pinged, render_reply, render_slack
from monitor.notifiers._png import PictureError, png
from monitor.notifiers._slack_errors import Kind, RefusedError, refuse

EVENT = "leeway_notice"
_PAGES = 5  # pages of 200 messages that are searched for a key
_CHARTS = 3
_NOT_THERE = frozenset({"channel_not_found", "is_archived", "not_in_channel"})
# Shown in the channel too, since an edit notifies nobody.
_BROADCAST = frozenset({Reason.SEVERITY, Reason.WORSE, Reason.REPEAT})


def asked(call: Callable[..., Any], **arguments: Any) -> Any:
    """Call a method of Slack's Web API.

    Raises
    ------
    RefusedError
        For whatever went wrong, classified.
    """
    from http.client import HTTPException

    from slack_sdk.errors import SlackClientError

    try:
        return call(**arguments)
    except (SlackClientError, HTTPException, OSError, ValueError, AttributeError, LookupError) as error:
        refuse(error)


@dataclass(frozen=True, slots=True)
class Bot:
    """One channel of one workspace; ``buttons`` says that somebody listens to them."""

    client: Any
    channel: str
    mention: str | None = None
    buttons: bool = True

    def deliver(self, attempt: Attempt) -> Outcome:
        """Deliver one attempt; see :class:`monitor.core.ports.Notifier`."""
        try:
            return self._follow(attempt) if attempt.earlier.get("ts") else self._begin(attempt)
        except RefusedError as refused:
            return refused.outcome()

    def _begin(self, attempt: Attempt) -> Delivered:
        """Post the incident's message, unless an earlier attempt did; then fill its thread."""
        notice, notes = attempt.notice, []
        found: Mapping[str, Any] | None = None
        if attempt.uncertain:
            found, doubt = self._lookup(notice.key)
            notes.append(doubt)
        if found is not None:
            place = {"channel": str(found["channel"]), "ts": str(found["ts"])}
            if found.get("reply_count"):
                return Delivered(place, "an earlier attempt had arrived")
        else:
            content = render_slack(notice, buttons=self.buttons, mention=pinged(notice, self.mention))
            posted, note = self._write(notice, content, channel=self.channel)
            place = {"channel": str(posted["channel"]), "ts": str(posted["ts"])}
            notes.append(note)
        # The message is there; a thread that fails must not make it appear again.
        try:
            reply = render_reply(notice)
            self._write(notice, reply, channel=place["channel"], thread_ts=place["ts"])
            notes.append(self._charts(notice, place))
        except RefusedError as refused:
            notes.append(f"without its thread: {refused.reason}")
        return Delivered(place, "; ".join(note for note in notes if note))

    def _follow(self, attempt: Attempt) -> Delivered:
        """Bring the incident's message up to date, and say in its thread what has changed."""
        notice = attempt.notice
        place = {"channel": attempt.earlier.get("channel", self.channel), "ts": attempt.earlier["ts"]}
        try:
            _, note = self._write(notice, render_slack(notice, buttons=self.buttons), method="chat_update", **place)
        except RefusedError as refused:
            if refused.kind is Kind.GONE or refused.code in _NOT_THERE:
                return self._begin(attempt)
            # Editing twice does no harm, but an earlier doubt about the reply stays.
            refused.uncertain = attempt.uncertain
            raise
        if attempt.uncertain and self._replied(place, notice.key):
            return Delivered(place, "an earlier attempt had arrived")
        ping = pinged(notice, self.mention)
        thread: dict[str, Any] = {"channel": place["channel"], "thread_ts": place["ts"]}
        if notice.reason in _BROADCAST or notice.note:
            thread["reply_broadcast"] = True
        _, reply_note = self._write(notice, render_reply(notice, mention=ping), **thread)
        notes = (note, reply_note, self._charts(notice, place))
        return Delivered(place, "; ".join(note for note in notes if note))

    def _write(
        self, notice: Notice, content: dict[str, Any], *, method: str = "chat_postMessage", **where: Any
    ) -> tuple[Any, str]:
        """Post or update; where Slack refuses the blocks, once more as text alone."""
        call = getattr(self.client, method)
        quiet = {"unfurl_links": False, "unfurl_media": False} if method == "chat_postMessage" else {}
        metadata = {"event_type": EVENT, "event_payload": {"key": notice.key, "incident": notice.incident.id}}
        common = {"parse": "none", "metadata": metadata, **quiet, **where}
        try:
            return asked(call, **content, **common), ""
        except RefusedError as refused:
            if refused.kind is not Kind.PAYLOAD:
                raise
            plain = minimal(notice, mention=pinged(notice, self.mention) if "ts" not in where else None)
            try:
                return asked(call, **plain, **common), f"as text alone, since {refused.reason}"
            except RefusedError as again:
                if again.kind is Kind.PAYLOAD:
                    again.kind = Kind.CONFIGURATION  # nothing plainer is left
                raise

    def _lookup(self, key: str) -> tuple[Mapping[str, Any] | None, str]:
        """Find the channel's message with a key; where Slack forbids to look, a repeat is better than silence."""
        try:
            channel = self._channel_id()
            return next(
                ({**found, "channel": channel}
                 for found in self._messages(self.client.conversations_history, channel=channel)
                 if _key_of(found) == key and found.get("thread_ts", found["ts"]) == found["ts"]),
                None,
            ), ""  # fmt: skip
        except RefusedError as refused:
            if refused.kind is Kind.TRANSIENT:
                refused.uncertain = True
                raise
            return None, f"perhaps a repeat, for an earlier attempt could not be looked up ({refused.code})"

    def _replied(self, place: Mapping[str, str], key: str) -> bool:
        try:
            replies = self._messages(self.client.conversations_replies, channel=place["channel"], ts=place["ts"])
            return any(_key_of(reply) == key for reply in replies if reply.get("ts") != place["ts"])
        except RefusedError as refused:
            refused.uncertain = True
            if refused.kind is Kind.TRANSIENT:
                raise
            return False

    def _messages(self, call: Callable[..., Any], **where: Any) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        for _ in range(_PAGES):
            page = asked(call, include_all_metadata=True, limit=200, cursor=cursor, **where)
            yield from page.get("messages") or ()
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    def _channel_id(self) -> str:
        """Return the channel's id, which reading needs; posting takes a name too."""
        if not self.channel.startswith("#"):
            return self.channel
        cursor: str | None = None
        for _ in range(_PAGES):
            page = asked(self.client.conversations_list, exclude_archived=True, limit=1000, cursor=cursor,
                         types="public_channel,private_channel")  # fmt: skip
            for channel in page.get("channels") or ():
                if channel.get("name") == self.channel[1:]:
                    return str(channel["id"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        raise RefusedError(Kind.CONFIGURATION, "Slack: no such channel", code="channel_not_found")

    def _charts(self, notice: Notice, place: Mapping[str, str]) -> str:
        """Upload the charts into the thread; return what went wrong, for a message without them is still a message."""
        if not notice.series:
            return ""
        try:
            files = [
                {
                    "content": png(series_svg(series)),
                    "filename": f"effect-{number}.png",
                    "title": describe(series)[:200],
                    "alt_txt": describe(series)[:1000],
                }
                for number, series in enumerate(notice.series[:_CHARTS], 1)
            ]
            asked(self.client.files_upload_v2, file_uploads=files, channel=place["channel"], thread_ts=place["ts"])
        except (PictureError, RefusedError) as error:
            return f"without its chart: {error}"
        return ""


def _key_of(message: Mapping[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    payload = metadata.get("event_payload") or {}
    return payload.get("key") if metadata.get("event_type") == EVENT else None
