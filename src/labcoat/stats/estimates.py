"""Effects with intervals for every metric and treatment of a look; a reason instead of numbers where there are none."""

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from labcoat.stats import effects, lift, multipliers
from labcoat.stats.data_errors import arm_error
from labcoat.stats.effects import Effect, FloatArray
from labcoat.stats.results import Design, Estimate, Finding, MetricKind, MetricRule, Moments, Readout, Rule, Sample

# Rounding in a mean of squares leaves about 1e-16 of the squared mean where the true variance is 0.
_LEAST_RELATIVE_VARIANCE = 1e-14
_NOTHING = Moments(count=0, mean=0.0, variance=0.0)


def estimate_all(rule: Rule, sample: Sample, *, spent: float, looks: tuple[Readout, ...]) -> tuple[Estimate, ...]:
    """Return one estimate per metric and treatment, in the plan's order.

    spent, looks: as in `multipliers.multiplier`.
    """
    # What comes out not finite is found and named below; numpy need not say so too.
    with np.errstate(all="ignore"):
        return tuple(
            estimate
            for metric in rule.metrics
            for estimate in _estimate_metric(rule, metric, _moments(rule, sample, metric), spent=spent, looks=looks)
        )


def without_numbers(rule: Rule, sample: Sample, *, why: Finding | None = None) -> tuple[Estimate, ...]:
    """Return counts and information only.

    why: the data error of the look as a whole; an estimate with an error of its own names that.
    """
    return tuple(
        replace(blank, missing=blank.missing or why)
        for metric in rule.metrics
        for blank in _blanks(rule, metric, _moments(rule, sample, metric))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Each with one entry per treatment; what cannot be given is NaN."""

    difference: FloatArray
    standard_error: FloatArray
    multiplier: FloatArray
    low: FloatArray
    high: FloatArray
    lift: FloatArray
    lift_low: FloatArray
    lift_high: FloatArray
    is_constant: NDArray[np.bool_]
    is_small: NDArray[np.bool_]


def _estimate_metric(
    rule: Rule, metric: MetricRule, moments: tuple[Moments, ...], *, spent: float, looks: tuple[Readout, ...]
) -> list[Estimate]:
    blanks = _blanks(rule, metric, moments)
    k = np.array(
        [
            np.nan if blank.missing else multipliers.multiplier(rule, metric, blank, spent=spent, looks=looks)
            for blank in blanks
        ]
    )
    counts, means, variances = (
        np.array([getattr(arm, name) for arm in moments], dtype=np.float64) for name in ("count", "mean", "variance")
    )
    if metric.kind is MetricKind.PROPORTION:
        columns = _proportion_columns(counts, means, k)
    else:
        columns = _mean_columns(counts, means, variances, k, is_student=rule.design is not Design.CONFIDENCE_SEQUENCE)
    return [
        blank if blank.missing else _filled(blank, columns, index, means=(moments[0].mean, moments[index + 1].mean))
        for index, blank in enumerate(blanks)
    ]


def _moments(rule: Rule, sample: Sample, metric: MetricRule) -> tuple[Moments, ...]:
    return sample.moments.get(metric.name, (_NOTHING,) * len(rule.variants))


def _blanks(rule: Rule, metric: MetricRule, moments: tuple[Moments, ...]) -> list[Estimate]:
    control, *treatments = moments
    informations = effects.information(np.array([arm.count for arm in moments], dtype=np.float64))
    return [
        Estimate(
            metric=metric.name,
            role=metric.role,
            kind=metric.kind,
            treatment=name,
            control_count=control.count,
            treatment_count=arm.count,
            control_mean=None,
            treatment_mean=None,
            information=float(information),
            missing=arm_error(control, kind=metric.kind) or arm_error(arm, kind=metric.kind),
        )
        for name, arm, information in zip(rule.variants[1:], treatments, informations, strict=True)
    ]


def _mean_columns(
    counts: FloatArray, means: FloatArray, variances: FloatArray, k: FloatArray, *, is_student: bool
) -> _Columns:
    effect = effects.welch(counts, means, variances)
    if is_student:
        k = multipliers.student(k, effect.degrees_of_freedom)
    has_variance = variances > _LEAST_RELATIVE_VARIANCE * means**2
    return _columns(
        effect,
        means,
        k,
        interval=(effect.difference - k * effect.standard_error, effect.difference + k * effect.standard_error),
        is_constant=~(has_variance[:1] & has_variance[1:]),
        is_small=np.zeros(k.shape, dtype=np.bool_),
    )


def _proportion_columns(counts: FloatArray, means: FloatArray, k: FloatArray) -> _Columns:
    effect = effects.welch(counts, means, means * (1 - means))
    is_small = effects.has_small_cell(counts, means)
    newcombe_low, newcombe_high = effects.newcombe(counts, means, k)
    events, units = np.rint(counts * means), counts[:1] + counts[1:]
    pair_events = events[:1] + events[1:]
    return _columns(
        effect,
        means,
        k,
        interval=(
            np.where(is_small, newcombe_low, effect.difference - k * effect.standard_error),
            np.where(is_small, newcombe_high, effect.difference + k * effect.standard_error),
        ),
        is_constant=(pair_events == 0) | (pair_events == units),
        is_small=is_small,
    )


def _columns(
    effect: Effect,
    means: FloatArray,
    k: FloatArray,
    *,
    interval: tuple[FloatArray, FloatArray],
    is_constant: NDArray[np.bool_],
    is_small: NDArray[np.bool_],
) -> _Columns:
    lift_low, lift_high = lift.fieller(
        means[:1],
        effect.difference,
        control_square=effect.squared_errors[:1],
        treatment_square=effect.squared_errors[1:],
        multiplier=k,
    )
    return _Columns(
        difference=effect.difference,
        standard_error=effect.standard_error,
        multiplier=k,
        low=interval[0],
        high=interval[1],
        lift=effect.difference / means[:1],
        lift_low=lift_low,
        lift_high=lift_high,
        is_constant=is_constant,
        is_small=is_small,
    )


def _filled(blank: Estimate, columns: _Columns, index: int, *, means: tuple[float, float]) -> Estimate:
    if columns.is_constant[index]:
        return replace(blank, control_mean=means[0], treatment_mean=means[1], missing=Finding.NO_VARIANCE)
    filled = replace(
        blank,
        control_mean=means[0],
        treatment_mean=means[1],
        difference=float(columns.difference[index]),
        standard_error=float(columns.standard_error[index]),
        multiplier=float(columns.multiplier[index]),
        low=float(columns.low[index]),
        high=float(columns.high[index]),
    )
    if not _is_finite(filled.difference, filled.standard_error, filled.multiplier, filled.low, filled.high):
        return replace(blank, missing=Finding.NOT_FINITE)
    if columns.is_small[index]:
        return replace(filled, missing=Finding.SMALL_CELL)
    lifts = (float(columns.lift[index]), float(columns.lift_low[index]), float(columns.lift_high[index]))
    if not _is_finite(*lifts):
        return replace(filled, missing=Finding.NO_RELATIVE)
    return replace(filled, lift=lifts[0], lift_low=lifts[1], lift_high=lifts[2])


def _is_finite(*values: float | None) -> bool:
    return all(value is not None and isfinite(value) for value in values)
