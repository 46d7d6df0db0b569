"""What every check keeps, whichever it is: a new file in the catalogue is tested here without another word."""

import dataclasses
import math
import re
from functools import cache

import numpy as np
import pyarrow as pa
import pytest
import yaml
from check_worlds import TABLE_FAULTS, WORLDS, faults, profile_of, table, with_defects, worlds_for

from checks.binning import fit_table, profile_batch
from checks.catalogue import ColumnCheck, EvidenceCheck, TableCheck, catalogue
from checks.components import CLIP, SMALLEST_EFFECT, count_vector
from checks.measurement import Inconclusive, Measurement
from checks.profile import KINDS, Column, Profile

CHECKS = {name: entry.check() for name, entry in catalogue().items()}
COLUMN_CHECKS = {name: check for name, check in CHECKS.items() if isinstance(check, ColumnCheck)}
TABLE_CHECKS = {name: check for name, check in CHECKS.items() if isinstance(check, TableCheck)}
EVIDENCE_CHECKS = {name: check for name, check in COLUMN_CHECKS.items() if isinstance(check, EvidenceCheck)}
IN_WORLDS = [(name, world.name) for name, check in COLUMN_CHECKS.items() for world in worlds_for(check)]
SHARES_OF_ROWS = ("null_rate", "unseen_category", "out_of_range")  # their tolerance is no Cohen's h
DRAWS = 400
NOMINAL = 0.05

each_check = pytest.mark.parametrize("name", CHECKS)
each_column_check = pytest.mark.parametrize("name", COLUMN_CHECKS)
each_table_check = pytest.mark.parametrize("name", TABLE_CHECKS)
each_evidence_check = pytest.mark.parametrize("name", EVIDENCE_CHECKS)
each_in_a_world = pytest.mark.parametrize(("name", "world"), IN_WORLDS)


@cache
def null_pairs(world, sizes):
    rng = np.random.default_rng(20)
    return [[with_defects(rng, WORLDS[world].column(rng, rows)) for rows in sizes] for _ in range(DRAWS)]


@cache
def changed_pairs(world):
    rng, world = np.random.default_rng(31), WORLDS[world]
    return [(world.column(rng, 800), world.column(rng, 400, world.changed)) for _ in range(DRAWS)]


def measured(found):
    assert isinstance(found, Measurement), found
    return found


def breaches(check, found, z=2.0):
    return isinstance(found, Measurement) and abs(found.effect) - z * found.stderr > check.tolerance


# What a check is


@each_check
def test_a_check_is_a_frozen_dataclass_whose_first_parameter_is_its_tolerance(name):
    check = CHECKS[name]
    assert dataclasses.fields(check)[0].name == "tolerance"
    assert check.tolerance > 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        check.tolerance = 1.0


@each_check
def test_a_check_names_its_unit_and_whether_it_is_fatal(name):
    check = CHECKS[name]
    assert check.unit
    assert isinstance(check.fatal, bool)


@each_column_check
def test_a_column_check_is_a_default_only_for_kinds_that_it_reads(name):
    check = COLUMN_CHECKS[name]
    assert check.default_for <= check.kinds <= set(KINDS)
    assert check.kinds


@each_check
def test_the_docstring_has_every_part_and_explains_every_parameter(name):
    entry = catalogue()[name]
    text = entry.check.__doc__
    assert entry.summary.endswith(".")
    for part in ("Statistic", "Sees", "Parameters\n", "Configuration\n", "References\n"):
        assert part in text, part
    for parameter in entry.parameters:
        assert re.search(rf"^ +{parameter} : ", text, re.MULTILINE), parameter


@each_check
def test_the_example_in_the_docstring_builds_the_check(name):
    entry = catalogue()[name]
    block = entry.check.__doc__.split("::")[1].split("References")[0]
    ((key, parameters),) = yaml.safe_load(block)[0].items()
    assert key == name
    built = entry.check(**parameters)
    again = entry.check(**dataclasses.asdict(built))
    assert again == built


def test_every_kind_has_a_default_drift_check():
    covered = {
        kind
        for name, check in COLUMN_CHECKS.items()
        if catalogue()[name].family == "drift"
        for kind in check.default_for
    }
    assert covered == set(KINDS)


# Right when nothing has changed


@each_in_a_world
@pytest.mark.parametrize("sizes", [(60, 60), (1000, 150)], ids=str)
def test_false_alarms_at_five_per_cent_are_not_more_than_five_per_cent(name, world, sizes):
    """Within three standard errors; fewer where the counts leave few possible values of the statistic."""
    check = COLUMN_CHECKS[name]
    pvalues = []
    for reference, current in null_pairs(world, sizes):
        found = measured(check.measure(reference, current))
        if found.pvalue is None:
            pytest.skip("no test exists for this statistic")
        assert 0 <= found.pvalue <= 1
        pvalues.append(found.pvalue)
    rate = np.mean(np.array(pvalues) <= NOMINAL)
    assert rate <= NOMINAL + 3 * math.sqrt(NOMINAL * (1 - NOMINAL) / DRAWS)


@each_in_a_world
def test_identical_distributions_hardly_ever_breach(name, world):
    check, world = COLUMN_CHECKS[name], WORLDS[world]
    rng = np.random.default_rng(21)
    found = [check.measure(world.column(rng, 1000), world.column(rng, 200)) for _ in range(100)]
    assert sum(breaches(check, one) for one in found) <= 1


@each_in_a_world
def test_a_column_against_itself_has_no_effect(name, world):
    column = with_defects(np.random.default_rng(22), WORLDS[world].column(np.random.default_rng(23), 500))
    found = measured(COLUMN_CHECKS[name].measure(column, column))
    assert found.effect == pytest.approx(0, abs=1e-9)
    assert found.interval[0] <= 0 <= found.interval[1]
    assert found.stderr > 0


@each_table_check
def test_a_window_like_all_others_has_next_to_no_effect(name):
    found = measured(TABLE_CHECKS[name].measure_table(table(), table()))
    assert abs(found.effect) < 0.05


# Sees what it is for


@each_column_check
def test_a_check_sees_at_least_one_fault_and_says_so_in_words(name):
    check = COLUMN_CHECKS[name]
    rng = np.random.default_rng(24)
    seen = []
    for world in worlds_for(check):
        reference = world.column(rng, 2000)
        current = [*faults(reference).values(), world.column(rng, 1000, world.changed)]
        seen += [found for one in current if breaches(check, found := check.measure(reference, one), z=3)]
    assert seen
    assert all(found.words for found in seen)


def _of_the_whole():
    """Checks of one aspect see their own: what they see together is tested below."""
    return [p for p in IN_WORLDS if catalogue()[p[0]].family == "drift" and p[0] not in ("spread", "shape", "tails")]


@pytest.mark.parametrize(("name", "world"), _of_the_whole())
def test_a_drift_check_sees_a_shift_of_half_a_deviation(name, world):
    check, world = COLUMN_CHECKS[name], WORLDS[world]
    rng = np.random.default_rng(25)
    found = measured(check.measure(world.column(rng, 3000), world.column(rng, 1500, world.changed)))
    assert breaches(check, found)
    assert found.pvalue < 1e-6
    assert re.search(r" to ", found.words)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("location", lambda rng, rows: rng.normal(-0.4, 1, rows)),
        ("spread", lambda rng, rows: rng.normal(0, 1.4, rows)),
        ("spread", lambda rng, rows: rng.normal(0, 0.7, rows)),
        (
            "shape",
            lambda rng, rows: np.where(rng.random(rows) < 0.5, rng.normal(1.5, 0.2, rows), rng.normal(-1, 1, rows)),
        ),
        ("tails", lambda rng, rows: np.where(rng.random(rows) < 0.05, 4.0, rng.normal(0, 1, rows))),
    ],
    ids=["lower", "wider", "narrower", "two groups", "outliers"],
)
def test_a_check_of_one_aspect_sees_a_change_of_its_own(name, change):
    world, rng = WORLDS["normal"], np.random.default_rng(26)
    found = measured(COLUMN_CHECKS[name].measure(world.column(rng, 3000), world.column(rng, 1500, change)))
    assert abs(found.effect) - 3 * found.stderr > 0
    assert found.pvalue < 1e-6


@each_table_check
def test_a_table_check_sees_at_least_one_fault(name):
    check = TABLE_CHECKS[name]
    assert any(breaches(check, check.measure_table(table(), fault), z=3) for fault in TABLE_FAULTS.values())


# What evidence is gathered on


def reference_of(name, rows=2000):
    return [(w, w.column(np.random.default_rng(33), rows)) for w in worlds_for(EVIDENCE_CHECKS[name])]


@each_evidence_check
def test_components_weigh_every_bin_and_have_names_of_their_own(name):
    for _, column in reference_of(name):
        parts = EVIDENCE_CHECKS[name].components(column)
        assert len({part.name for part in parts}) == len(parts)
        for part in parts:
            assert part.numerator.shape == part.denominator.shape == count_vector(column.profile).shape
            assert np.isfinite(part.numerator).all()


@each_evidence_check
def test_no_component_has_a_tolerance_of_nothing(name):
    """With a tolerance of zero the budget of false alarms breaks on logs whose level wanders."""
    check = type(EVIDENCE_CHECKS[name])(tolerance=1e-9) if name in SHARES_OF_ROWS else EVIDENCE_CHECKS[name]
    tolerances = [part.tolerance for _, column in reference_of(name) for part in check.components(column)]
    assert tolerances
    assert min(tolerances) >= SMALLEST_EFFECT


@each_evidence_check
def test_a_component_is_a_bounded_mean_over_rows_whatever_the_rows_are(name):
    for _, column in reference_of(name):
        for part in EVIDENCE_CHECKS[name].components(column):
            for fault in faults(column).values():
                counts = count_vector(fault.profile)
                rows, total = float(part.denominator @ counts), float(part.numerator @ counts)
                assert 0 <= rows <= fault.profile.rows
                assert abs(total) <= (CLIP if part.scored else 1) * rows + 1e-9
                assert part.scored or total >= 0


@each_evidence_check
def test_components_of_parts_of_a_window_add_up_to_those_of_the_window(name):
    for world, column in reference_of(name):
        rng = np.random.default_rng(34)
        one, other = (world.column(rng, rows, world.changed).profile for rows in (300, 200))
        for part in EVIDENCE_CHECKS[name].components(column):
            for weights in (part.numerator, part.denominator):
                whole = weights @ count_vector(one + other)
                assert whole == pytest.approx(weights @ count_vector(one) + weights @ count_vector(other), abs=1e-9)


@each_evidence_check
def test_scores_have_mean_zero_and_variance_one_on_the_reference(name):
    for _, column in reference_of(name):
        counts = count_vector(column.profile)
        for part in EVIDENCE_CHECKS[name].components(column):
            if part.scored:
                assert part.numerator @ counts / counts.sum() == pytest.approx(0, abs=1e-9)
                assert part.numerator**2 @ counts / counts.sum() == pytest.approx(1, abs=0.02)


@each_evidence_check
def test_every_component_can_be_said_in_native_units(name):
    check = EVIDENCE_CHECKS[name]
    for world, column in reference_of(name):
        now = world.column(np.random.default_rng(35), 500, world.changed)
        for part in check.components(column):
            said = check.native(column, now, part.name)
            assert said is not None
            assert said.what
            assert np.isfinite([said.before, said.after]).all()
            assert said.share is not part.scored


@each_evidence_check
def test_where_a_window_has_no_rows_nothing_is_said_in_native_units(name):
    check = EVIDENCE_CHECKS[name]
    for _, column in reference_of(name):
        for part in check.components(column):
            assert check.native(column, faults(column)["no rows"], part.name) is None


# Depends on the rows and on nothing else


def _log(rng, rows):
    place = rng.integers(0, 5, rows)
    start = np.datetime64("2024-01-01", "us")
    return pa.table(
        {
            "time": start + rng.integers(0, 10**12, rows),
            "amount": pa.array(rng.lognormal(3, 1, rows), mask=rng.random(rows) < 0.1),
            "count": rng.poisson(2, rows),
            "city": np.array(["UA", "B6", "DL", "AA", "WN"])[place],
            "flag": rng.random(rows) < 0.3,
            "signed": start - rng.integers(0, 10**12, rows),
            "note": np.array(["x" * length for length in rng.integers(1, 40, rows)]),
        }
    )


@each_column_check
def test_batches_and_the_order_of_rows_do_not_matter(name):
    check = COLUMN_CHECKS[name]
    rng = np.random.default_rng(26)
    reference, current = _log(rng, 900), _log(rng, 600)
    bins = fit_table(reference, {"note": "text"}, time="time")
    known = profile_batch(reference, bins, time="time")
    whole = profile_batch(current, bins, time="time")
    shuffled = current.take(rng.permutation(600))
    parts = sum((profile_batch(batch, bins, time="time") for batch in shuffled.to_batches(97)), Profile.empty(bins))
    for column, its in bins.items():
        if its.kind in check.kinds:
            seen = [
                check.measure(Column(column, its, known.columns[column]), Column(column, its, one.columns[column]))
                for one in (whole, parts)
            ]
            assert seen[0] == seen[1]


@each_in_a_world
def test_the_same_question_has_the_same_answer_and_nothing_is_touched(name, world):
    check, world = COLUMN_CHECKS[name], WORLDS[world]
    rng = np.random.default_rng(27)
    reference, current = world.column(rng, 400), world.column(rng, 300, world.changed)
    before = [column.profile.counts.copy() for column in (reference, current)]
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is what must not move
    assert check.measure(reference, current) == check.measure(reference, current)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002 - as above
    assert all(
        np.array_equal(old, column.profile.counts) for old, column in zip(before, (reference, current), strict=True)
    )


# Whatever comes, a finite measurement or the reason why there is none


@each_in_a_world
def test_any_two_broken_columns_give_a_finite_measurement_or_a_reason(name, world):
    check = COLUMN_CHECKS[name]
    column = WORLDS[world].column(np.random.default_rng(28), 200)
    kinds = {"calm": column, **faults(column)}
    for reference in kinds.values():
        for current in kinds.values():
            found = check.measure(reference, current)
            assert isinstance(found, Measurement | Inconclusive)
            if isinstance(found, Inconclusive):
                assert found.reason
            else:
                assert found.interval[0] <= found.effect <= found.interval[1]


@each_in_a_world
def test_an_empty_window_is_inconclusive_and_says_so(name, world):
    column = WORLDS[world].column(np.random.default_rng(29), 200)
    found = COLUMN_CHECKS[name].measure(column, faults(column)["no rows"])
    assert isinstance(found, Inconclusive)
    assert "no rows" in found.reason


@each_table_check
def test_a_table_without_rows_history_or_ids_gives_a_measurement_or_a_reason(name):
    check = TABLE_CHECKS[name]
    for current in (table(0), table(0, history=()), table(1, history=()), table(5, ids={}), table(1)):
        for reference in (table(), table(0, history=(), ids={})):
            found = check.measure_table(reference, current)
            assert isinstance(found, Measurement) or found.reason


@pytest.mark.parametrize("name", [name for name, check in COLUMN_CHECKS.items() if catalogue()[name].family == "drift"])
def test_too_few_rows_are_inconclusive_with_the_rows_that_it_would_take(name):
    check = COLUMN_CHECKS[name]
    world = worlds_for(check)[0]
    rng = np.random.default_rng(30)
    found = check.measure(world.column(rng, 500), world.column(rng, 29))
    assert isinstance(found, Inconclusive)
    assert (found.rows_needed, found.rows, found.reference_rows) == (30, 29, 500)


# Intervals hold what they promise


def _defaults():
    # Which categories "all others" are is each reference's own choice: there is no one true effect of them.
    return [
        (name, world)
        for name, world in IN_WORLDS
        if (name, world) != ("category_shift", "fifty categories and more")
        and WORLDS[world].bins.kind in COLUMN_CHECKS[name].default_for
        and catalogue()[name].family == "drift"
    ]


@pytest.mark.parametrize(("name", "world"), _defaults())
def test_the_interval_covers_the_true_effect_nine_times_in_ten(name, world):
    check, world = COLUMN_CHECKS[name], WORLDS[world]
    rng = np.random.default_rng(32)
    large = [profile_of(world.bins, draw(rng, 400_000)) for draw in (world.same, world.changed)]
    truth = check.measure(*(Column("x", world.bins, profile) for profile in large))
    found = [check.measure(*pair) for pair in changed_pairs(world.name)]
    alike = [one for one in found if _what(one) == _what(truth)]  # an interval is one of the share that is named
    covered = sum(low <= truth.effect <= high for low, high in (one.interval for one in alike))
    assert len(alike) >= 0.8 * DRAWS
    assert 0.83 <= covered / len(alike) <= 0.98


def _what(measurement):
    """Return what a measurement names, without its numbers."""
    return re.sub(r"[\d.,%-]+", "", measurement.words) if measurement.words.startswith("share") else ""
