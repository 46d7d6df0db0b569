"""A proxy that cuts connections: the request has arrived, the answer never does."""

import selectors
import socket
import threading
from contextlib import suppress
from typing import Self


class Cutting:
    """A context manager that listens on ``port`` and passes everything on to ``upstream``.

    A request with ``cut`` in it is passed on too; once it has been answered, its connection is closed without a word.
    """

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.cut: bytes | None = None
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        asked = b""
        with (
            suppress(OSError),
            client,
            socket.create_connection(("127.0.0.1", self.upstream)) as server,
            selectors.DefaultSelector() as ready,
        ):
            ready.register(client, selectors.EVENT_READ, server)
            ready.register(server, selectors.EVENT_READ, client)
            while True:
                for key, _ in ready.select():
                    data = key.fileobj.recv(65_536)
                    if not data:
                        return
                    asked += data if key.fileobj is client else b""
                    if key.fileobj is server and self.cut is not None and self.cut in asked:
                        self.cuts += 1
                        return
                    key.data.sendall(data)
