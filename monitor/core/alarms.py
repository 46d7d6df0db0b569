"""From a window's evidence to alarms that open, last, grow and end (SIGNAL.md 2.8). Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from checks.budget import paying
from checks.calibration import FEWEST_ROWS
from checks.evidence import Block
from checks.lasting import GROWN, Estimate, estimate, onset, over, rare_estimate
from checks.profile import Profile
from checks.season import Array, Flags
from monitor.core.memory import Alarm, Memory
from monitor.core.signal import Signal
from monitor.core.window import Window

Past = Callable[[datetime], Sequence[tuple[Window, Profile]]]

GROSS = 0.5  # by which the share of some rows exceeds the largest that the reference ever had
MOST_BACK = 60  # windows that an onset is looked for in
DAYS_BACK = timedelta(days=45)
TOLD_AGAIN = timedelta(days=1)  # a change that grows is told once a day at most


@dataclass(frozen=True)
class Decided:
    """What people have decided of open alarms, as (column, check).

    Parameters
    ----------
    accepted : the level since the onset is the new normal.
    closed : the alarm is over, the normal is as it was.
    """

    accepted: frozenset[tuple[str, str]] = frozenset()
    closed: frozenset[tuple[str, str]] = frozenset()


UNDECIDED = Decided()


@dataclass(frozen=True, eq=False)
class Watched:
    """What one window has done to the evidence.

    Parameters
    ----------
    memory : after the window.
    block : the window, standardised on the finest scale.
    evidence : of each component's account as a share of what an alarm costs, before anybody paid; shape (components,).
    opened, grown, ended : alarms that did so in this window.
    """

    memory: Memory
    block: Block
    evidence: Array
    opened: tuple[Alarm, ...] = ()
    grown: tuple[Alarm, ...] = ()
    ended: tuple[Alarm, ...] = ()


def watch(
    signal: Signal,
    memory: Memory,
    window: Window,
    profile: Profile,
    past: Past,
    decided: Decided = UNDECIDED,
) -> Watched:
    """Return what a window makes of the evidence.

    Parameters
    ----------
    past : gives the windows before this one since a moment, oldest first, for the onset and the size of a change.
    decided : what people have decided of open alarms.
    """
    detector = signal.detector
    memory, forgiven = settled(signal, memory, decided)
    sums, rows = signal.layout.observe(profile)
    moment = signal.rhythm.timeline([window])
    block = detector.departure(detector.scales[0], sums, rows, moment.moments, memory.state.accepted)
    state, ended = detector.step(memory.state, sums, rows, moment, signal.rhythm.ends(window))
    shares = beyond_doubt(signal, sums, rows, state.frozen, detector.shares(state))
    evidence = detector.tracks.by_account(shares)
    paid = paying(evidence, signal.importance, signal.threshold, signal.strict)
    open_alarms = memory.alarms if ended is None else tuple(_lasting(signal, a, ended) for a in memory.alarms)
    over_now = tuple(a for a in open_alarms if ended is not None and _over(signal, a))
    told = [_grown(signal, a, window) for a in open_alarms if a not in over_now]
    new = _opened(signal, state.frozen, shares, paid, window, profile, past, state.accepted)
    alarms = tuple(a for a, _ in told) + new
    frozen = np.zeros(len(detector.tracks), bool)
    for alarm in alarms:
        frozen[list(signal.places[alarm.key])] = True
    memory = Memory(detector.paid(state, paid, frozen), alarms)
    share = evidence[detector.tracks.account] / signal.costs
    return Watched(memory, block, share, new, tuple(a for a, again in told if again), (*forgiven, *over_now))


def beyond_doubt(signal: Signal, sums: Array, rows: Array, frozen: Flags, shares: Array) -> Array:
    """Return the evidence, at the price of an alarm where most rows show what no window of the reference came near.

    All values null, or all far away, need no second window and no gambling.
    """
    gross = (rows >= FEWEST_ROWS) & (sums / np.maximum(rows, 1.0) >= signal.worst + GROSS)
    sure = gross & ~signal.detector.tracks.scored & ~frozen & np.isfinite(signal.costs)
    return np.where(sure, np.maximum(shares, signal.costs), shares)


def _opened(
    signal: Signal,
    frozen: Flags,
    shares: Array,
    paid: Array,
    window: Window,
    profile: Profile,
    past: Past,
    accepted: Array,
) -> tuple[Alarm, ...]:
    """Open an alarm for every check that carries the evidence of an account that pays."""
    if not paid.any():
        return ()
    named = _named(signal, frozen, shares, paid)
    since = [*past(window.start - min(DAYS_BACK, MOST_BACK * window.length)), (window, profile)][-MOST_BACK:]
    counts, windows = signal.layout.panel([p for _, p in since]), [w for w, _ in since]
    blocks = _blocks(signal, windows, counts, accepted)
    return tuple(_alarm(signal, key, shares, windows, counts, blocks, window) for key in named)


def _named(signal: Signal, frozen: Flags, shares: Array, paid: Array) -> list[tuple[str, str]]:
    """Return the checks that hold what an alarm costs by themselves; of every account that pays at least the first."""
    account = signal.detector.tracks.account
    found = []
    for number, column in enumerate(signal.detector.tracks.accounts):
        if not paid[number]:
            continue
        own = {
            key: float(shares[list(places)].sum())
            for key, places in signal.places.items()
            if key[0] == column and not frozen[list(places)].all()
        }
        if not own:
            continue
        cost = float(signal.costs[account == number][0])
        first = max(own, key=lambda key: own[key])
        found += [key for key, held in own.items() if key == first or held >= cost]
    return found


def _blocks(
    signal: Signal, windows: Sequence[Window], counts: tuple[Array, Array], accepted: Array
) -> tuple[Array, Array]:
    """Return departures and errors of windows on the finest scale, each of shape (windows, components)."""
    scale = signal.detector.scales[0]
    sums, rows = counts
    level, _ = scale.calibration.expected(signal.rhythm.timeline(windows).moments)
    departures = signal.detector.tracks.values(sums, rows) - level - accepted
    return departures, scale.calibration.errors(rows)


def _alarm(
    signal: Signal,
    key: tuple[str, str],
    shares: Array,
    windows: Sequence[Window],
    counts: tuple[Array, Array],
    blocks: tuple[Array, Array],
    window: Window,
) -> Alarm:
    places = list(signal.places[key])
    lead = places[int(np.argmax(shares[places]))]
    departures, errors = blocks
    first = _began(departures[:, lead] / errors[:, lead])
    scale = signal.detector.scales[0]
    if scale.rarely[lead]:
        events, rows = (float(part[first:, lead].sum()) for part in counts)
        found = rare_estimate(events, max(1.0, rows), float(scale.rare.seen[lead]), float(scale.rare.dispersion[lead]))
    else:
        found = _estimated(signal, lead, departures[first:, lead], errors[first:, lead], scale=0)
    return Alarm(
        column=key[0],
        check=key[1],
        lead=lead,
        onset=windows[first].start,
        opened=window.end,
        effect=found.effect,
        low=found.low,
        high=found.high,
        told_at=window.end,
        totals=tuple(_known(departures[first:], counts[1][first:])[:, _column(signal, lead)].mean(axis=0).tolist()),
        blocks=1,
    )


def _began(standard: Array) -> int:
    """Return the place of the window in which a change began, whichever way it went."""
    places = [onset(standard, direction) for direction in (1.0, -1.0)]
    return max(places, key=lambda place: float(standard[place:].sum() ** 2 / len(standard[place:])))


def _estimated(signal: Signal, lead: int, departures: Array, errors: Array, scale: int) -> Estimate:
    learnt = signal.detector.scales[scale].calibration
    return estimate(departures, errors, learnt.long_run[lead], learnt.freedom[lead], learnt.blocks[lead])


def _lasting(signal: Signal, alarm: Alarm, ended: Block) -> Alarm:
    """Add the block that has ended, if it had enough rows to say something."""
    if ended.rows[alarm.lead] < 1:
        return alarm
    departures = tuple(_known(ended.departure, ended.rows)[_column(signal, alarm.lead)].tolist())
    return alarm.after(float(ended.departure[alarm.lead]), float(ended.error[alarm.lead]), departures)


def _column(signal: Signal, place: int) -> Flags:
    """Return which components are of the same column as one, shape (components,)."""
    account = signal.detector.tracks.account
    return np.asarray(account == account[place])


def _known(departures: Array, rows: Array) -> Array:
    """Return departures, those of no rows as none."""
    return np.where(rows >= 1, departures, 0.0)


def _over(signal: Signal, alarm: Alarm) -> bool:
    learnt = signal.detector.scales[-1].calibration
    return over(
        np.array(alarm.departures),
        np.array(alarm.errors),
        alarm.effect,
        learnt.tolerance[alarm.lead],
        learnt.long_run[alarm.lead],
        learnt.blocks[alarm.lead],
    )


def _grown(signal: Signal, alarm: Alarm, window: Window) -> tuple[Alarm, bool]:
    """Return an alarm, told again where it has grown beyond what people know."""
    latest = alarm.departures[-3:]
    if len(latest) < 3 or window.end - alarm.told_at < TOLD_AGAIN:
        return alarm, False
    found = _estimated(signal, alarm.lead, np.array(latest), np.array(alarm.errors[-3:]), scale=-1)
    if found.effect * alarm.effect <= 0 or found.size <= GROWN * abs(alarm.effect):
        return alarm, False
    return replace(alarm, effect=found.effect, low=found.low, high=found.high, told_at=window.end), True


def settled(signal: Signal, memory: Memory, decided: Decided) -> tuple[Memory, tuple[Alarm, ...]]:
    """End the alarms that people have decided on; where they accepted it, the level since the onset becomes normal.

    It is the column that is accepted: a shift moves its spread and its tails too, and nobody would be asked again for
    each of them. What was gathered about the old level is forgotten.
    """
    ended = tuple(alarm for alarm in memory.alarms if alarm.key in decided.accepted | decided.closed)
    if not ended:
        return memory, ()
    frozen, shift = memory.state.frozen.copy(), np.zeros(len(memory.state.accepted))
    moved = np.zeros(len(shift), bool)
    for alarm in sorted(ended, key=lambda alarm: alarm.onset):
        own = np.isin(np.arange(len(shift)), signal.places[alarm.key])
        frozen[own] = False
        if alarm.key in decided.accepted:
            column = _column(signal, alarm.lead)
            level = np.zeros(len(shift))
            level[column] = np.array(alarm.totals) / max(1, alarm.blocks)
            # Of a column's alarms the earliest knows most, but each knows best what it is about.
            shift = np.where(own | (column & ~moved), level, shift)
            moved |= column
    scales = tuple(
        replace(held, held=np.where(moved[:, None], 0.0, held.held), past=np.where(moved, 0.0, held.past))
        for held in memory.state.scales
    )
    state = replace(memory.state, scales=scales, accepted=memory.state.accepted + shift, frozen=frozen)
    return Memory(state, tuple(alarm for alarm in memory.alarms if alarm not in ended)), ended


def by_key(alarms: Sequence[Alarm]) -> Mapping[tuple[str, str], Alarm]:
    """Return alarms by column and check."""
    return {alarm.key: alarm for alarm in alarms}
