"""Days drawn anew: the stationary bootstrap of Politis and Romano (1994) on whole days, weekdays kept."""

import numpy as np

from checks.timeline import Places, Timeline

MEAN_RUN = 20  # days; dependence that lasts longer is not seen
MOST_PARTS = 24  # of a day, so that parts of different days never meet


def redrawn(timeline: Timeline, length: int, rng: np.random.Generator) -> tuple[Places, Timeline]:
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
