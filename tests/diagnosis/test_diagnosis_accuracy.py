"""How often the first name is the right one, on faults planted into drawn rows; real columns are harder.

The full run, with more repetitions, is the same code: `REPEATS=60 pytest tests/diagnosis/test_diagnosis_accuracy.py`.
"""

import os

import numpy as np
import pytest
from diagnosis_columns import current_of, reference_of

from checks.diagnosing import diagnose

REPEATS = int(os.environ.get("REPEATS", "5"))
TARGETS = {300: 0.80, 1000: 0.95, 5000: 0.99}
REFERENCE_ROWS = 20_000
DRAWS = {
    "gauss": lambda rng, n: rng.normal(20, 5, n),
    "lognormal": lambda rng, n: np.exp(rng.normal(3, 1, n)),
    "gamma": lambda rng, n: rng.gamma(2, 10, n),
    "standard": lambda rng, n: rng.standard_normal(n),
}


def spiked(share, value):
    return lambda y, rng: np.where(rng.random(len(y)) < share, value, y)


def scaled(factor, shift=0.0):
    return lambda y, rng: factor * y + shift


NUMERIC = [
    *[("unit_change", draw, scaled(factor)) for draw, factor in (
        ("gauss", 1.609), ("lognormal", 1000), ("gamma", 0.3048), ("lognormal", 60), ("gauss", 0.01))],
    *[("missing_standardisation", "standard", scaled(*raw)) for raw in ((5, 20), (12, 0), (40, -300))],
    ("standardised", "gauss", scaled(1 / 5, -4)),
    *[("transform_change", draw, lambda y, rng, function=function: function(y)) for draw, function in (
        ("lognormal", np.log1p), ("gamma", np.log1p), ("lognormal", np.log))],
    *[("null_flood", draw, spiked(share, np.nan)) for draw, share in (("gauss", 0.05), ("gamma", 0.3))],
    *[("sentinel", draw, spiked(share, value)) for draw, share, value in (("gauss", 0.05, -999.0), ("gamma", 0.1, 0.0))],
    *[("location_shift", draw, scaled(1, shift)) for draw, shift in (("gauss", 2), ("standard", 0.4), ("gauss", -1.5))],
    ("shape_change", "gauss", lambda y, rng: np.where(rng.random(len(y)) < 0.3, y + 25, y)),
    *[("population_shift", draw, scaled(1)) for draw in ("gauss", "lognormal", "gamma")],
]  # fmt: skip


@pytest.fixture(scope="module")
def references():
    rng = np.random.default_rng(1)
    return {name: reference_of(draw(rng, REFERENCE_ROWS)) for name, draw in DRAWS.items()}


@pytest.mark.parametrize("rows", list(TARGETS))
def test_numbers_get_the_right_name_first(rows, references):
    rng = np.random.default_rng(rows)
    wrong = []
    for fault, draw, change in NUMERIC:
        for _ in range(REPEATS):
            found = diagnose(references[draw], current_of(references[draw], change(DRAWS[draw](rng, rows), rng)))
            if found.fault != fault:
                wrong.append(f"{fault} of {draw}: {found.fault}, {found.words}")
    assert 1 - len(wrong) / (REPEATS * len(NUMERIC)) >= TARGETS[rows], wrong


def categories(rng, shares, names, rows):
    return np.repeat(names, rng.multinomial(rows, shares)).tolist()


@pytest.mark.parametrize("rows", list(TARGETS))
def test_categories_get_the_right_name_first(rows):
    rng = np.random.default_rng(rows + 1)
    names = list("ABCDEFGH")
    wrong, total = [], 0
    for _ in range(2 * REPEATS):
        shares = rng.dirichlet(np.full(8, 2.0))
        reference = reference_of(categories(rng, shares, names, REFERENCE_ROWS))
        largest, second = np.argsort(-shares)[:2]
        tilted = shares.copy()
        tilted[[largest, second]] += [-0.1, 0.1]
        changed = {
            "remap": categories(rng, shares, rng.permutation(names).tolist(), rows),
            "spelling": categories(rng, shares, [f"{name.lower()} " for name in names], rows),
            "new_category": categories(rng, np.append(shares * 0.95, 0.05), [*names, "ZZ"], rows),
            "share_shift": categories(rng, tilted, names, rows),
            "population_shift": categories(rng, shares, names, rows),
        }
        for fault, values in changed.items():
            total += 1
            found = diagnose(reference, current_of(reference, values))
            if found.fault != fault:
                wrong.append(f"{fault}: {found.fault}, {found.words}")
    assert 1 - len(wrong) / total >= TARGETS[rows], wrong
