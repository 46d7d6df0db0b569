"""How often the first name is the right one, on faults planted into drawn rows; real columns are harder.

`make signal` runs the same cases with more repetitions.
"""

import pytest

from benchmarks.signal.faults import TARGETS, categories_wrong, numbers_wrong

REPEATS = 5


@pytest.mark.parametrize("rows", list(TARGETS))
def test_numbers_get_the_right_name_first(rows: int):
    tried, wrong = numbers_wrong(rows, REPEATS)
    assert 1 - len(wrong) / tried >= TARGETS[rows], wrong


@pytest.mark.parametrize("rows", list(TARGETS))
def test_categories_get_the_right_name_first(rows: int):
    tried, wrong = categories_wrong(rows, 2 * REPEATS)
    assert 1 - len(wrong) / tried >= TARGETS[rows], wrong
