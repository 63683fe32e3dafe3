"""The Bayesian view of a lift."""

from collections.abc import Callable
from dataclasses import fields
from math import inf, nan, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from labcoat.stats.bayes import Posterior, lift_error, posterior
from labcoat.stats.lift import fieller
from stats.builders import array

lifts = st.floats(-2, 2)
errors = st.floats(1e-4, 1)
priors = st.floats(1e-3, 2)
any_number = st.floats(allow_nan=True, allow_infinity=True)


def _view(lift: float, error: float, prior: float = inf, level: float = 0.95) -> list[float]:
    """Return the posterior's numbers: mean, deviation, low, high, chance to win, loss of treatment, of control."""
    view = posterior(array(lift), array(error), prior_deviation=prior, level=level)
    return [float(getattr(view, field.name)[0]) for field in fields(Posterior)]


def _error(m0: float, m1: float, s0: float, s1: float) -> float:
    """Return the error of the lift between two independent arms."""
    squares = array(s0) ** 2, array(s1) ** 2
    return float(
        lift_error(
            array(m0),
            array(m1 - m0),
            standard_error=np.sqrt(sum(squares)),
            control_square=squares[0],
            covariance=-squares[0],
        )[0]
    )


@pytest.mark.parametrize(
    ("lift", "error", "prior"), [(0.04, 0.03, 0.03), (-0.1, 0.05, 0.2), (0.0, 0.02, 0.05), (0.3, 0.05, 0.1)]
)
def test_reference_prior_times_likelihood_integrated_numerically(lift: float, error: float, prior: float) -> None:
    def integral(of: Callable[[float], float], low: float = -2.0, high: float = 2.0) -> float:
        def weighted(true: float) -> float:
            return of(true) * float(stats.norm.pdf(true, 0, prior) * stats.norm.pdf(lift, true, error))

        return float(integrate.quad(weighted, low, high, points=[0, lift], epsabs=1e-13, limit=200)[0])

    total = integral(lambda _: 1.0)
    mean = integral(lambda true: true) / total
    view = _view(lift, error, prior)

    assert view[0] == pytest.approx(mean, abs=1e-9)
    assert view[1] ** 2 == pytest.approx(integral(lambda true: (true - mean) ** 2) / total, rel=1e-7)
    assert integral(lambda _: 1.0, view[2], view[3]) / total == pytest.approx(0.95, abs=1e-8)
    assert view[4] == pytest.approx(integral(lambda _: 1.0, 0.0) / total, abs=1e-8)
    assert view[5] == pytest.approx(integral(lambda true: -true, high=0.0) / total, abs=1e-9)
    assert view[6] == pytest.approx(integral(lambda true: true, low=0.0) / total, abs=1e-9)


def test_reference_as_much_data_as_prior_halves_the_lift() -> None:
    # By hand: equal precisions, so the mean is half of .04, the deviation .03 / sqrt 2, z = .04 / (.03 sqrt 2).
    view = _view(0.04, 0.03, 0.03)

    assert view[:2] == pytest.approx([0.02, 0.03 / sqrt(2)])
    assert view[4] == pytest.approx(float(stats.norm.cdf(0.04 / 0.03 / sqrt(2))))


def test_reference_a_flat_prior_gives_the_estimates_own_interval_and_one_sided_p_value() -> None:
    view = _view(0.05, 0.02, level=0.9)

    assert view[:4] == pytest.approx([0.05, 0.02, *stats.norm.interval(0.9, 0.05, 0.02)])
    assert 1 - view[4] == pytest.approx(float(stats.norm.sf(2.5)))


def test_reference_no_lift_at_all_is_even_chances_and_the_mean_of_half_a_normal() -> None:
    # E[max(X, 0)] of a normal around 0 is its deviation / sqrt(2 pi).
    assert _view(0.0, 0.02)[4:] == pytest.approx([0.5, 0.02 / sqrt(2 * pi), 0.02 / sqrt(2 * pi)])


def test_reference_losses_far_out_keep_their_digits() -> None:
    # Mills' ratio: E[max(X - z, 0)] = phi(z) (1/z^2 - 3/z^4 + 15/z^6 - ...); at z = 30 the next term is 1e-7 of it.
    z = 30.0
    tail = float(stats.norm.pdf(z)) * (1 / z**2 - 3 / z**4 + 15 / z**6)

    view = _view(0.3, 0.01)

    assert view[5] == pytest.approx(0.01 * tail, rel=1e-5)
    assert view[6] == pytest.approx(0.3)


def test_reference_the_lifts_error_between_independent_arms() -> None:
    # The delta method by hand: s1^2 / m0^2 + m1^2 s0^2 / m0^4 with m0 = 10, m1 = 12, s0 = .5, s1 = .8.
    assert _error(10, 12, 0.5, 0.8) == pytest.approx(sqrt(0.64 / 100 + 144 * 0.25 / 10_000))


@given(
    m0=st.floats(1, 20),
    lift=st.floats(-1, 1),
    s0=st.floats(0.01, 0.3),
    s1=st.floats(0.01, 0.3),
    correlation=st.floats(-0.95, 0.95),
)
def test_reference_the_lifts_error_is_fiellers_interval_for_a_small_multiplier(
    m0: float, lift: float, s0: float, s1: float, correlation: float
) -> None:
    common = {
        "standard_error": array(s1),
        "control_square": array(s0) ** 2,
        "covariance": array(correlation * s0 * s1),
    }
    low, high = fieller(array(m0), array(lift * m0), multiplier=array(0.02), **common)

    error = lift_error(array(m0), array(lift * m0), **common)

    assert (high - low) / 0.04 == pytest.approx(error, rel=1e-3)


@given(lift=lifts, error=errors, prior=priors, level=st.floats(0.5, 0.999))
def test_property_the_other_direction_is_the_mirror_image(
    lift: float, error: float, prior: float, level: float
) -> None:
    there, back = _view(lift, error, prior, level), _view(-lift, error, prior, level)

    assert back[:4] == [-there[0], there[1], -there[3], -there[2]]
    assert back[4] == pytest.approx(1 - there[4], abs=1e-15)
    assert back[5:] == [there[6], there[5]]


@given(lift=lifts, error=errors)
def test_property_a_very_wide_prior_is_a_flat_one(lift: float, error: float) -> None:
    assert _view(lift, error, 1e9) == pytest.approx(_view(lift, error), rel=1e-9)


@given(lift=st.floats(0.001, 2), error=errors, prior=priors)
def test_property_more_data_shrinks_less_and_is_surer(lift: float, error: float, prior: float) -> None:
    few, many = _view(lift, error, prior), _view(lift, error / 2, prior)

    assert 0 <= few[0] < many[0] <= lift * (1 + 1e-12)
    assert many[1] < few[1] < min(error, prior) * (1 + 1e-12)
    assert few[4] <= many[4]


@given(lift=lifts, error=errors, prior=priors)
def test_property_losses_differ_by_the_lift_and_the_likelier_arm_loses_less(
    lift: float, error: float, prior: float
) -> None:
    mean, _, low, high, chance, of_treatment, of_control = _view(lift, error, prior)

    assert of_control - of_treatment == pytest.approx(mean, abs=1e-12)
    assert of_treatment >= 0 <= of_control
    assert (chance >= 0.5) == (of_treatment <= of_control)
    assert low <= mean <= high


@given(lift=any_number, error=any_number, prior=st.floats(0, exclude_min=True, allow_infinity=True))
def test_property_a_view_is_whole_or_not_there(lift: float, error: float, prior: float) -> None:
    is_known = bool(np.isfinite(lift) and np.isfinite(error) and error > 0)

    assert np.isnan(_view(lift, error, prior)).tolist() == [not is_known] * 7


@pytest.mark.parametrize("control_mean", [0.0, -3.0, nan])
def test_without_a_positive_control_mean_there_is_no_view(control_mean: float) -> None:
    error = _error(control_mean, 1.0, 0.1, 0.1)

    assert np.isnan(error)
    assert np.isnan(_view(0.1, error, 0.2)).all()


@pytest.mark.parametrize(
    ("prior", "level"), [(0.0, 0.95), (-1.0, 0.95), (nan, 0.95), (1.0, 0.0), (1.0, 1.0), (1.0, nan)]
)
def test_a_prior_without_width_or_an_impossible_level_is_refused(prior: float, level: float) -> None:
    with pytest.raises(ValueError, match=r"prior|level"):
        _view(0.1, 0.1, prior, level)


def test_property_many_lifts_at_once_are_each_alone() -> None:
    rng = np.random.default_rng(5)
    shape = (3, 4)
    inputs = rng.normal(size=shape), rng.uniform(0.1, 1, shape), rng.uniform(0.1, 1, shape)

    together = posterior(inputs[0], inputs[1], prior_deviation=inputs[2])

    for index in np.ndindex(shape):
        numbers = [float(getattr(together, field.name)[index]) for field in fields(Posterior)]
        assert numbers == pytest.approx(_view(*(float(column[index]) for column in inputs)), rel=1e-12)


def test_calibration_a_view_read_week_after_week_calls_far_too_much() -> None:
    # STATISTICS: without any effect a chance to win above .95 or below .05 comes at one of 12 looks in .356 of the
    # experiments (flat prior). 20,000 runs, seed 12: four binomial errors are .0135. What a prior lets through depends
    # on its width alone; one as wide as the first look's error still calls .25.
    sums = np.random.default_rng(12).normal(size=(20_000, 12)).cumsum(axis=1)
    looks = np.arange(1, 13)
    lift, error = sums / looks, np.broadcast_to(1 / np.sqrt(looks), sums.shape)

    def called(prior: float) -> float:
        chance = posterior(lift, error, prior_deviation=prior).chance_to_win
        return float(((chance > 0.95) | (chance < 0.05)).any(axis=1).mean())

    assert called(inf) == pytest.approx(0.356, abs=0.0135)
    assert called(1.0) == pytest.approx(0.247, abs=0.0135)
