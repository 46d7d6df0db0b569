"""Connections that end by themselves: who opens many, or says little and slowly, holds none of them for long."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 128  # connections at a time; each takes a file handle, of which the store needs some
LONGEST = 30.0  # seconds; an answer takes a few, a program that goes on asking connects anew
_MORE = 5.0  # seconds that an answer which is under way is given


class Brief(H11Protocol):
    """HTTP/1.1 on a connection of bounded length; uvicorn waits for a request for ever."""

    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST:
            transport.abort()
        else:
            self._end = self.loop.call_later(LONGEST, self._end_it)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)

    def _end_it(self) -> None:
        cycle: Any = self.cycle  # None before the first request
        if cycle is not None and not cycle.response_complete:
            self._end = self.loop.call_later(_MORE, self.transport.abort)
        else:
            self.transport.abort()
