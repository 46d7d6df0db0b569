"""What registries call when a version changes: signed, and no more than a hint to look there at once."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import structlog
from starlette.responses import PlainTextResponse, Response

from monitor.registries import SignatureError

if TYPE_CHECKING:
    from starlette.requests import Request

    from monitor.core.ports import Clock
    from monitor.watch import Watch

log = structlog.get_logger("monitor.web")

_LARGEST = 64 * 1024  # bytes of a body; MLflow's events have some hundred


class Hooks:
    """Takes what is sent.

    Parameters
    ----------
    watches : returns the models as they are now.
    moved : is told the model whose alias has moved.
    """

    def __init__(
        self, clock: "Clock", watches: "Callable[[], Mapping[str, Watch]]", moved: Callable[[str], None]
    ) -> None:
        self.clock, self.watches, self.moved = clock, watches, moved

    async def mlflow(self, request: "Request") -> Response:
        """Take an event of MLflow's that one of the configured secrets has signed."""
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > _LARGEST:
                return PlainTextResponse("too large\n", 413)
        signed = False
        for name, watch in self.watches().items():
            registry = watch.model.versions.mlflow
            if registry is None or registry.webhook_secret is None:
                continue
            try:
                version = registry.moved(request.headers, bytes(body), self.clock.now())
            except SignatureError:
                continue
            signed = True
            if version is not None:
                log.info("alias.moved", model=name, version=version)
                self.moved(name)
        return Response(status_code=204) if signed else PlainTextResponse("not signed by a known secret\n", 401)
