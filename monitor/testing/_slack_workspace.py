"""What the fake Slack keeps: channels, messages, files, and the methods of the Web API that read and write them."""

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitor.testing._slack_blocks import MOST_CHARACTERS, characters, faults, links, mentions

CHANNEL = "C0FAKE00001"
SCOPES = "chat:write,files:write,channels:history,channels:read"
_LONGEST_TEXT = {"chat.postMessage": 40_000, "chat.postEphemeral": 40_000, "chat.update": 4_000, "hook": 40_000}
_FIRST = 1_700_000_000  # seconds since 1970 of the first message


@dataclass(eq=False)
class Workspace:
    """One workspace with its bot; see :class:`monitor.testing.FakeSlack` for the parameters."""

    channels: dict[str, str] = field(default_factory=lambda: {CHANNEL: "alerts"})
    joined: set[str] = field(default_factory=lambda: {CHANNEL})
    scopes: str = SCOPES
    a_second: float | None = None
    burst: int = 3
    file_ready_after: float = 0.0
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    mentions: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    whispers: list[tuple[str, str]] = field(default_factory=list)
    url: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self._numbers = itertools.count(1)
        self._allowance: dict[str, tuple[float, float]] = {}

    @property
    def posts(self) -> list[dict[str, Any]]:
        """Messages in the channels themselves, oldest first."""
        return [message for message in self.messages.values() if "thread_ts" not in message]

    def thread(self, ts: str) -> list[dict[str, Any]]:
        """Return the replies to a message, oldest first."""
        return [message for message in self.messages.values() if message.get("thread_ts") == ts]

    def delete(self, ts: str) -> None:
        """Delete a message, as a person may."""
        del self.messages[ts]

    def call(self, method: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Answer one call of the Web API."""
        known = {
            "auth.test": lambda _: {"ok": True, "team": "Fake Team", "user": "leeway"},
            "chat.postMessage": self._post,
            "chat.postEphemeral": self._whisper,
            "chat.update": self._update,
            "conversations.history": self._history,
            "conversations.replies": self._replies,
            "conversations.info": self._info,
            "conversations.list": self._list,
            "files.getUploadURLExternal": self._upload_url,
            "files.completeUploadExternal": self._complete,
        }
        return known[method](arguments) if method in known else no("unknown_method")

    def receive(self, name: str, content: bytes) -> bool:
        """Take the bytes of a file; False where they are not what was announced."""
        file = self.files.get(name)
        if file is None or len(content) != file["length"]:
            return False
        file["content"] = content
        return True

    def post_by_hook(self, content: Mapping[str, Any]) -> str:
        """Post what came by the incoming webhook; return what is wrong with it, or ``ok``."""
        wrong = self._unfit("hook", content)
        if not wrong:
            self._store(CHANNEL, content, {})
        return str(wrong.get("error", "ok"))

    def allows(self, channel: str) -> bool:
        """Whether the channel's limit lets one more message through: a bucket, filled by ``a_second``."""
        if self.a_second is None:
            return True
        now = time.monotonic()
        left, before = self._allowance.get(channel, (float(self.burst), now))
        left = min(self.burst, left + (now - before) * self.a_second)
        self._allowance[channel] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def _post(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = self._channel(str(arguments.get("channel", "")))
        wrong = self._barred(channel) or self._unfit("chat.postMessage", arguments)
        if wrong:
            return wrong
        thread = arguments.get("thread_ts")
        if thread is not None and thread not in self.messages:
            return no("thread_not_found")
        message = self._store(channel, arguments, {"thread_ts": thread} if thread else {})
        return {"ok": True, "channel": channel, "ts": message["ts"], "message": message}

    def _whisper(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel, user = str(arguments.get("channel", "")), arguments.get("user")
        wrong = self._barred(channel) or self._unfit("chat.postEphemeral", arguments)
        if wrong or not user:
            return wrong or no("user_not_in_channel")
        self.whispers.append((str(user), str(arguments.get("text", ""))))
        self._note(arguments)
        return {"ok": True, "message_ts": f"{_FIRST + next(self._numbers)}.000000"}

    def _update(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel, ts = str(arguments.get("channel", "")), arguments.get("ts")
        if channel not in self.channels:
            return no("channel_not_found")
        old = self.messages.get(str(ts))
        wrong = self._barred(channel) or self._unfit("chat.update", arguments)
        if wrong:
            return wrong
        if old is None or old["channel"] != channel:
            return no("message_not_found")
        used = {block.get("block_id") for block in old.get("blocks", ())} - {None}
        kept = {block.get("block_id") for block in arguments.get("blocks", ())} & used
        if kept and arguments["blocks"] != old["blocks"]:
            self.refused.append(f"block ids {sorted(kept)} are those of the earlier version")
        # Text without blocks removes the blocks; metadata that is not given stays.
        old.pop("blocks", None)
        old.update({key: arguments[key] for key in ("text", "blocks", "metadata") if key in arguments}, edited=True)
        self._note(arguments)
        return {"ok": True, "channel": channel, "ts": ts, "text": old["text"]}

    def _history(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = str(arguments.get("channel", ""))
        found = [m for m in self.messages.values() if m["channel"] == channel and _top(m)]
        return self._barred(channel) or self._page(found[::-1], arguments)

    def _replies(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel, ts = str(arguments.get("channel", "")), str(arguments.get("ts"))
        if ts not in self.messages:
            return self._barred(channel) or no("thread_not_found")
        return self._barred(channel) or self._page([self.messages[ts], *self.thread(ts)], arguments)

    def _page(self, found: list[dict[str, Any]], arguments: Mapping[str, Any]) -> dict[str, Any]:
        if "channels:history" not in self.scopes:
            return no("missing_scope")
        start, limit = int(arguments.get("cursor") or 0), min(int(arguments.get("limit", 100)), 999)
        hidden = set() if arguments.get("include_all_metadata") in ("1", "true", "True") else {"metadata"}
        page = [{key: value for key, value in m.items() if key not in hidden} for m in found[start : start + limit]]
        for message in page:
            replies = len(self.thread(message["ts"]))
            message.update({"reply_count": replies} if replies else {})
        more = str(start + limit) if start + limit < len(found) else ""
        return {"ok": True, "messages": page, "has_more": bool(more), "response_metadata": {"next_cursor": more}}

    def _info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = str(arguments.get("channel", ""))
        if channel not in self.channels:
            return no("channel_not_found")
        member = channel in self.joined
        return {"ok": True, "channel": {"id": channel, "name": self.channels[channel], "is_member": member}}

    def _list(self, _: dict[str, Any]) -> dict[str, Any]:
        if "channels:read" not in self.scopes:
            return no("missing_scope")
        return {"ok": True, "channels": [{"id": key, "name": name} for key, name in self.channels.items()]}

    def _upload_url(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if "files:write" not in self.scopes:
            return no("missing_scope")
        name = f"F{next(self._numbers):08d}"
        self.files[name] = {"id": name, "filename": arguments.get("filename"), "length": int(arguments["length"])}
        return {"ok": True, "file_id": name, "upload_url": f"{self.url}/upload/{name}"}

    def _complete(self, arguments: dict[str, Any]) -> dict[str, Any]:
        channel = str(arguments.get("channel_id", ""))
        for entry in arguments["files"]:
            if "content" not in self.files.get(entry["id"], {}):
                return no("file_not_found")
            ready = time.monotonic() + self.file_ready_after
            self.files[entry["id"]].update(title=entry.get("title"), channel=channel, ready=ready)
        if channel and (wrong := self._barred(channel)):
            return wrong
        thread = {"thread_ts": arguments["thread_ts"]} if "thread_ts" in arguments else {}
        shared = [entry["id"] for entry in arguments["files"]]
        self._store(channel, {"text": arguments.get("initial_comment", "")}, {**thread, "files": shared})
        return {"ok": True, "files": [{"id": name} for name in shared]}

    def _channel(self, name: str) -> str:
        """Return a channel's id; posting takes its name too."""
        return next((key for key, own in self.channels.items() if f"#{own}" == name), name)

    def _barred(self, channel: str) -> dict[str, Any]:
        if channel not in self.channels:
            return no("channel_not_found")
        return {} if channel in self.joined else no("not_in_channel")

    def _unfit(self, method: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the refusal of a message that is too large or wrongly built; empty for a good one."""
        blocks, text = arguments.get("blocks", []), str(arguments.get("text", ""))
        wrong = faults(blocks) + [f"file {name} is not ready" for name in _files(blocks) if not self._is_ready(name)]
        if wrong:
            self.refused += wrong
            return {**no("invalid_blocks"), "response_metadata": {"messages": [f"[ERROR] {line}" for line in wrong]}}
        if not text and not blocks:
            return no("no_text")
        if characters(blocks) > MOST_CHARACTERS:
            return no("msg_blocks_too_long")
        return no("msg_too_long") if len(text) > _LONGEST_TEXT[method] else {}

    def _is_ready(self, name: str) -> bool:
        ready = self.files.get(name, {}).get("ready")
        return ready is not None and time.monotonic() >= ready

    def _store(self, channel: str, arguments: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        number = next(self._numbers)
        kept = {key: arguments[key] for key in ("text", "blocks", "metadata", "reply_broadcast") if key in arguments}
        ts = f"{_FIRST + number}.{number:06d}"
        message: dict[str, Any] = {"type": "message", "channel": channel, "ts": ts, "text": "", **kept, **more}
        self.messages[ts] = message
        self._note(arguments)
        return message

    def _note(self, arguments: Mapping[str, Any]) -> None:
        text, blocks = str(arguments.get("text", "")), arguments.get("blocks", [])
        linked = arguments.get("parse") == "full" or arguments.get("link_names") in ("1", "true", True)
        self.mentions += mentions(text, blocks, linked=linked)
        self.links += links(text, blocks)


def no(error: str) -> dict[str, Any]:
    """Return a refusal."""
    return {"ok": False, "error": error}


def _top(message: Mapping[str, Any]) -> bool:
    return "thread_ts" not in message or bool(message.get("reply_broadcast"))


def _files(blocks: Any) -> list[str]:
    return [str(block["slack_file"].get("id")) for block in blocks if isinstance(block, dict) and "slack_file" in block]
