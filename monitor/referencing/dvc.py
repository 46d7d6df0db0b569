"""A file at a revision of a repository that DVC versions, brought by its own command."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path, PurePosixPath

from monitor.core.errors import LeewayError, UnavailableError, UserError
from monitor.core.wording import printable, shorten
from monitor.options import hide_passwords

_TAIL = 300  # characters of the command's output that are shown
_PASSING = ("timed out", "connection", "resolve host", "temporar", "unreachable", "max retries", "unable to connect")


def fetch_dvc(repo: str, path: str, rev: str | None, folder: Path, timeout: float) -> Path:
    """Bring what a repository holds at a path into a folder; return where it is.

    Parameters
    ----------
    repo : a folder or the URL of a Git repository.
    path : in the repository, of a file or a folder that DVC or Git tracks.
    rev : a commit, tag or branch; None for what the repository is at.
    folder : made where it is missing.
    timeout : seconds until the command is ended.

    Raises
    ------
    UserError
        When DVC is not installed, or there is no such repository, revision or path.
    UnavailableError
        When it takes too long, or what it needs cannot be reached for now.
    """
    for name, given in (("repo", repo), ("path", path), ("rev", rev)):
        if given is not None and (given.startswith("-") or not given.strip() or "\0" in given):
            raise UserError(f"dvc.{name} {_shown(given)} is none: it is empty or begins with a dash, as an option does")
    inside = PurePosixPath(path)
    if inside.is_absolute() or ".." in inside.parts or not inside.name:
        raise UserError(f"dvc.path {_shown(path)} must be a path in the repository, such as data/reference.parquet")
    folder.mkdir(parents=True, exist_ok=True)
    to = (folder / inside.name).absolute()
    revision = [] if rev is None else [f"--rev={rev}"]
    code, said = _run([_program(), "get", "--force", *revision, "--out", str(to), "--", repo, path], folder, timeout)
    if code != 0:
        raise _refusal(said, repo, path, rev)
    if not to.exists():
        raise UserError(f"dvc get has brought nothing for {_shown(path)}{_of(repo, rev)}; is it an empty folder?")
    return to


def _program() -> str:
    beside = Path(sys.executable).with_name("dvc")
    found = shutil.which("dvc") or (str(beside) if os.access(beside, os.X_OK) else None)
    if found is None:
        raise UserError(
            "the command dvc is not installed here; pip install dvc (with what the remote needs, such as dvc[s3])"
        )
    return found


def _run(argv: list[str], folder: Path, timeout: float) -> tuple[int, str]:
    """Return the exit code and the end of what the command said."""
    asks_nobody = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    environ = {**asks_nobody, **os.environ, "DVC_NO_ANALYTICS": "true", "NO_COLOR": "1"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - an argument list, without a shell; nothing in it is an option
            argv,
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(
                f"dvc get took more than {timeout:g} s and was ended; is its remote reached?"
            ) from error
        finally:
            with suppress(ProcessLookupError, PermissionError):  # what it has started goes with it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(max(0, output.seek(0, os.SEEK_END) - 8192))
        return code, output.read().decode("utf-8", "replace")


def _refusal(said: str, repo: str, path: str, rev: str | None) -> LeewayError:
    where, lower = _of(repo, rev), said.lower()
    if rev is not None and "unknown git revision" in lower:
        return UserError(
            f"there is no revision {_shown(rev)} in {_shown(repo)}; name a commit, a tag or a branch of it"
        )
    if f"['{path}']" in said or "does not exist" in lower or "unable to find dvc file" in lower:
        return UserError(f"there is no {_shown(path)}{where}; name a file that DVC or Git tracks at that revision")
    words = f"dvc get of {_shown(path)}{where} failed: {_tail(said)}"
    if any(sign in lower for sign in _PASSING):
        return UnavailableError(words)
    if "no git repository was found" in lower or "failed to clone" in lower:
        return UserError(f"{words}; name a folder or a URL that git clone takes as repo")
    return UserError(f"{words}; try the same dvc get where Leeway runs")


def _tail(said: str) -> str:
    """Return the last words of the command that say something, on one line and without passwords."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and "dvc.org/support" not in line]
    text = printable(hide_passwords(" ".join(lines)))
    return text if len(text) <= _TAIL else f"…{text[1 - _TAIL :]}"


def _shown(given: str) -> str:
    return repr(shorten(printable(hide_passwords(given)), 120))


def _of(repo: str, rev: str | None) -> str:
    return f" in {_shown(repo)}" + (f" at {_shown(rev)}" if rev is not None else "")
