"""Distances without their bias: two samples of one distribution are never at distance 0, and that part is taken off.

The square of a distance is what sampling noise adds to: E[distance²] = true distance² + its expectation when nothing
has changed. So effects are the root of the square less that expectation, and 0 where noise alone explains the
distance.
"""

from math import sqrt

from checks.measurement import Z_CONFIDENCE

Effect = tuple[float, float, tuple[float, float]]  # effect, its standard error, its interval


def without_noise(value: float, stderr: float, noise: float) -> Effect:
    """Debias a quantity that is itself of the nature of a square, such as the PSI.

    Parameters
    ----------
    value, stderr : the quantity and its standard error.
    noise : its expectation under identical distributions.
    """
    reach = Z_CONFIDENCE * stderr
    point = max(0.0, value - noise)
    return point, stderr, (max(0.0, value - reach - noise), point + reach)


def root_without_noise(low: float, square: float, high: float, noise: float) -> Effect:
    """Debias a distance through its square.

    Parameters
    ----------
    low, square, high : the squared distance and the ends of its interval.
    noise : expectation of the squared distance under identical distributions.

    Returns
    -------
    The effect; a standard error that reaches the farther end of the interval, for the root bends near 0; the interval.
    """
    left = max(0.0, square - noise)
    bottom, effect, top = sqrt(max(0.0, low - noise)), sqrt(left), sqrt(left + high - square)
    return effect, max(effect - bottom, top - effect) / Z_CONFIDENCE, (bottom, top)


def distance_without_noise(distance: float, stderr: float, noise: float) -> Effect:
    """Debias a distance whose own standard error is known; ``noise`` is the expectation of its square, see above."""
    reach = Z_CONFIDENCE * stderr
    return root_without_noise(max(0.0, distance - reach) ** 2, distance**2, (distance + reach) ** 2, noise)
