"""What could have been seen: the smallest lasting change that would raise an alarm in time, nine times in ten.

"No drift" means something only beside this number. It is worked out from the very bets: how much evidence a shift of
some size gains in some blocks, against what an alarm costs (SIGNAL.md 4; Lorden 1971 gives the first-order law).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from checks.bets import MOST_ROWS, slacks
from checks.components import SMALLEST_EFFECT
from checks.evidence import Detector, Scale
from checks.season import Array, Flags

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
    tolerance : what of it is no news.
    limit : tells ``floor``.
    """

    effect: Array
    tolerance: Array
    limit: Callable[[], Array]

    @cached_property
    def floor(self) -> Array:
        """The smallest changes that would be noticed if windows had any number of rows."""
        return self.limit()

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
    effect = _effects(_normal(scale, rows, costs, blocks))
    effect[scale.rarely] = _effects(_rare(scale, rows, costs, blocks))

    def floor() -> Array:
        found = _effects(_normal(scale, np.full_like(rows, 1e9), costs, blocks))
        return np.where(scale.rarely, SMALLEST_EFFECT, found)

    return Detectable(effect, scale.calibration.tolerance, floor)


def blind(detector: Detector, rows: Array, costs: Array, blocks: float) -> Flags:
    """Return which components would miss a change of ``BLIND``, shape (components,).

    As :func:`detectable` has it, at a fraction of its cost: it is known long before the effects are.
    """
    scale = detector.scales[-1]
    found = _misses(_normal(scale, rows, costs, blocks))
    found[scale.rarely] = _misses(_rare(scale, rows, costs, blocks))
    return found


@dataclass(frozen=True, eq=False)
class _Changes:
    """Changes of some size each, which a component's bets notice from one size on; arrays of one shape.

    Parameters
    ----------
    most : largest size that is looked for.
    zero, unit : an effect is ``zero + unit * size``.
    enough : tells which sizes would be noticed in time.
    """

    most: Array
    zero: Array
    unit: Array
    enough: Callable[[Array], Flags]

    def bisected(self) -> Iterator[tuple[Array, Array]]:
        """Yield the effects between which the smallest lies that is noticed, closer and closer."""
        low, high = np.zeros_like(self.most), self.most
        for _ in range(STEPS):
            middle = (low + high) / 2
            enough = self.enough(middle)
            low, high = np.where(enough, low, middle), np.where(enough, middle, high)
            yield self.zero + self.unit * low, self.zero + self.unit * high


def _effects(changes: _Changes) -> Array:
    """Return the smallest effects that are noticed."""
    *_, (_, high) = changes.bisected()
    return high


def _misses(changes: _Changes) -> Flags:
    """Return where they are larger than ``BLIND``."""
    for low, high in changes.bisected():
        if ((low > BLIND) | (high <= BLIND)).all():
            break
    return np.asarray(high > BLIND)


def _needed(scale: Scale, costs: Array) -> Array:
    return np.asarray(np.log(costs / np.maximum(scale.weights.max(axis=1), 1e-12)))


def _normal(scale: Scale, rows: Array, costs: Array, blocks: float) -> _Changes:
    """Return shifts in errors of a block: noticed if the expected gain, less its scatter, is what an alarm costs."""
    calibration = scale.calibration
    errors = calibration.errors(rows)
    entry, lasting = (room[0] for room in slacks(calibration, errors[None]))
    # A likelihood ratio of a shift x gains x²/2 on average and scatters by x.
    wanted = (POWER + np.sqrt(POWER**2 + 2 * _needed(scale, costs))) ** 2

    def enough(size: Array) -> Flags:
        shift = size / calibration.scale
        first = np.maximum(0.0, shift - entry) ** 2
        later = np.maximum(0.0, calibration.gain * shift - lasting) ** 2
        return np.asarray(first + (blocks - 1) * later >= wanted)

    return _Changes(np.full_like(rows, LARGEST), np.zeros_like(rows), errors, enough)


def _rare(scale: Scale, rows: Array, costs: Array, blocks: float) -> _Changes:
    """Return rises of the rare shares in Cohen's h beyond the null hypothesis: noticed if the best bet wins enough."""
    rare, mine = scale.rare, scale.rarely
    rows, needed, level = rows[mine, None], _needed(scale, costs)[mine], scale.calibration.levels[0][0][mine]
    null, risen, dispersion, cap = rare.null[mine], rare.risen[mine], rare.dispersion[mine, None], rare.cap[mine, None]
    up = np.log(risen / null[:, None])
    down = np.log1p(-risen) - np.log1p(-null)[:, None]
    start = 2 * np.arcsin(np.sqrt(null))

    def enough(size: Array) -> Flags:
        share = np.sin(np.minimum(np.pi, start + size) / 2)[:, None] ** 2
        mean = rows * (share * up + (1 - share) * down) / dispersion
        capped = np.minimum(mean, np.where(share < MOST_ROWS, cap, np.inf))
        # Clustered counts scatter by the root of their dispersion more, and tempering divides what they win by it.
        scatter = np.sqrt(rows * share * (1 - share) / dispersion) * (up - down)
        won = (capped * blocks - POWER * scatter * np.sqrt(blocks)).max(axis=1)
        return np.asarray(won >= needed)

    return _Changes(np.pi - start, start - level, np.ones_like(start), enough)
