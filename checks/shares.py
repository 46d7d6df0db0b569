"""Shares of rows by bin, reference against current, and what is common to the divergences between them.

Every divergence here is, near identity, ``curvature`` times the sum of (difference of shares)² / share. So all of
them have the same null distribution, a multiple of a chi-square, and the same bias.
"""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from checks.debiasing import root_without_noise, without_noise
from checks.distributions import change_in_words
from checks.measurement import Z_CONFIDENCE, Measurement
from checks.profile import Column, Edges
from checks.wording import share_text

EXPECTED_COUNT = 5.0  # Cochran 1954: expected counts that a chi-square approximation needs
HALF = 0.5  # the Jeffreys prior's share of a row, so that no logarithm meets a zero


@dataclass(frozen=True)
class Shares:
    """Counts of two sets of rows in the same cells.

    Parameters
    ----------
    reference_counts, current_counts : shape (cells,).
    """

    reference_counts: Edges
    current_counts: Edges

    @cached_property
    def reference_rows(self) -> int:
        """Rows of the reference."""
        return int(self.reference_counts.sum())

    @cached_property
    def rows(self) -> int:
        """Rows of the current window."""
        return int(self.current_counts.sum())

    @cached_property
    def reference(self) -> Edges:
        """The reference's shares with half a row added to every cell, shape (cells,)."""
        return (self.reference_counts + HALF) / (self.reference_rows + HALF * self.reference_counts.size)

    @cached_property
    def current(self) -> Edges:
        """The current shares with half a row added to every cell, shape (cells,)."""
        return (self.current_counts + HALF) / (self.rows + HALF * self.current_counts.size)

    @cached_property
    def noise(self) -> float:
        """Variance of a difference of two means of unit variance: 1/n + 1/m."""
        return 1 / self.reference_rows + 1 / self.rows

    @cached_property
    def chi_square(self) -> float:
        """Pearson's X² of the cells by {reference, current}."""
        both = self.reference_counts + self.current_counts
        filled = both > 0
        difference = self.current_counts / self.rows - self.reference_counts / self.reference_rows
        parts = difference[filled] ** 2 / both[filled]
        return float(parts.sum()) * (self.reference_rows + self.rows) / self.noise

    @cached_property
    def freedom(self) -> int:
        """Degrees of freedom: cells less one."""
        return self.reference_counts.size - 1

    def variance(self, by_reference: Edges, by_current: Edges) -> float:
        """Return the delta method's variance of a function with these partial derivatives by share, shape (cells,)."""
        of_reference = float(self.reference @ by_reference**2) - float(self.reference @ by_reference) ** 2
        of_current = float(self.current @ by_current**2) - float(self.current @ by_current) ** 2
        return max(0.0, of_reference) / self.reference_rows + max(0.0, of_current) / self.rows


def counts_of(column: Column) -> Edges:
    """Return the counts by bin as floats; values beyond the listed ones, known or not, share the last.

    A reference has no unseen values by construction, so that the share of *unseen* alone would differ even between two
    samples of one long-tailed distribution.
    """
    counts = column.profile.counts.astype(np.float64)
    return np.append(counts[:-2], counts[-2:].sum()) if column.bins.categorical else counts


def shares_of(reference: Column, current: Column, expected: float = EXPECTED_COUNT) -> Shares:
    """Return the shares of two columns, cells pooled until each expects so many rows in the smaller set.

    Neighbouring bins pool, and rare categories with each other. What is pooled depends on the sum of both sets alone,
    so the null distribution is not touched.
    """
    known, seen = counts_of(reference), counts_of(current)
    both = known + seen
    fewest = expected * both.sum() / min(known.sum(), seen.sum())
    cells = _rare_together(both, fewest) if reference.bins.categorical else _neighbours_together(both, fewest)
    size = int(cells.max()) + 1
    gathered = (np.bincount(cells, counts, size).astype(np.float64) for counts in (known, seen))
    return Shares(*gathered)


def _neighbours_together(both: Edges, fewest: float) -> np.ndarray:
    cells, held, place = np.zeros(both.size, np.int64), 0.0, 0
    for index, count in enumerate(both.tolist()):
        cells[index] = place
        held += count
        if held >= fewest:
            held, place = 0.0, place + 1
    # What is left at the end is too little for a cell of its own.
    return np.minimum(cells, max(0, place - 1))


def _rare_together(both: Edges, fewest: float) -> np.ndarray:
    order = np.argsort(-both, kind="stable")
    kept = int((both >= fewest).sum())
    rare = float(both[order[kept:]].sum())
    if 0 < rare < fewest:
        kept -= 1  # together still too few: the least of the others takes them in
    last = kept if rare else kept - 1
    cells = np.empty(both.size, np.int64)
    cells[order] = np.minimum(np.arange(both.size), max(0, last))
    return cells


@dataclass(frozen=True)
class Divergence:
    """A function of two sets of shares that is 0 where they agree.

    Parameters
    ----------
    value : of the function.
    by_reference, by_current : its partial derivatives by share, shape (cells,).
    curvature : its ratio to the sum of (difference)² / share near identity.
    rooted : whether its root is the distance that people know.
    """

    value: float
    by_reference: Edges
    by_current: Edges
    curvature: float
    rooted: bool = True


def measure(
    reference: Column,
    current: Column,
    shares: Shares,
    found: Divergence,
    *,
    statistic: float | None = None,
    chi_square: float | None = None,
) -> Measurement:
    """Return the measurement of a divergence: debiased, with its interval and the chi-square p-value.

    ``statistic`` is the classical one where it is not the divergence or its root, ``chi_square`` the one to refer to
    a chi-square distribution where it is not the divergence in units of curvature (1/n + 1/m). The variance is the
    delta method's plus that of the null distribution, which together are the non-central chi-square's: 2 (degrees of
    freedom) + 4 (non-centrality).
    """
    from scipy.special import chdtrc

    scale = found.curvature * shares.noise
    freedom = max(1, shares.freedom)  # one cell cannot differ, but nor is it certain that there is no second
    chi_square = found.value / scale if chi_square is None else chi_square
    stderr = sqrt(shares.variance(found.by_reference, found.by_current) + 2 * freedom * scale**2)
    noise = shares.freedom * scale
    if found.rooted:
        reach = Z_CONFIDENCE * stderr
        effect = root_without_noise(found.value - reach, found.value, found.value + reach, noise)
        classical = sqrt(max(0.0, found.value))
    else:
        effect = without_noise(found.value, stderr, noise)
        classical = found.value
    return Measurement(
        classical if statistic is None else statistic,
        *effect,
        rows=shares.rows,
        reference_rows=shares.reference_rows,
        pvalue=float(chdtrc(freedom, max(0.0, chi_square))) if shares.freedom else 1.0,
        words=in_words(reference, current),
    )


def in_words(reference: Column, current: Column) -> str:
    """Return the largest change of a share, or of a quantile for what has an order."""
    if not reference.bins.categorical:
        return change_in_words(reference, current)
    known, seen = counts_of(reference), counts_of(current)
    known, seen = known / known.sum(), seen / seen.sum()
    change = np.round(seen - known, 9)
    place = int(np.lexsort([change, np.abs(change)])[-1])  # of two that moved as far, the one that grew
    name = f"'{reference.bins.values[place]}'" if place < len(reference.bins.values) else "other values"
    return f"share of {name} {share_text(known[place])} to {share_text(seen[place])}"
