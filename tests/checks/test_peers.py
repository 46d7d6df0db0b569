"""The peers' rules: Evidently's against the real package, the distances against SciPy, and what every rule promises."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from checks.peering import PeerRule, Values, peer_rules
from checks.peers.evidently import Evidently
from checks.peers.ks import KolmogorovSmirnov
from checks.peers.nannyml import NannyML
from checks.peers.psi import PopulationStability
from checks.windowed import ks_distances, ranked, side_by_side, wasserstein_distances
from monitor.report.evidently import QUIET

RULES = peer_rules()

# Evidently takes seconds to import and warns of its own dependencies, so it answers from a process of its own.
ASK_EVIDENTLY = """
import json, sys
import pyarrow.parquet as pq
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import ValueDrift

kinds = json.loads(open(sys.argv[1] + "/kinds.json").read())
table = pq.read_table(sys.argv[1] + "/rows.parquet").to_pandas()
verdicts = {}
for case, rows in table.groupby("case"):
    kind = kinds[case]
    column = "number" if kind == "numeric" else "word"
    role = {"numeric": "numerical_columns", "categorical": "categorical_columns"}[kind]
    definition = DataDefinition(**{role: [column]})
    reference, *windows = [
        Dataset.from_pandas(rows[rows.window == w][[column]], data_definition=definition)
        for w in sorted(rows.window.unique())
    ]
    results = [Report([ValueDrift(column=column)]).run(window, reference).dict()["metrics"][0] for window in windows]
    verdicts[case] = [(result["config"].get("method", ""), float(result["value"])) for result in results]
print("VERDICTS" + json.dumps(verdicts))
"""


def numeric(*parts: np.ndarray) -> list[Values]:
    return [Values(np.asarray(part, float), "numeric") for part in parts]


def words(*parts: Sequence[str | None]) -> list[Values]:
    return [Values(np.array(part, object), "categorical") for part in parts]


def evidently_cases() -> dict[str, list[Values]]:
    """Reference and windows by the branch of Evidently's rule that they take."""
    rng = np.random.default_rng(5)

    def draws(draw, size: int) -> list[np.ndarray]:
        return [draw(size, 0.0), *(draw(120, shift) for shift in (0.0, 0.15, 0.6))]

    def with_nulls(size: int, shift: float) -> np.ndarray:
        return np.where(rng.random(size) < 0.1, np.nan, rng.normal(shift, 1, size))

    def few(size: int, shift: float) -> np.ndarray:
        return np.minimum(rng.poisson(0.7 + shift, size), 3).astype(float)

    def letters(known: int):
        def draw(size: int, shift: float) -> list[str | None]:
            shares = np.arange(known, 0.0, -1)
            shares[0] += 4 * shift
            drawn = rng.choice(list("abcdefgh")[:known], size, p=shares / shares.sum()).tolist()
            return [None if rng.random() < 0.05 else value for value in drawn]

        return draw

    cases = {}
    for size, name in ((800, "small"), (4000, "large")):
        cases[f"{name} numbers"] = numeric(*draws(with_nulls, size))
        cases[f"{name} few numbers"] = numeric(*draws(few, size), rng.normal(size=90))
        cases[f"{name} categories"] = words(*draws(letters(6), size), ["a", "b", "new"] * 30)
        cases[f"{name} two categories"] = words(*draws(letters(2), size))
    return cases


@pytest.mark.slow
def test_evidentlys_rule_scores_as_the_package_does(tmp_path: Path):
    cases = evidently_cases()
    kinds = {case: sets[0].kind for case, sets in cases.items()}
    (tmp_path / "kinds.json").write_text(json.dumps(kinds), encoding="utf-8")
    rows = [
        (case, place, float(value), None) if kinds[case] == "numeric" else (case, place, None, value)
        for case, sets in cases.items()
        for place, values in enumerate(sets)
        for value in values.data
    ]
    names = ["case", "window", "number", "word"]
    pq.write_table(
        pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))), tmp_path / "rows.parquet"
    )
    done = subprocess.run(
        [sys.executable, "-c", ASK_EVIDENTLY, str(tmp_path)],
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    verdicts = json.loads(done.stdout.split("VERDICTS")[1])
    for case, (reference, *windows) in cases.items():
        theirs = [
            value / 0.1 if case.startswith("large") else -np.log10(max(value, 1e-300)) / -np.log10(0.05)
            for _, value in verdicts[case]
        ]
        # A p-value of Kolmogorov and Smirnov is our approximation of SciPy's exact one; all else is the same formula.
        exact = case not in ("small numbers", "small few numbers")
        ours = Evidently().scores(reference, windows)
        assert ours == pytest.approx(
            np.minimum(theirs, 300), rel=1e-6 if exact else 0.05, abs=1e-9 if exact else 0.03
        ), (
            case,
            verdicts[case],
        )


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
class TestEveryRule:
    def test_is_a_peer_rule_with_a_title(self, rule: PeerRule):
        assert isinstance(rule, PeerRule)
        assert rule.title

    def test_scores_are_finite_whatever_a_window_holds(self, rule: PeerRule):
        rng = np.random.default_rng(1)
        reference, *windows = numeric(
            rng.normal(size=900), [], [np.nan] * 5, [np.inf, 1.0], rng.normal(size=40), np.full(9, 1e12), [3.0]
        )
        scores = rule.scores(reference, windows)
        assert scores.shape == (6,)
        assert np.isfinite(scores).all()

    def test_nothing_to_compare_scores_nothing(self, rule: PeerRule):
        void, full = numeric(np.full(50, np.nan), np.arange(50.0))
        assert rule.scores(void, [full]).tolist() == [0.0]
        assert rule.scores(full, [void]).tolist() == [0.0]
        assert rule.scores(full, []).tolist() == []

    def test_a_constant_column_that_stays_is_calm(self, rule: PeerRule):
        reference, window = numeric(np.ones(500), np.ones(80))
        assert rule.scores(reference, [window]) == pytest.approx([0.0])

    def test_a_gross_change_of_numbers_alarms(self, rule: PeerRule):
        rng = np.random.default_rng(2)
        reference, same, other = numeric(rng.normal(size=3000), rng.normal(size=300), rng.normal(3, 1, 300))
        scores = rule.scores(reference, [same, other])
        assert scores[1] > max(scores[0], rule.threshold(50, 30))

    def test_a_gross_change_of_categories_alarms(self, rule: PeerRule):
        rng = np.random.default_rng(3)
        reference, window = words(rng.choice(["a", "b"], 3000, p=[0.9, 0.1]), ["b"] * 200 + ["new"] * 100)
        assert rule.scores(reference, [window])[0] > rule.threshold(50, 30)

    def test_codes_and_words_are_the_same_categories(self, rule: PeerRule):
        rng = np.random.default_rng(4)
        codes = [rng.integers(-1, 4, size) for size in (700, 90, 60)]
        spelled = words(*[[None if code < 0 else "abcd"[code] for code in part] for part in codes])
        reference, *windows = (Values(part, "categorical") for part in codes)
        assert rule.scores(reference, windows) == pytest.approx(rule.scores(spelled[0], spelled[1:]))

    def test_a_windows_score_does_not_depend_on_its_neighbours(self, rule: PeerRule):
        rng = np.random.default_rng(6)
        reference, *windows = numeric(rng.poisson(2, 900), *(rng.poisson(2 + 0.3 * i, 60) for i in range(4)))
        together = rule.scores(reference, windows)
        assert together == pytest.approx([rule.scores(reference, [window])[0] for window in windows])


@pytest.mark.parametrize("draw", ["normal", "poisson"])
def test_distances_of_all_windows_at_once_are_scipys(draw: str):
    rng = np.random.default_rng(7)
    parts = [getattr(rng, draw)(2, size=size) for size in (400, 1, 7, 90)]
    order = ranked(side_by_side(numeric(parts[0])[0], numeric(*parts[1:])))
    assert ks_distances(order) == pytest.approx([stats.ks_2samp(parts[0], part).statistic for part in parts[1:]])
    assert wasserstein_distances(order) == pytest.approx(
        [stats.wasserstein_distance(parts[0], part) for part in parts[1:]]
    )


def test_the_psi_of_deciles_is_the_formula_on_their_shares():
    rng = np.random.default_rng(8)
    reference, window = rng.normal(size=2000), rng.normal(0.4, 1, 150)
    edges = [-np.inf, *np.quantile(reference, np.arange(0.1, 0.95, 0.1)), np.inf]
    p, q = (np.maximum(np.histogram(part, edges)[0] / part.size, 1e-4) for part in (reference, window))
    assert PopulationStability().scores(*numeric(reference), numeric(window)) == pytest.approx(
        [((q - p) * np.log(q / p)).sum()]
    )


def test_the_budget_of_one_test_among_many_is_bonferronis():
    assert KolmogorovSmirnov().threshold(50, 30) == pytest.approx(-np.log10(1 / 1500))


def test_nannyml_takes_the_time_blocks_of_the_reference_where_they_are_known():
    rng = np.random.default_rng(9)
    data, blocks = rng.normal(size=3000), np.repeat(np.arange(60), 50)
    windows = numeric(*rng.normal(size=(40, 50)))
    by_block = NannyML().scores(Values(data, "numeric", blocks), windows)
    by_tenths = NannyML().scores(Values(data, "numeric"), windows)
    # Ten chunks of 300 rows vary far less than windows of 50 do.
    assert (by_block > 3).mean() < 0.1 < 0.9 < (by_tenths > 3).mean()
