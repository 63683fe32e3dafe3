"""Counts, means and covariances of units, as arrays: all that the statistics ever see of anyone's data.

A unit has four columns, always in this order: value, denominator, covariate, covariate's denominator. A mean is a ratio
over the constant 1 and a metric without a covariate has the constant 0, so one formula serves every kind of metric.
"""

from dataclasses import dataclass

import numpy as np

from labcoat.stats.arrays import BoolArray, FloatArray

COLUMNS = 4
VALUE, DENOMINATOR, COVARIATE, COVARIATE_DENOMINATOR = range(COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentArrays:
    """The moments of many variants; leading axes are free, usually (n_experiments, n_metrics, n_variants).

    counts: (...) units. means: (..., 4). covariances: (..., 4, 4), divisor n - 1.
    """

    counts: FloatArray
    means: FloatArray
    covariances: FloatArray


def from_rows(
    values: FloatArray,
    *,
    denominators: FloatArray | None = None,
    covariates: FloatArray | None = None,
    covariate_denominators: FloatArray | None = None,
) -> MomentArrays:
    """Return the moments of units, each array (..., n_units) with at least two units; the last axis goes.

    >>> moments = from_rows(np.array([1.0, 2.0, 6.0]))
    >>> float(moments.counts), float(moments.means[VALUE]), float(moments.covariances[VALUE, VALUE])
    (3.0, 3.0, 7.0)
    """
    one, zero = np.ones_like(values), np.zeros_like(values)
    columns = np.stack(
        [
            values,
            one if denominators is None else denominators,
            zero if covariates is None else covariates,
            one if covariate_denominators is None else covariate_denominators,
        ],
        axis=-2,
    )
    units = values.shape[-1]
    means = columns.mean(axis=-1)
    centred = columns - means[..., np.newaxis]
    return MomentArrays(
        counts=np.full(values.shape[:-1], float(units)),
        means=means,
        covariances=centred @ np.swapaxes(centred, -1, -2) / (units - 1),
    )


def from_sums(counts: FloatArray, sums: FloatArray, products: FloatArray) -> MomentArrays:
    """Return the moments from running totals.

    counts: (...) > 1. sums: (..., 4) of the columns. products: (..., 4, 4) of columns times columns.
    Large means cancel: an engine's own variance, or sums of values less a constant, keep more digits. Sums that no
    numbers can have give a negative variance, which a look then names as a data error.

    >>> total = np.array([9.0, 3.0, 0.0, 3.0])
    >>> products = np.array([[41.0, 9, 0, 9], [9, 3, 0, 3], [0, 0, 0, 0], [9, 3, 0, 3]])
    >>> float(from_sums(np.array(3.0), total, products).covariances[VALUE, VALUE])
    7.0
    """
    means = sums / counts[..., np.newaxis]
    squares = _outer(means) * _over_matrices(counts)
    return MomentArrays(counts=counts, means=means, covariances=(products - squares) / _over_matrices(counts - 1))


def merge(first: MomentArrays, second: MomentArrays) -> MomentArrays:
    """Return the moments of both sets of units together, in any order, without going back to sums of squares.

    A set without units changes nothing. Source: Chan, Golub, LeVeque 1979; for covariances Pebay 2008.

    >>> both = merge(from_rows(np.array([1.0, 2.0])), from_rows(np.array([6.0, 7.0])))
    >>> float(both.means[VALUE]), round(float(both.covariances[VALUE, VALUE]), 6)
    (4.0, 8.666667)
    """
    counts = first.counts + second.counts
    share = np.divide(second.counts, counts, out=np.zeros_like(counts), where=counts > 0)
    # An empty set's moments may be anything, NaN included.
    apart = np.where(
        ((first.counts > 0) & (second.counts > 0))[..., np.newaxis], second.means - first.means, np.zeros(COLUMNS)
    )
    means = np.where((first.counts > 0)[..., np.newaxis], first.means, second.means)
    between = _outer(apart) * _over_matrices(first.counts * share)
    return MomentArrays(
        counts=counts,
        means=means + apart * share[..., np.newaxis],
        covariances=(_scatter(first) + _scatter(second) + between) / _over_matrices(np.maximum(counts - 1, 1)),
    )


def without(whole: MomentArrays, part: MomentArrays) -> MomentArrays:
    """Return the moments of the units of `whole` that are not in `part`, whose units are all among them.

    The inverse of `merge`; counts of 0 or 1 have moments that mean nothing.

    >>> both = merge(from_rows(np.array([1.0, 2.0])), from_rows(np.array([6.0, 8.0])))
    >>> rest = without(both, from_rows(np.array([1.0, 2.0])))
    >>> float(rest.counts), float(rest.means[VALUE]), round(float(rest.covariances[VALUE, VALUE]), 6)
    (2.0, 7.0, 2.0)
    """
    counts = whole.counts - part.counts
    weights = np.maximum(counts, 1.0)[..., np.newaxis]
    means = (whole.means * whole.counts[..., np.newaxis] - part.means * part.counts[..., np.newaxis]) / weights
    between = _outer(means - part.means) * _over_matrices(counts * part.counts / np.maximum(whole.counts, 1))
    scatter = _scatter(whole) - _scatter(part) - between
    return MomentArrays(counts=counts, means=means, covariances=scatter / _over_matrices(np.maximum(counts - 1, 1)))


def denominator_is_near_zero(moments: MomentArrays) -> BoolArray:
    """Tell for each variant whether a denominator is within five standard errors of 0: its ratio has no interval.

    >>> few = from_rows(np.array([1.0, 0, 0, 0]), denominators=np.array([2.0, 0, 0, 0]))
    >>> bool(denominator_is_near_zero(few)), bool(denominator_is_near_zero(from_rows(np.array([1.0, 0]))))
    (True, False)
    """
    near = [
        ~(moments.means[..., column] ** 2 > 25 * moments.covariances[..., column, column] / moments.counts)
        for column in (DENOMINATOR, COVARIATE_DENOMINATOR)
    ]
    return np.asarray(np.logical_or(*near))


def _scatter(moments: MomentArrays) -> FloatArray:
    """Return the summed squares and products around the mean; one unit has none."""
    counts = _over_matrices(moments.counts)
    return np.where(counts > 1, moments.covariances * (counts - 1), 0.0)


def _outer(vectors: FloatArray) -> FloatArray:
    return np.asarray(vectors[..., :, np.newaxis] * vectors[..., np.newaxis, :])


def _over_matrices(numbers: FloatArray) -> FloatArray:
    return numbers[..., np.newaxis, np.newaxis]
