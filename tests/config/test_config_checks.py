"""The list of checks of a model."""

import pytest

from checks.catalogue import catalogue
from monitor.config.planning import automatic


@pytest.fixture
def plan(read):
    """The planned checks of a list."""
    text = "models: {m: {logs: {path: l, time: t}, reference: r, columns: {exclude: [gone]}, checks: CHECKS}}"
    return lambda checks: read(text.replace("CHECKS", checks)).models["m"].checks


@pytest.fixture
def wrong(report):
    text = "models: {m: {logs: {path: l, time: t}, reference: r, columns: {exclude: [gone]}, checks: CHECKS}}"
    return lambda checks: report(text.replace("CHECKS", checks))


def test_auto_takes_the_checks_that_are_a_default_for_some_kind(plan):
    assert [(check.name, check.auto) for check in plan("auto")] == [("ks", True), ("row_count", True)]


def test_a_list_without_auto_takes_what_it_names_only(plan):
    assert [(check.name, check.auto) for check in plan("[psi]")] == [("psi", False)]


def test_an_empty_list_checks_nothing(plan):
    assert plan("[]") == ()


def test_a_later_entry_sets_parameters_of_what_auto_took(plan):
    ks = plan("[auto, {ks: {tolerance: 0.3, threshold: 0.2}}]")[0]
    assert (ks.check.tolerance, ks.threshold, ks.auto) == (0.3, 0.2, True)


def test_an_entry_with_columns_stands_beside_what_auto_took(plan):
    checks = [check for check in plan("[auto, {ks: {tolerance: 0.3, columns: [age]}}]") if check.name == "ks"]
    assert [(check.columns, check.auto) for check in checks] == [(None, True), (("age",), False)]


def test_an_entry_without_columns_comes_before_one_with_columns(plan):
    assert [check.columns for check in plan("[{psi: {columns: [a]}}, psi]")] == [None, ("a",)]


@pytest.mark.parametrize("off", ["off", "false"])
def test_a_check_that_auto_took_can_be_turned_off(plan, off):
    assert [check.name for check in plan(f"[auto, {{ks: {off}}}]")] == ["row_count"]


@pytest.mark.parametrize("nothing", ["{ks: }", "{ks: {}}", "ks"])
def test_a_check_without_parameters_has_its_defaults(plan, nothing):
    assert plan(f"[{nothing}]")[0].check.tolerance == 0.1


@pytest.mark.parametrize(
    ("checks", "sentence"),
    [
        ("kss", "checks  must be auto, or a list"),
        ("", "checks  must be auto, or a list"),
        ("[kss]", "checks[0]  there is no check 'kss'; did you mean 'ks'?"),
        ("[zzz]", "there is no check 'zzz'; known are ks, psi, row_count"),
        ("[auto, auto]", "auto is listed twice; keep one"),
        ("[ks, ks]", "checks[1]  ks is listed twice for the same columns; keep one"),
        ("[{ks: {columns: [a, b]}}, {ks: {columns: [b]}}]", "ks is listed twice for the same columns"),
        ("[{psi: off}]", "psi is not among the checks taken so far, so there is nothing to turn off"),
        ("[{check: ks, colums: [age]}]", "or that name as the one key: {ks: {…}}"),
        ("[{ks: 0.1}]", "checks[0].ks  must be a mapping of parameters, or off"),
        ("[{ks: {colums: [age]}}]", "ks has no parameter 'colums'; did you mean 'columns'?"),
        ("[{ks: {zzz: 1}}]", "ks has no parameter 'zzz'; it has columns, edges, threshold, tolerance"),
        ("[{ks: {columns: age}}]", "checks[0].ks.columns  must be a list"),
        ("[{ks: {columns: [gone]}}]", "ks names 'gone', which columns.exclude leaves out"),
        ("[{ks: {tolerance: wide}}]", "checks[0].ks.tolerance  must be a number"),
        ("[{ks: {tolerance: true}}]", "checks[0].ks.tolerance  must be a number"),
        ("[{ks: {tolerance: .inf}}]", "checks[0].ks.tolerance  must be a"),
        ("[{ks: {tolerance: -0.1}}]", "checks[0].ks.tolerance  must be at least 0"),
        ("[{ks: {edges: 1}}]", "checks[0].ks.edges  edges must be at least 2"),
        ("[{ks: {edges: 2.5}}]", "checks[0].ks.edges  must be a whole number"),
        ("[{row_count: {columns: [a]}}]", "row_count looks at whole windows and takes no columns"),
    ],
)
def test_a_mistake_is_explained(wrong, checks, sentence):
    assert sentence in wrong(checks)


def test_every_mistake_of_a_list_is_named(wrong):
    assert "3 problems in" in wrong("[kss, {ks: {colums: 1, edges: x}}]")


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_an_installed_check_can_be_built_from_its_name(name):
    assert type(catalogue()[name].check()).__name__


def test_auto_takes_some_of_the_installed_checks():
    assert set(automatic(catalogue())) < set(catalogue())
