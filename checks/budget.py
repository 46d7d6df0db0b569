"""The budget: how much evidence an alarm must pay, so that false ones stay within the promised rate (SIGNAL.md 2.6).

An account that pays A is right to alarm by mistake once in A windows at most. Whether the assumptions behind that hold
on this very log is audited by replaying the reference: whole days, drawn anew with all columns together, judged as the
daemon would.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from checks.evidence import Detector, Tracks
from checks.season import Array
from checks.timeline import Places, Timeline

DAYS_A_PERIOD = 30.0
PSEUDO_DEPLOYMENTS, PSEUDO_DAYS, MEAN_RUN = 8, 90, 20
MOST_WINDOWS = 6_000  # replayed of all pseudo-deployments together; more would cost minutes where windows are short
REPLAYED_SHARE = 0.5  # of the budget that the replay may spend: it has not seen everything that can happen
LOWEST = 1 / 60  # of the strict threshold; the replay of two months cannot vouch for less
STEPS = np.exp(np.arange(0.0, 10.1, 0.5))
SAME_ALARM_DAYS = 7.0  # alarms of one account closer than this are one notification
MOST_PARTS = 24  # of a day, so that parts of different days never meet
FEWEST_DAYS = 14  # of reference, for days to be drawn from


@dataclass(frozen=True)
class Budget:
    """False notifications that a model may cost.

    Parameters
    ----------
    rate : per 30 days.
    windows : windows per 30 days.
    """

    rate: float
    windows: float

    @property
    def strict(self) -> float:
        """The evidence that keeps the rate whatever the dependence, if every bet is fair."""
        return self.windows / self.rate


@dataclass(frozen=True)
class Audit:
    """What the replay of the reference said.

    Parameters
    ----------
    threshold : evidence that an alarm pays, for each account of average weight.
    rate : replayed notifications per 30 days at that threshold; None where nothing could be replayed.
    days : days replayed.
    """

    threshold: float
    rate: float | None
    days: int


def paying(evidence: Array, importance: Array, threshold: float | Array, strict: float) -> Array:
    """Return 1 for every account that pays for an alarm now, shape of ``evidence``.

    An account pays when it alone holds its share of the threshold; the largest together when the mean of all holds the
    strict one, which shows a weak drift of many columns.

    Parameters
    ----------
    evidence : shape (…, accounts).
    importance : weights of mean 1, shape (accounts,).
    threshold : one, or one for each leading element.
    """
    accounts = evidence.shape[-1]
    weighted = evidence * importance
    alone = weighted >= accounts * np.asarray(threshold)[..., None]
    together = weighted.sum(axis=-1) >= accounts * strict
    if not (together & ~alone.any(axis=-1)).any():
        return np.asarray(alone, np.float64)
    order = np.argsort(-weighted, axis=-1)
    ranked = np.take_along_axis(weighted, order, axis=-1)
    needed = np.cumsum(ranked, axis=-1) - ranked < accounts * strict
    largest = np.zeros_like(alone)
    np.put_along_axis(largest, order, needed, axis=-1)
    dense = (together & ~alone.any(axis=-1))[..., None] & largest
    return np.asarray(alone | dense, np.float64)


def alarms(
    detector: Detector,
    sums: Array,
    rows: Array,
    timeline: Timeline,
    thresholds: Array,
    strict: float,
    importance: Array,
) -> Iterator[tuple[int, Array]]:
    """Yield for every window with an alarm its place and who paid, shape (thresholds, accounts).

    The same bets as :meth:`checks.evidence.Detector.step`, for several thresholds at once: nothing but the accounts
    depends on them. After an alarm the account begins again.

    Parameters
    ----------
    sums, rows : of the windows, shape (windows, components).
    thresholds : shape (thresholds,).
    """
    state = detector.start()
    evidence = [np.zeros((len(thresholds), *scale.weights.shape)) for scale in detector.scales]
    ends = [_ends(timeline, place) for place in range(len(detector.scales))]
    for window in range(len(timeline)):
        moment = timeline[window : window + 1]
        scales = []
        for place, (scale, held) in enumerate(zip(detector.scales, state.scales, strict=True)):
            moved, factors = detector.bet(
                scale, held, state.accepted, sums[window], rows[window], moment, last=bool(ends[place][window])
            )
            scales.append(moved)
            for factor in factors:
                evidence[place] = factor.grown(evidence[place])
        state = replace(state, scales=tuple(scales))
        parts = sum((e * s.weights).sum(axis=-1) for e, s in zip(evidence, detector.scales, strict=True))
        paid = paying(detector.tracks.by_account(np.asarray(parts)), importance, thresholds, strict)
        if paid.any():
            yield window, paid
            emptied = paid[:, detector.tracks.account][..., None] > 0
            evidence = [np.where(emptied, 0.0, held) for held in evidence]


def _ends(timeline: Timeline, place: int) -> Array:
    blocks = timeline.blocks(timeline.scales[place])
    return np.concatenate([blocks[1:] != blocks[:-1], [True]]).astype(np.float64)


def audit(
    tracks: Tracks,
    sums: Array,
    rows: Array,
    timeline: Timeline,
    budget: Budget,
    importance: Array,
    *,
    weekly: bool = True,
    yearly: bool = False,
    seed: int = 0,
) -> Audit:
    """Replay the reference and return the smallest threshold that keeps to half of the budget there.

    Pseudo-deployments are drawn by a stationary bootstrap of whole days (Politis and Romano 1994), weekdays kept and
    all components together, so that whatever depends on what stays so for runs of 20 days; each is calibrated anew and
    judged for months. Never below an eighth of the strict threshold, and above it where the replay says that the
    assumptions fail.

    Parameters
    ----------
    sums, rows : of the reference's windows, shape (windows, components).
    """
    days = np.unique(timeline.days)
    a_day = max(1.0, timeline.a_day)
    length = int(min(PSEUDO_DAYS, max(30, MOST_WINDOWS / (PSEUDO_DEPLOYMENTS * a_day))))
    if len(days) < FEWEST_DAYS:
        return Audit(budget.strict, None, 0)
    thresholds = budget.strict * LOWEST * STEPS
    rng = np.random.default_rng(seed)
    drawn = [_pseudo(timeline, len(days) + length, rng) for _ in range(PSEUDO_DEPLOYMENTS)]
    counts = np.zeros(len(thresholds))
    for tried in (thresholds[:1], thresholds):
        counts = np.zeros(len(tried))
        for places, line in drawn:
            split = int(np.searchsorted(line.days, len(days)))
            detector = Detector.learned(
                tracks, sums[places[:split]], rows[places[:split]], line[:split], weekly=weekly, yearly=yearly
            )
            after = places[split:]
            found = alarms(detector, sums[after], rows[after], line[split:], tried, budget.strict, importance)
            counts += notifications(found, SAME_ALARM_DAYS * timeline.a_day, len(tried), len(tracks.accounts))
        if counts[0] * DAYS_A_PERIOD / (length * PSEUDO_DEPLOYMENTS) <= REPLAYED_SHARE * budget.rate:
            break
    rates = counts * DAYS_A_PERIOD / (length * PSEUDO_DEPLOYMENTS)
    held = np.flatnonzero(rates > REPLAYED_SHARE * budget.rate)
    chosen = int(held.max()) + 1 if held.size else 0
    if chosen == len(rates):
        return Audit(float(thresholds[-1]), float(rates[-1]), length * PSEUDO_DEPLOYMENTS)
    return Audit(float(thresholds[chosen]), float(rates[chosen]), length * PSEUDO_DEPLOYMENTS)


def notifications(found: Iterator[tuple[int, Array]], gap: float, thresholds: int, accounts: int) -> Array:
    """Count windows with an alarm of any account that has not alarmed for ``gap`` windows, shape (thresholds,)."""
    last = np.full((thresholds, accounts), -np.inf)
    counts = np.zeros(thresholds)
    for window, paid in found:
        counts += ((paid > 0) & (window - last > gap)).any(axis=1)
        last = np.where(paid > 0, window, last)
    return counts


def _pseudo(timeline: Timeline, length: int, rng: np.random.Generator) -> tuple[Places, Timeline]:
    """Return the places of the windows of drawn days, and the timeline they make."""
    starts = timeline.starts("day")
    stops = np.concatenate([starts[1:], [len(timeline)]])
    weekday = (timeline.moments.hours[starts] // 24).astype(int)
    daily = timeline.a_day > 1 - 1e-6
    days = _drawn(weekday if daily else np.zeros_like(weekday), length, rng, 7 if daily else 1)
    places = np.concatenate([np.arange(starts[day], stops[day]) for day in days])
    number = np.repeat(np.arange(length), stops[days] - starts[days])
    within = timeline.parts[places] - timeline.parts[starts][days][number]
    parts = number * MOST_PARTS + within
    line = Timeline(timeline.moments[places], parts, number, timeline.a_day)
    return places, line


def _drawn(weekday: Places, length: int, rng: np.random.Generator, week: int) -> Places:
    """Draw days: runs of a mean length of ``MEAN_RUN``, each day one of the weekday that is due."""
    size = len(weekday)
    by_weekday = [np.flatnonzero(weekday == day) for day in range(week)]
    day = int(rng.integers(size))
    first = int(weekday[day])
    found = np.empty(length, np.int64)
    for place in range(length):
        due = (first + place) % week
        follows = place > 0 and day + 1 < size and weekday[day + 1] == due and rng.random() >= 1 / MEAN_RUN
        if place:
            pool = by_weekday[due] if len(by_weekday[due]) else np.arange(size)
            day = day + 1 if follows else int(rng.choice(pool))
        found[place] = day
    return found
