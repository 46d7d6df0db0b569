"""The endpoints: ``/healthz``, ``/readyz``, ``/metrics`` and what registries call, and who may read what."""

import hmac
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from monitor.health import red
from monitor.options import reveal

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from monitor.checkup import Checkup
    from monitor.config.operations import Web
    from monitor.web.exposition import Exposition
    from monitor.web.hooks import Hooks

_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]
_ELSEWHERE = "this port answers under an address or as localhost; set web.token to let it answer under other names\n"
_UNKNOWN = "not found; there is /healthz, /readyz and /metrics\n"


class Answers:
    """Answers requests.

    Parameters
    ----------
    options : returns the options in force: a token may change while the port stays.
    stopping : returns whether the daemon is about to end.
    hooks : takes what registries send.
    """

    def __init__(
        self,
        options: "Callable[[], Web]",
        checkup: "Checkup",
        exposition: "Exposition",
        stopping: Callable[[], bool],
        hooks: "Hooks",
    ) -> None:
        self.options, self.checkup, self.exposition, self.stopping = options, checkup, exposition, stopping
        self.hooks = hooks

    def application(self) -> "ASGIApp":
        """Return the ASGI application."""
        routes = [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.metrics),
            Route("/hooks/mlflow", self.hooks.mlflow, methods=["POST"]),
        ]
        unknown = {404: _not_found, 405: _not_allowed}
        application = Starlette(routes=routes, exception_handlers=unknown)
        application.router.redirect_slashes = False  # it would lead to whatever host the request has named
        return _Guard(application, self.options)

    async def healthz(self, request: "Request") -> Response:  # noqa: ARG002 - Starlette gives it
        """Say whether the process is alive: its rounds come and end. Asks the store nothing, for it may be away."""
        vitals = self.checkup.pulse.vitals()
        stuck = sorted({*vitals.late, *vitals.hanging})
        return JSONResponse({"status": "stuck" if stuck else "alive", "stuck": stuck}, 503 if stuck else 200)

    def readyz(self, request: "Request") -> Response:
        """Say whether alerts get through; what is wrong in words only to whom metrics are for."""
        if self.stopping():
            return JSONResponse({"status": "stopping", "problems": []}, 503)
        found = self.checkup.problems()
        ill = red(found)
        told = [problem.as_json() if self._allowed(request) else {"name": problem.name} for problem in found]
        return JSONResponse({"status": "red" if ill else "ready", "problems": told}, 503 if ill else 200)

    def metrics(self, request: "Request") -> Response:
        """Return the metrics."""
        if not self._allowed(request):
            return PlainTextResponse("a bearer token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        body, kind = self.exposition.text(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": kind})

    def _allowed(self, request: "Request") -> bool:
        token = reveal(self.options().token)
        if token is None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode("utf-8", "replace"))
        return same and scheme.lower() == "bearer"


async def _not_found(request: "Request", error: Exception) -> Response:  # noqa: ARG001 - Starlette gives them
    return PlainTextResponse(_UNKNOWN, 404)


async def _not_allowed(request: "Request", error: Exception) -> Response:  # noqa: ARG001 - Starlette gives it
    allowed = "POST" if request.url.path.startswith("/hooks/") else "GET, HEAD"
    return PlainTextResponse(f"only {allowed.replace(', ', ' and ')}\n", 405, {"Allow": allowed})


class _Guard:
    """Refuses requests under a foreign name, and puts headers on every answer.

    Without a token the port is for programs of this machine, a browser among them: a page from elsewhere whose name
    suddenly means 127.0.0.1 (DNS rebinding) still says its own name in ``Host``.
    """

    def __init__(self, application: "ASGIApp", options: "Callable[[], Web]") -> None:
        self.application, self.options = application, options

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def dressed(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *_HEADERS]
            await send(message)

        answer: ASGIApp = self.application
        if scope["type"] == "http" and self.options().token is None and not _own_name(scope, self.options().host):
            answer = PlainTextResponse(_ELSEWHERE, 421)
        await answer(scope, receive, dressed)


def _own_name(scope: "Scope", host: str) -> bool:
    """Return whether a request names an address, or this machine; an address cannot be made to mean another."""
    names = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(names) != 1:
        return False
    name = names[0].strip()
    bare = name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
    if bare.lower() in ("localhost", host.lower()):
        return True
    try:
        ip_address(bare)
    except ValueError:
        return False
    return True
