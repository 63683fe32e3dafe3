"""Experiments of one shape, analysed together: every number and verdict of a look is computed here, and only here.

Arrays are (n_experiments, n_metrics, n_variants), control first, and (n_experiments, n_metrics, n_treatments) for
what compares. One experiment is a batch of one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from labcoat.stats import adjusting, data_errors, effects, lift, sample_ratio, verdict
from labcoat.stats.adjusting import LEAST_RELATIVE_VARIANCE, Analysed
from labcoat.stats.arrays import BoolArray, FloatArray
from labcoat.stats.effects import Effect
from labcoat.stats.moments import VALUE, MomentArrays, denominator_is_near_zero
from labcoat.stats.results import Finding
from labcoat.stats.verdict import Evidence, Metrics, Moment, Standing, Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Plans, numbers and what earlier looks left.

    multipliers: (n_experiments, n_metrics, n_treatments), normal quantiles; NaN where no number is wanted.
    is_student: (n_experiments,), whether means take Student's quantile instead.
    exposed, weights: (n_experiments, n_variants).
    past_evidence: (n_experiments,), the log Bayes factor of the split so far, 0 at first.
    has_error: (n_experiments,), the sample cannot be used as a whole.
    """

    moments: MomentArrays
    metrics: Metrics
    multipliers: FloatArray
    is_student: BoolArray
    exposed: FloatArray
    weights: FloatArray
    past_evidence: FloatArray
    has_error: BoolArray
    moment: Moment
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Effects with intervals; each (n_experiments, n_metrics, n_treatments), signs as measured, NaN where none.

    missing: code of why a number is missing, as in `data_errors.FINDINGS`.
    """

    control_mean: FloatArray
    treatment_mean: FloatArray
    difference: FloatArray
    standard_error: FloatArray
    degrees_of_freedom: FloatArray
    multiplier: FloatArray
    low: FloatArray
    high: FloatArray
    lift: FloatArray
    lift_low: FloatArray
    lift_high: FloatArray
    variance_reduction: FloatArray
    missing: NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a look says. evidence: (n_experiments,), of another split; its p-value is exp(-evidence)."""

    estimates: Estimates
    evidence: FloatArray
    table: Table


def analyse(batch: Batch) -> Analysis:
    """Return the numbers and verdicts of one look at every experiment."""
    # What comes out not finite is found and named; numpy need not say so too.
    with np.errstate(all="ignore"):
        estimates = _estimate(batch)
        evidence = sample_ratio.running_maximum(batch.exposed, batch.weights, past=batch.past_evidence)
        table = verdict.decide(
            _evidence(batch, estimates, split_p=np.exp(-evidence)),
            metrics=batch.metrics,
            moment=batch.moment,
            standing=batch.standing,
        )
    return Analysis(estimates=estimates, evidence=evidence, table=table)


def _estimate(batch: Batch) -> Estimates:
    is_proportion = batch.metrics.is_proportion
    counts = batch.moments.counts
    analysed = adjusting.analyse(batch.moments, is_proportion=is_proportion)
    effect = effects.welch(counts, analysed.means, analysed.variances)
    k = _quantiles(batch, effect)
    low, high = effect.difference - k * effect.standard_error, effect.difference + k * effect.standard_error
    is_small = is_proportion[..., np.newaxis] & effects.has_small_cell(counts, batch.moments.means[..., VALUE])
    if is_small.any():
        newcombe = effects.newcombe(counts, batch.moments.means[..., VALUE], k)
        low, high = np.where(is_small, newcombe[0], low), np.where(is_small, newcombe[1], high)
    lift_low, lift_high = lift.fieller(
        analysed.means[..., :1],
        effect.difference,
        standard_error=effect.standard_error,
        control_square=analysed.control_square,
        covariance=analysed.covariances,
        multiplier=k,
    )
    missing = _missing(batch, analysed, is_small=is_small, numbers=(effect.standard_error, k, low, high))
    relative = effect.difference / analysed.means[..., :1]
    has_lift = np.isfinite(relative) & np.isfinite(lift_low) & np.isfinite(lift_high)
    missing = np.where((missing == 0) & ~has_lift, np.int8(data_errors.code(Finding.NO_RELATIVE)), missing)
    has_means = ~np.isin(missing, _NO_MEANS)
    has_number = has_means & ~np.isin(missing, _NO_INTERVAL)
    raw_squares = analysed.raw_variances / counts

    def shown(numbers: FloatArray, where: BoolArray) -> FloatArray:
        return np.where(where, numbers, np.nan)

    return Estimates(
        control_mean=shown(analysed.means[..., :1], has_means),
        treatment_mean=shown(analysed.means[..., 1:], has_means),
        difference=shown(effect.difference, has_number),
        standard_error=shown(effect.standard_error, has_number),
        degrees_of_freedom=effect.degrees_of_freedom,
        multiplier=shown(k, has_number),
        low=shown(low, has_number),
        high=shown(high, has_number),
        lift=shown(relative, missing == 0),
        lift_low=shown(lift_low, missing == 0),
        lift_high=shown(lift_high, missing == 0),
        variance_reduction=shown(
            1 - effect.standard_error**2 / (raw_squares[..., :1] + raw_squares[..., 1:]),
            has_number & analysed.has_covariate[..., np.newaxis],
        ),
        missing=missing,
    )


_NO_MEANS = [
    data_errors.code(finding)
    for finding in (
        Finding.ARM_EMPTY,
        Finding.FEW_UNITS_FOR_VARIANCE,
        Finding.NOT_FINITE,
        Finding.NEGATIVE_VARIANCE,
        Finding.DENOMINATOR_NEAR_ZERO,
    )
]
_NO_INTERVAL = [data_errors.code(Finding.NO_VARIANCE)]


def _quantiles(batch: Batch, effect: Effect) -> FloatArray:
    """Return the multipliers, for means of designs that ask for it as the t quantile that leaves out as much."""
    is_student = (batch.is_student[:, np.newaxis] & ~batch.metrics.is_proportion)[..., np.newaxis]
    # From the upper tail, where there are digits.
    return np.where(is_student, -stdtrit(effect.degrees_of_freedom, ndtr(-batch.multipliers)), batch.multipliers)


def _missing(
    batch: Batch, analysed: Analysed, *, is_small: BoolArray, numbers: tuple[FloatArray, ...]
) -> NDArray[np.int8]:
    """Return the code of why a pair has no number at all, or a small cell; the gravest first."""
    arms = data_errors.arm_errors(batch.moments, is_proportion=batch.metrics.is_proportion)
    pair = np.where(arms[..., :1] > 0, arms[..., :1], arms[..., 1:])
    near_zero = denominator_is_near_zero(batch.moments)
    is_finite = np.logical_and.reduce([np.isfinite(number) for number in numbers])
    findings = {
        Finding.DENOMINATOR_NEAR_ZERO: near_zero[..., :1] | near_zero[..., 1:],
        Finding.NO_VARIANCE: _is_constant(batch, analysed),
        Finding.NOT_FINITE: ~is_finite,
        Finding.SMALL_CELL: is_small,
    }
    return np.select(
        [pair > 0, *findings.values()],
        [pair, *(np.int8(data_errors.code(finding)) for finding in findings)],
        default=np.int8(0),
    )


def _is_constant(batch: Batch, analysed: Analysed) -> BoolArray:
    """Tell where an arm of a mean has one value only, or no unit of a pair's proportion differs."""
    events = np.rint(batch.moments.counts * batch.moments.means[..., VALUE])
    pair_events = events[..., :1] + events[..., 1:]
    pair_units = batch.moments.counts[..., :1] + batch.moments.counts[..., 1:]
    is_flat = ~(
        (analysed.variances > LEAST_RELATIVE_VARIANCE * analysed.means**2)
        & (analysed.variances > _LEAST_LEFT * analysed.raw_variances)
    )
    return np.where(
        batch.metrics.is_proportion[..., np.newaxis],
        (pair_events == 0) | (pair_events == pair_units),
        is_flat[..., :1] | is_flat[..., 1:],
    )


_LEAST_LEFT = 1e-12
"""A smaller share of a variance than this is rounding, after a covariate that explains everything."""


def _evidence(batch: Batch, estimates: Estimates, *, split_p: FloatArray) -> Evidence:
    is_up = (batch.metrics.sign > 0)[..., np.newaxis]
    may_decide = estimates.missing != data_errors.code(Finding.SMALL_CELL)
    low, high = (np.where(may_decide, ends, np.nan) for ends in (estimates.low, estimates.high))
    counts = batch.moments.counts
    events = np.where(
        batch.metrics.is_proportion[..., np.newaxis], np.rint(counts * batch.moments.means[..., VALUE]), np.inf
    )
    return Evidence(
        low=np.where(is_up, low, -high),
        high=np.where(is_up, high, -low),
        units=np.minimum(counts[..., :1], counts[..., 1:]),
        events=np.minimum(events[..., :1], events[..., 1:]),
        has_error=batch.has_error,
        split_p=split_p,
    )
