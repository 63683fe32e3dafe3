"""The asymptotic confidence sequence."""

from math import log, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcoat.stats.confidence_sequence import log_e_value, multiplier, p_value

units = st.integers(1, 10**8)
alphas = st.floats(0.001, 0.3)


def test_reference_is_3_03_where_it_is_tightest() -> None:
    # The project's reference; the formula gives 3.0352.
    assert multiplier(units=5000, tuned_units=5000, alpha=0.05) == pytest.approx(3.03, abs=0.01)


@given(units=units, tuned=units, alpha=alphas)
def test_reference_at_its_end_the_e_value_is_one_over_alpha(units: int, tuned: int, alpha: float) -> None:
    # The mixture likelihood ratio by its own formula: log e = z^2 V / (2 (V + 1)) - ln(V + 1) / 2.
    level = -2 * log(alpha)
    scaled = units * (level + log1p(level)) / tuned
    z = multiplier(units=units, tuned_units=tuned, alpha=alpha)

    log_e = z * z * scaled / (2 * (scaled + 1)) - log1p(scaled) / 2

    assert log_e == pytest.approx(-log(alpha), rel=1e-6)


def test_property_the_interval_in_units_is_tightest_relative_to_a_fixed_one_near_the_tuned_size() -> None:
    ks = {
        share: multiplier(units=round(5000 * share), tuned_units=5000, alpha=0.05) for share in (0.05, 0.9, 1, 1.1, 20)
    }

    assert ks[1] == pytest.approx(min(ks.values()), abs=0.01)
    assert ks[0.05] > ks[1] + 0.5
    assert ks[20] > ks[1] + 0.2


@given(units=units, tuned=units, alpha=st.floats(0.001, 0.15))
def test_property_less_alpha_is_wider(units: int, tuned: int, alpha: float) -> None:
    assert multiplier(units=units, tuned_units=tuned, alpha=alpha) > multiplier(
        units=units, tuned_units=tuned, alpha=2 * alpha
    )


@given(units=units, tuned=units, alpha=alphas)
def test_property_the_e_value_of_z_equal_k_is_one_over_alpha(units: int, tuned: int, alpha: float) -> None:
    z = np.array(multiplier(units=units, tuned_units=tuned, alpha=alpha))

    log_e = log_e_value(z, units=units, tuned_units=tuned, alpha=alpha)

    assert float(log_e) == pytest.approx(-log(alpha), rel=1e-6)
    assert float(p_value(log_e)) == pytest.approx(alpha, rel=1e-5)


def test_property_arrays_are_the_numbers_one_by_one() -> None:
    seen = np.array([10.0, 1000.0, 1e7])

    together = multiplier(units=seen, tuned_units=5000, alpha=0.05)

    assert together.tolist() == [multiplier(units=one, tuned_units=5000, alpha=0.05) for one in seen]


def test_huge_evidence_overflows_nothing() -> None:
    log_e = log_e_value(np.array([1e100, np.nan]), units=100, tuned_units=100, alpha=0.05)

    assert p_value(log_e)[0] == 0
    assert np.isnan(p_value(log_e)[1])


def test_calibration_one_side_calls_at_most_alpha_and_is_narrower_than_two() -> None:
    looks, runs = 300, 4000
    seen = np.arange(1.0, looks + 1) * 100
    z = np.random.default_rng(5).normal(size=(runs, looks)).cumsum(axis=1) / np.sqrt(np.arange(1, looks + 1))
    one = multiplier(units=seen, tuned_units=5000, alpha=0.05, sides=1)
    two = multiplier(units=seen, tuned_units=5000, alpha=0.05)

    assert np.mean((z > one).any(axis=1)) <= 0.05
    assert (one[49:] < two[49:]).all()


@pytest.mark.parametrize(
    ("units", "tuned", "alpha", "sides"),
    [(0, 10, 0.05, 2), (10, 0, 0.05, 2), (10, 10, 0.0, 2), (10, 10, 1.0, 2), (10, 10, 0.5, 1), (10, 10, 0.05, 3)],
)
def test_what_cannot_be_is_refused(units: int, tuned: int, alpha: float, sides: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        multiplier(units=units, tuned_units=tuned, alpha=alpha, sides=sides)
