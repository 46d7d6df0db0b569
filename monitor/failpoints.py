"""Named places where a test may stop the world: at every arrow of the way of the data.

Outside of tests :func:`reach` costs one comparison. ``LEEWAY_FAILPOINT=name`` (of the environment, read once) makes a
process kill itself when it comes to that place, as if the power had failed there; ``name:3`` does so the third time,
``name:1:stop`` freezes it instead (SIGSTOP), ``name:1:raise`` raises :class:`OSError` (ENOSPC), as a full disk does.
"""

import errno
import os
import signal
import threading
from dataclasses import dataclass, field

# In the order of the way. What is not here is a mistake in the spelling, and refused.
PLACES = (
    "window.owed",  # it is known to be due, and nothing is claimed
    "window.claimed",  # the claim is committed
    "window.read",  # profile and sample are in memory
    "window.judged",  # findings and evidence are in memory
    "window.written",  # everything is in the transaction, which is not committed
    "window.committed",
    "letter.claimed",  # a notice or a retrain request is ours to deliver
    "letter.sent",  # the receiver has answered, and the store does not know
    "letter.settled",  # the outcome is in the transaction, which is not committed
    "letter.committed",
    "revision.claimed",  # late rows are known, and the window is ours to read anew
    "revision.written",  # everything is in the transaction, which is not committed
)


@dataclass
class _Armed:
    place: str
    number: int
    action: str
    seen: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


def _armed(text: str | None) -> _Armed | None:
    if not text:
        return None
    place, _, rest = text.partition(":")
    number, _, action = rest.partition(":")
    if place not in PLACES or action not in ("", "kill", "stop", "raise") or not (number or "1").isdecimal():
        raise ValueError(f"LEEWAY_FAILPOINT={text!r} is none; the places are {', '.join(PLACES)}")
    return _Armed(place, int(number or 1), action or "kill")


_ARMED = _armed(os.environ.get("LEEWAY_FAILPOINT"))


def reach(place: str) -> None:
    """Say that the work has come to a place."""
    if _ARMED is None or _ARMED.place != place:
        return
    with _ARMED.lock:
        _ARMED.seen += 1
        due = _ARMED.seen == _ARMED.number
    if due:
        _act(_ARMED.action, place)


def _act(action: str, place: str) -> None:
    if action == "raise":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place)
    # To this very thread: what is sent to the process may reach another one first, and this one would go on meanwhile.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP if action == "stop" else signal.SIGKILL)
