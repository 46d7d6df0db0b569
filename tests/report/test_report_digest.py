"""Cells of the map: the verdict that a person must know wins, and silence never reads as calm."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from report_factory import windows_between

from monitor.core.finding import Finding, IncidentKind, Rule, Verdict
from monitor.report.digest import Cell, ColumnDigest, _cell, digest, judging, ratio
from monitor.report.heat import in_words, strip, ticks
from monitor.report.words import round_steps, when

WINDOW = windows_between(datetime(2026, 3, 2, tzinfo=UTC), 1, timedelta(days=1))[0]


def finding(
    verdict: str, effect: float | None = 0.05, kind: IncidentKind = IncidentKind.DRIFT, threshold: float = 0.1
) -> Finding:
    return Finding("m", "x", "ks", kind, WINDOW, Verdict(verdict), effect=effect, threshold=threshold)


def cell(*findings: Finding) -> Cell:
    return _cell([(one, ratio(one)) for one in findings])


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (finding("pass", 0.05), 0.5),
        (finding("pass", -0.3), 3.0),
        (finding("breach", 0.02), 1.0),
        (finding("breach", None), 1.0),
        (finding("inconclusive", None), None),
        (finding("pass", 0.0, threshold=0.0), 0.0),
        (finding("breach", 1.0, threshold=0.0), 1e6),
        (finding("pass", float("inf")), None),
    ],
)
def test_an_effect_is_measured_in_tolerances(one: Finding, expected: float | None):
    assert ratio(one) == (None if expected is None else pytest.approx(expected))


def test_a_breach_wins_over_everything():
    assert (
        cell(finding("pass"), finding("failed"), finding("breach"), finding("inconclusive")).verdict is Verdict.BREACH
    )


def test_a_failure_never_reads_as_a_pass():
    assert cell(finding("pass"), finding("failed")).verdict is Verdict.FAILED


def test_drift_without_an_answer_is_not_calmed_by_quality():
    quality = finding("pass", kind=IncidentKind.QUALITY)
    assert cell(finding("inconclusive"), quality).verdict is Verdict.INCONCLUSIVE


def test_one_answer_of_the_same_kind_is_an_answer():
    assert cell(finding("inconclusive"), finding("pass")).verdict is Verdict.PASS


def test_a_fixed_threshold_is_about_the_statistic():
    fixed = replace(finding("pass", 0.05), rule=Rule.THRESHOLD, statistic=0.3)
    assert ratio(fixed) == pytest.approx(3.0)


def test_what_only_describes_is_no_breach_of_its_own():
    described = replace(finding("breach"), rule=Rule.DESCRIPTION)
    assert judging([finding("breach"), described]) == [finding("breach")]
    assert judging([described]) == [described]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (Cell(3.0, Verdict.PASS, 0.002), "n0"),
        (Cell(3.0, Verdict.PASS, 0.05), "n1"),
        (Cell(0.2, Verdict.INCONCLUSIVE, 0.4), "n2"),
        (Cell(0.3, Verdict.PASS), "n0"),
        (Cell(2.0, Verdict.BREACH, 3.0), "h0"),
        (Cell(12.0, Verdict.BREACH, 0.001), "h2"),
        (Cell(50.0, Verdict.BREACH), "h3"),
    ],
)
def test_calm_cells_are_shaded_by_evidence_and_breaches_by_size(one: Cell, expected: str):
    drawn = strip(ColumnDigest("x", (one,), {}, None, int(one.verdict is Verdict.BREACH)))
    assert f'<path class="{expected}" d="M0 10h10"/>' in drawn


def test_a_cell_in_which_nothing_was_measured_has_no_shade():
    assert 'class="n' not in strip(ColumnDigest("x", (Cell(None, Verdict.FAILED),), {}, None, 0))


def test_columns_without_a_breach_come_by_their_evidence(small):
    calm = [one for one in digest(small) if not one.breaches and one.evidence is not None]
    assert calm == sorted(calm, key=lambda one: -one.evidence)
    assert len(calm) > 5


def test_a_calm_strip_says_its_evidence_in_words(small):
    calm = next(one for one in digest(small) if one.name == "hour")
    said = r"hour: breach in 0 of 8 windows, evidence at most 0\.\d+% of what an alarm costs"
    assert re.fullmatch(said, in_words(calm))


def test_findings_of_windows_outside_the_report_are_left_out(small):
    few = digest(replace(small, windows=small.windows[:2]))
    assert all(len(one.cells) == 2 for one in few)
    assert sum(one.breaches for one in few) < sum(one.breaches for one in digest(small))


def test_neighbours_of_one_colour_are_one_stroke(small):
    calm = next(one for one in digest(small) if one.name == "hour")
    assert strip(calm).count("h80") == 1


def test_a_strip_is_said_in_words(small):
    worst = digest(small)[0]
    assert in_words(worst).startswith("amount: breach in 4 of 8 windows, largest effect ")


def test_labels_of_windows_are_spread_from_the_first_to_the_last():
    assert ticks(90) == [0, 22, 44, 67, 89]
    assert ticks(3) == [0, 1, 2]
    assert ticks(0) == []


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (116, 2586, [500, 1000, 1500, 2000, 2500]),
        (3, 3, [3]),
        (-0.03, 0.05, [-0.02, 0, 0.02, 0.04]),
    ],
)
def test_axes_are_labelled_with_round_numbers(low: float, high: float, expected: list[float]):
    assert round_steps(low, high) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, "2 Mar 2026"),
        (7, "2\u20138 Mar 2026"),
        (35, "2 Mar \u2013 5 Apr 2026"),
        (365, "2 Mar 2026 \u2013 1 Mar 2027"),
    ],
)
def test_windows_of_days_are_named_by_their_days(days: int, expected: str):
    assert when(replace(WINDOW, end=WINDOW.start + timedelta(days=days))) == expected
