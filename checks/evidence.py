"""Evidence: what has been won by betting against "nothing changed", window by window (SIGNAL.md 2.4).

Every cell (a component, a direction, a size of change, a scale of time) holds a Shiryaev-Roberts account: each block it
receives one and multiplies by its bet. While nothing changes its expectation is the number of windows, so that asking
for A before an alarm costs no more than one false alarm in A windows, whatever depends on what (Shin, Ramdas & Rinaldo
2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from checks.bets import RARE_BELOW, RareBets, StudentBets, rare_bets, slacks, speaks
from checks.calibration import CLIPPED, FEWEST_BLOCKS, PRIOR_BLOCKS, Calibration, calibrate
from checks.persistence import predicted
from checks.season import Array, Flags, Moments
from checks.timeline import ScaleName, Timeline

FINE_DELTAS = (0.5, 1.0, 2.0, 4.0, 12.0)  # innovation deviations; the coarsest scale looks for small changes
FAST_DELTAS = (3.0, 6.0, 12.0)  # finer scales for large ones only: small ones there add up what nobody can verify
RARE_BETS = 5
MOST_EVIDENCE, LOG_MOST = 1e200, 300.0


@dataclass(frozen=True, eq=False)
class Tracks:
    """What evidence is gathered on; arrays of shape (components,).

    Parameters
    ----------
    accounts : names of the accounts, one a column.
    account : the account of each component.
    scored, tolerance, tail, rises, hidden : see :class:`checks.components.Component`.
    """

    accounts: tuple[str, ...]
    account: npt.NDArray[np.intp]
    scored: Flags
    tolerance: Array
    tail: Flags
    rises: Flags
    hidden: Array

    def __len__(self) -> int:
        return len(self.account)

    @property
    def kinds(self) -> npt.NDArray[np.intp]:
        """Return which components are of one kind, those of one check and tolerance; shape (components,)."""
        return np.unique(np.where(self.scored, self.tolerance, -1.0), return_inverse=True)[1].reshape(-1)

    def by_account(self, values: Array) -> Array:
        """Return sums of ``values``, shape (…, components), by account; components of an account stand together."""
        return np.asarray(
            np.add.reduceat(values, np.searchsorted(self.account, np.arange(len(self.accounts))), axis=-1)
        )

    def values(self, sums: Array, rows: Array) -> Array:
        """Return scores' means and shares' angles, both of sampling variance 1 / rows; same shape as ``sums``."""
        held = np.maximum(rows, 1.0)
        angles = 2 * np.arcsin(np.sqrt(np.clip((sums + 0.375) / (rows + 0.75), 0.0, 1.0)))  # Anscombe 1948
        return np.where(self.scored, sums / held, angles)


@dataclass(frozen=True, eq=False)
class Block:
    """One block, standardised; arrays of shape (components,).

    Parameters
    ----------
    departure : from what is expected, in Cohen's d or h.
    expected : mean score or angle, with what people have accepted.
    error : standard deviation of the departure of such a block.
    rows : rows that it rests on.
    """

    departure: Array
    expected: Array
    error: Array
    rows: Array


@dataclass(frozen=True, eq=False)
class Factors:
    """What one block makes of evidence: by cell, shape (components, cells).

    Parameters
    ----------
    enter : factor if the change began in this block.
    lasting : factor if it began before.
    windows : of the block; each brings one to the account.
    block : the block itself.
    foreseen : what the blocks before make of its departure, in errors, shape (components,).
    innovation : what that leaves, in standard deviations of its own, shape (components,).
    """

    enter: Array
    lasting: Array
    windows: int
    block: Block
    foreseen: Array
    innovation: Array

    def grown(self, held: Array) -> Array:
        """Return evidence after the block; ``held`` may have axes before those of the cells."""
        return np.minimum(held * self.lasting + self.windows * self.enter, MOST_EVIDENCE)


@dataclass(frozen=True, eq=False)
class ScaleState:
    """What a scale remembers.

    Parameters
    ----------
    held : evidence by cell, shape (components, cells).
    past : the last standardised blocks, newest last, shape (order, components).
    sums, rows : of the block so far, with what earlier blocks were too small to say; shape (components,).
    hours, years : sums over the block's windows.
    windows : of the block so far.
    block : its number; None before the first.
    """

    held: Array
    past: Array
    sums: Array
    rows: Array
    hours: float = 0.0
    years: float = 0.0
    windows: int = 0
    block: int | None = None


@dataclass(frozen=True, eq=False)
class State:
    """Everything that carries over from window to window.

    Parameters
    ----------
    scales : one for each scale.
    frozen : components whose alarm is open and whose evidence rests, shape (components,).
    accepted : departures that a person has declared normal, shape (components,).
    """

    scales: tuple[ScaleState, ...]
    frozen: Flags
    accepted: Array


@dataclass(frozen=True, eq=False)
class Scale:
    """One scale of time: how its blocks behave and what is bet on them.

    ``rarely`` marks the components that rare-count bets serve; ``weights`` are those of the cells in their account,
    shape (components, cells).
    """

    name: ScaleName
    calibration: Calibration
    student: StudentBets
    rare: RareBets
    rarely: Flags
    weights: Array

    def start(self) -> ScaleState:
        """Return the state before the first window."""
        size = len(self.rarely)
        zeros = np.zeros(size)
        return ScaleState(np.zeros_like(self.weights), np.zeros((len(self.calibration.phi), size)), zeros, zeros)


def scale_of(
    tracks: Tracks,
    name: ScaleName,
    sums: Array,
    rows: Array,
    timeline: Timeline,
    snapshot: tuple[Array, Array] | None = None,
    **season: bool,
) -> Scale:
    """Return a calibrated scale.

    Parameters
    ----------
    sums, rows : of the reference's windows, shape (windows, components).
    snapshot : sums and rows of a reference without time, each of shape (components,): the level is then its own, and
        the windows, which are those of the log, say no more than how much it varies (SIGNAL.md 2.9).
    season : ``weekly`` and ``yearly``, see :func:`checks.season.designs`.
    """
    sums, rows = timeline.gathered(name, sums), timeline.gathered(name, rows)
    grain = timeline.grain(name)
    values = tracks.values(sums, rows)
    calibration = calibrate(values, rows, timeline.middles(name), grain, tracks.tolerance, tracks.kinds, **season)
    rare = rare_bets(sums, rows, tracks.tolerance, tracks.tail, tracks.hidden)
    if snapshot is not None:
        calibration = calibration.at(tracks.values(*snapshot), timeline.middles(name))
        known = rare_bets(snapshot[0][None], snapshot[1][None], tracks.tolerance, tracks.tail, tracks.hidden)
        rare = replace(known, dispersion=rare.dispersion)
    blocks = len(sums) if len(sums) >= FEWEST_BLOCKS else PRIOR_BLOCKS
    rarely = ~tracks.scored & (sums.sum(axis=0) < RARE_BELOW * blocks)
    coarsest = name == timeline.scales[-1]
    student = StudentBets.against(calibration, FINE_DELTAS if coarsest else FAST_DELTAS)
    cells = max(2 * len(student.deltas), RARE_BETS)
    used = np.zeros((len(tracks), cells))
    # A share that never moved (all rows null) still has what chance makes of its rows; a score has nothing.
    used[:, : 2 * len(student.deltas)] = ((calibration.usable > 0) | ~tracks.scored)[:, None]
    used[rarely] = np.arange(cells) < RARE_BETS
    if tracks.rises.any():
        used[tracks.rises & ~rarely, len(student.deltas) :] = 0.0
    totals = np.bincount(tracks.account, used.sum(axis=1), minlength=len(tracks.accounts))
    weights = used / np.maximum(totals, 1.0)[tracks.account][:, None] / len(timeline.scales)
    return Scale(name, calibration, student, rare, rarely, weights)


@dataclass(frozen=True, eq=False)
class Detector:
    """Turns a stream of windows into evidence. Knows nothing of budgets: see :mod:`checks.budget`."""

    tracks: Tracks
    scales: tuple[Scale, ...]

    @classmethod
    def learned(
        cls,
        tracks: Tracks,
        sums: Array,
        rows: Array,
        timeline: Timeline,
        snapshot: tuple[Array, Array] | None = None,
        **season: bool,
    ) -> "Detector":
        """Return the detector that the reference's windows teach.

        Parameters
        ----------
        sums, rows : shape (windows, components).
        snapshot : see :func:`scale_of`.
        """
        scales = (scale_of(tracks, name, sums, rows, timeline, snapshot, **season) for name in timeline.scales)
        return cls(tracks, tuple(scales))

    def start(self) -> State:
        """Return the state before the first window."""
        size = len(self.tracks)
        return State(tuple(scale.start() for scale in self.scales), np.zeros(size, bool), np.zeros(size))

    def step(
        self, state: State, sums: Array, rows: Array, moment: Timeline, ends: Sequence[bool]
    ) -> tuple[State, Block | None]:
        """Return the state after one more window, and the block of the coarsest scale if one has ended.

        Parameters
        ----------
        sums, rows : of the window, shape (components,).
        moment : of the window, of length 1.
        ends : by scale, whether the window is the last of its block.
        """
        scales, ended = [], None
        for scale, held, last in zip(self.scales, state.scales, ends, strict=True):
            moved, factors = self.bet(scale, held, state.accepted, sums, rows, moment, last=last)
            evidence = moved.held
            for factor in factors:
                evidence = np.where(state.frozen[:, None], 0.0, factor.grown(evidence))
            scales.append(replace(moved, held=evidence))
            ended = factors[-1].block if factors else None
        return replace(state, scales=tuple(scales)), ended

    def bet(
        self, scale: Scale, held: ScaleState, accepted: Array, sums: Array, rows: Array, moment: Timeline, *, last: bool
    ) -> tuple[ScaleState, list["Factors"]]:
        """Return a scale's state after one more window, its evidence untouched, and the bets on blocks that ended."""
        block = int(moment.blocks(scale.name)[0]) if scale.name != "window" else 0
        factors = []
        if held.windows and held.block != block:  # the last window of the block before never came
            held, factor = self._close(scale, held, accepted)
            factors.append(factor)
        held = replace(
            held,
            sums=held.sums + sums,
            rows=held.rows + rows,
            hours=held.hours + float(moment.moments.hours[0]),
            years=held.years + float(moment.moments.years[0]),
            windows=held.windows + 1,
            block=block,
        )
        if last:
            held, factor = self._close(scale, held, accepted)
            factors.append(factor)
        return held, factors

    def _close(self, scale: Scale, held: ScaleState, accepted: Array) -> tuple[ScaleState, "Factors"]:
        """Bet on the block that has ended."""
        middle = Moments(np.array([held.hours / held.windows]), np.array([held.years / held.windows]))
        seen = self.departure(scale, held.sums, held.rows, middle, accepted)
        calibration = scale.calibration
        standard = seen.departure / seen.error
        foreseen = predicted(np.vstack([held.past, standard]), calibration.phi, CLIPPED)[0]
        _, leverage = calibration.expected(middle)
        innovation = (standard - foreseen) / (calibration.scale * np.sqrt(1 + leverage[0]))
        enter, lasting = self._factors(scale, innovation, seen, held, accepted)
        spoke = speaks(seen.rows)
        past = np.where(spoke, np.vstack([held.past[1:], standard]), held.past)
        kept = ~(spoke | scale.rarely)  # too few rows: they count with the next block
        moved = replace(held, past=past, sums=held.sums * kept, rows=held.rows * kept, hours=0.0, years=0.0, windows=0)
        return moved, Factors(enter, lasting, held.windows, seen, foreseen, innovation)

    def departure(self, scale: Scale, sums: Array, rows: Array, middle: Moments, accepted: Array) -> Block:
        """Return how far a block is from what is expected of it.

        Parameters
        ----------
        sums, rows, accepted : shape (components,).
        middle : of the block, of length 1.
        """
        level, _ = scale.calibration.expected(middle)
        values = self.tracks.values(sums, rows)
        return Block(values - level[0] - accepted, level[0] + accepted, scale.calibration.errors(rows), rows)

    def _factors(
        self, scale: Scale, innovation: Array, seen: Block, held: ScaleState, accepted: Array
    ) -> tuple[Array, Array]:
        """Return the factors of entry and of lasting, each of shape (components, cells)."""
        shape = scale.weights.shape
        enter, lasting = np.zeros(shape), np.zeros(shape)
        room = slacks(scale.calibration, seen.error[None])
        pair = scale.student.log_factors(innovation[None], scale.calibration, room)
        deltas = 2 * len(scale.student.deltas)
        spoken = speaks(seen.rows)[:, None]
        enter[:, :deltas] = pair[0][0].reshape(len(innovation), deltas) * spoken
        lasting[:, :deltas] = pair[1][0].reshape(len(innovation), deltas) * spoken
        if scale.rarely.any():
            rare = scale.rare.raised(accepted).log_factors(held.sums[None], held.rows[None])[0]
            for found in (enter, lasting):
                found[scale.rarely] = 0.0
                found[scale.rarely, :RARE_BETS] = rare[scale.rarely]
        # A block without a word brings nothing either: silence must not add up to an alarm.
        heard = np.where(scale.rarely, held.rows > 0, speaks(seen.rows))[:, None]
        return np.exp(np.minimum(enter, LOG_MOST)) * heard, np.exp(np.minimum(lasting, LOG_MOST))

    def shares(self, state: State) -> Array:
        """Return what each component contributes to the evidence of its account, shape (components,)."""
        return np.asarray(
            sum((held.held * scale.weights).sum(axis=1) for scale, held in zip(self.scales, state.scales, strict=True))
        )

    def evidence(self, state: State) -> Array:
        """Return the evidence of every account, shape (accounts,)."""
        return self.tracks.by_account(self.shares(state))

    def paid(self, state: State, accounts: Array, frozen: Flags) -> State:
        """Return the state after some accounts have paid for an alarm: they begin again at nothing.

        Parameters
        ----------
        accounts : 1 for those that paid, shape (accounts,).
        frozen : components that rest until their alarm is over, shape (components,).
        """
        emptied = (accounts > 0)[self.tracks.account] | frozen
        scales = tuple(replace(held, held=np.where(emptied[:, None], 0.0, held.held)) for held in state.scales)
        return replace(state, scales=scales, frozen=frozen)
