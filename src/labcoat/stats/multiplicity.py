"""Many hypotheses at once, for exploring: what is left of each when all of them were looked at.

Arrays are (..., n_hypotheses), leading axes free. NaN is a metric without a number: it is no hypothesis, counts for
nothing and stays NaN. Verdicts do not read this: a plan's goals share alpha from the start (Bonferroni).
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from labcoat.stats.arrays import BoolArray, FloatArray

_Scalar = TypeVar("_Scalar", bound=np.generic)


def holm(p_values: FloatArray) -> FloatArray:
    """Return adjusted p-values: calling all that are <= alpha makes a false call with a chance of alpha at most.

    p_values: each valid alone, at one look or at all; they may depend on each other in any way.
    Raises ValueError for a p-value outside 0-1. Source: Holm, Scandinavian Journal of Statistics 1979.

    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    _check(p_values)
    order, ranks, hypotheses = _ranked(p_values)
    steps = np.take_along_axis(p_values, order, axis=-1) * (hypotheses - ranks + 1)
    # NaN is ranked last, so it does not spread to what comes before it.
    return _unranked(np.minimum(np.maximum.accumulate(steps, axis=-1), 1.0), order)


def benjamini_hochberg(p_values: FloatArray) -> FloatArray:
    """Return adjusted p-values: of those <= alpha a share of alpha at most is expected to be false.

    p_values: each valid alone, at one look or at all, and independent or positively dependent.
    Raises ValueError for a p-value outside 0-1.
    Source: Benjamini, Hochberg, Journal of the Royal Statistical Society B 1995.

    >>> benjamini_hochberg(np.array([0.01, 0.04, np.nan, 0.03])).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    _check(p_values)
    order, ranks, hypotheses = _ranked(p_values)
    steps = np.take_along_axis(p_values, order, axis=-1) * (hypotheses / ranks)
    from_the_largest = np.where(np.isnan(steps), 1.0, steps)[..., ::-1]
    adjusted = np.minimum(np.minimum.accumulate(from_the_largest, axis=-1)[..., ::-1], 1.0)
    return _unranked(np.where(np.isnan(steps), np.nan, adjusted), order)


def e_benjamini_hochberg(log_e_values: FloatArray, *, alpha: float) -> BoolArray:
    """Return which are discovered; a share of alpha of them at most is expected to be false.

    log_e_values: natural logarithms, as from confidence sequences, where e itself would overflow; -inf is e = 0.
    They may depend on each other in any way, but must be of one moment: the largest that each has ever been will not
    do. NaN is not discovered. Raises ValueError unless 0 < alpha < 1.
    Source: Wang, Ramdas, Journal of the Royal Statistical Society B 2022: of K hypotheses the k largest, for the
    largest k with k e_(k) >= K / alpha.

    >>> e_benjamini_hochberg(np.log([50.0, 5.0, 31.0]), alpha=0.05).tolist()
    [True, False, True]
    """
    if not 0 < alpha < 1:
        raise ValueError("alpha is between 0 and 1")
    order, ranks, hypotheses = _ranked(-log_e_values)
    largest_first = np.take_along_axis(log_e_values, order, axis=-1)
    # Without any hypothesis nothing is compared but NaN.
    is_enough = largest_first + np.log(ranks) >= np.log(np.maximum(hypotheses, 1)) - np.log(alpha)
    discovered = np.where(is_enough, ranks, 0.0).max(axis=-1, keepdims=True, initial=0.0)
    return _unranked(ranks <= discovered, order)


def _check(p_values: FloatArray) -> None:
    if np.any((p_values < 0) | (p_values > 1)):
        raise ValueError("a p-value is between 0 and 1")


def _ranked(numbers: FloatArray) -> tuple[NDArray[np.intp], FloatArray, FloatArray]:
    """Return the order, smallest first and NaN last, the ranks 1, 2, ... in it, and how many are hypotheses."""
    ranks = np.arange(1, numbers.shape[-1] + 1, dtype=np.float64)
    hypotheses = (~np.isnan(numbers)).sum(axis=-1, keepdims=True, dtype=np.float64)
    return np.argsort(numbers, axis=-1), ranks, hypotheses


def _unranked(ranked: NDArray[_Scalar], order: NDArray[np.intp]) -> NDArray[_Scalar]:
    """Return what is in order in the places it came from."""
    places = np.empty_like(ranked)
    np.put_along_axis(places, order, ranked, axis=-1)
    return places
