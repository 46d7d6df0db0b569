"""What a model's reference teaches: which components there are, how they behave, and what an alarm costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from checks.budget import Audit, Budget, audit
from checks.catalogue import gathers_evidence
from checks.evidence import Detector
from checks.layout import Layout
from checks.measurement import Measurement
from checks.profile import Column, Profile, Volume
from checks.season import Array, Moments
from checks.timeline import Timeline
from monitor.core.calendar import Calendar
from monitor.core.finding import Rule
from monitor.core.measuring import Planned, measure_columns, planned_for, rule_of
from monitor.core.reference import Reference
from monitor.core.schedule import Schedule
from monitor.core.window import Window

if TYPE_CHECKING:
    from checks.components import Component

PART_HOURS = 6.0
STAGES = (timedelta(days=14), timedelta(days=28))  # of the log, after which its variation is learnt; then never again
_DAY = timedelta(days=1)
MOST_MEASURED = 100  # windows of the reference that one-window checks are tried on
YEARLY_FROM = timedelta(days=395)  # of reference, for a season of the year to be told from a trend
DAYS_TO_NOTICE = 7.0  # within which a change of the minimum detectable size is seen


@dataclass(frozen=True)
class Terms:
    """What a model's alarms may cost.

    Parameters
    ----------
    rate : false notifications per 30 days that are this model's share of the deployment's.
    calibrated : whether the replay of the reference may lower what an alarm costs; it may always raise it.
    importance : weight of the columns' accounts; 1 where nothing is said, 0 mutes.
    """

    rate: float = 1.0
    calibrated: bool = True
    importance: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Rhythm:
    """When windows are: the schedule's length of a window and the calendar."""

    schedule: Schedule
    calendar: Calendar

    @property
    def a_day(self) -> float:
        """Windows a day."""
        return _DAY / self.schedule.every

    def timeline(self, windows: Sequence[Window]) -> Timeline:
        """Return when windows are, as calibration and evidence count it."""
        calendar = self.calendar
        return Timeline(
            Moments(
                calendar.of_windows(windows),
                np.array([calendar.year_fraction(window) for window in windows], np.float64),
            ),
            np.array([calendar.part(window, PART_HOURS) for window in windows], np.int64),
            np.array([calendar.day(window) for window in windows], np.int64),
            self.a_day,
        )

    def ends(self, window: Window) -> tuple[bool, ...]:
        """Return by scale whether a window is the last of its block."""
        now, after = self.timeline([window]), self.timeline([self.schedule.window_containing(window.end)])
        return tuple(scale == "window" or bool(now.blocks(scale)[0] != after.blocks(scale)[0]) for scale in now.scales)


@dataclass(frozen=True, eq=False)
class Signal:
    """Everything that turns the profile of a window into evidence.

    Parameters
    ----------
    layout, detector : the components, and how they behave.
    rhythm : when windows are.
    terms : what alarms may cost.
    audit : what the replay of the reference said.
    worst : the largest share of each component in any window of the reference, shape (components,).
    volumes : rows of the reference's windows.
    usual : by (column, check), the largest effect of a one-window check in any window of the reference.
    timed : whether the reference says how much windows vary; else that is assumed.
    """

    layout: Layout
    detector: Detector
    rhythm: Rhythm
    terms: Terms
    audit: Audit
    worst: Array
    volumes: tuple[Volume, ...]
    usual: Mapping[tuple[str, str], float]
    timed: bool

    @cached_property
    def places(self) -> Mapping[tuple[str, str], tuple[int, ...]]:
        """The components of every (column, check)."""
        found: dict[tuple[str, str], list[int]] = {}
        for number, place in enumerate(self.layout.places):
            found.setdefault((place.column, place.check), []).append(number)
        return {key: tuple(numbers) for key, numbers in found.items()}

    @cached_property
    def importance(self) -> Array:
        """Weights of the accounts, shape (accounts,): the root of what was asked for, of mean 1 (SIGNAL.md 2.6)."""
        weights = weights_of(self.layout, self.terms)
        fit = [name not in self.audit.unfit for name in self.layout.tracks.accounts]
        return np.asarray(weights * fit)

    @property
    def strict(self) -> float:
        """Evidence that an account of weight 1 pays whatever the dependence."""
        return budget_of(self.terms, self.rhythm).strict * self.shares

    @property
    def threshold(self) -> float:
        """Evidence that an account of weight 1 pays for an alarm."""
        return self.audit.threshold * self.shares

    @property
    def shares(self) -> float:
        """What one account's share is of: all columns, and one for the facts that need no evidence."""
        return (len(self.detector.tracks.accounts) + 1) / max(1, len(self.detector.tracks.accounts))

    @cached_property
    def costs(self) -> Array:
        """Evidence that an alarm of each component's account costs, shape (components,); infinite where muted."""
        accounts = len(self.detector.tracks.accounts)
        with np.errstate(divide="ignore"):
            return np.asarray((accounts * self.threshold / self.importance)[self.detector.tracks.account])

    @property
    def size(self) -> int:
        """About how many bytes its arrays take."""
        return _bytes(self.detector.scales) + 2 * _bytes(tuple(self.layout.matrices.values()))  # places have theirs too

    def fact_level(self, facts: int) -> float:
        """Return the level at which each of so many one-window tests is held: together they share one account."""
        return min(0.01, 1 / ((len(self.detector.tracks.accounts) + 1) * self.audit.threshold * max(1, facts)))

    def blocks_in(self, days: float = DAYS_TO_NOTICE) -> float:
        """Return the blocks of the coarsest scale in some days, by default those in which a change is to be noticed."""
        return max(1.0, days * min(1.0, self.rhythm.a_day))


def layout_of(reference: Reference, plan: Sequence[Planned]) -> Layout:
    """Return the components that evidence is gathered on; a user's fixed threshold takes a check out of it."""
    found: dict[str, list[tuple[str, Component]]] = {}
    for name, bins in reference.bins.items():
        column = Column(name, bins, reference.profile.columns[name])
        for planned, check in planned_for(name, bins, plan):
            if planned.threshold is None and gathers_evidence(check):
                found.setdefault(name, []).extend((planned.name, part) for part in check.components(column))
    return Layout.of({name: items for name, items in found.items() if items})


def weights_of(layout: Layout, terms: Terms) -> Array:
    """Return the weights of the accounts, of mean 1."""
    asked = terms.importance or {}
    roots = np.sqrt([asked.get(column, 1.0) for column in layout.tracks.accounts])
    return roots / roots.mean() if roots.size and roots.mean() > 0 else roots


def budget_of(terms: Terms, rhythm: Rhythm) -> Budget:
    """Return the budget of a model."""
    return Budget(terms.rate, 30 * rhythm.a_day)


def panel_of(reference: Reference, layout: Layout, rhythm: Rhythm) -> tuple[Array, Array, Timeline]:
    """Return sums and rows by window of the reference, and when the windows are; without excluded periods."""
    kept = [(window, profile) for window, profile in reference.blocks if rhythm.calendar.excluded(window) is None]
    windows, profiles = [window for window, _ in kept], [profile for _, profile in kept]
    return *layout.panel(profiles), rhythm.timeline(windows)


def audited(reference: Reference, plan: Sequence[Planned], rhythm: Rhythm, terms: Terms) -> Audit:
    """Replay the reference to learn what an alarm must cost; takes seconds, so its answer is kept."""
    layout, budget = layout_of(reference, plan), budget_of(terms, rhythm)
    if not layout.places or not reference.blocks:
        return Audit(budget.strict, None, 0)
    sums, rows, timeline = panel_of(reference, layout, rhythm)
    season = _season(reference, rhythm)
    found = audit(layout.tracks, sums, rows, timeline, budget, weights_of(layout, terms), **season)
    return found if terms.calibrated else replace(found, threshold=max(budget.strict, found.threshold))


def _season(reference: Reference, rhythm: Rhythm) -> dict[str, bool]:
    long_enough = reference.span is not None and reference.span.length >= YEARLY_FROM
    return {"weekly": rhythm.calendar.weekly, "yearly": rhythm.calendar.yearly and long_enough}


def learn(
    reference: Reference,
    plan: Sequence[Planned],
    rhythm: Rhythm,
    terms: Terms,
    found: Audit,
    lived: Sequence[tuple[Window, Profile]] = (),
) -> Signal:
    """Return what a reference teaches.

    Parameters
    ----------
    lived : the log's own first windows, where the reference has no time: it says what is normal, they how much that
        varies. Without them it is assumed.
    """
    layout, season = layout_of(reference, plan), _season(reference, rhythm)
    snapshot = None
    sums, rows, timeline = panel_of(reference, layout, rhythm)
    timed = len(timeline) > 0 or bool(lived)
    if not len(timeline) and lived:
        snapshot = layout.observe(reference.profile)
        sums, rows = layout.panel([profile for _, profile in lived])
        timeline = rhythm.timeline([window for window, _ in lived])
    elif not timed:
        sums, rows, timeline = *layout.panel([reference.profile]), _untimed(rhythm)
    detector = Detector.learned(layout.tracks, sums, rows, timeline, snapshot, **season)
    volumes = tuple(
        Volume(window.start.timestamp(), window.end.timestamp(), profile.rows) for window, profile in reference.blocks
    )
    worst = (sums / np.maximum(rows, 1.0)).max(axis=0, initial=0.0)
    return Signal(layout, detector, rhythm, terms, found, worst, volumes, _usual(reference, plan), timed)


def stage(reference: Reference, first: datetime | None, now: datetime) -> timedelta | None:
    """Return how much of the log's own beginning is to be learnt from; None where the reference has time, or too early.

    Parameters
    ----------
    first : start of the first window that was judged against the reference; None before it.
    """
    if reference.span is not None or first is None:
        return None
    return next((span for span in reversed(STAGES) if now - first >= span), None)


def _usual(reference: Reference, plan: Sequence[Planned]) -> dict[tuple[str, str], float]:
    """Measure the one-window checks on windows of the reference: what it shows itself is no break."""
    # The largest windows, for a check may refuse a small one.
    largest = sorted((profile for _, profile in reference.blocks), key=lambda p: -p.rows)[:MOST_MEASURED]
    facts = [planned for planned in plan if rule_of(planned) is Rule.FACT]
    found: dict[tuple[str, str], float] = {}
    for profile in largest:
        for item in measure_columns(reference.bins, reference.profile, profile, facts):
            if item.column is not None and isinstance(item.result, Measurement):
                key = (item.column, item.planned.name)
                found[key] = max(found.get(key, 0.0), abs(item.result.effect))
    return found


def _untimed(rhythm: Rhythm) -> Timeline:
    zero = np.zeros(1)
    return Timeline(Moments(zero, zero), np.zeros(1, np.int64), np.zeros(1, np.int64), rhythm.a_day)


def _bytes(value: object) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    if is_dataclass(value):
        return sum(_bytes(getattr(value, item.name)) for item in fields(value))
    return sum(map(_bytes, value)) if isinstance(value, tuple) else 0
