"""Ratios by the delta method, and CUPED."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st

from labcoat.stats import adjusting, moments
from labcoat.stats.adjusting import Analysed
from labcoat.stats.arrays import FloatArray
from labcoat.stats.moments import MomentArrays
from stats.builders import compared

ANY = np.array(False)


def _variants(*arms: MomentArrays) -> MomentArrays:
    return MomentArrays(
        counts=np.stack([arm.counts for arm in arms]),
        means=np.stack([arm.means for arm in arms]),
        covariances=np.stack([arm.covariances for arm in arms]),
    )


def _effect(variants: MomentArrays) -> tuple[Analysed, float, float]:
    there = adjusting.analyse(variants, is_proportion=ANY)
    effect = compared(variants.counts, there.means, there.variances)
    return there, float(effect.difference[0]), float(effect.standard_error[0])


def _users(units: int, *, seed: int) -> tuple[FloatArray, FloatArray]:
    """Clicks and views per user: a user's views vary, and clicks follow them."""
    rng = np.random.default_rng(seed)
    views = np.asarray(rng.poisson(rng.gamma(2, 5, units)), dtype=np.float64) + 1
    return np.asarray(rng.binomial(views.astype(int), rng.beta(2, 18, units)), dtype=np.float64), views


def test_reference_a_mean_without_a_covariate_is_itself() -> None:
    variants = _variants(moments.from_rows(np.array([1.0, 2, 6])), moments.from_rows(np.array([4.0, 5, 9])))

    there = adjusting.analyse(variants, is_proportion=ANY)

    assert there.means.tolist() == [3, 6]
    assert there.variances.tolist() == [7, 7]
    assert not there.has_covariate
    assert (there.control_square.tolist(), there.covariances.tolist()) == ([7 / 3], [-7 / 3])


def test_reference_the_ratios_variance_is_that_of_its_residuals() -> None:
    # Deng, Knoblich, Lu 2018: the delta method's variance is that of (y - R x) / mean x, by hand from the rows.
    clicks, views = _users(500, seed=1)
    ratio = clicks.sum() / views.sum()

    there = adjusting.analyse(_variants(moments.from_rows(clicks, denominators=views)), is_proportion=ANY)

    assert there.means[0] == pytest.approx(ratio)
    assert there.variances[0] == pytest.approx(np.var((clicks - ratio * views) / views.mean(), ddof=1))


def test_reference_the_ratios_error_is_the_bootstraps() -> None:
    clicks, views = _users(400, seed=2)
    rng = np.random.default_rng(3)
    picks = rng.integers(0, 400, (4000, 400))
    bootstrap = (clicks[picks].sum(axis=1) / views[picks].sum(axis=1)).std()

    there = adjusting.analyse(_variants(moments.from_rows(clicks, denominators=views)), is_proportion=ANY)

    assert np.sqrt(there.variances[0] / 400) == pytest.approx(bootstrap, rel=0.05)


def test_reference_cuped_is_the_regression_on_treatment_and_covariate() -> None:
    # statsmodels' OLS of y on arm and x has the same slope, and so the same effect; its error pools the arms.
    rng = np.random.default_rng(4)
    before, arm = rng.normal(10, 3, 800), np.repeat([0.0, 1.0], 400)
    value = 5 + 0.8 * before + 0.3 * arm + rng.normal(0, 1, 800)
    fitted = sm.OLS(value, sm.add_constant(np.column_stack([arm, before]))).fit()
    variants = _variants(*(moments.from_rows(value[arm == one], covariates=before[arm == one]) for one in (0, 1)))

    there, difference, error = _effect(variants)

    assert difference == pytest.approx(fitted.params[1], rel=1e-9)
    assert error == pytest.approx(fitted.bse[1], rel=0.01)
    assert float(there.variances.sum() / there.raw_variances.sum()) == pytest.approx(1 / (1 + 0.64 * 9), rel=0.15)


def test_reference_cuped_of_a_ratio_is_that_of_its_residuals() -> None:
    # By hand: the pooled slope of residuals on residuals, arm by arm.
    arms = [(_users(600, seed=seed), _users(600, seed=seed + 10)) for seed in (5, 6)]
    rows = [
        ((clicks + before_clicks, views + before_views), (before_clicks, before_views))
        for (clicks, views), (before_clicks, before_views) in arms
    ]
    after, before = (
        [(y - y.sum() / x.sum() * x) / x.mean() for y, x in (arm[place] for arm in rows)] for place in (0, 1)
    )
    theta = sum(a @ b for a, b in zip(after, before, strict=True)) / sum(b @ b for b in before)
    ratios = [[y.sum() / x.sum() for y, x in arm] for arm in rows]

    there, difference, error = _effect(
        _variants(
            *(moments.from_rows(y, denominators=x, covariates=c, covariate_denominators=d) for (y, x), (c, d) in rows)
        )
    )

    assert difference == pytest.approx(ratios[1][0] - ratios[0][0] - theta * (ratios[1][1] - ratios[0][1]))
    left = [np.var(a - theta * b, ddof=1) / 600 for a, b in zip(after, before, strict=True)]
    assert error == pytest.approx(np.sqrt(sum(left)))
    assert (there.variances < there.raw_variances).all()


def test_calibration_the_adjusted_lifts_ingredients_are_those_of_many_experiments() -> None:
    # What Fieller's interval needs of adjusted means: the control mean's error, and its covariance with the effect.
    runs, units, rng = 20_000, (40, 80), np.random.default_rng(7)
    arms = []
    for size in units:
        before = rng.normal(2, 1, (runs, size))
        arms.append(moments.from_rows(before + rng.normal(3, 1, (runs, size)), covariates=before))
    stacked = MomentArrays(
        counts=np.stack([arm.counts for arm in arms], axis=-1),
        means=np.stack([arm.means for arm in arms], axis=1),
        covariances=np.stack([arm.covariances for arm in arms], axis=1),
    )

    there = adjusting.analyse(stacked, is_proportion=np.zeros(runs, dtype=np.bool_))

    difference = there.means[:, 1] - there.means[:, 0]
    assert there.control_square.mean() == pytest.approx(there.means[:, 0].var(), rel=0.06)
    assert there.covariances.mean() == pytest.approx(np.cov(difference, there.means[:, 0])[0, 1], rel=0.06)
    assert difference.var() == pytest.approx((there.variances / stacked.counts).sum(axis=-1).mean(), rel=0.06)


@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e3), shift=st.floats(-100, 100))
def test_property_a_covariate_in_other_units_adjusts_the_same(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.normal(0, 1, (2, 50)), rng.normal(0, 1, (2, 50))

    def adjusted(covariates: FloatArray) -> tuple[float, float]:
        pairs = zip(before + after, covariates, strict=True)
        return _effect(_variants(*(moments.from_rows(y, covariates=x) for y, x in pairs)))[1:]

    assert adjusted(before) == pytest.approx(adjusted(scale * before + shift), rel=1e-6, abs=1e-9)


@given(seed=st.integers(0, 10**6), factor=st.floats(1e-3, 1e3))
def test_property_a_ratio_scales_with_its_numerator(seed: int, factor: float) -> None:
    clicks, views = _users(60, seed=seed)

    one, other = (
        adjusting.analyse(_variants(moments.from_rows(y, denominators=views)), is_proportion=ANY)
        for y in (clicks, factor * clicks)
    )

    assert other.means[0] == pytest.approx(factor * one.means[0])
    assert other.variances[0] == pytest.approx(factor**2 * one.variances[0])


def test_a_constant_covariate_changes_nothing() -> None:
    rows = np.array([[1.0, 2, 6], [4.0, 5, 9]])
    plain = _variants(*(moments.from_rows(row) for row in rows))
    constant = _variants(*(moments.from_rows(row, covariates=np.full(3, 7.0)) for row in rows))

    assert _effect(constant)[1:] == _effect(plain)[1:]


def test_a_covariate_that_explains_everything_leaves_no_variance_and_none_below_0() -> None:
    rows = np.random.default_rng(8).normal(100, 1, (2, 50))

    there = adjusting.analyse(_variants(*(moments.from_rows(row, covariates=row) for row in rows)), is_proportion=ANY)

    assert (there.variances >= 0).all()
    assert there.variances == pytest.approx(0, abs=1e-9)


def test_units_without_a_past_stay_with_a_covariate_of_0() -> None:
    rng = np.random.default_rng(9)
    before = rng.normal(10, 2, (2, 400)) * (rng.random((2, 400)) < 0.6)
    after = before + rng.normal(0, 1, (2, 400))

    there, _, error = _effect(
        _variants(*(moments.from_rows(y, covariates=x) for y, x in zip(after, before, strict=True)))
    )

    assert error == pytest.approx(np.sqrt(2 / 400), rel=0.1)
    assert there.means.mean() == pytest.approx(after.mean())
