"""Persistence: how much of a block's departure is still there in the next, for many components at once."""

import numpy as np
import numpy.typing as npt

from checks.season import Array

MOST_PERSISTENT = 0.95
FEWEST_ALIKE = 8  # components of one kind, for their median to mean something


def autocovariances(values: Array, most: int) -> Array:
    """Return lags 0 to ``most`` of centred columns, shape (most + 1, components)."""
    blocks = len(values)
    centred = values - values.mean(axis=0)
    return np.stack([(centred[: blocks - lag] * centred[lag:]).sum(axis=0) / blocks for lag in range(most + 1)])


def longest_order(blocks: int) -> int:
    """Return the highest order worth trying: ``10 log10`` of the blocks, and no more than an eighth of them."""
    return max(1, min(int(10 * np.log10(blocks)), blocks // 8))


def yule_walker(values: Array, most: int) -> Array:
    """Return autoregressions of the order that AIC chooses, by Levinson's recursion; shape (most, components).

    Parameters
    ----------
    values : shape (blocks, components), equally spaced.
    """
    blocks, components = values.shape
    gamma = autocovariances(values, most)
    alive = gamma[0] > 0
    safe = np.where(alive, gamma[0], 1.0)
    phi = np.zeros((most, components))
    best, chosen = np.zeros(components), np.zeros((most, components))
    error = safe.copy()
    for order in range(1, most + 1):
        past = (phi[: order - 1] * gamma[order - 1 : 0 : -1]).sum(axis=0)
        partial = np.where(alive, (gamma[order] - past) / error, 0.0)
        if order > 1:
            phi[: order - 1] = phi[: order - 1] - partial * phi[order - 2 :: -1][: order - 1]
        phi[order - 1] = partial
        error = np.maximum(error * (1 - partial**2), 1e-12 * safe)
        criterion = blocks * np.log(error / safe) + 2 * order
        better = alive & (criterion < best - 1e-9)
        best = np.where(better, criterion, best)
        chosen = np.where(better, phi, chosen)
    return chosen


def persistence(values: Array, kinds: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    """Return autoregressions at their upper bound and plain, each of shape (order, components).

    The sum of the coefficients is at least the lag-1 autocorrelation (AIC is timid on short references), corrected for
    its bias (Marriott and Pope 1954) and, for the bound, taken one standard error upwards. Negative persistence, which
    would turn noise into evidence, is not believed. Nor is that one component is less persistent than most of its
    kind: two months tell a slow wander in a few of fifty columns by luck alone.

    Parameters
    ----------
    values : standardised blocks, shape (blocks, components).
    kinds : equal numbers for components of one kind, shape (components,).
    """
    blocks = len(values)
    phi = yule_walker(values, longest_order(blocks))
    gamma = autocovariances(values, 1)
    lag1 = np.where(gamma[0] > 0, gamma[1] / np.where(gamma[0] > 0, gamma[0], 1.0), 0.0)
    timid = phi.sum(axis=0) <= np.maximum(0.0, lag1)
    phi = np.where(timid, 0.0, phi)
    phi[0] = np.where(timid, np.maximum(0.0, lag1), phi[0])
    total = phi.sum(axis=0)
    unbiased = total + (1 + 3 * total) / blocks
    error = np.sqrt(np.maximum(0.0, 1 - total**2) / blocks)
    bound = np.clip(np.where(total > 0, unbiased + error, unbiased + error + lag1), 0.0, MOST_PERSISTENT)
    plain = np.clip(np.where(total > 0, unbiased, 0.0), 0.0, MOST_PERSISTENT)
    for kind in np.unique(kinds):
        mine = kinds == kind
        if mine.sum() >= FEWEST_ALIKE:
            bound[mine] = np.maximum(bound[mine], np.median(bound[mine]))
    return _scaled(phi, total, bound), _scaled(phi, total, plain)


def _scaled(phi: Array, total: Array, wanted: Array) -> Array:
    """Return coefficients with the wanted sum."""
    known = total > 1e-3
    scaled = phi * np.where(known, wanted / np.where(known, total, 1.0), 0.0)
    scaled[0] = np.where(known, scaled[0], wanted)
    return scaled


def predicted(past: Array, phi: Array, clip: float) -> Array:
    """Return what the blocks before each block make of it, shape (blocks - order, components).

    Parameters
    ----------
    past : standardised blocks, shape (blocks, components).
    phi : shape (order, components).
    clip : a past block counts with no more than this.
    """
    order = len(phi)
    held = np.clip(past, -clip, clip)
    blocks = len(past)
    found = np.zeros((blocks - order, past.shape[1]))
    for lag in range(1, order + 1):
        found += phi[lag - 1] * held[order - lag : blocks - lag]
    return found
