"""One story a fault: what the rows went through, and the name and words that the diagnosis gives it."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from diagnosis_columns import current_of, named, reference_of

from checks.binning import profile_column
from checks.diagnosing import diagnose, faults
from checks.profile import Column, ColumnProfile


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def gauss(rng):
    return rng.normal(20, 5, 8000)


@pytest.fixture
def skewed(rng):
    return np.exp(rng.normal(3, 0.7, 8000))


def test_a_column_that_is_not_delivered_is_missing(gauss):
    reference = reference_of(gauss)
    gone = Column(
        "x", reference.bins, ColumnProfile("numeric", 900, np.zeros(reference.bins.size, np.int64), absent=900)
    )
    found = diagnose(reference, gone)
    assert (found.fault, found.words, found.pipeline, found.confidence) == (
        "missing_column",
        "absent from all rows",
        True,
        1,
    )


def test_a_column_missing_from_some_batches_is_missing_in_part(gauss):
    reference = reference_of(gauss)
    gone = ColumnProfile("numeric", 300, np.zeros(reference.bins.size, np.int64), absent=300)
    part = Column("x", reference.bins, current_of(reference, gauss[:700]).profile + gone)
    assert diagnose(reference, part).words == "absent from 30% of rows"


def test_words_among_numbers_are_a_changed_type(gauss):
    texts = ["n/a" if place % 4 == 0 else str(value) for place, value in enumerate(gauss[:1000])]
    found = named(gauss, texts)
    assert (found.fault, found.words) == ("type_change", "25% of rows are not numeric, 0% in the reference")


def test_the_same_numbers_as_text_are_a_changed_type(gauss):
    found = named(gauss, [str(value) for value in gauss])
    assert (found.fault, found.words) == ("type_change", "arrives as text, was number; the values are the same")


def test_a_column_of_nulls_alone_has_not_changed_its_type():
    reference = reference_of([True, False] * 500)
    empty = Column("x", reference.bins, profile_column(pa.nulls(1000, pa.int64()), reference.bins))
    assert diagnose(reference, empty).fault == "null_flood"


def test_numbers_as_text_in_another_unit_are_a_changed_unit(gauss):
    assert named(gauss, [str(1000 * value) for value in gauss[:1000]]).fault == "unit_change"


def test_a_constant_is_stuck(gauss):
    found = named(gauss, np.full(500, 21.5))
    assert (found.fault, found.words) == ("stuck", "21.5 in all 500 rows with a value, the reference varies")


def test_a_single_category_is_stuck():
    found = named(list("abcd") * 500, ["a"] * 300)
    assert (found.fault, found.words) == ("stuck", "'a' in all 300 rows with a value, the reference varies")


def test_a_usual_value_in_a_few_rows_is_not_stuck():
    assert named(["a"] * 950 + ["b"] * 50, ["a"] * 60).fault != "stuck"


def test_two_equal_rows_are_not_stuck(gauss):
    assert named(gauss, np.full(2, 21.5)).fault != "stuck"


def test_nulls_far_above_the_reference_are_a_null_flood(gauss, rng):
    before = np.where(rng.random(8000) < 0.01, np.nan, gauss)
    after = gauss[:1000].copy()
    after[:820] = np.nan
    found = named(before, after)
    assert found.fault == "null_flood"
    assert found.words.startswith("null in 82% of rows, ")
    assert found.pipeline is True


def test_a_few_nulls_do_not_hide_a_changed_unit(gauss):
    after = gauss[:1000] * 1000
    after[:20] = np.nan
    assert named(gauss, after).fault == "unit_change"


def test_a_field_that_starts_to_be_filled_became_non_null(gauss):
    before = gauss.copy()
    before[500:] = np.nan
    found = named(before, gauss[:1000])
    assert (found.fault, found.words) == ("became_non_null", "null in 0% of rows, 94% in the reference")
    assert found.pipeline is None


def test_values_in_a_column_that_was_all_null_became_non_null():
    assert named(pa.nulls(500), np.arange(200.0)).fault == "became_non_null"


def test_divisions_by_zero_are_infinities(gauss):
    after = gauss[:1000].copy()
    after[:30] = np.inf
    found = named(gauss, after)
    assert (found.fault, found.words) == ("infinities", "infinite in 3% of rows, 0% in the reference")


@pytest.mark.parametrize("value", [-999.0, -1.0, 9999.0, 0.0])
def test_a_flood_of_a_listed_value_is_a_sentinel(skewed, value):
    after = skewed[:1000].copy()
    after[:60] = value
    found = named(skewed, after)
    assert (found.fault, found.words.split(" in ")[1:]) == ("sentinel", ["6% of rows, 0%", "the reference"])


def test_a_flood_of_one_far_value_is_a_sentinel_though_no_list_has_it(gauss):
    after = gauss[:1000].copy()
    after[:60] = -77777.0
    found = named(gauss, after)
    assert (found.fault, found.words) == ("sentinel", "-77,777 in 6% of rows, 0% in the reference")


def test_far_values_that_differ_are_no_sentinel(gauss, rng):
    after = gauss[:1000].copy()
    after[:60] = -rng.uniform(200, 20000, 60)
    assert named(gauss, after).fault != "sentinel"


def test_more_zeros_among_flags_are_no_sentinel(rng):
    assert named((rng.random(8000) < 0.6).astype(float), (rng.random(2000) < 0.5).astype(float)).fault != "sentinel"


def test_a_sentinel_is_seen_through_a_drift_of_the_season(gauss):
    after = gauss[:1000] + 4
    after[:100] = -999.0
    assert named(gauss, after).fault == "sentinel"


def test_positive_numbers_that_turn_negative_have_a_reversed_sign(gauss):
    assert named(gauss, -gauss[:1000]).fault == "sign_flip"


def test_a_mirrored_skewed_distribution_around_zero_has_a_reversed_sign(rng):
    centred = rng.gamma(2, 10, 9000) - 20
    assert named(centred[:8000], -centred[8000:]).fault == "sign_flip"


def test_raw_values_where_standardised_ones_are_expected_miss_their_standardisation(rng, gauss):
    found = named(rng.standard_normal(8000), gauss[:1000])
    assert found.fault == "missing_standardisation"
    assert found.words.startswith("arrives unstandardised: mean ")
    assert found.pipeline is True


def test_standardised_values_where_raw_ones_are_expected_are_standardised_by_mistake(gauss):
    found = named(gauss, (gauss[:1000] - 20) / 5)
    assert (found.fault, found.pipeline) == ("standardised", True)


@pytest.mark.parametrize(
    ("convert", "words"),
    [
        (lambda x: x * 1.609344, "miles became kilometres (× 1.609)"),
        (lambda x: x / 1.609344, "kilometres became miles (× 0.6214)"),
        (lambda x: x * 0.45359237, "pounds became kilograms (× 0.4536)"),
        (lambda x: x * 0.3048, "feet became metres (× 0.3048)"),
        (lambda x: x * 2.54, "inches became centimetres (× 2.54)"),
        (lambda x: x * 60, "hours became minutes, or minutes seconds (× 60)"),
        (lambda x: x / 60, "minutes became hours, or seconds minutes (× 0.01667)"),
        (lambda x: x * 3600, "hours became seconds (× 3600)"),
        (lambda x: x * 24, "days became hours (× 24)"),
        (lambda x: x * 100, "fractions became percents, or units hundredths (× 100)"),
        (lambda x: x * 1000, "units became thousandths (× 1,000)"),
        (lambda x: x / 1e6, "millionths became units (÷ 1.00e+06)"),
        (lambda x: x * 1.8 + 32, "Celsius became Fahrenheit"),
        (lambda x: (x - 32) / 1.8, "Fahrenheit became Celsius"),
        (lambda x: x + 273.15, "Celsius became kelvin"),
    ],
)
def test_a_conversion_is_a_changed_unit_and_its_units_are_named(gauss, convert, words):
    found = named(gauss, convert(gauss[:1000]))
    assert (found.fault, found.words.split(":")[0]) == ("unit_change", words.replace("1.00e+06", "1,000,000"))


def test_a_changed_unit_is_named_from_moments_alone_though_less_surely(rng):
    values = rng.normal(20, 5, 9000)
    inside, outside = named(values[:8000], values[8000:] * 1.609344), named(values[:8000], values[8000:] * 1000)
    assert (inside.fault, outside.fault) == ("unit_change", "unit_change")
    assert outside.confidence < 0.8


def test_a_thousandfold_is_a_changed_unit_through_a_drift_of_the_season(gauss):
    assert named(gauss, 1000 * (gauss[:1000] + 4)).fault == "unit_change"


def test_a_tenth_more_of_everything_is_no_unit(gauss):
    assert named(gauss, gauss[:4000] * 1.1).pipeline is False


def test_a_shift_by_degrees_of_kelvin_is_no_unit_where_values_are_no_temperatures(gauss):
    assert named(gauss * 100, gauss[:1000] * 100 + 273.15).fault == "location_shift"


@pytest.mark.parametrize(
    ("transform", "words"),
    [
        (np.log1p, "log(1 + x) is applied"),
        (np.log10, "the decimal logarithm is applied"),
        (np.sqrt, "the square root is applied"),
        (np.square, "the square root is left out"),
    ],
)
def test_a_function_applied_to_all_values_is_a_changed_transform(skewed, transform, words):
    found = named(skewed, transform(skewed[:2000]))
    assert (found.fault, found.words.split(":")[0]) == ("transform_change", words)


def test_a_logarithm_left_out_is_a_changed_transform(skewed):
    found = named(np.log1p(skewed), skewed[:2000])
    assert (found.fault, found.words.split(":")[0]) == ("transform_change", "log(1 + x) is left out")


def test_a_cap_inside_the_range_is_clipping(gauss):
    found = named(gauss, np.minimum(gauss[:2000], 23.0))
    assert found.fault == "clipping"
    assert found.words.startswith("values pile up at 23, ")


def test_a_floor_inside_the_range_is_clipping(gauss):
    assert named(gauss, np.maximum(gauss[:2000], 16.0)).fault == "clipping"


def test_texts_cut_at_a_length_are_clipping(rng):
    texts = ["x" * int(size) for size in rng.integers(5, 200, 4000)]
    found = named(texts, [text[:150] for text in texts[:1000]], "text")
    assert found.fault == "clipping"
    assert "150 characters" in found.words


def test_a_filter_that_drops_high_rows_is_no_clipping(gauss):
    assert named(gauss, gauss[gauss < 23.0]).fault != "clipping"


def test_datetimes_in_another_zone_are_a_shifted_clock(rng):
    days = rng.integers(0, 60, 6000) * 86400.0
    hours = np.clip(rng.normal(14, 3, 6000), 0, 23.9) * 3600
    stamps = days + hours
    known = pa.array((stamps[:5000] * 1e6).astype("int64"), pa.timestamp("us", "UTC"))
    turned = pa.array(((stamps[5000:] + 5 * 3600) * 1e6).astype("int64"), pa.timestamp("us", "UTC"))
    reference = reference_of(known, times=stamps[:5000] + 600)
    found = diagnose(reference, current_of(reference, turned, stamps[5000:] + 600))
    assert (found.fault, found.words) == ("shifted_clock", "the hours of the day are turned by +5 h")


def test_lower_case_is_another_spelling():
    found = named(["Red", "Green", "Blue"] * 500, ["red", "green", "blue"] * 100)
    assert found.fault == "spelling"
    assert "'Blue' as 'blue'" in found.words


def test_lost_leading_zeros_are_another_spelling():
    assert named(["007", "012", "345"] * 500, ["7", "12", "345"] * 100).fault == "spelling"


def test_spellings_of_rare_known_values_are_recognised(rng):
    names = [f"Town {place}" for place in range(120)]
    before = rng.choice(names, 6000).tolist()
    assert named(before, [name.upper() for name in before[:1500]]).fault == "spelling"


def test_permuted_codes_are_remapped_categories():
    before = list("a" * 500 + "b" * 300 + "c" * 150 + "d" * 50)
    found = named(before, list("b" * 500 + "c" * 300 + "d" * 150 + "a" * 50))
    assert found.fault == "remap"
    assert found.words.startswith("categories carry each other's shares: 'a' now 'b', 'b' now 'c'")


def test_codes_for_names_are_remapped_categories():
    before = list("a" * 500 + "b" * 300 + "c" * 150 + "d" * 50)
    assert named(before, list("0" * 500 + "1" * 300 + "2" * 150 + "3" * 50)).fault == "remap"


def test_an_inverted_flag_is_remapped():
    assert named([True] * 800 + [False] * 200, [True] * 200 + [False] * 800).fault == "remap"


def test_a_flag_that_grows_more_frequent_is_a_share_shift():
    assert named([True] * 800 + [False] * 200, [True] * 600 + [False] * 400).fault == "share_shift"


def test_a_value_never_seen_is_a_new_category():
    found = named(list("abcd") * 500, [*"abcd"] * 240 + ["Z"] * 40)
    assert (found.fault, found.words) == ("new_category", "'Z' in 4% of rows, never in the reference")
    assert found.pipeline is None


def test_a_handful_of_unseen_rows_does_not_hide_a_shift_of_shares():
    assert (
        named(list("abcd") * 500, list("a" * 500 + "b" * 200 + "c" * 200 + "d" * 96) + ["Z"] * 4).fault == "share_shift"
    )


def test_a_value_that_no_longer_comes_is_a_vanished_category():
    found = named(list("abcd") * 500, list("abc") * 300)
    assert (found.fault, found.words) == ("vanished_category", "'d' gone, 25% of rows in the reference")


def test_known_values_in_other_proportions_are_a_share_shift():
    found = named(list("a" * 500 + "b" * 300 + "c" * 200), list("a" * 400 + "b" * 300 + "c" * 300))
    assert (found.fault, found.words, found.pipeline) == ("share_shift", "share of 'c' 20% to 30%", False)


def test_a_moved_mean_is_a_location_shift(gauss):
    found = named(gauss, gauss[:2000] + 2)
    assert (found.fault, found.pipeline) == ("location_shift", False)
    assert re.search(r"mean 19\.\d to 21\.\d, .* \(\+0\.[34]\d sd\)$", found.words)


def test_whole_numbers_that_moved_by_one_are_a_location_shift(rng):
    values = rng.poisson(4, 9000)
    assert named(values[:8000], values[8000:] + 1).fault == "location_shift"


def test_a_wider_spread_is_a_scale_shift(gauss):
    found = named(gauss, (gauss[:2000] - 20) * 1.4 + 20)
    assert (found.fault, found.pipeline) == ("scale_shift", False)
    assert re.search(r"\(spread × 1\.[34]\d?\)$", found.words)


def test_values_of_a_size_never_seen_are_of_another_magnitude(gauss):
    found = named(gauss, gauss[:1000] * 400)
    assert (found.fault, found.pipeline) == ("other_magnitude", True)


def test_a_second_population_elsewhere_is_a_sub_population(gauss):
    after = gauss[:1000].copy()
    after[:300] += 25
    found = named(gauss, after)
    assert (found.fault, found.pipeline) == ("sub_population", False)
    assert found.words.startswith("30% of rows sit elsewhere, the rest as before: rows from ")


@pytest.mark.parametrize("share", [0.1, 0.3, 0.6])
def test_the_share_of_rows_that_sit_elsewhere_is_told(gauss, share):
    after = gauss[:3000].copy()
    after[: int(3000 * share)] += 25
    words = named(gauss, after).words
    assert float(words.split("%")[0]) == pytest.approx(100 * share, abs=3)


def test_rows_that_were_all_stretched_are_no_sub_population(gauss, rng):
    found = [named(gauss, 20 + (rng.normal(20, 5, 1000) - 20) * 1.5).fault for _ in range(20)]
    assert "sub_population" not in found


def test_two_populations_on_either_side_are_a_change_of_shape(gauss, rng):
    after = gauss[:4000].copy()
    after[:800] -= 12
    after[800:1600] += 20
    found = named(gauss, after)
    assert (found.fault, found.pipeline) == ("shape_change", False)
    assert found.words.startswith("rows ")


def test_one_gross_value_changes_no_shape(gauss):
    after = gauss[:1000].copy()
    after[0] = 1e7
    assert named(gauss, after).fault == "population_shift"


def test_a_change_that_nothing_explains_is_an_unsure_population_shift(gauss):
    found = named(gauss, gauss[:1000])
    assert (found.fault, found.title, found.pipeline) == ("population_shift", "population shift", None)
    assert found.confidence <= 0.3


def test_every_fault_has_a_story_here():
    told = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in faults() if f'"{name}"' not in told] == []
