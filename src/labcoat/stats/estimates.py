"""Between plain values and arrays: a rule and a sample become a batch of one, and its arrays Estimates again."""

from collections.abc import Sequence
from dataclasses import replace
from math import isnan

import numpy as np
from numpy.typing import NDArray

from labcoat.stats import batch, effects, multipliers, p_values
from labcoat.stats.arrays import FloatArray
from labcoat.stats.data_errors import FINDINGS
from labcoat.stats.moments import COLUMNS, VALUE, MomentArrays
from labcoat.stats.results import Estimate
from labcoat.stats.rule import Direction, Joint, MetricKind, Moments, Role, Rule, Sample
from labcoat.stats.verdict import Metrics, Table

_NOTHING = Moments(count=0, mean=0.0, variance=0.0)
_ALONE = Joint(means=(1.0, 0.0, 1.0), covariances=((0.0,) * 4,) * 4)


def metric_arrays(rule: Rule) -> Metrics:
    """Return what the rule says of its metrics; each (1, n_metrics)."""
    metrics = rule.metrics
    return Metrics(
        is_goal=np.array([[metric.role is Role.GOAL for metric in metrics]]),
        is_guardrail=np.array([[metric.role is Role.GUARDRAIL for metric in metrics]]),
        is_proportion=np.array([[metric.kind is MetricKind.PROPORTION for metric in metrics]]),
        sign=np.array([[1.0 if metric.direction is Direction.UP else -1.0 for metric in metrics]]),
        minimum_effect=np.array([[metric.minimum_effect or np.nan for metric in metrics]]),
        margin=np.array([[metric.margin for metric in metrics]]),
    )


def moment_arrays(rule: Rule, sample: Sample) -> MomentArrays:
    """Return the sample's moments, (1, n_metrics, n_variants); those of a metric that nobody sent have no units."""
    arms = [arm for metric in rule.metrics for arm in moments_of(rule, sample, metric.name)]
    return arrays_of(arms, shape=(1, len(rule.metrics), len(rule.variants)))


def arrays_of(arms: Sequence[Moments], *, shape: tuple[int, ...]) -> MomentArrays:
    """Return moments as arrays of that shape."""
    columns = [arm.joint or _ALONE for arm in arms]
    covariances = np.array([joint.covariances for joint in columns], dtype=np.float64)
    covariances[:, VALUE, VALUE] = [arm.variance for arm in arms]
    return MomentArrays(
        counts=np.array([arm.count for arm in arms], dtype=np.float64).reshape(shape),
        means=np.array(
            [(arm.mean, *joint.means) for arm, joint in zip(arms, columns, strict=True)], dtype=np.float64
        ).reshape(*shape, COLUMNS),
        covariances=covariances.reshape(*shape, COLUMNS, COLUMNS),
    )


def moments_of(rule: Rule, sample: Sample, metric: str) -> tuple[Moments, ...]:
    """Return one metric's moments per variant; empty ones if the sample has none."""
    return sample.moments.get(metric, (_NOTHING,) * len(rule.variants))


def blank_estimates(rule: Rule, sample: Sample, arm_codes: NDArray[np.int8]) -> tuple[Estimate, ...]:
    """Return one estimate per metric and treatment in the plan's order, with counts and information only.

    arm_codes: (n_metrics, n_variants), as from `data_errors.arm_errors`; an error of the pair is what it misses.
    """
    return tuple(
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
            is_approximate=multipliers.is_approximate(rule, metric),
            missing=FINDINGS[codes[0] or code],
        )
        for metric, codes in zip(rule.metrics, arm_codes, strict=True)
        for control, *treatments in [moments_of(rule, sample, metric.name)]
        for name, arm, information, code in zip(
            rule.variants[1:],
            treatments,
            effects.information(np.array([control.count, *(arm.count for arm in treatments)], dtype=np.float64)),
            codes[1:],
            strict=True,
        )
    )


def fill(
    rule: Rule, blanks: tuple[Estimate, ...], numbers: batch.Estimates, *, is_only_look: bool
) -> tuple[Estimate, ...]:
    """Return the estimates with the numbers of a batch of one.

    is_only_look: no other look is paid for, so a p-value means what people think it means.
    """
    evidence = p_values.find(rule, blanks, numbers, is_only_look=is_only_look)
    return tuple(
        replace(
            blank,
            control_mean=_plain(numbers.control_mean, (*place[:2], 0)),
            treatment_mean=_plain(numbers.treatment_mean, place),
            difference=_plain(numbers.difference, place),
            standard_error=_plain(numbers.standard_error, place),
            multiplier=_plain(numbers.multiplier, place),
            low=_plain(numbers.low, place),
            high=_plain(numbers.high, place),
            lift=_plain(numbers.lift, place),
            lift_low=_plain(numbers.lift_low, place),
            lift_high=_plain(numbers.lift_high, place),
            variance_reduction=_plain(numbers.variance_reduction, place),
            p_value=_plain(evidence.p_value, place),
            unadjusted_p_value=_plain(evidence.unadjusted_p_value, place),
            log_e_value=_plain(evidence.log_e_value, place),
            missing=FINDINGS[numbers.missing[place]],
            constant_arm=_constant_arm(rule, numbers, place),
        )
        for place, blank in zip(np.ndindex(numbers.difference.shape), blanks, strict=True)
    )


def with_states(given: tuple[Estimate, ...], table: Table) -> tuple[Estimate, ...]:
    """Return the estimates with what the verdict table of one experiment says of goals and guardrails."""
    return tuple(
        replace(
            one,
            is_harmed=None if one.role is Role.SECONDARY else bool(table.has_gone_bad[place]),
            is_open=bool(table.is_open[place]) if one.role is Role.GUARDRAIL else None,
        )
        for place, one in zip(np.ndindex(table.is_open.shape), given, strict=True)
    )


def _constant_arm(rule: Rule, numbers: batch.Estimates, place: tuple[int, ...]) -> str | None:
    match numbers.constant[place]:
        case batch.CONSTANT_CONTROL:
            return rule.variants[0]
        case batch.CONSTANT_TREATMENT:
            return rule.variants[1 + place[2]]
    return None


def _plain(numbers: FloatArray, place: tuple[int, ...]) -> float | None:
    number = float(numbers[place])
    return None if isnan(number) else number
