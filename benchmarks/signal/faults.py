"""Faults planted into drawn rows, and how often the first name that the diagnosis gives them is the right one."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from checks.binning import fit, profile_column
from checks.diagnosing import diagnose
from checks.profile import Column

REFERENCE_ROWS = 20_000
TARGETS = {300: 0.80, 1000: 0.95, 5000: 0.99}  # rows, share of right first names

Spoiling = Callable[[np.ndarray, np.random.Generator], np.ndarray]
Wrong = tuple[str, str]

DRAWS: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "gauss": lambda rng, n: rng.normal(20, 5, n),
    "lognormal": lambda rng, n: np.exp(rng.normal(3, 1, n)),
    "gamma": lambda rng, n: rng.gamma(2, 10, n),
    "standard": lambda rng, n: rng.standard_normal(n),
}


def spiked(share: float, value: float) -> Spoiling:
    """Return what puts a value in the place of some rows."""
    return lambda y, rng: np.where(rng.random(len(y)) < share, value, y)


def scaled(factor: float, shift: float = 0.0) -> Spoiling:
    """Return what multiplies and shifts."""
    return lambda y, _: factor * y + shift


def _mapped(function: Callable[[np.ndarray], np.ndarray]) -> Spoiling:
    return lambda y, _: function(y)


NUMERIC: tuple[tuple[str, str, Spoiling], ...] = (
    *(("unit_change", draw, scaled(factor)) for draw, factor in (
        ("gauss", 1.609), ("lognormal", 1000), ("gamma", 0.3048), ("lognormal", 60), ("gauss", 0.01))),
    *(("missing_standardisation", "standard", scaled(*raw)) for raw in ((5, 20), (12, 0), (40, -300))),
    ("standardised", "gauss", scaled(1 / 5, -4)),
    *(("transform_change", draw, _mapped(function)) for draw, function in (
        ("lognormal", np.log1p), ("gamma", np.log1p), ("lognormal", np.log))),
    *(("null_flood", draw, spiked(share, np.nan)) for draw, share in (("gauss", 0.05), ("gamma", 0.3))),
    ("sentinel", "gauss", spiked(0.05, -999.0)),
    ("sentinel", "gamma", spiked(0.1, 0.0)),
    *(("location_shift", draw, scaled(1, shift)) for draw, shift in (("gauss", 2), ("standard", 0.4), ("gauss", -1.5))),
    ("sub_population", "gauss", lambda y, rng: np.where(rng.random(len(y)) < 0.3, y + 25, y)),
    *(("population_shift", draw, scaled(1)) for draw in ("gauss", "lognormal", "gamma")),
)  # fmt: skip
_NAMES = list("ABCDEFGH")


def numbers_wrong(rows: int, repeats: int) -> tuple[int, list[Wrong]]:
    """Return how many numeric cases were tried and which got a wrong first name, with what it was."""
    rng = np.random.default_rng(1)
    references = {name: _reference(draw(rng, REFERENCE_ROWS)) for name, draw in DRAWS.items()}
    rng, wrong = np.random.default_rng(rows), []
    for fault, draw, spoil in NUMERIC:
        for _ in range(repeats):
            found = diagnose(references[draw], _current(references[draw], spoil(DRAWS[draw](rng, rows), rng))).fault
            if found != fault:
                wrong.append((f"{fault} of {draw}", found))
    return repeats * len(NUMERIC), wrong


def categories_wrong(rows: int, repeats: int) -> tuple[int, list[Wrong]]:
    """Return the same for columns of eight categories."""
    rng, wrong, tried = np.random.default_rng(rows + 1), [], 0
    for _ in range(repeats):
        shares = rng.dirichlet(np.full(len(_NAMES), 2.0))
        reference = _reference(_drawn(rng, shares, _NAMES, REFERENCE_ROWS))
        for fault, values in _spoilt(rng, shares, rows):
            tried += 1
            found = diagnose(reference, _current(reference, values)).fault
            if found != fault:
                wrong.append((fault, found))
    return tried, wrong


def _spoilt(rng: np.random.Generator, shares: np.ndarray, rows: int) -> Iterator[tuple[str, list[str]]]:
    largest, second = np.argsort(-shares)[:2]
    tilted = shares.copy()
    tilted[[largest, second]] += [-0.1, 0.1]
    yield "remap", _drawn(rng, shares, rng.permutation(_NAMES).tolist(), rows)
    yield "spelling", _drawn(rng, shares, [f"{name.lower()} " for name in _NAMES], rows)
    yield "new_category", _drawn(rng, np.append(shares * 0.95, 0.05), [*_NAMES, "ZZ"], rows)
    yield "share_shift", _drawn(rng, tilted, _NAMES, rows)
    yield "population_shift", _drawn(rng, shares, _NAMES, rows)


def _drawn(rng: np.random.Generator, shares: np.ndarray, names: Sequence[str], rows: int) -> list[str]:
    return [str(name) for name in np.repeat(names, rng.multinomial(rows, shares))]


def _reference(values: np.ndarray | list[str]) -> Column:
    array = pa.array(values, from_pandas=True)
    bins = fit(array, None)
    return Column("x", bins, profile_column(array, bins))


def _current(reference: Column, values: np.ndarray | list[str]) -> Column:
    return Column("x", reference.bins, profile_column(pa.array(values, from_pandas=True), reference.bins))
