"""Our own detector as a contestant, at any thresholds, and its ablations: the product's engine, less one part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from weakref import WeakKeyDictionary

import numpy as np

from benchmarks.signal.alarms import Alert
from benchmarks.signal.counting import Counted
from benchmarks.signal.logs import Frame
from checks.bets import StudentBets
from checks.budget import Audit, Budget, alarms, audit
from checks.catalogue import EvidenceCheck, catalogue
from checks.components import EXTRAS, Component
from checks.evidence import Detector, Tracks
from checks.layout import Layout
from checks.profile import Column, ColumnProfile
from checks.season import Moments
from checks.timeline import Timeline

RATE = 1.0  # false notifications per 30 days
PART_HOURS = 6
NORMAL = 200.0  # degrees of freedom from which Student is as good as normal
ENDLESS = 1e12  # blocks of a reference that is known without error

Change = Callable[[Detector], Detector]


@dataclass(frozen=True, eq=False)
class Panel:
    """What evidence is gathered on, of some columns of a log.

    Parameters
    ----------
    names : of the columns.
    components, tracks : names of their components, and the components.
    sums, rows : of all windows, shape (windows, components).
    timeline : of all windows, of which the first ``reference`` are the reference.
    """

    names: tuple[str, ...]
    components: tuple[str, ...]
    tracks: Tracks
    sums: np.ndarray
    rows: np.ndarray
    timeline: Timeline
    reference: int

    def learned(self) -> Detector:
        """Return the detector that the reference teaches."""
        end = self.reference
        return Detector.learned(self.tracks, self.sums[:end], self.rows[:end], self.timeline[:end])

    def audited(self, rate: float = RATE) -> Audit:
        """Replay the reference."""
        end, budget = self.reference, Budget(rate, 30 * self.timeline.a_day)
        importance = np.ones(len(self.tracks.accounts))
        return audit(self.tracks, self.sums[:end], self.rows[:end], self.timeline[:end], budget, importance)


@dataclass(frozen=True)
class Variant:
    """Our detector, less something.

    Parameters
    ----------
    title : for tables.
    prepared : what becomes of the panel before anything is learned.
    changed : what becomes of the detector afterwards.
    rows_replayed : whether the replay draws rows instead of days.
    """

    title: str
    prepared: Callable[[Panel], Panel] = lambda panel: panel
    changed: Change = lambda detector: detector
    rows_replayed: bool = False


def timeline_of(frame: Frame) -> Timeline:
    """Return when windows are; the first begins on a Monday at midnight."""
    hours = (np.arange(frame.windows) + 0.5) * 24 / frame.per_day
    moments = Moments(hours % 168, np.zeros(frame.windows))
    return Timeline(moments, (hours // PART_HOURS).astype(int), (hours // 24).astype(int), float(frame.per_day))


def panel_of(frame: Frame, columns: Mapping[str, Counted]) -> Panel:
    """Return the panel of some columns."""
    looks = {name: _look(column) for name, column in columns.items()}
    layout = Layout.of({name: items for name, (items, _, _) in looks.items()})
    sums = np.concatenate([look[1] for look in looks.values()], axis=1)
    rows = np.concatenate([look[2] for look in looks.values()], axis=1)
    components = tuple(place.component.name for place in layout.places)
    return Panel(layout.tracks.accounts, components, layout.tracks, sums, rows, timeline_of(frame), frame.reference)


Look = tuple[list[tuple[str, Component]], np.ndarray, np.ndarray]
_LOOKS: WeakKeyDictionary[Counted, Look] = WeakKeyDictionary()


def _look(column: Counted) -> Look:
    """Return a column's components with their sums and rows by window; kept as long as the column is."""
    if column not in _LOOKS:
        bins, end = column.bins, column.reference
        counts, nulls = column.counts[:end].sum(axis=0), int(column.nulls[:end].sum())
        known = Column(column.name, bins, ColumnProfile(bins.kind, int(counts.sum()) + nulls, counts, nulls=nulls))
        items = [
            (name, part)
            for name, check in _checks().items()
            if bins.kind in check.default_for
            for part in check.components(known)
        ]
        extras = np.zeros((len(column.nulls), len(EXTRAS)))
        extras[:, 0] = column.nulls
        vectors = np.concatenate([column.counts, extras], axis=1)
        _LOOKS[column] = (
            items,
            vectors @ np.stack([part.numerator for _, part in items]).T,
            vectors @ np.stack([part.denominator for _, part in items]).T,
        )
    return _LOOKS[column]


@cache
def _checks() -> dict[str, EvidenceCheck]:
    found = {name: entry.check() for name, entry in catalogue().items()}
    return {name: check for name, check in found.items() if isinstance(check, EvidenceCheck)}


def strict(frame: Frame) -> float:
    """Return the threshold that needs no audit."""
    return Budget(RATE, frame.per_30d).strict


def judged(
    panel: Panel, thresholds: Sequence[float], columns: int, variant: Variant | None = None
) -> list[list[Alert]]:
    """Return the alerts of the windows after the reference, by threshold.

    Parameters
    ----------
    columns : of the log, which share the budget; the panel may hold a few of them.
    """
    variant = variant or FULL
    panel = variant.prepared(panel)
    detector = variant.changed(panel.learned())
    end, budget = panel.reference, Budget(RATE, 30 * panel.timeline.a_day)
    # One more account than columns: the product keeps one for facts that need no evidence.
    share = (columns + 1) / len(panel.names)
    found: list[list[Alert]] = [[] for _ in thresholds]
    for window, paid in alarms(
        detector,
        panel.sums[end:],
        panel.rows[end:],
        panel.timeline[end:],
        share * np.asarray(thresholds),
        share * budget.strict,
        np.ones(len(panel.names)),
    ):
        for place in np.flatnonzero(paid.any(axis=1)):
            named = tuple(panel.names[account] for account in np.flatnonzero(paid[place]))
            found[place].append((window, named))
    return found


def with_rows_drawn(panel: Panel, rng: np.random.Generator) -> Panel:
    """Return a panel in which every reference window is drawn anew from all rows of the reference, independently.

    Drawn by the normal limit of the multinomial distribution, component by component: dependence between components
    does not matter for expectations, which is all that the audit looks at.
    """
    end = panel.reference
    total, rows = panel.sums[:end].sum(axis=0), panel.rows[:end]
    share = total / np.maximum(rows.sum(axis=0), 1.0)
    counted = rng.binomial(rows.astype(int), np.clip(share, 0.0, 1.0))
    scored = rows * share + np.sqrt(rows) * rng.standard_normal(rows.shape)
    sums = np.where(panel.tracks.scored, scored, counted)
    return replace(panel, sums=np.concatenate([sums, panel.sums[end:]]))


def _recalibrated(detector: Detector, change: Callable[..., dict[str, np.ndarray]]) -> Detector:
    scales = []
    for scale in detector.scales:
        calibration = replace(scale.calibration, **change(scale.calibration))
        student = StudentBets.against(calibration, tuple(scale.student.deltas.tolist()))
        scales.append(replace(scale, calibration=calibration, student=student))
    return replace(detector, scales=tuple(scales))


def _without_blocks(detector: Detector) -> Detector:
    def change(known: object) -> dict[str, np.ndarray]:
        full = np.ones_like(known.between)
        return {
            "between": 0 * full, "phi": 0 * known.phi, "gain": full, "scale": full, "freedom": NORMAL * full,
            "tolerance": detector.tracks.tolerance,
        }  # fmt: skip

    return _recalibrated(detector, change)


def _without_whitening(detector: Detector) -> Detector:
    def change(known: object) -> dict[str, np.ndarray]:
        full = np.ones_like(known.between)
        return {"phi": 0 * known.phi, "gain": full, "scale": full}

    return _recalibrated(detector, change)


def _without_slack(detector: Detector) -> Detector:
    return _recalibrated(detector, lambda known: {"blocks": np.full_like(known.blocks, ENDLESS)})


def _without_tolerance(panel: Panel) -> Panel:
    return replace(panel, tracks=replace(panel.tracks, tolerance=np.zeros(len(panel.tracks))))


FULL = Variant("Leeway")
ABLATIONS = (
    Variant("no blocks", changed=_without_blocks),
    Variant("no whitening", changed=_without_whitening),
    Variant("no minimum effect", prepared=_without_tolerance),
    Variant("no slack for the reference", changed=_without_slack),
    Variant("replay of rows", rows_replayed=True),
)
