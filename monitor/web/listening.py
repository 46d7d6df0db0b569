"""The web port: bound where a mistake can still be told, served by uvicorn in a thread of its own."""

import errno
import socket
import threading
import time
from typing import TYPE_CHECKING

import structlog
import uvicorn

from monitor.core.errors import UserError
from monitor.web.brief import Brief

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from monitor.config.operations import Web

log = structlog.get_logger("monitor.web")

_PATIENCE = 5.0  # seconds that starting and stopping may take
_ADVICE = {
    errno.EADDRINUSE: "another program listens there; set web.port to another port, or to 0 for a free one",
    errno.EACCES: "the system does not allow it; set web.port to one above 1023",
    errno.EADDRNOTAVAIL: "this machine does not have that address; set web.host to one that it has",
}


class Listening:
    """An open port that answers.

    Parameters
    ----------
    options : where to listen.
    application : what answers.

    Raises
    ------
    UserError
        When the port cannot be had.
    """

    def __init__(self, options: "Web", application: "ASGIApp") -> None:
        self.where = (options.host, options.port)
        self._socket = bound(options.host, options.port)
        host, port = self._socket.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"  # with the port really taken
        self._server = uvicorn.Server(
            uvicorn.Config(
                application,
                loop="asyncio", http=Brief, ws="none", lifespan="off", interface="asgi3",  # the least that will do
                log_config=None, access_log=False, server_header=False, proxy_headers=False,
                limit_concurrency=64, backlog=64, timeout_keep_alive=5, timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=16_384,
            )
        )  # fmt: skip
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="web", daemon=True
        )

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        log.info("web.listening", address=self.url)

    @property
    def alive(self) -> bool:
        """Whether the port is still served."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Answer no more."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)
        self._socket.close()


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises
    ------
    UserError
        When the address cannot be had, with what to do.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UserError(f"web: cannot listen on {host}: {error.strerror}; set web.host to an address") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(64)
    except OSError as error:
        listening.close()
        advice = _ADVICE.get(error.errno or 0, error.strerror or "the system refuses")
        raise UserError(f"web: cannot listen on {host}, port {port}: {advice}") from error
    return listening
