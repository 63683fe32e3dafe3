"""The relative lift, by Fieller's interval: with the absolute interval's multiplier the two always agree about 0."""

import numpy as np

from labcoat.stats.arrays import FloatArray


def fieller(
    control_mean: FloatArray,
    difference: FloatArray,
    *,
    standard_error: FloatArray,
    control_square: FloatArray,
    covariance: FloatArray,
    multiplier: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the low and high end of difference / control_mean; NaN where there is no relative interval.

    standard_error: of the difference. control_square: the control mean's squared standard error.
    covariance: of difference and control mean; -control_square where the arms are independent.
    There is none where the control mean is not positive, or within its own interval of 0 (m0^2 <= k^2 s0^2).
    Source: Fieller 1954, solved for the lift instead of the ratio: all lambda with
    (d - lambda m0)^2 <= k^2 (se^2 - 2 lambda covariance + lambda^2 s0^2).

    >>> low, high = fieller(np.array([10.0]), np.array([1.0]), standard_error=np.array([0.02**0.5]),
    ...                     control_square=np.array([0.01]), covariance=np.array([-0.01]), multiplier=np.array([1.96]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.0713, 0.1296)
    """
    margin = multiplier * standard_error
    square = control_mean**2 - multiplier**2 * control_square
    linear = control_mean * difference - multiplier**2 * covariance
    # A product of signed factors, so that rounding can not make its sign differ from the absolute interval's.
    constant = (np.abs(difference) - margin) * (np.abs(difference) + margin)
    root = np.sqrt(np.maximum(linear**2 - square * constant, 0))
    far = linear + np.where(linear < 0, -root, root)
    exists = (control_mean > 0) & (square > 0)
    first = far / np.where(exists, square, np.nan)
    second = np.where(far == 0, first, constant / np.where(far == 0, 1.0, far))
    return np.minimum(first, second), np.maximum(first, second)
