"""Planted faults: where they move the rows of a profile."""

import numpy as np
import pyarrow as pa
import pytest

from checks.binning import fit, profile_column
from checks.components import EXTRAS, count_vector
from checks.planting import FAULTS, planted
from checks.profile import Column
from checks.quality.constant import Constant
from checks.quality.missing_column import MissingColumn
from checks.quality.type_change import TypeChange

BY_NAME = {fault.name: fault for fault in FAULTS}
ROWS = 20_000


def column(values) -> Column:
    array = pa.array(values, from_pandas=True)
    bins = fit(array)
    return Column("x", bins, profile_column(array, bins))


@pytest.fixture(scope="module")
def numbers():
    rng = np.random.default_rng(1)
    return {
        "normal": column(rng.normal(40, 10, ROWS)),
        "whole": column(rng.integers(0, 6, ROWS)),
        "gaps": column(np.where(rng.random(ROWS) < 0.3, np.nan, rng.lognormal(3, 1, ROWS))),
    }


@pytest.fixture(scope="module")
def words():
    return column(np.random.default_rng(2).choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1]).astype(object))


def after(known: Column, name: str):
    moves = BY_NAME[name].moves(known)
    assert moves is not None
    return count_vector(known.profile) @ moves


def extra(counts, name: str) -> float:
    return float(counts[len(counts) - len(EXTRAS) + EXTRAS.index(name)])


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_loses_no_row_and_invents_none(fault, numbers, words):
    found = [moves for known in (*numbers.values(), words) if (moves := fault.moves(known)) is not None]
    assert found
    for moves in found:
        assert np.allclose(moves.sum(axis=1), 1.0)
        assert moves.min() >= 0


def test_nulls_rise_by_so_many_points_whatever_was_null_before(numbers):
    counts = after(numbers["gaps"], "nulls +20 points")
    assert extra(counts, "nulls") / ROWS == pytest.approx(numbers["gaps"].profile.null_share + 0.2)


def test_a_shift_of_a_normal_column_is_that_of_its_rows(numbers):
    known, rng = numbers["normal"], np.random.default_rng(3)
    really = profile_column(pa.array(rng.normal(46, 10, 400_000)), known.bins).counts / 400_000
    assert np.abs(after(known, "location +0.6 sd")[: known.bins.size] / ROWS - really).max() < 0.01


def test_a_wider_spread_of_a_normal_column_is_that_of_its_rows(numbers):
    known, rng = numbers["normal"], np.random.default_rng(4)
    really = profile_column(pa.array(rng.normal(40, 13, 400_000)), known.bins).counts / 400_000
    # Beyond the reference's extremes there are no ranks: the outermost bins take what went there.
    moved = after(known, "spread \N{MULTIPLICATION SIGN} 1.3")[1 : known.bins.size - 1] / ROWS
    assert np.abs(moved - really[1:-1]).max() < 0.01


def test_a_shift_invents_no_value_that_the_column_cannot_have(numbers):
    known = numbers["whole"]
    empty = known.profile.counts == 0
    assert after(known, "location +1 sd")[: known.bins.size][empty].sum() == pytest.approx(0, abs=1e-6)


def test_another_unit_puts_everything_but_zero_far_away(numbers):
    known = numbers["whole"]
    zeros = int((known.profile.counts * (known.bins.edge_array.searchsorted(0.0) == np.arange(known.bins.size))).sum())
    counts = after(known, "unit \N{MULTIPLICATION SIGN} 1000")
    assert counts[known.bins.size - 1] == pytest.approx(ROWS - zeros)


def test_a_new_category_takes_its_share_of_every_other(words):
    counts = after(words, "new category in 3% of rows")
    assert counts[words.bins.size - 1] / ROWS == pytest.approx(0.03)
    assert counts[0] / words.profile.counts[0] == pytest.approx(0.97)


def test_a_share_rises_by_so_many_points(words):
    counts = after(words, "share of a category +12 points")
    assert counts[1] / ROWS - words.profile.counts[1] / ROWS == pytest.approx(0.12)


def test_codes_in_the_opposite_order_swap_the_most_with_the_least_frequent(words):
    counts = after(words, "codes in the opposite order")
    assert counts[:3].tolist() == words.profile.counts[:3][::-1].tolist()


def test_a_fault_that_would_change_nothing_is_not_planted():
    zeros = column(np.zeros(1000))
    assert BY_NAME["unit \N{MULTIPLICATION SIGN} 1000"].moves(zeros) is None
    assert BY_NAME["stuck at one value"].moves(zeros) is None
    assert BY_NAME["new category in 3% of rows"].moves(zeros) is None


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("column missing", MissingColumn()),
        ("text instead of numbers", TypeChange()),
        ("stuck at one value", Constant()),
    ],
)
def test_a_fault_of_the_whole_column_is_a_fact_to_its_check(name, check, numbers):
    known = numbers["normal"]
    broken = planted(known.profile, known.bins, BY_NAME[name].moves(known))
    assert broken.rows == known.profile.rows
    assert check.measure(known, Column("x", known.bins, broken)).effect > 0.9
