"""What a stand-in for somebody's API lets go wrong, call by call."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from monitor.testing._server import drop

if TYPE_CHECKING:
    from aiohttp import web


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the next ``times`` calls of a kind; each stand-in says what kinds it has.

    ``drop_before`` and ``drop_after`` close the connection before or after the call has had its effect;
    ``error_before`` and ``error_after`` answer ``status`` with ``headers`` and ``body`` in its place.
    """

    call: str
    kind: Literal["drop_before", "drop_after", "error_before", "error_after"]
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = "<html>Server Error</html>"
    times: int = 1


class Faults:
    """Faults that wait for their calls; those of one kind happen in turn."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, *planned: Fault) -> None:
        """Let calls fail."""
        self._planned += [fault for fault in planned for _ in range(fault.times)]

    async def around(
        self, request: "web.Request", call: str, answer: "Callable[[], Awaitable[web.StreamResponse]]"
    ) -> "web.StreamResponse":
        """Answer a call, or let it fail as planned."""
        from aiohttp import web

        fault = next((planned for planned in self._planned if planned.call == call), None)
        if fault is None:
            return await answer()
        self._planned.remove(fault)
        if fault.kind.endswith("_after"):
            await answer()
        if fault.kind.startswith("drop"):
            await request.read()
            return drop(request)
        return web.Response(status=fault.status, headers=dict(fault.headers), text=fault.body)
