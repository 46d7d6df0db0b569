"""Slack's Socket Mode: one connection that hears which buttons are pressed, and comes back when it is lost."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from monitor.core.wording import printable, shorten
from monitor.notifiers._slack_bot import asked
from monitor.notifiers._slack_errors import Kind, RefusedError

log = structlog.get_logger("monitor.buttons")

PREFIX = "leeway_"  # of the action ids of our buttons
_AT_ONCE = 4  # presses that are taken at the same time
_PING_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_STOP_SECONDS = 8.0  # slack_sdk reads with a timeout of three
_AFTER_MISTAKE = 600.0  # seconds; a mistake in the app's settings is mended by people
_REMEDIES = {
    "not_allowed_token_type": "app_token is no app-level token (xapp-…); the app's Basic Information page makes one",
    "invalid_auth": "app_token is not valid; copy the app-level token (xapp-…) from the app's Basic Information again",
    "missing_scope": "app_token lacks connections:write; make an app-level token that has it",
    "forbidden_team": "the workspace does not allow Socket Mode to this app; ask an administrator",
}


@dataclass(frozen=True, slots=True)
class Press:
    """One press of one button. ``key`` is the same however often Slack sends it; ``who`` is for the record."""

    key: str
    action: str
    incident: str
    user: str
    who: str
    channel: str
    channel_name: str


def open_socket(client: Any, app_token: str) -> str:
    """Return the address of a new connection; it is valid for a short while and opens nothing by itself.

    Raises
    ------
    RefusedError
        With a remedy that speaks of the app-level token.
    """
    try:
        return str(asked(client.apps_connections_open, app_token=app_token)["url"])
    except RefusedError as refused:
        if refused.kind is Kind.CONFIGURATION:
            remedy = _REMEDIES.get(refused.code, "turn on Socket Mode for the app and make a new app_token")
            refused.reason = f"Slack: {shorten(printable(refused.code), 80)}: {remedy}"
        raise


def presses(payload: Mapping[str, Any]) -> list[Press]:
    """Return which of our buttons an interaction is about; buttons that only open a page are none."""
    user, channel = payload.get("user") or {}, payload.get("channel") or {}
    container = payload.get("container") or {}
    person = str(user.get("id", ""))
    name = shorten(printable(str(user.get("username") or user.get("name") or "")), 60)
    return [
        Press(
            key="|".join(str(part) for part in (container.get("message_ts"), person, action.get("action_id"),
                                                action.get("action_ts"))),
            action=str(action["action_id"]).removeprefix(PREFIX),
            incident=str(action["value"]),
            user=person,
            who=f"{name} ({person})" if name else person,
            channel=str(channel.get("id") or container.get("channel_id") or ""),
            channel_name=str(channel.get("name", "")),
        )
        for action in payload.get("actions") or ()
        if str(action.get("action_id", "")).startswith(PREFIX) and action.get("value")
    ]  # fmt: skip


class _Ending:
    """A socket that raises when the other side has gone: slack_sdk would read nothing from it, thousands of times."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock

    def recv(self, size: int) -> bytes:
        received: bytes = self._sock.recv(size)
        if not received:
            raise ConnectionResetError
        return received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def _notice_end(session: Any) -> None:
    """Let a session notice that its connection has ended; sessions change when Slack asks for it."""
    with session.sock_send_lock:  # under which the session closes its socket
        if session.sock is not None and not isinstance(session.sock, _Ending):
            session.sock = _Ending(session.sock)


@dataclass
class Socket:
    """A connection held by a thread of its own until it is stopped; ``pressed`` is called from other threads.

    Parameters
    ----------
    client : a WebClient of slack_sdk.
    first_wait, longest_wait : seconds between attempts to connect; the wait doubles while connections do not last.
    """

    client: Any
    app_token: str = field(repr=False)
    pressed: Callable[[Press], None]
    first_wait: float = 1.0
    longest_wait: float = 60.0
    _stopping: threading.Event = field(default_factory=threading.Event)
    _told: str = ""

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._keep, name="buttons", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Listen no longer; presses that have arrived are done first, unless they take very long."""
        self._stopping.set()
        self._thread.join(_STOP_SECONDS)

    def _keep(self) -> None:
        wait = self.first_wait
        while not self._stopping.is_set():
            began, pause = time.monotonic(), wait
            try:
                self._hold()
            except RefusedError as refused:
                self._complain(refused)
                pause = _AFTER_MISTAKE if refused.kind is not Kind.TRANSIENT else max(wait, refused.retry_after or 0.0)
            except Exception:
                log.exception("buttons.crashed")
                pause = self.longest_wait
            lasted = time.monotonic() - began > self.longest_wait
            self._stopping.wait(pause)
            wait = self.first_wait if lasted else min(2 * wait, self.longest_wait)

    def _hold(self) -> None:
        """Listen until the connection is lost or nobody wants it any more."""
        from slack_sdk.socket_mode import SocketModeClient

        # It has no say in reconnecting, since it would ask every few seconds, whatever Slack answers; it does follow
        # Slack's own request to move to another connection. Its messages hold the connection's ticket.
        quiet = logging.getLogger("monitor.buttons.slack_sdk")
        quiet.setLevel(logging.CRITICAL + 1)
        url = open_socket(self.client, self.app_token)
        socket = SocketModeClient(self.app_token, quiet, self.client, auto_reconnect_enabled=False,
                                  ping_interval=_PING_SECONDS, concurrency=_AT_ONCE)  # fmt: skip
        socket.wss_uri = url
        socket.socket_mode_request_listeners.append(self._take)
        try:
            socket.connect()
            if not socket.is_connected():
                raise RefusedError(Kind.TRANSIENT, "Slack: the WebSocket could not be opened")
            log.info("buttons.listening")
            self._told = ""
            while socket.is_connected() and not self._stopping.wait(_LOOK_SECONDS):
                _notice_end(socket.current_session)
        finally:
            socket.close()

    def _take(self, socket: Any, request: Any) -> None:
        """Acknowledge at once, as Slack wants it within three seconds; then let the work begin."""
        from slack_sdk.socket_mode.response import SocketModeResponse

        socket.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        if request.type == "interactive":
            for press in presses(request.payload or {}):
                self.pressed(press)

    def _complain(self, refused: RefusedError) -> None:
        """Log what is wrong, once until something else is."""
        if refused.reason != self._told:
            self._told = refused.reason
            log.error("buttons.unheard", reason=refused.reason)
