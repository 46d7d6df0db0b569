"""A stand-in for Slack's Web API, on this machine: as strict about messages, and as unreliable as a test wants."""

import asyncio
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from monitor.testing._server import Server, drop
from monitor.testing._slack_sockets import Sockets, Way, interaction
from monitor.testing._slack_workspace import CHANNEL, Workspace, no

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["ANNA", "APP_TOKEN", "CHANNEL", "HOOK", "TOKEN", "FakeSlack", "Fault"]

TOKEN = "xoxb-fake-token"  # noqa: S105 - opens nothing but this fake
APP_TOKEN = "xapp-fake-token"  # noqa: S105 - as above
ANNA = "U0ANNA"
HOOK = "/services/T0FAKE/B0FAKE/secret-of-the-hook"


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the next ``times`` calls of a method; ``hook`` is the incoming webhook, ``upload`` a file.

    ``limited`` answers 429 with ``seconds`` as Retry-After; ``drop_before`` and ``drop_after`` close the connection
    before or after the message is stored; ``html`` answers 500 with a page; ``slow`` holds the answer back for
    ``seconds``; ``error`` answers 200 with ``ok: false`` and ``code``.
    """

    method: str
    kind: Literal["limited", "drop_before", "drop_after", "html", "slow", "error"]
    seconds: float = 1.0
    code: str = ""
    times: int = 1


class FakeSlack(Workspace, Server):
    """Slack on this machine, used as a context manager.

    It knows one token of each kind, enforces limits, and keeps what a test asks for: ``messages`` by ts, ``files``,
    ``calls``, whom they pinged (``mentions``), what they linked to (``links``), why it refused blocks (``refused``),
    what one person alone was told (``whispers``), and the connections by Socket Mode (``sockets``).

    Parameters
    ----------
    channels : id to name of the channels; the bot is a member of ``joined``.
    scopes : what the token may do.
    a_second : messages a second and channel beyond ``burst`` at once; None does not limit.
    file_ready_after : seconds until an uploaded file can be used in a block.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        Server.__init__(self)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._faults: list[Fault] = []
        self.sockets = Sockets()
        self._presses = itertools.count(1)
        self._last_press: dict[str, Any] = {}

    @property
    def api(self) -> str:
        """What a client takes as its base URL."""
        return f"{self.url}/api/"

    @property
    def hook(self) -> str:
        """The address of the incoming webhook; its last part is a secret."""
        return f"{self.url}{HOOK}"

    def plan(self, *planned: Fault) -> None:
        """Let calls fail; plans for one method happen in turn."""
        self._faults += [fault for fault in planned for _ in range(fault.times)]

    def press(self, action_id: str, value: str, user: str = ANNA, *, seconds: float = 5.0) -> bool:
        """Press the latest button with this id and value, or one of no message; return whether it was acknowledged.

        ``seconds`` is how long to wait for somebody to listen.
        """
        shown = [m for m in self.messages.values() if _shows(m, action_id, value)]
        message = shown[-1] if shown else {"channel": CHANNEL, "ts": "1.000000"}
        named = {**message, "channel_name": self.channels.get(message["channel"], "")}
        self._last_press = interaction(next(self._presses), action_id, value, user, named)
        return self.sockets.tell(self._last_press, seconds)

    def press_again(self, *, seconds: float = 5.0) -> bool:
        """Deliver the last press a second time, as Slack does when it is in doubt."""
        return self.sockets.tell(self._last_press, seconds)

    def disconnect(self, way: Way = "closed") -> None:
        """End the connections by Socket Mode: closed in good order, ``dropped`` without a word, or ``warned``.

        A warning asks for another connection first, as Slack does now and then.
        """
        self.sockets.disconnect(way)

    async def closing(self) -> None:
        """Close the connections by Socket Mode."""
        await self.sockets.close()

    async def answer(self, request: "web.Request") -> "web.StreamResponse":
        """Answer one call, or fail as planned."""
        from aiohttp import web

        path = request.path
        if path == "/link":
            return await self.sockets.serve(request)
        method = path.removeprefix("/api/") if path.startswith("/api/") else "hook" if path == HOOK else "upload"
        fault = next((planned for planned in self._faults if planned.method == method), None)
        if fault is None:
            return await self._reply(request, method)
        self._faults.remove(fault)
        if fault.kind == "drop_before":
            await request.read()
            return drop(request)
        if fault.kind == "limited":
            return _limited(fault.seconds)
        if fault.kind == "html":
            return web.Response(status=500, content_type="text/html", text="<html>Server Error</html>")
        if fault.kind == "error":
            return web.json_response(no(fault.code))
        reply = await self._reply(request, method)
        if fault.kind == "drop_after":
            return drop(request)
        await asyncio.sleep(fault.seconds)
        return reply

    async def _reply(self, request: "web.Request", method: str) -> "web.StreamResponse":
        from aiohttp import web

        if method == "upload":
            taken = self.receive(request.path.rpartition("/")[2], await request.read())
            return web.Response(text="OK") if taken else web.Response(status=400, text="no such upload")
        if method == "hook":
            return self._hook(await request.read())
        arguments = await _arguments(request)
        self.calls.append((method, arguments))
        bearer = request.headers.get("Authorization")
        if method == "apps.connections.open":
            return web.json_response(self._connection(bearer))
        if bearer != f"Bearer {TOKEN}":
            return web.json_response(no("invalid_auth" if bearer else "not_authed"))
        if method == "chat.postMessage" and not self.allows(str(arguments.get("channel"))):
            return _limited(1)
        return web.json_response(self.call(method, arguments), headers={"x-oauth-scopes": self.scopes})

    def _connection(self, bearer: str | None) -> dict[str, Any]:
        if bearer != f"Bearer {APP_TOKEN}":
            return no("not_allowed_token_type" if bearer == f"Bearer {TOKEN}" else "invalid_auth")
        address = self.url.replace("http://", "ws://")
        return {"ok": True, "url": f"{address}/link?ticket={self.sockets.ticket()}"}

    def _hook(self, body: bytes) -> "web.StreamResponse":
        from aiohttp import web

        try:
            content = json.loads(body)
        except ValueError:
            return web.Response(status=400, text="invalid_payload")
        self.calls.append(("hook", content))
        said = self.post_by_hook(content)
        return web.Response(status=200 if said == "ok" else 400, text=said)


def _shows(message: dict[str, Any], action_id: str, value: str) -> bool:
    elements = [part for block in message.get("blocks", ()) for part in block.get("elements", ())]
    return any(part.get("action_id") == action_id and part.get("value") == value for part in elements)


def _limited(seconds: float) -> "web.StreamResponse":
    from aiohttp import web

    headers = {"Retry-After": f"{seconds:g}"}
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)


async def _arguments(request: "web.Request") -> dict[str, Any]:
    """Read a call's arguments: JSON, or a form in which blocks, metadata and files are JSON again."""
    if request.content_type == "application/json" and request.can_read_body:
        sent: dict[str, Any] = await request.json()
        return sent
    form = {key: str(value) for key, value in (await request.post()).items()}
    arguments: dict[str, Any] = {**dict(request.query), **form}
    for key in ("blocks", "metadata", "files"):
        if key in arguments:
            arguments[key] = json.loads(arguments[key])
    return arguments
