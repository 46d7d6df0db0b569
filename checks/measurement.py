"""What a check says about one window: a measurement, or why it could not measure."""

import math
from dataclasses import dataclass, field

CONFIDENCE = 0.90  # level of every interval that a person sees
Z_CONFIDENCE = 1.6448536269514722  # two-sided normal quantile of CONFIDENCE


@dataclass(frozen=True, slots=True)
class Measurement:
    """How far the current rows are from the reference.

    Parameters
    ----------
    statistic : the classical statistic, in its own units.
    effect : the same departure in units that a person can read (see the check's ``unit``); 0 means identical.
        Debiased where the statistic has a positive expectation on identical distributions.
    stderr : standard error of ``effect`` from sampling rows alone, never below 0.
    interval : ``CONFIDENCE`` interval of ``effect``.
    rows, reference_rows : the rows that entered the statistic.
    pvalue : probability of such a statistic under identical distributions of independent rows; None where no test
        exists.
    words : one clause in native units, for example ``"median 733 to 1,180"``.
    columns : the columns concerned, for checks of a whole table.

    Raises
    ------
    ValueError
        For any number that is not finite: NaN never leaves a check.
    """

    statistic: float
    effect: float
    stderr: float
    interval: tuple[float, float]
    rows: int
    reference_rows: int
    pvalue: float | None = None
    words: str = ""
    columns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        numbers = [self.statistic, self.effect, self.stderr, *self.interval]
        if self.pvalue is not None:
            numbers.append(self.pvalue)
        if not all(math.isfinite(number) for number in numbers):
            raise ValueError(f"a measurement must be finite, got {self!r}")
        if self.stderr < 0:
            raise ValueError(f"a standard error is not negative, got {self.stderr}")


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """The rows cannot answer the question; never to be read as calm.

    Parameters
    ----------
    reason : what is missing, in words.
    rows_needed : how many rows would answer it; None where rows would not help.
    """

    reason: str
    rows_needed: int | None = None
    rows: int = 0
    reference_rows: int = 0
    columns: tuple[str, ...] = field(default=())


def symmetric(effect: float, stderr: float) -> tuple[float, float]:
    """Return the normal ``CONFIDENCE`` interval of an effect."""
    return effect - Z_CONFIDENCE * stderr, effect + Z_CONFIDENCE * stderr
