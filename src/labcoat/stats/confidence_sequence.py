"""The asymptotic confidence sequence: an interval that holds at every moment, whenever people choose to look.

Evidence is the likelihood ratio against "no difference", averaged over a normal prior of effects. If nothing differs,
it reaches 1 / alpha, ever, in at most a share alpha of experiments (Ville); the interval is where it has not.
Source: Waudby-Smith et al., Annals of Statistics 2024, arXiv 2103.06476.
"""

from typing import overload

import numpy as np

from labcoat.stats.arrays import FloatArray

TYPICAL_UNITS = 5000


@overload
def multiplier(*, units: float, tuned_units: float, alpha: float, sides: int = 2) -> float: ...


@overload
def multiplier(
    *, units: FloatArray, tuned_units: float | FloatArray, alpha: float | FloatArray, sides: int = 2
) -> FloatArray: ...


def multiplier(
    *, units: float | FloatArray, tuned_units: float | FloatArray, alpha: float | FloatArray, sides: int = 2
) -> float | FloatArray:
    """Return the k of the interval d +- k se that holds at all times at once; with one side, of the bound d - k se.

    units: of the two arms compared, > 0. tuned_units: where the interval is tightest, > 0; fixed before the start.
    alpha: of all sides together. Arrays broadcast; numbers give a number.
    Source: as above; one-sided, its eq. 134 in version 7, which rounds the half-normal mixture up to a closed form.
    Raises ValueError for units, an alpha or sides that cannot be.

    >>> round(multiplier(units=5000, tuned_units=5000, alpha=0.05), 3)
    3.035
    >>> multiplier(units=np.array([1000, 5000]), tuned_units=5000, alpha=0.05).round(3)
    array([3.364, 3.035])
    """
    if not np.all(np.greater(units, 0) & np.isfinite(units)):
        raise ValueError("a multiplier needs units, more than 0")
    growth = _growth(units, tuned_units, alpha, sides=sides)
    if sides == 1:
        squared = 2 * np.log1p(np.sqrt(growth + 1) / (2 * np.asarray(alpha)))
    else:
        squared = np.log1p(growth) - 2 * np.log(alpha)
    k = np.sqrt((growth + 1) / growth * squared)
    return k if k.ndim else float(k)


def log_e_value(
    z: FloatArray, *, units: float | FloatArray, tuned_units: float | FloatArray, alpha: float | FloatArray
) -> FloatArray:
    """Return the natural logarithm of the evidence against "no difference", for both sides.

    z: difference / standard error, NaN where there is none. units, tuned_units, alpha: as for `multiplier`, which is
    the z whose evidence is 1 / alpha; without units there is none, 0. Raises ValueError likewise.

    >>> log_e_value(np.array([0.0, 3.035]), units=5000, tuned_units=5000, alpha=0.05).round(2)
    array([-1.1,  3. ])
    """
    growth = _growth(units, tuned_units, alpha, sides=2)
    # A difference of very many standard errors is infinite evidence, and no warning.
    with np.errstate(over="ignore"):
        return np.asarray(np.square(z) * (growth / (2 * (growth + 1))) - np.log1p(growth) / 2)


def p_value(log_e: FloatArray) -> FloatArray:
    """Return the p-value that holds at every moment, min(1, 1 / e).

    log_e: as from `log_e_value`, of any size; evidence itself would overflow.

    >>> p_value(np.array([-1.11, 2.9957, 1e6])).round(3)
    array([1.  , 0.05, 0.  ])
    """
    return np.asarray(np.exp(-np.maximum(log_e, 0.0)))


def _growth(
    units: float | FloatArray, tuned_units: float | FloatArray, alpha: float | FloatArray, *, sides: int
) -> FloatArray:
    """Return V = n (L + ln(1 + L)) / N*, information in units of the prior's, with L = -2 ln alpha.

    One side of two is tuned as the two: L = -2 ln(2 alpha), so alpha < 1/2.
    """
    if sides not in (1, 2):
        raise ValueError("a confidence sequence has one side or two")
    if not np.all(np.greater(alpha, 0) & np.less(alpha, sides / 2)):
        raise ValueError("alpha is between 0 and 1, and below 1/2 for one side")
    if not np.all(np.greater(tuned_units, 0) & np.isfinite(tuned_units)):
        raise ValueError("a confidence sequence is tuned to some units, more than 0")
    if not np.all(np.greater_equal(units, 0) & np.isfinite(units)):
        raise ValueError("units are counted: 0 or more")
    level = -2 * np.log(np.asarray(alpha) * (2 / sides))
    return np.asarray(units * (level + np.log1p(level)) / tuned_units)
