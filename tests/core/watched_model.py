"""A model watched in memory: sixty days of reference, then days that change as a test asks. No store, no clock."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pyarrow as pa

from checks.binning import fit_table, profile_batch
from checks.budget import Audit
from checks.catalogue import catalogue
from checks.profile import Bins, Profile
from monitor.core.alarms import UNDECIDED, Decided
from monitor.core.calendar import Calendar
from monitor.core.evaluation import Evaluation, Subject, evaluate
from monitor.core.finding import Finding
from monitor.core.lifecycle import Holding
from monitor.core.measuring import Planned
from monitor.core.memory import Memory
from monitor.core.reference import Reference
from monitor.core.schedule import Schedule
from monitor.core.signal import Rhythm, Signal, Terms, learn
from monitor.core.window import Window

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 1, 5, tzinfo=UTC)  # a Monday; the log begins here, the reference ends
DAYS, ROWS = 60, 200
STRICT = Audit(30.0, None, 0)  # one false notification in 30 days of daily windows

Rows = dict[str, np.ndarray]
Change = Callable[[Rows], None]


def drawn(seed: Sequence[int], rows: int, change: Change | None = None) -> pa.Table:
    """Rows that differ from others of the same distribution by the seed alone, then changed."""
    rng = np.random.default_rng(seed)
    found: Rows = {
        "age": rng.normal(40, 10, rows).round(2),
        "plan": rng.choice(["basic", "plus", "pro"], rows, p=[0.6, 0.3, 0.1]).astype(object),
    }
    if change is not None:
        change(found)
    return pa.table({name: pa.array(list(values)) for name, values in found.items()})


@cache
def bins() -> Mapping[str, Bins]:
    return fit_table(drawn([0], 4000))


def window(number: int, length: timedelta = DAY) -> Window:
    """The window so many windows after the log begins; negative ones are the reference's."""
    return Window(START + number * length, START + (number + 1) * length)


def profile(number: int, rows: int = ROWS, change: Change | None = None) -> Profile:
    return profile_batch(drawn([7, number + 10_000], rows, change), bins())


def rhythm(every: timedelta = DAY, **calendar: object) -> Rhythm:
    return Rhythm(Schedule(every=every, delay=HOUR, timezone="UTC", catch_up=DAY), Calendar("UTC", **calendar))


DESCRIBING = ("ks", "total_variation")


def plan(*names: str, threshold: float | None = None) -> tuple[Planned, ...]:
    """The named checks, by default those of `checks: [auto, ks, total_variation]`."""
    known = catalogue()
    return tuple(
        Planned(name, known[name].family, known[name].check(), None, threshold, name not in DESCRIBING)
        for name in names or known
    )


def reference_of(blocks: Sequence[tuple[Window, Profile]], *, timed: bool = True) -> Reference:
    whole = sum((found for _, found in blocks), Profile.empty(bins()))
    span = Window(blocks[0][0].start, blocks[-1][0].end) if timed else None
    kept = tuple(blocks) if timed else ()
    return Reference("r", "churn", bins(), whole, kept, pa.table({}), "memory", START, "ada", None, span)


@cache
def reference(days: int = DAYS, rows: int = ROWS) -> Reference:
    return reference_of([(window(number), profile(number, rows)) for number in range(-days, 0)])


@cache
def signal(days: int = DAYS, rows: int = ROWS) -> Signal:
    return learn(reference(days, rows), plan(), rhythm(), Terms(), STRICT)


def subject(known: Reference | None = None, learnt: Signal | None = None, checks: Sequence[Planned] = ()) -> Subject:
    return Subject("churn", known or reference(), checks or plan(), learnt or signal(), Holding())


class Days:
    """Plays days one after the other and remembers what a store would."""

    def __init__(self, watched: Subject | None = None) -> None:
        self.subject = watched or subject()
        self.memory: Memory = self.subject.start()
        self.held: list[tuple[Window, Profile]] = []

    def past(self, since: datetime) -> list[tuple[Window, Profile]]:
        return [(known, found) for known, found in self.held if known.end > since]

    def day(self, change: Change | None = None, rows: int = ROWS, decided: Decided = UNDECIDED) -> Evaluation:
        number = len(self.held)
        found = profile(number, rows, change)
        seen = evaluate(self.subject, self.memory, window(number), found, (), self.past, decided)
        self.memory = seen.memory
        self.held.append((window(number), found))
        return seen

    def days(self, count: int, change: Change | None = None, rows: int = ROWS) -> Evaluation:
        """Play some days; gives the last."""
        return [self.day(change, rows) for _ in range(count)][-1]

    def until(self, reached: Callable[[Evaluation], bool], change: Change | None = None, most: int = 30) -> Evaluation:
        """Play days until something is reached."""
        for _ in range(most):
            seen = self.day(change)
            if reached(seen):
                return seen
        raise AssertionError(f"not reached in {most} days")

    def alarm(self, change: Change, most: int = 30) -> Evaluation:
        return self.until(lambda seen: bool(seen.memory.alarms), change, most)

    def calm(self, most: int = 30) -> Evaluation:
        return self.until(lambda seen: not seen.memory.alarms, None, most)


def shift(by: float) -> Change:
    def change(rows: Rows) -> None:
        rows["age"] = rows["age"] + by

    return change


def new_plan(share: float) -> Change:
    """Some rows have a plan that the reference does not know, evenly spread."""

    def change(rows: Rows) -> None:
        rows["plan"][: round(share * len(rows["plan"]))] = "gold"

    return change


def finding(seen: Evaluation, column: str, check: str) -> Finding:
    (found,) = [f for f in seen.findings if (f.column, f.check) == (column, check)]
    return found


def keys(memory: Memory) -> set[tuple[str, str]]:
    return {alarm.key for alarm in memory.alarms}
