"""What the stand-in for GitHub keeps: a repository's workflows and their runs, which a test moves on."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Literal

from monitor.testing._github_dispatch import filled, given, parsed, refusal

FOLDER = ".github/workflows/"
_MOST_LISTED = 1000
_LARGEST_PAGE = 100


@dataclass
class Run:
    """A run: its number, inputs and name, and how far it is."""

    id: int
    file: str
    ref: str
    inputs: dict[str, str]
    title: str
    group: str | None
    created_at: datetime
    listed_at: float
    status: str = "queued"
    conclusion: str | None = None


@dataclass
class File:
    texts: dict[str, str] = field(default_factory=dict)  # by ref
    state: str = "active"


@dataclass
class Repository:
    """One repository; see :class:`monitor.testing.github.FakeGithub` for its parameters."""

    repository: str = "acme/models"
    details: Literal["given", "ignored", "refused"] = "given"
    lag: float = 0.0
    may_dispatch: bool = True
    may_read: bool = True
    archived: bool = False
    runs: list[Run] = field(default_factory=list)
    files: dict[str, File] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._numbers = itertools.count(30_433_642)

    def add(self, file: str, text: str, *, ref: str = "main", state: str = "active") -> None:
        """Commit a workflow's file to a branch."""
        known = self.files.setdefault(file, File())
        known.texts[ref], known.state = text, state

    def start(self, number: int) -> None:
        """Let a runner take a run."""
        self._numbered(number).status = "in_progress"

    def finish(self, number: int, conclusion: str = "success") -> None:
        """End a run."""
        run = self._numbered(number)
        run.status, run.conclusion = "completed", conclusion

    def delete(self, number: int) -> None:
        """Delete a run."""
        self.runs.remove(self._numbered(number))

    def catch_up(self) -> None:
        """Let the list show every run."""
        for run in self.runs:
            run.listed_at = -math.inf

    def _numbered(self, number: int) -> Run:
        return next(run for run in self.runs if run.id == number)

    def refusal(self, file: File, sent: Any) -> str | None:
        """Return why a call of workflow_dispatch is refused; None where it is taken."""
        known = {"ref", "inputs", *(["return_run_details"] if self.details != "refused" else [])}
        if stray := set(sent) - known:
            return f'Invalid request.\n\n"{min(stray)}" is not a permitted key.'
        if "ref" not in sent:
            return 'Invalid request.\n\n"ref" wasn\'t supplied.'
        if sent["ref"] not in file.texts:
            return f"No ref found for: {sent['ref']}"
        if file.state != "active":
            return "Cannot trigger a 'workflow_dispatch' on a disabled workflow"
        return refusal(parsed(file.texts[sent["ref"]]), sent)

    def begin(self, name: str, said: dict[str, Any], sent: dict[str, Any]) -> Run:
        """Begin a run of what a workflow's file says with what was sent."""
        inputs = given(said, sent.get("inputs", {}))
        title = filled(str(said.get("run-name") or said.get("name") or f"{FOLDER}{name}"), inputs)
        limit = said.get("concurrency")
        group = limit.get("group") if isinstance(limit, dict) else limit
        run = Run(
            id=next(self._numbers),
            file=name,
            ref=sent["ref"],
            inputs=inputs,
            title=" ".join(title.split()),
            group=filled(group, inputs) if group else None,
            created_at=datetime.now(UTC),
            listed_at=monotonic() + self.lag,
        )
        self.runs.append(run)
        return run

    def page(self, name: str, query: Mapping[str, str], url: str) -> dict[str, Any]:
        """Return a page of a workflow's runs, the latest first, as far as they are listed yet."""
        since = datetime.fromisoformat(query.get("created", ">=1970-01-01T00:00:00Z").removeprefix(">="))
        size = min(int(query.get("per_page", "30")), _LARGEST_PAGE)
        first = (int(query.get("page", "1")) - 1) * size
        found = [
            run
            for run in reversed(self.runs)
            if run.file == name and run.listed_at <= monotonic() and run.created_at >= since
        ]
        if query.get("event", "workflow_dispatch") != "workflow_dispatch":
            found = []
        shown = [self.shown(url, run) for run in found[:_MOST_LISTED][first : first + size]]
        return {"total_count": len(found), "workflow_runs": shown}

    def shown(self, url: str, run: Run) -> dict[str, Any]:
        """Return a run as the API describes it; ``url`` is the server's."""
        path = f"{self.repository}/actions/runs/{run.id}"
        return {
            "id": run.id,
            "name": parsed(self.files[run.file].texts[run.ref]).get("name", run.file),
            "display_title": run.title,
            "event": "workflow_dispatch",
            "status": run.status,
            "conclusion": run.conclusion,
            "created_at": f"{run.created_at:%Y-%m-%dT%H:%M:%SZ}",
            "url": f"{url}/repos/{path}",
            "html_url": f"{url}/{path}",
        }
