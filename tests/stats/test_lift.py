"""Fieller's interval for the lift."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from labcoat.stats.lift import fieller
from stats.builders import array

positive = st.floats(1e-3, 1e3)


def _fieller(m0: float, m1: float, s0: float, s1: float, k: float) -> tuple[float, float]:
    low, high = fieller(
        array(m0),
        array(m1 - m0),
        standard_error=np.sqrt(array(s0 * s0 + s1 * s1)),
        control_square=array(s0 * s0),
        covariance=-array(s0 * s0),
        multiplier=array(k),
    )
    return float(low[0]), float(high[0])


def test_reference_the_ratio_solves_fiellers_quadratic() -> None:
    # Fieller 1954: (m1 - rho m0)^2 = k^2 (s1^2 + rho^2 s0^2). By hand with m0 = 10, m1 = 12, s0 = 1, s1 = 1.5, k = 2:
    # 96 rho^2 - 240 rho + 135 = 0, rho = (240 -+ sqrt(5760)) / 192 = 0.85471, 1.64529.
    assert _fieller(10, 12, 1, 1.5, 2) == pytest.approx((-0.14529, 0.64529), abs=1e-5)


def test_reference_a_sure_baseline_gives_the_absolute_interval_over_it() -> None:
    assert _fieller(50, 55, 0, 1, 2) == pytest.approx((0.06, 0.14))


def test_reference_a_lift_at_either_end_is_just_rejected() -> None:
    # What the interval inverts: z of m1 - (1 + lift) m0 is k at both ends.
    for lift in _fieller(0.19, 0.182, 0.0019, 0.0018, 1.96):
        gap = 0.182 - (1 + lift) * 0.19
        assert abs(gap) / np.hypot(0.0018, (1 + lift) * 0.0019) == pytest.approx(1.96)


@given(m0=positive, m1=st.floats(-1e3, 1e3), s0=positive, s1=positive, k=st.floats(0.5, 8))
def test_property_excludes_0_exactly_when_the_absolute_interval_does(
    m0: float, m1: float, s0: float, s1: float, k: float
) -> None:
    low, high = _fieller(m0, m1, s0, s1, k)
    assume(not np.isnan(low))

    margin = k * np.sqrt(s0 * s0 + s1 * s1)

    assert (low > 0) == (m1 - m0 - margin > 0)
    assert (high < 0) == (m1 - m0 + margin < 0)
    assert low <= (m1 - m0) / m0 + 1e-9
    assert high >= (m1 - m0) / m0 - 1e-9


@given(m0=positive, m1=st.floats(-1e3, 1e3), s0=positive, s1=positive, factor=st.floats(0.01, 100))
def test_property_the_metrics_unit_does_not_matter(m0: float, m1: float, s0: float, s1: float, factor: float) -> None:
    assume(m0 > 2.1 * s0)

    one, scaled = (_fieller(c * m0, c * m1, c * s0, c * s1, 2.0) for c in (1.0, factor))

    assert scaled == pytest.approx(one, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("m0", [1.9, 0.0, -1.9, -50.0])
def test_no_lift_over_a_baseline_near_0_or_negative(m0: float) -> None:
    assert np.isnan(_fieller(m0, m0 + 1, 1, 1, 2)).all()


def test_calibration_covers_the_true_lift_95_times_in_100() -> None:
    rng = np.random.default_rng(20_260_101)
    runs = 20_000
    m0, m1 = rng.normal(10, 1.2, runs), rng.normal(12, 1.2, runs)

    low, high = fieller(
        m0,
        m1 - m0,
        standard_error=np.full(runs, np.sqrt(2.88)),
        control_square=np.full(runs, 1.44),
        covariance=np.full(runs, -1.44),
        multiplier=np.full(runs, 1.959964),
    )

    covered = np.mean((low < 0.2) & (high > 0.2))
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.05 * 0.95 / runs))
