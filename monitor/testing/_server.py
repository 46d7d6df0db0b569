"""Runs a small web application in a thread of its own, on a free port of this machine."""

import asyncio
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

_PATIENCE = 10.0  # seconds that starting and stopping may take


class Server:
    """A context manager: listens inside the ``with`` block. ``answer`` gets every request."""

    def __init__(self) -> None:
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._done = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=type(self).__name__)

    async def answer(self, request: "web.Request") -> "web.StreamResponse":
        """Answer one request; every server has its own way."""
        raise NotImplementedError

    async def closing(self) -> None:
        """End what would keep the server from stopping; most servers have nothing of the kind."""

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_PATIENCE) or not self.url:
            raise RuntimeError("the server did not start; is aiohttp installed (leeway-monitor[testing])?")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve(self.answer))
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self, answer: "Callable[[web.Request], Awaitable[web.StreamResponse]]") -> None:
        from aiohttp import web

        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        self._ready.set()
        await self._done.wait()
        await self.closing()
        await runner.cleanup()


def drop(request: "web.Request") -> "web.StreamResponse":
    """Close the connection without a word."""
    from aiohttp import web

    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # goes nowhere
