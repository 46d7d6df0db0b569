"""The fifty columns of every synthetic world: what their values look like while nothing changes."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import poisson, t

Transform = Callable[[np.ndarray], np.ndarray]

_GRID = np.linspace(-8, 8, 6001)
_HEAVY = t.ppf(np.clip(ndtr(_GRID), 1e-15, 1 - 1e-15), 3)
_POISSON = poisson.cdf(np.arange(60), 4)

# From a latent normal variable to the column's own, so that a shift of the latent one means the same everywhere.
TRANSFORMS: dict[str, Transform] = {
    "normal": lambda z: z,
    "lognormal": np.exp,
    "heavy": lambda z: np.interp(z, _GRID, _HEAVY),  # Student, 3 degrees of freedom
    "exponential": lambda z: -np.log(np.maximum(ndtr(-z), 1e-300)),
    "zeros": lambda z: np.where(z < 0, 0.0, np.exp(z)),  # half the rows hold zero
    "poisson": lambda z: np.searchsorted(_POISSON, ndtr(z)).astype(float),  # mean 4
    "uniform": ndtr,
    "constant": np.ones_like,
}


def _zipf(size: int) -> tuple[float, ...]:
    weights = 1 / np.arange(1.0, size + 1)
    return tuple((weights / weights.sum()).tolist())


SHARES: dict[str, tuple[float, ...]] = {
    "half": (0.5, 0.5),
    "tenth": (0.9, 0.1),
    "fiftieth": (0.98, 0.02),
    "five": (0.4, 0.25, 0.2, 0.1, 0.05),
    "twenty": _zipf(20),
    "many": _zipf(200),
    "rare": (0.997, 0.003),
}

_NUMBERS = {
    "normal": 10, "lognormal": 6, "heavy": 5, "exponential": 5, "zeros": 3, "poisson": 3, "uniform": 2, "constant": 1,
}  # fmt: skip
_CATEGORIES = {"half": 1, "tenth": 1, "fiftieth": 1, "five": 6, "twenty": 4, "many": 1, "rare": 1}
_WITH_NULLS = {"normal0", "normal1", "normal2", "normal3", "normal4", "half0", "five0"}
NULL_SHARE = 0.02


@dataclass(frozen=True)
class Spec:
    """What one column holds: a family of ``TRANSFORMS`` or ``SHARES``, and the usual share of nulls."""

    name: str
    family: str
    null_share: float

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers rather than categories."""
        return self.family in TRANSFORMS


SPECS: tuple[Spec, ...] = tuple(
    Spec(f"{family}{place}", family, NULL_SHARE if f"{family}{place}" in _WITH_NULLS else 0.0)
    for family, number in {**_NUMBERS, **_CATEGORIES}.items()
    for place in range(number)
)
BY_NAME = {spec.name: spec for spec in SPECS}
