"""Receivers in memory: Slack behind the real bot, a webhook that cannot be asked, and a trigger that keeps a ledger."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from monitor.core.notice import Attempt, Deferred, Delivered, Outcome
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.notifiers._slack_bot import EVENT, Bot
from monitor.testing._slack_workspace import CHANNEL, Workspace
from monitor.testing.slack import FakeSlack
from tests.faults.history import Fault, Receipt

Way = str  # limited | before | after | html


class _Telling:
    """Keeps, in order, under which key what was written; an edit overwrites a message's own key."""

    def __post_init__(self: Any) -> None:
        super().__post_init__()  # type: ignore[misc]
        self.receipts = []

    def _store(self: Any, channel: str, arguments: Any, more: Any) -> Any:
        self._told(arguments, "reply" if "thread_ts" in more else "post")
        return super()._store(channel, arguments, more)  # type: ignore[misc]

    def _update(self: Any, arguments: dict[str, Any]) -> Any:
        answer = super()._update(arguments)  # type: ignore[misc]
        if answer["ok"]:
            self._told(arguments, "edit")
        return answer

    def _told(self: Any, arguments: Any, how: Any) -> None:
        payload = (arguments.get("metadata") or {}).get("event_payload") or {}
        if (arguments.get("metadata") or {}).get("event_type") == EVENT:
            self.receipts.append(Receipt("slack", payload["key"], how))


class ToldWorkspace(_Telling, Workspace):
    """A workspace in memory that keeps receipts."""


class ToldSlack(_Telling, FakeSlack):
    """The fake Slack on this machine, which keeps receipts."""


class _Answer(dict):  # type: ignore[type-arg]
    """What slack_sdk makes of an answer, as far as the bot looks at it."""

    def __init__(self, data: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(data)
        self.data, self.status_code, self.headers = data, status, headers or {}


@dataclass
class Client:
    """slack_sdk's client over a workspace in memory, without HTTP; ``faults`` happen to the next calls that post."""

    workspace: ToldWorkspace
    faults: deque[Way] = field(default_factory=deque)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        method = name.replace("_", ".", 1)
        return lambda **arguments: self._call(method, arguments)

    def files_upload_v2(self, **_: Any) -> dict[str, Any]:
        """Take charts, which are another matter."""
        return {"ok": True}

    def _call(self, method: str, arguments: dict[str, Any]) -> _Answer:
        from slack_sdk.errors import SlackApiError

        given = {key: "true" if value is True else value for key, value in arguments.items() if value is not None}
        way = self.faults.popleft() if self.faults and method.startswith("chat.") else ""
        if way == "before":
            from urllib.error import URLError

            raise URLError(ConnectionRefusedError(111, "Connection refused"))
        if way in ("limited", "html"):
            status, headers = (429, {"Retry-After": "2"}) if way == "limited" else (500, {})
            answer = _Answer({"ok": False, "error": "ratelimited" if way == "limited" else ""}, status, headers)
            raise SlackApiError("refused", answer)
        data = self.workspace.call(method, given)
        if way == "after":
            raise ConnectionResetError(104, "Connection reset by peer")
        answer = _Answer(data)
        if not data["ok"]:
            raise SlackApiError("refused", answer)
        return answer


@dataclass
class MemorySlack:
    """The notifier ``slack`` as a bot, over a workspace in memory."""

    workspace: ToldWorkspace = field(default_factory=ToldWorkspace)

    def __post_init__(self) -> None:
        self.client = Client(self.workspace)

    def send(self, attempt: Attempt) -> Outcome:
        """Deliver one notice as :class:`monitor.notifiers.slack.Slack` does."""
        return Bot(self.client, CHANNEL, None, buttons=False).deliver(attempt)

    def probe(self) -> str:
        """Say where notices go."""
        return "a workspace in memory"


@dataclass
class MemoryHook:
    """A receiver that takes every request anew, since it does not look at keys; and cannot be asked."""

    name: str = "hook"
    doubts: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    def send(self, attempt: Attempt) -> Outcome:
        """Take a notice; where a doubt is planned, say nothing of it."""
        self.receipts.append(Receipt(self.name, attempt.notice.key, "call"))
        if self.doubts:
            self.doubts -= 1
            self.faults.append(Fault("ambiguous", self.name))
            return Deferred("no answer in time", uncertain=True)
        return Delivered()

    def probe(self) -> str:
        """Say where notices go."""
        return "a list in memory"


@dataclass
class Ledger:
    """A trigger that starts a run at every request, whatever its key: only asking first keeps it from running twice.

    ``doubts`` is how many of the next requests start a run and leave the asker without an answer.
    """

    runs: list[str] = field(default_factory=list)
    doubts: int = 0

    def fire(self, request: RetrainRequest, *, dry_run: bool = False) -> Fired:
        """Start a run."""
        if dry_run:
            return Fired(RetrainState.PROPOSED)
        self.runs.append(request.key)
        if self.doubts:
            self.doubts -= 1
            raise TimeoutError
        return Fired(RetrainState.SUCCEEDED, run=f"run-{len(self.runs)}")

    def find(self, request: RetrainRequest) -> Fired | None:
        """Look a key up."""
        return Fired(RetrainState.SUCCEEDED, run="found") if request.key in self.runs else None

    def probe(self) -> str:
        """Say what would run."""
        return "nothing but a list in memory"
