"""Pruning changes no verdict: what later windows rest on stays, whatever the policy says."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from houses import SHORTEST, House, told, verdicts

from monitor import retaining
from monitor.store.tables import learnt, profiles, runs
from tests.worlds import CONFIG, drop, shift

pytestmark = pytest.mark.slow

THIN = CONFIG.replace("checks: auto", "checks: auto\n    columns: {include: [age, plan]}").replace(
    "delay: 1h, ", "delay: 1h, catch_up: 400d, allowed_lateness: 0s, "
)


def faults(rows):
    """A level that moves for good, a null flood that ends, and a day that is logged again 30 days later."""
    shift("age", 6.0, 10, 40)(rows)
    drop("plan", 50, 54)(rows)
    drop("plan", 85, 88)(rows)
    first, again = 65 * 300, 95 * 300
    for name in ("age", "amount", "plan", "flag"):
        rows[name][again : again + 300] = rows[name][first : first + 300]


def lived(folder, policy, config=THIN, days=100, change=faults):
    """Watch a log day by day; with a policy, prune after every window."""
    folder.mkdir()
    house = House(folder, days, change, config)
    if policy is not None:
        house.config = house.config.model_copy(update={"retention": policy})
    for day in range(1, days):
        house.until(day)
        if policy is not None and day > 70:
            retaining.prune(house.store, house.config, house.clock.now())
    return house


def test_the_same_windows_get_the_same_findings_and_evidence_bit_for_bit(tmp_path):
    whole, pruned = lived(tmp_path / "whole", None), lived(tmp_path / "pruned", SHORTEST)
    expected, found = verdicts(whole), verdicts(pruned)
    assert 60 < len(found) < len(expected) == 99
    assert {end: found[end] for end in found} == {end: expected[end] for end in found}
    assert max(found) == max(expected)
    kept, everything = told(pruned), told(whole)
    assert {name: everything[name] for name in kept} == kept
    assert pruned.count(profiles) < whole.count(profiles)
    whole.store.close()
    pruned.store.close()


def test_a_reference_without_time_teaches_the_same_from_the_logs_first_weeks_however_old_they_are(tmp_path):
    import pyarrow.parquet as pq

    houses = []
    for name, policy in (("whole", None), ("pruned", SHORTEST)):
        folder = tmp_path / name
        folder.mkdir()
        house = House(folder, 100, shift("age", 6.0, 90), THIN)
        rows = pq.read_table(folder / "reference.parquet").drop_columns(["ts"])
        pq.write_table(rows, folder / "reference.parquet")
        for day in range(1, 100):
            house.until(day)
            if policy is not None and day > 70:
                house.config = house.config.model_copy(update={"retention": policy})
                retaining.prune(house.store, house.config, house.clock.now())
            if day == 85:
                house.write(learnt.delete())  # as after 90 days, or by another release: it is learnt again
                house.cycle.forget()
        houses.append(house)
    whole, pruned = houses
    expected, found = verdicts(whole), verdicts(pruned)
    assert 60 < len(found) < len(expected)
    assert found == {end: expected[end] for end in found}
    for house in houses:
        house.store.close()


def test_windows_after_a_year_of_downtime_find_what_they_rest_on(tmp_path):
    house = House(tmp_path, 60, None, THIN)
    house.until(50)
    before = verdicts(house)
    removed = retaining.prune(house.store, house.config, house.clock.now() + timedelta(days=3650))
    assert {one.what for one in removed} <= {"samples", "replays", "learnt", "configurations"}
    assert verdicts(house) == before
    assert house.rows(sa.select(sa.func.count()).select_from(runs))[0][0] == 50
    house.store.close()
