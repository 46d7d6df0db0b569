"""How the benchmarks take a time: the shortest of several, which other work on the machine disturbs least."""

import time
from collections.abc import Callable

REPEATS = 5


def best(work: Callable[[], object]) -> float:
    """Return the shortest of several times, in seconds."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
