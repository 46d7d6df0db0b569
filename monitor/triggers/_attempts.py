"""What is on record of commands that were run: one folder a key. Making the folder is what makes a key run once."""

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

_SUPERVISOR = Path(__file__).with_name("_supervisor.py")
_TAIL = 4096  # bytes of output that are shown
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Attempt:
    """The record of one key."""

    folder: Path

    @classmethod
    def of(cls, state: str, key: str) -> "Attempt":
        """Return the record of a key below the folder ``state``; it need not exist."""
        name = quote(key, safe="-_", errors="backslashreplace")
        return cls(Path(state) / (name if len(name) <= _LONGEST_NAME else sha256(name.encode()).hexdigest()))

    @property
    def begun(self) -> bool:
        """Whether the key has been used."""
        return self.folder.is_dir()

    def begin(self, request: Mapping[str, Any]) -> bool:
        """Use the key; False where that has been done before, by whomever."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.folder.mkdir(mode=0o700)  # the request and the output are nobody else's business
        except FileExistsError:
            return False
        (self.folder / "request.json").write_text(json.dumps(request, indent=2))
        return True

    def start(
        self, argv: Sequence[str], *, cwd: str | None, env: Mapping[str, str], timeout: float, wait: float
    ) -> None:
        """Run a command under a supervisor, and wait for its end at most ``wait`` seconds."""
        lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            process = subprocess.Popen(  # noqa: S603 - an argument list of the configuration, without a shell
                # -P: the script's own folder must not shadow modules
                [sys.executable, "-P", str(_SUPERVISOR), str(self.folder.absolute()), str(timeout), *argv],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[lock],  # the lock lasts as long as the supervisor, however that ends
            )
        finally:
            os.close(lock)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            threading.Thread(target=process.wait, daemon=True, name="leeway-retraining").start()

    @property
    def started(self) -> bool:
        """Whether it came as far as a supervisor."""
        return (self.folder / "lock").exists()

    @property
    def result(self) -> Mapping[str, Any] | None:
        """How the command ended; None where it has not."""
        try:
            found: Mapping[str, Any] = json.loads((self.folder / "result.json").read_text())
        except FileNotFoundError:
            return None
        return found

    @property
    def alive(self) -> bool:
        """Whether the supervisor still runs."""
        if not self.started:
            return False
        lock = os.open(self.folder / "lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    @property
    def tail(self) -> str:
        """The end of the command's output, line by line."""
        try:
            with (self.folder / "output.log").open("rb") as output:
                output.seek(max(0, output.seek(0, os.SEEK_END) - _TAIL))
                return output.read().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
