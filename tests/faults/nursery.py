"""Starts processes of `monitor run` by forking one that has imported everything, so that each is up in no time.

Run as a script it reads one JSON object a line, ``{"start": …}`` or ``{"poll": pid}``, and answers each with a number:
the process's id, or how it has ended (null while it lives).
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

TOP = Path(__file__).parents[2]


class Nursery:
    """A process that is ready to be forked; a context manager."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": str(TOP)}
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(self, config: Path, log: Path, failpoint: str, settings: dict[str, Any]) -> int:
        """Start a process; return its id."""
        asked = {"config": str(config), "log": str(log), "failpoint": failpoint, "settings": settings}
        return int(self._ask({"start": asked}))

    def poll(self, pid: int) -> int | None:
        """Return how a process has ended, as :class:`subprocess.Popen` says it; None while it lives."""
        found: int | None = self._ask({"poll": pid})
        return found

    def _ask(self, asked: dict[str, Any]) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


def serve() -> None:
    """Answer until the input ends."""
    from tests.faults import daemon_process

    daemon_process.load()
    ended: dict[int, int] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            answer: int | None = os.fork()
            if answer == 0:
                daemon_process.become(asked["start"])
        else:
            pid = asked["poll"]
            if pid not in ended:
                found, status = os.waitpid(pid, os.WNOHANG)
                ended |= {pid: os.waitstatus_to_exitcode(status)} if found else {}
            answer = ended.get(pid)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
