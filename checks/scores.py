"""Scores of numeric columns: Neyman's smooth components, measured in one window and said in native units."""

from dataclasses import dataclass
from math import sqrt

import numpy as np

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


def component_of(reference: Column, degree: int, name: str, tolerance: float) -> tuple[Component, ...]:
    """Return the component of a degree, from 1; none where the reference has too few distinct values for it."""
    found = scores(reference.bins, reference.profile.counts)
    if len(found) < degree:
        return ()
    weights = on_bins(found[degree - 1])
    return (Component(name, weights, present(reference.bins), scored=True, tolerance=tolerance),)


def scored(reference: Column, current: Column, degree: int, summary: Summary) -> Measurement | Inconclusive:
    """Return the mean score of the current rows; the reference's is 0 by construction."""
    if (refused := refusal(reference, current)) is not None:
        return refused
    found = scores(reference.bins, reference.profile.counts)
    rows, known = current.profile.present, reference.profile.present
    if len(found) < degree:
        return Inconclusive("the reference has too few distinct values", None, rows, known)
    effect = float(current.profile.counts @ found[degree - 1]) / rows
    stderr = sqrt(1 / rows + 1 / known)
    statistic = min(1.0, max(0.0, 0.5 + effect / (2 * sqrt(3)))) if degree == 1 else effect
    moved = native(reference, current, summary)
    words = change(moved.what, moved.before, moved.after) if moved else ""
    return Measurement(statistic, effect, stderr, symmetric(effect, stderr), rows, known, words=words)


def native(reference: Column, current: Column, summary: Summary) -> Native | None:
    """Return how a summary changed; None without values on either side."""
    before, after = _summary(reference, summary), _summary(current, summary)
    return None if before is None or after is None else Native(summary.name, before, after)


def _summary(column: Column, summary: Summary) -> float | None:
    ranks = np.array([summary.high] if summary.low is None else [summary.low, summary.high])
    found = quantiles(column, ranks)
    return None if found is None else float(found[-1] - (found[0] if summary.low is not None else 0.0))
