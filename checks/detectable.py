"""What could have been seen: the smallest lasting change that would raise an alarm in time, nine times in ten.

"No drift" means something only beside this number. It is worked out from the very bets: how much evidence a shift of
some size gains in some blocks, against what an alarm costs (SIGNAL.md 4; Lorden 1971 gives the first-order law).
"""

from dataclasses import dataclass

import numpy as np

from checks.bets import MOST_ROWS, slacks
from checks.components import SMALLEST_EFFECT
from checks.evidence import Detector, Scale
from checks.season import Array

POWER = 1.2815515655446004  # normal quantile of nine times in ten
BLIND = 0.8  # Cohen's "large" effect (1988): a window that would miss it for a week says nothing
LARGEST = 50.0  # block deviations up to which a shift is looked for
STEPS = 40  # of bisection, to 1e-10


@dataclass(frozen=True, eq=False)
class Detectable:
    """Smallest changes that would be noticed; arrays of shape (components,).

    Parameters
    ----------
    effect : Cohen's d of a score, Cohen's h of a share.
    floor : the same if windows had any number of rows.
    tolerance : what of it is no news.
    """

    effect: Array
    floor: Array
    tolerance: Array

    def rows_needed(self, rows: Array, between: Array) -> Array:
        """Return the rows with which ``BLIND`` would be seen, shape (components,); infinite where none would do.

        What a change exceeds its tolerance by must be as many deviations of a block as it is with these rows.

        Parameters
        ----------
        rows : that the effects are of, shape (components,).
        between : variance between blocks beyond sampling, shape (components,).
        """
        variance = 1 / np.maximum(rows, 1.0) + between
        wanted = variance * ((BLIND - self.tolerance) / (self.effect - self.tolerance)) ** 2 - between
        return np.where((self.floor < BLIND) & (wanted > 0), np.ceil(1 / np.maximum(wanted, 1e-12)), np.inf)


def detectable(detector: Detector, rows: Array, costs: Array, blocks: float) -> Detectable:
    """Return what windows with so many rows would show.

    Parameters
    ----------
    rows : of a block of the coarsest scale, shape (components,).
    costs : evidence that an alarm of each component's account costs, shape (components,).
    blocks : in which it must be noticed, of the coarsest scale.
    """
    scale = detector.scales[-1]
    weight = np.maximum(scale.weights.max(axis=1), 1e-12)
    needed = np.log(costs / weight)
    effect = _student(scale, rows, needed, blocks)
    floor = _student(scale, np.full_like(rows, 1e9), needed, blocks)
    if scale.rarely.any():
        effect = np.where(scale.rarely, _rare(scale, rows, needed, blocks), effect)
        floor = np.where(scale.rarely, SMALLEST_EFFECT, floor)
    return Detectable(effect, floor, scale.calibration.tolerance)


def _student(scale: Scale, rows: Array, needed: Array, blocks: float) -> Array:
    """Bisect for the shift whose expected gain, less its scatter, is what an alarm costs."""
    calibration = scale.calibration
    errors = calibration.errors(rows)
    entry, lasting = (room[0] for room in slacks(calibration, errors[None]))
    # A likelihood ratio of a shift x gains x²/2 on average and scatters by x.
    wanted = (POWER + np.sqrt(POWER**2 + 2 * needed)) ** 2
    low, high = np.zeros_like(rows), np.full_like(rows, LARGEST)
    for _ in range(STEPS):
        middle = (low + high) / 2
        shift = middle / calibration.scale
        first = np.maximum(0.0, shift - entry) ** 2
        later = np.maximum(0.0, calibration.gain * shift - lasting) ** 2
        enough = first + (blocks - 1) * later >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(high * errors)


def _rare(scale: Scale, rows: Array, needed: Array, blocks: float) -> Array:
    """Bisect for the share that wins enough by the best of the bets; Cohen's h from the reference's level."""
    rare = scale.rare
    up = np.log(rare.risen / rare.null[:, None])
    down = np.log1p(-rare.risen) - np.log1p(-rare.null)[:, None]
    start = 2 * np.arcsin(np.sqrt(rare.null))
    low, high = np.zeros_like(rows), np.pi - start
    for _ in range(STEPS):
        middle = (low + high) / 2
        share = np.sin(np.minimum(np.pi, start + middle) / 2)[:, None] ** 2
        mean = rows[:, None] * (share * up + (1 - share) * down) / rare.dispersion[:, None]
        capped = np.minimum(mean, np.where(share < MOST_ROWS, rare.cap[:, None], np.inf))
        # Clustered counts scatter by the root of their dispersion more, and tempering divides what they win by it.
        scatter = np.sqrt(rows[:, None] * share * (1 - share) / rare.dispersion[:, None]) * (up - down)
        won = (capped * blocks - POWER * scatter * np.sqrt(blocks)).max(axis=1)
        enough = won >= needed
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.asarray(start + high - scale.calibration.levels[0][0])
