"""How a verdict of evidence came about: every number on the way from a window's counts to what its account held. Pure.

The same functions as the daemon's, asked one by one: nothing here is a second way to judge.
"""

from dataclasses import dataclass

import numpy as np

from checks.bets import speaks
from checks.budget import joint_price, paying
from checks.evidence import Factors, Scale
from checks.profile import Profile
from checks.season import Array, rhythms
from monitor.core.alarms import Decided, beyond_doubt, settled
from monitor.core.memory import Alarm, Memory
from monitor.core.sight import in_unit
from monitor.core.signal import Signal, budget_of
from monitor.core.verdicts import farthest
from monitor.core.window import Window


@dataclass(frozen=True)
class Step:
    """What one component of a check showed on one scale of time, in the block that ended with the window.

    Scored components are mean scores in standard deviations of the reference's rows, others shares of rows.

    Parameters
    ----------
    component, scale, scored : which, and in which unit.
    rows, value : what was counted.
    expected : at this time, by ``rhythm`` (empty without one).
    effect : value less expected.
    tolerance : effect that is not worth an alert.
    between : standard deviation between the reference's blocks beyond what their rows scatter.
    blocks, independent : of the reference, and how many independent ones they are worth.
    persistence : part of a departure that is still there in the next block.
    standard : the departure in standard deviations of such blocks.
    foreseen : what the blocks before made of it, in the same.
    innovation : what that leaves, in standard deviations of its own.
    allowed : where the share is too small for a normal theory and counts are bet on, the largest that the reference
        allows; else None.
    spoke : whether there were rows enough.
    held, received, now : of the check's account, by this component on this scale.
    """

    component: str
    scale: str
    scored: bool
    rows: int
    value: float
    expected: float
    rhythm: str
    effect: float
    tolerance: float
    between: float
    blocks: int
    independent: float
    persistence: float
    standard: float
    foreseen: float
    innovation: float
    allowed: float | None
    spoke: bool
    held: float
    received: float
    now: float

    @property
    def factor(self) -> float:
        """By how much the bets of the block multiplied what they were made with."""
        staked = self.held + self.received
        return self.now / staked if staked > 0 else 1.0


@dataclass(frozen=True)
class Account:
    """The account of a column and what an alarm costs it.

    Parameters
    ----------
    before, now : evidence before the window, and after it before anybody paid.
    paid : whether it paid in this window; ``alone`` whether it could by itself.
    cost : evidence that an alarm costs; infinite where the column is muted.
    threshold, strict : what an account of weight 1 pays by the replay of the reference, and by the bound.
    importance, accounts : weight of the column; number of accounts, with one for facts.
    together : mean evidence of all accounts, as a share of what makes the largest pay together.
    """

    column: str
    before: float
    now: float
    paid: bool
    alone: bool
    cost: float
    threshold: float
    strict: float
    importance: float
    accounts: int
    together: float


@dataclass(frozen=True)
class Trace:
    """A verdict's way.

    Parameters
    ----------
    steps : of the component that the verdict is about, that with the most evidence first.
    by_check : evidence after the window of each check of the column, before anybody paid.
    open_before : the check's alarm that was open before the window; while it is, its evidence rests.
    """

    steps: tuple[Step, ...]
    account: Account
    by_check: tuple[tuple[str, float], ...]
    open_before: Alarm | None
    open_after: Alarm | None


@dataclass(frozen=True, eq=False)
class _Moved:
    """One scale's evidence before and after a window; arrays of shape (components, cells)."""

    scale: Scale
    before: Array
    after: Array
    closed: tuple[Factors, ...]


def trace(
    signal: Signal,
    memory: Memory,
    after: Memory,
    window: Window,
    profile: Profile,
    decided: Decided,
    key: tuple[str, str],
) -> Trace | None:
    """Return how a column's check came to its verdict; None where the check gathers no evidence on the column.

    Parameters
    ----------
    memory, after : before and after the window.
    decided : by people, before the window.
    key : column and check.
    """
    places = signal.places.get(key)
    if places is None:
        return None
    memory, _ = settled(signal, memory, decided)
    sums, rows = signal.layout.observe(profile)
    moment, accepted = signal.rhythm.timeline([window]), memory.state.accepted
    moved, detector = [], signal.detector
    for scale, held, last in zip(detector.scales, memory.state.scales, signal.rhythm.ends(window), strict=True):
        _, closed = detector.bet(scale, held, accepted, sums, rows, moment, last=last)
        grown = held.held
        for factors in closed:
            grown = np.where(memory.state.frozen[:, None], 0.0, factors.grown(grown))
        moved.append(_Moved(scale, held.held, grown, tuple(closed)))
    opened = {alarm.key: alarm for alarm in after.alarms}
    block = detector.departure(detector.scales[0], sums, rows, moment.moments, accepted)
    lead = opened[key].lead if key in opened else farthest(block, places)
    item = signal.layout.places[lead].component
    steps = [_step(scale, lead, accepted, scored=item.scored, component=item.name) for scale in moved if scale.closed]
    shares = np.asarray(sum((scale.after * scale.scale.weights).sum(axis=1) for scale in moved))
    shares = beyond_doubt(signal, sums, rows, memory.state.frozen, shares)
    by_check = {check: list(own) for (column, check), own in signal.places.items() if column == key[0]}
    return Trace(
        tuple(sorted(steps, key=lambda step: -step.now)),
        _account(signal, key[0], memory, shares),
        tuple((check, float(shares[own].sum())) for check, own in by_check.items()),
        next((alarm for alarm in memory.alarms if alarm.key == key), None),
        opened.get(key),
    )


def _step(moved: _Moved, place: int, accepted: Array, *, scored: bool, component: str) -> Step:
    scale, factors = moved.scale, moved.closed[-1]
    learnt, block = scale.calibration, factors.block
    expected, departure = float(block.expected[place]), float(block.departure[place])

    def size(effect: float) -> float:
        return in_unit(effect, expected, scored=scored)

    names = rhythms(learnt.grain, weekly=learnt.weekly, yearly=learnt.yearly)
    return Step(
        component=component,
        scale=scale.name,
        scored=scored,
        rows=int(block.rows[place]),
        value=_native(expected + departure, float(block.rows[place]), scored=scored),
        expected=_native(expected, float(block.rows[place]), scored=scored),
        rhythm=names[int(learnt.choice[place])],
        effect=size(departure),
        tolerance=size(float(learnt.tolerance[place])),
        between=size(float(np.sqrt(learnt.between[place]))),
        blocks=int(learnt.blocks[place]),
        independent=float(learnt.independent[place]),
        persistence=float(1 - learnt.gain[place]),
        standard=departure / float(block.error[place]),
        foreseen=float(factors.foreseen[place]),
        innovation=float(factors.innovation[place]),
        allowed=float(scale.rare.raised(accepted).null[place]) if scale.rarely[place] else None,
        spoke=bool(scale.rarely[place] or speaks(block.rows)[place]),
        held=float((moved.before[place] * scale.weights[place]).sum()),
        received=float(sum(part.windows for part in moved.closed) * scale.weights[place].sum()),
        now=float((moved.after[place] * scale.weights[place]).sum()),
    )


def _native(value: float, rows: float, *, scored: bool) -> float:
    """Return a mean score as it is, and an angle as the share of rows that it stands for (Anscombe 1948)."""
    if scored:
        return value
    share = float(np.sin(min(np.pi, max(0.0, value)) / 2) ** 2)
    return max(0.0, (share * (rows + 0.75) - 0.375) / max(1.0, rows))


def _account(signal: Signal, column: str, memory: Memory, shares: Array) -> Account:
    tracks = signal.detector.tracks
    number = tracks.accounts.index(column)
    evidence = tracks.by_account(shares)
    paid = paying(evidence, signal.importance, signal.threshold, signal.strict)
    cost = float(signal.costs[tracks.account == number][0])
    return Account(
        column=column,
        before=float(signal.detector.evidence(memory.state)[number]),
        now=float(evidence[number]),
        paid=bool(paid[number] > 0),
        alone=bool(evidence[number] >= cost),
        cost=cost,
        threshold=signal.audit.threshold,
        strict=budget_of(signal.terms, signal.rhythm).strict,
        importance=float(signal.importance[number]),
        accounts=len(tracks.accounts) + 1,
        together=float((evidence * signal.importance).mean() / joint_price(signal.threshold, signal.strict)),
    )
