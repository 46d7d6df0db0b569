"""Bets against "nothing changed": factors by which evidence grows, of expectation one at most while that is true.

The blocks' innovations are bet on with Student's likelihood ratios (SIGNAL.md 2.4), counts that are too rare for a
normal theory with binomial ones (2.5).
"""

from dataclasses import dataclass, replace

import numpy as np

from checks.calibration import FEWEST_ROWS, LEVEL_ERRORS, PRIOR_BLOCKS, Calibration
from checks.season import Array, Flags

LARGEST_ENTRY = 12.0  # innovation deviations; a first block is not expected to jump further
RARE_BELOW = 10.0  # expected rows of a block below which a share is too rare for a normal theory
UNKNOWN_BURST = 2.0  # times the cap where the reference has no event of the kind to judge bursts by
SPANS = (1, 3, 9, 27, 81)  # blocks over which the clustering of rare counts is looked for
FEWEST_SPANS = 6
COUNTED = 5  # events of a reference from which their clustering can be told
MOST_ROWS = 0.5  # a share from which no cap applies: most rows are no burst


@dataclass(frozen=True, eq=False)
class StudentBets:
    """Likelihood ratios of a lasting shift of ``delta`` innovation deviations against none, both directions.

    A shift enters with its whole size and then shows only what whitening leaves of it, ``gain``: the block in which it
    begins is bet on apart (``enter``) from the blocks in which it lasts (``last``).

    Beyond its extremes Student's ratio falls back towards one. It is held there, which makes it rise all the way, and
    divided by what that adds to its expectation: so its expectation is one at the boundary of the null hypothesis and,
    since it rises, no more than one anywhere inside.

    Parameters
    ----------
    deltas : shape (deltas,).
    enter, last : shifts by component and delta, and the logarithm of their norm; each of shape (components, deltas).
    """

    deltas: Array
    enter: tuple[Array, Array]
    last: tuple[Array, Array]

    @classmethod
    def against(cls, calibration: Calibration, deltas: tuple[float, ...]) -> "StudentBets":
        """Return the bets for calibrated components."""
        grid = np.asarray(deltas)
        freedom = calibration.freedom[:, None]
        last = np.broadcast_to(grid, (len(freedom), len(grid)))
        # An entry is bet on as large as it would be with the shift that the lasting bet is about, within reason.
        enter = np.minimum(grid / calibration.gain[:, None], np.maximum(LARGEST_ENTRY, grid))
        return cls(grid, (enter, _log_norm(enter, freedom)), (last, _log_norm(last, freedom)))

    def log_factors(
        self, innovations: Array, calibration: Calibration, slack: tuple[Array, Array]
    ) -> tuple[Array, Array]:
        """Return the logarithms of the factors for entry and for lasting, shape (blocks, components, 2, deltas).

        Parameters
        ----------
        innovations : standardised, shape (blocks, components).
        slack : of entry and of lasting: innovations up to this are within the null hypothesis; same shape.
        """
        signed = np.stack([innovations, -innovations], axis=-1)
        freedom = calibration.freedom[:, None, None]
        found = []
        for (shifts, norm), room in zip((self.enter, self.last), slack, strict=True):
            found.append(_log_ratio((signed - room[..., None])[..., None], shifts[:, None], freedom) - norm[:, None])
        return found[0], found[1]


def _extremes(shift: Array, freedom: Array) -> tuple[Array, Array]:
    """Return where the ratio is lowest and highest."""
    root = np.sqrt(shift**2 + 4 * freedom)
    return (shift - root) / 2, (shift + root) / 2


def _log_ratio(values: Array, shift: Array, freedom: Array) -> Array:
    low, high = _extremes(shift, freedom)
    held = np.clip(values, low, high)
    ratio = np.log1p(held**2 / freedom) - np.log1p((held - shift) ** 2 / freedom)
    return np.asarray((freedom + 1) / 2 * ratio)


def _log_norm(shift: Array, freedom: Array) -> Array:
    """Return the logarithm of the expectation of the held ratio under Student's distribution."""
    from scipy.special import stdtr

    low, high = _extremes(shift, freedom)
    below = np.exp(_log_ratio(low, shift, freedom)) * stdtr(freedom, low)
    between = stdtr(freedom, high - shift) - stdtr(freedom, low - shift)
    above = np.exp(_log_ratio(high, shift, freedom)) * stdtr(freedom, -high)
    return np.asarray(np.log(below + between + above))


@dataclass(frozen=True, eq=False)
class RareBets:
    """Binomial likelihood ratios of a risen share against the largest that the reference allows; upwards only.

    Tempered by the clustering of the reference's own counts, since E[L^(1/d)] <= 1 by Jensen's inequality, and capped
    where the reference knows such events: a burst cannot say more than "never seen in so many blocks".

    Parameters
    ----------
    seen : share of the reference, shape (components,).
    null : share of the null hypothesis, shape (components,).
    risen : shares bet on, shape (components, bets).
    dispersion, cap : shape (components,).
    """

    seen: Array
    null: Array
    risen: Array
    dispersion: Array
    cap: Array

    def raised(self, accepted: Array) -> "RareBets":
        """Return the bets after a person has declared a rise normal; Cohen's h, shape (components,)."""
        if not (accepted > 0).any():
            return self
        angles = np.minimum(np.pi / 2, np.arcsin(np.sqrt(self.null)) + np.maximum(accepted, 0.0) / 2)
        null = np.clip(np.sin(angles) ** 2, 1e-9, MOST_ROWS)
        return replace(self, null=null, risen=_risen(null))

    def log_factors(self, counts: Array, rows: Array) -> Array:
        """Return logarithms of the factors, shape (blocks, components, bets).

        Parameters
        ----------
        counts, rows : shape (blocks, components).
        """
        up = np.log(self.risen / self.null[:, None])
        down = np.log1p(-self.risen) - np.log1p(-self.null)[:, None]
        found = (counts[..., None] * up + (rows - counts)[..., None] * down) / self.dispersion[:, None]
        burst = counts < MOST_ROWS * rows
        return np.asarray(np.where(burst[..., None], np.minimum(found, self.cap[:, None]), found))


def rare_bets(counts: Array, rows: Array, tolerance: Array, tail: Flags, hidden: Array) -> RareBets:
    """Return the bets on shares, from the reference's blocks.

    Parameters
    ----------
    counts, rows : shape (blocks, components).
    tolerance : Cohen's h, shape (components,).
    tail, hidden : see :class:`checks.components.Component`, shape (components,).
    """
    from scipy.special import betaincinv

    blocks = max(len(counts), PRIOR_BLOCKS)
    events, total = counts.sum(axis=0) + hidden, np.maximum(rows.sum(axis=0), 1.0)
    seen = np.clip(events / total, 0.0, 1.0)
    # Clopper and Pearson's 90% upper bound, or the share that lies at the tolerance, whichever is higher.
    upper = betaincinv(events + 1, np.maximum(total - events, 1e-9), 0.9)
    tolerated = np.sin(np.minimum(np.pi / 2, np.arcsin(np.sqrt(seen)) + tolerance / 2)) ** 2
    # Tails answer to a wandering level by bursts: what any block of the reference showed is normal.
    largest = np.where(tail, (counts / np.maximum(rows, FEWEST_ROWS)).max(axis=0, initial=0.0), 0.0)
    null = np.clip(np.maximum(np.maximum(upper, tolerated), largest), 1e-9, MOST_ROWS)
    burst = np.where(events > 0, 1.0, UNKNOWN_BURST) * np.log(blocks + 1.0)
    cap = np.where((events > 0) | tail, burst, np.inf)
    return RareBets(seen, null, _risen(null), dispersion(counts, rows), cap)


def _risen(null: Array) -> Array:
    """Return the shares bet on, shape (components, bets)."""
    candidates = np.stack([3 * null, 10 * null, null + 0.02, null + 0.1, null + 0.5], axis=1)
    return np.clip(candidates, 1.5 * null[:, None], 0.95)


def dispersion(counts: Array, rows: Array) -> Array:
    """Return by how much rare counts cluster: Pearson's dispersion of sums over 1, 3, 9 … blocks, the largest.

    Parameters
    ----------
    counts, rows : shape (blocks, components).
    """
    blocks = len(counts)
    events = counts.sum(axis=0)
    share = np.clip(events / np.maximum(rows.sum(axis=0), 1.0), 1e-12, 1 - 1e-12)
    found = np.ones(counts.shape[1])
    for span in SPANS:
        sums = blocks // span
        if sums < FEWEST_SPANS:
            break
        hits = counts[: sums * span].reshape(sums, span, -1).sum(axis=1)
        trials = rows[: sums * span].reshape(sums, span, -1).sum(axis=1)
        held = trials > 0
        squares = np.where(held, (hits - trials * share) ** 2 / np.maximum(trials * share * (1 - share), 1e-300), 0.0)
        mean = squares.sum(axis=0) / np.maximum(held.sum(axis=0), 1)
        found = np.maximum(found, mean * (1 + np.sqrt(2 / sums)) * sums / (sums - 1))
    return np.where(events >= COUNTED, found, 1.0)


def slacks(calibration: Calibration, errors: Array) -> tuple[Array, Array]:
    """Return what an innovation may be while nothing has changed, at entry and lasting; shape (blocks, components).

    The tolerance, in innovation deviations, and the error of the reference's own level (which is 1 / blocks in these
    units, whatever the persistence).

    Parameters
    ----------
    errors : standard deviation of the blocks, shape (blocks, components).
    """
    level = LEVEL_ERRORS / np.sqrt(calibration.blocks)
    entry = calibration.tolerance / (errors * calibration.scale)
    return entry + level, calibration.gain * entry + level


def speaks(rows: Array) -> Flags:
    """Return whether a block has rows enough for a normal theory."""
    return np.asarray(rows >= FEWEST_ROWS)
