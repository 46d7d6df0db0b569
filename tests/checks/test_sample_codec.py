"""Samples of parts of a window travel as bytes and add up to the sample of the whole."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from checks.codec import FormatError
from checks.sample_codec import decode_sample, encode_sample
from checks.sampling import Sample

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=1)
EMPTY = Sample(20, "id", "ts", (START, END))


def rows(count=4000):
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "id": pa.array(rng.permutation(count)),
            "ts": pa.array([START + timedelta(seconds=int(second)) for second in rng.integers(0, 86_400, count)]),
            "slice": pa.array(rng.random(count)),
            "hash": pa.array(["x", None] * (count // 2)),
        }
    )


def carried(sample, empty=EMPTY):
    return decode_sample(encode_sample(sample), empty)


def test_a_sample_is_the_same_after_its_way_as_bytes():
    sample = EMPTY.add(rows())
    assert carried(sample).rows().equals(sample.rows())


def test_samples_of_parts_add_up_to_that_of_the_whole():
    table, total = rows(), EMPTY
    for place in range(0, 4000, 700):
        total += carried(EMPTY.add(table.slice(place, 700)))
    assert total.rows().equals(EMPTY.add(table).rows())


def test_a_sample_of_no_rows_stays_one():
    assert carried(EMPTY).rows().num_rows == 0


def test_no_more_rows_travel_than_may_be_sampled():
    held = carried(EMPTY.add(rows())).held
    assert held <= 8 * 20


def test_a_sample_of_size_nothing_stays_one():
    nothing = Sample(0, "id", "ts", (START, END))
    assert carried(nothing.add(rows()), nothing).rows().num_rows == 0


def test_bytes_that_are_no_sample_are_refused():
    with pytest.raises(FormatError, match="damaged rows"):
        decode_sample(b"no sample", EMPTY)
