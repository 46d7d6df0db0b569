"""What every fault keeps to, from the moment its file exists."""

from dataclasses import is_dataclass

import numpy as np
import pyarrow as pa
import pytest
from diagnosis_columns import current_of, reference_of

from checks.diagnosing import Explanation, Fault, diagnose, faults
from checks.profile import KINDS, Column, ColumnProfile

RNG = np.random.default_rng(3)
WORDS = ["a", "B", "c c", "", "😀", "<script>", "\0other"]
STAMPS = pa.array((RNG.uniform(0, 1e7, 400) * 1e6).astype("int64"), pa.timestamp("us", "UTC"))
REFERENCES = {
    "numbers": reference_of(RNG.normal(0, 1, 500)),
    "whole numbers": reference_of(RNG.poisson(2, 500)),
    "huge numbers": reference_of(RNG.normal(0, 1e200, 500)),
    "one number": reference_of(np.array([3.0])),
    "constant": reference_of(np.full(50, 7.0)),
    "nulls": reference_of(pa.nulls(50)),
    "nothing": reference_of(pa.array([], pa.float64())),
    "words": reference_of(RNG.choice(WORDS, 300).tolist()),
    "one word": reference_of(["a"] * 20),
    "flags": reference_of([True, False, None] * 50),
    "texts": reference_of([f"text {place}" * (place % 9) for place in range(300)], "text"),
    "times": reference_of(STAMPS),
}
CURRENTS = {
    "no rows": pa.array([], pa.float64()),
    "one row": np.array([2.5]),
    "nulls": pa.nulls(40),
    "constant": np.full(40, 7.0),
    "numbers": RNG.normal(5, 3, 200),
    "infinities": np.array([np.inf, -np.inf, 1.0, 2.0] * 20),
    "only infinities": np.full(30, np.inf),
    "huge numbers": RNG.normal(0, 1e300, 60),
    "tiny numbers": RNG.normal(0, 1e-300, 60),
    "words": RNG.choice([*WORDS, "new"], 90).tolist(),
    "many new words": [f"new {place}" for place in range(300)],
    "flags": [True, False, False] * 30,
    "times": STAMPS.slice(0, 50),
}


def pairs():
    for before, reference in REFERENCES.items():
        for after, values in CURRENTS.items():
            yield pytest.param(reference, current_of(reference, values), id=f"{before} to {after}")
        absent = ColumnProfile(reference.bins.kind, 30, np.zeros(reference.bins.size, np.int64), absent=30)
        yield pytest.param(reference, Column("x", reference.bins, absent), id=f"{before} to absent")


@pytest.mark.parametrize(("reference", "current"), list(pairs()))
def test_any_column_gets_a_name_and_words_without_a_warning(reference, current):
    found = diagnose(reference, current)
    assert found.title
    assert found.words
    assert "nan" not in found.words
    assert 0 <= found.confidence <= 1


@pytest.mark.parametrize("reference", list(REFERENCES.values()), ids=list(REFERENCES))
def test_a_reference_compared_with_itself_is_not_explained(reference):
    assert diagnose(reference, reference).confidence <= 0.3


@pytest.mark.parametrize("name", list(faults()))
def test_a_fault_is_a_frozen_dataclass_that_says_what_it_is(name):
    fault = faults()[name]
    assert isinstance(fault, Fault)
    assert is_dataclass(fault)
    assert type(fault).__dataclass_params__.frozen
    assert fault.kinds <= frozenset(KINDS)
    assert fault.kinds
    assert fault.pipeline in (True, False, None)
    assert type(fault).__doc__


def test_titles_are_unique():
    titles = [fault.title for fault in faults().values()]
    assert len(set(titles)) == len(titles)


def test_faults_are_tried_in_the_order_of_their_ranks():
    ranks = [fault.rank for fault in faults().values()]
    assert ranks == sorted(ranks)


def test_the_same_rows_in_another_order_get_the_same_diagnosis():
    values = RNG.normal(5, 3, 300)
    reference = REFERENCES["numbers"]
    one, other = (diagnose(reference, current_of(reference, rows)) for rows in (values, values[::-1].copy()))
    assert (one.fault, one.words) == (other.fault, other.words)


def test_a_diagnosis_leaves_the_profiles_as_they_were():
    reference = REFERENCES["numbers"]
    current = current_of(reference, RNG.normal(5, 3, 300))
    counts = current.profile.counts.copy()
    diagnose(reference, current)
    assert (current.profile.counts == counts).all()


def test_a_confidence_outside_0_and_1_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        Explanation("sure", 1.2)
