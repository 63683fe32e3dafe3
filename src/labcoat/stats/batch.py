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
from labcoat.stats.verdict import Earlier, Evidence, Metrics, Moment, Table


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
    earlier: Earlier


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """Effects with intervals; each (n_experiments, n_metrics, n_treatments), signs as measured, NaN where none.

    standard_error, multiplier: of the wider of Welch's interval and the pooled one.
    missing: code of why a number is missing, as in `data_errors.FINDINGS`.
    constant: CONSTANT_CONTROL, CONSTANT_TREATMENT, or 0: whose units all have one value, where the other arm's differ.
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
    constant: NDArray[np.int8]


CONSTANT_CONTROL, CONSTANT_TREATMENT = 1, 2
_BOTH_CONSTANT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What a look says.

    evidence: (n_experiments,), of another split; its p-value is exp(-evidence). analysed_evidence: (n_experiments,
    n_metrics), the same of the units that each metric was measured on, where those are not the exposed ones.
    """

    estimates: Estimates
    evidence: FloatArray
    analysed_evidence: FloatArray
    table: Table


def analyse(batch: Batch) -> Analysis:
    """Return the numbers and verdicts of one look at every experiment."""
    # What comes out not finite is found and named; numpy need not say so too.
    with np.errstate(all="ignore"):
        evidence = sample_ratio.running_maximum(batch.exposed, batch.weights, past=batch.past_evidence)
        analysed_evidence = _analysed_evidence(batch)
        is_valid = _is_split_valid(batch.metrics, analysed_evidence)
        estimates = _estimate(batch, is_valid=is_valid)
        table = verdict.decide(
            _evidence(batch, estimates, is_valid=is_valid, split_p=np.exp(-evidence)),
            metrics=batch.metrics,
            moment=batch.moment,
            earlier=batch.earlier,
        )
    return Analysis(estimates=estimates, evidence=evidence, analysed_evidence=analysed_evidence, table=table)


def _analysed_evidence(batch: Batch) -> FloatArray:
    """Return the evidence that the units of a goal or guardrail are split otherwise, where they are not all exposed.

    Of this look alone: rows that come late for one arm are common, and what is really missing stays missing.
    """
    decides = batch.metrics.is_goal | batch.metrics.is_guardrail
    differs = decides & (batch.moments.counts != batch.exposed[:, np.newaxis]).any(axis=-1)
    evidence = np.zeros(differs.shape)
    if differs.any():
        weights = np.broadcast_to(batch.weights[:, np.newaxis], batch.moments.counts.shape)
        found = sample_ratio.log_bayes_factor(batch.moments.counts[differs], weights[differs])
        evidence[differs] = np.maximum(found, 0.0)
    return evidence


def _is_split_valid(metrics: Metrics, evidence: FloatArray) -> BoolArray:
    """Tell which metrics were measured on units that are split as planned; (n_experiments, n_metrics)."""
    deciding = (metrics.is_goal | metrics.is_guardrail).sum(axis=1, keepdims=True)
    return np.asarray(np.exp(-evidence) * np.maximum(deciding, 1) >= sample_ratio.INVALID_BELOW)


def _estimate(batch: Batch, *, is_valid: BoolArray) -> Estimates:
    is_proportion = batch.metrics.is_proportion
    counts = batch.moments.counts
    analysed = adjusting.analyse(batch.moments, is_proportion=is_proportion)
    constant = _constant_arms(batch, analysed)
    effect = effects.compare(
        counts,
        analysed.means,
        np.where(constant == CONSTANT_CONTROL, analysed.variances[..., 1:], analysed.variances[..., :1]),
        np.where(constant == CONSTANT_TREATMENT, analysed.variances[..., :1], analysed.variances[..., 1:]),
    )
    k, error, is_pooled = _widths(batch, effect)
    is_small = is_proportion[..., np.newaxis] & effects.has_small_cell(counts, batch.moments.means[..., VALUE])
    error, low, high = _with_newcombe(batch, effect, k=k, error=error, is_small=is_small)
    # What the pooled variance adds to the control's own.
    added = np.where(is_pooled, (effect.pooled_variance - analysed.variances[..., :1]) / counts[..., :1], 0.0)
    lift_low, lift_high = lift.fieller(
        analysed.means[..., :1],
        effect.difference,
        standard_error=error,
        control_square=analysed.control_square + added,
        covariance=analysed.covariances - added,
        multiplier=k,
    )
    missing = _missing(batch, is_small=is_small, is_valid=is_valid, constant=constant, numbers=(error, k, low, high))
    relative = effect.difference / analysed.means[..., :1]
    has_lift = np.isfinite(relative) & np.isfinite(lift_low) & np.isfinite(lift_high)
    no_lift = np.where(
        analysed.means[..., :1] < 0,
        np.int8(data_errors.code(Finding.NEGATIVE_BASELINE)),
        np.int8(data_errors.code(Finding.NO_RELATIVE)),
    )
    missing = np.where((missing == 0) & ~has_lift, no_lift, missing)
    has_means = ~np.isin(missing, NO_MEANS)
    has_number = has_means & ~np.isin(missing, _NO_INTERVAL)
    raw_squares = analysed.raw_variances / counts

    def shown(numbers: FloatArray, where: BoolArray) -> FloatArray:
        return np.where(where, numbers, np.nan)

    return Estimates(
        control_mean=shown(analysed.means[..., :1], has_means),
        treatment_mean=shown(analysed.means[..., 1:], has_means),
        difference=shown(effect.difference, has_number),
        standard_error=shown(error, has_number),
        degrees_of_freedom=np.where(is_pooled, effect.pooled_freedom, effect.degrees_of_freedom),
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
        constant=np.where(missing == data_errors.code(Finding.CONSTANT_ARM), constant, np.int8(0)),
    )


NO_MEANS = [
    data_errors.code(finding)
    for finding in (
        Finding.ARM_EMPTY,
        Finding.FEW_UNITS_FOR_VARIANCE,
        Finding.NOT_FINITE,
        Finding.NEGATIVE_VARIANCE,
        Finding.DENOMINATOR_NEAR_ZERO,
        Finding.UNEVEN_ANALYSED,
    )
]
_NO_INTERVAL = [data_errors.code(Finding.NO_VARIANCE)]


def _widths(batch: Batch, effect: Effect) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return the multiplier and standard error of the wider of Welch's interval and the pooled one, and which it is.

    Means of designs that ask for it take the t quantile that leaves out as much as the normal one.
    """
    is_student = (batch.is_student[:, np.newaxis] & ~batch.metrics.is_proportion)[..., np.newaxis]
    tail = ndtr(-batch.multipliers)  # the upper one, where there are digits

    def quantiles(freedom: FloatArray) -> FloatArray:
        return (
            np.where(is_student, -stdtrit(freedom, tail), batch.multipliers) if is_student.any() else batch.multipliers
        )

    welch, pooled = quantiles(effect.degrees_of_freedom), quantiles(effect.pooled_freedom)
    is_pooled = pooled * effect.pooled_error > welch * effect.standard_error
    return (
        np.where(is_pooled, pooled, welch),
        np.where(is_pooled, effect.pooled_error, effect.standard_error),
        is_pooled,
    )


def _with_newcombe(
    batch: Batch, effect: Effect, *, k: FloatArray, error: FloatArray, is_small: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return standard errors and ends of the intervals, with Newcombe's where a proportion's own says too much.

    With a small cell Newcombe's is the interval. A guardrail with a margin takes one wide enough for both: with the
    events of an arm its own error shrinks, and by itself it showed what is at the margin safe in .04 instead of .025.
    """
    low, high = effect.difference - k * error, effect.difference + k * error
    metrics = batch.metrics
    is_guarded = (metrics.is_proportion & metrics.is_guardrail & (metrics.margin > 0))[..., np.newaxis]
    rows = (is_small | is_guarded).any(axis=-1)
    if not rows.any():
        return error, low, high
    counts, proportions = batch.moments.counts[rows], batch.moments.means[rows][..., VALUE]
    ends = effects.newcombe(counts, proportions, batch.multipliers[rows])
    newcombe_low, newcombe_high = np.full_like(low, np.nan), np.full_like(high, np.nan)
    newcombe_low[rows], newcombe_high[rows] = ends
    half = np.maximum(effect.difference - newcombe_low, newcombe_high - effect.difference)
    error = np.where(is_guarded & ~is_small, np.fmax(error, half / k), error)
    widest = (
        np.fmin(effect.difference - k * error, newcombe_low),
        np.fmax(effect.difference + k * error, newcombe_high),
    )
    return (
        error,
        np.where(is_guarded, widest[0], np.where(is_small, newcombe_low, low)),
        np.where(is_guarded, widest[1], np.where(is_small, newcombe_high, high)),
    )


def _missing(
    batch: Batch,
    *,
    is_small: BoolArray,
    is_valid: BoolArray,
    constant: NDArray[np.int8],
    numbers: tuple[FloatArray, ...],
) -> NDArray[np.int8]:
    """Return the code of why a pair has no number at all, or one that decides less; the gravest first."""
    arms = data_errors.arm_errors(batch.moments, is_proportion=batch.metrics.is_proportion)
    pair = np.where(arms[..., :1] > 0, arms[..., :1], arms[..., 1:])
    near_zero = denominator_is_near_zero(batch.moments)
    is_finite = np.logical_and.reduce([np.isfinite(number) for number in numbers])
    findings = {
        Finding.UNEVEN_ANALYSED: ~is_valid[..., np.newaxis] & np.ones_like(is_small),
        Finding.DENOMINATOR_NEAR_ZERO: near_zero[..., :1] | near_zero[..., 1:],
        Finding.NO_VARIANCE: constant == _BOTH_CONSTANT,
        Finding.NOT_FINITE: ~is_finite,
        Finding.SMALL_CELL: is_small,
        Finding.CONSTANT_ARM: constant > 0,
    }
    return np.select(
        [pair > 0, *findings.values()],
        [pair, *(np.int8(data_errors.code(finding)) for finding in findings)],
        default=np.int8(0),
    )


def _constant_arms(batch: Batch, analysed: Analysed) -> NDArray[np.int8]:
    """Return which arms of a mean have one value only; none of a proportion, whose Newcombe interval can do without."""
    is_flat = ~(analysed.raw_variances > LEAST_RELATIVE_VARIANCE * analysed.means**2)
    is_explained = ~is_flat & ~(analysed.variances > _LEAST_LEFT * analysed.raw_variances)
    is_both = (is_flat[..., :1] & is_flat[..., 1:]) | is_explained[..., :1] | is_explained[..., 1:]
    found = np.select(
        [is_both, is_flat[..., :1] & ~is_both, is_flat[..., 1:]],
        [np.int8(_BOTH_CONSTANT), np.int8(CONSTANT_CONTROL), np.int8(CONSTANT_TREATMENT)],
        default=np.int8(0),
    )
    return np.where(batch.metrics.is_proportion[..., np.newaxis], np.int8(0), found)


_LEAST_LEFT = 1e-12
"""A smaller share of a variance than this is rounding, after a covariate that explains everything."""


def _evidence(batch: Batch, estimates: Estimates, *, is_valid: BoolArray, split_p: FloatArray) -> Evidence:
    is_up = (batch.metrics.sign > 0)[..., np.newaxis]
    counts, proportions = batch.moments.counts, batch.moments.means[..., VALUE]
    is_small = estimates.missing == data_errors.code(Finding.SMALL_CELL)
    is_constant = estimates.constant > 0
    has_interval = np.isfinite(estimates.low) & np.isfinite(estimates.high)
    may_harm = has_interval
    if is_small.any():
        by_count = effects.is_harm_by_count(counts, proportions, is_up_good=is_up, multiplier=batch.multipliers)
        may_harm = has_interval & (~is_small | by_count)
    events = np.where(batch.metrics.is_proportion[..., np.newaxis], np.rint(counts * proportions), np.inf)
    # Two constants that differ may be anything; where they are the same, as no cost in either arm, nothing got worse.
    differ_without_variance = (estimates.missing == data_errors.code(Finding.NO_VARIANCE)) & (
        estimates.control_mean != estimates.treatment_mean
    )
    return Evidence(
        difference=np.where(is_up, estimates.difference, -estimates.difference),
        low=np.where(is_up, estimates.low, -estimates.high),
        high=np.where(is_up, estimates.high, -estimates.low),
        may_win=has_interval & ~is_small & ~is_constant,
        may_harm=may_harm,
        may_reassure=has_interval & ~is_constant,
        has_data=~np.isin(estimates.missing, NO_MEANS) & ~differ_without_variance,
        units=np.minimum(counts[..., :1], counts[..., 1:]),
        events=np.minimum(events[..., :1], events[..., 1:]),
        is_valid=is_valid,
        has_error=batch.has_error,
        split_p=split_p,
    )
