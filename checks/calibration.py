"""What is normal: level, season, variation between blocks and persistence of every component (SIGNAL.md 2.3).

Rows of a day are not independent, days are: everything is estimated on time blocks of the reference, never on its rows,
and taken at the upper end of what the reference allows, for it is one draw.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from checks.persistence import persistence, predicted
from checks.season import Array, Grain, Moments, designs

FEWEST_BLOCKS = 8  # with fewer, variation between blocks is assumed rather than measured
FEWEST_ROWS = 30  # of a block, so that the central limit theorem has something to work on
BLOCKS_A_PARAMETER = 3
SCALE_BOUND = 0.1  # the scale is taken at its upper bound of confidence 1 - SCALE_BOUND
LEVEL_ERRORS = 1.28  # likewise the level: 90% of a normal distribution
FEWEST_EFFECTIVE, FEWEST_FREEDOM = 6.0, 4.0
PRIOR_DEVIATION, PRIOR_PERSISTENCE, PRIOR_BLOCKS = 0.15, 0.7, 20.0  # of a reference without time (SIGNAL.md 2.9)
STEADY = 2.0  # standard errors by which the halves of a steady reference differ at most
CLIPPED = 6.0  # a past block enters the prediction with no more than this
RIDGE = 1e-9
HALVES_FROM = 16  # blocks from which the halves can be compared

Arrays = dict[str, Array]


@dataclass(frozen=True, eq=False)
class Calibration:
    """How components behave while nothing changes. Arrays of shape (components,) where nothing else is said.

    Parameters
    ----------
    grain, weekly, yearly : which designs were tried; ``choice`` is the place of the one taken.
    levels : coefficients by design, each of shape (parameters, components).
    leverage : inverse cross products by set of components with the same blocks and by design; ``sets`` says which set.
    between : variance between blocks beyond sampling (DerSimonian and Laird 1986).
    phi : autoregression of the standardised blocks at its upper bound, shape (order, components).
    gain : 1 less the sum of ``phi``: what whitening leaves of a lasting shift.
    scale : standard deviation of the innovations, at its upper bound.
    freedom : degrees of freedom of the innovations.
    blocks : blocks of the reference that the level rests on.
    tolerance : largest change that is not worth an alert, at least what the reference's halves differ by.
    long_run : standard deviation of the mean of m standardised blocks, times root m; an estimate, not a bound.
    usable : 1 where the component varies at all.
    wanders : 1 where the reference drifts in itself.
    """

    grain: Grain
    weekly: bool
    yearly: bool
    levels: tuple[Array, ...]
    leverage: tuple[tuple[Array, ...], ...]
    sets: npt.NDArray[np.intp]
    choice: Array
    between: Array
    phi: Array
    gain: Array
    scale: Array
    freedom: Array
    blocks: Array
    tolerance: Array
    long_run: Array
    usable: Array
    wanders: Array

    def expected(self, moments: Moments) -> tuple[Array, Array]:
        """Return level and leverage of blocks, each of shape (blocks, components)."""
        matrices = designs(moments, self.grain, weekly=self.weekly, yearly=self.yearly)
        level = np.zeros((len(moments.hours), len(self.choice)))
        leverage = np.zeros_like(level)
        for place, matrix in enumerate(matrices):
            chosen = self.choice == place
            if not chosen.any():
                continue
            level[:, chosen] = matrix @ self.levels[place][:, chosen]
            for number, inverses in enumerate(self.leverage):
                mine = chosen & (self.sets == number)
                if mine.any():
                    leverage[:, mine] = _leverage(matrix, inverses[place])
        return level, leverage

    @property
    def independent(self) -> Array:
        """Independent blocks that the reference is worth: persistence and what a season takes make them fewer."""
        widths = np.array([len(level) for level in self.levels], np.float64)
        return _effective(self.blocks, widths[self.choice.astype(int)], self.gain)

    def at(self, values: Array, moments: Moments) -> "Calibration":
        """Return the same variation about another level.

        Parameters
        ----------
        values : the level, shape (components,).
        moments : of the blocks over which the level is to hold on average.
        """
        known, _ = self.expected(moments)
        gap = values - known.mean(axis=0)
        # The first parameter of every design is its constant.
        levels = tuple(np.vstack([level[:1] + gap, level[1:]]) for level in self.levels)
        return replace(self, levels=levels, blocks=np.full_like(self.blocks, PRIOR_BLOCKS))

    def errors(self, rows: Array) -> Array:
        """Return the standard deviation of blocks with so many rows, sampling and variation between blocks."""
        return np.sqrt(1 / np.maximum(rows, 1.0) + self.between)


def calibrate(
    values: Array,
    rows: Array,
    moments: Moments,
    grain: Grain,
    tolerance: Array,
    kinds: npt.NDArray[np.intp],
    *,
    weekly: bool = True,
    yearly: bool = False,
) -> Calibration:
    """Learn from the reference's blocks what is normal.

    Parameters
    ----------
    values : of every component in every block, with sampling variance 1 / rows; shape (blocks, components).
    rows : shape (blocks, components); a block with fewer than ``FEWEST_ROWS`` says nothing.
    tolerance : shape (components,).
    kinds : equal numbers for components of one kind, which are alike in persistence; shape (components,).
    """
    matrices = designs(moments, grain, weekly=weekly, yearly=yearly)
    patterns, found = np.unique(rows >= FEWEST_ROWS, axis=1, return_inverse=True)
    sets = np.asarray(found, np.intp).reshape(-1)
    parts: list[tuple[npt.NDArray[np.bool_], Arrays]] = []
    inverses: list[tuple[Array, ...]] = []
    for number in range(patterns.shape[1]):
        kept, mine = patterns[:, number], sets == number
        inner = tuple(matrix[kept] for matrix in matrices)
        inverses.append(tuple(_inverse(matrix) for matrix in inner))
        if kept.sum() >= FEWEST_BLOCKS:
            part = _fitted(
                values[kept][:, mine], rows[kept][:, mine], tolerance[mine], kinds[mine], inner, inverses[-1]
            )
        else:
            part = assumed(_pooled(values[:, mine], rows[:, mine]), tolerance[mine], [m.shape[1] for m in matrices])
        parts.append((mine, part))
    if not parts:  # no check gathers evidence: each has a threshold of its user's
        parts.append((sets == 0, assumed(_pooled(values, rows), tolerance, [m.shape[1] for m in matrices])))
    joined = _joined(parts, len(tolerance))
    levels = tuple(joined.pop(f"level{place}") for place in range(len(matrices)))
    return Calibration(grain, weekly, yearly, levels, tuple(inverses), sets, **joined)


def _pooled(values: Array, rows: Array) -> Array:
    return np.asarray((values * rows).sum(axis=0) / np.maximum(rows.sum(axis=0), 1.0))


def _joined(parts: Sequence[tuple[npt.NDArray[np.bool_], Arrays]], size: int) -> Arrays:
    """Return the arrays of all sets in one, the components along the last axis."""
    names = dict.fromkeys(name for _, part in parts for name in part)
    joined = {}
    for name in names:
        longest = max(len(np.atleast_2d(part[name])) for _, part in parts)
        whole = np.zeros((longest, size))
        for mine, part in parts:
            rows = np.atleast_2d(part[name])
            whole[: len(rows), mine] = rows
        joined[name] = whole if name == "phi" or name.startswith("level") else whole[0]
    return joined


def assumed(levels: Array, tolerance: Array, widths: Sequence[int]) -> Arrays:
    """Return what is assumed of components whose variation is not known: prior deviation and persistence.

    Parameters
    ----------
    levels : mean of each component, shape (components,).
    widths : parameters of each design.
    """
    size = len(levels)
    full = np.ones(size)
    found = {f"level{place}": np.zeros((width, size)) for place, width in enumerate(widths)}
    found["level0"][0] = levels
    scale = np.sqrt(1 - PRIOR_PERSISTENCE**2)
    return found | {
        "choice": np.zeros(size),
        "between": full * PRIOR_DEVIATION**2,
        "phi": full[None] * PRIOR_PERSISTENCE,
        "gain": full * (1 - PRIOR_PERSISTENCE),
        "scale": full * scale,
        "freedom": full * FEWEST_EFFECTIVE,
        "blocks": full * PRIOR_BLOCKS,
        "tolerance": tolerance,
        "long_run": full * scale / (1 - PRIOR_PERSISTENCE),
        "usable": full,
        "wanders": np.zeros(size),
    }


def _fitted(
    values: Array,
    rows: Array,
    tolerance: Array,
    kinds: npt.NDArray[np.intp],
    matrices: Sequence[Array],
    inverses: Sequence[Array],
) -> Arrays:
    """Estimate everything for components that have the same blocks."""
    blocks = len(values)
    found, choice, parameters, squares, residuals = _season(values, matrices, inverses)
    between = np.maximum(0.0, squares / (blocks - parameters) - (1 / rows).mean(axis=0))
    errors = np.sqrt(1 / rows + between)
    standard = residuals / errors
    phi, plain = persistence(standard, kinds)
    gain, plain_gain = 1 - phi.sum(axis=0), 1 - plain.sum(axis=0)
    scale, freedom, kurtosis = _innovations(standard, phi, parameters)
    plain_scale, _, _ = _innovations(standard, plain, parameters)
    effective = np.maximum(FEWEST_EFFECTIVE, blocks - parameters)  # innovations are independent, whatever blocks are
    tails = np.where(kurtosis < 2 * np.sqrt(24 / blocks), freedom, 4 + 6 / np.maximum(kurtosis, 1e-9))
    inflated = scale * _upper_scale(effective)
    wander, wanders = _wander(residuals, inflated * errors.mean(axis=0) / gain)
    return found | {
        "choice": choice.astype(np.float64),
        "between": between,
        "phi": phi,
        "gain": gain,
        "scale": inflated,
        "freedom": np.maximum(FEWEST_FREEDOM, np.minimum(np.minimum(freedom, tails), effective)),
        "blocks": np.full(values.shape[1], float(blocks)),
        "tolerance": np.where(wanders, np.maximum(tolerance, wander), tolerance),
        "long_run": plain_scale / plain_gain,
        "usable": (np.ptp(values, axis=0) >= 1e-12).astype(np.float64),
        "wanders": wanders.astype(np.float64),
    }


def _effective(blocks: Array | int, parameters: Array, gain: Array) -> Array:
    return np.maximum(FEWEST_EFFECTIVE, (blocks - parameters) * gain / (2 - gain))


def _season(
    values: Array, matrices: Sequence[Array], inverses: Sequence[Array]
) -> tuple[Arrays, npt.NDArray[np.intp], Array, Array, Array]:
    """Take the design of the lowest BIC for each component."""
    blocks, size = values.shape
    best, choice = np.full(size, np.inf), np.zeros(size, np.intp)
    parameters, squares = np.ones(size), np.zeros(size)
    residuals = values.copy()
    levels: Arrays = {}
    for place, (matrix, inverse) in enumerate(zip(matrices, inverses, strict=True)):
        width = matrix.shape[1]
        levels[f"level{place}"] = np.zeros((width, size))
        if place and blocks < BLOCKS_A_PARAMETER * width:
            continue
        level = inverse @ (matrix.T @ values)
        left = values - matrix @ level
        power = (left**2).sum(axis=0)
        criterion = blocks * np.log(power / blocks + 1e-12) + width * np.log(blocks)
        better = criterion < best
        best = np.where(better, criterion, best)
        choice, parameters = np.where(better, place, choice), np.where(better, width, parameters)
        squares, residuals = np.where(better, power, squares), np.where(better, left, residuals)
        levels[f"level{place}"] = level
    return levels, choice, parameters, squares, residuals


def _inverse(matrix: Array) -> Array:
    # The ridge keeps slots without a block at the level of the others, with a leverage that lets nobody bet on them.
    crossed = matrix.T @ matrix
    return np.asarray(np.linalg.inv(crossed + RIDGE * max(1, len(matrix)) * np.eye(len(crossed))), np.float64)


def _leverage(matrix: Array, inverse: Array) -> Array:
    return np.asarray(np.einsum("ij,jk,ik->i", matrix, inverse, matrix))[:, None]


def _innovations(standard: Array, phi: Array, parameters: Array) -> tuple[Array, Array, Array]:
    """Return scale, degrees of freedom and excess kurtosis of what the past does not predict."""
    blocks, order = len(standard), len(phi)
    left = standard[order:] - predicted(standard, phi, CLIPPED)
    freedom = np.maximum(FEWEST_FREEDOM, blocks - parameters - order)
    scale = np.sqrt((left**2).sum(axis=0) / freedom)
    spread = np.sqrt((standard**2).sum(axis=0) / (blocks - parameters))
    # Never less noise than sampling alone makes: a reference that is calmer than its rows allow was lucky.
    lifted = np.where(spread > 1e-3, scale / np.maximum(spread, 1e-6), 1.0)
    scale = np.where(spread < 1, lifted, scale)
    # Nor less than a first-order autoregression of that persistence leaves: higher orders that predict a few bursts of
    # the reference to the letter know nothing of the next.
    scale = np.maximum(scale, np.sqrt(1 - np.clip(phi.sum(axis=0), 0.0, 1.0) ** 2))
    variance = left.var(axis=0)
    fourth = ((left - left.mean(axis=0)) ** 4).mean(axis=0)
    return scale, freedom, fourth / np.maximum(variance, 1e-12) ** 2 - 3


def _upper_scale(freedom: Array) -> Array:
    """Return by how much a scale estimated with so many degrees of freedom may be too small."""
    from scipy.special import chdtri

    return np.asarray(np.sqrt(freedom / chdtri(freedom, 1 - SCALE_BOUND)))


def _wander(residuals: Array, long_run: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return by how much the halves of the reference differ, and whether that is more than chance."""
    blocks = len(residuals)
    half = blocks // 2
    apart = np.abs(residuals[:half].mean(axis=0) - residuals[half:].mean(axis=0))
    return apart, (blocks >= HALVES_FROM) & (apart > 2 * STEADY * long_run / np.sqrt(blocks))
