"""What a verdict costs: time to judge one window of many columns, and bytes carried to the next."""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.signal.counting import Counted, counted
from benchmarks.signal.ours import panel_of
from benchmarks.signal.worlds import World
from benchmarks.timing import best
from monitor.core.memory import Memory

COLUMNS = 500


@dataclass(frozen=True)
class Price:
    """Cost of ``COLUMNS`` columns of one schedule: seconds a window on one core, and bytes of state."""

    title: str
    components: int
    seconds: float
    state: int


def price(world: World) -> Price:
    """Measure one window of a model of ``COLUMNS`` columns, on all scales at once: a window that ends its day."""
    once = {name: counted(world.column(name)) for name in world.columns}
    columns: dict[str, Counted] = {}
    for place in range(COLUMNS):
        column = once[world.columns[place % len(once)]]
        columns[f"{column.name}-{place}"] = replace(column, name=f"{column.name}-{place}")
    panel = panel_of(world.frame, columns)
    detector, end = panel.learned(), panel.reference
    ends = [True] * len(detector.scales)
    state = detector.start()
    for window in range(end, end + 3):
        state, _ = detector.step(
            state, panel.sums[window], panel.rows[window], panel.timeline[window : window + 1], ends
        )
    moment = panel.timeline[end + 3 : end + 4]

    def judge() -> np.ndarray:
        after, _ = detector.step(state, panel.sums[end + 3], panel.rows[end + 3], moment, ends)
        return detector.evidence(after)

    return Price(world.title, len(panel.tracks), best(judge), len(Memory(state).encode()))
