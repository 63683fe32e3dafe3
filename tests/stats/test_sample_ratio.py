"""Sample ratio mismatch."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from labcoat.stats import sample_ratio
from labcoat.stats.effects import FloatArray
from stats.builders import array

counts = st.lists(st.integers(0, 10**6), min_size=2, max_size=5)


def test_reference_cookie_cats() -> None:
    # 44,700 and 45,489 players: a known chi-square p of .0086, which a single look would call suspicious.
    split = sample_ratio.check((44_700, 45_489), (0.5, 0.5))

    assert split.chi_square_p == pytest.approx(0.0086, abs=5e-5)
    assert split.p_value == pytest.approx(0.1416, abs=5e-5)


@pytest.mark.parametrize(("units", "weights"), [((40, 60), (0.5, 0.5)), ((5, 9, 30), (0.2, 0.2, 0.6))])
def test_reference_evidence_is_the_product_of_predictions(units: tuple[int, ...], weights: tuple[float, ...]) -> None:
    # Unit by unit: what a Dirichlet(10,000 w) urn predicts for the arm that came, over what the plan predicts.
    seen, evidence = np.zeros(len(units)), 0.0
    arms = np.random.default_rng(2).permutation(np.repeat(np.arange(len(units)), units))
    for arm in arms:
        prediction = (10_000 * weights[arm] + seen[arm]) / (10_000 + seen.sum())
        evidence += log(prediction) - log(weights[arm])
        seen[arm] += 1

    assert sample_ratio.log_bayes_factor(array(*units), array(*weights)) == pytest.approx(evidence, abs=1e-8)


@given(units=counts.filter(lambda units: sum(units) > 0))
def test_reference_chi_square_is_scipys(units: list[int]) -> None:
    weights = np.full(len(units), 1 / len(units))

    p_value = sample_ratio.chi_square_p(array(*units), weights)

    assert p_value == pytest.approx(stats.chisquare(units).pvalue, abs=1e-12)


@given(units=counts)
def test_property_the_order_of_the_arms_does_not_matter(units: list[int]) -> None:
    weights = np.arange(1.0, len(units) + 1) / sum(range(1, len(units) + 1))

    there = sample_ratio.check(tuple(units), tuple(weights))
    back = sample_ratio.check(tuple(units[::-1]), tuple(weights[::-1]))

    assert there.log_bayes_factor == pytest.approx(back.log_bayes_factor, rel=1e-6, abs=1e-5)


@given(looks=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=8))
def test_property_the_p_value_never_rises(looks: list[tuple[int, int]]) -> None:
    past, p_values = None, [1.0]
    for exposed in looks:
        past = sample_ratio.check(exposed, (0.5, 0.5), past=past)
        p_values.append(past.p_value)

    assert p_values == sorted(p_values, reverse=True)
    assert past is not None
    assert past.p_value == pytest.approx(exp(-past.log_bayes_factor))


def test_no_units_say_nothing() -> None:
    split = sample_ratio.check((0, 0), (0.5, 0.5))

    assert (split.p_value, split.chi_square_p) == (1.0, 1.0)


def test_a_huge_mismatch_overflows_nothing() -> None:
    split = sample_ratio.check((10**12, 1), (0.5, 0.5))

    assert split.p_value == 0.0
    assert split.chi_square_p == 0.0
    assert split.log_bayes_factor > 1e11


@pytest.mark.parametrize(("exposed", "weights"), [((5,), (1.0,)), ((5, 5), (0.3, 0.3, 0.4))])
def test_needs_a_weight_for_each_of_two_variants_or_more(exposed: tuple[int, ...], weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="two variants"):
        sample_ratio.check(exposed, weights)


def _lowest_p_values(share: float, *, runs: int, seed: int) -> FloatArray:
    """Twelve weekly looks at 4,000 new units each: the sequential p-value after the last."""
    treatment = np.random.default_rng(seed).binomial(4000, share, (runs, 12)).cumsum(axis=1).astype(np.float64)
    units = np.stack([4000.0 * np.arange(1, 13) - treatment, treatment], axis=-1)
    evidence = sample_ratio.log_bayes_factor(units, array(0.5, 0.5))
    return np.asarray(np.exp(-np.maximum(evidence.max(axis=1), 0)))


def test_calibration_an_even_split_is_hardly_ever_called_uneven() -> None:
    p_values = _lowest_p_values(0.5, runs=20_000, seed=7)

    assert np.mean(p_values < sample_ratio.INVALID_BELOW) < 0.002
    assert np.mean(p_values < sample_ratio.WARN_BELOW) < 0.01


def test_calibration_51_to_49_is_mostly_found() -> None:
    p_values = _lowest_p_values(0.51, runs=4000, seed=8)

    assert np.mean(p_values < sample_ratio.INVALID_BELOW) == pytest.approx(0.80, abs=0.03)
    assert np.mean(p_values < sample_ratio.WARN_BELOW) == pytest.approx(0.93, abs=0.03)


def test_a_mismatch_of_a_few_hundred_units_shows_in_the_diagnostic_only() -> None:
    # The price of a prior as heavy as 10,000 units; docs/statistics.md says so too.
    split = sample_ratio.check((100, 200), (0.5, 0.5))

    assert split.p_value > 0.5
    assert split.chi_square_p < 1e-7
