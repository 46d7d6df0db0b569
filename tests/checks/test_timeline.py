"""Windows added up to parts of a day and days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.season import Moments
from checks.timeline import Timeline


def line(windows, a_day=24.0, parts_a_day=4):
    """Windows from midnight on, so many a day."""
    number = np.arange(windows)
    hours = (number + 0.5) * 24 / a_day
    days = (hours // 24).astype(np.int64)
    parts = (hours // (24 / parts_a_day)).astype(np.int64)
    return Timeline(Moments(hours % 168, hours / 8760), parts, days, a_day)


@pytest.mark.parametrize(
    ("a_day", "scales"),
    [
        (1 / 7, ("window",)),
        (1.0, ("window",)),
        (4.0, ("window", "day")),
        (8.0, ("window", "part", "day")),
        (24.0, ("window", "part", "day")),
        (96.0, ("window", "part", "day")),
    ],
)
def test_shorter_windows_are_looked_at_on_more_scales(a_day, scales):
    assert line(10, a_day).scales == scales


@pytest.mark.parametrize(
    ("a_day", "grains"),
    [
        (1 / 7, {"window": "longer"}),
        (1.0, {"window": "day"}),
        (24.0, {"window": "window", "part": "part", "day": "day"}),
    ],
)
def test_a_block_is_a_short_window_a_part_of_a_day_a_day_or_longer(a_day, grains):
    known = line(10, a_day)
    assert {scale: known.grain(scale) for scale in known.scales} == grains


@pytest.mark.parametrize(("scale", "blocks"), [("window", 72), ("part", 12), ("day", 3)])
def test_blocks_begin_where_their_number_changes(scale, blocks):
    starts = line(72).starts(scale)
    assert starts.tolist() == list(range(0, 72, 72 // blocks))


@given(st.integers(1, 100), st.integers(0, 99), st.sampled_from(["window", "part", "day"]))
def test_nothing_is_lost_or_counted_twice_in_blocks(windows, skipped, scale):
    known = line(windows + skipped)[skipped:]
    values = np.arange(2.0 * windows).reshape(windows, 2)
    found = known.gathered(scale, values)
    assert found.sum(axis=0).tolist() == values.sum(axis=0).tolist()
    assert len(found) == len(set(known.blocks(scale).tolist()))


def test_values_of_a_block_are_summed():
    assert line(48).gathered("day", np.ones((48, 1))).tolist() == [[24.0], [24.0]]


def test_windows_that_are_missing_leave_smaller_blocks():
    known = line(48)[np.array([0, 1, 30])]
    assert known.gathered("day", np.ones(3)).tolist() == [2.0, 1.0]


def test_the_middle_of_a_block_is_the_mean_of_its_windows():
    known = line(48)
    assert known.middles("day").hours.tolist() == [12.0, 36.0]
    assert known.middles("part").hours[:2].tolist() == [3.0, 9.0]
    assert known.middles("window").hours.tolist() == known.moments.hours.tolist()


def test_an_empty_timeline_has_no_blocks():
    empty = line(5)[5:]
    assert (len(empty), len(empty.starts("day")), len(empty.gathered("day", np.zeros((0, 3))))) == (0, 0, 0)
