"""Shares of rows with a defect, reference against current: differences, their errors and their exact test."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from checks.measurement import Inconclusive, Measurement, symmetric
from checks.profile import Edges

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


def compare(
    reference: Proportion, current: Proportion, words: str = "", *, upwards: bool = False, among: int = 1
) -> Measurement:
    """Return the change of a share, with the p-value of equal shares.

    Parameters
    ----------
    upwards : whether a smaller share than the reference's is no effect, and the p-value one-sided.
    among : of how many shares this one was chosen for its change; the p-value is that of the choice (Bonferroni).
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
        pvalue=min(1.0, among * equal_shares(reference, current, upwards=upwards)),
        words=words,
    )


def equal_shares(reference: Proportion, current: Proportion, *, upwards: bool = False) -> float:
    """Return the p-value of equal shares: Fisher's, with half the weight on outcomes as likely as the seen.

    The mid-p version keeps its level on average where Fisher's own is far below (Lancaster 1961, JASA 56). Where all
    expected counts are large, the normal approximation. One-sided where ``upwards``.
    """
    from scipy.special import ndtr

    total, hits = reference.rows + current.rows, reference.count + current.count
    if hits in (0, total):
        return 1.0
    mean = hits * current.rows / total
    deviation = sqrt(mean * (1 - hits / total) * reference.rows / (total - 1))
    if min(hits, total - hits) * min(current.rows, reference.rows) / total >= _EXACT_BELOW:
        z = (current.count - mean) / deviation
        return float(ndtr(-z) if upwards else 2 * ndtr(-abs(z)))
    reach = 12 * deviation + 12  # beyond, outcomes weigh nothing
    low = max(0, hits - reference.rows, min(int(mean - reach), current.count))
    high = min(hits, current.rows, max(int(mean + reach), current.count))
    counts = np.arange(low, high + 1, dtype=np.float64)
    chances = _hypergeometric(counts, hits, current.rows, reference.rows)
    seen = chances[current.count - low]
    if upwards:
        return float(min(1.0, chances[counts > current.count].sum() + seen / 2))
    alike = np.isclose(chances, seen, rtol=1e-7, atol=0)
    return float(min(1.0, chances[(chances < seen) & ~alike].sum() + chances[alike].sum() / 2))


def _hypergeometric(counts: Edges, hits: int, rows: int, other_rows: int) -> Edges:
    """Return the chances of the current counts given all hits, scaled to sum to 1, shape of ``counts``."""
    from scipy.special import betaln

    logs = -betaln(counts + 1, rows - counts + 1) - betaln(hits - counts + 1, other_rows - hits + counts + 1)
    chances = np.exp(logs - logs.max())
    return np.asarray(chances / chances.sum())


def without_rows(reference_rows: int, rows: int) -> Inconclusive | None:
    """Return the refusal for a share of no rows; None where both sides have some."""
    if rows and reference_rows:
        return None
    where = "this window" if not rows else "the reference"
    return Inconclusive(f"no rows in {where} to take a share of", 1, rows, reference_rows)
