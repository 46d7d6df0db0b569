"""A change of versions is no news by itself: where the new reference fits, the budget of false alarms holds."""

from datetime import timedelta

import numpy as np
import pytest

from checks.binning import profile_batch
from monitor.core.evaluation import evaluate
from monitor.core.incident import State
from monitor.core.lifecycle import Holding
from tests.core.watched_model import STRICT, Terms, drawn, learn, plan, reference_of, rhythm, subject, window

SEEDS = range(20)
CHANGE, DAYS, REFERENCE = 6, 18, 60


def snapshot(seed):
    """A reference drawn anew from the same people."""
    from tests.core.watched_model import bins

    blocks = [(window(n), profile_batch(drawn([seed, n + 10_000], 200), bins())) for n in range(-REFERENCE, 0)]
    found = reference_of(blocks)
    return subject(found, learn(found, plan(), rhythm(), Terms(), STRICT))


@pytest.fixture(scope="module")
def fired():
    """How many incidents fire in a log in which nothing changes but the version, seed by seed."""
    from tests.core.watched_model import bins

    found = []
    for seed in SEEDS:
        versions = [snapshot(1000 + seed), snapshot(2000 + seed)]
        held, opened, count = [], {}, 0
        memory = versions[0].start()
        for number in range(DAYS):
            watched = versions[number >= CHANGE]
            memory = watched.start() if number in (0, CHANGE) else memory
            profile = profile_batch(drawn([3000 + seed, number], 200), bins())
            place = window(number)
            own = [(w, p) for w, p in held if (w.start >= window(CHANGE).start) == (number >= CHANGE)]
            seen = evaluate(
                watched, memory, place, profile, (), lambda since, own=own: [e for e in own if e[0].end > since]
            )
            memory = seen.memory
            held.append((place, profile))
            now_open = [one for one in opened.values() if one.state is not State.RESOLVED]
            steps = seen.steps(now_open, place, place.end, Holding(2, 3))
            opened |= {step.after.id: step.after for step in steps}
            count += sum(step.event == "fired" for step in steps if number >= CHANGE)
        found.append(count)
    return found


def test_a_version_change_with_a_fitting_reference_keeps_the_budget_of_false_alarms(fired):
    """One false alarm in 30 days: of 20 times 12 days eight on average at most; fifteen have a chance of one percent."""
    assert sum(fired) <= len(SEEDS) * (DAYS - CHANGE) / 30 + 2.33 * np.sqrt(len(SEEDS) * (DAYS - CHANGE) / 30)


def test_most_version_changes_open_nothing_at_all(fired):
    assert sum(count == 0 for count in fired) >= 17


def test_by_chance_no_first_window_after_a_change_is_an_alarm_in_a_whole_house(house):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tests.versions.housed import rows_of, write_reference_of
    from tests.worlds import START

    one = house(days=12, versions=((0, "7"), (4, "8"), (8, "9")), drift=0.0)
    for version, seed in (("8", 31), ("9", 32)):
        path = write_reference_of(one.folder, version)
        pq.write_table(pa.table(rows_of(START - timedelta(days=40), 40, seed)), path)
    one.until(12)
    assert one.incidents == []
    assert len({run.reference_id for run in one.runs}) == 3
