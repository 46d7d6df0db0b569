"""Columns that share a cause become one group, and the group says what the columns alone cannot."""

import numpy as np
import pyarrow as pa
import pytest
from diagnosis_columns import arrow

from checks.binning import fit_table, profile_batch
from checks.diagnosing import by_onset, diagnose, group
from checks.profile import Column


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def groups_of(before: dict, after: dict):
    """Diagnose every column and group those in which something was found, as the judge does with its breaches."""
    known, seen = (pa.table({name: arrow(values) for name, values in side.items()}) for side in (before, after))
    bins = fit_table(known)
    references, currents = (
        {name: Column(name, bins[name], column) for name, column in profile_batch(side, bins).columns.items()}
        for side in (known, seen)
    )
    diagnoses = {name: diagnose(references[name], currents[name]) for name in bins}
    return group({name: found for name, found in diagnoses.items() if found.confidence > 0.3}, references, currents)


def test_columns_with_one_fault_form_one_group(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "ab"}
    (found,) = groups_of(before, {name: values[:1000] * 1000 for name, values in before.items()})
    assert (found.fault, found.columns, found.pipeline) == ("unit_change", ("a", "b"), True)
    assert found.words.startswith("a: units became thousandths")
    assert "; b: units became thousandths" in found.words


def test_columns_with_different_pipeline_faults_stay_apart(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "ab"}
    found = groups_of(before, {"a": before["a"][:1000] * 1000, "b": np.full(1000, 3.0)})
    assert [(item.fault, item.columns) for item in found] == [("stuck", ("b",)), ("unit_change", ("a",))]


def test_changes_of_the_world_form_one_group_whatever_their_shape(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "ab"}
    (found,) = groups_of(before, {"a": before["a"][:1500] + 2, "b": (before["b"][:1500] - 20) * 1.5 + 20})
    assert (found.fault, found.title, found.columns, found.pipeline) == (
        "population_shift",
        "population shift",
        ("a", "b"),
        False,
    )


def test_one_change_of_the_world_keeps_its_own_title_under_the_common_key(rng):
    values = rng.normal(20, 5, 4000)
    (found,) = groups_of({"a": values}, {"a": values[:1500] + 2})
    assert (found.fault, found.title) == ("population_shift", "location shift")
    assert found.words.startswith("mean ")


def test_a_long_group_shows_three_columns_and_counts_the_rest(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abcde"}
    (found,) = groups_of(before, {name: values[:1500] + 2 for name, values in before.items()})
    assert found.words.endswith("; and 2 more columns")


def test_columns_null_in_equal_shares_are_a_join_that_broke(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abcd"}
    lost = rng.random(1000) < 0.3
    after = {name: np.where(lost, np.nan, before[name][:1000]) for name in "abc"}
    (found,) = groups_of(before, {**after, "d": before["d"][:1000]})
    assert (found.fault, found.columns, found.pipeline) == ("join_broke", ("a", "b", "c"), True)
    assert found.words.startswith("a, b, c are null together in 3")


def test_columns_null_in_different_shares_are_no_join(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abc"}
    after = {
        name: np.where(rng.random(1000) < share, np.nan, before[name][:1000])
        for name, share in zip("abc", (0.2, 0.4, 0.6), strict=True)
    }
    (found,) = groups_of(before, after)
    assert (found.fault, found.columns) == ("null_flood", ("a", "b", "c"))


def test_two_columns_null_together_are_no_join_yet(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "ab"}
    (found,) = groups_of(before, {name: np.full(900, np.nan) for name in "ab"})
    assert found.fault == "null_flood"


def test_columns_that_changed_places_are_swapped(rng):
    before = {
        "age": rng.normal(40, 10, 4000),
        "income": rng.lognormal(10, 0.5, 4000),
        "height": rng.normal(170, 8, 4000),
    }
    after = {"age": before["income"][:1000], "income": before["age"][:1000], "height": before["height"][:1000]}
    (found,) = groups_of(before, after)
    assert (found.fault, found.columns, found.pipeline) == ("swapped_columns", ("age", "income"), True)
    assert found.words == "age now holds what income held, and income what age held"


def test_two_columns_that_drifted_are_not_swapped(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "ab"}
    (found,) = groups_of(before, {name: values[:1500] + 3 for name, values in before.items()})
    assert found.fault == "population_shift"


def test_three_broken_columns_are_one_event_upstream(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abc"}
    after = {"a": before["a"][:1000] * 1000, "b": np.full(1000, 3.0), "c": -before["c"][:1000]}
    (found,) = groups_of(before, after)
    assert (found.fault, found.title, found.columns, found.pipeline) == (
        "upstream_event",
        "upstream pipeline event",
        ("a", "b", "c"),
        True,
    )
    assert found.words.startswith("3 columns broke at once: ")
    assert all(title in found.words for title in ("changed unit (a: ", "stuck at one value (b: ", "reversed sign (c: "))


def test_an_event_upstream_of_many_columns_shows_three_faults(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abcd"}
    after = {
        "a": before["a"][:1000] * 1000,
        "b": np.full(1000, 3.0),
        "c": -before["c"][:1000],
        "d": np.where(rng.random(1000) < 0.4, np.nan, before["d"][:1000]),
    }
    (found,) = groups_of(before, after)
    assert found.words.endswith("; and 1 more fault")


def test_one_fault_of_many_columns_keeps_its_name(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abcd"}
    (found,) = groups_of(before, {name: values[:1000] * 1000 for name, values in before.items()})
    assert (found.fault, found.title) == ("unit_change", "changed unit")


def test_a_change_of_the_world_is_not_counted_to_an_event_upstream(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abc"}
    after = {"a": before["a"][:1000] * 1000, "b": np.full(1000, 3.0), "c": before["c"][:1000] + 2}
    assert not any("upstream" in item.words for item in groups_of(before, after))


def test_pipeline_faults_come_before_changes_of_the_world(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abc"}
    after = {"a": before["a"][:1000] + 2, "b": before["b"][:1000] + 2, "c": np.full(1000, 3.0)}
    assert [item.pipeline for item in groups_of(before, after)] == [True, False]


def test_every_column_is_in_exactly_one_group(rng):
    before = {name: rng.normal(20, 5, 4000) for name in "abcdef"}
    after = {name: np.full(900, np.nan) for name in "abc"} | {
        "d": before["e"][:900] * 9,
        "e": before["d"][:900],
        "f": np.ones(900),
    }
    members = [name for item in groups_of(before, after) for name in item.columns]
    assert len(members) == len(set(members))


def test_columns_that_changed_within_the_time_of_an_event_began_together():
    onsets = {"a": 7200.0, "b": 0.0, "c": 3600.0, "d": 86400.0}
    assert by_onset(onsets, 7200.0) == [("b", "c", "a"), ("d",)]


def test_no_onsets_make_no_events():
    assert by_onset({}, 3600.0) == []


def test_nothing_diagnosed_makes_no_group():
    assert group({}, {}, {}) == []
