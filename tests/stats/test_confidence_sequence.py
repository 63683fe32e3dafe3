"""The asymptotic confidence sequence."""

from math import log, log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labcoat.stats.confidence_sequence import multiplier

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
