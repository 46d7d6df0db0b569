"""What is run: logs in which nothing changes, and changes planted into them; one task a log, for cores to share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.signal import real
from benchmarks.signal.alarms import Alert
from benchmarks.signal.changes import CHANGES, plan
from benchmarks.signal.counting import counted
from benchmarks.signal.ours import ABLATIONS, FULL, Panel, judged, panel_of, strict, with_rows_drawn
from benchmarks.signal.runs import Log, Seen, changed, contestants, seen
from benchmarks.signal.worlds import World
from checks.budget import Audit

OURS, STRICT = "Leeway", "Leeway, strict"
LADDER = np.exp(np.arange(-7.0, 3.1, 0.5))  # of the strict threshold, for the oracle that tunes us like the peers
ONSETS = (20, 27)  # days after the reference: any day of the week


@dataclass(frozen=True)
class Task:
    """One log.

    Parameters
    ----------
    log : a world, or the name of a real log: ``days`` or ``weeks`` of the flights, ``carloan_calm``, ``carloan``.
    seed : of a real log's permutation.
    peers, ablations, changes : whether they are run too, on a log that has the time for it.
    """

    log: World | str
    seed: int = 0
    peers: bool = True
    ablations: bool = False
    changes: bool = False


@dataclass(frozen=True, eq=False)
class Outcome:
    """What everybody made of one change.

    Parameters
    ----------
    change, columns, onset : its name, where and when; in windows after the reference.
    scores : of the peers, by contestant, of the changed columns alone, shape (windows, columns).
    ours : our alerts, of all columns, by mode.
    ladder : the same at every threshold of ``LADDER``.
    """

    change: str
    columns: tuple[str, ...]
    onset: int
    scores: Mapping[str, np.ndarray]
    ours: Mapping[str, Sequence[Alert]]
    ladder: Sequence[Sequence[Alert]]


@dataclass(frozen=True, eq=False)
class Result:
    """What everybody made of one log.

    Parameters
    ----------
    title, columns, windows, per_day : of the log; ``windows`` after the reference.
    scores : of the peers while nothing changes, by contestant, shape (windows, columns).
    ours : our alerts while nothing changes, by mode and ablation.
    ladder : the same at every threshold of ``LADDER``.
    audit : what the replay of the reference said.
    relaxed : the audited threshold as a share of the strict one.
    """

    title: str
    columns: tuple[str, ...]
    windows: int
    per_day: int
    scores: Mapping[str, np.ndarray]
    ours: Mapping[str, Sequence[Alert]]
    ladder: Sequence[Sequence[Alert]]
    audit: Audit
    relaxed: float
    outcomes: Sequence[Outcome] = field(default_factory=tuple)


def run(task: Task) -> Result:
    """Run one task."""
    log, known = _log(task)
    frame = log.frame
    calm = seen(log) if task.peers else Seen(log, {}, {name: counted(log.column(name)) for name in log.columns})
    panel = panel_of(frame, calm.counts)
    audit = panel.audited()
    least = strict(frame)
    thresholds = [audit.threshold, max(least, audit.threshold), *(least * LADDER)]
    alerts = judged(panel, thresholds, len(log.columns))
    ours = dict(zip((OURS, STRICT), alerts, strict=False))
    if task.ablations:
        ours |= _ablated(panel, audit.threshold, len(log.columns), task.seed)
    outcomes: tuple[Outcome, ...] = ()
    if known is not None:
        outcomes = (Outcome("known", known.columns, known.onset - frame.reference, calm.scores, ours, alerts[2:]),)
    elif task.changes and isinstance(log, World):
        outcomes = tuple(_planted(log, calm, thresholds, alerts))
    scores = {name: matrix.astype(np.float32) for name, matrix in calm.scores.items()}
    relaxed = audit.threshold / least
    return Result(
        log.title, log.columns, frame.production, frame.per_day, scores, ours, alerts[2:], audit, relaxed, outcomes
    )


def _log(task: Task) -> tuple[Log, real.KnownChange | None]:
    if isinstance(task.log, World):
        return task.log, None
    if task.log == "carloan":
        known = real.carloan()
        return known.log, known
    return (real.carloan_calm() if task.log == "carloan_calm" else _flights(task)), None


def _flights(task: Task) -> Log:
    return real.flights("weeks" if task.log == "weeks" else "days", task.seed)


def _ablated(panel: Panel, threshold: float, columns: int, seed: int) -> dict[str, Sequence[Alert]]:
    found: dict[str, Sequence[Alert]] = {}
    for variant in ABLATIONS:
        at = threshold
        if variant.rows_replayed:
            at = with_rows_drawn(panel, np.random.default_rng(seed)).audited().threshold
        found[variant.title] = judged(panel, [at], columns, variant)[0]
    return found


def _planted(
    world: World, calm: Seen, thresholds: Sequence[float], before: Sequence[Sequence[Alert]]
) -> Sequence[Outcome]:
    """Run every change. Only the changed columns are judged anew: the budget gives each column its own share."""
    frame = world.frame
    found = []
    first = frame.reference + ONSETS[0] * frame.per_day
    for change in CHANGES:
        last = frame.reference + ONSETS[1] * frame.per_day
        planned = plan(change, onsets=(first, last), seed=world.seed)
        look = changed(calm, world, planned)
        panel = panel_of(frame, {name: look.counts[name] for name in planned.columns})
        new = judged(panel, thresholds, len(world.columns), FULL)
        merged = [_merged(old, now, planned.columns) for old, now in zip(before, new, strict=True)]
        places = [world.columns.index(name) for name in planned.columns]
        scores = {name: look.scores[name][:, places].astype(np.float32) for name in contestants()}
        ours = dict(zip((OURS, STRICT), merged, strict=False))
        found.append(Outcome(change.name, planned.columns, planned.onset - frame.reference, scores, ours, merged[2:]))
    return found


def _merged(calm: Sequence[Alert], new: Sequence[Alert], columns: Sequence[str]) -> list[Alert]:
    """Return the alerts of the unchanged columns of a calm log and those of the changed ones."""
    rest = [(window, tuple(name for name in named if name not in columns)) for window, named in calm]
    return sorted([*((window, named) for window, named in rest if named), *new])
