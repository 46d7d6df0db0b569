"""How much a column changed in the rows of a segment, against how much in all others."""

from dataclasses import dataclass, replace
from math import asin, inf, sqrt

import numpy as np

from checks.profile import Bins, Edges, Kind
from checks.quantiles import change
from checks.segment_scores import Pair, Rows, Score
from checks.wording import share_text

TIMES = 2.0  # the change inside is more than so many times the one outside, beyond what sampling does to both
SMALL = 0.25  # of the change inside: what is seen outside at most
MOST = 0.5  # of the whole change that a segment must make
NOISE = 2.0  # standard errors of what is seen outside that are sampling
_RANKS = (np.arange(50) + 0.5) / 50
_MIDDLE = (0.1, 0.9)
_MEDIANS: dict[Kind, str] = {"datetime": "median age in hours", "text": "median length"}


@dataclass(frozen=True)
class Change:
    """How one score of some rows changed.

    Parameters
    ----------
    score : of the rows, numbers ranked among themselves.
    size : change of the mean score, in [-1, 1].
    variance : of ``size``; infinite without rows.
    distance : the change on a second scale: Cohen's h (Cohen 1988) of shares, the distance in native units of numbers.
    """

    score: Score
    size: float
    variance: float
    distance: float


@dataclass(frozen=True)
class Contrast:
    """The change inside that stands out most from those outside.

    Parameters
    ----------
    inside, outside : the same score.
    margin : of the change inside over ``TIMES`` the one of any score outside, in standard errors.
    made : share of the whole change that the rows inside make, as far as what is outside is not sampling.
    """

    inside: Change
    outside: Change
    margin: float
    made: float

    @property
    def weight(self) -> float:
        """By which one segment is preferred to another: an overlapping one stands out less, or makes less."""
        return self.margin * self.made


def contrast(inside: Pair, outside: Pair, least: float, limit: float) -> Contrast | None:
    """Compare what changed inside with what changed outside; None where nothing inside stands out.

    Outside every score must be quiet, not only the one that tells of the inside: else a shift of all rows would be laid
    on those whose spread it happens to change. And it must be quiet on both scales. Ranks of each part among itself
    make a stretch of all rows equal everywhere, native units a shift of all rows; each alone would lay the other on
    the segment that is most sensitive.

    Parameters
    ----------
    least : smallest change of a mean score inside that counts.
    limit : standard errors that a margin must exceed.

    Returns
    -------
    Contrast | None
        The widest margin; of the median, which people know best, where that stands out as well as a spread or a tail.
    """
    within = _changes(inside)
    if all(abs(item.size) < least for item in within):
        return None
    others = _changes(outside)
    if len(within) != len(others):
        return None  # no values on one side
    share = inside.current.ok.size / max(1, inside.current.ok.size + outside.current.ok.size)
    found: list[Contrast] = []
    for here, there in zip(within, others, strict=True):
        rivals = [item for item in others if (item.score.way == "nulls") == (here.score.way == "nulls")]
        quiet = max(abs(item.size) for item in rivals) <= SMALL * abs(here.size)
        if abs(here.size) < least or not quiet or there.distance > SMALL * here.distance:
            continue
        margin = min(
            (abs(here.size) - TIMES * abs(item.size)) / sqrt(here.variance + TIMES**2 * item.variance)
            for item in rivals
        )
        made = _made(here, there, share)
        if margin > limit and made >= MOST:
            found.append(Contrast(here, there, margin, made))
    best = max(found, key=lambda item: item.weight, default=None)
    if best is not None and best.inside.score.way in ("spread", "far") and found[0].inside.score.way == "location":
        return replace(found[0], margin=best.margin, made=best.made)
    return best


def _made(inside: Change, outside: Change, share: float) -> float:
    """Return the share of the whole change that so many rows inside make, by the second scale where it is native."""
    if inside.score.way in ("category", "nulls"):
        ours, rest = abs(inside.size), max(0.0, abs(outside.size) - NOISE * sqrt(outside.variance))
    else:
        ours, rest = inside.distance, outside.distance
    whole = share * ours + (1 - share) * rest
    return share * ours / whole if whole else 0.0


def _changes(rows: Pair) -> list[Change]:
    found, moved = [], None if rows.bins.categorical else _moved(rows)
    for score in rows.scores():
        before, after = (side[~np.isnan(side)] for side in (score.reference, score.current))
        if not before.size or not after.size:
            found.append(Change(score, 0.0, inf, 0.0))
            continue
        was, now = float(before.mean()), float(after.mean())
        # The larger variance for both, and half a row that differs, so that a share of 0 in few rows is not certain.
        spread = max(float(before.var()), float(after.var())) + 0.5 / (min(before.size, after.size) + 1)
        distance = 2 * abs(asin(sqrt(now)) - asin(sqrt(was))) if moved is None or score.way == "nulls" else moved
        found.append(Change(score, now - was, spread * (1 / before.size + 1 / after.size), distance))
    return found


def _moved(rows: Pair) -> float:
    """Return the mean difference of quantiles (Wasserstein's distance) in native units.

    Values are cut where the bins call them far, so that one gross value does not decide.
    """
    known, seen = _cut(rows.reference, rows.bins), _cut(rows.current, rows.bins)
    if not known.size or not seen.size:
        return 0.0
    return float(np.abs(_quantiles(seen) - _quantiles(known)).mean())


def _quantiles(ascending: Edges) -> Edges:
    return np.interp(_RANKS * (ascending.size - 1), np.arange(ascending.size), ascending)


def _cut(rows: Rows, bins: Bins) -> Edges:
    return np.clip(rows.finite, bins.edges[0], bins.edges[-1]) if bins.edges else rows.finite


def in_words(rows: Pair, score: Score) -> str:
    """Say in native units how rows differ from the reference's, for example ``"median 733 to 1,180"``."""
    if score.way in ("location", "spread"):
        known, seen = rows.reference.finite, rows.current.finite
        if not known.size or not seen.size:
            return "no values"
        if score.way == "location":
            return change(_MEDIANS.get(rows.bins.kind, "median"), float(np.median(known)), float(np.median(seen)))
        widths = [float(np.ptp(np.quantile(side, _MIDDLE))) for side in (known, seen)]
        return change("10% to 90% range", *widths)
    was, now = (share_text(float(np.nan_to_num(np.nanmean(side)))) for side in (score.reference, score.current))
    if score.way == "category":
        return f"share of '{score.category}' {was} to {now}"
    return f"{'null' if score.way == 'nulls' else 'far values'} in {was} to {now} of rows"
