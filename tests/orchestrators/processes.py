"""Servers for one test module: started in process groups of their own, and ended with all that they started."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

_GRACE = 8.0  # seconds between asking processes to end and ending them


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask(url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
    """Return the JSON that an address answers a GET, or a POST of ``body``; any error is an OSError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise OSError(f"{url}: HTTP {error.code}: {error.read()[:1000]!r}") from None


def awaited(look: Callable[[], Any], seconds: float, what: str, pause: float = 0.5) -> Any:
    """Return the first answer that is not None or False; an OSError counts as not yet."""
    deadline = time.monotonic() + seconds
    seen: object = None
    while time.monotonic() < deadline:
        try:
            if (found := look()) not in (None, False):
                return found
        except (OSError, AssertionError) as error:
            seen = error
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {seconds:.0f} s" + (f", last {seen}" if seen else ""))


class Processes:
    """A context manager; what was started in it is gone when it ends."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8", **environ}
        self.started: list[subprocess.Popen[bytes]] = []
        self.began = time.monotonic()
        self.up_after = 0.0
        self.most_memory = 0

    def __enter__(self) -> Self:
        return self

    def start(self, name: str, *argv: str | Path, cwd: Path | None = None) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                argv,
                cwd=cwd or self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def run(self, *argv: str | Path, cwd: Path | None = None) -> str:
        """Run a command to its end; return what it printed."""
        done = subprocess.run(
            argv, cwd=cwd or self.folder, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{argv}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def up(self, look: Callable[[], Any], seconds: float, what: str) -> None:
        """Wait until something answers; the end of the logs is in the error where it does not, or has ended."""

        def alive() -> Any:
            ended = [process.args for process in self.started if process.poll() is not None]
            if ended:
                raise RuntimeError(f"{ended} ended\n{self.logs()}")
            return look()

        try:
            awaited(alive, seconds, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.logs()}") from error
        self.up_after = time.monotonic() - self.began

    def logs(self) -> str:
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self.folder.glob("*.log")
        )

    def __exit__(self, *_: object) -> None:
        family = [pid for process in self.started for pid in _family(process.pid)]
        self.most_memory = sum(_memory(pid) for pid in family)
        _signal(family, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while time.monotonic() < deadline and any(_alive(pid) for pid in family):
            for process in self.started:
                process.poll()
            time.sleep(0.1)
        _signal(family, signal.SIGKILL)
        for process in self.started:
            _signal_group(process.pid)
            process.wait(_GRACE)


def _family(pid: int) -> Iterator[int]:
    """Yield a process and all that come from it, whatever group they have joined."""
    yield pid
    try:
        children = [
            child
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return
    for child in children:
        yield from _family(int(child))


def _memory(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        if _alive(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _signal_group(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
