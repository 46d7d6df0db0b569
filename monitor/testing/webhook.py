"""A receiver of webhooks that verifies signatures, remembers ids, and fails as a test wants."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.testing._server import Server, drop

if TYPE_CHECKING:
    from aiohttp import web


@dataclass(frozen=True, slots=True)
class Received:
    """One request: method, path, headers by lower-case name, and body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    def signed_with(self, secret: str) -> bool:
        """Whether its Standard Webhooks signature is right, computed by hand from the specification."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        text = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        expected = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
        signatures = self.headers.get("webhook-signature", "").split()
        return any(hmac.compare_digest(f"v1,{expected}", signature) for signature in signatures)


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer: a status with headers and body, after ``delay`` seconds; or drop the connection."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    delay: float = 0.0
    dropped: bool = False


class FakeWebhook(Server):
    """A receiver on this machine, used as a context manager.

    ``requests`` holds all that arrived, ``accepted`` the first of every ``webhook-id`` that was not turned away.
    Planned answers are given in turn, then ``usual``.
    """

    def __init__(self, *planned: Answer, usual: Answer | None = None) -> None:
        super().__init__()
        self.planned = deque(planned)
        self.usual = usual or Answer()
        self.requests: list[Received] = []
        self.accepted: dict[str, Received] = {}

    def plan(self, answers: Iterable[Answer]) -> None:
        """Give these answers next."""
        self.planned.extend(answers)

    async def answer(self, request: "web.Request") -> "web.StreamResponse":
        """Take one request down and answer it."""
        from aiohttp import web

        headers = {name.lower(): value for name, value in request.headers.items()}
        received = Received(request.method, request.path_qs, headers, await request.read())
        self.requests.append(received)
        answer = self.planned.popleft() if self.planned else self.usual
        if answer.status < 300:
            self.accepted.setdefault(headers.get("webhook-id", ""), received)
        if answer.delay:
            await asyncio.sleep(answer.delay)
        if answer.dropped:
            return drop(request)
        return web.Response(status=answer.status, headers=dict(answer.headers), text=answer.body)
