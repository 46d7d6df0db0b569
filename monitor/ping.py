"""The dead man's switch: somebody else's service is called while all is well, and complains when no call comes."""

import threading
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit
from uuid import uuid4

import structlog
from pydantic import SecretStr

from monitor.outbound import UnansweredError, exchange, host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from monitor.config.operations import Ping
    from monitor.health import Problem

log = structlog.get_logger("monitor.ping")

TIMEOUT = 10.0  # seconds
LARGEST_BODY = 10_000  # characters; Healthchecks keeps as much


class Switch:
    """Calls the address in a thread of its own, in the manner of Healthchecks.

    ``/start`` when the daemon begins, the address itself while it is well, ``/fail`` with the problems while it is not.
    All carry the process's own ``rid``.

    Parameters
    ----------
    options : what the configuration says.
    problems : returns what is wrong, in a bounded time.
    """

    def __init__(self, options: "Ping", problems: "Callable[[], Sequence[Problem]]") -> None:
        self.options, self.problems = options, problems
        self.rid = str(uuid4())
        self._end = threading.Event()
        self._unheard = ""
        self._thread = threading.Thread(target=self._run, name="ping", daemon=True)

    def start(self) -> None:
        """Begin to call; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Call no more; whoever does not come back is to be missed, so that nothing is said of it."""
        self._end.set()

    def _run(self) -> None:
        self._call("/start")
        while not self._end.wait(min(self.options.every.total_seconds(), threading.TIMEOUT_MAX)):
            self.once()

    def once(self) -> None:
        """Call once."""
        try:
            bad = [problem for problem in self.problems() if problem.red]
        except Exception as error:
            log.exception("ping.crashed")
            self._call("/fail", f"the check-up itself failed: {type(error).__name__}")
            return
        if bad:
            self._call("/fail", "\n".join(f"{problem.name}: {problem}" for problem in bad))
        else:
            self._call("")

    def _call(self, ending: str, body: str = "") -> None:
        """Make one call; failures are told once, until one gets through again."""
        url = address(self.options.url, ending, self.rid)
        method = "POST" if body else "GET"
        sent = body[:LARGEST_BODY].encode("utf-8", "replace") or None
        try:
            reply = exchange(url, sent, {"Content-Type": "text/plain; charset=utf-8"}, timeout=TIMEOUT, method=method)
            unheard = "" if reply.ok else f"HTTP {reply.status}"
        except UnansweredError as error:
            unheard = error.reason
        if unheard and unheard != self._unheard:
            log.warning("ping.unheard", receiver=host_of(self.options.url), reason=unheard)
        elif self._unheard and not unheard:
            log.info("ping.heard", receiver=host_of(self.options.url))
        self._unheard = unheard


def address(url: SecretStr, ending: str, rid: str) -> SecretStr:
    """Return the address of one call: the check's own with an ending of its path and the process's ``rid``."""
    parts = urlsplit(url.get_secret_value())
    query = "&".join(filter(None, (parts.query, urlencode({"rid": rid}))))
    return SecretStr(urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + ending, query, "")))
