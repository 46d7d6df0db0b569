"""Waiting for what other threads, processes and servers do, on a machine that may have other things to do."""

import time
from collections.abc import Callable
from typing import Any

from monitor.testing.webhook import Answer

PATIENCE = 120.0  # seconds


def until(reached: Callable[[], Any], seconds: float = PATIENCE, what: str = "it") -> Any:
    """Wait until something is true and return that; say so when it does not come."""
    deadline = time.monotonic() + seconds
    while not (found := reached()):
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds:g} s"
        time.sleep(0.05)
    return found


def patience(answer: Answer) -> dict[str, str]:
    """How long to wait for an answer: for one that is late, not; for any other, as long as a busy machine may take."""
    return {"timeout": "2s" if answer.delay else "20s"}
