"""Performance against labels: intervals keep their level, verdicts theirs, and nothing that logs hold is an exception."""

import math

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import expit

from checks.agreement import wilson
from checks.measurement import Inconclusive
from checks.performance import Performance, measure
from checks.performance_change import compare, shared
from checks.ranking import area

RUNS = 400


def scored(rng, rows, strength=1.5, base=-1.0):
    """Labels that follow calibrated scores; the larger the strength, the better they rank."""
    scores = expit(base + strength * rng.normal(size=rows))
    return pa.array((rng.random(rows) < scores).astype(int)), pa.array(scores)


def classed(rng, rows, right=0.8):
    labels = rng.integers(0, 3, rows)
    return pa.array(labels), pa.array(np.where(rng.random(rows) < right, labels, (labels + 1) % 3))


def counted(rng, rows, scatter=2.0):
    amounts = rng.lognormal(3, 0.5, rows)
    return pa.array(amounts), pa.array(amounts + scatter * rng.standard_t(8, rows))


def found(measured, metric):
    return next(item for item in measured if item.metric == metric)


def ranked(rng, rows, **more):
    labels, scores = scored(rng, rows, **more)
    return measure(labels, None, scores)


DRAWS = {
    "auc": ranked,
    "brier": ranked,
    "log_loss": ranked,
    "accuracy": lambda rng, rows, **more: measure(*classed(rng, rows, **more)),
    "mae": lambda rng, rows, **more: measure(*counted(rng, rows, **more)),
}


def drawn(metric, rng, rows, **more):
    return found(DRAWS[metric](rng, rows, **more), metric)


@pytest.mark.parametrize("rows", [300, 1500])
@pytest.mark.parametrize("metric", list(DRAWS))
def test_an_interval_holds_the_truth_as_often_as_it_says(metric, rows):
    rng = np.random.default_rng(5)
    truth = drawn(metric, np.random.default_rng(6), 1_000_000).value
    intervals = [drawn(metric, rng, rows) for _ in range(RUNS)]
    assert 0.92 <= np.mean([item.low <= truth <= item.high for item in intervals]) <= 0.98


def test_the_interval_of_a_very_good_ranking_keeps_its_level_too():
    rng = np.random.default_rng(7)
    draw = lambda rows: (rng.normal(2.8, 1, rows // 5), rng.normal(0, 1, rows - rows // 5))  # noqa: E731 - used here alone
    truth = area(*draw(1_000_000)).value
    found = [area(*draw(250)) for _ in range(RUNS)]
    assert truth > 0.97
    assert 0.92 <= np.mean([item.low <= truth <= item.high for item in found]) <= 0.985


@pytest.mark.parametrize("metric", list(DRAWS))
def test_without_a_change_a_verdict_is_seldom_better_or_worse(metric):
    rng = np.random.default_rng(11)
    verdicts = [compare(drawn(metric, rng, 400), drawn(metric, rng, 600)).verdict for _ in range(RUNS)]
    assert np.mean([verdict in ("better", "worse") for verdict in verdicts]) <= 0.06


def accuracy_of(hits, rows):
    return Performance("accuracy", hits / rows, *wilson(hits, rows), rows, higher_is_better=True)


def test_labels_that_come_in_day_by_day_lead_to_no_more_false_verdicts_than_one_look():
    rng, looks, false = np.random.default_rng(12), 14, 0
    for _ in range(RUNS):
        before = accuracy_of(int((rng.random(1500) < 0.8).sum()), 1500)
        right = (rng.random(looks * 100) < 0.8).cumsum()
        afters = [accuracy_of(int(right[100 * day - 1]), 100 * day) for day in range(1, looks + 1)]
        false += any(compare(before, after, looks).verdict in ("better", "worse") for after in afters)
    assert false / RUNS <= 0.06


@pytest.mark.parametrize(
    ("metric", "worse"),
    [("auc", {"strength": 0.6}), ("accuracy", {"right": 0.7}), ("mae", {"scatter": 2.6})],
)
def test_a_plain_loss_is_seen_and_its_way_back_is_called_better(metric, worse):
    rng = np.random.default_rng(13)
    pairs = [(drawn(metric, rng, 800), drawn(metric, rng, 800, **worse)) for _ in range(100)]
    assert np.mean([compare(good, bad).verdict == "worse" for good, bad in pairs]) >= 0.9
    assert np.mean([compare(bad, good).verdict == "better" for good, bad in pairs]) >= 0.9


def test_the_area_is_that_of_all_pairs_with_halves_for_ties():
    rng = np.random.default_rng(3)
    positive, negative = rng.integers(2, 9, 60).astype(float), rng.integers(0, 7, 90).astype(float)
    pairs = np.subtract.outer(positive, negative)
    assert area(positive, negative).value == pytest.approx(np.mean((pairs > 0) + 0.5 * (pairs == 0)))


def test_the_variance_of_the_area_is_delong_s_by_all_pairs():
    rng = np.random.default_rng(4)
    positive, negative = rng.normal(1, 1, 50), rng.normal(0, 1, 70)
    wins = (np.subtract.outer(positive, negative) > 0).astype(float)
    value = wins.mean()
    stderr = math.sqrt(wins.mean(axis=1).var(ddof=1) / 50 + wins.mean(axis=0).var(ddof=1) / 70)
    reach = 1.959963984540054 * stderr / (value * (1 - value))
    found = area(positive, negative)
    assert (found.low, found.high) == pytest.approx([expit(math.log(value / (1 - value)) + s * reach) for s in (-1, 1)])


def test_wilson_s_interval_is_the_published_one():
    # Newcombe (1998), Statistics in Medicine 17:857, table I: 81 of 263 and 0 of 20.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_the_interval_of_a_difference_of_shares_is_newcombe_s():
    # Newcombe (1998), Statistics in Medicine 17:873, table II, method 10: 56/70 against 48/80.
    one = Performance("accuracy", 48 / 80, *wilson(48, 80), 200, higher_is_better=True)
    other = Performance("accuracy", 56 / 70, *wilson(56, 70), 200, higher_is_better=True)
    change = compare(one, other)
    assert (change.difference, change.low, change.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


def test_a_ranking_without_a_mistake_has_an_interval_with_width():
    found = area(np.arange(20.0) + 50, np.arange(30.0))
    assert found.value == found.high == 1.0
    assert 0.8 < found.low < 0.9


def test_the_measure_that_people_are_told_comes_first():
    rng = np.random.default_rng(1)
    labels, scores = scored(rng, 200)
    predictions = pa.array(np.asarray(scores) > 0.5)
    assert [item.metric for item in measure(labels, predictions, scores)] == ["auc", "brier", "log_loss", "accuracy"]


def test_scores_that_are_no_probabilities_rank_and_no_more():
    labels, scores = scored(np.random.default_rng(1), 200)
    assert [item.metric for item in measure(labels, None, pa.array(np.asarray(scores) * 10))] == ["auc"]


def test_probabilities_called_predictions_are_scores():
    labels, scores = scored(np.random.default_rng(1), 200)
    assert measure(labels, scores) == measure(labels, None, scores)


def spellings():
    labels, scores = scored(np.random.default_rng(2), 300)
    ones = np.asarray(labels)
    yield "integers", labels, scores
    yield "floats", pa.array(ones.astype(float)), scores
    yield "booleans", pa.array(ones == 1), scores
    yield "words", pa.array(np.where(ones == 1, "Yes", "No")), scores
    yield "numbers as text", pa.array(ones.astype(str)), scores
    yield "minus one and one", pa.array(ones * 2 - 1), scores
    yield "a dictionary", pa.array(ones.astype(str)).dictionary_encode(), scores
    yield "pieces", pa.chunked_array([labels[:100], labels[100:]]), scores
    yield "scores as text", labels, pa.array([str(score) for score in scores.to_pylist()])


@pytest.mark.parametrize(("labels", "scores"), [pytest.param(y, s, id=name) for name, y, s in spellings()])
def test_labels_are_understood_however_they_are_spelled(labels, scores):
    _, plain, values = next(spellings())
    assert found(measure(labels, None, scores), "auc").value == pytest.approx(
        found(measure(plain, None, values), "auc").value
    )


def test_predictions_and_labels_agree_across_spellings():
    labels = pa.array([0, 1] * 50)
    said = pa.array([False, True] * 50)
    assert found(measure(labels, said), "accuracy").value == 1.0


def test_rows_without_a_label_or_a_score_do_not_enter():
    labels, scores = scored(np.random.default_rng(2), 100)
    more = pa.concat_arrays([labels, pa.array([None, 1, 0, 1], pa.int64())])
    spread = pa.concat_arrays([scores, pa.array([0.5, None, math.nan, math.inf])])
    assert measure(more, None, spread) == measure(labels, None, scores)


MANY = 60
HOPELESS = {
    "no rows": (pa.array([], pa.int64()), None, pa.array([], pa.float64())),
    "few rows": (pa.array([0, 1] * 5), None, pa.array([0.1, 0.9] * 5)),
    "labels all null": (pa.nulls(MANY), None, pa.array([0.5] * MANY)),
    "scores all NaN": (pa.array([0, 1] * 30), None, pa.array([math.nan] * MANY)),
    "three labels": (pa.array([0, 1, 2] * 20), None, pa.array([0.5] * MANY)),
    "unknown words": (pa.array(["good", "bad"] * 30), None, pa.array([0.2, 0.4] * 30)),
    "scores as words": (pa.array([0, 1] * 30), None, pa.array(["low", "high"] * 30)),
    "times": (pa.array([0] * MANY, pa.timestamp("us")), None, pa.array([0.5] * MANY)),
    "one class, no probabilities": (pa.array([1] * MANY), None, pa.array(np.arange(MANY) * 1.0)),
    "constant margins": (pa.array([0, 1] * 30), None, pa.array([7.0] * MANY)),
    "errors beyond all numbers": (pa.array([1e308, -1e308, 0.5] * 20), pa.array([-1.7e308, 1.7e308, 1.0] * 20), None),
    "predictions all null": (pa.array([0.5, 1.5] * 30), pa.nulls(MANY), None),
    "nothing to measure": (pa.array([0, 1] * 30), None, None),
}  # fmt: skip


@pytest.mark.parametrize("case", list(HOPELESS))
def test_what_cannot_be_measured_says_why(case):
    answer = measure(*HOPELESS[case])
    assert isinstance(answer, Inconclusive)
    assert answer.reason


@pytest.mark.parametrize(
    ("labels", "scores", "metrics"),
    [([1] * 60, [0.4, 0.6] * 30, ["brier", "log_loss"]), ([0, 1] * 30, [0.5] * 60, ["brier", "log_loss"]),
     ([0] * 55 + [1] * 5, [0.4] * 30 + [0.6] * 30, ["brier", "log_loss"])],
)  # fmt: skip
def test_one_class_or_one_score_leaves_what_can_be_measured(labels, scores, metrics):
    assert [item.metric for item in measure(pa.array(labels), None, pa.array(scores))] == metrics


def test_whole_amounts_of_few_values_are_measured_both_ways_and_of_many_as_amounts():
    rng = np.random.default_rng(1)
    few, many = rng.integers(0, 5, 200), rng.integers(0, 5000, 200)
    assert [item.metric for item in measure(pa.array(few), pa.array(few))] == ["accuracy", "mae"]
    assert [item.metric for item in measure(pa.array(many), pa.array(many))] == ["mae"]


@pytest.mark.parametrize("seed", range(60))
def test_whatever_columns_hold_no_number_is_nan(seed):
    rng = np.random.default_rng(seed)
    odd = [None, math.nan, math.inf, -math.inf, 0.0, 1.0, 1e308, -1e308, 5e-324]

    def column():
        kind = rng.integers(4)
        values = [odd[place] for place in rng.integers(0, len(odd), 80)]
        if kind == 0:
            return pa.array(values, pa.float64())
        if kind == 1:
            return pa.array([None if v is None else str(v) for v in values])
        if kind == 2:
            return pa.array([None if v is None else v == 1.0 for v in values])
        return pa.array(rng.integers(0, 3, 80))

    answers = [measure(column(), column(), column() if rng.random() < 0.7 else None) for _ in range(2)]
    for answer in answers:
        if not isinstance(answer, Inconclusive):
            assert all(math.isfinite(x) for item in answer for x in (item.value, item.low, item.high))
    if not any(isinstance(answer, Inconclusive) for answer in answers) and (pair := shared(*answers)):
        change = compare(*pair)
        assert all(map(math.isfinite, (change.difference, change.low, change.high)))


def test_few_labels_are_unclear_and_say_how_many_are_needed():
    rng = np.random.default_rng(1)
    change = compare(drawn("accuracy", rng, 400), drawn("accuracy", rng, 60))
    assert (change.verdict, change.reason) == ("unclear", "60 labelled rows after; 100 are needed")


def test_a_wide_interval_is_unclear_rather_than_calm():
    rng = np.random.default_rng(1)
    change = compare(drawn("accuracy", rng, 150), drawn("accuracy", rng, 150))
    assert change.verdict == "unclear"
    assert "more labels" in change.reason


def test_many_labels_without_a_difference_say_so():
    rng = np.random.default_rng(1)
    assert compare(drawn("accuracy", rng, 4000), drawn("accuracy", rng, 4000)).verdict == "no difference seen"


def test_measures_of_different_kinds_are_not_compared():
    rng = np.random.default_rng(1)
    change = compare(drawn("mae", rng, 400), drawn("accuracy", rng, 400))
    assert (change.verdict, change.reason) == ("unclear", "before it was measured by mae")


def test_the_first_measure_that_both_sides_have_is_compared():
    rng = np.random.default_rng(1)
    labels, scores = scored(rng, 200)
    one_class = measure(pa.array([1] * 200), None, scores)
    pair = shared(measure(labels, None, scores), one_class)
    assert [item.metric for item in pair] == ["brier", "brier"]
    assert shared(one_class, measure(*counted(rng, 200))) is None
