"""What systemd is told: that the daemon is ready, what it does, and that it makes progress (sd_notify's protocol)."""

import os
import socket
import time
from collections.abc import MutableMapping
from dataclasses import dataclass

_LONGEST_STATUS = 500  # characters


@dataclass
class Systemd:
    """One end of the socket that a service of ``Type=notify`` is given; without one nothing is said.

    Parameters
    ----------
    address : path of the socket; one that begins with @ is abstract.
    watchdog : seconds after which a service that says nothing is restarted; None where it is not watched.
    """

    address: str = ""
    watchdog: float | None = None
    _fed: float = float("-inf")
    _status: str = ""

    @classmethod
    def of(cls, environment: MutableMapping[str, str] | None = None) -> "Systemd":
        """Take what the environment says out of it: commands that are started from here are not the service."""
        environ = os.environ if environment is None else environment
        address = environ.pop("NOTIFY_SOCKET", "")
        microseconds, process = environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", "")
        ours = process in ("", str(os.getpid()))
        watchdog = int(microseconds) / 1e6 if ours and microseconds.isdecimal() and int(microseconds) else None
        return cls(address if address[:1] in ("/", "@") else "", watchdog)

    @property
    def interval(self) -> float:
        """Seconds between two signs of progress: half of what is allowed."""
        return self.watchdog / 2 if self.watchdog is not None else float("inf")

    def ready(self) -> None:
        """Say that the daemon works."""
        self._say("READY=1")

    def reloading(self) -> None:
        """Say that the configuration is read anew; :meth:`ready` ends that."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Say that the daemon ends of its own will."""
        self._say("STOPPING=1", "STATUS=finishing the step at hand")

    def status(self, words: str) -> None:
        """Say what the daemon does, where that is news."""
        line = " ".join(words.split())[:_LONGEST_STATUS]
        if line != self._status:
            self._status = line
            self._say(f"STATUS={line}")

    def feed(self, *, well: bool) -> None:
        """Say that there is progress, where there is some and it is time to say so."""
        now = time.monotonic()
        if well and self.watchdog is not None and now - self._fed >= self.interval:
            self._fed = now
            self._say("WATCHDOG=1")

    def _say(self, *lines: str) -> None:
        if not self.address:
            return
        where = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.sendto("\n".join(lines).encode(), where)
        except OSError:
            return  # who does not listen cannot be told, and nothing else depends on it
