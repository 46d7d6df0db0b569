"""What one window shows alone: facts beyond doubt, a user's thresholds, and classical statistics that describe."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import numpy as np
import pytest

from checks.measurement import Inconclusive, Measurement
from monitor.core.finding import Finding, IncidentKind, Rule, Verdict
from monitor.core.judge import described, judge_measured
from monitor.core.measuring import Failure, Measured, Planned
from monitor.core.window import Window

WINDOW = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
LEVEL = 1e-3  # its critical value is 3.09


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


@dataclass(frozen=True)
class OfTheTable:
    unit: ClassVar[str] = "share of rows"
    fatal: ClassVar[bool] = False
    default: ClassVar[bool] = True
    tolerance: float = 0.1

    def measure_table(self, reference, current):
        raise AssertionError("the judge measures nothing")


def planned(check=None, threshold=None, family="quality"):
    return Planned("fixed", family, check or Fixed(), None, threshold)


def measurement(effect, stderr=0.01, statistic=None, rows=1000, pvalue=0.5):
    interval = (effect - 1.645 * stderr, effect + 1.645 * stderr)
    return Measurement(
        effect if statistic is None else statistic, effect, stderr, interval, rows, 5000, pvalue, "words"
    )


def judged(result, plan=None, usual=None, level=LEVEL, column="age"):
    measured = [Measured(column, plan or planned(), result)]
    (finding,) = judge_measured("churn", WINDOW, measured, level, {} if usual is None else {("age", "fixed"): usual})
    return finding


# Facts


def test_an_effect_beyond_tolerance_beyond_doubt_is_a_fact():
    finding = judged(measurement(0.2))
    assert (finding.verdict, finding.rule) == (Verdict.BREACH, Rule.FACT)


def test_an_effect_within_tolerance_passes_and_says_what_it_would_have_seen():
    finding = judged(measurement(0.05))
    assert finding.verdict is Verdict.PASS
    assert finding.minimum_detectable == pytest.approx(0.1 + (3.0902 + 1.2816) * 0.01, abs=1e-4)


def test_an_effect_beyond_tolerance_by_less_than_its_error_at_the_level_passes():
    assert judged(measurement(0.1 + 3.0 * 0.01)).verdict is Verdict.PASS
    assert judged(measurement(0.1 + 3.2 * 0.01)).verdict is Verdict.BREACH


def test_a_lower_level_asks_for_a_larger_effect():
    assert judged(measurement(0.14), level=1e-3).verdict is Verdict.BREACH
    assert judged(measurement(0.14), level=1e-6).verdict is Verdict.PASS


def test_negative_effects_count_by_their_size():
    assert judged(measurement(-0.2)).verdict is Verdict.BREACH


def test_a_fact_breaches_by_mistake_no_more_often_than_its_level():
    # 20,000 windows at the very edge of the tolerance, at a level of 1%: within three standard errors.
    rng = np.random.default_rng(7)
    effects = 0.1 + rng.normal(0, 0.01, 20_000)
    items = [Measured("age", planned(), measurement(float(effect))) for effect in effects]
    breaches = sum(f.verdict is Verdict.BREACH for f in judge_measured("churn", WINDOW, items, 0.01, {}))
    assert breaches / len(effects) <= 0.01 + 3 * np.sqrt(0.01 * 0.99 / len(effects))


def test_what_the_references_own_windows_show_is_no_break():
    # On Sundays a column is stuck at one value, in the reference too.
    assert judged(measurement(0.86), planned(Fatal(tolerance=0.5))).verdict is Verdict.BREACH
    assert judged(measurement(0.86), planned(Fatal(tolerance=0.5)), usual=0.86).verdict is Verdict.PASS


def test_beyond_what_the_reference_shows_itself_it_is_a_break_again():
    finding = judged(measurement(0.98), usual=0.5)
    assert finding.verdict is Verdict.BREACH
    assert finding.threshold == pytest.approx(0.6)


def test_a_break_of_the_data_is_fatal_where_it_breaches():
    assert judged(measurement(1.0), planned(Fatal())).fatal
    assert not judged(measurement(0.0), planned(Fatal())).fatal
    assert not judged(measurement(1.0)).fatal


def test_a_check_of_the_whole_table_has_no_column():
    finding = judged(measurement(0.2), planned(OfTheTable()), column=None)
    assert (finding.column, finding.kind, finding.verdict) == (None, IncidentKind.QUALITY, Verdict.BREACH)


def test_a_quality_check_finds_quality_and_a_drift_check_drift():
    assert judged(measurement(0.2)).kind is IncidentKind.QUALITY
    assert judged(measurement(0.2), planned(family="drift")).kind is IncidentKind.DRIFT


# Neither calm nor breach


def test_an_inconclusive_measurement_stays_inconclusive_with_its_reason_and_the_rows_it_would_take():
    finding = judged(Inconclusive("12 rows are too few", 30, 12, 5000))
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert finding.reason == "12 rows are too few; about 30 rows would answer it"


def test_an_inconclusive_measurement_that_no_rows_would_answer_names_none():
    assert judged(Inconclusive("the reference has no range")).reason == "the reference has no range"


@pytest.mark.parametrize("plan", [planned(), planned(threshold=0.2), planned(family="drift")])
def test_a_check_that_raised_is_failed_and_never_calm(plan):
    finding = judged(Failure("ZeroDivisionError: division by zero"), plan)
    assert finding.verdict is Verdict.FAILED
    assert "ZeroDivisionError" in finding.reason


@pytest.mark.parametrize("plan", [planned(threshold=0.2), planned(family="drift")])
def test_without_an_answer_neither_a_threshold_nor_a_description_is_calm(plan):
    assert judged(Inconclusive("no rows in this window"), plan).verdict is Verdict.INCONCLUSIVE


# A user's own threshold


def test_a_fixed_threshold_decides_by_the_statistic_alone():
    below = judged(measurement(0.9, statistic=0.19, pvalue=0.0), planned(threshold=0.2))
    above = judged(measurement(0.0, statistic=0.21, stderr=0.5, pvalue=1.0), planned(threshold=0.2))
    assert (below.verdict, above.verdict) == (Verdict.PASS, Verdict.BREACH)
    assert (above.rule, above.threshold) == (Rule.THRESHOLD, 0.2)


def test_a_fixed_threshold_itself_passes():
    assert judged(measurement(0.0, statistic=0.2), planned(threshold=0.2)).verdict is Verdict.PASS


@pytest.mark.parametrize("level", [0.01, 1e-12])
def test_a_fixed_threshold_knows_no_budget(level):
    finding = judged(measurement(0.3, stderr=0.2), planned(threshold=0.2, family="drift"), usual=5.0, level=level)
    assert finding.verdict is Verdict.BREACH
    assert finding.evidence is None


def test_a_fixed_threshold_of_zero_is_a_threshold():
    assert judged(measurement(0.01), planned(threshold=0.0)).rule is Rule.THRESHOLD


# Descriptions


def test_a_classical_drift_statistic_describes_and_never_breaches_by_itself():
    finding = judged(measurement(5.0, pvalue=0.0), planned(family="drift"))
    assert (finding.verdict, finding.rule) == (Verdict.PASS, Rule.DESCRIPTION)
    assert (finding.effect, finding.pvalue, finding.threshold) == (5.0, 0.0, 0.1)


def test_a_drift_statistic_of_the_whole_table_is_a_fact_for_no_evidence_is_its_own():
    assert judged(measurement(0.2), planned(OfTheTable(), family="drift"), column=None).rule is Rule.FACT


def described_column(verdict, rule=Rule.DESCRIPTION, breaching=frozenset({"age"})):
    finding = Finding("churn", "age", "ks", IncidentKind.DRIFT, WINDOW, verdict, rule=rule)
    return described({0: finding}, breaching).get(0, finding).verdict


def test_a_description_breaches_where_its_columns_evidence_does():
    assert described_column(Verdict.PASS) is Verdict.BREACH
    assert described_column(Verdict.PASS, breaching=frozenset({"income"})) is Verdict.PASS


@pytest.mark.parametrize("verdict", [Verdict.INCONCLUSIVE, Verdict.FAILED])
def test_a_description_without_an_answer_stays_so_whatever_its_column_does(verdict):
    assert described_column(verdict) is verdict


@pytest.mark.parametrize("rule", [rule for rule in Rule if rule is not Rule.DESCRIPTION])
def test_nothing_but_descriptions_follows_a_column(rule):
    assert described_column(Verdict.PASS, rule) is Verdict.PASS


# The contract


def test_findings_keep_the_order_of_what_was_measured():
    items = [Measured(name, planned(), measurement(0.0)) for name in ("b", "a", "c")]
    assert [f.column for f in judge_measured("churn", WINDOW, items, LEVEL, {})] == ["b", "a", "c"]


def test_the_contract_of_a_finding_in_json():
    document = judged(measurement(0.2)).as_json()
    asked = {
        "model", "column", "check", "window", "verdict", "statistic", "effect", "effect_ci", "pvalue", "threshold",
        "minimum_detectable", "rows", "reference_rows", "reason", "diagnosis", "rule", "evidence", "onset", "detectable",
    }  # fmt: skip
    assert asked <= document.keys()
    assert document["window"] == {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    assert (document["verdict"], document["rule"]) == ("breach", "fact")
    assert len(document["effect_ci"]) == 2


def test_a_window_needs_zones_and_an_order():
    day = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="zone"):
        Window(datetime(2026, 1, 1), day)  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="ends after"):
        Window(day, day)
    assert Window(day, day + timedelta(hours=1)).length == timedelta(hours=1)
