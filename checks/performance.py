"""How good predictions turned out to be, once their labels are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from checks import reading
from checks.agreement import mean, wilson
from checks.measurement import Inconclusive
from checks.ranking import area

Values = npt.NDArray[np.float64]
Column: TypeAlias = pa.Array | pa.ChunkedArray

FEWEST_ROWS = 30  # below, neither the normal approximations nor a person's judgement hold
FEWEST_OF_A_CLASS = 10  # rows of the rarer class, without which a ranking says nothing
MOST_CLASSES = 50  # whole numbers with more values than that are amounts
_SURE = 1e-6  # a probability nearer to 0 or 1 is taken for this near: one row would outweigh all others


@dataclass(frozen=True, slots=True)
class Performance:
    """One measure of predictions against labels, with a 95% interval for independent rows.

    Parameters
    ----------
    metric : ``auc``, ``accuracy``, ``brier``, ``log_loss`` or ``mae``.
    value, low, high : in the metric's own unit; ``mae`` is in that of the labels.
    rows : labelled rows that entered.
    """

    metric: str
    value: float
    low: float
    high: float
    rows: int
    higher_is_better: bool


def measure(
    labels: Column, predictions: Column | None = None, scores: Column | None = None
) -> tuple[Performance, ...] | Inconclusive:
    """Return how good predictions are, the measure that people are told first.

    Two classes with scores are measured by ``auc``, and by ``brier`` and ``log_loss`` where the scores are
    probabilities; classes with predictions by ``accuracy``; numbers with predictions by ``mae``. A row lacking its
    label, or what is measured, does not enter.

    Parameters
    ----------
    labels, predictions, scores : of one length; numbers, booleans or texts. The positive one of two classes is the
        larger number, or the text that means true.
    """
    if predictions is not None and scores is None and _probabilities(labels, predictions):
        predictions, scores = None, predictions
    found: list[Performance | Inconclusive] = []
    if scores is not None:
        found += _of_scores(labels, scores)
    if predictions is not None:
        found += _of_predictions(labels, predictions)
    measured = tuple(item for item in found if isinstance(item, Performance))
    if measured:
        return measured
    refused = [item for item in found if isinstance(item, Inconclusive)]
    return refused[0] if refused else Inconclusive("neither a prediction nor a score is configured")


def _of_scores(labels: Column, scores: Column) -> Sequence[Performance | Inconclusive]:
    truth = _binary(labels)
    if isinstance(truth, Inconclusive):
        return [truth]
    read = reading.numbers(reading.plain(scores))
    known = np.isfinite(truth) & read.ok & np.isfinite(read.values)
    truth, values = truth[known], read.values[known]
    if (refused := _too_few(len(truth), "a label and a score")) is not None:
        return [refused]
    return [_auc(truth, values), *_of_probabilities(truth, values)]


def _auc(truth: Values, scores: Values) -> Performance | Inconclusive:
    positive, negative = scores[truth == 1], scores[truth == 0]
    rarer, rows = min(len(positive), len(negative)), len(truth)
    if rarer == 0:
        return Inconclusive("every label is the same, and a ranking needs two classes", None, rows)
    if rarer < FEWEST_OF_A_CLASS:
        return Inconclusive(f"{rarer} labels of the rarer class, fewer than {FEWEST_OF_A_CLASS}", None, rows)
    if scores.min() == scores.max():
        return Inconclusive("every score is the same, which ranks nothing", None, rows)
    found = area(positive, negative)
    return Performance("auc", found.value, found.low, found.high, rows, higher_is_better=True)


def _of_probabilities(truth: Values, scores: Values) -> list[Performance]:
    if scores.min() < 0 or scores.max() > 1:
        return []
    rows = len(truth)
    chances = np.clip(scores, _SURE, 1 - _SURE)
    surprise = -np.log(np.where(truth == 1, chances, 1 - chances))
    # Not one error in n rows leaves room for some: the rule of three (Hanley & Lippman-Hand 1983, JAMA 249).
    return [
        Performance("brier", *mean((scores - truth) ** 2, least=1 / rows), rows, higher_is_better=False),
        Performance("log_loss", *mean(surprise), rows, higher_is_better=False),
    ]


def _of_predictions(labels: Column, predictions: Column) -> Sequence[Performance | Inconclusive]:
    truth, said = reading.numbers(reading.plain(labels)), reading.numbers(reading.plain(predictions))
    if truth.mistyped.any() or said.mistyped.any() or _are_booleans(labels, predictions):
        return [_accuracy(labels, predictions)]
    known = truth.ok & said.ok & np.isfinite(truth.values) & np.isfinite(said.values)
    true, predicted = truth.values[known], said.values[known]
    if (refused := _too_few(len(true), "a label and a prediction")) is not None:
        return [refused]
    values = np.unique(np.concatenate([true, predicted]))
    whole = bool((values == np.floor(values)).all())
    if whole and len(np.unique(true)) <= 2:
        return [_accuracy(labels, predictions)]
    errors = _error(true, predicted)
    return [_accuracy(labels, predictions), errors] if whole and len(values) <= MOST_CLASSES else [errors]


def _error(true: Values, predicted: Values) -> Performance | Inconclusive:
    with np.errstate(over="ignore"):
        errors = np.abs(predicted - true)
    if not np.isfinite(errors).all():
        return Inconclusive("the labels or the predictions are too large to subtract", None, len(true))
    found = mean(errors)
    if not all(map(isfinite, found)):
        return Inconclusive("the errors are too large to average", None, len(true))
    return Performance("mae", *found, len(true), higher_is_better=False)


def _accuracy(labels: Column, predictions: Column) -> Performance | Inconclusive:
    true, said = reading.texts(labels), reading.texts(predictions)
    if _are_booleans(labels, predictions):
        true, said = reading.booleans(labels), reading.booleans(predictions)
    known = ~(true.nulls | said.nulls)
    rows = int(known.sum())
    if (refused := _too_few(rows, "a label and a prediction")) is not None:
        return refused
    hits = int((true.values[known] == said.values[known]).sum())
    return Performance("accuracy", hits / rows, *wilson(hits, rows), rows, higher_is_better=True)


def _are_booleans(labels: Column, predictions: Column) -> bool:
    """Whether one side holds booleans, which the other may spell as 0 and 1 or in words."""
    return any(reading.family(column.type) == "boolean" for column in (labels, predictions))


def _binary(labels: Column) -> Values | Inconclusive:
    """Return labels as 1 for the positive class, 0 for the other, NaN for none."""
    words = reading.booleans(labels)
    if not words.mistyped.any():
        positive = np.where(words.values == "true", 1.0, 0.0)
        return np.where(words.nulls, np.nan, positive)
    numbers = reading.numbers(reading.plain(labels))
    values = np.unique(numbers.values[numbers.ok])
    if numbers.mistyped.any():
        return Inconclusive("nothing tells which of the labels the score is for; use 1 and 0, or true and false")
    if len(values) > 2:
        return Inconclusive("there are more than two labels, and a score ranks rows of two classes")
    if len(values) < 2:
        return Inconclusive("every label is the same, and a ranking needs two classes", None, int(numbers.ok.sum()))
    return np.where(numbers.ok, (numbers.values == values[1]).astype(np.float64), np.nan)


def _probabilities(labels: Column, predictions: Column) -> bool:
    """Whether what is called a prediction is a probability of the positive one of two classes."""
    read = reading.numbers(reading.plain(predictions))
    values = read.values[read.ok]
    if read.mistyped.any() or not len(values) or values.min() < 0 or values.max() > 1:
        return False
    return bool((values != np.floor(values)).any()) and not isinstance(_binary(labels), Inconclusive)


def _too_few(rows: int, what: str) -> Inconclusive | None:
    if rows >= FEWEST_ROWS:
        return None
    return Inconclusive(f"{rows} rows with {what}, fewer than {FEWEST_ROWS}", FEWEST_ROWS, rows)
