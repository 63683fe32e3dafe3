"""A Bayesian view of a lift: a view to think with, never what decides while people look again and again.

Measured over 12 weekly looks without any effect: a flat prior and "chance to win above .95 or below .05" called .356
to .514 of the experiments at some look, where the group sequential design called .050 (STATISTICS.md). With a prior it
is fewer, how many depends on its width, and nothing keeps it at .05.
"""

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from labcoat.stats.arrays import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Posterior:
    """What prior and data together say about the lift; of one shape, NaN where there is nothing to say.

    mean, standard_deviation, low, high: lifts, 0.05 = +5 %; low to high holds the lift with the chance asked for.
    chance_to_win: that the lift is above 0.
    loss_of_treatment, loss_of_control: the lift that choosing this arm is expected to give away, >= 0.
    """

    mean: FloatArray
    standard_deviation: FloatArray
    low: FloatArray
    high: FloatArray
    chance_to_win: FloatArray
    loss_of_treatment: FloatArray
    loss_of_control: FloatArray


def lift_error(
    control_mean: FloatArray,
    difference: FloatArray,
    *,
    standard_error: FloatArray,
    control_square: FloatArray,
    covariance: FloatArray,
) -> FloatArray:
    """Return the standard error of difference / control_mean; NaN where the control mean is not positive.

    standard_error: of the difference. control_square: the control mean's squared standard error.
    covariance: of difference and control mean; -control_square where the arms are independent.
    Source: the delta method; for independent arms with means m0, m1 it is sqrt(s1^2 / m0^2 + m1^2 s0^2 / m0^4).
    It wants a control mean that is many of its own errors from 0; Fieller's interval does not.

    >>> error = lift_error(np.array([10.0]), np.array([1.0]), standard_error=np.array([0.05**0.5]),
    ...                    control_square=np.array([0.01]), covariance=np.array([-0.01]))
    >>> round(float(error[0]), 6), round((0.04 / 10**2 + 11**2 * 0.01 / 10**4) ** 0.5, 6)
    (0.022825, 0.022825)
    """
    baseline = np.where(control_mean > 0, control_mean, np.nan)
    lift = difference / baseline
    square = standard_error**2 - 2 * lift * covariance + lift**2 * control_square
    # Rounding may leave less than nothing where the arms move together.
    return np.asarray(np.sqrt(np.maximum(square, 0.0)) / baseline)


def posterior(
    lift: FloatArray, standard_error: FloatArray, *, prior_deviation: FloatArray | float, level: float = 0.95
) -> Posterior:
    """Return what a normal prior around no lift and a normal estimate of it say together.

    lift: estimated; where down is good, its negative. standard_error: as from `lift_error`.
    NaN comes out where an estimate is not finite or its error not positive and finite, as without a positive control
    mean: the caller then shows a reason, never a number.
    prior_deviation: how large lifts usually are, > 0; infinite for a flat prior. level: of the interval, 0-1.
    Raises ValueError for a prior that is not positive or a level that is not between 0 and 1.
    Source: Gelman et al., Bayesian Data Analysis, 3rd ed. 2013, 2.5 (normal-normal).

    >>> view = posterior(np.array([0.04]), np.array([0.03]), prior_deviation=0.03)
    >>> [round(float(number[0]), 4) for number in (view.mean, view.standard_deviation, view.chance_to_win)]
    [0.02, 0.0212, 0.8271]
    """
    if not np.all(np.asarray(prior_deviation) > 0):
        raise ValueError("a prior has a width")
    if not 0 < level < 1:
        raise ValueError("a level is between 0 and 1")
    is_known = np.isfinite(lift) & np.isfinite(standard_error) & (standard_error > 0)
    estimate, error = np.where(is_known, lift, np.nan), np.where(is_known, standard_error, np.nan)
    # What is too large for a float becomes infinite, and is as good as that.
    with np.errstate(over="ignore"):
        share = 1 / np.hypot(1.0, error / prior_deviation)
        mean, deviation, z = estimate * share**2, error * share, estimate * share / error
        half = -ndtri((1 - level) / 2) * deviation
        # E[max(-lift, 0)] and E[max(lift, 0)] differ by the mean: one tail serves both, and nothing cancels.
        tail = deviation * _tail(np.abs(z))
        return Posterior(
            mean=mean,
            standard_deviation=deviation,
            low=mean - half,
            high=mean + half,
            chance_to_win=np.asarray(ndtr(z)),
            loss_of_treatment=tail + np.maximum(-mean, 0.0),
            loss_of_control=tail + np.maximum(mean, 0.0),
        )


def _tail(z: FloatArray) -> FloatArray:
    """Return E[max(X - z, 0)] of a standard normal X, for z >= 0."""
    # Beyond 38 it is 0 in floating point, and infinity times 0 would not be.
    near = np.minimum(z, 38.0)
    return np.asarray(np.maximum(np.exp(-(near**2) / 2) / sqrt(2 * pi) - near * ndtr(-near), 0.0))
