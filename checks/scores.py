"""Scores of numeric columns: Neyman's smooth components, measured in one window and said in native units."""

from dataclasses import dataclass
from math import isfinite, sqrt

import numpy as np
import numpy.typing as npt

from checks.comparing import refusal
from checks.components import Component, on_bins, present, scores
from checks.measurement import Inconclusive, Measurement, symmetric
from checks.native import Native
from checks.profile import Column
from checks.quantiles import change, quantiles


@dataclass(frozen=True)
class Summary:
    """A number that a person reads a distribution by: a quantile, or the distance of two."""

    name: str
    low: float | None
    high: float


MEDIAN = Summary("median", None, 0.5)
WIDTH = Summary("width of the middle 80%", 0.1, 0.9)
QUARTILE = Summary("upper quartile", None, 0.75)
NUDGE = 1e-4  # share of rows by which a bin of the reference is raised to see what its score answers


def component_of(reference: Column, degree: int, name: str, tolerance: float) -> tuple[Component, ...]:
    """Return the component of a degree, from 1; none where the reference has too few distinct values for it."""
    found = scores(reference.bins, reference.profile.counts)
    if len(found) < degree:
        return ()
    weights = on_bins(found[degree - 1])
    return (Component(name, weights, present(reference.bins), scored=True, tolerance=tolerance),)


def scored(reference: Column, current: Column, degree: int, summary: Summary) -> Measurement | Inconclusive:
    """Return the mean score of the current rows; the reference's is 0 by construction.

    Its p-value is that of the smooth test for this component alone; its standard error is the delta method's, never
    below that of identical distributions.
    """
    from scipy.special import ndtr

    if (refused := refusal(reference, current)) is not None:
        return refused
    found = scores(reference.bins, reference.profile.counts)
    rows, known = current.profile.present, reference.profile.present
    if len(found) < degree:
        return Inconclusive("the reference has too few distinct values", None, rows, known)
    shares, score = current.profile.counts / rows, found[degree - 1]
    effect = float(shares @ score)
    scatter = float(shares @ score**2) - effect**2
    stderr = sqrt(max(1.0, scatter) / rows + max(1.0, _of_reference(reference, shares, degree, effect)) / known)
    statistic = min(1.0, max(0.0, 0.5 + effect / (2 * sqrt(3)))) if degree == 1 else effect
    moved = native(reference, current, summary)
    words = change(moved.what, moved.before, moved.after) if moved else f"no {summary.name} to compare"
    pvalue = float(2 * ndtr(-abs(effect) / sqrt(1 / rows + 1 / known)))
    return Measurement(statistic, effect, stderr, symmetric(effect, stderr), rows, known, pvalue, words)


def _of_reference(reference: Column, shares: npt.NDArray[np.float64], degree: int, effect: float) -> float:
    """Return the variance that one row of the reference brings to the effect, by the delta method."""
    counts = reference.profile.counts
    total, variance = float(counts.sum()), 0.0
    for place in np.flatnonzero(counts):
        raised = counts.astype(np.float64)
        raised[place] += NUDGE * total
        slope = (float(shares @ scores(reference.bins, raised)[degree - 1]) - effect) / NUDGE
        variance += float(counts[place]) / total * slope**2
    return variance


def native(reference: Column, current: Column, summary: Summary) -> Native | None:
    """Return how a summary changed; None without values on either side."""
    before, after = _summary(reference, summary), _summary(current, summary)
    return None if before is None or after is None else Native(summary.name, before, after)


def _summary(column: Column, summary: Summary) -> float | None:
    ranks = np.array([summary.high] if summary.low is None else [summary.low, summary.high])
    found = quantiles(column, ranks)
    if found is None:
        return None
    # Halved, for the distance of two of the largest numbers is no number.
    value = 2 * float(found[-1] / 2 - (found[0] / 2 if summary.low is not None else 0.0))
    return value if isfinite(value) else None
