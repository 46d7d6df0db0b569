"""The judge: verdicts from measurements, and nothing else."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import numpy as np
import pytest

from checks.measurement import Inconclusive, Measurement
from monitor.core.calibration import Variation, assumed
from monitor.core.finding import IncidentKind, Verdict
from monitor.core.judge import BLIND_FACTOR, judge
from monitor.core.measuring import Failure, Measured, Planned
from monitor.core.window import Window

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
STEADY = Variation(0.0, 0.0, 0)


@dataclass(frozen=True)
class Fixed:
    """A check with a tolerance and nothing else."""

    kinds: ClassVar[frozenset[str]] = frozenset({"numeric"})
    default_for: ClassVar[frozenset[str]] = frozenset({"numeric"})
    unit: ClassVar[str] = "sd"
    fatal: ClassVar[bool] = False
    tolerance: float = 0.1

    def measure(self, reference, current):
        raise AssertionError("the judge measures nothing")


@dataclass(frozen=True)
class Fatal(Fixed):
    fatal: ClassVar[bool] = True


def planned(check=None, threshold=None, family="drift"):
    return Planned("fixed", family, check or Fixed(), None, threshold)


def measurement(effect, stderr=0.01, statistic=None, rows=1000):
    interval = (effect - 1.645 * stderr, effect + 1.645 * stderr)
    return Measurement(effect if statistic is None else statistic, effect, stderr, interval, rows, 5000, 0.5, "words")


def verdict_of(result, plan=None, variation=STEADY, alpha=0.01, column="age"):
    calibration = {("age", "fixed"): variation}
    (finding,) = judge("churn", WINDOW, [Measured(column, plan or planned(), result)], calibration, alpha)
    return finding


def test_an_effect_within_tolerance_passes_and_says_what_it_would_have_seen():
    finding = verdict_of(measurement(0.05))
    assert finding.verdict is Verdict.PASS
    assert 0.1 < finding.minimum_detectable < 0.2


def test_an_effect_whose_lower_bound_is_beyond_tolerance_breaches():
    assert verdict_of(measurement(0.2)).verdict is Verdict.BREACH


def test_an_effect_beyond_tolerance_by_less_than_its_error_passes():
    assert verdict_of(measurement(0.11, stderr=0.05)).verdict is Verdict.PASS


def test_negative_effects_count_by_their_size():
    assert verdict_of(measurement(-0.2)).verdict is Verdict.BREACH


def test_variation_between_the_reference_windows_widens_the_bound():
    wide = Variation(0.0, 0.1, 40)
    assert verdict_of(measurement(0.3), variation=wide).verdict is Verdict.PASS
    assert verdict_of(measurement(0.3)).verdict is Verdict.BREACH


def test_the_mean_effect_of_the_reference_windows_is_taken_off():
    assert verdict_of(measurement(0.3), variation=Variation(0.25, 0.0, 40)).verdict is Verdict.PASS


def test_more_columns_ask_for_more_evidence():
    one = Measured("age", planned(), measurement(0.13, stderr=0.01))
    alone = judge("churn", WINDOW, [one], {("age", "fixed"): STEADY}, 0.01)[0]
    others = [Measured(f"c{i}", planned(), measurement(0.0)) for i in range(500)]
    crowd = judge("churn", WINDOW, [one, *others], {("age", "fixed"): STEADY}, 0.01)[0]
    assert alone.verdict is Verdict.BREACH
    assert crowd.verdict is Verdict.PASS


def test_a_window_that_would_miss_everything_is_inconclusive_and_names_the_rows_needed():
    finding = verdict_of(measurement(0.0, stderr=0.5, rows=40))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "rows would do" in finding.reason
    assert finding.minimum_detectable > BLIND_FACTOR * 0.1


def test_rows_that_are_needed_would_indeed_be_enough():
    blind = verdict_of(measurement(0.0, stderr=0.5, rows=40))
    needed = int(blind.reason.split("about ")[1].split(" ")[0].replace(",", ""))
    better = verdict_of(measurement(0.0, stderr=0.5 * np.sqrt(40 / needed), rows=needed))
    assert better.verdict is Verdict.PASS


def test_a_reference_that_varies_too_much_says_that_rows_do_not_help():
    finding = verdict_of(measurement(0.0), variation=Variation(0.0, 2.0, 40))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "reference itself varies" in finding.reason


def test_an_inconclusive_measurement_stays_inconclusive_with_its_reason():
    finding = verdict_of(Inconclusive("12 rows are too few", 30, 12, 5000))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.reason == "12 rows are too few; about 30 rows would answer it"


def test_a_check_that_raised_is_failed_and_never_calm():
    finding = verdict_of(Failure("ZeroDivisionError: division by zero"))
    assert finding.verdict is Verdict.FAILED
    assert "ZeroDivisionError" in finding.reason


def test_a_fixed_threshold_decides_by_the_statistic_alone():
    below = verdict_of(measurement(0.9, statistic=0.19), planned(threshold=0.2))
    above = verdict_of(measurement(0.0, statistic=0.21, stderr=0.5), planned(threshold=0.2))
    assert (below.verdict, above.verdict) == (Verdict.PASS, Verdict.BREACH)
    assert above.threshold == 0.2


def test_a_break_that_is_a_fact_is_not_assumed_to_vary():
    item = Measured("age", planned(Fatal(tolerance=0.5)), measurement(1.0))
    (finding,) = judge("churn", WINDOW, [item], {}, 0.01)
    assert finding.verdict is Verdict.BREACH
    assert finding.fatal


def test_what_the_reference_shows_in_every_window_is_no_break():
    # a weekday is stuck at one value in every daily window, in the reference too
    finding = verdict_of(measurement(0.86), planned(Fatal(tolerance=0.5)), Variation(0.86, 0.01, 40))
    assert finding.verdict is Verdict.PASS


def test_an_effect_far_beyond_tolerance_needs_no_second_window():
    assert verdict_of(measurement(3.0)).fatal
    assert not verdict_of(measurement(0.2)).fatal


def test_without_calibration_a_variation_is_assumed():
    (finding,) = judge("churn", WINDOW, [Measured("age", planned(), measurement(0.3))], {}, 0.01)
    assert finding.verdict is Verdict.PASS
    assert assumed(0.1).deviation == pytest.approx(0.15)


def test_a_check_of_the_whole_table_has_no_column_and_no_assumed_variation():
    finding = verdict_of(measurement(0.2), planned(family="quality"), column=None)
    assert (finding.column, finding.kind, finding.verdict) == (None, IncidentKind.QUALITY, Verdict.BREACH)


def test_windows_in_which_nothing_changed_breach_no_more_often_than_promised():
    # 400 windows of 20 columns with normal effects: at alpha 5% a window, at most 5% may breach (3 standard errors).
    rng = np.random.default_rng(7)
    check, windows, columns, alpha = Planned("fixed", "drift", Fixed(tolerance=0.0)), 400, 20, 0.05
    calibration = {(f"c{i}", "fixed"): STEADY for i in range(columns)}
    noisy = 0
    for _ in range(windows):
        effects = rng.normal(0, 0.01, columns)
        items = [Measured(f"c{i}", check, measurement(float(e))) for i, e in enumerate(effects)]
        noisy += any(f.verdict is Verdict.BREACH for f in judge("m", WINDOW, items, calibration, alpha))
    # both directions count, so the promise is 2 x alpha one-sided at a tolerance of zero
    assert noisy / windows <= 2 * alpha + 3 * np.sqrt(2 * alpha * (1 - 2 * alpha) / windows)


def test_the_contract_of_a_finding_in_json():
    document = verdict_of(measurement(0.2)).as_json()
    asked = {
        "model", "column", "check", "window", "verdict", "statistic", "effect", "effect_ci", "pvalue", "threshold",
        "minimum_detectable", "rows", "reference_rows", "reason", "diagnosis",
    }  # fmt: skip
    assert asked <= document.keys()
    assert document["window"] == {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    assert document["verdict"] == "breach"
    assert len(document["effect_ci"]) == 2


def test_a_window_needs_zones_and_an_order():
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="zone"):
        Window(datetime(2026, 1, 1), day)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="ends after"):
        Window(day, day)
    assert Window(day, day + timedelta(hours=1)).length == timedelta(hours=1)
