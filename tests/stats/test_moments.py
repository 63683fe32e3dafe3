"""Moments: built from rows and from sums, and merged."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from labcoat.stats import moments
from labcoat.stats.arrays import FloatArray
from labcoat.stats.moments import COVARIATE, DENOMINATOR, VALUE, MomentArrays

numbers = st.floats(-1e6, 1e6)
samples = st.integers(2, 30).flatmap(lambda units: arrays(np.float64, (3, units), elements=numbers))


def _of(rows: FloatArray) -> MomentArrays:
    """Rows of value, denominator and covariate."""
    return moments.from_rows(rows[0], denominators=rows[1], covariates=rows[2])


def _agree(one: MomentArrays, other: MomentArrays) -> None:
    largest = max(1.0, float(np.abs(one.covariances).max()), float(np.abs(one.means).max()))
    np.testing.assert_allclose(one.counts, other.counts)
    np.testing.assert_allclose(one.means, other.means, rtol=1e-9, atol=1e-9 * largest)
    np.testing.assert_allclose(one.covariances, other.covariances, rtol=1e-7, atol=1e-9 * largest)


@given(rows=samples)
def test_reference_rows_give_numpys_mean_and_covariance(rows: FloatArray) -> None:
    there = _of(rows)

    np.testing.assert_allclose(there.means[:3], rows.mean(axis=1), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(there.covariances[:3, :3], np.cov(rows), rtol=1e-9, atol=1e-3)
    assert (there.means[3], there.covariances[3].tolist()) == (1.0, [0.0] * 4)


@given(first=samples, second=samples)
def test_property_merging_is_as_if_all_units_came_at_once_in_any_order(first: FloatArray, second: FloatArray) -> None:
    together = _of(np.concatenate([first, second], axis=1))

    _agree(moments.merge(_of(first), _of(second)), together)
    _agree(moments.merge(_of(second), _of(first)), together)


@given(parts=st.lists(samples, min_size=3, max_size=3))
def test_property_merging_may_be_bracketed_in_any_way(parts: list[FloatArray]) -> None:
    one, two, three = (_of(part) for part in parts)

    _agree(moments.merge(moments.merge(one, two), three), moments.merge(one, moments.merge(two, three)))


@given(rows=samples)
def test_property_a_set_without_units_changes_nothing(rows: FloatArray) -> None:
    there = _of(rows)
    nothing = MomentArrays(counts=np.array(0.0), means=np.full(4, np.nan), covariances=np.full((4, 4), np.nan))

    _agree(moments.merge(there, nothing), there)
    _agree(moments.merge(nothing, there), there)


def test_a_unit_at_a_time_is_merged_too() -> None:
    rows = np.random.default_rng(1).normal(5, 2, 40)
    single = [
        MomentArrays(counts=np.array(1.0), means=np.array([value, 1.0, 0.0, 1.0]), covariances=np.zeros((4, 4)))
        for value in rows
    ]

    total = single[0]
    for one in single[1:]:
        total = moments.merge(total, one)

    _agree(total, moments.from_rows(rows))


@settings(max_examples=50)
@given(rows=arrays(np.float64, (3, 20), elements=st.floats(-1e3, 1e3)))
def test_property_sums_give_the_same_as_rows(rows: FloatArray) -> None:
    columns = np.concatenate([rows, np.ones((1, 20))])

    there = moments.from_sums(np.array(20.0), columns.sum(axis=1), columns @ columns.T)

    _agree(there, _of(rows))


def test_merging_keeps_the_digits_that_sums_of_squares_lose() -> None:
    # A variance of 1 around a mean of 1e9: the squares are 1e18, of which a float keeps 16 digits.
    values = 1e9 + np.array([-1.0, 0.0, 1.0] * 1000)
    halves = moments.merge(moments.from_rows(values[:1500]), moments.from_rows(values[1500:]))
    sums = moments.from_sums(
        np.array(3000.0), np.array([values.sum(), 3000, 0, 3000]), np.diag([(values**2).sum(), 3000, 0, 3000])
    )

    assert halves.covariances[VALUE, VALUE] == pytest.approx(2000 / 2999, rel=1e-9)
    assert sums.covariances[VALUE, VALUE] != pytest.approx(2000 / 2999, rel=0.01)


def test_thousands_of_variants_are_one_call() -> None:
    values = np.random.default_rng(3).normal(size=(6, 5, 2, 50))

    there = moments.from_rows(values, covariates=values + 1)

    assert (there.counts.shape, there.means.shape, there.covariances.shape) == (
        (6, 5, 2),
        (6, 5, 2, 4),
        (6, 5, 2, 4, 4),
    )
    _agree(
        MomentArrays(counts=there.counts[2, 1, 0], means=there.means[2, 1, 0], covariances=there.covariances[2, 1, 0]),
        moments.from_rows(values[2, 1, 0], covariates=values[2, 1, 0] + 1),
    )
    assert there.covariances[0, 0, 0, VALUE, COVARIATE] == pytest.approx(there.covariances[0, 0, 0, VALUE, VALUE])
    assert there.covariances[0, 0, 0, DENOMINATOR, VALUE] == 0
