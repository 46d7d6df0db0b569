"""How much is run: a small plan for continuous integration, a large one for the published figures."""

from dataclasses import dataclass
from typing import Literal

from benchmarks.signal import real
from benchmarks.signal.logs import Cadence
from benchmarks.signal.suite import Task
from benchmarks.signal.worlds import World, WorldKind

SEED = 20_000  # of the published run; nothing was tuned on the logs of these seeds
REFERENCE_DAYS, PRODUCTION_DAYS = 60, 90
FLIGHTS: tuple[Literal["days", "weeks"], ...] = ("days", "weeks")


@dataclass(frozen=True)
class Size:
    """Repetitions.

    Parameters
    ----------
    worlds : kind, cadence, rows a window, repetitions with peers and changes, further ones of ours alone.
    flights : permutations of the real log, of days and of weeks.
    honest : repetitions for intervals and smallest changes.
    faults : repetitions of every fault.
    """

    worlds: tuple[tuple[WorldKind, Cadence, int, int, int], ...]
    flights: int
    honest: int
    faults: int


LARGE = Size(
    worlds=(
        ("iid", "day", 100, 8, 8),
        ("ar", "day", 100, 8, 8),
        ("season", "day", 100, 8, 8),
        ("iid", "day", 1000, 3, 5),
        ("ar", "day", 1000, 3, 5),
        ("season", "day", 1000, 3, 5),
        ("slow", "day", 1000, 3, 5),
        ("bursty", "day", 1000, 3, 5),
        ("level", "day", 1000, 3, 5),
        ("ar", "hour", 200, 1, 0),
        ("season", "hour", 200, 1, 0),
    ),
    flights=6,
    honest=3,
    faults=20,
)
SMALL = Size(worlds=(("iid", "day", 100, 2, 0), ("ar", "day", 100, 2, 0)), flights=0, honest=1, faults=2)


def tasks(size: Size) -> list[Task]:
    """Return every log of a plan, those that take longest first."""
    found = []
    for kind, cadence, rows, full, further in size.worlds:
        for repetition in range(full + further):
            world = World(kind, cadence, rows, REFERENCE_DAYS, PRODUCTION_DAYS, SEED + repetition)
            whole = repetition < full
            found.append(Task(world, seed=SEED + repetition, peers=whole, ablations=whole, changes=whole))
    found.sort(key=lambda task: task.log.rows * task.log.frame.per_day, reverse=True)  # type: ignore[union-attr]  # worlds
    if size.flights and real.present("flights"):
        found += [Task(name, seed=SEED + place) for name in FLIGHTS for place in range(size.flights)]
    if size.flights and real.present("carloan"):
        found += [Task("carloan_calm"), Task("carloan")]
    return found


def honest_worlds(size: Size) -> list[World]:
    """Return the worlds on which intervals and smallest changes are tried."""
    return [
        World(kind, "day", rows, REFERENCE_DAYS, PRODUCTION_DAYS, SEED + 500 + repetition)
        for kind in ("iid", "ar", "season")
        for rows in sorted({rows for _, _, rows, _, _ in size.worlds} & {100, 1000})
        for repetition in range(size.honest)
    ]
