"""Whether what is said beside a verdict is true: the interval of an effect, and the smallest change that is seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from benchmarks.signal.alarms import detection
from benchmarks.signal.changes import Act, Change, Planned
from benchmarks.signal.counting import counted
from benchmarks.signal.marginals import SPECS
from benchmarks.signal.ours import judged, panel_of
from benchmarks.signal.worlds import World
from checks.detectable import detectable
from checks.lasting import estimate

LENGTHS = (3, 10, 30)  # days over which an effect is estimated
SHIFT = Change("location .3 sd", ("normal",), "location", 0.3)
DAYS_TO_NOTICE = 7
_NORMAL = tuple(spec.name for spec in SPECS if spec.family == "normal")


@dataclass(frozen=True)
class Covered:
    """Intervals of one world: whether each held the truth, and their half-widths; by days looked at."""

    title: str
    held: dict[int, list[bool]]
    reach: dict[int, list[float]]


def covered(world: World) -> Covered:
    """Estimate a shift of .3 standard deviations in every normal column and look whether the 90% interval holds it.

    The truth is what the shift made of the very same rows on average over all days after it.
    """
    onset = world.frame.reference + 30
    held: dict[int, list[bool]] = {length: [] for length in LENGTHS}
    reach: dict[int, list[float]] = {length: [] for length in LENGTHS}
    for name in _NORMAL:
        calm = panel_of(world.frame, {name: counted(world.column(name))})
        moved = panel_of(world.frame, {name: counted(world.column(name, Planned(SHIFT, (name,), onset)))})
        detector = moved.learned()
        scale = detector.scales[-1]
        place = int(np.flatnonzero(detector.tracks.scored)[0])  # the first score is location's
        level, _ = scale.calibration.expected(moved.timeline.middles("window"))
        values, before = (detector.tracks.values(panel.sums, panel.rows)[:, place] for panel in (moved, calm))
        truth = float((values - before)[onset:].mean())
        departures, errors = values - level[:, place], scale.calibration.errors(moved.rows)[:, place]
        for length in LENGTHS:
            window = slice(onset, onset + length)
            known = scale.calibration
            found = estimate(
                departures[window], errors[window], known.long_run[place], known.freedom[place], known.blocks[place]
            )
            held[length].append(found.low <= truth <= found.high)
            reach[length].append((found.high - found.low) / 2)
    return Covered(world.title, held, reach)


@dataclass(frozen=True)
class Smallest:
    """Changes of exactly the size that is said to be seen: in time or not, with their sizes; by kind of change."""

    title: str
    seen: dict[str, list[bool]]
    size: dict[str, list[float]]


def smallest(world: World) -> Smallest:
    """Plant, into column after column, the change that the detector says it would notice within a week."""
    columns = {name: counted(world.column(name)) for name in world.columns}
    panel = panel_of(world.frame, columns)
    threshold = panel.audited().threshold
    cost = threshold * (len(world.columns) + 1)
    seen: dict[str, list[bool]] = {}
    size: dict[str, list[float]] = {}
    onset = world.frame.reference + 30
    for act, family, component in (("location", "normal", "location"), ("nulls", "heavy", "nulls")):
        for spec in (spec for spec in SPECS if spec.family == family and not (act == "nulls" and spec.null_share)):
            own = panel_of(world.frame, {spec.name: columns[spec.name]})
            effect, angle = _visible(own, component, cost, world.rows * world.frame.per_day)
            planted = _latent(world, effect) if act == "location" else float(np.sin((angle + effect) / 2) ** 2)
            change = Change(f"{component}", (family,), _act(act), planted)
            look = counted(world.column(spec.name, Planned(change, (spec.name,), onset)))
            alerts = judged(panel_of(world.frame, {spec.name: look}), [threshold], len(world.columns))[0]
            found = detection(alerts, (spec.name,), onset - world.frame.reference, world.frame.per_day)
            seen.setdefault(component, []).append(found.delay <= DAYS_TO_NOTICE)
            size.setdefault(component, []).append(planted)
    return Smallest(world.title, seen, size)


def _act(name: str) -> Act:
    return "location" if name == "location" else "nulls"


def _visible(panel: object, component: str, cost: float, rows: float) -> tuple[float, float]:
    """Return the smallest effect that is seen, in Cohen's d or h, and the level from which it counts."""
    detector = panel.learned()
    place = 0 if component == "location" else panel.components.index(component)
    size = len(detector.tracks)
    found = detectable(detector, np.full(size, rows), np.full(size, cost), float(DAYS_TO_NOTICE))
    return float(found.effect[place]), float(detector.scales[-1].calibration.levels[0][0][place])


def _latent(world: World, effect: float) -> float:
    """Return the shift of a normal variable that moves the mean score by ``effect``."""
    spread = np.sqrt(1 + world.climate.wander**2)
    return float(np.sqrt(2) * spread * ndtri(min(0.999, 0.5 + effect / (2 * np.sqrt(3)))))


def pooled(parts: Sequence[Covered]) -> dict[str, dict[int, tuple[float, float]]]:
    """Return coverage and median half-width by world and length."""
    found: dict[str, dict[int, tuple[float, float]]] = {}
    for title in dict.fromkeys(part.title for part in parts):
        mine = [part for part in parts if part.title == title]
        found[title] = {
            length: (
                float(np.mean([held for part in mine for held in part.held[length]])),
                float(np.median([reach for part in mine for reach in part.reach[length]])),
            )
            for length in LENGTHS
        }
    return found
