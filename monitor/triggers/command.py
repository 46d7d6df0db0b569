"""A command on this machine: the simplest way to retrain."""

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from monitor.core.errors import UserError
from monitor.core.retrain import Fired, RetrainRequest, RetrainState
from monitor.core.wording import printable
from monitor.options import Duration, FilePath, Options, format_duration
from monitor.triggers._attempts import Attempt

_LOOK_AGAIN = 60.0  # seconds until a command that still runs is looked at again
_LONGEST_VARIABLE = 100_000  # bytes; Linux refuses 131,072
_SHORTEST_SECRET = 4  # characters from which a value is taken out of shown output


class Command(Options):
    """A command on this machine, run without a shell.

    It finds the request as JSON in the file that ``LEEWAY_REQUEST_FILE`` names, and its parts in ``LEEWAY_KEY``,
    ``LEEWAY_MODEL``, ``LEEWAY_VERSION``, ``LEEWAY_INCIDENT``, ``LEEWAY_REASON``, ``LEEWAY_COLUMNS`` (a JSON list),
    ``LEEWAY_REFERENCE``, ``LEEWAY_WINDOW_START`` and ``LEEWAY_WINDOW_END``; ``LEEWAY_ACTION`` is ``retrain`` or
    ``rollback``, then to ``LEEWAY_TARGET``. Exit code 0 is success. The same key never runs twice.
    """

    argv: Annotated[tuple[str, ...], Field(min_length=1)]
    """The program and its arguments."""
    cwd: FilePath | None = None
    """Folder to run it in; by default the monitor's own."""
    env: dict[str, SecretStr] = Field(default_factory=dict)
    """Environment variables besides the monitor's own."""
    timeout: Duration = timedelta(hours=1)
    """After this long the command and what it started are ended."""
    wait: Duration = timedelta(seconds=20)
    """How long to wait for its end before other work goes on; it is looked at again every minute."""
    state: Annotated[FilePath, Field(validate_default=True)] = ".leeway-retrains"
    """Folder with a record of every key: request, output and outcome."""

    def fire(self, request: RetrainRequest, *, dry_run: bool = False) -> Fired:
        """Run the command, unless its key has been used; with ``dry_run`` only say what would run."""
        if dry_run:
            return Fired(RetrainState.PROPOSED, note=f"would run {self._shown} with {json.dumps(request.as_json())}")
        attempt = Attempt.of(self.state, request.key)
        try:
            self._check()
            if not attempt.begin(request.as_json()):
                return self._outcome(attempt)
            attempt.start(
                self.argv,
                cwd=self.cwd,
                env=self._environment(request, attempt),
                timeout=self.timeout.total_seconds(),
                wait=self.wait.total_seconds(),
            )
        except UserError as error:
            return Fired(RetrainState.REFUSED, note=str(error))
        except (OSError, ValueError) as error:
            state = RetrainState.FAILED if attempt.begun else RetrainState.REFUSED
            return Fired(state, note=f"{self._shown} could not be started: {printable(str(error))}")
        return self._outcome(attempt)

    def find(self, request: RetrainRequest) -> Fired | None:
        """Say what became of a key; None where it has not been used."""
        attempt = Attempt.of(self.state, request.key)
        return self._outcome(attempt) if attempt.begun else None

    def probe(self) -> str:
        """Say what would run."""
        self._check()
        return f"{self._shown}, for {format_duration(self.timeout)} at most"

    def _outcome(self, attempt: Attempt) -> Fired:
        run = attempt.folder.name
        alive = attempt.alive  # asked first: a result that is written meanwhile is then seen
        result = attempt.result
        if result is not None:
            code = result.get("code")
            ending = result.get("why") or f"exit code {code}"
            state = RetrainState.SUCCEEDED if code == 0 else RetrainState.FAILED
            return Fired(state, run=run, note=self._note(ending, attempt))
        if alive:
            return Fired(RetrainState.RUNNING, run=run, note=f"{self._shown} runs", retry_after=_LOOK_AGAIN)
        if not attempt.started:
            return Fired(
                RetrainState.UNKNOWN, run=run, note=f"{self._shown} is about to start", retry_after=_LOOK_AGAIN
            )
        # Nothing will write a result any more, and asking again would be running it twice.
        return Fired(RetrainState.FAILED, run=run, note=self._note("ended without telling how", attempt))

    def _note(self, ending: str, attempt: Attempt) -> str:
        tail = attempt.tail
        for value in (secret.get_secret_value() for secret in self.env.values()):
            if len(value) >= _SHORTEST_SECRET:
                tail = tail.replace(value, "***")
        lines = "\n".join(printable(line) for line in tail.splitlines())
        return f"{self._shown}: {printable(ending)}" + (f"\n{lines}" if lines else "")

    def _check(self) -> None:
        """Raise UserError where the command cannot be run."""
        if self.cwd is not None and not Path(self.cwd).is_dir():
            raise UserError(f"command: there is no folder {self.cwd!r}; set cwd to one, or leave it out")
        path = self.env["PATH"].get_secret_value() if "PATH" in self.env else None
        program = self.argv[0]
        place = Path(self.cwd or ".") / program if os.sep in program else program
        if shutil.which(place, path=path) is None:
            raise UserError(f"command: there is no program {program!r} to run; set argv to one that is installed")

    def _environment(self, request: RetrainRequest, attempt: Attempt) -> dict[str, str]:
        window = request.as_json()["window"] or {"start": "", "end": ""}
        facts = {
            "REQUEST_FILE": str((attempt.folder / "request.json").absolute()),
            "KEY": request.key,
            "MODEL": request.model,
            "VERSION": request.version or "",
            "INCIDENT": request.incident or "",
            "REASON": request.reason,
            "COLUMNS": _listed(request.columns),
            "REFERENCE": request.reference or "",
            "ACTION": str(request.action),
            "TARGET": request.target or "",
            "WINDOW_START": window["start"],
            "WINDOW_END": window["end"],
        }
        own = {name: secret.get_secret_value() for name, secret in self.env.items()}
        told = {f"LEEWAY_{name}": value if name == "COLUMNS" else printable(value) for name, value in facts.items()}
        return {**os.environ, **own, **told}

    @property
    def _shown(self) -> str:
        return " ".join(printable(word) for word in self.argv)


def _listed(columns: tuple[str, ...]) -> str:
    """Return the columns as a JSON list that the environment can hold; the request's file has them all."""
    text = json.dumps(columns)
    while len(text) > _LONGEST_VARIABLE:
        columns = columns[: len(columns) // 2]
        text = json.dumps(columns)
    return text
