"""Sample ratio mismatch."""

from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from labcoat.stats import sample_ratio
from labcoat.stats.arrays import FloatArray
from stats.builders import array

counts = st.lists(st.integers(0, 10**6), min_size=2, max_size=5)


def test_reference_cookie_cats() -> None:
    # 44,700 and 45,489 players: a known chi-square p of .0086, which a single look would call suspicious.
    split = sample_ratio.check((44_700, 45_489), (0.5, 0.5))

    assert split.chi_square_p == pytest.approx(0.0086, abs=5e-5)
    # Sequential, with the mean of three Bayes factors; the one of 10,000 units alone, as Lindon and Malek's, is .1416.
    assert split.p_value == pytest.approx(0.2659, abs=5e-5)


@pytest.mark.parametrize(("units", "weights"), [((40, 60), (0.5, 0.5)), ((5, 9, 30), (0.2, 0.2, 0.6))])
def test_reference_evidence_is_the_product_of_predictions(units: tuple[int, ...], weights: tuple[float, ...]) -> None:
    # Unit by unit: what a Dirichlet urn predicts for the arm that came, over what the plan predicts; of three urns.
    arms = np.random.default_rng(2).permutation(np.repeat(np.arange(len(units)), units))
    factors = []
    for prior in (100, 1000, 10_000):
        seen, factor = np.zeros(len(units)), 1.0
        for arm in arms:
            factor *= (prior * weights[arm] + seen[arm]) / (prior + seen.sum()) / weights[arm]
            seen[arm] += 1
        factors.append(factor)

    expected = log(sum(factors) / 3)

    assert sample_ratio.log_bayes_factor(array(*units), array(*weights)) == pytest.approx(expected, abs=1e-8)


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


def _lowest_p_values(share: float, *, units: int, looks: int, runs: int, seed: int) -> FloatArray:
    """Looks at so many new units each: the sequential p-value after the last."""
    treatment = np.random.default_rng(seed).binomial(units, share, (looks, runs)).cumsum(axis=0).astype(np.float64)
    both = units * np.arange(1.0, looks + 1)[:, np.newaxis]
    evidence = sample_ratio.log_bayes_factor(np.stack([both - treatment, treatment], axis=-1), array(0.5, 0.5))
    return np.asarray(np.exp(-np.maximum(evidence.max(axis=0), 0)))


@pytest.mark.parametrize(("units", "looks", "seed"), [(4000, 12, 7), (100, 84, 11)], ids=["weekly", "small, daily"])
def test_calibration_an_even_split_is_hardly_ever_called_uneven(units: int, looks: int, seed: int) -> None:
    p_values = _lowest_p_values(0.5, units=units, looks=looks, runs=20_000, seed=seed)

    assert np.mean(p_values < sample_ratio.INVALID_BELOW) < 0.005
    assert np.mean(p_values < sample_ratio.WARN_BELOW) < 0.02


@pytest.mark.parametrize(
    ("share", "units", "invalid", "warned"),
    [(0.51, 4000, 0.77, 0.90), (0.55, 200, 0.88, 0.955)],
    ids=["large", "small"],
)
def test_calibration_an_uneven_split_is_mostly_found(share: float, units: int, invalid: float, warned: float) -> None:
    # Expected: runs of another seed. With 10,000 units alone .79 and .92 of the large, .02 and .22 of the small.
    p_values = _lowest_p_values(share, units=units, looks=12, runs=4000, seed=8)

    assert np.mean(p_values < sample_ratio.INVALID_BELOW) == pytest.approx(invalid, abs=0.03)
    assert np.mean(p_values < sample_ratio.WARN_BELOW) == pytest.approx(warned, abs=0.03)


@pytest.mark.parametrize("exposed", [(900, 1100), (100, 200), (1000, 1300)])
def test_a_gross_mismatch_of_a_few_hundred_units_is_seen(exposed: tuple[int, int]) -> None:
    assert sample_ratio.check(exposed, (0.5, 0.5)).p_value < sample_ratio.INVALID_BELOW
