"""The fake Slack's Socket Mode: connections, the envelopes that go to one of them, and who acknowledged in time."""

import asyncio
import itertools
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from monitor.testing._server import drop

if TYPE_CHECKING:
    from aiohttp import web

PATIENCE = 3.0  # seconds in which Slack wants an envelope acknowledged
Way = Literal["closed", "warned", "dropped"]
_HEARTBEAT = 0.2  # seconds between pings


class Sockets:
    """The open connections of one app; every envelope goes to the one that was opened last."""

    def __init__(self) -> None:
        self.opened = 0
        self.acknowledged: list[str] = []
        self._numbers = itertools.count(1)
        self._tickets: set[str] = set()
        self._open: dict[web.WebSocketResponse, web.Request] = {}
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None

    def ticket(self) -> str:
        """Return a ticket for one connection."""
        ticket = f"ticket-{next(self._numbers)}"
        self._tickets.add(ticket)
        return ticket

    async def serve(self, request: "web.Request") -> "web.StreamResponse":
        """Say hello and note acknowledgements until either side closes the connection."""
        from aiohttp import WSMsgType, web

        if request.query.get("ticket") not in self._tickets:
            return web.Response(status=408, text="no such ticket")
        self._tickets.remove(request.query["ticket"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._loop = asyncio.get_running_loop()
        await socket.send_json({"type": "hello", "num_connections": len(self._open) + 1})
        with self._changed:
            self._open[socket] = request
            self.opened += 1
            self._changed.notify_all()
        beating = asyncio.create_task(_beat(socket))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break  # the other side went away without a word
                with self._changed:
                    self.acknowledged.append(str(message.json().get("envelope_id")))
                    self._changed.notify_all()
        finally:
            beating.cancel()
            with self._changed:
                del self._open[socket]
        return socket

    def wait(self, fulfilled: Callable[[], bool], seconds: float) -> bool:
        """Wait until something is so; return whether it is."""
        with self._changed:
            return self._changed.wait_for(fulfilled, seconds)

    def tell(self, payload: dict[str, Any], seconds: float) -> bool:
        """Send an interaction in an envelope of its own; return whether it was acknowledged within Slack's limit.

        ``seconds`` is how long to wait for a connection.
        """
        if not self.wait(lambda: bool(self._open), seconds):
            raise TimeoutError("nobody has opened a connection by Socket Mode")
        envelope = f"envelope-{next(self._numbers)}"
        message = {"type": "interactive", "envelope_id": envelope, "accepts_response_payload": True, "payload": payload}
        self._send(list(self._open)[-1], message)
        return self.wait(lambda: envelope in self.acknowledged, PATIENCE)

    def disconnect(self, way: Way) -> None:
        """End every connection."""
        with self._changed:
            opened = dict(self._open)
        for socket, request in opened.items():
            if way == "warned":
                self._send(socket, {"type": "disconnect", "reason": "warning", "debug_info": {}})
            elif way == "closed":
                self._run(socket.close())
            elif self._loop is not None:
                self._loop.call_soon_threadsafe(drop, request)

    def _send(self, socket: "web.WebSocketResponse", message: dict[str, Any]) -> None:
        self._run(socket.send_json(message))

    def _run(self, work: Any) -> None:
        assert self._loop is not None
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)

    async def close(self) -> None:
        """Close what is open, so that the server can end."""
        for socket in list(self._open):
            await socket.close()


async def _beat(socket: "web.WebSocketResponse") -> None:
    while not socket.closed:
        await socket.ping(b"Ping from the fake")
        await asyncio.sleep(_HEARTBEAT)


def interaction(number: int, action_id: str, value: str, user: str, message: dict[str, Any]) -> dict[str, Any]:
    """Return what Slack tells of a pressed button."""
    channel = {"id": message["channel"], "name": message["channel_name"]}
    return {
        "type": "block_actions",
        "user": {"id": user, "username": user[1:].lower(), "name": user[1:].lower(), "team_id": "T0FAKE"},
        "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel["id"]},
        "channel": channel,
        "actions": [
            {
                "type": "button",
                "action_id": action_id,
                "block_id": "block",
                "value": value,
                "action_ts": f"{int(time.time())}.{number:06d}",
            }
        ],
    }
