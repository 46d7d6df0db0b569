"""After an alarm: which rows carry the change of a column, those of one segment, another mix of segments, or all.

It is asked of samples of rows, for profiles do not know which value of one column came with which of another.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from checks.joining import concat
from checks.profile import Bins
from checks.segment_contrast import Contrast, contrast, in_words
from checks.segment_mix import Mixture, decomposed
from checks.segment_scores import Aspect, Pair, Score
from checks.segment_values import REST, Segments, blocks, same_hours
from checks.wording import share_text

LEVEL = 0.05  # chance that a change of all rows is laid on some segment or mix
FEWEST_ROWS = 20  # on each side, inside a segment and outside of it
LEAST_CHANGE = 0.03  # of a share of rows, or of the mean rank: a tenth of a standard deviation


@dataclass(frozen=True, slots=True)
class Part:
    """What the column did in some of the rows.

    Parameters
    ----------
    words : in native units.
    change : of the mean score, in [-1, 1]; see :mod:`checks.segment_scores`.
    reference_rows, rows : sampled rows of both sides.
    """

    words: str
    change: float
    reference_rows: int
    rows: int


@dataclass(frozen=True, slots=True)
class Carrier:
    """The segment in whose rows the column changed, while it is as before in the others.

    Parameters
    ----------
    column, value : name the segment; a value of None are the rows where ``column`` is null.
    words : the whole in one clause.
    inside, outside : the rows of the segment, and the others.
    share : of the current sampled rows that the segment holds.
    made : share of the whole change that its rows make, as far as the change outside is not sampling.
    margin : of the change inside over twice the one outside, in standard errors.
    """

    column: str
    value: str | None
    words: str
    inside: Part
    outside: Part
    share: float
    made: float
    margin: float


@dataclass(frozen=True, slots=True)
class Mix:
    """The column changed only because segments hold other shares of the rows; within them it is as before.

    Parameters
    ----------
    column, value : the column whose mix changed, and its value whose share moved most (None: null).
    words : the whole in one clause.
    before, after : that value's share of the rows.
    explained : share of the change of the column's mean score that the mix makes.
    margin : of the part that the mix makes over twice the rest, in standard errors.
    """

    column: str
    value: str | None
    words: str
    before: float
    after: float
    explained: float
    margin: float


def carrier(
    reference: pa.Table,
    current: Sequence[pa.Table],
    column: str,
    bins: Mapping[str, Bins],
    *,
    configured: Sequence[str] = (),
    aspects: tuple[Aspect, ...] = ("values", "nulls"),
    time: str | None = None,
) -> Carrier | Mix | None:
    """Find the segment that carries the change of a column.

    A segment carries it when some score changed inside by more than twice what any score did outside: a linear
    contrast tested at ``LEVEL``, with Bonferroni's correction for all segments, mixes and scores that are asked. So
    the change inside is significant, the two differ (Altman & Bland 2003, *Interaction revisited*, BMJ 326), and what
    is left outside is small; at least half of the whole change must be the segment's. Without such a segment, the
    change of the mean score is decomposed into what other shares of the segments make and what changed within them
    (Kitagawa 1955, JASA 50); the first must be more than twice the second, and no segment changed for itself.

    Parameters
    ----------
    reference, current : sampled rows of the reference, and of the windows since the onset.
    column : the one with the alarm.
    bins : of all columns that the reference knows; ids and the event time are not among them.
    configured : columns whose segments are asked first, with half of the level. Others are asked where they have few
        values and do not follow the time: what changes from hour to hour is no matter of segments.
    aspects : whether values or nulls raised the alarm; both where that is not known.
    time : name of the event time; the reference's rows are then those of the same hours, as far as there are enough.

    Returns
    -------
    Carrier | Mix | None
        None where all rows changed, or too few rows are at hand to tell.
    """
    now = concat(list(current))
    if column not in bins or not now.num_rows or not reference.num_rows:
        return None
    known = same_hours(reference, now, time)
    first = [name for name in configured if name in bins and name != column]
    rounds = [names for names in (first, [name for name in bins if name != column and name not in first]) if names]
    pair = Pair.of(known, now, column, bins[column], aspects, time)
    times = blocks(current, now, time)
    for names in rounds:
        found = [(name, Segments.of(known, now, name, bins[name], chosen=name in first)) for name in names]
        segments = [item for name, item in found if item and (name in first or not item.follow(times))]
        question = _Question(column, pair, segments, LEVEL / len(rounds))
        answer = question.carrier() or question.mix()
        if answer is not None:
            return answer
    return None


@dataclass(frozen=True)
class _Question:
    column: str
    pair: Pair
    segments: list[Segments]
    level: float

    def _limit(self, scores: int) -> float:
        """Return the standard errors that a margin must exceed: two-sided, Bonferroni over all that is asked."""
        asked = max(1, scores * sum(len(item.labels) + 1 for item in self.segments))
        return NormalDist().inv_cdf(1 - self.level / (2 * asked))

    def carrier(self) -> Carrier | None:
        best: tuple[Contrast, Segments, int] | None = None
        limit = self._limit(len(self.pair.scores()))
        for item in self.segments:
            for code in np.flatnonzero([label != REST for label in item.labels]).tolist():
                inside, outside = item.split(self.pair, code)
                if min(side.ok.size for part in (inside, outside) for side in (part.reference, part.current)) < (
                    FEWEST_ROWS
                ):
                    continue
                found = contrast(inside, outside, LEAST_CHANGE, limit)
                if found and (best is None or found.weight > best[0].weight):
                    best = (found, item, code)
        return None if best is None else self._told(*best)

    def _told(self, found: Contrast, item: Segments, code: int) -> Carrier:
        parts = [
            Part(in_words(rows, moved.score), moved.size, rows.reference.ok.size, rows.current.ok.size)
            for rows, moved in zip(item.split(self.pair, code), (found.inside, found.outside), strict=True)
        ]
        words = f"rows {item.named(code)}: {parts[0].words}; other rows {parts[1].words}"
        share = parts[0].rows / (parts[0].rows + parts[1].rows)
        return Carrier(item.column, item.value(code), words, parts[0], parts[1], share, found.made, found.margin)

    def mix(self) -> Mix | None:
        best: tuple[Mixture, Segments] | None = None
        scores: list[Score] = self.pair.scores()
        limit = self._limit(len(scores))
        for item in self.segments:
            for score in scores:
                found = decomposed(score, item.reference, item.current, len(item.labels))
                quiet = found.worst_within < limit and abs(found.by_mix) >= LEAST_CHANGE
                if quiet and found.margin > limit and (best is None or found.margin > best[0].margin):
                    best = (found, item)
        return None if best is None else self._told_mix(*best)

    def _told_mix(self, found: Mixture, item: Segments) -> Mix:
        # Of all rows, whether or not they have a score.
        size = len(item.labels)
        was, now = (np.bincount(codes, minlength=size) / codes.size for codes in (item.reference, item.current))
        gaps = np.where([label == REST for label in item.labels], 0.0, np.abs(now - was))
        code = int(np.argmax(gaps))
        words = (
            f"because the mix of `{item.column}` changed: rows {item.named(code)} {share_text(was[code])} to "
            f"{share_text(now[code])}; within its values `{self.column}` is as before"
        )
        explained = found.by_mix / found.total
        return Mix(item.column, item.value(code), words, float(was[code]), float(now[code]), explained, found.margin)
