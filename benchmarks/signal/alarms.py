"""From alerts to figures: false notifications, delay, precision, and thresholds tuned by an oracle. Pure functions.

Every rule is counted alike: alerts of one column less than seven days apart are one, and what is new in one window
is one notification, whatever the number of columns. Delays are in days and count the window of the onset, so that an
alert in the first changed day is a delay of one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, sqrt
from typing import Literal

import numpy as np

Alert = tuple[int, tuple[str, ...]]
"""A window, counted from the first after the reference, and the columns named."""

Outcome = Literal["win", "tie", "lose"]

MERGE_DAYS = 7
HORIZON_DAYS = 60
BUDGET = 1.0  # notifications per 30 days
TIE_DAYS = 0.25
_CANDIDATES = 400  # thresholds that the oracle tries


def alerts_of(scores: np.ndarray, threshold: float, columns: Sequence[str]) -> list[Alert]:
    """Return the alerts of scores above a threshold.

    Parameters
    ----------
    scores : by window and column, shape (W, K).
    threshold : that a score must exceed.
    columns : K names.
    """
    above = scores > threshold
    return [
        (int(window), tuple(columns[place] for place in np.flatnonzero(above[window])))
        for window in np.flatnonzero(above.any(1))
    ]


def notifications(alerts: Iterable[Alert], per_day: int) -> list[Alert]:
    """Leave out the columns that alerted within the last seven days, and alerts of which nothing is left."""
    last: dict[str, int] = {}
    sent = []
    for window, columns in sorted(alerts):
        fresh = tuple(name for name in columns if window - last.get(name, -(10**9)) >= MERGE_DAYS * per_day)
        last.update(dict.fromkeys(columns, window))
        if fresh:
            sent.append((window, fresh))
    return sent


def per_30_days(alerts: Iterable[Alert], windows: int, per_day: int) -> float:
    """Return notifications per 30 days in a log of so many windows after the reference."""
    return len({window for window, _ in notifications(alerts, per_day)}) * 30 * per_day / windows


def _notified(scores: np.ndarray, threshold: float, per_day: int) -> int:
    """Count the notifications of ``scores > threshold`` as ``notifications`` does, for a whole matrix at once."""
    column, window = np.nonzero((scores > threshold).T)
    fresh = np.ones(column.size, bool)
    fresh[1:] = (column[1:] != column[:-1]) | (np.diff(window) >= MERGE_DAYS * per_day)
    return int(np.unique(window[fresh]).size)


def oracle_threshold(nulls: Sequence[np.ndarray], per_day: int, rate: float = BUDGET) -> float:
    """Return the lowest threshold that, like all above it, keeps to a rate on scores of logs without a change.

    Parameters
    ----------
    nulls : scores of repetitions, each of shape (W, K).
    per_day : windows a day.
    rate : notifications per 30 days.
    """
    pooled = np.unique(np.concatenate([scores.ravel() for scores in nulls]))[::-1]
    # A rule that may notify n times is bound by its highest scores: try those one by one and the rest ever coarser.
    places = np.unique(np.geomspace(1, pooled.size, _CANDIDATES).astype(int)) - 1
    allowed = rate * sum(len(scores) for scores in nulls) / (30 * per_day)
    threshold = float(pooled[0])
    for candidate in pooled[places]:
        if sum(_notified(scores, float(candidate), per_day) for scores in nulls) > allowed:
            break
        threshold = float(candidate)
    return threshold


@dataclass(frozen=True)
class NullFigures:
    """False notifications per 30 days over repetitions of one world."""

    runs: int
    mean: float
    stderr: float
    p95: float

    @property
    def over_budget(self) -> bool:
        """Whether the mean lies above the budget by more than two standard errors."""
        return self.mean - 2 * self.stderr > BUDGET


def null_figures(rates: Sequence[float]) -> NullFigures:
    """Summarise the rates of repetitions; one repetition has no standard error and is never over budget."""
    stderr = float(np.std(rates, ddof=1)) / sqrt(len(rates)) if len(rates) > 1 else inf
    return NullFigures(len(rates), float(np.mean(rates)), stderr, float(np.quantile(rates, 0.95)))


@dataclass(frozen=True)
class Detection:
    """What one rule made of one change.

    Parameters
    ----------
    delay : days to the first alert that names a changed column; infinite where none came within the horizon.
    before : whether a changed column alerted in the seven days before the onset.
    named, right : columns named by that alert, and how many of them had changed.
    """

    delay: float
    before: bool
    named: int
    right: int


def detection(alerts: Iterable[Alert], changed: Iterable[str], onset: int, per_day: int) -> Detection:
    """Judge alerts against the truth; ``onset`` counts windows from the first after the reference."""
    alerts, truth = sorted(alerts), frozenset(changed)
    end = onset + HORIZON_DAYS * per_day
    hits = [window for window, columns in alerts if truth.intersection(columns)]
    first = next((window for window in hits if onset <= window < end), None)
    named = next((columns for window, columns in alerts if window == first and truth.intersection(columns)), ())
    return Detection(
        delay=inf if first is None else (first - onset + 1) / per_day,
        before=any(onset - MERGE_DAYS * per_day <= window < onset for window in hits),
        named=len(named),
        right=sum(name in truth for name in named),
    )


@dataclass(frozen=True)
class Figures:
    """What one rule made of one kind of change, over repetitions; delays in days, infinite where most never came."""

    runs: int
    share: float
    median: float
    p90: float
    before: float
    precision: float | None


def figures(detections: Sequence[Detection]) -> Figures:
    """Summarise detections; ``precision`` is None where nothing was named."""
    delays = np.sort([found.delay for found in detections])
    named = sum(found.named for found in detections)
    return Figures(
        runs=len(detections),
        share=float(np.isfinite(delays).mean()),
        # Without interpolation: between a day and never lies nothing.
        median=float(np.quantile(delays, 0.5, method="inverted_cdf")),
        p90=float(np.quantile(delays, 0.9, method="inverted_cdf")),
        before=float(np.mean([found.before for found in detections])),
        precision=sum(found.right for found in detections) / named if named else None,
    )


def cost(shown: Figures) -> float:
    """Order rules: by median delay, and by the share found where the median is never."""
    return shown.median if np.isfinite(shown.median) else 1000 - 100 * shown.share


def compared(ours: Figures, theirs: Figures) -> Outcome:
    """Return who sees a change earlier; a quarter of a day is a tie."""
    gap = cost(ours) - cost(theirs)
    return "win" if gap < -TIE_DAYS else "lose" if gap > TIE_DAYS else "tie"


def best_peer(peers: Mapping[str, Figures]) -> str:
    """Return the peer that hindsight chooses."""
    return min(peers, key=lambda name: cost(peers[name]))
