"""Differences, their errors, and Newcombe's interval."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from labcoat.stats import effects
from labcoat.stats.arrays import FloatArray
from stats.builders import array, compared

counts = st.integers(2, 10**7)
means = st.floats(-1e6, 1e6)
variances = st.floats(1e-6, 1e9)
proportions = st.floats(0.0, 1.0)


@pytest.mark.parametrize(
    ("n", "mean", "sd"),
    [((50, 40), (10.0, 12.0), (5.0, 6.0)), ((3, 900), (0.1, -4.0), (0.2, 77.0)), ((10**6, 10**6), (1, 1.01), (9, 8))],
)
def test_reference_welch_is_scipys(n: tuple[int, int], mean: tuple[float, float], sd: tuple[float, float]) -> None:
    expected = stats.ttest_ind_from_stats(mean[1], sd[1], n[1], mean[0], sd[0], n[0], equal_var=False)

    effect = compared(array(*n), array(*mean), array(*sd) ** 2)

    t = effect.difference / effect.standard_error
    assert t[0] == pytest.approx(expected.statistic)
    assert 2 * stats.t.sf(abs(t[0]), effect.degrees_of_freedom[0]) == pytest.approx(expected.pvalue)


def test_reference_difference_of_proportions_is_statsmodels_wald_interval() -> None:
    low, high = confint_proportions_2indep(130, 1000, 100, 990, method="wald", compare="diff", alpha=0.05)
    p = array(100 / 990, 130 / 1000)

    effect = compared(array(990, 1000), p, p * (1 - p))

    margin = stats.norm.ppf(0.975) * effect.standard_error[0]
    assert (effect.difference[0] - margin, effect.difference[0] + margin) == pytest.approx((low, high))


@pytest.mark.parametrize(
    ("treatment", "control", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_reference_newcombe_1998_table_ii_method_10(
    treatment: tuple[int, int], control: tuple[int, int], low: float, high: float
) -> None:
    n = array(control[1], treatment[1])

    interval = effects.newcombe(n, array(control[0], treatment[0]) / n, array(stats.norm.ppf(0.975)))

    assert (interval[0][0], interval[1][0]) == pytest.approx((low, high), abs=5.1e-5)


def test_reference_newcombe_is_statsmodels() -> None:
    low, high = confint_proportions_2indep(7, 600, 2, 450, method="newcomb", compare="diff", alpha=0.01)

    interval = effects.newcombe(array(450, 600), array(2 / 450, 7 / 600), array(stats.norm.ppf(0.995)))

    assert (interval[0][0], interval[1][0]) == pytest.approx((low, high))


@given(n=st.tuples(counts, counts), mean=st.tuples(means, means), variance=st.tuples(variances, variances))
def test_property_swapping_arms_flips_the_sign(
    n: tuple[int, int], mean: tuple[float, float], variance: tuple[float, float]
) -> None:
    there = compared(array(*n), array(*mean), array(*variance))
    back = compared(array(*n[::-1]), array(*mean[::-1]), array(*variance[::-1]))

    assert there.difference == -back.difference
    assert there.standard_error == pytest.approx(back.standard_error)
    assert there.degrees_of_freedom == pytest.approx(back.degrees_of_freedom)


@given(
    n=st.tuples(counts, counts),
    mean=st.tuples(means, means),
    variance=st.tuples(variances, variances),
    factor=st.floats(1e-3, 1e3),
)
def test_property_scaling_the_metric_scales_the_effect(
    n: tuple[int, int], mean: tuple[float, float], variance: tuple[float, float], factor: float
) -> None:
    one = compared(array(*n), array(*mean), array(*variance))
    scaled = compared(array(*n), factor * array(*mean), factor**2 * array(*variance))

    assert scaled.difference == pytest.approx(factor * one.difference, abs=1e-6)
    assert scaled.standard_error == pytest.approx(factor * one.standard_error)
    assert scaled.degrees_of_freedom == pytest.approx(one.degrees_of_freedom)


@given(n=st.tuples(counts, counts), p=st.tuples(proportions, proportions), k=st.floats(0.5, 8))
def test_property_newcombe_holds_the_difference_and_stays_in_range(
    n: tuple[int, int], p: tuple[float, float], k: float
) -> None:
    low, high = effects.newcombe(array(*n), array(*p), array(k))

    assert -1 - 1e-9 <= low[0] <= p[1] - p[0] + 1e-9
    assert p[1] - p[0] - 1e-9 <= high[0] <= 1 + 1e-9


def test_property_many_experiments_at_once_are_each_alone() -> None:
    rng = np.random.default_rng(1)
    shape = (4, 3, 5)
    n, mean, variance = rng.integers(5, 99, shape).astype(float), rng.normal(size=shape), rng.uniform(1, 2, shape)

    together = compared(n, mean, variance)

    for index in np.ndindex(4, 3):
        alone = compared(n[index], mean[index], variance[index])
        assert together.difference[index].tolist() == alone.difference.tolist()
        assert together.standard_error[index].tolist() == alone.standard_error.tolist()
        assert effects.information(n)[index].tolist() == effects.information(n[index]).tolist()


@pytest.mark.parametrize(
    ("n", "p", "is_small"),
    [
        (array(1000, 1000), array(0.010, 0.010), False),
        (array(1000, 1000), array(0.009, 0.010), True),
        (array(1000, 1000), array(0.5, 0.991), True),
        (array(15, 1000), array(0.5, 0.5), True),
    ],
)
def test_a_cell_is_small_below_ten_events_or_non_events(n: FloatArray, p: FloatArray, is_small: bool) -> None:
    assert effects.has_small_cell(n, p).tolist() == [is_small]
