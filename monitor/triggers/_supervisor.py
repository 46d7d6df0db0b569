"""Runs one retraining command to its end, in a process of its own that outlives a restart of the monitor.

Started as a script: ``_supervisor.py FOLDER TIMEOUT PROGRAM ARGUMENT…``. Output goes to ``FOLDER/output.log``, the
outcome to ``FOLDER/result.json``. Uses the standard library only, so that it starts in no time.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

GRACE = 5.0  # seconds between asking a command to end and ending it


def run(folder: Path, timeout: float, argv: list[str]) -> dict[str, Any]:
    """Run a command; end its whole process group after ``timeout`` seconds. Returns what ``result.json`` holds."""
    with (folder / "output.log").open("wb") as output:
        try:
            process = subprocess.Popen(  # noqa: S603 - an argument list of the configuration, without a shell
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
            )
        except (OSError, ValueError) as error:
            return {"code": None, "why": f"could not be started: {error}"}
        try:
            return {"code": process.wait(timeout), "why": ""}
        except subprocess.TimeoutExpired:
            return {"code": None, "why": f"was ended after {timeout:g} s"}
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command that still runs, and what it started: asked first, then made to."""
    if process.poll() is not None:
        return
    for step in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, step)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)


def main(arguments: list[str]) -> None:
    """Run what the arguments say and write what became of it, at once or not at all."""
    folder = Path(arguments[0])
    result = run(folder, float(arguments[1]), arguments[2:])
    unfinished = folder / "result.part"
    unfinished.write_text(json.dumps(result))
    unfinished.replace(folder / "result.json")


if __name__ == "__main__":
    main(sys.argv[1:])
