"""The relative lift, by Fieller's interval: with the absolute interval's multiplier the two always agree about 0."""

import numpy as np

from labcoat.stats.effects import FloatArray


def fieller(
    control_mean: FloatArray,
    difference: FloatArray,
    *,
    control_square: FloatArray,
    treatment_square: FloatArray,
    multiplier: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the low and high end of difference / control_mean; NaN where there is no relative interval.

    control_square, treatment_square: s_i^2, the squared standard errors of independent means.
    There is none where the control mean is not positive, or within its own interval of 0 (m0^2 <= k^2 s0^2).
    Source: Fieller 1954, solved for the lift instead of the ratio: all lambda with
    (d - lambda m0)^2 <= k^2 (s1^2 + (1 + lambda)^2 s0^2).

    >>> low, high = fieller(np.array([10.0]), np.array([1.0]), control_square=np.array([0.01]),
    ...                     treatment_square=np.array([0.01]), multiplier=np.array([1.96]))
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.0713, 0.1296)
    """
    margin = multiplier * np.sqrt(control_square + treatment_square)
    square = control_mean**2 - multiplier**2 * control_square
    linear = control_mean * difference + multiplier**2 * control_square
    # A product of signed factors, so that rounding can not make its sign differ from the absolute interval's.
    constant = (np.abs(difference) - margin) * (np.abs(difference) + margin)
    root = np.sqrt(np.maximum(linear**2 - square * constant, 0))
    far = linear + np.where(linear < 0, -root, root)
    exists = (control_mean > 0) & (square > 0)
    first = far / np.where(exists, square, np.nan)
    second = np.where(far == 0, first, constant / np.where(far == 0, 1.0, far))
    return np.minimum(first, second), np.maximum(first, second)
