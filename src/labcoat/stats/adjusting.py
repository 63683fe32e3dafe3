"""One analysed number per unit: ratios made linear by the delta method, and CUPED where there is a covariate.

Both are written once, for every kind of metric: a mean is a ratio over the constant 1, and a covariate without
variance has a slope of 0.
"""

from dataclasses import dataclass

import numpy as np

from labcoat.stats.arrays import BoolArray, FloatArray
from labcoat.stats.moments import (
    COLUMNS,
    COVARIATE,
    COVARIATE_DENOMINATOR,
    DENOMINATOR,
    VALUE,
    MomentArrays,
)

# Rounding in a mean of squares leaves about 1e-16 of the squared mean where the true variance is 0.
LEAST_RELATIVE_VARIANCE = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """What an interval is made of, each (..., n_variants).

    means: of a ratio the ratio, with a covariate adjusted. variances: of one unit's linearised, adjusted value.
    raw_variances: without the covariate. has_covariate: (...), whether it varies at all.
    control_square: (..., 1), the squared standard error of the control's mean. covariances: (..., n_treatments), of
    difference and control mean; adjusting moves every arm towards the units' common mean, so arms are not independent.
    """

    means: FloatArray
    variances: FloatArray
    raw_variances: FloatArray
    has_covariate: BoolArray
    control_square: FloatArray
    covariances: FloatArray


def analyse(moments: MomentArrays, *, is_proportion: BoolArray) -> Analysed:
    """Return means and variances that differences can be taken of.

    moments: (..., n_variants). is_proportion: (...), whose variance is p (1 - p).
    The slope theta is pooled over the variants; units without a past have a covariate of 0 and stay.
    Source: Deng, Knoblich, Lu, KDD 2018 (ratios); Deng, Xu, Kohavi, Walker, WSDM 2013 (CUPED).
    """
    columns = _linearised(moments, is_proportion)
    before = columns.covariate_variances > LEAST_RELATIVE_VARIANCE * columns.covariates**2
    has_covariate = np.asarray(before.any(axis=-1))
    theta = _pooled_slope(moments.counts, columns, has_covariate)[..., np.newaxis]
    shares = _covariate_shares(moments)
    common = (shares * columns.covariates).sum(axis=-1, keepdims=True)
    control_square, covariances = _control_errors(moments.counts, columns, theta=theta, shares=shares)
    explained = theta * (2 * columns.covariances - theta * columns.covariate_variances)
    return Analysed(
        means=columns.means - np.where(theta == 0, 0.0, theta * (columns.covariates - common)),
        # Rounding may leave less than nothing of a value that the covariate explains wholly.
        variances=np.maximum(columns.variances - explained, np.minimum(columns.variances, 0.0)),
        raw_variances=columns.variances,
        has_covariate=has_covariate,
        control_square=control_square,
        covariances=covariances,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """A unit's value and covariate, each without its denominator; all (..., n_variants)."""

    means: FloatArray
    variances: FloatArray
    covariates: FloatArray
    covariate_variances: FloatArray
    covariances: FloatArray


def _linearised(moments: MomentArrays, is_proportion: BoolArray) -> _Columns:
    value, denominator, covariate, covariate_denominator = (moments.means[..., column] for column in range(COLUMNS))
    ratio, before = value / denominator, covariate / covariate_denominator

    def covariance(first: int, second: int) -> FloatArray:
        return moments.covariances[..., first, second]

    def variance_of_ratio(over: int, under: int, of: FloatArray) -> FloatArray:
        return np.asarray(covariance(over, over) - 2 * of * covariance(over, under) + of**2 * covariance(under, under))

    crossed = (
        covariance(VALUE, COVARIATE)
        - before * covariance(VALUE, COVARIATE_DENOMINATOR)
        - ratio * covariance(DENOMINATOR, COVARIATE)
        + ratio * before * covariance(DENOMINATOR, COVARIATE_DENOMINATOR)
    )
    return _Columns(
        means=ratio,
        variances=np.where(
            is_proportion[..., np.newaxis],
            value * (1 - value),
            variance_of_ratio(VALUE, DENOMINATOR, ratio) / denominator**2,
        ),
        covariates=before,
        covariate_variances=variance_of_ratio(COVARIATE, COVARIATE_DENOMINATOR, before) / covariate_denominator**2,
        covariances=crossed / (denominator * covariate_denominator),
    )


def _pooled_slope(counts: FloatArray, columns: _Columns, has_covariate: BoolArray) -> FloatArray:
    freedom = counts - 1
    below = (freedom * columns.covariate_variances).sum(axis=-1)
    slope = (freedom * columns.covariances).sum(axis=-1) / np.where(has_covariate, below, 1.0)
    return np.where(has_covariate, slope, 0.0)


def _covariate_shares(moments: MomentArrays) -> FloatArray:
    """Return what each variant weighs in the covariate of all units: its units, or its part of the denominator."""
    weights = moments.counts * moments.means[..., COVARIATE_DENOMINATOR]
    return np.asarray(weights / weights.sum(axis=-1, keepdims=True))


def _control_errors(
    counts: FloatArray, columns: _Columns, *, theta: FloatArray, shares: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the variance of the control's adjusted mean, and its covariance with each difference.

    The mean is y0 - theta (x0 - sum of shares x xj), the difference (yt - theta xt) - (y0 - theta x0).
    """
    own, crossed, before = (
        moments / counts for moments in (columns.variances, columns.covariances, columns.covariate_variances)
    )
    pull = theta * (1 - shares[..., :1])
    others = (shares[..., 1:] ** 2 * before[..., 1:]).sum(axis=-1, keepdims=True)
    control_square = own[..., :1] - 2 * pull * crossed[..., :1] + pull**2 * before[..., :1] + theta**2 * others
    control = own[..., :1] - (pull + theta) * crossed[..., :1] + theta * pull * before[..., :1]
    treatment = theta * shares[..., 1:] * (crossed[..., 1:] - theta * before[..., 1:])
    return control_square, treatment - control
