"""How far the mass of a distribution moved."""

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from checks import distributions
from checks.comparing import refusal
from checks.cumulative import Steps, absolute_sum, absolute_sum_tail
from checks.debiasing import distance_without_noise
from checks.measurement import Inconclusive, Measurement
from checks.profile import Column, Edges, Kind
from checks.proportions import Proportion, compare
from checks.wording import number_text, share_text


@dataclass(frozen=True)
class Wasserstein:
    """Wasserstein: how far values moved on average, in standard deviations of the reference.

    Statistic: W = integral of abs(F(x) - G(x)) dx in the column's own units (hours for the age of a datetime,
    characters for the length of a text), mass uniform inside bins and atoms at their point; the open tails end at the
    lowest and highest value, at most one central range beyond the far edges, so that one gross value cannot set the
    distance. The effect is W over the reference's standard deviation, taken with the same bounds, less the part that
    noise explains: the root of W² - E[W²]. Mean and variance under identical distributions are exact for the binned
    bridge; the p-value is a gamma distribution's with these two moments.

    Where the central 99% of the reference is one value there is no spread: the effect is then the change of the share
    of rows that hold any other value.

    Sees shifts, changes of spread and of tails, each as far as it moves mass. Does not see what happens inside a bin.

    Parameters
    ----------
    tolerance : standard deviations of the reference, from 0. 0.1: Evidently's threshold for the same quantity, half of
        what Cohen (1988) calls a small effect.

    Configuration
    -------------
    ::

        - wasserstein: {tolerance: 0.1}

    References
    ----------
    Vallender 1974, *Calculation of the Wasserstein distance between probability distributions on the line*, Theory
    Probab. Appl. 18; del Barrio, Giné & Matrán 1999, Ann. Probab. 27 (its null distribution).
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({"numeric", "datetime", "text"})
    default_for: ClassVar[frozenset[Kind]] = frozenset()
    unit: ClassVar[str] = "standard deviations of the reference"
    fatal: ClassVar[bool] = False

    tolerance: float = 0.1

    def measure(self, reference: Column, current: Column) -> Measurement | Inconclusive:
        """Compare one column of the current rows with the reference."""
        if (refused := refusal(reference, current)) is not None:
            return refused
        line = distributions.bounds(reference.bins, reference, current)
        spread, spread_slopes = distributions.spread(line, reference.profile.counts)
        if distributions.is_point(reference.bins) or spread <= 0:
            return _departures(reference, current)
        steps = Steps(reference.profile.counts.astype(np.float64), current.profile.counts.astype(np.float64))
        widths = np.diff(line / spread)  # divided first: the range of a double may be less than twice its largest value
        distance = _area(widths, steps.differences)
        # Near an edge the difference is that of the edge: each stands for half of the bins on its two sides.
        reaches = (widths[:-1] + widths[1:]) / 2
        mean, variance = absolute_sum(reaches, steps.covariance)
        slopes = np.append(np.cumsum((reaches * np.sign(steps.differences))[::-1])[::-1], 0.0)
        # The unit is an estimate too: a reference that is widely spread by chance makes every distance small.
        spread_too = steps.variance(-slopes - distance * spread_slopes, slopes)
        return Measurement(
            distance * spread,
            *distance_without_noise(distance, sqrt(max(spread_too, variance)), mean**2 + variance),
            rows=steps.rows,
            reference_rows=steps.reference_rows,
            pvalue=absolute_sum_tail(mean, variance, distance),
            words=distributions.change_in_words(reference, current),
        )


def _area(widths: Edges, differences: Edges) -> float:
    """Return the area below the absolute value of the line through the differences at the edges, 0 at both ends."""
    ends = np.concatenate([[0.0], differences, [0.0]])
    left, right = np.abs(ends[:-1]), np.abs(ends[1:])
    both = left + right
    crossing = (ends[:-1] * ends[1:]) < 0
    heights = np.where(crossing, (left**2 + right**2) / np.where(both > 0, both, 1.0), both) / 2
    return float(widths @ heights)


def _departures(reference: Column, current: Column) -> Measurement:
    bins = reference.bins
    assert bins.tails is not None
    value = bins.tails[0]
    place = int(np.searchsorted(bins.edge_array, value, side="left"))
    known, seen = (
        Proportion(column.profile.present - int(column.profile.counts[place]), column.profile.present)
        for column in (reference, current)
    )
    words = f"share other than {number_text(value)} {share_text(known.share)} to {share_text(seen.share)}"
    return compare(known, seen, words)
