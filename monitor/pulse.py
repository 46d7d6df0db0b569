"""The pulse of a process: what it did last, by a clock that nobody can set, and how often it did what."""

import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

TICK, RENEWAL = "tick", "renewal"  # rounds: looking for owed work; renewing leases and writing the heartbeat
LOOKED, WRITTEN, FLUSHED = "models looked at", "store written", "outbox flushed"  # marks of real progress
FOLLOWING = "registries"  # work that needs others, and without which alerts get through all the same
FORGOTTEN = 120.0  # seconds
BOUNDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)  # seconds that a window takes


def patience(every: float) -> float:
    """Return after how many seconds a round that comes every so many is missed: three, or a few seconds more."""
    return max(3 * every, every + 5.0)


@dataclass(slots=True)
class Round:
    """Something that is begun every so many seconds; the times are monotonic, and ``ended`` is None while it lasts."""

    every: float
    begun: float
    ended: float | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Work that failed the last time it was tried.

    Parameters
    ----------
    reason : in words without secrets.
    store : whether it was of the store's making.
    at : when, monotonic.
    known : what tells it from another.
    told : whether it was news.
    """

    reason: str
    store: bool
    at: float
    known: str
    told: bool


@dataclass(frozen=True, slots=True)
class Vitals:
    """A pulse as it was felt at one moment; every figure is a number of seconds.

    Parameters
    ----------
    late : rounds that did not begin for longer than their patience, and for how long.
    hanging : rounds that began, and have not ended for longer than their patience.
    since : how long ago each mark of progress was made; of one that never was, how old the process is.
    windows : how long the windows at hand have been worked on, by model.
    troubles : work that failed the last time it was tried, with the reason in words; ``store`` names those of the
        store's making.
    """

    late: Mapping[str, float]
    hanging: Mapping[str, float]
    since: Mapping[str, float]
    windows: Mapping[str, float]
    troubles: Mapping[str, str] = field(default_factory=dict)
    store: frozenset[str] = frozenset()
    age: float = 0.0


class Pulse:
    """What a process did last. Safe to share between threads.

    Parameters
    ----------
    clock : seconds from any moment on, never set back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.born = clock()
        self.runs: Counter[tuple[str, str]] = Counter()  # by model and outcome
        self.notices: Counter[tuple[str, str]] = Counter()  # by receiver and outcome
        self.retrains: Counter[tuple[str, str]] = Counter()  # by trigger and outcome
        self.durations: Counter[float] = Counter()  # windows by the first of BOUNDS that they do not pass
        self.ticked = False  # whether a tick has ended
        self.seconds = 0.0  # that windows took, all together
        self._rounds: dict[str, Round] = {}
        self._marks: dict[str, float] = {}
        self._windows: dict[str, float] = {}
        self._troubles: dict[str, Trouble] = {}
        self._lock = threading.Lock()

    def expect(self, name: str, every: float) -> None:
        """Say that a round is to come every so many seconds; one that is known keeps its past."""
        with self._lock:
            known = self._rounds.get(name)
            now = self.clock()
            self._rounds[name] = Round(every, now, now) if known is None else Round(every, known.begun, known.ended)

    def begin(self, name: str) -> bool:
        """Begin a round; False where the last one has not ended, which must not be joined by another."""
        with self._lock:
            known = self._rounds[name]
            if known.ended is None:
                return False
            known.begun, known.ended = self.clock(), None
            return True

    def end(self, name: str) -> None:
        """End a round, whatever came of it."""
        with self._lock:
            self._rounds[name].ended = self.clock()
            self.ticked = self.ticked or name == TICK

    def begun(self, name: str) -> float | None:
        """Return when a round began last, monotonic; None while it lasts, or where it is not known."""
        with self._lock:
            known = self._rounds.get(name)
            return known.begun if known is not None and known.ended is not None else None

    def mark(self, name: str) -> None:
        """Note that something was achieved."""
        with self._lock:
            self._marks[name] = self.clock()

    def since(self, name: str) -> float | None:
        """Return how many seconds ago a mark was made or a round began; None where that never was."""
        with self._lock:
            known = self._rounds.get(name)
            moment = known.begun if known is not None else self._marks.get(name)
            return self.clock() - moment if moment is not None else None

    @contextmanager
    def working(self, model: str) -> Iterator[list[str]]:
        """Time the work on a window; its outcome is put into the list that is given."""
        began, outcome = self.clock(), list[str]()
        with self._lock:
            self._windows[model] = began
        try:
            yield outcome
        finally:
            taken = self.clock() - began
            with self._lock:
                self._windows.pop(model, None)
                self.runs[model, outcome[0] if outcome else "crashed"] += 1
                if outcome != ["taken"]:  # which says how long it took to see that another has it
                    self.seconds += taken
                    self.durations[(*BOUNDS, float("inf"))[bisect_left(BOUNDS, taken)]] += 1

    def failed(self, work: str, reason: str, *, store: bool = False, known: str = "") -> bool:
        """Note that some work could not be done, in words without secrets; return whether that is news.

        A store that is away is news once, whatever work it stops.

        Parameters
        ----------
        store : whether it is of the store's making.
        known : what tells one trouble from another; by default the reason.
        """
        with self._lock:
            before = self._troubles.pop(work, None)
            known = known or reason
            same = before is not None and before.known == known and before.told
            heard = store and any(other.store and other.told for other in self._troubles.values())
            self._troubles[work] = Trouble(reason, store, self.clock(), known, same or not heard)
            return not same and not heard

    def well(self, work: str, *, wrote: bool = True) -> bool:
        """Note that some work was done; return whether that is news, as it is once of a store that is back.

        Parameters
        ----------
        wrote : whether it wrote to the store, which may be read while it cannot be written.
        """
        with self._lock:
            before = self._troubles.pop(work, None)
            if before is None or not before.store:
                return before is not None
            others = {name: other for name, other in self._troubles.items() if other.store}
            heard = before.told or any(other.told for other in others.values())
            over = wrote or not others
            self._troubles.update({name: replace(other, told=heard and not over) for name, other in others.items()})
            return heard and over

    def well_but(self, prefix: str, works: Collection[str]) -> None:
        """Note that of all works whose names begin alike only some are still to be done."""
        with self._lock:
            for work in [work for work in self._troubles if work.startswith(prefix) and work not in works]:
                del self._troubles[work]

    def vitals(self) -> Vitals:
        """Feel the pulse."""
        with self._lock:
            now = self.clock()
            late, hanging = dict[str, float](), dict[str, float]()
            for name, known in self._rounds.items():
                if now - known.begun > patience(known.every):
                    (late if known.ended is not None else hanging)[name] = now - known.begun
            written = self._marks.get(WRITTEN, self.born)
            # What failed for the store's sake is forgotten when the store has worked since: it may be another's by now.
            troubles = {
                work: trouble
                for work, trouble in self._troubles.items()
                if not (trouble.store and trouble.at < written and now - trouble.at > FORGOTTEN)
            }
            return Vitals(
                late,
                hanging,
                {name: now - self._marks.get(name, self.born) for name in (LOOKED, WRITTEN, FLUSHED)},
                {model: now - began for model, began in self._windows.items()},
                {work: trouble.reason for work, trouble in troubles.items()},
                frozenset(work for work, trouble in troubles.items() if trouble.store),
                now - self.born,
            )
