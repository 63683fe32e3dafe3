"""Holm, Benjamini-Hochberg and e-BH."""

from collections.abc import Callable
from math import inf, nan
from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from statsmodels.stats.multitest import multipletests

from labcoat.stats.arrays import FloatArray
from labcoat.stats.multiplicity import benjamini_hochberg, e_benjamini_hochberg, holm
from stats.builders import array

# The fifteen ordered p-values of Benjamini and Hochberg's own example (1995): events after thrombolysis.
THROMBOLYSIS = array(
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0
)  # fmt: skip

Adjust: TypeAlias = Callable[[FloatArray], FloatArray]
both = pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])

p_values = arrays(np.float64, st.integers(1, 30), elements=st.floats(0, 1))
log_e_values = arrays(np.float64, st.integers(1, 30), elements=st.floats(-50, 50))
alphas = st.floats(0.001, 0.5)


def test_reference_benjamini_and_hochberg_1995_call_four_where_bonferronis_way_calls_three() -> None:
    # The paper: at .05 the first three hypotheses by Bonferroni, four by the new procedure.
    assert (holm(THROMBOLYSIS) <= 0.05).sum() == 3
    assert (benjamini_hochberg(THROMBOLYSIS) <= 0.05).sum() == 4
    # By hand: 15 / 4 x .0095, the last p-value under its line.
    assert benjamini_hochberg(THROMBOLYSIS)[3] == pytest.approx(0.035625)


@settings(max_examples=25)  # statsmodels takes 50 ms for a family
@given(p=p_values)
def test_reference_adjusted_p_values_are_statsmodels(p: FloatArray) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)
    assert benjamini_hochberg(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-12)


def test_reference_benjamini_hochberg_is_scipys_over_leading_axes() -> None:
    p = np.random.default_rng(3).uniform(size=(4, 5, 7)) ** 3

    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p, axis=-1))


@given(log_e=log_e_values, alpha=alphas)
def test_reference_e_bh_is_its_definition(log_e: FloatArray, alpha: float) -> None:
    # Wang and Ramdas 2022: e_(k) is the k-th largest of K; the k largest are rejected for the largest k with
    # k e_(k) / K >= 1 / alpha. Here in plain numbers, one k after the other.
    e_values = [float(np.exp(value)) for value in log_e]
    falling, total = sorted(e_values, reverse=True), len(e_values)
    averages = [k * falling[k - 1] / total * alpha for k in range(1, total + 1)]
    assume(all(average != pytest.approx(1, rel=1e-9) for average in averages))

    found = e_benjamini_hochberg(log_e, alpha=alpha)

    rejected = max((k for k in range(1, total + 1) if averages[k - 1] >= 1), default=0)
    assert found.tolist() == [rejected > 0 and value >= falling[rejected - 1] for value in e_values]


def test_reference_e_bh_with_one_over_p_calls_what_benjamini_hochberg_calls() -> None:
    # Wang and Ramdas 2022: BH is e-BH on e = 1 / p.
    for alpha in (0.01, 0.05, 0.2, 0.5):
        by_p = benjamini_hochberg(THROMBOLYSIS) <= alpha
        assert e_benjamini_hochberg(-np.log(THROMBOLYSIS), alpha=alpha).tolist() == by_p.tolist()


def test_e_values_beyond_any_float_are_compared_all_the_same() -> None:
    found = e_benjamini_hochberg(array(5e4, -5e4, inf, -inf, 1.0), alpha=0.05)

    assert found.tolist() == [True, False, True, False, False]


@both
def test_a_metric_without_a_number_is_no_hypothesis(adjust: Adjust) -> None:
    adjusted = adjust(array(0.03, nan, 0.01, 0.04, nan))

    assert np.isnan(adjusted).tolist() == [False, True, False, False, True]
    assert adjusted[[0, 2, 3]].tolist() == adjust(array(0.03, 0.01, 0.04)).tolist()
    assert np.isnan(adjust(array(nan, nan))).all()
    assert adjust(np.empty((2, 0))).shape == (2, 0)


def test_a_metric_without_an_e_value_is_no_hypothesis_and_not_discovered() -> None:
    # By hand at .05, 1 / alpha = 20: of two 2 x 25 / 2 is enough, of three neither 2 x 25 / 3 nor 45 / 3 is.
    assert e_benjamini_hochberg(array(np.log(25), nan, np.log(45)), alpha=0.05).tolist() == [True, False, True]
    assert e_benjamini_hochberg(array(np.log(25), 0.0, np.log(45)), alpha=0.05).tolist() == [False, False, False]
    assert e_benjamini_hochberg(array(nan, nan), alpha=0.05).tolist() == [False, False]
    assert e_benjamini_hochberg(np.empty((2, 0)), alpha=0.05).shape == (2, 0)


@both
@pytest.mark.parametrize("p", [-0.01, 1.01, inf, -inf])
def test_a_p_value_outside_0_to_1_is_refused(adjust: Adjust, p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        adjust(array(0.5, p))


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, nan])
def test_an_alpha_outside_0_to_1_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        e_benjamini_hochberg(array(1.0), alpha=alpha)


@given(p=p_values)
def test_property_adjusting_only_raises_p_values_and_holm_raises_them_more(p: FloatArray) -> None:
    by_holm, by_share = holm(p), benjamini_hochberg(p)

    assert (p <= by_share).all()
    assert (by_share <= by_holm).all()
    assert (by_holm <= 1).all()
    assert (by_holm <= np.minimum(p * p.size, 1)).all()


@given(p=p_values)
def test_property_the_order_of_p_values_is_kept(p: FloatArray) -> None:
    order = np.argsort(p)

    assert (np.diff(holm(p)[order]) >= 0).all()
    assert (np.diff(benjamini_hochberg(p)[order]) >= 0).all()


@given(p=p_values, log_e=log_e_values, alpha=alphas, seed=st.integers(0, 99))
def test_property_the_order_of_hypotheses_does_not_matter(
    p: FloatArray, log_e: FloatArray, alpha: float, seed: int
) -> None:
    shuffled = np.random.default_rng(seed).permutation(p.size)
    reshuffled = np.random.default_rng(seed).permutation(log_e.size)

    assert holm(p[shuffled]).tolist() == holm(p)[shuffled].tolist()
    assert benjamini_hochberg(p[shuffled]).tolist() == benjamini_hochberg(p)[shuffled].tolist()
    assert (
        e_benjamini_hochberg(log_e[reshuffled], alpha=alpha).tolist()
        == e_benjamini_hochberg(log_e, alpha=alpha)[reshuffled].tolist()
    )


@given(log_e=log_e_values, alpha=alphas, more=st.floats(0, 10))
def test_property_more_evidence_or_a_larger_alpha_never_takes_a_discovery_away(
    log_e: FloatArray, alpha: float, more: float
) -> None:
    found = e_benjamini_hochberg(log_e, alpha=alpha)
    stronger = log_e.copy()
    stronger[0] += more

    assert (found <= e_benjamini_hochberg(log_e, alpha=alpha * 1.5)).all()
    assert (found <= e_benjamini_hochberg(stronger, alpha=alpha)).all()


@both
def test_property_many_families_at_once_are_each_alone(adjust: Adjust) -> None:
    p = np.random.default_rng(4).uniform(size=(3, 4, 6))
    p[p < 0.1] = nan

    together = adjust(p)

    for index in np.ndindex(3, 4):
        assert together[index].tolist() == pytest.approx(adjust(p[index]).tolist(), nan_ok=True, rel=1e-15)
