"""Shares of rows with a defect, reference against current: differences, their errors and their exact test."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from checks.measurement import Inconclusive, Measurement, symmetric

_EXACT_BELOW = 20.0  # expected counts from which the normal approximation of the hypergeometric is good to 1e-3


@dataclass(frozen=True)
class Proportion:
    """``count`` of ``rows``; ``rows`` above 0."""

    count: int
    rows: int

    @property
    def share(self) -> float:
        """The share as counted."""
        return self.count / self.rows

    @property
    def variance(self) -> float:
        """Sampling variance of the share, half a row added on both sides: never 0 because a count is 0."""
        smooth = (self.count + 0.5) / (self.rows + 1)
        return smooth * (1 - smooth) / self.rows


def compare(reference: Proportion, current: Proportion, words: str = "", *, upwards: bool = False) -> Measurement:
    """Return the change of a share, with the p-value of equal shares.

    Parameters
    ----------
    upwards : whether a smaller share than the reference's is no effect.
    """
    change = current.share - reference.share
    if upwards:
        change = max(0.0, change)
    stderr = sqrt(reference.variance + current.variance)
    return Measurement(
        current.share,
        change,
        stderr,
        symmetric(change, stderr),
        rows=current.rows,
        reference_rows=reference.rows,
        pvalue=equal_shares(reference, current),
        words=words,
    )


def equal_shares(reference: Proportion, current: Proportion) -> float:
    """Return the two-sided p-value of equal shares: Fisher's, with half the weight on outcomes as likely as the seen.

    The mid-p version keeps its level on average where Fisher's own is far below (Lancaster 1961, JASA 56). Where all
    expected counts are large, the normal approximation.
    """
    from scipy.special import betaln, ndtr

    total, hits = reference.rows + current.rows, reference.count + current.count
    if hits in (0, total):
        return 1.0
    mean = hits * current.rows / total
    variance = mean * (1 - hits / total) * reference.rows / (total - 1)
    if min(hits, total - hits) * min(current.rows, reference.rows) / total >= _EXACT_BELOW:
        return float(2 * ndtr(-abs(current.count - mean) / sqrt(variance)))
    reach = 12 * sqrt(variance) + 12  # beyond, outcomes weigh nothing
    low = max(0, hits - reference.rows, int(mean - reach))
    high = min(hits, current.rows, int(mean + reach))
    low, high = min(low, current.count), max(high, current.count)
    counts = np.arange(low, high + 1, dtype=np.float64)
    logs = -betaln(counts + 1, current.rows - counts + 1) - betaln(
        hits - counts + 1, reference.rows - hits + counts + 1
    )
    chances = np.exp(logs - logs.max())
    chances /= chances.sum()
    seen = chances[current.count - low]
    alike = np.isclose(chances, seen, rtol=1e-7, atol=0)
    return float(min(1.0, chances[(chances < seen) & ~alike].sum() + chances[alike].sum() / 2))


def without_rows(reference_rows: int, rows: int) -> Inconclusive | None:
    """Return the refusal for a share of no rows; None where both sides have some."""
    if rows and reference_rows:
        return None
    where = "this window" if not rows else "the reference"
    return Inconclusive(f"no rows in {where} to take a share of", 1, rows, reference_rows)
