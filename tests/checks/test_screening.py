"""What a check tells at a glance is what it measures: where it says that nothing moved, the effect is 0."""

from itertools import product

import pyarrow as pa
import pytest

from checks.binning import fit_table, profile_batch
from checks.catalogue import catalogue, measures_columns, sees_nothing
from checks.measurement import Measurement
from checks.profile import Column

CHECKS = {name: entry.check() for name, entry in catalogue().items() if sees_nothing(entry.check())}
ROWS = 60
NUMBERS = {
    "as before": [float(place % 20) for place in range(ROWS)],
    "few": [1.0, 2.0],
    "none": [],
    "null": [None] * ROWS,
    "some null": [None if place % 2 else 1.0 for place in range(ROWS)],
    "one value": [3.0] * ROWS,
    "infinite": [float("inf")] * ROWS,
    "some infinite": [float("-inf") if place % 9 == 0 else float(place) for place in range(ROWS)],
    "as text": [str(place % 20) for place in range(ROWS)],
    "words": ["n/a"] * ROWS,
}
WORDS = {
    "as before": ["ab"[place % 2] for place in range(ROWS)],
    "few": ["a"],
    "null": [None] * ROWS,
    "one value": ["a"] * ROWS,
    "one unseen": ["z"] * ROWS,
    "unseen": ["yz"[place % 2] for place in range(ROWS)],
    "numbers": list(range(ROWS)),
}


def sides(worlds, kind, before, after):
    known = pa.table({"x": pa.array(worlds[before])})
    bins = fit_table(known, {"x": kind})
    tables = (known, pa.table({"x": pa.array(worlds[after])}), pa.table({"y": [1] * ROWS}))
    return [Column("x", bins["x"], profile_batch(table, bins).columns["x"]) for table in tables]


def test_there_are_checks_that_tell_at_a_glance():
    assert {"constant", "missing_column", "non_finite", "type_change"} <= CHECKS.keys()


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize(
    ("worlds", "kind", "before", "after"),
    [
        *((NUMBERS, "numeric", *pair) for pair in product(("as before", "one value", "few", "null"), NUMBERS)),
        *((WORDS, "categorical", *pair) for pair in product(("as before", "one value", "few"), WORDS)),
    ],
)
def test_where_nothing_moved_the_effect_is_none(name, worlds, kind, before, after):
    check = CHECKS[name]
    reference, *currents = sides(worlds, kind, before, after)
    for current in currents:
        if measures_columns(check) and check.unmoved(reference.bins, reference.profile, current.profile):
            found = check.measure(reference, current)
            assert isinstance(found, Measurement)
            assert found.effect == 0.0


@pytest.mark.parametrize("name", CHECKS)
def test_calm_columns_are_told_at_a_glance(name):
    reference, current, _ = sides(NUMBERS, "numeric", "as before", "as before")
    assert CHECKS[name].unmoved(reference.bins, reference.profile, current.profile)
