"""Receivers that only write down what they were told, and answer as a test wants."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from monitor.core.notice import Attempt, Delivered, Notice, Outcome
from monitor.core.retrain import Fired, RetrainRequest, RetrainState


@dataclass
class RecordingNotifier:
    """A notifier that keeps every attempt. ``outcomes`` are given in turn, then everything is delivered.

    Like a real channel it keeps one message a key: ``messages`` holds what people would see.
    """

    outcomes: Iterable[Outcome] = ()
    attempts: list[Attempt] = field(default_factory=list)
    messages: dict[str, Notice] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._outcomes = iter(self.outcomes)

    def send(self, attempt: Attempt) -> Outcome:
        """Write an attempt down."""
        self.attempts.append(attempt)
        outcome = next(self._outcomes, Delivered({"message": attempt.notice.incident.id}))
        if isinstance(outcome, Delivered):
            self.messages[attempt.notice.key] = attempt.notice
        return outcome

    def probe(self) -> str:
        """Say where notices go."""
        return "a list in memory"


@dataclass
class RecordingTrigger:
    """A trigger that keeps every request and runs each key once. ``answers`` are given in turn, then all succeed."""

    answers: Iterable[Fired] = ()
    requests: list[RetrainRequest] = field(default_factory=list)
    runs: dict[str, Fired] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._answers = iter(self.answers)

    def fire(self, request: RetrainRequest, *, dry_run: bool = False) -> Fired:
        """Write a request down and start its run, unless its key has one."""
        if dry_run:
            return Fired(RetrainState.PROPOSED, note=f"would retrain {request.model}")
        self.requests.append(request)
        if request.key not in self.runs:
            self.runs[request.key] = next(self._answers, Fired(RetrainState.SUCCEEDED, run=f"run-{len(self.runs) + 1}"))
        return self.runs[request.key]

    def find(self, request: RetrainRequest) -> Fired | None:
        """Return the run of a key."""
        return self.runs.get(request.key)

    def probe(self) -> str:
        """Say what would run."""
        return "nothing but a list in memory"
