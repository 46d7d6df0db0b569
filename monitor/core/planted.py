"""How soon planted faults would have been noticed, worked out on windows that nothing had happened to. Pure.

Every fault is planted into all columns at once, for each column's account pays by itself; what many columns show only
together is not counted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

import numpy as np

from checks.catalogue import measures_columns
from checks.components import count_vector
from checks.evidence import State
from checks.planting import FAULTS, Fault, planted
from checks.profile import Column, Profile
from checks.season import Array, Flags
from checks.timeline import Timeline
from monitor.core.alarms import beyond_doubt
from monitor.core.finding import Rule, Verdict
from monitor.core.judge import judge_measured
from monitor.core.measuring import Planned, measure_columns, planned_for, rule_of
from monitor.core.reference import Reference
from monitor.core.signal import Signal
from monitor.core.window import Window

LEAD_DAYS = 7.0  # of calm before an onset
HORIZON_DAYS = 30.0  # in which a fault may be noticed
MOST_WINDOWS = 400  # of a horizon, where windows are short
MOST_STEPS = 8_000  # windows judged for all faults together: some seconds
ONSETS = 3
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Noticed:
    """What became of one fault, planted into many columns from several moments on.

    Parameters
    ----------
    fault : its name.
    columns : that it was planted into.
    tried, noticed : pairs of a column and an onset, and how many of them were noticed.
    median, slow : days until half and until nine in ten were noticed; None where fewer were.
    within : days that there were to notice it.
    """

    fault: str
    columns: int
    tried: int
    noticed: int
    median: float | None
    slow: float | None
    within: float

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "fault": self.fault,
            "columns": self.columns,
            "tried": self.tried,
            "noticed": self.noticed,
            "median_days": self.median,
            "p90_days": self.slow,
            "within_days": self.within,
        }


@dataclass(frozen=True, eq=False)
class Ground:
    """What faults are planted into.

    Parameters
    ----------
    signal : how the model is judged.
    reference : with bins and profile.
    plan : the checks.
    windows, profiles : oldest first.
    line, ends : when the windows are, and by window and scale whether a block ends.
    sums, rows : of the components, shape (windows, components).
    onsets : places of the first windows with a fault.
    horizon : windows from an onset on.
    """

    signal: Signal
    reference: Reference
    plan: Sequence[Planned]
    windows: Sequence[Window]
    profiles: Sequence[Profile]
    line: Timeline
    ends: Sequence[tuple[bool, ...]]
    sums: Array
    rows: Array
    onsets: Sequence[int]
    horizon: int

    @property
    def within(self) -> float:
        """Days of the horizon."""
        return self.days(self.onsets[0], self.horizon - 1)

    def days(self, onset: int, later: int) -> float:
        """Return the days from the start of an onset's window to the end of one so many windows later."""
        return (self.windows[onset + later].end - self.windows[onset].start) / _DAY

    def step(self, state: State, place: int, sums: Array, rows: Array) -> tuple[State, Flags]:
        """Judge one window: the state after it and the accounts that paid by themselves, shape (accounts,)."""
        detector = self.signal.detector
        state, _ = detector.step(state, sums, rows, self.line[place : place + 1], self.ends[place])
        shares = beyond_doubt(self.signal, sums, rows, state.frozen, detector.shares(state))
        weighted = detector.tracks.by_account(shares) * self.signal.importance
        paid = weighted >= len(weighted) * self.signal.threshold
        return detector.paid(state, paid.astype(np.float64), state.frozen), paid


def ground(
    signal: Signal,
    reference: Reference,
    plan: Sequence[Planned],
    history: Sequence[tuple[Window, Profile]],
    seed: int = 0,
) -> Ground | None:
    """Choose where faults are planted; None where the windows are too few to tell anything.

    Parameters
    ----------
    history : windows with their profiles, oldest first.
    seed : of the onsets, which are drawn at random.
    """
    kept = [(w, p) for w, p in history if signal.rhythm.calendar.excluded(w) is None]
    a_day = signal.rhythm.a_day
    lead = min(ceil(LEAD_DAYS * a_day), len(kept) // 3)
    horizon = min(ceil(HORIZON_DAYS * a_day), MOST_WINDOWS, len(kept) - lead)
    if lead < 1 or not signal.layout.places:
        return None
    choices = np.arange(lead, len(kept) - horizon + 1)
    most = max(1, min(ONSETS, MOST_STEPS // (horizon * len(FAULTS)), len(choices)))
    onsets = np.sort(np.random.default_rng(seed).choice(choices, most, replace=False))
    windows, profiles = [w for w, _ in kept], [p for _, p in kept]
    line = signal.rhythm.timeline(windows)
    ends = list(zip(*(line.ends(scale).tolist() for scale in line.scales), strict=True))
    return Ground(
        signal, reference, plan, windows, profiles, line, ends, *signal.layout.panel(profiles),
        onsets.tolist(), horizon,
    )  # fmt: skip


def noticed(found: Ground) -> Iterator[Noticed]:
    """Yield what becomes of each of :data:`checks.planting.FAULTS` that some column can have."""
    states, calm = _calm(found)
    for fault in FAULTS:
        moves = {
            name: moved
            for name, bins in found.reference.bins.items()
            if (moved := fault.moves(Column(name, bins, found.reference.profile.columns[name]))) is not None
        }
        tried = [[name for name in _watched(found) if name in moves and calm[onset][name]] for onset in found.onsets]
        days = [
            day
            for onset, names in zip(found.onsets, tried, strict=True)
            if names
            for day in _days(found, fault, onset, {name: moves[name] for name in names}, states[onset])
        ]
        if days:
            yield _summary(fault, len({name for names in tried for name in names}), days, found.within)


def _summary(fault: Fault, columns: int, days: Sequence[float], within: float) -> Noticed:
    # Without interpolation: between a day and never lies nothing.
    quantiles = (float(np.quantile(days, rank, method="inverted_cdf")) for rank in (0.5, 0.9))
    median, slow = (value if np.isfinite(value) else None for value in quantiles)
    return Noticed(fault.name, columns, len(days), int(np.isfinite(days).sum()), median, slow, within)


def _watched(found: Ground) -> list[str]:
    accounts = found.signal.detector.tracks.accounts
    return [name for name, weight in zip(accounts, found.signal.importance, strict=True) if weight > 0]


def _calm(found: Ground) -> tuple[dict[int, State], dict[int, Mapping[str, bool]]]:
    """Judge the windows as they are: by onset the state before it, and whether a column was calm around it."""
    state, paid = found.signal.detector.start(), []
    states: dict[int, State] = {}
    for place in range(len(found.windows)):
        if place in found.onsets:
            states[place] = state
        state, now = found.step(state, place, found.sums[place], found.rows[place])
        paid.append(now)
    lead = ceil(LEAD_DAYS * found.signal.rhythm.a_day)
    accounts = found.signal.detector.tracks.accounts
    calm: dict[int, Mapping[str, bool]] = {
        onset: dict(zip(accounts, ~np.any(paid[max(0, onset - lead) : onset + found.horizon], axis=0), strict=True))
        for onset in found.onsets
    }
    return states, calm


def _days(found: Ground, fault: Fault, onset: int, moves: Mapping[str, Array], state: State) -> list[float]:
    """Return for each column the days until the fault is noticed, infinite where it never is."""
    accounts = found.signal.detector.tracks.accounts
    days = {name: _fact(found, name, moves[name], onset) if fault.whole else np.inf for name in moves}
    sums, rows = _panel(found, onset, moves)
    for later in range(found.horizon):
        if np.isfinite([*days.values()]).all():
            break
        state, paid = found.step(state, onset + later, sums[later], rows[later])
        for account in np.flatnonzero(paid):
            if (name := accounts[account]) in days:
                days[name] = min(days[name], found.days(onset, later))
    return list(days.values())


def _panel(found: Ground, onset: int, moves: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return sums and rows of the components from an onset on, with the fault; shape (horizon, components)."""
    span = slice(onset, onset + found.horizon)
    sums, rows = found.sums[span].copy(), found.rows[span].copy()
    tracks, matrices = found.signal.detector.tracks, found.signal.layout.matrices
    for number, name in enumerate(tracks.accounts):
        if name in moves:
            counts = np.stack([count_vector(profile.columns[name]) for profile in found.profiles[span]]) @ moves[name]
            numerators, denominators = matrices[name]
            sums[:, tracks.account == number] = counts @ numerators.T
            rows[:, tracks.account == number] = counts @ denominators.T
    return sums, rows


def _fact(found: Ground, name: str, moves: Array, onset: int) -> float:
    """Return the days until a window shows a fault beyond doubt, infinite where none does."""
    reference, signal = found.reference, found.signal
    bins = {name: reference.bins[name]}
    facts = [planned for planned in found.plan if rule_of(planned) is Rule.FACT]
    of_columns = sum(rule_of(p) is Rule.FACT for c, b in reference.bins.items() for p, _ in planned_for(c, b, facts))
    level = signal.fact_level(of_columns + sum(not measures_columns(planned.check) for planned in facts))
    for later in range(found.horizon):
        window, profile = found.windows[onset + later], found.profiles[onset + later]
        broken = Profile(profile.rows, {name: planted(profile.columns[name], bins[name], moves)})
        measured = list(measure_columns(bins, reference.profile, broken, facts))
        findings = judge_measured(reference.model, window, measured, level, signal.usual)
        if any(finding.verdict is Verdict.BREACH for finding in findings):
            return found.days(onset, later)
    return np.inf
