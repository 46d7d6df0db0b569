"""The statistics are the classical ones: where values are few enough to be bins of their own, SciPy says the same."""

import numpy as np
import pyarrow as pa
import pytest
from check_worlds import WORLDS
from scipy import stats
from scipy.spatial.distance import jensenshannon

from checks.binning import fit, profile_column
from checks.catalogue import catalogue
from checks.cumulative import bridge_crossing
from checks.profile import Bins, Column, ColumnProfile
from checks.proportions import Proportion, equal_shares


def measure(name, reference, current):
    return catalogue()[name].check().measure(reference, current)


@pytest.fixture
def dice():
    """Values and columns of two sets of throws, the second with a loaded die."""
    rng = np.random.default_rng(40)
    values = [rng.integers(1, 7, 900) * 1.0, rng.choice(np.arange(1, 7.0), 700, p=[0.1, 0.1, 0.15, 0.15, 0.2, 0.3])]
    bins = fit(pa.array(values[0]))
    return values, [Column("die", bins, profile_column(pa.array(one), bins)) for one in values]


@pytest.fixture
def shops():
    """Counts and columns of two sets of categories."""
    counts = [np.array([300, 200, 100, 50]), np.array([220, 180, 120, 80])]
    bins = Bins("categorical", values=("a", "b", "c", "d"))
    profiles = [ColumnProfile("categorical", one.sum(), np.append(one, [0, 0])) for one in counts]
    return counts, [Column("shop", bins, profile) for profile in profiles]


def test_ks_is_the_two_sample_statistic_on_discrete_values(dice):
    values, columns = dice
    assert measure("ks", *columns).statistic == pytest.approx(stats.ks_2samp(*values).statistic)


def test_the_ks_pvalue_is_that_of_permutations_on_discrete_values_where_scipy_is_far_too_large():
    rng = np.random.default_rng(41)
    both = rng.integers(1, 5, 200)

    def distance(first, second):
        return max(abs(np.mean(first <= k) - np.mean(second <= k)) for k in range(1, 5))

    permuted = [distance(*np.split(rng.permutation(both), [80])) for _ in range(4000)]
    bins = Bins("numeric", edges=(1.5, 2.5, 3.5))
    pairs = [np.split(rng.permutation(both), [80]) for _ in range(20)]
    for first, second in pairs:
        columns = [
            Column("x", bins, ColumnProfile("numeric", one.size, np.bincount(one, minlength=5)[1:], low=1, high=4))
            for one in (first, second)
        ]
        expected = np.mean(np.array(permuted) >= distance(first, second) - 1e-12)
        assert measure("ks", *columns).pvalue == pytest.approx(expected, abs=0.05)


def test_ks_and_its_relatives_agree_with_scipy_on_continuous_values():
    rng = np.random.default_rng(42)
    world = WORLDS["normal"]
    for shift in (0.0, 0.1, 0.15):
        values = rng.normal(0, 1, 1000), rng.normal(shift, 1, 800)
        bins = world.bins
        columns = [Column("x", bins, profile_column(pa.array(one), bins)) for one in values]
        assert measure("ks", *columns).pvalue == pytest.approx(stats.ks_2samp(*values).pvalue, abs=0.12)
        assert measure("cramer_von_mises", *columns).pvalue == pytest.approx(
            stats.cramervonmises_2samp(*values, method="asymptotic").pvalue, abs=0.06
        )
        binned = np.mean([measure("wasserstein", *columns).statistic])
        assert binned == pytest.approx(stats.wasserstein_distance(*values), abs=0.02)


def test_a_bridge_seen_nearly_everywhere_is_kolmogorovs():
    from scipy.special import kolmogorov

    points = np.arange(1, 400) / 400
    for barrier in (0.8, 1.2, 1.5):
        assert bridge_crossing(points, barrier) == pytest.approx(kolmogorov(barrier), rel=0.4)
        assert bridge_crossing(points, barrier) < kolmogorov(barrier)


def test_a_bridge_seen_in_one_point_is_a_normal_variable():
    assert bridge_crossing(np.array([0.5]), 0.98) == pytest.approx(2 * stats.norm.sf(1.96), rel=1e-3)
    assert bridge_crossing(np.array([0.5]), 2.5) == pytest.approx(2 * stats.norm.sf(5), rel=1e-6)


def test_wasserstein_is_the_distance_on_discrete_values(dice):
    values, columns = dice
    found = measure("wasserstein", *columns)
    assert found.statistic == pytest.approx(stats.wasserstein_distance(*values))
    assert found.effect == pytest.approx(found.statistic / values[0].std(), rel=0.05)


def test_chi2_is_that_of_the_contingency_table(shops):
    counts, columns = shops
    expected = stats.chi2_contingency(np.array(counts), correction=False)
    found = measure("chi2", *columns)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.pvalue == pytest.approx(expected.pvalue)


def test_cramers_v_is_bergsmas(shops):
    counts, columns = shops
    table = np.array(counts)
    total = table.sum()
    phi = max(0, stats.chi2_contingency(table, correction=False).statistic / total - 3 / (total - 1))
    smaller = min(2 - 1 / (total - 1), 4 - 9 / (total - 1)) - 1
    assert measure("cramer_v", *columns).statistic == pytest.approx(np.sqrt(phi / smaller))


def test_jensen_shannon_is_scipys_in_bits_but_for_half_counts(shops):
    counts, columns = shops
    assert measure("jensen_shannon", *columns).statistic == pytest.approx(jensenshannon(*counts, base=2), rel=0.01)


def test_psi_hellinger_and_total_variation_follow_their_formulas(shops):
    counts, columns = shops
    p, q = (one / one.sum() for one in counts)
    assert measure("psi", *columns).statistic == pytest.approx(((q - p) * np.log(q / p)).sum(), rel=0.02)
    assert measure("hellinger", *columns).statistic == pytest.approx(np.sqrt(1 - np.sqrt(p * q).sum()), rel=0.01)
    assert measure("total_variation", *columns).statistic == pytest.approx(np.abs(p - q).sum() / 2)


def test_psi_is_debiased_by_the_cells_and_the_rows(shops):
    counts, columns = shops
    found = measure("psi", *columns)
    assert found.effect == pytest.approx(found.statistic - 3 * sum(1 / one.sum() for one in counts))


@pytest.mark.parametrize("sizes", [((3, 100), (9, 80)), ((0, 50), (4, 30)), ((2, 40), (2, 400)), ((7, 7), (3, 9))])
def test_equal_shares_are_tested_by_fisher_less_half_of_what_is_as_likely(sizes):
    (x, n), (y, m) = sizes
    law = stats.hypergeom(n + m, x + y, m)
    support = np.arange(0, min(x + y, m) + 1)
    chances = law.pmf(support)
    alike = np.isclose(chances, law.pmf(y), rtol=1e-7)
    expected = chances[(chances < law.pmf(y)) & ~alike].sum() + chances[alike].sum() / 2
    assert equal_shares(Proportion(x, n), Proportion(y, m)) == pytest.approx(expected)


def test_equal_shares_upwards_are_one_sided():
    law = stats.hypergeom(180, 12, 80)
    found = equal_shares(Proportion(3, 100), Proportion(9, 80), upwards=True)
    assert found == pytest.approx(law.sf(9) + law.pmf(9) / 2)
    assert equal_shares(Proportion(9000, 10000), Proportion(8000, 10000), upwards=True) == pytest.approx(1)


def test_large_counts_take_the_normal_law_that_continues_the_exact_one():
    exact = equal_shares(Proportion(38, 1000), Proportion(19, 1000))
    normal = equal_shares(Proportion(42, 1000), Proportion(22, 1000))
    assert exact == pytest.approx(stats.norm.sf(2.55) * 2, rel=0.35)
    assert normal == pytest.approx(stats.norm.sf(2.54) * 2, rel=0.1)
