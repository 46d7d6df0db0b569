"""Names of processes in the store, and whether the process behind a name is known to be gone."""

import os
import socket
from functools import cache
from pathlib import Path

_PROC = Path("/proc")
_STATE, _START = 0, 19  # fields of /proc/PID/stat after the program's name


def me() -> str:
    """Return this process's name: machine, boot and process namespace; number; start."""
    pid = os.getpid()
    return f"{_here() or socket.gethostname()}:{pid}:{(_stat(pid) or {}).get('start', '')}"


def gone(owner: str | None) -> bool:
    """Return whether the process is certainly no more; of another machine or an unknown name nothing is certain.

    A process that runs under the same number but began at another time is another process. Where the system does not
    tell (no ``/proc``), the lease must run out instead.
    """
    place, _, process = (owner or "").partition(":")
    number, _, start = process.partition(":")
    if place != _here() or not number.isdecimal() or not start:
        return False
    pid = int(number)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass  # somebody else's; whether it is the same one shows below
    found = _stat(pid)
    return found is not None and (found["start"] != start or found["state"] in "ZX")


@cache
def _here() -> str | None:
    """Name what process numbers belong to: containers on one machine, and machines with one name, count apart."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        namespace = (_PROC / "self/ns/pid").stat().st_ino
    except OSError:
        return None
    return f"{socket.gethostname()}/{boot[:8]}/{namespace}"


def _stat(pid: int) -> dict[str, str] | None:
    """Return a process's state and start in clock ticks since boot; None where that cannot be read.

    A zombie (Z) has ended, and only waits for its parent to notice.
    """
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return {"state": fields[_STATE], "start": fields[_START]}
