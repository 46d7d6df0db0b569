"""The budget: how much evidence an alarm must pay, so that false ones stay within the promised rate (SIGNAL.md 2.6).

An account that pays A is right to alarm by mistake once in A windows at most. Whether the assumptions behind that hold
on this very log is audited by replaying the reference: whole days, drawn anew with all columns together, judged as the
daemon would.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from checks.bootstrap import redrawn
from checks.calibration import Calibration
from checks.evidence import Detector, Tracks
from checks.persistence import FEWEST_ALIKE
from checks.season import Array
from checks.timeline import Places, Timeline

DAYS_A_PERIOD = 30.0
PSEUDO_DEPLOYMENTS, PSEUDO_DAYS = 8, 90
MOST_WINDOWS = 6_000  # replayed of all pseudo-deployments together; more would cost minutes where windows are short
REPLAYED_SHARE = 0.5  # of the budget that the replay may spend: it has not seen everything that can happen
RELAXED_SHARE = 0.25  # the same below the strict threshold, where nothing but the replay vouches
LOWEST = 1 / 250  # of the strict threshold: below, bursty worlds notify four times as often as their replays
LEAST_RELAXED = 1 / 8  # what a calm replay may relax to however short the reference is
LEAST_PAID = 6.0  # evidence of one account; calm ones hold one to three, whatever the number of columns
VOUCHED = 40.0  # times that each independent block of the reference vouches for; a slow world has two, others ten
STEPS = np.exp(np.arange(0.0, 10.1, 0.5))
TOO_DEAR = 20.0  # times the strict threshold: three nats beyond what fair bets need
SAME_ALARM_DAYS = 7.0  # alarms of one account closer than this are one notification
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
    unfit : accounts that their own reference would set off at any price; nothing can be concluded of them.
    """

    threshold: float
    rate: float | None
    days: int
    unfit: tuple[str, ...] = ()


def paying(evidence: Array, importance: Array, threshold: float | Array, strict: float) -> Array:
    """Return 1 for every account that pays for an alarm now, shape of ``evidence``.

    An account pays when it alone holds its share of the threshold; the largest together when the mean of all holds it,
    which shows a weak drift of many columns. The mean is asked for an eighth of the strict threshold at least: lower,
    many calm accounts together would spend what the budget has for one that is not.

    Parameters
    ----------
    evidence : shape (…, accounts).
    importance : weights of mean 1, shape (accounts,).
    threshold : one, or one for each leading element.
    """
    accounts = evidence.shape[-1]
    weighted = evidence * importance
    alone = weighted >= accounts * np.asarray(threshold)[..., None]
    joint = accounts * joint_price(threshold, strict)
    together = weighted.sum(axis=-1) >= joint
    if not (together & ~alone.any(axis=-1)).any():
        return np.asarray(alone, np.float64)
    order = np.argsort(-weighted, axis=-1)
    ranked = np.take_along_axis(weighted, order, axis=-1)
    needed = np.cumsum(ranked, axis=-1) - ranked < joint[..., None]
    largest = np.zeros_like(alone)
    np.put_along_axis(largest, order, needed, axis=-1)
    dense = (together & ~alone.any(axis=-1))[..., None] & largest
    return np.asarray(alone | dense, np.float64)


def joint_price(threshold: float | Array, strict: float) -> Array:
    """Return what the mean of all accounts must hold for the largest to pay together, shape of ``threshold``."""
    return np.asarray(np.maximum(threshold, LEAST_RELAXED * strict))


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
    ends = [timeline.ends(scale.name) for scale in detector.scales]
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
    """Replay the reference and return the smallest threshold that keeps to its share of the budget there.

    Pseudo-deployments are drawn by a stationary bootstrap of whole days (Politis and Romano 1994), weekdays kept and
    all components together, so that whatever depends on what stays so for runs of 20 days; each is calibrated anew and
    judged for months. Below the strict threshold only as far as the reference can vouch for, and above it where the
    replay says that the assumptions fail.

    Parameters
    ----------
    sums, rows : of the reference's windows, shape (windows, components).
    """
    days = np.unique(timeline.days)
    a_day = max(1.0, timeline.a_day)
    length = int(min(PSEUDO_DAYS, max(30, MOST_WINDOWS / (PSEUDO_DEPLOYMENTS * a_day))))
    if len(days) < FEWEST_DAYS:
        return Audit(budget.strict, None, 0)
    known = Detector.learned(tracks, sums, rows, timeline, weekly=weekly, yearly=yearly).scales[-1].calibration
    lowest = budget.strict * _lowest(tracks, known, len(days))
    thresholds = max(lowest, min(budget.strict, LEAST_PAID / len(tracks.accounts))) * STEPS
    rng = np.random.default_rng(seed)
    drawn = [redrawn(timeline, len(days) + length, rng) for _ in range(PSEUDO_DEPLOYMENTS)]
    for tried in (thresholds[:1], thresholds):
        found = [
            list(_replayed(tracks, sums, rows, places, line, len(days), tried, budget, importance, weekly, yearly))
            for places, line in drawn
        ]
        judged = _Replay(found, tried, tracks.accounts, SAME_ALARM_DAYS * timeline.a_day, length * PSEUDO_DEPLOYMENTS)
        if judged.rates(())[0] <= RELAXED_SHARE * budget.rate:
            break
    unfit = judged.unfit(budget) if len(tried) > 1 else ()
    rates = judged.rates(unfit)
    allowed = np.where(tried < budget.strict * (1 - 1e-9), RELAXED_SHARE, REPLAYED_SHARE) * budget.rate
    # Alarms that no price prevents are no reason to raise it; they are a reason not to relax it.
    held = np.flatnonzero(rates - np.where(tried < budget.strict * (1 - 1e-9), 0.0, rates[-1]) > allowed)
    chosen = min(int(held.max()) + 1 if held.size else 0, len(rates) - 1)
    names = tuple(tracks.accounts[place] for place in unfit)
    return Audit(float(tried[chosen]), float(rates[chosen]), judged.days, names)


def _replayed(
    tracks: Tracks,
    sums: Array,
    rows: Array,
    places: Places,
    line: Timeline,
    days: int,
    thresholds: Array,
    budget: Budget,
    importance: Array,
    weekly: bool,
    yearly: bool,
) -> Iterator[tuple[int, Array]]:
    """Yield the alarms of one pseudo-deployment: calibrated on its first days, judged on the others."""
    split = int(np.searchsorted(line.days, days))
    learnt, after = places[:split], places[split:]
    detector = Detector.learned(tracks, sums[learnt], rows[learnt], line[:split], weekly=weekly, yearly=yearly)
    return alarms(detector, sums[after], rows[after], line[split:], thresholds, budget.strict, importance)


@dataclass(frozen=True, eq=False)
class _Replay:
    """The alarms of all pseudo-deployments."""

    found: list[list[tuple[int, Array]]]
    thresholds: Array
    accounts: tuple[str, ...]
    gap: float
    days: int

    def rates(self, without: Sequence[int]) -> Array:
        """Return notifications per 30 days at each threshold, without some accounts."""
        counts = np.zeros(len(self.thresholds))
        for alarmed in self.found:
            kept = (
                (window, np.delete(paid, without, axis=1)) if without else (window, paid) for window, paid in alarmed
            )
            counts += notifications(kept, self.gap, len(self.thresholds), len(self.accounts) - len(without))
        return counts * DAYS_A_PERIOD / self.days

    def unfit(self, budget: Budget) -> tuple[int, ...]:
        """Return the accounts that alone would spend half of the budget at ``TOO_DEAR`` times the strict threshold."""
        place = int(np.searchsorted(self.thresholds, TOO_DEAR * budget.strict))
        if place >= len(self.thresholds):
            return ()
        counts = np.zeros(len(self.accounts))
        for alarmed in self.found:
            last = np.full(len(self.accounts), -np.inf)
            for window, paid in alarmed:
                counts += (paid[place] > 0) & (window - last > self.gap)
                last = np.where(paid[place] > 0, window, last)
        allowed = max(1.0, REPLAYED_SHARE * budget.rate * self.days / DAYS_A_PERIOD)
        return tuple(int(account) for account in np.flatnonzero(counts > allowed))


def _lowest(tracks: Tracks, known: Calibration, days: int) -> float:
    """Return the lowest threshold that a replay can vouch for, as a share of the strict one.

    It draws from no more independent stretches of time than the reference has, by the most persistent kind of
    component; where those are few, what it has not seen is no evidence of absence.
    """
    gains = [
        float(np.median(known.gain[mine]))
        for kind in np.unique(tracks.kinds)
        if (mine := (tracks.kinds == kind) & (known.usable > 0)).sum() >= FEWEST_ALIKE
    ]
    gain = min(gains, default=1.0)
    return max(LOWEST, min(LEAST_RELAXED, (2 - gain) / max(1e-9, VOUCHED * days * gain)))


def notifications(found: Iterator[tuple[int, Array]], gap: float, thresholds: int, accounts: int) -> Array:
    """Count windows with an alarm of any account that has not alarmed for ``gap`` windows, shape (thresholds,)."""
    last = np.full((thresholds, accounts), -np.inf)
    counts = np.zeros(thresholds)
    for window, paid in found:
        counts += ((paid > 0) & (window - last > gap)).any(axis=1)
        last = np.where(paid > 0, window, last)
    return counts
